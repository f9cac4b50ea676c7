#include "sql/real.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void reals_are_written_shortest(void **state)
{
	static const struct {
		double v;
		const char *text;
	} table[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 5.0, "5.0" },
		{ -5.0, "-5.0" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.005, "1.005" },
		{ -12.34, "-12.34" },
		{ 0.0001, "0.0001" },
		{ 0.00001, "1e-05" },
		{ 2.5, "2.5" },
		{ 999999999999999.0, "999999999999999.0" },
		{ 1e15, "1e+15" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ 1e300, "1e+300" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ DBL_MIN, "2.2250738585072014e-308" },
		{ 5e-324, "5e-324" },
		{ 1.0 / 3, "0.3333333333333333" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct str text = real_lexeme(&a, table[i].v);

		if (!str_eq(text, str_c(table[i].text)))
			fail_msg("%s, not %s", text.p, table[i].text);
	}
	arena_done(&a);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void a_lexeme_reads_back_and_none_of_15_digits_is_shorter(void **state)
{
	uint64_t seed = 88172645463325252u;
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = next(&seed);
		double v, w;
		char short_form[40];
		struct str text;

		if (i % 2)
			v = (double)(int64_t)(bits % 2000000000) / (i % 4 == 1 ? 100 : 10000);
		else
			memcpy(&v, &bits, sizeof v);
		if (!(v - v == 0))
			continue;
		text = real_lexeme(&a, v);
		w = strtod(text.p, NULL);
		assert_memory_equal(&v, &w, sizeof v);
		snprintf(short_form, sizeof short_form, "%.15g", v);
		if (strtod(short_form, NULL) == v && !strchr(short_form, 'e'))
			assert_true(text.n <= strlen(short_form) + 2);
		arena_reset(&a);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reals_are_written_shortest),
		cmocka_unit_test(a_lexeme_reads_back_and_none_of_15_digits_is_shorter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
