/* Write tools: what is made of their files, what the server adds, what a database says of them.
 * The files are those of test/config/catalog; what is refused stands in bad_writes.yaml. */
#include "catalog/write.h"

#include <stdio.h>

#include "catalog/catalog_fixture.h"
#include "catalog/write_facts.h"

static void a_write_is_what_its_file_says(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_writes.yaml"), "correct_signatory");
	const struct write *w = e->write;
	const struct effect_rule *rule = write_rule(w, S("contracts"));

	assert_int_equal(e->action.kind, ACTION_WRITE);
	assert_true(e->mutates);
	assert_int_equal(w->class, WRITE_CHANGE);
	assert_int_equal(w->before_count, 2);
	assert_true(w->before[0].unless && !w->before[1].unless);
	assert_int_equal(w->before[0].code, NOT_FOUND);
	assert_str(w->before[0].reason, "no_contract");
	assert_int_equal(w->before[1].code, PRECONDITION_FAILED);
	assert_int_equal(w->after_count, 1);
	assert_int_equal(w->statement_count, 2);
	assert_str(w->statements[0].sql,
		"UPDATE contracts SET signatory_id = ?1, updated_at = ?2 WHERE id = ?3");
	assert_int_equal(w->statements[0].params[1].kind, PARAM_CALL_TIME);
	assert_non_null(rule);
	assert_null(write_rule(w, S("Contracts")));
	assert_int_equal(rule->operations, EFFECT_UPDATE);
	assert_int_equal(rule->rows_min, 1);
	assert_int_equal(rule->rows_max, 1);
	assert_str(rule->where.sql, "id = ?1 AND contracts.status <> 'void'");
	assert_str(rule->where.params[0].name, "contract_id");
	assert_int_equal(rule->column_count, 3);
	assert_int_equal(rule->columns[1].mask.kind, MASK_INITIALS);
	assert_int_equal(w->rules[1].rows_max, 2);
	assert_true(names_hold(w->rules[1].varies, S("at")));
	assert_int_equal(w->approval, APPROVAL_CLIENT);
	assert_true(w->returning);
	assert_int_equal(w->returning_of, 1);
	assert_int_equal(e->action.part_count, 1);
	assert_true(e->action.parts[0].columns[0].assigned);
	assert_int_equal(x->c->statement_count, 7 + 6 + 1);
}

static void thresholds_and_impacts_are_kept_as_written(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_writes.yaml"), "refund");
	const struct write *w = e->write;

	assert_int_equal(w->approval, APPROVAL_REQUESTER);
	assert_int_equal(w->threshold_count, 3);
	assert_str(w->thresholds[0].impact, "total_cents");
	assert_str(w->thresholds[0].amount, "10000");
	assert_int_equal(w->thresholds[0].per, OVER_CALL);
	assert_str(w->thresholds[1].amount, "99.50");
	assert_int_equal(w->thresholds[1].per, OVER_PRINCIPAL);
	assert_int_equal(w->thresholds[1].window_ms, 86400000);
	assert_int_equal(w->thresholds[1].need, APPROVAL_OTHER);
	assert_str(w->thresholds[1].grant, "approve.contracts");
	assert_str(w->thresholds[2].impact, "rows");
	assert_int_equal(w->thresholds[2].per, OVER_TENANT);
	assert_int_equal(w->thresholds[2].window_ms, 900000);
	assert_str(w->impacts[1].table, "lines");
	assert_str(w->impacts[1].column, "amount");
	assert_int_equal(w->rules[0].column_count, 2); /* key and update, when nothing is said */
	assert_false(w->returning);
	assert_int_equal(e->action.parts[0].rows, 2);
	assert_int_equal(w->raised_count, 2);
	assert_int_equal(w->raises[0].code, NOT_FOUND);
	assert_int_equal(w->raises[0].reason.n, 0);
}

static void the_server_adds_its_own_to_every_write(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_writes.yaml");
	const char *const names[] = { WRITE_DRY_RUN, WRITE_PLAN_ID, WRITE_TOKEN,
		WRITE_IDEMPOTENCY_KEY, WRITE_REQUEST };

	for (size_t i = 0; i < 3; i++) {
		const struct entry *e = c->tools[i];

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			const struct input *in = entry_input(e, str_c(names[k]));

			assert_non_null(in);
			assert_true(in->added && !in->required && !in->default_json.n);
		}
		assert_true(str_ends(e->description, S(". " WRITE_CLOSING)));
		assert_true(str_find_str(e->list_json, 0, S(WRITE_CLOSING)) < e->list_json.n);
	}
	assert_int_equal(entry_input(c->tools[0], S(WRITE_TOKEN))->protect, PROTECT_DROP);
	assert_int_equal(entry_input(c->tools[0], S(WRITE_REQUEST))->protect, PROTECT_ENCRYPT);
	assert_str(tool(c, "add_note")->description, "Adds a note. " WRITE_CLOSING);
	assert_true(str_starts(tool(c, "add_note")->input_schema,
		S("{\"type\":\"object\",\"required\":[\"text\"],\"additionalProperties\":"
		  "false,\"$comment\":\"the author's own\",\"properties\":{\"text\":{\"type\":"
		  "\"string\",\"maxLength\":200},\"dry_run\":{\"type\":\"boolean\",")));
}

