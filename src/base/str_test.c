#include "base/test.h"

#include "base/scan.h"

static void numbers_are_digits_only_and_never_overflow(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} table[] = {
		{ "0", true, 0 },
		{ "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "0x1", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t n = 42;

		assert_int_equal(str_to_i64(str_c(table[i].text), &n), table[i].ok);
		assert_true(n == (table[i].ok ? table[i].value : 42));
	}
}

static void slices_never_leave_their_string(void **state)
{
	struct str s = S("hello"), head, tail;

	(void)state;
	assert_str(str_sub(s, 1, 3), "ell");
	assert_str(str_sub(s, 3, 99), "lo");
	assert_str(str_sub(s, 99, 1), "");
	assert_str(str_from(s, 5), "");
	assert_int_equal(str_find(s, 0, 'l'), 2);
	assert_int_equal(str_find(s, 4, 'l'), 5);
	assert_int_equal(str_find_str(s, 0, S("lo")), 3);
	assert_int_equal(str_find_str(s, 0, S("lox")), 5);
	assert_true(str_cut(S("a=b=c"), '=', &head, &tail));
	assert_str(head, "a");
	assert_str(tail, "b=c");
	assert_false(str_cut(s, '=', &head, &tail));
	assert_str(str_trim(S(" \t x y\t ")), "x y");
	assert_str(str_trim(S("  ")), "");
}

static void comparison_is_a_total_order(void **state)
{
	(void)state;
	assert_true(str_cmp(S("a"), S("b")) < 0);
	assert_true(str_cmp(S("a"), S("ab")) < 0);
	assert_true(str_cmp(S("\xff"), S("a")) > 0);
	assert_int_equal(str_cmp(S("ab"), S("ab")), 0);
	assert_true(str_eq_ci(S("Host"), S("hOST")));
	assert_false(str_eq_ci(S("Host"), S("Hosts")));
	assert_true(str_starts(S("Bearer x"), S("Bearer ")));
	assert_false(str_starts(S("B"), S("Bearer")));
	assert_true(str_ends(S("x.yaml"), S(".yaml")));
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static void scanning_consumes_only_what_it_accepts(void **state)
{
	struct scan s = scan_of(S("abc:def"));
	struct str out;

	(void)state;
	assert_false(scan_lit(&s, S("abd")));
	assert_int_equal(scan_offset(&s), 0);
	assert_str(scan_while(&s, is_lower), "abc");
	assert_true(scan_char(&s, ':'));
	assert_false(scan_until(&s, ':', &out));
	assert_int_equal(scan_peek(&s), 'd');
	assert_str(scan_rest(&s), "def");
	assert_true(scan_end(&s));
	assert_int_equal(scan_peek(&s), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_digits_only_and_never_overflow),
		cmocka_unit_test(slices_never_leave_their_string),
		cmocka_unit_test(comparison_is_a_total_order),
		cmocka_unit_test(scanning_consumes_only_what_it_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
