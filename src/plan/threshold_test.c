/* Who must say yes: sums above thresholds, with what was done before, and what nobody can compare.
 */
#include "base/err.h"
#include "base/test.h"
#include "plan/threshold.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)4 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static const struct threshold thresholds[] = {
	{ .impact = STR_INIT("cents"),
		.amount = STR_INIT("1000"),
		.per = OVER_CALL,
		.need = APPROVAL_REQUESTER },
	{ .impact = STR_INIT("cents"),
		.amount = STR_INIT("10000"),
		.per = OVER_PRINCIPAL,
		.window_ms = 86400000,
		.need = APPROVAL_OTHER,
		.grant = STR_INIT("approve.refunds") },
	{ .impact = STR_INIT("rows"),
		.amount = STR_INIT("5"),
		.per = OVER_TENANT,
		.window_ms = 7200000,
		.need = APPROVAL_OTHER,
		.grant = STR_INIT("approve.bulk") },
};
static const struct write w = { .approval = APPROVAL_CLIENT,
	.thresholds = thresholds,
	.threshold_count = ARRAY_LEN(thresholds) };

static void more_is_asked_for_above_a_threshold(void **state)
{
	static const struct {
		const char *net, *gross;
		int rows;
		const char *past_net, *past_gross, *past_rows;
		enum approval_level need;
		const char *grant, *because;
	} cases[] = {
		{ "0", "0", 1, "", "", "", APPROVAL_CLIENT, "", "" },
		{ "1000", "1000", 1, "", "", "", APPROVAL_CLIENT, "", "" },
		{ "1000.00", "1000.00", 5, "", "", "", APPROVAL_CLIENT, "", "" },
		{ "1000.01", "1000.01", 1, "", "", "", APPROVAL_REQUESTER, "",
			"cents adds up to 1,000.01 in this plan: above 1,000" },
		{ "-1001", "1001", 1, "", "", "", APPROVAL_REQUESTER, "",
			"cents adds up to -1,001 in this plan: above 1,000" },
		{ "0", "1600", 2, "", "", "", APPROVAL_REQUESTER, "",
			"cents adds up to 1,600 in this plan when no sign cancels another: above "
			"1,000" },
		{ "-48000", "48000", 1, "", "", "", APPROVAL_OTHER, "approve.refunds",
			"cents adds up to -48,000 with what this person did within a day: above "
			"10,000" },
		{ "-500", "500", 1, "-9600", "9600", "", APPROVAL_OTHER, "approve.refunds",
			"cents adds up to -10,100 with what this person did within a day: above "
			"10,000" },
		{ "-500", "500", 1, "-9500", "9500", "", APPROVAL_CLIENT, "", "" },
		{ "500", "500", 1, "-500", "9600", "", APPROVAL_OTHER, "approve.refunds",
			"cents adds up to 10,100 with what this person did within a day when no "
			"sign cancels another: above 10,000" },
		{ "0", "0", 6, "", "", "", APPROVAL_OTHER, "approve.bulk",
			"rows adds up to 6 with what was done for this tenant within 2 hours: "
			"above 5" },
		{ "0", "0", 2, "", "", "4", APPROVAL_OTHER, "approve.bulk",
			"rows adds up to 6 with what was done for this tenant within 2 hours: "
			"above 5" },
		{ "0", "0", 2, "", "", "3", APPROVAL_CLIENT, "", "" },
		/* the last of equals */
		{ "-48000", "48000", 6, "", "", "", APPROVAL_OTHER, "approve.bulk",
			"rows adds up to 6 with what was done for this tenant within 2 hours: "
			"above 5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plan_sum sum = { S("cents"), str_c(cases[i].net), str_c(cases[i].gross) };
		struct plan p = { .sums = &sum, .sum_count = 1, .rows = (uint64_t)cases[i].rows };
		struct threshold_past past[3] = {
			{ S("999999"), S("999999") }, /* of a threshold per call: not looked at */
			{ str_c(cases[i].past_net), str_c(cases[i].past_gross) },
			{ str_c(cases[i].past_rows), str_c(cases[i].past_rows) },
		};
		struct approval approval;
		struct err err = { 0 };

		assert_true(threshold_judge(&p, &w, past, &arena, &approval, &err));
		if (approval.need != cases[i].need)
			fail_msg("case %zu: need %d", i, (int)approval.need);
		assert_str(approval.grant, cases[i].grant);
		assert_str(approval.because, cases[i].because);
	}
}

static void a_tool_never_needs_less_than_it_says(void **state)
{
	static const struct threshold low = {
		.impact = STR_INIT("rows"), .amount = STR_INIT("0"), .need = APPROVAL_CLIENT
	};
	static const struct write strict = { .approval = APPROVAL_OTHER,
		.grant = STR_INIT("approve.all"),
		.thresholds = &low,
		.threshold_count = 1 };
	struct threshold_past past = { .net = STR_NONE };
	struct plan p = { .rows = 3 };
	struct approval approval;
	struct err err = { 0 };

	(void)state;
	assert_true(threshold_judge(&p, &strict, &past, &arena, &approval, &err));
	assert_int_equal(approval.need, APPROVAL_OTHER);
	assert_str(approval.grant, "approve.all");
	assert_str(approval.because, "");
}

static void what_cannot_be_compared_is_not_small(void **state)
{
	static const struct {
		const char *name, *past;
	} cases[] = { { "euros", "" }, { "cents", "many" }, { "cents", "1e9" },
		{ "cents", "1,0" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plan_sum sum = { str_c(cases[i].name), S("1"), S("1") };
		struct plan p = { .sums = &sum, .sum_count = 1, .rows = 1 };
		struct threshold_past past[3] = { [1] = { str_c(cases[i].past),
							  str_c(cases[i].past) } };
		struct approval approval = { .because = S("untouched") };
		struct err err = { 0 };

		assert_false(threshold_judge(&p, &w, past, &arena, &approval, &err));
		assert_int_equal(err.code, E_CONTRACT);
		assert_str(approval.because, "untouched");
	}
}

static void the_ledger_is_added_up_exactly(void **state)
{
	struct threshold_past past = { .net = STR_NONE };
	struct err err = { 0 };

	(void)state;
	assert_true(threshold_past_add(&past, S("-0.10"), S("0.10"), &arena, &err));
	assert_true(threshold_past_add(&past, S("0.3"), S("0.3"), &arena, &err));
	assert_true(threshold_past_add(
		&past, S("9007199254740993"), S("9007199254740993"), &arena, &err));
	assert_str(past.net, "9007199254740993.20");
	assert_str(past.gross, "9007199254740993.40");
	assert_false(threshold_past_add(&past, S("1"), S("x"), &arena, &err));
	assert_int_equal(err.code, E_CONTRACT);
	assert_str(past.net, "9007199254740993.20");
}

static void the_strictest_step_decides(void **state)
{
	struct approval none = { .need = APPROVAL_NONE }, client = { .need = APPROVAL_CLIENT },
			requester = { .need = APPROVAL_REQUESTER, .because = S("r") },
			a = { APPROVAL_OTHER, S("a"), STR_NONE },
			a_because = { APPROVAL_OTHER, S("a"), S("why") },
			b = { APPROVAL_OTHER, S("b"), STR_NONE }, to = none;

	(void)state;
	assert_true(approval_join(&to, &client));
	assert_int_equal(to.need, APPROVAL_CLIENT);
	assert_true(approval_join(&to, &requester));
	assert_true(approval_join(&to, &client));
	assert_int_equal(to.need, APPROVAL_REQUESTER);
	assert_str(to.because, "r");
	assert_true(approval_join(&to, &a));
	assert_str(to.grant, "a");
	assert_str(to.because, "");
	assert_true(approval_join(&to, &a_because));
	assert_str(to.because, "why");
	assert_true(approval_join(&to, &a));
	assert_str(to.because, "why");
	assert_false(approval_join(&to, &b));
	assert_str(to.grant, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			more_is_asked_for_above_a_threshold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_tool_never_needs_less_than_it_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_compared_is_not_small, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_ledger_is_added_up_exactly, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_strictest_step_decides, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
