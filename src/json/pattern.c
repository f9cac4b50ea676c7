/* pattern - see pattern.h.
 *
 * Invariants:
 * 1. A compiled pattern is never written again; what a match writes is made for that match.
 * 2. Any error of PCRE2 while matching is PATTERN_LIMIT, which no caller may read as a match.
 * 3. Where memory may not be made executable the JIT is absent and the interpreter runs, under the
 *    same limit. */
#include "json/pattern.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "json/pattern_ecma.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define TRANSLATED_MAX_BYTES (PATTERN_MAX_BYTES * 64)
#define HEAP_KIB 4096

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
};

static bool compile(struct pattern *p, struct str text, struct err *err)
{
	uint32_t options = PCRE2_UTF | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
			   PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	int number;
	size_t offset;
	char why[120];

	p->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &number, &offset, NULL);
	if (!p->code) {
		pcre2_get_error_message(number, (PCRE2_UCHAR *)why, sizeof why);
		return err_set(err, E_INVALID, "pattern: %s", why);
	}
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits)
		return err_set(err, E_LIMIT, "pattern: out of memory");
	pcre2_set_match_limit(p->limits, PATTERN_STEPS);
	pcre2_set_heap_limit(p->limits, HEAP_KIB);
	(void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* invariant 3 */
	return true;
}

struct pattern *pattern_new(struct str source, bool linear, struct err *err)
{
	struct pattern *p = NULL;
	struct buf text;

	if (source.n > PATTERN_MAX_BYTES) {
		err_set(err, E_LIMIT, "pattern: longer than %d bytes", PATTERN_MAX_BYTES);
		return NULL;
	}
	if (!utf8_valid(source)) {
		err_set(err, E_INVALID, "pattern: not UTF-8");
		return NULL;
	}
	buf_init(&text, TRANSLATED_MAX_BYTES);
	if (pattern_translate(source, linear, &text, err)) {
		p = heap_new(struct pattern);
		if (!compile(p, text.p ? buf_str(&text) : S(""), err))
			pattern_free(&p);
	}
	buf_done(&text);
	return p;
}

void pattern_free(struct pattern **p)
{
	if (!*p)
		return;
	pcre2_match_context_free((*p)->limits);
	pcre2_code_free((*p)->code);
	heap_free(*p);
	*p = NULL;
}

enum pattern_verdict pattern_try(const struct pattern *p, struct str valid_utf8)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	PCRE2_SPTR text = (PCRE2_SPTR)(valid_utf8.n ? valid_utf8.p : "");
	int found;

	if (!data)
		return PATTERN_LIMIT;
	found = pcre2_match(p->code, text, valid_utf8.n, 0, PCRE2_NO_UTF_CHECK, data, p->limits);
	if (found == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter keeps its stack on the heap */
		found = pcre2_match(p->code, text, valid_utf8.n, 0,
			PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, p->limits);
	pcre2_match_data_free(data);
	if (found >= 0)
		return PATTERN_YES;
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_LIMIT;
}
