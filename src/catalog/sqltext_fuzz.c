/* sqltext_fuzz - what was accepted lexes to the same tokens as the input, but for parameters, which
 * are ?n, and semicolons, which are space: no quote opens or closes anywhere else.
 *
 * covers: src/catalog/sqltext.c src/catalog/sqltoken.c */
#include "catalog/sqltext.h"

#include <stdint.h>

#include "base/buf.h"

#define INPUT_MAX ((size_t)16 << 10)

/* The text with its parameters numbered by hand, one token after the other. */
static void rewrite(struct str text, const struct sqltext *t, struct buf *out)
{
	struct scan in = scan_of(text);
	struct sqltoken token;
	struct err err;

	while (sqltoken_next(&in, &token, &err)) {
		size_t i = 0;

		if (token.kind != SQLTOKEN_PARAM) {
			bool semicolon = token.kind == SQLTOKEN_PUNCT && token.text.p[0] == ';';

			buf_add(out, semicolon && t->statements <= 1 ? S(" ") : token.text);
			continue;
		}
		while (i < t->name_count && !str_eq(t->names[i], str_from(token.text, 1)))
			i++;
		bug_on(i == t->name_count);
		buf_fmt(out, "?%zu", i + 1);
	}
	bug_on(err.code != E_NONE || !scan_end(&in));
}

static struct str trimmed(struct str s)
{
	while (s.n && str_has(S(" \t\r\n\f"), s.p[0]))
		s = str_from(s, 1);
	while (s.n && str_has(S(" \t\r\n\f"), s.p[s.n - 1]))
		s.n--;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct sqltext t;
	struct arena a;
	struct buf out;

	if (size > INPUT_MAX)
		return 0;
	arena_init(&a, (size_t)16 << 20);
	if (sqltext_read(&a, str_n(data, size), &t, &err)) {
		buf_in(&out, &a, (size_t)4 << 20);
		rewrite(str_n(data, size), &t, &out);
		bug_on(!str_eq(trimmed(buf_str(&out)), t.sql));
		bug_on(t.name_count > SQLTEXT_MAX_PARAMS);
		bug_on(t.limit == SQLTEXT_LIMIT_PARAM && t.limit_param >= t.name_count);
		bug_on(!t.statements && t.sql.n && t.first_word.n);
		bug_on(str_has(t.sql, '\0'));
	} else {
		bug_on(err.code == E_NONE || !err.text[0]);
	}
	arena_done(&a);
	return 0;
}
