/* Sums are exact, keep the digits they were given, and refuse what is no number. */
#include "base/test.h"
#include "plan/sum.h"

#include <string.h>

#define NINES_64 "9999999999999999999999999999999999999999999999999999999999999999"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void what_is_read_is_written_again(void **state)
{
	static const struct {
		const char *text, *written; /* NULL: refused */
	} cases[] = {
		{ "0", "0" }, { "-0", "0" }, { "-0.00", "0.00" }, { "7", "7" },
		{ "-48000", "-48000" }, { "12400.00", "12400.00" }, { "007.50", "7.50" },
		{ "0.1", "0.1" }, { "-0.1", "-0.1" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" }, { NINES_64, NINES_64 },
		{ NINES_64 "9", NULL }, { NINES_64 ".5", NULL }, { "", NULL }, { "-", NULL },
		{ ".", NULL }, { ".5", NULL }, { "5.", NULL }, { "+5", NULL }, { " 5", NULL },
		{ "5 ", NULL }, { "1,000", NULL }, { "1e3", NULL }, { "1.2.3", NULL },
		{ "--1", NULL }, { "0x10", NULL }, { "NaN", NULL }, { "inf", NULL },
		{ "\xd9\xa1", NULL }, /* a digit of another script */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sum s = { .scale = 77 };
		struct str text;
		bool good = sum_read(str_c(cases[i].text), &s);

		if (good != (cases[i].written != NULL))
			fail_msg("%s", cases[i].text);
		if (!good) {
			assert_int_equal(s.scale, 77);
			continue;
		}
		assert_true(sum_text(&s, &arena, &text));
		assert_str(text, cases[i].written);
	}
}

static struct sum of(const char *text)
{
	struct sum s;

	if (!sum_read(str_c(text), &s))
		fail_msg("%s is no number", text);
	return s;
}

static void sums_are_exact(void **state)
{
	static const struct {
		const char *a, *b, *sum;
	} cases[] = {
		{ "0", "0", "0" },
		{ "0.1", "0.2", "0.3" },
		{ "1", "-1", "0" },
		{ "-1", "1", "0" },
		{ "-1.50", "1.5", "0.00" },
		{ "999", "1", "1000" },
		{ "1000", "-1", "999" },
		{ "-1000", "1", "-999" },
		{ "1", "-1000", "-999" },
		{ "0.001", "-1000", "-999.999" },
		{ "-5", "-7", "-12" },
		{ "9007199254740993", "1", "9007199254740994" },
		{ "9223372036854775807", "9223372036854775807", "18446744073709551614" },
		{ "-12000.00", "-36000", "-48000.00" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sum a = of(cases[i].a), b = of(cases[i].b);
		struct str text;

		assert_true(sum_add(&a, &b));
		assert_true(sum_text(&a, &arena, &text));
		assert_str(text, cases[i].sum);
	}
}

static void sizes_have_no_sign_and_minus_turns_it(void **state)
{
	struct sum s = sum_minus(of("-3.5")), zero = sum_minus(of("0"));
	struct str text;

	(void)state;
	assert_true(sum_text(&s, &arena, &text));
	assert_str(text, "3.5");
	s = sum_minus(s);
	assert_true(s.negative);
	s = sum_size(s);
	assert_true(sum_text(&s, &arena, &text));
	assert_str(text, "3.5");
	assert_false(zero.negative);
}

/* The sum may pass the limit on its way, and says so only where it stays there. */
static void too_many_digits_are_refused_at_the_end(void **state)
{
	struct sum s = of(NINES_64), back = of("-" NINES_64), small = of("0.1");
	struct str text = S("untouched");

	(void)state;
	assert_true(sum_add(&s, &s));
	assert_false(sum_text(&s, &arena, &text));
	assert_str(text, "untouched");
	assert_true(sum_add(&s, &back));
	assert_true(sum_text(&s, &arena, &text));
	assert_str(text, NINES_64);
	assert_true(sum_add(&s, &small));
	assert_false(sum_text(&s, &arena, &text));
}

static void a_sum_past_all_places_is_refused_on_the_way(void **state)
{
	struct sum s = of(NINES_64);
	size_t doubled = 0;

	(void)state;
	while (doubled < 100 && sum_add(&s, &s))
		doubled++;
	assert_int_equal(doubled, 39); /* 10^64 * 2^39 < 10^76 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_read_is_written_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sums_are_exact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			sizes_have_no_sign_and_minus_turns_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			too_many_digits_are_refused_at_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_sum_past_all_places_is_refused_on_the_way, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