static void the_class_of_a_write_follows_from_its_effects(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_writes.yaml");
	struct fixture y;

	assert_string_equal(entry_class(tool(c, "refund")), "write");
	assert_string_equal(entry_class(tool(c, "add_note")), "append");
	assert_str(tool(c, "refund")->annotations,
		"{\"readOnlyHint\":false,\"destructiveHint\":true,\"idempotentHint\":true,"
		"\"openWorldHint\":false}");
	assert_str(tool(c, "add_note")->annotations,
		"{\"readOnlyHint\":false,\"destructiveHint\":false,\"idempotentHint\":true,"
		"\"openWorldHint\":false}");
	open_fixture(&y);
	must_load(&y, "catalog/good_reads.yaml");
	assert_string_equal(entry_class(y.c->tools[0]), "read");
	close_fixture(&y);
}

static bool input_fits(struct fixture *x, const struct entry *e, const char *text)
{
	struct json_error error;
	struct json value;

	assert_true(json_parse(&x->a, str_c(text), &value, &error));
	return schema_check(e->schema, &x->a, &value, NULL);
}

static void the_servers_arguments_are_narrow(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_writes.yaml"), "add_note");
	char longest[512], key[400];
	static const struct {
		const char *value;
		bool fits;
	} table[] = {
		{ "{\"text\":\"a\"}", true },
		{ "{\"text\":\"a\",\"dry_run\":false}", true },
		{ "{\"text\":\"a\",\"dry_run\":\"false\"}", false },
		{ "{\"text\":\"a\",\"dry_run\":null}", false },
		{ "{\"text\":\"a\",\"plan_id\":\"pl_01ARZ3NDEKTSV4RRFFQ69G5FAV\"}", true },
		{ "{\"text\":\"a\",\"plan_id\":\"pl_01arz3ndektsv4rrffq69g5fav\"}", false },
		{ "{\"text\":\"a\",\"plan_id\":\"\"}", false },
		{ "{\"text\":\"a\",\"confirmation_token\":\"\"}", false },
		{ "{\"text\":\"a\",\"confirmation_token\":\"K3 9-x\"}", true },
		{ "{\"text\":\"a\",\"idempotency_key\":\"k\"}", true },
		{ "{\"text\":\"a\",\"idempotency_key\":\"a b~!\"}", true },
		{ "{\"text\":\"a\",\"idempotency_key\":\"\"}", false },
		{ "{\"text\":\"a\",\"idempotency_key\":\"  \"}", false },
		{ "{\"text\":\"a\",\"idempotency_key\":\"a\\n\"}", false },
		{ "{\"text\":\"a\",\"idempotency_key\":\"\\u0007a\"}", false },
		{ "{\"text\":\"a\",\"idempotency_key\":\"\u00e4\"}", false },
		{ "{\"text\":\"a\",\"request\":\"please\"}", true },
		{ "{\"text\":\"a\",\"requests\":\"please\"}", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (input_fits(x, e, table[i].value) != table[i].fits)
			fail_msg("%s", table[i].value);
	memset(key, 'k', sizeof key);
	for (int n = 255; n <= 256; n++) {
		snprintf(longest, sizeof longest, "{\"text\":\"a\",\"idempotency_key\":\"%.*s\"}",
			n, key);
		assert_int_equal(input_fits(x, e, longest), n == 255);
	}
}

#define EFFECT                                                                                     \
	"{\"table\":\"t\",\"operation\":\"update\",\"key\":{\"id\":1},\"before\":{\"a\":1},"       \
	"\"after\":null}"
#define IMPACT "\"impact\":{\"rows\":{\"t\":1},\"sums\":{}}"
#define PLAN                                                                                       \
	"\"plan\":{\"id\":\"pl_1\",\"state\":\"proposed\",\"expires_at\":"                         \
	"\"2026-11-21T10:00:00Z\",\"approval\":\"client\",\"digest\":\"d\"}"

static void the_output_schema_of_a_write_admits_previews_and_changes(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_writes.yaml");
	static const struct {
		const char *tool, *value;
		bool fits;
	} table[] = {
		{ "correct_signatory",
			"{\"outcome\":\"preview\"," PLAN ",\"effects\":[" EFFECT "]," IMPACT
			",\"result\":{\"id\":null,\"at\":null},\"assigned\":[\"id\",\"at\"]}",
			true },
		{ "correct_signatory",
			"{\"outcome\":\"applied\",\"replayed\":true,\"effects\":[],"
			"\"truncated_effects\":7," IMPACT ",\"result\":{\"id\":\"7\",\"at\":"
			"\"2026-11-21T10:00:00Z\"},\"ledger_id\":\"x\"}",
			true },
		{ "correct_signatory",
			"{\"outcome\":\"preview\",\"effects\":[]," IMPACT
			",\"result\":{\"id\":null}}",
			false },
		{ "correct_signatory", "{\"outcome\":\"done\",\"effects\":[]," IMPACT "}", false },
		{ "correct_signatory", "{\"outcome\":\"applied\",\"effects\":[{}]," IMPACT "}",
			false },
		{ "correct_signatory", "{\"outcome\":\"applied\",\"effects\":[]}", false },
		{ "refund",
			"{\"outcome\":\"applied\",\"effects\":[],\"impact\":{\"rows\":{},"
			"\"sums\":{\"total_cents\":\"-48000\"}},\"result\":{\"rows\":[],"
			"\"truncated\":false}}",
			true },
		{ "refund",
			"{\"outcome\":\"applied\",\"effects\":[],\"impact\":{\"rows\":{},"
			"\"sums\":{\"other\":\"1\"}}}",
			false },
		{ "add_note", "{\"outcome\":\"preview\",\"effects\":[]," IMPACT "}", true },
		{ "add_note", "{\"outcome\":\"preview\",\"effects\":[]," IMPACT ",\"result\":{}}",
			false },
		{ "add_note",
			"{\"error\":{\"code\":\"CONFLICT\",\"message\":\"m\",\"retryable\":false,"
			"\"advice\":\"ask_the_person\",\"details\":{\"plan\":{}},\"call_id\":"
			"\"c\"}}",
			true },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (output_fits(x, tool(c, table[i].tool), table[i].value) != table[i].fits)
			fail_msg("%s: %s", table[i].tool, table[i].value);
}

static void what_a_write_touches_is_held_against_its_effects(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_writes.yaml"), "correct_signatory");
	static const struct {
		struct write_touch touch;
		bool reads, readonly, single;
		struct str error;
		const char *code;
		bool warning;
	} table[] = {
		{ { EFFECT_UPDATE, STR_INIT("contracts"), STR_INIT("signatory_id"), { 0 } }, false,
			false, true, { 0 }, NULL, false },
		{ { EFFECT_UPDATE, STR_INIT("contracts"), STR_INIT("total"), { 0 } }, false, false,
			true, { 0 }, "write.undeclared_column", false },
		{ { EFFECT_UPDATE, STR_INIT("contracts"), STR_INIT("total"), STR_INIT("sum") },
			false, false, true, { 0 }, "write.undeclared_column", true },
		{ { EFFECT_DELETE, STR_INIT("contracts"), { 0 }, { 0 } }, false, false, true, { 0 },
			"write.undeclared_operation", false },
		{ { EFFECT_INSERT, STR_INIT("lines"), { 0 }, { 0 } }, false, false, true, { 0 },
			"write.undeclared_table", false },
		{ { EFFECT_INSERT, STR_INIT("lines"), { 0 }, STR_INIT("t") }, false, false, true,
			{ 0 }, "write.undeclared_table", true },
		{ { .operation = EFFECT_DELETE, .table = STR_INIT("lines"), .cascade = true },
			false, false, true, { 0 }, "write.undeclared_table", true },
		{ { .operation = EFFECT_UPDATE,
			  .table = STR_INIT("contracts"),
			  .column = STR_INIT("signatory_id"),
			  .is_virtual = true },
			false, false, true, { 0 }, "write.virtual_table", false },
		{ { .operation = EFFECT_UPDATE,
			  .table = STR_INIT("contracts"),
			  .column = STR_INIT("signatory_id"),
			  .trigger = STR_INIT("t"),
			  .is_virtual = true },
			false, false, true, { 0 }, NULL, false },
		{ { EFFECT_UPDATE, STR_INIT("sqlite_sequence"), STR_INIT("seq"), { 0 } }, false,
			false, true, { 0 }, NULL, false },
		{ { EFFECT_INSERT, STR_INIT("contract_events"), { 0 }, { 0 } }, true, false, true,
			{ 0 }, "sql.not_a_read", false },
		{ { EFFECT_INSERT, STR_INIT("contract_events"), { 0 }, { 0 } }, false, true, true,
			{ 0 }, "sql.not_a_write", false },
		{ { EFFECT_INSERT, STR_INIT("contract_events"), { 0 }, { 0 } }, false, false, false,
			{ 0 }, "sql.several", false },
		{ { EFFECT_INSERT, STR_INIT("contract_events"), { 0 }, { 0 } }, false, false, true,
			STR_INIT("no such table"), "sql.prepare", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct write_facts facts = { .entry = e,
			.statement = &e->write->statements[0],
			.reads = table[i].reads,
			.readonly = table[i].readonly,
			.single = table[i].single,
			.touches = &table[i].touch,
			.touch_count = 1,
			.error = table[i].error };
		struct findings f;

		findings_init(&f, &x->a);
		catalog_lint_write(&facts, &f);
		assert_int_equal(f.count, table[i].code ? 1 : 0);
		if (!table[i].code)
			continue;
		assert_string_equal(f.list[0].code, table[i].code);
		assert_int_equal(f.list[0].warning, table[i].warning);
	}
}

static void the_tables_of_effects_are_those_of_the_database(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_writes.yaml"), "correct_signatory");
	static const struct str all[] = { STR_INIT("id"), STR_INIT("signatory_id"),
		STR_INIT("updated_at"), STR_INIT("tenant") };
	static const struct str tables[] = { STR_INIT("contract"), STR_INIT("notes") };
	static const struct {
		bool found, is_virtual, backed, lost;
		size_t columns, key_from, keys;
		const char *code;
	} table[] = {
		{ true, false, false, false, 4, 0, 1, NULL },
		{ true, false, false, false, 4, 0, 0, NULL },
		{ true, false, false, false, 4, 3, 1, "write.key" },
		{ true, false, false, false, 2, 0, 1, "write.unknown_column" },
		{ true, true, false, false, 4, 0, 1, "write.virtual_table" },
		{ true, true, true, false, 4, 0, 1, "write.virtual_table" }, /* at least one row */
		{ true, false, false, true, 4, 0, 1, "write.rows_alike" },
		{ false, false, false, false, 0, 0, 0, "write.unknown_table" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct table_facts facts = { .entry = e,
			.rule = &e->write->rules[0],
			.found = table[i].found,
			.is_virtual = table[i].is_virtual,
			.backed = table[i].backed,
			.lost = table[i].lost ? S("no key") : STR_NONE,
			.columns = { all, table[i].columns },
			.key = { all + table[i].key_from, table[i].keys },
			.tables = { tables, 2 } };
		struct findings f;

		findings_init(&f, &x->a);
		catalog_lint_table(&facts, &f);
		assert_int_equal(!f.count, !table[i].code);
		if (table[i].code)
			assert_string_equal(f.list[0].code, table[i].code);
		if (!table[i].found)
			assert_str(f.list[0].remedy, "did you mean 'contract'?");
	}
}

/* RETURNING gives columns like a read, and need not be one. */
static void what_a_returning_gives_is_held_against_the_declaration(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_writes.yaml");
	static const struct str columns[] = { STR_INIT("id"), STR_INIT("at") };
	struct statement_facts facts = { .single = true, .columns = columns, .column_count = 2 };
	struct findings f;

	facts.entry = tool(c, "correct_signatory");
	facts.part = &facts.entry->action.parts[0];
	findings_init(&f, &x->a);
	catalog_lint_facts(c, &facts, &f);
	assert_int_equal(f.count, 0);
	facts.column_count = 1;
	catalog_lint_facts(c, &facts, &f);
	assert_string_equal(f.list[0].code, "returns.missing_column");
	facts.entry = tool(c, "refund");
	facts.part = &facts.entry->action.parts[0];
	findings_init(&f, &x->a);
	catalog_lint_facts(c, &facts, &f);
	assert_string_equal(f.list[0].code, "sql.not_a_read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_write_is_what_its_file_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
			thresholds_and_impacts_are_kept_as_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_server_adds_its_own_to_every_write, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_class_of_a_write_follows_from_its_effects, setup, teardown),
		cmocka_unit_test_setup_teardown(the_servers_arguments_are_narrow, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_output_schema_of_a_write_admits_previews_and_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_write_touches_is_held_against_its_effects, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_tables_of_effects_are_those_of_the_database, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_returning_gives_is_held_against_the_declaration, setup, teardown),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
