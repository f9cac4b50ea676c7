/* uri_template_fuzz - the input is a template, a line feed, a URI (or a second template).  A match
 * gives values that keep their promises and, written back into the template, a URI that gives the
 * same values; two templates that both match one URI are said to overlap. */
#include "catalog/uri_template.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"

#define INPUT_MAX ((size_t)4 << 10)

static void escape(struct buf *out, struct str s, bool slashes)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_is_alnum(s.p[i]) || (slashes && s.p[i] == '/'))
			buf_char(out, s.p[i]);
		else
			buf_fmt(out, "%%%02X", (unsigned char)s.p[i]);
}

static void expand(const struct uri_template *t, const struct str *values, struct buf *out)
{
	struct str rest = t->text, literal, inner, tail;
	bool first = true;

	for (size_t i = 0; str_cut(rest, '{', &literal, &tail); i++) {
		buf_add(out, literal);
		bug_on(!str_cut(tail, '}', &inner, &rest));
		if (t->vars[i].kind != URI_VAR_QUERY) {
			escape(out, values[i], t->vars[i].kind == URI_VAR_REST);
			continue;
		}
		for (; i < t->var_count; i++) {
			if (!values[i].p)
				continue;
			buf_char(out, first ? '?' : '&');
			first = false;
			buf_add(out, t->vars[i].name);
			buf_char(out, '=');
			escape(out, values[i], false);
		}
	}
	buf_add(out, rest);
}

static void check_match(struct arena *a, const struct uri_template *t, struct str uri)
{
	struct str values[URI_TEMPLATE_MAX_VARS], again[URI_TEMPLATE_MAX_VARS];
	struct buf out;

	if (!uri_template_match(t, a, uri, values))
		return;
	for (size_t i = 0; i < t->var_count; i++) {
		bug_on(!utf8_valid(values[i]) || str_has(values[i], '\0'));
		bug_on(t->vars[i].kind != URI_VAR_QUERY && !values[i].n);
		bug_on(t->vars[i].kind == URI_VAR_SEGMENT && str_has(values[i], '/'));
	}
	buf_in(&out, a, URI_MAX_BYTES);
	expand(t, values, &out);
	if (!buf_ok(&out))
		return; /* escapes can make it longer than a URI may be */
	bug_on(!uri_template_match(t, a, buf_str(&out), again));
	for (size_t i = 0; i < t->var_count; i++)
		bug_on(!str_eq(values[i], again[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str first, second, third = STR_NONE, values[URI_TEMPLATE_MAX_VARS];
	struct uri_template t, u;
	struct err err = { 0 };
	struct arena a;

	if (size > INPUT_MAX || !str_cut(str_n(data, size), '\n', &first, &second))
		return 0;
	(void)str_cut(second, '\n', &second, &third);
	arena_init(&a, (size_t)64 << 20);
	if (uri_template_read(&a, first, &t, &err)) {
		check_match(&a, &t, second);
		if (uri_template_read(&a, third, &u, &err) &&
			uri_template_match(&t, &a, second, values) &&
			uri_template_match(&u, &a, second, values))
			bug_on(!uri_template_overlap(&t, &u, &a));
	}
	arena_done(&a);
	return 0;
}
