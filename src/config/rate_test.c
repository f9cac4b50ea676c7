/* The notation of limits: what it says, and what is no limit at all. */
#include "base/test.h"
#include "config/rate.h"

static void a_rule_says_how_many_in_which_window_for_whom(void **state)
{
	static const struct {
		const char *text;
		uint32_t most, window_ms;
		unsigned per;
		const char *normal; /* NULL: the text */
	} cases[] = {
		{ "120/m per principal", 120, 60000, PER_PRINCIPAL, NULL },
		{ "500/s", 500, 1000, 0, NULL },
		{ "20/d per principal", 20, 86400000, PER_PRINCIPAL, NULL },
		{ "10/h per tenant and tool", 10, 3600000, PER_TENANT | PER_TOOL, NULL },
		{ "10/h per tool and tenant", 10, 3600000, PER_TENANT | PER_TOOL,
			"10/h per tenant and tool" },
		{ "7/15m per agent and source", 7, 900000, PER_AGENT | PER_SOURCE, NULL },
		{ "1/60s per credential", 1, 60000, PER_CREDENTIAL, "1/m per credential" },
		{ "1/90s", 1, 90000, 0, NULL },
		{ "1/31d", 1, RATE_WINDOW_MOST_MS, 0, NULL },
		{ "1000000000/s per address", RATE_MOST, 1000, PER_ADDRESS, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct limit_rule r = { 0 };
		struct buf out;

		buf_init(&out, 256);
		assert_null(rate_read(str_c(cases[i].text), &r));
		assert_int_equal(r.most, cases[i].most);
		assert_int_equal(r.window_ms, cases[i].window_ms);
		assert_int_equal(r.per, cases[i].per);
		assert_true(str_eq(r.text, str_c(cases[i].text)));
		rate_write(&r, &out);
		assert_true(str_eq(
			buf_str(&out), str_c(cases[i].normal ? cases[i].normal : cases[i].text)));
		buf_done(&out);
	}
}

static void what_is_no_limit_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "leave it out" },
		{ "unlimited", "leave it out" },
		{ "-1/m", "leave it out" },
		{ " 1/m", "leave it out" },
		{ "0/m", "from 1 to" },
		{ "007/m", "from 1 to" },
		{ "1000000001/m", "from 1 to" },
		{ "99999999999999999999/m", "from 1 to" },
		{ "120", "no window" },
		{ "120 per principal", "no window" },
		{ "1.5/m", "no window" },
		{ "120/", "unit" },
		{ "120/10", "unit" },
		{ "120/ms", "unit" },
		{ "120/min", "unit" },
		{ "120/w", "unit" },
		{ "120/M", "unit" },
		{ "120/0m", "from 1 up" },
		{ "120/32d", "31d" },
		{ "120/9999999999d", "31d" },
		{ "120/m per", "more behind" },
		{ "120/m per ", "behind 'per'" },
		{ "120/m  per principal", "more behind" },
		{ "120/m per person", "behind 'per'" },
		{ "120/m per Principal", "behind 'per'" },
		{ "120/m per tool and tool", "twice" },
		{ "120/m per tool and", "more behind" },
		{ "120/m per tool and agent and source", "more behind" },
		{ "120/m per principal\n", "more behind" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct limit_rule r = { .most = 77 };
		const char *why = rate_read(str_c(cases[i].text), &r);
		struct str said = str_c(why);

		if (!why || str_find_str(said, 0, str_c(cases[i].why)) == said.n)
			fail_msg("'%s': %s", cases[i].text, why ? why : "read as a rule");
		assert_int_equal(r.most, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_says_how_many_in_which_window_for_whom),
		cmocka_unit_test(what_is_no_limit_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
