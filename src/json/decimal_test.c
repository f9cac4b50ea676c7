/* decimal_test - exact decimals against cases and against small integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "json/decimal.h"

static void lexemes_of_integers_are_known_whatever_their_form(void **state)
{
	static const struct {
		struct str lexeme;
		bool integer;
	} cases[] = {
		{ STR_INIT("0"), true },
		{ STR_INIT("-0"), true },
		{ STR_INIT("5"), true },
		{ STR_INIT("5.0"), true },
		{ STR_INIT("5e0"), true },
		{ STR_INIT("50e-1"), true },
		{ STR_INIT("0.5e1"), true },
		{ STR_INIT("0.0e-99999999999999999999"), true },
		{ STR_INIT("1e400"), true },
		{ STR_INIT("9223372036854775808"), true },
		{ STR_INIT("5.5"), false },
		{ STR_INIT("5e-1"), false },
		{ STR_INIT("-0.000001"), false },
		{ STR_INIT("1e-99999999999999999999"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (lexeme_is_integer(cases[i].lexeme) != cases[i].integer)
			fail_msg("%s", cases[i].lexeme.p);
}

static void multiples_are_decided_exactly(void **state)
{
	static const struct {
		struct str value, divisor;
		bool multiple;
	} cases[] = {
		{ STR_INIT("0"), STR_INIT("7"), true },
		{ STR_INIT("0.0075"), STR_INIT("0.0001"), true },
		{ STR_INIT("0.00751"), STR_INIT("0.0001"), false },
		{ STR_INIT("4.5"), STR_INIT("1.5"), true },
		{ STR_INIT("35"), STR_INIT("1.5"), false },
		{ STR_INIT("19.99"), STR_INIT("0.01"), true },
		{ STR_INIT("19.999"), STR_INIT("0.01"), false },
		{ STR_INIT("1e308"), STR_INIT("0.123456789"), false },
		{ STR_INIT("1e308"), STR_INIT("0.5"), true },
		{ STR_INIT("1e99999999999999999999"), STR_INIT("0.5"), true },
		{ STR_INIT("1e99999999999999999999"), STR_INIT("3"), false },
		{ STR_INIT("3e99999999999999999999"), STR_INIT("3"), true },
		{ STR_INIT("1e-99999999999999999999"), STR_INIT("1e-5"), false },
		{ STR_INIT("12391239123"), STR_INIT("1e-8"), true },
		{ STR_INIT("1e213"),
			STR_INIT(
				"6582018229284824168619876730229402019930943462534319453394436096"),
			true }, /* 2^212 */
		{ STR_INIT("1e211"),
			STR_INIT(
				"6582018229284824168619876730229402019930943462534319453394436096"),
			false },
		{ STR_INIT("9999999999999999999999999999999999999999999999999999999999999998"),
			STR_INIT(
				"9999999999999999999999999999999999999999999999999999999999999999"),
			false },
		{ STR_INIT("-9999999999999999999999999999999999999999999999999999999999999999"),
			STR_INIT(
				"9999999999999999999999999999999999999999999999999999999999999999"),
			true },
		{ STR_INIT("-14"), STR_INIT("7"), true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value, divisor;

		decimal_of(cases[i].value, &value);
		decimal_of(cases[i].divisor, &divisor);
		if (decimal_is_multiple(&value, &divisor) != cases[i].multiple)
			fail_msg("%s by %s", cases[i].value.p, cases[i].divisor.p);
	}
}

static void small_numbers_agree_with_the_machine(void **state)
{
	(void)state;
	for (int64_t a = -60; a <= 600; a++)
		for (int64_t b = 1; b <= 40; b++) {
			struct decimal value, divisor;
			char x[24], y[24];

			snprintf(x, sizeof x, "%lld", (long long)a);
			snprintf(y, sizeof y, "%lld", (long long)b);
			decimal_of(str_c(x), &value);
			decimal_of(str_c(y), &divisor);
			assert_int_equal(decimal_is_multiple(&value, &divisor), a % b == 0);
		}
}

static void counts_are_read_up_to_the_machine_s_limit(void **state)
{
	struct decimal d;
	uint64_t n;

	(void)state;
	decimal_of(S("18446744073709551615"), &d);
	assert_true(decimal_to_u64(&d, &n) && n == UINT64_MAX);
	decimal_of(S("18446744073709551616"), &d);
	assert_false(decimal_to_u64(&d, &n));
	decimal_of(S("2.0"), &d);
	assert_true(decimal_to_u64(&d, &n) && n == 2);
	decimal_of(S("1.2e3"), &d);
	assert_true(decimal_to_u64(&d, &n) && n == 1200);
	decimal_of(S("2.5"), &d);
	assert_false(decimal_to_u64(&d, &n));
	decimal_of(S("-1"), &d);
	assert_false(decimal_to_u64(&d, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lexemes_of_integers_are_known_whatever_their_form),
		cmocka_unit_test(multiples_are_decided_exactly),
		cmocka_unit_test(small_numbers_agree_with_the_machine),
		cmocka_unit_test(counts_are_read_up_to_the_machine_s_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
