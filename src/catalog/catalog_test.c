/* Every file of test/config/catalog is loaded; what is found must be what its .expected says. Files
 * called good_* must load.  Then what was made of the good ones. */
#include "catalog/catalog.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "catalog/catalog_fixture.h"

static void compare(const char *name)
{
	struct str expected = STR_NONE;
	struct fixture x;
	char path[512], expected_path[sizeof path + 16];
	struct buf is;
	struct err err;
	bool loaded;

	open_fixture(&x);
	snprintf(path, sizeof path, "catalog/%.400s", name);
	snprintf(expected_path, sizeof expected_path, "%s.expected", path);
	loaded = load(&x, path) != NULL;
	buf_in(&is, &x.a, 1 << 20);
	findings_write(&x.f, &is);
	if (getenv("POSTERN_WRITE_EXPECTED")) {
		FILE *f = fopen(expected_path, "w");

		assert_non_null(f);
		fwrite(is.p ? is.p : "", 1, is.n, f);
		fclose(f);
	}
	if (!file_read(&x.a, str_c(expected_path), 1 << 20, &expected, &err))
		fail_msg("%s", err.text);
	assert_string_equal(arena_cstr(&x.a, buf_str(&is)), expected.p);
	assert_int_equal(loaded, strncmp(name, "good_", 5) == 0);
	close_fixture(&x);
}

static void every_file_gives_the_findings_it_is_expected_to_give(void **state)
{
	DIR *dir = opendir("catalog");
	struct dirent *e;
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n < 5 || strcmp(e->d_name + n - 5, ".yaml") != 0)
			continue;
		compare(e->d_name);
		count++;
	}
	closedir(dir);
	assert_true(count >= 10);
}

static void a_statement_binds_its_inputs_and_what_the_server_knows(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_reads.yaml"), "list_customers");
	const struct part *p = &e->action.parts[0];

	assert_int_equal(e->version, 3);
	assert_int_equal(p->statement.param_count, 4);
	assert_int_equal(p->statement.params[0].kind, PARAM_INPUT);
	assert_str(p->statement.params[0].name, "status");
	assert_str(p->statement.params[1].name, "region");
	assert_int_equal(p->statement.params[2].kind, PARAM_TENANT);
	assert_int_equal(p->statement.params[3].kind, PARAM_LIMIT);
	assert_int_equal(p->page.next.param_count, 6);
	assert_int_equal(p->page.next.params[3].kind, PARAM_CURSOR);
	assert_int_equal(p->page.next.params[4].index, 1);
	assert_int_equal(p->page.next.params[5].kind, PARAM_LIMIT);
	assert_str(p->page.next.sql,
		"SELECT \"id\" AS \"id\", \"name\" AS \"name\", \"balance\" AS \"balance\" FROM (\n"
		"SELECT id, name, balance -- :not_a_parameter\n"
		"FROM customers\n"
		"WHERE status = ?1 AND (?2 IS NULL OR region = ?2) AND tenant = ?3\n"
		"-- the end\n"
		") WHERE (\"name\", \"id\") > (?4, ?5) ORDER BY \"name\", \"id\" LIMIT ?6");
	assert_int_not_equal(p->statement.serial, p->page.next.serial);
	assert_int_equal(x->c->statement_count, 7);
	assert_int_equal(p->rows, 100);
	assert_int_equal(e->timeout_ms, 2000);
	assert_int_equal(e->bytes, 32 << 10);
	assert_int_equal(e->suggestion_count, 2);
}

