/* Which templates are accepted, which URIs they match with which values, and which pairs overlap.
 */
#include "catalog/uri_template.h"

#include <string.h>

#include "base/arena_fixture.h"

#include "base/buf.h"

static void templates_that_could_be_read_in_two_ways_are_refused(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} table[] = {
		{ "a://b", true },
		{ "a://{b}", true },
		{ "a://x-{b}.json/{c}/y", true },
		{ "a://{+rest}", true },
		{ "a://{b}/{+rest}{?q,r}", true },
		{ "a://b{?q}", true },
		{ "a:b?q=1", true },
		{ "", false },
		{ "{a}", false },
		{ "://b", false },
		{ "1a://b", false },
		{ "a b://c", false },
		{ "a://{b}{c}", false },
		{ "a://{b}-{c}", false },
		{ "a://{+b}/c", false },
		{ "a://{b", false },
		{ "a://b}", false },
		{ "a://{}", false },
		{ "a://{+}", false },
		{ "a://{?}", false },
		{ "a://{?a,}", false },
		{ "a://{1b}", false },
		{ "a://{b-c}", false },
		{ "a://{b}/{b}", false },
		{ "a://{b}{?b}", false },
		{ "a://{?b}/c", false },
		{ "a://{b}?x=1", false },
		{ "a://{#b}", false },
		{ "a://{/b}", false },
		{ "a://{b*}", false },
		{ "a://{b:3}", false },
		{ "a://b#c", false },
		{ "a://\xc3\xa9", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };
		struct uri_template t;

		if (uri_template_read(*state, str_c(table[i].text), &t, &err) != table[i].fits)
			fail_msg("%s: %s", table[i].text, err.text);
	}
}

/* values: joined with '|'; "-" for an absent one; NULL: no match. */
static void uris_give_the_values_they_show(void **state)
{
	static const struct {
		const char *text, *uri, *values;
	} table[] = {
		{ "a://{b}", "a://x", "x" },
		{ "a://{b}", "a://x%20y", "x y" },
		{ "a://{b}", "a://%c3%a9", "\xc3\xa9" },
		{ "a://{b}", "a://", NULL },
		{ "a://{b}", "a://x/", NULL },
		{ "a://{b}", "a://x/y", NULL },
		{ "a://{b}", "a://x%2fy", NULL },
		{ "a://{b}", "a://.", NULL },
		{ "a://{b}", "a://..", NULL },
		{ "a://{b}", "a://%2E%2e", NULL },
		{ "a://{b}", "a://...", "..." },
		{ "a://{b}", "a://x%00", NULL },
		{ "a://{b}", "a://x%ff", NULL },
		{ "a://{b}", "a://x%2", NULL },
		{ "a://{b}", "a://x%zz", NULL },
		{ "a://{b}", "a://x?q=1", NULL },
		{ "a://{b}", "a://x?", NULL },
		{ "a://{b}", "a://x#f", NULL },
		{ "a://{b}", "A://x", NULL },
		{ "a://{b}", "a://{b}", NULL },
		{ "a://p-{b}.json", "a://p-x.json", "x" },
		{ "a://p-{b}.json", "a://p-x.json.json", "x.json" },
		{ "a://p-{b}.json", "a://p-.json", NULL },
		{ "a://p-{b}.json", "a://p-json", NULL },
		{ "a://{b}/y/{c}", "a://x/y/z", "x|z" },
		{ "a://{b}/y/{c}", "a://x/z/z", NULL },
		{ "a://{+r}", "a://x/y/../z", "x/y/../z" },
		{ "a://{+r}", "a://x%2fy", "x/y" },
		{ "a://{+r}", "a://", NULL },
		{ "a://{b}/{+r}", "a://x/y/z", "x|y/z" },
		{ "a://s{?q,r}", "a://s", "-|-" },
		{ "a://s{?q,r}", "a://s?", "-|-" },
		{ "a://s{?q,r}", "a://s?q=1", "1|-" },
		{ "a://s{?q,r}", "a://s?r=2&q=1", "1|2" },
		{ "a://s{?q,r}", "a://s?q=", "|-" },
		{ "a://s{?q,r}", "a://s?q=a%26b%3Dc", "a&b=c|-" },
		{ "a://s{?q,r}", "a://s?q=a/b?c", "a/b?c|-" },
		{ "a://s{?q,r}", "a://s?q=..%2f", "../|-" },
		{ "a://s{?q,r}", "a://s?q", NULL },
		{ "a://s{?q,r}", "a://s?q=1&q=2", NULL },
		{ "a://s{?q,r}", "a://s?q=&q=2", NULL },
		{ "a://s{?q,r}", "a://s?x=1", NULL },
		{ "a://s{?q,r}", "a://s?q=1&", "1|-" },
		{ "a://s{?q,r}", "a://st?q=1", NULL },
		{ "a://{b}{?q}", "a://x?q=1", "x|1" },
		{ "a://{+r}{?q}", "a://x/y?q=1", "x/y|1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str values[URI_TEMPLATE_MAX_VARS];
		struct err err = { 0 };
		struct uri_template t;
		struct buf joined;

		assert_true(uri_template_read(*state, str_c(table[i].text), &t, &err));
		if (uri_template_match(&t, *state, str_c(table[i].uri), values) !=
			(table[i].values != NULL))
			fail_msg("%s of %s", table[i].uri, table[i].text);
		if (!table[i].values)
			continue;
		buf_in(&joined, *state, 8192);
		for (size_t k = 0; k < t.var_count; k++) {
			if (k)
				buf_char(&joined, '|');
			buf_add(&joined, values[k].p ? values[k] : S("-"));
		}
		assert_string_equal(arena_cstr(*state, buf_str(&joined)), table[i].values);
	}
}

static void overlap_means_that_one_path_fits_both(void **state)
{
	static const struct {
		const char *x, *y;
		bool overlap;
	} table[] = {
		{ "a://{b}", "a://{c}", true },
		{ "a://{b}", "a://{c}{?q}", true },
		{ "a://{b}", "a://{c}/d", false },
		{ "a://{b}/x", "a://y/{c}", true },
		{ "a://{b}/x", "a://y/{c}/z", false },
		{ "a://p{b}", "a://q{c}", false },
		{ "a://p{b}", "a://{c}q", true },
		{ "a://{b}.json", "a://{b}.xml", false },
		{ "a://{+r}", "a://{b}/x", true },
		{ "a://x/{+r}", "a://y/{+r}", false },
		{ "a://x/{+r}", "a://{b}", false },
		{ "a://x{?q}", "a://x{?r}", true },
		{ "a://x{?q}", "b://x{?q}", false },
		{ "a://xy{b}", "a://x{b}", true },
		{ "a://{b}", "a://x{?q}", true },
		{ "a://x{?q}", "a://x?q=1", true },
		{ "a://x{?q}", "a://y?q=1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct uri_template x, y;
		struct err err = { 0 };

		assert_true(uri_template_read(*state, str_c(table[i].x), &x, &err));
		assert_true(uri_template_read(*state, str_c(table[i].y), &y, &err));
		if (uri_template_overlap(&x, &y, *state) != table[i].overlap ||
			uri_template_overlap(&y, &x, *state) != table[i].overlap)
			fail_msg("%s and %s", table[i].x, table[i].y);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(templates_that_could_be_read_in_two_ways_are_refused),
		WITH_ARENA(uris_give_the_values_they_show),
		WITH_ARENA(overlap_means_that_one_path_fits_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
