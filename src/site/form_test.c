/* form: what a browser sends, and what something else does. */
#include "site/form.h"

#include "base/test.h"

static void fields_are_decoded(void **state)
{
	struct arena a;
	struct form_fields f;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	assert_true(
		form_read(&f, &a, S("decision=decline&note=too+much%21%0D%0Anot+now&empty=&bare")));
	assert_int_equal(f.count, 4);
	assert_str(form_get(&f, "decision"), "decline");
	assert_str(form_get(&f, "note"), "too much!\nnot now");
	assert_str(form_get(&f, "empty"), "");
	assert_str(form_get(&f, "bare"), "");
	assert_str(form_get(&f, "none"), "");
	assert_true(form_read(&f, &a, S("")));
	assert_true(form_read(&f, &a, S("a=%c3%bc&&b=x%3Dy=z")));
	assert_str(form_get(&f, "a"), "\xc3\xbc");
	assert_str(form_get(&f, "b"), "x=y=z");
	arena_done(&a);
}

static void what_no_page_of_ours_sends_is_refused(void **state)
{
	static const char *const bad[] = { "a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "%0=1",
		"a=%00", "a=%ff", "a=\xc3", "a=%c3%28", "a=%ed%a0%80",
		"a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1&n=1&o=1&p=1&q=1" };
	struct arena a;
	struct form_fields f;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(form_read(&f, &a, str_c(bad[i])));
		assert_int_equal(f.count, 0);
	}
	assert_false(form_read(&f, &a, str_n("a=\0b", 4)));
	arena_done(&a);
}

static void a_cookie_is_found_once_or_not(void **state)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ "visit=abc", "abc" },
		{ "a=1; visit=abc; b=2", "abc" },
		{ "a=1;visit=abc", "abc" },
		{ "visit=abc; visit=def", "" },
		{ "Visit=abc", "" },
		{ "xvisit=abc", "" },
		{ "visit", "" },
		{ "", "" },
		{ ";;;=;", "" },
		{ "visit=a=b", "a=b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(cookie_get(str_c(cases[i].header), S("visit")), cases[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded),
		cmocka_unit_test(what_no_page_of_ours_sends_is_refused),
		cmocka_unit_test(a_cookie_is_found_once_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