static void the_published_schemas_say_what_the_shorthand_means(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_reads.yaml");
	const struct entry *e = tool(c, "list_customers");

	assert_str(e->input_schema,
		"{\"type\":\"object\",\"properties\":{"
		"\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"churned\"],"
		"\"default\":\"active\"},"
		"\"region\":{\"type\":\"string\",\"maxLength\":20,\"x-mcp-header\":\"Region\"},"
		"\"cursor\":{\"type\":\"string\",\"maxLength\":4096,\"description\":\"next_cursor "
		"of "
		"the page before; leave it out for the first page\"},"
		"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":20,"
		"\"description\":\"rows of a page\"}},\"additionalProperties\":false}");
	assert_str(e->inputs[1].header, "Region");
	assert_int_equal(e->inputs[0].protect, PROTECT_CLEAR);
	assert_int_equal(e->inputs[1].protect, PROTECT_CLEAR);
	assert_true(e->inputs[2].added && e->inputs[3].added);
	assert_str(tool(c, "summarize_customer")->input_schema,
		"{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\","
		"\"maxLength\":40}},\"required\":[\"customer_id\"],\"additionalProperties\":"
		"false}");
	assert_str(tool(c, "find_contact")->input_schema,
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
		"\"properties\":{\"kind\":{\"enum\":[\"mail\",\"phone\"],\"default\":\"mail\"},"
		"\"since\":{\"type\":\"string\",\"format\":\"date\"},\"big\":{\"type\":\"integer\","
		"\"format\":\"int64\"}},\"required\":[\"since\"],\"additionalProperties\":false}");
	assert_true(tool(c, "find_contact")->inputs[2].int64);
	assert_str(tool(c, "find_contact")->inputs[0].default_json, "\"mail\"");
}

