/* What is paused by which order, and what when nobody knows. */
#include "base/test.h"
#include "guard/kill.h"

#include <string.h>

#define NOW 100000

static const struct kill_target caller = { .instance = STR_INIT("a"),
	.tenant = STR_INIT("acme"),
	.subject = STR_INIT("ada"),
	.agent = STR_INIT("desk"),
	.credential = STR_INIT("k1"),
	.entry = STR_INIT("orders"),
	.source = STR_INIT("crm") };
static const char *const right[KILL_KIND_COUNT] = { "", "a", "acme", "ada", "desk", "k1", "orders",
	"crm" };

static struct kill_state state_with(const struct kill_order *orders, size_t count)
{
	return (struct kill_state){
		.read = true, .lease_boot_ms = NOW + 1, .orders = orders, .count = count
	};
}

static struct kill_finding judge(const struct kill_order *o, const struct kill_target *t)
{
	struct kill_state s = state_with(o, 1);

	return kill_judge(&s, t, NOW);
}

static void every_kind_meets_its_own_name_and_no_other(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++)
		for (unsigned name = 0; name < KILL_KIND_COUNT; name++) {
			struct kill_order o = {
				.kind = (enum kill_kind)kind, .name = str_c(right[name]), .id = 7
			};
			struct kill_finding found = judge(&o, &caller);
			bool meant = kind == KILL_EVERYTHING || kind == name;

			assert_int_equal(found.cause, meant ? KILL_BY_ORDER : KILL_BY_NOTHING);
			if (meant)
				assert_true(found.kind == kind && found.order == 7);
		}
}

static void names_are_compared_byte_for_byte_and_empty_ones_meet_nothing(void **state)
{
	static const char *const wrong[] = { "", "Acme", "acm", "acmee", "acme " };
	const struct kill_target nobody = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		for (unsigned kind = KILL_SERVER; kind < KILL_KIND_COUNT; kind++) {
			struct kill_order o = { .kind = (enum kill_kind)kind,
				.name = str_c(wrong[i]) };

			assert_int_equal(judge(&o, &caller).cause, KILL_BY_NOTHING);
			assert_int_equal(judge(&o, &nobody).cause, KILL_BY_NOTHING);
		}
}

