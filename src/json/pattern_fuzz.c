/* pattern_fuzz - input: a pattern, a newline, a text.
 *
 * Properties: what is accepted for linear is accepted without; a pattern in a group of its own, or
 * as an alternative to itself, decides as it does alone; two tries agree. */
#include "base/buf.h"
#include "base/utf8.h"
#include "json/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wrapped(
	const struct pattern *alone, struct str source, struct str text, const char *fmt)
{
	enum pattern_verdict one = pattern_try(alone, text), other;
	struct err err;
	struct pattern *p;
	struct buf wrapped;

	buf_init(&wrapped, PATTERN_MAX_BYTES);
	for (; *fmt; fmt++)
		if (*fmt == 'P')
			buf_add(&wrapped, source);
		else
			buf_char(&wrapped, *fmt);
	p = buf_ok(&wrapped) ? pattern_new(buf_str(&wrapped), false, &err) : NULL;
	if (p) {
		other = pattern_try(p, text);
		bug_on(one != PATTERN_LIMIT && other != PATTERN_LIMIT && one != other);
		pattern_free(&p);
	}
	buf_done(&wrapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_n(data, size), source, text;
	struct pattern *p, *linear;
	struct err err = { 0 };

	if (!str_cut(input, '\n', &source, &text) || !utf8_valid(text))
		return 0;
	p = pattern_new(source, false, &err);
	linear = pattern_new(source, true, &err);
	bug_on(linear && !p);
	bug_on(!p && err.code == E_NONE);
	if (p) {
		bug_on(pattern_try(p, text) != pattern_try(p, text));
		bug_on(linear && pattern_try(p, text) != pattern_try(linear, text));
		check_wrapped(p, source, text, "(?:P)");
		check_wrapped(p, source, text, "P|$[]");
	}
	pattern_free(&linear);
	pattern_free(&p);
	return 0;
}