static void the_output_schema_admits_results_and_errors_and_nothing_else(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_reads.yaml");
	static const struct {
		const char *tool, *value;
		bool fits;
	} table[] = {
		{ "list_customers", "{\"rows\":[],\"truncated\":false}", true },
		{ "list_customers",
			"{\"rows\":[{\"id\":\"1\",\"name\":\"n\",\"balance\":\"-1.50\"}],"
			"\"truncated\":false,\"next_cursor\":\"x\"}",
			true },
		{ "list_customers",
			"{\"rows\":[{\"id\":\"1\",\"name\":\"n\",\"balance\":null}],\"truncated\":"
			"true}",
			true },
		{ "list_customers",
			"{\"rows\":[{\"id\":\"1\",\"name\":null,\"balance\":null}],\"truncated\":"
			"true}",
			false },
		{ "list_customers", "{\"rows\":[{\"id\":\"1\",\"name\":\"n\"}],\"truncated\":true}",
			false },
		{ "list_customers", "{\"rows\":[]}", false },
		{ "list_customers",
			"{\"error\":{\"code\":\"BUSY\",\"message\":\"m\",\"retryable\":true,"
			"\"advice\":\"retry\",\"retry_after_ms\":5,\"details\":{\"reason\":\"r\"},"
			"\"call_id\":\"c\"}}",
			true },
		{ "list_customers", "{\"error\":{\"code\":\"BUSY\"}}", false },
		{ "top_customers",
			"{\"rows\":[{\"id\":\"9223372036854775807\",\"orders\":2,\"y\":0.5}],"
			"\"truncated\":false}",
			true },
		{ "top_customers",
			"{\"rows\":[{\"id\":5,\"orders\":2,\"y\":0.5}],\"truncated\":false}",
			false },
		{ "top_customers", "{\"rows\":[],\"truncated\":false,\"next_cursor\":\"x\"}",
			false },
		{ "summarize_customer",
			"{\"customer\":{\"id\":\"1\"},\"contracts\":[{\"id\":\"2\"}],\"note\":null,"
			"\"empty\":[\"note\"],\"truncated\":[]}",
			true },
		{ "summarize_customer",
			"{\"customer\":null,\"contracts\":[],\"note\":null,\"empty\":[],"
			"\"truncated\":[]}",
			false },
		{ "find_contact", "{\"row\":{\"address\":\"a\"}}", true },
		{ "find_contact", "{\"row\":null}", true },
		{ "find_contact", "{}", false },
		{ "find_contact", "[]", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (output_fits(x, tool(c, table[i].tool), table[i].value) != table[i].fits)
			fail_msg("%s: %s", table[i].tool, table[i].value);
}

static void lists_show_what_each_revision_knows(void **state)
{
	struct fixture *x = *state;
	const struct entry *e = tool(must_load(x, "catalog/good_reads.yaml"), "list_customers");
	struct json_error error;
	struct json list, old;

	assert_true(json_parse(&x->a, e->list_json, &list, &error));
	assert_true(json_parse(&x->a, e->list_json_old, &old, &error));
	assert_str(json_get_str(&list, S("title")), "List customers");
	assert_non_null(json_get(&list, S("outputSchema")));
	assert_str(json_get(&list, S("inputSchema"))->raw, arena_cstr(&x->a, e->input_schema));
	assert_str(json_get(&list, S("annotations"))->raw,
		"{\"title\":\"List customers\",\"readOnlyHint\":true,\"destructiveHint\":false,"
		"\"idempotentHint\":true,\"openWorldHint\":false}");
	assert_null(json_get(&old, S("title")));
	assert_null(json_get(&old, S("outputSchema")));
	assert_non_null(json_get(&old, S("inputSchema")));
}

static void a_uri_finds_its_resource_and_arguments(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_resources.yaml");
	static const struct {
		const char *uri, *entry, *arguments;
	} table[] = {
		{ "records://policy", "policy", "{}" },
		{ "records://policy?x=1", NULL, NULL },
		{ "records://Policy", NULL, NULL },
		{ "handbook://a/b/c", "handbook", "{\"path\":\"a/b/c\"}" },
		{ "handbook://", NULL, NULL },
		{ "resource://customer/17", "customer", "{\"id\":17}" },
		{ "resource://customer/017", "customer", "{\"id\":\"017\"}" },
		{ "resource://customer/17?lang=de", "customer", "{\"id\":17,\"lang\":\"de\"}" },
		{ "resource://customer/17?lang=de&lang=en", NULL, NULL },
		{ "resource://customer/17?size=9", NULL, NULL },
		{ "resource://customer/1%2F7", NULL, NULL },
		{ "resource://search?q=a%20%22b%22", "search", "{\"q\":\"a \\\"b\\\"\"}" },
		{ "resource://search", "search", "{}" },
		{ "resource://doc/x", "document", "{\"id\":\"x\"}" },
		{ "resource://doc/..", NULL, NULL },
		{ "resource://doc/%2e%2e", NULL, NULL },
		{ "", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct json arguments;
		const struct entry *e = catalog_resource(c, &x->a, str_c(table[i].uri), &arguments);

		if (!e != !table[i].entry)
			fail_msg("%s", table[i].uri);
		if (!e)
			continue;
		assert_str(e->name, table[i].entry);
		assert_str(arguments.raw, table[i].arguments);
	}
}

static void completions_are_entries_with_the_other_arguments(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_prompts.yaml");
	const struct entry *prompt = c->prompts[0], *e;

	assert_int_equal(c->prompt_count, 2);
	assert_ptr_equal(map_get(&c->prompts_by_name, S("open_case")), prompt);
	assert_str(prompt->action.text,
		"[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"Help {customer} in "
		"a "
		"{tone} tone. Write \\u007bname\\u007d as it is.\"}},{\"role\":\"assistant\","
		"\"content\":{\"type\":\"text\",\"text\":\"I will.\"}}]");
	assert_str(prompt->list_json,
		"{\"name\":\"open_case\",\"title\":\"Open a case\",\"description\":\"Starts a "
		"support "
		"conversation.\",\"arguments\":[{\"name\":\"customer\",\"description\":\"The "
		"customer's name\",\"required\":true},{\"name\":\"tone\",\"description\":\"How to "
		"sound\",\"required\":false}]}");
	e = prompt->completions[0];
	assert_int_equal(e->kind, ENTRY_COMPLETION);
	assert_str(e->name, "open_case/customer");
	assert_str(e->requires, "customers.read");
	assert_int_equal(e->timeout_ms, 2000);
	assert_int_equal(e->action.parts[0].rows, 100);
	assert_str(e->action.parts[0].statement.params[0].name, "value");
	assert_str(e->action.parts[0].statement.params[1].name, "tone");
	e = prompt->completions[1];
	assert_int_equal(e->action.kind, ACTION_VALUES);
	assert_int_equal(e->action.value_count, 2);
}

static void steps_keep_their_order_and_their_params(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_script.yaml");
	const struct action *a = &tool(c, "everything")->action;

	assert_true(c->scripted);
	assert_int_equal(a->kind, ACTION_SCRIPT);
	assert_int_equal(a->state, STATE_SEALED);
	assert_int_equal(a->step_count, 12);
	assert_str(a->steps[0].text, "sampling");
	assert_int_equal(a->steps[1].ms, 50);
	assert_int_equal(a->steps[2].total, 100);
	assert_str(a->steps[3].level, "warning");
	assert_str(a->steps[4].method, "elicitation/create");
	assert_str(a->steps[4].json,
		"{\"mode\":\"form\",\"message\":\"{message}\",\"requestedSchema\":{\"type\":"
		"\"object\",\"properties\":{\"n\":{\"type\":\"string\",\"default\":\"John "
		"Doe\"}}}}");
	assert_str(a->steps[6].json, "{}");
	assert_str(a->steps[7].json,
		"{\"type\":\"text\",\"text\":\"You said {message} and \\u007bthis\\u007d\"}");
	assert_str(a->steps[11].text, "it failed");
}

static void digests_change_with_the_definition_alone(void **state)
{
	struct fixture *x = *state, y;
	struct sha256 first = must_load(x, "catalog/good_reads.yaml")->digest;
	struct sha256 one = tool(x->c, "list_customers")->digest;

	open_fixture(&y);
	must_load(&y, "catalog/good_reads.yaml");
	assert_true(sha256_eq(&first, &y.c->digest));
	assert_true(sha256_eq(&one, &tool(y.c, "list_customers")->digest));
	assert_false(sha256_eq(&one, &tool(y.c, "top_customers")->digest));
	close_fixture(&y);
}

static void facts_of_the_database_are_held_against_the_declaration(void **state)
{
	struct fixture *x = *state;
	const struct catalog *c = must_load(x, "catalog/good_reads.yaml");
	const struct entry *e = tool(c, "top_customers");
	static const struct str right[] = { STR_INIT("id"), STR_INIT("orders"), STR_INIT("y") };
	static const struct str swapped[] = { STR_INIT("orders"), STR_INIT("id"), STR_INIT("y") };
	static const struct str other[] = { STR_INIT("id"), STR_INIT("orders"), STR_INIT("z") };
	static const struct str twice[] = { STR_INIT("id"), STR_INIT("orders"), STR_INIT("y"),
		STR_INIT("y") };
	const struct {
		bool readonly, single;
		const struct str *columns;
		size_t count;
		struct str error;
		const char *code;
	} table[] = {
		{ true, true, right, 3, STR_NONE, NULL },
		{ true, true, swapped, 3, STR_NONE, "returns.column_order" },
		{ true, true, other, 3, STR_NONE, "returns.missing_column" },
		{ true, true, twice, 4, STR_NONE, "returns.column_twice" },
		{ true, true, right, 2, STR_NONE, "returns.missing_column" },
		{ false, true, right, 3, STR_NONE, "sql.not_a_read" },
		{ true, false, right, 3, STR_NONE, "sql.several" },
		{ true, true, NULL, 0, S("no such table: t"), "sql.prepare" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct statement_facts facts = { .entry = e,
			.part = &e->action.parts[0],
			.readonly = table[i].readonly,
			.single = table[i].single,
			.columns = table[i].columns,
			.column_count = table[i].count,
			.error = table[i].error };
		struct findings f;

		findings_init(&f, &x->a);
		catalog_lint_facts(c, &facts, &f);
		if (!table[i].code)
			assert_int_equal(f.count, 0);
		else
			assert_string_equal(f.list[0].code, table[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_gives_the_findings_it_is_expected_to_give),
		cmocka_unit_test_setup_teardown(
			a_statement_binds_its_inputs_and_what_the_server_knows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_published_schemas_say_what_the_shorthand_means, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_output_schema_admits_results_and_errors_and_nothing_else, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			lists_show_what_each_revision_knows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_uri_finds_its_resource_and_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(
			completions_are_entries_with_the_other_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(
			steps_keep_their_order_and_their_params, setup, teardown),
		cmocka_unit_test_setup_teardown(
			digests_change_with_the_definition_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			facts_of_the_database_are_held_against_the_declaration, setup, teardown),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
