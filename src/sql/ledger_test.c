/* The ledger takes a row with the change it tells of, and gives nothing up again. */
#include "sql/ledger.h"
#include "sql/write_fixture.h"

static struct sha256 digest(const char *text)
{
	struct sha256 d;

	sha256_of(str_c(text), &d);
	return d;
}

static struct ledger_row row_of(const char *id, const char *call, const char *plan)
{
	return (struct ledger_row){ .id = str_c(id),
		.call_id = str_c(call),
		.plan_id = str_c(plan),
		.tool = S("void_line"),
		.tool_digest = digest("tool"),
		.catalog_digest = digest("catalog"),
		.plan_digest = digest("plan"),
		.who = digest("who"),
		.tenant = digest("tenant"),
		.arguments = digest("arguments"),
		.intent = S("acme/crm/a/7"),
		.effects = S("sealed\0effects"),
		.result = S("sealed result"),
		.rows = 3,
		.committed_us = 1000 };
}

static int set_up(void **state)
{
	struct err err;

	write_set_up(state);
	if (!ledger_install(str_c(write_file), &err))
		fail_msg("%s", err.text);
	return 0;
}

static bool add(struct lite *l, const struct ledger_row *row, struct err *err)
{
	const struct ledger_change changes[] = { { S("t"), digest("t/1"), S("update") },
		{ S("t"), digest("t/2"), S("insert") } };
	const struct ledger_sum sums[] = { { S("amount"), S("-48000"), S("52000") } };

	return ledger_add(l, row, changes, ARRAY_LEN(changes), sums, ARRAY_LEN(sums), err);
}

static void commit(const struct ledger_row *row)
{
	struct lite *l = begin();
	struct err err;

	if (!add(l, row, &err))
		fail_msg("%s", err.text);
	captured(l);
	if (!lite_commit(l, &err))
		fail_msg("%s", err.text);
	lite_give(l);
}

static void what_was_added_is_found_again(void **state)
{
	struct ledger_row row = row_of("l1", "c1", "pl_1"), *list, got;
	struct lite_pool *reading = lite_pool_new(str_c(write_file), 1, 1);
	struct ledger_record record = { S("t"), digest("t/1"), digest("tenant") };
	bool found, exists;
	struct err err;
	struct lite *l;
	size_t count;

	(void)state;
	row.has_idem = true;
	row.idem = digest("key");
	commit(&row);
	l = lite_take(reading, 1000, &err);
	assert_true(ledger_exists(l, &exists, &err) && exists);
	assert_true(ledger_by_plan(l, &write_arena, S("pl_1"), &found, &got, &err) && found);
	assert_str(got.id, "l1");
	assert_str(got.call_id, "c1");
	assert_str(got.tool, "void_line");
	assert_str(got.intent, "acme/crm/a/7");
	assert_true(str_eq(got.effects, row.effects) && str_eq(got.result, row.result));
	assert_true(sha256_eq(&got.tool_digest, &row.tool_digest));
	assert_true(sha256_eq(&got.catalog_digest, &row.catalog_digest));
	assert_true(sha256_eq(&got.plan_digest, &row.plan_digest));
	assert_true(sha256_eq(&got.who, &row.who) && sha256_eq(&got.tenant, &row.tenant));
	assert_true(sha256_eq(&got.arguments, &row.arguments));
	assert_true(got.has_idem && sha256_eq(&got.idem, &row.idem));
	assert_int_equal(got.rows, 3);
	assert_int_equal(got.committed_us, 1000);
	assert_true(ledger_by_call(l, &write_arena, S("c1"), &found, &got, &err) && found);
	assert_true(ledger_by_call(l, &write_arena, S("pl_1"), &found, &got, &err) && !found);
	assert_true(ledger_by_id(l, &write_arena, S("l1"), &found, &got, &err) && found);
	assert_true(ledger_by_id(l, &write_arena, S("c1"), &found, &got, &err) && !found);
	assert_true(ledger_list_for_key(l, &write_arena, &record, 10, &list, &count, &err));
	assert_int_equal(count, 1);
	assert_str(list[0].id, "l1");
	record.tenant = digest("another tenant");
	assert_true(ledger_list_for_key(l, &write_arena, &record, 10, &list, &count, &err));
	assert_int_equal(count, 0);
	record = (struct ledger_record){ S("t"), digest("t/9"), digest("tenant") };
	assert_true(ledger_list_for_key(l, &write_arena, &record, 10, &list, &count, &err));
	assert_int_equal(count, 0);
	lite_give(l);
	lite_pool_free(&reading);
}

static void a_plan_and_a_call_are_used_once(void **state)
{
	struct ledger_row again[] = { row_of("l2", "c2", "pl_1"), row_of("l2", "c1", "pl_2"),
		row_of("l1", "c2", "pl_2") };
	struct ledger_row first = row_of("l1", "c1", "pl_1"), without = row_of("l3", "c3", "");
	struct err err;

	(void)state;
	commit(&first);
	for (size_t i = 0; i < ARRAY_LEN(again); i++) {
		struct lite *l = begin();

		own(l, "INSERT INTO t VALUES (1, 2, 'x')");
		assert_false(add(l, &again[i], &err));
		assert_int_equal(err.code, E_EXISTS);
		assert_false(lite_commit(l, &err));
		lite_give(l);
	}
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
	commit(&without);
	without.id = S("l4");
	without.call_id = S("c4");
	commit(&without);
	assert_int_equal(ask_sql("SELECT count(*) FROM postern_ledger WHERE plan_id IS NULL"), 2);
}