static void an_order_holds_until_it_is_over_or_its_time_has_come(void **state)
{
	static const struct {
		uint64_t until;
		bool over, holds;
	} cases[] = { { 0, false, true }, { NOW + 1, false, true }, { NOW, false, false },
		{ NOW - 1, false, false }, { 0, true, false }, { NOW + 1, true, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kill_order o = { .until_boot_ms = cases[i].until, .over = cases[i].over };

		assert_int_equal(
			judge(&o, &caller).cause, cases[i].holds ? KILL_BY_ORDER : KILL_BY_NOTHING);
	}
}

static void the_widest_order_is_named(void **state)
{
	const struct kill_order orders[] = {
		{ .kind = KILL_TOOL, .name = S("orders"), .id = 1 },
		{ .kind = KILL_TENANT, .name = S("acme"), .id = 2 },
		{ .kind = KILL_PRINCIPAL, .name = S("ada"), .id = 3 },
	};
	struct kill_state s = state_with(orders, ARRAY_LEN(orders));

	(void)state;
	assert_int_equal(kill_judge(&s, &caller, NOW).order, 2);
}

static void not_knowing_is_a_no(void **state)
{
	static const struct {
		struct kill_state s;
		enum kill_cause cause;
	} cases[] = {
		{ { .read = true, .lease_boot_ms = NOW + 1 }, KILL_BY_NOTHING },
		{ { .read = true, .lease_boot_ms = NOW }, KILL_BY_DOUBT },
		{ { .read = false, .lease_boot_ms = NOW + 1 }, KILL_BY_DOUBT },
		{ { .read = true, .lease_boot_ms = NOW + 1, .beyond = true }, KILL_BY_DOUBT },
		{ { .read = true, .lease_boot_ms = NOW + 1, .local = true }, KILL_BY_SWITCH },
		{ { .local = true }, KILL_BY_SWITCH },
		{ { 0 }, KILL_BY_DOUBT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(kill_judge(&cases[i].s, &caller, NOW).cause, cases[i].cause);
}

static void sessions_begun_before_an_order_that_is_over_have_ended(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++)
		for (unsigned i = 0; i < 8; i++) {
			bool over = i & 1, older = i & 2, mine = i & 4;
			struct kill_order o = { .kind = (enum kill_kind)kind,
				.name = mine ? str_c(right[kind]) : S("another"),
				.since_us = 50,
				.over = over };
			struct kill_state s = state_with(&o, 1);
			bool ends = kind >= KILL_TENANT && kind <= KILL_CREDENTIAL;

			assert_int_equal(kill_ended_session(&s, &caller, older ? 50 : 51, 1),
				ends && over && older && mine);
		}
}

static void a_part_is_a_tool_or_a_source_while_its_order_holds(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++) {
		struct kill_order o = { .kind = (enum kill_kind)kind, .name = S("x") };
		struct kill_state s = state_with(&o, 1);
		bool part = kind == KILL_TOOL || kind == KILL_SOURCE;

		assert_int_equal(kill_pauses_part(&s, NOW), part);
		o.until_boot_ms = NOW + 1;
		assert_int_equal(kill_pauses_part(&s, NOW), part);
		o.until_boot_ms = NOW;
		assert_false(kill_pauses_part(&s, NOW));
		o = (struct kill_order){ .kind = o.kind, .over = true };
		assert_false(kill_pauses_part(&s, NOW));
	}
}

static void kinds_have_names_that_read_back(void **state)
{
	enum kill_kind kind;

	(void)state;
	for (unsigned i = 0; i < KILL_KIND_COUNT; i++) {
		assert_true(kill_kind_read(str_c(kill_kind_name((enum kill_kind)i)), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(kill_kind_read(S("Tool"), &kind));
	assert_false(kill_kind_read(S(""), &kind));
	assert_false(kill_kind_read(S("anything"), &kind));
}

static void streams_end_with_those_who_opened_them(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++) {
		struct kill_finding found = { KILL_BY_ORDER, (enum kill_kind)kind, 1 };

		assert_int_equal(
			kill_ends_streams(&found), kind >= KILL_TENANT && kind <= KILL_CREDENTIAL);
		found.cause = KILL_BY_DOUBT;
		assert_false(kill_ends_streams(&found));
	}
}

static void the_agent_is_told_the_kind_and_the_owner_and_no_name(void **state)
{
	static const struct {
		struct kill_finding found;
		bool running;
		const char *reason, *details;
	} cases[] = {
		{ { KILL_BY_ORDER, KILL_TENANT, 9 }, false, "killed",
			"{\"kind\":\"tenant\",\"owner\":\"sales\"}" },
		{ { KILL_BY_ORDER, KILL_TOOL, 9 }, true, "killed_running",
			"{\"kind\":\"tool\",\"owner\":\"sales\"}" },
		{ { KILL_BY_SWITCH, 0, 0 }, false, "killed",
			"{\"kind\":\"everything\",\"owner\":\"sales\"}" },
		{ { KILL_BY_DOUBT, 0, 0 }, true, "kill_state_unknown", "{\"owner\":\"sales\"}" },
	};
	static const struct entry entry = { .name = STR_INIT("orders"),
		.owner = STR_INIT("sales") };
	static const struct principal ada = { .subject = STR_INIT("ada") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a;
		struct call c = { .entry = &entry, .who = &ada, .arena = &a };

		arena_init(&a, (size_t)1 << 20);
		assert_int_equal(guard_kill(&c, &cases[i].found, cases[i].running), VERDICT_REFUSE);
		assert_int_equal(c.fault.code, PAUSED);
		assert_int_equal(c.passed, 0);
		assert_true(str_eq(c.fault.reason, str_c(cases[i].reason)));
		assert_true(str_eq(c.fault.details_json, str_c(cases[i].details)));
		arena_done(&a);
	}
}

static void a_call_that_nothing_pauses_gets_its_mark(void **state)
{
	static const struct source_config crm = { .name = STR_INIT("crm") };
	static const struct entry entries[] = { { .name = STR_INIT("x"), .source = &crm },
		{ .name = STR_INIT("y") } };
	static const struct principal ada = { .subject = STR_INIT("ada"),
		.tenant = STR_INIT("acme"),
		.agent = STR_INIT("desk"),
		.credential = STR_INIT("k1") };
	const struct kill_finding nothing = { .cause = KILL_BY_NOTHING };
	struct call c = { .entry = &entries[0], .who = &ada };
	struct kill_target t;

	(void)state;
	assert_int_equal(guard_kill(&c, &nothing, false), VERDICT_PASS);
	assert_int_equal(c.passed, GUARD_KILL);
	t = kill_target_of(&c, S("a"));
	assert_true(str_eq(t.source, S("crm")) && str_eq(t.entry, S("x")) &&
		    str_eq(t.subject, S("ada")) && str_eq(t.tenant, S("acme")) &&
		    str_eq(t.agent, S("desk")) && str_eq(t.credential, S("k1")) &&
		    str_eq(t.instance, S("a")));
	c.entry = &entries[1];
	assert_int_equal(kill_target_of(&c, S("a")).source.n, 0);
}

static void orders_in_force_are_counted_by_kind(void **state)
{
	const struct kill_order orders[] = {
		{ .kind = KILL_TOOL, .name = S("orders") },
		{ .kind = KILL_TOOL, .name = S("nobody's"), .until_boot_ms = NOW + 1 },
		{ .kind = KILL_TOOL, .name = S("ended"), .until_boot_ms = NOW },
		{ .kind = KILL_TENANT, .name = S("acme"), .over = true },
		{ .kind = KILL_SOURCE, .name = S("crm") },
	};
	struct kill_state s = state_with(orders, ARRAY_LEN(orders));
	unsigned counts[KILL_KIND_COUNT];

	(void)state;
	kill_count(&s, NOW, counts);
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++)
		assert_int_equal(counts[kind], kind == KILL_TOOL ? 2 : kind == KILL_SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_meets_its_own_name_and_no_other),
		cmocka_unit_test(names_are_compared_byte_for_byte_and_empty_ones_meet_nothing),
		cmocka_unit_test(an_order_holds_until_it_is_over_or_its_time_has_come),
		cmocka_unit_test(the_widest_order_is_named),
		cmocka_unit_test(not_knowing_is_a_no),
		cmocka_unit_test(sessions_begun_before_an_order_that_is_over_have_ended),
		cmocka_unit_test(a_part_is_a_tool_or_a_source_while_its_order_holds),
		cmocka_unit_test(kinds_have_names_that_read_back),
		cmocka_unit_test(streams_end_with_those_who_opened_them),
		cmocka_unit_test(the_agent_is_told_the_kind_and_the_owner_and_no_name),
		cmocka_unit_test(a_call_that_nothing_pauses_gets_its_mark),
		cmocka_unit_test(orders_in_force_are_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