static void nothing_is_ever_changed_in_it(void **state)
{
	static const char *const statements[] = {
		"UPDATE postern_ledger SET tool = 'x'",
		"DELETE FROM postern_ledger",
		"INSERT OR REPLACE INTO postern_ledger SELECT * FROM postern_ledger",
		"UPDATE postern_ledger_rows SET operation = 'insert'",
		"DELETE FROM postern_ledger_rows",
		"UPDATE postern_ledger_sums SET net = '0'",
		"DELETE FROM postern_ledger_sums",
	};
	struct ledger_row row = row_of("l1", "c1", "pl_1");
	struct err err;

	(void)state;
	commit(&row);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		struct lite *l = begin();

		if (try_own(l, statements[i], &err) != LITE_FAILED)
			fail_msg("%s", statements[i]);
		assert_non_null(strstr(err.text, "only appended to"));
		lite_give(l);
	}
}

static void a_key_holds_for_its_time(void **state)
{
	struct ledger_row first = row_of("l1", "c1", ""), second = row_of("l2", "c2", ""), got;
	struct sha256 key = digest("key"), other = digest("other");
	struct err err;
	struct lite *l;
	bool found;

	(void)state;
	first.has_idem = second.has_idem = true;
	first.idem = second.idem = key;
	second.committed_us = 2000;
	commit(&first);
	commit(&second);
	l = take();
	assert_true(ledger_by_idem(l, &write_arena, &key, 1000, &found, &got, &err) && found);
	assert_str(got.id, "l2");
	assert_true(ledger_by_idem(l, &write_arena, &key, 2001, &found, &got, &err) && !found);
	assert_true(ledger_by_idem(l, &write_arena, &other, 0, &found, &got, &err) && !found);
	lite_give(l);
}

static void what_a_tool_did_is_told_for_a_person_and_for_a_tenant(void **state)
{
	struct ledger_row first = row_of("l1", "c1", ""), second = row_of("l2", "c2", "");
	struct ledger_since since = { .of = LEDGER_OF_WHO,
		.whose = digest("who"),
		.tool = S("void_line"),
		.name = S("amount"),
		.since_us = 1000 };
	struct ledger_sum *sums;
	struct err err;
	struct lite *l;
	size_t count;

	(void)state;
	second.who = digest("another");
	commit(&first);
	commit(&second);
	l = take();
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 1);
	assert_str(sums[0].net, "-48000");
	assert_str(sums[0].gross, "52000");
	since.name = S("rows");
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 1);
	assert_str(sums[0].net, "3");
	assert_str(sums[0].gross, "3");
	since.of = LEDGER_OF_TENANT;
	since.whose = digest("tenant");
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 2);
	since.name = S("amount");
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 2);
	since.since_us = 1001;
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 0);
	since.since_us = 0;
	since.tool = S("other");
	assert_true(ledger_sums_since(l, &write_arena, &since, &sums, &count, &err));
	assert_int_equal(count, 0);
	lite_give(l);
}

static void a_record_tells_its_newest_changes_first(void **state)
{
	static const char *const names[] = { "l1", "l2", "l3" };
	struct ledger_record record = { S("t"), digest("t/2"), digest("tenant") };
	struct ledger_row *list;
	struct err err;
	struct lite *l;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct ledger_row row = row_of(names[i], names[i], "");

		row.committed_us = 1000 + (int64_t)i;
		commit(&row);
	}
	l = take();
	assert_true(ledger_list_for_key(l, &write_arena, &record, 2, &list, &count, &err));
	assert_int_equal(count, 2);
	assert_str(list[0].id, "l3");
	assert_str(list[1].id, "l2");
	lite_give(l);
}

static void to_make_it_again_keeps_what_is_there(void **state)
{
	struct ledger_row row = row_of("l1", "c1", "pl_1");
	struct err err;

	(void)state;
	commit(&row);
	assert_true(ledger_install(str_c(write_file), &err));
	assert_int_equal(ask_sql("SELECT count(*) FROM postern_ledger"), 1);
	assert_int_equal(ask_sql("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), 6);
}

static void tables_of_somebody_else_are_no_ledger(void **state)
{
	struct err err;
	struct lite *l;
	bool exists;

	(void)state;
	l = take();
	assert_true(ledger_exists(l, &exists, &err) && !exists);
	lite_give(l);
	run_sql("CREATE TABLE postern_ledger (x)");
	l = take();
	assert_false(ledger_exists(l, &exists, &err));
	assert_int_equal(err.code, E_INVALID);
	lite_give(l);
	run_sql("CREATE TABLE postern_ledger_rows (x); CREATE TABLE postern_ledger_sums (x)");
	l = take();
	assert_false(ledger_exists(l, &exists, &err));
	assert_int_equal(err.code, E_INVALID);
	lite_give(l);
	assert_false(ledger_install(str_c(write_file), &err));
}

static void it_is_not_made_where_there_is_no_database(void **state)
{
	struct err err;

	(void)state;
	assert_false(ledger_install(S("/nowhere/a.db"), &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		T(what_was_added_is_found_again),
		T(a_plan_and_a_call_are_used_once),
		T(nothing_is_ever_changed_in_it),
		T(a_key_holds_for_its_time),
		T(what_a_tool_did_is_told_for_a_person_and_for_a_tenant),
		T(a_record_tells_its_newest_changes_first),
		T(to_make_it_again_keeps_what_is_there),
		cmocka_unit_test_setup_teardown(
			tables_of_somebody_else_are_no_ledger, write_set_up, write_tear_down),
		T(it_is_not_made_where_there_is_no_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
