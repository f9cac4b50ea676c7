/* Toolsets against the catalog, the server's own tools, and which entries need a tenant. */
#include "base/test.h"
#include "catalog/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct arena a;
	struct findings f;
	struct config config;
	struct catalog *c;
};

static int enter(void **state)
{
	(void)state;
	return chdir(getenv("POSTERN_SOURCE")) != 0 || chdir("test/config") != 0;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);
	const struct config *base;

	arena_init(&x->a, (size_t)256 << 20);
	findings_init(&x->f, &x->a);
	base = config_load(&x->a, S("base_toolsets.yaml"), STR_NONE, STR_NONE, &x->f);
	assert_non_null(base);
	x->config = *base;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	if (x->c)
		catalog_done(x->c);
	arena_done(&x->a);
	free(x);
	return 0;
}

static size_t found(const struct fixture *x, const char *code)
{
	size_t count = 0;

	for (size_t i = 0; i < x->f.count; i++)
		count += strcmp(x->f.list[i].code, code) == 0;
	return count;
}

static const struct entry *tool(const struct fixture *x, const char *name)
{
	const struct entry *e = map_get(&x->c->tools_by_name, str_c(name));

	assert_non_null(e);
	return e;
}

static void an_entry_knows_the_toolsets_that_name_it(void **state)
{
	struct fixture *x = *state;
	struct json arguments;
	const struct entry *e;

	x->c = catalog_load(&x->a, &x->config, &x->f);
	assert_non_null(x->c);
	assert_int_equal(tool(x, "get_customer")->toolsets, 3);
	e = map_get(&x->c->prompts_by_name, S("open_case"));
	assert_int_equal(e->toolsets, 1);
	assert_int_equal(e->completions[0]->toolsets, 1);
	e = catalog_resource(x->c, &x->a, S("resource://doc/x"), &arguments);
	assert_int_equal(e->toolsets, 2);
	e = map_get(&x->c->prompts_by_name, S("asks"));
	assert_int_equal(e->toolsets, 0);
	assert_true(found(x, "toolset.none") > 0);
	assert_int_equal(found(x, "toolset.unknown"), 0);
}

static void a_toolset_names_nothing_that_does_not_exist(void **state)
{
	static const struct str wrong[] = { STR_INIT("get_custome"), STR_INIT("Get_customer") };
	static const struct toolset_config set = { .name = STR_INIT("x"),
		.tools = { wrong, 2 },
		.resources = { wrong, 1 },
		.prompts = { wrong, 1 } };
	struct fixture *x = *state;

	x->config.toolsets = &set;
	x->config.toolset_count = 1;
	x->c = catalog_load(&x->a, &x->config, &x->f);
	assert_null(x->c);
	assert_int_equal(found(x, "toolset.unknown"), 4);
}

static void the_servers_own_tools_are_entries(void **state)
{
	struct fixture *x = *state;
	const struct entry *e;
	size_t errors;

	x->c = catalog_load(&x->a, &x->config, &x->f);
	errors = x->f.errors;
	assert_int_equal(errors, 0);
	assert_int_equal(x->c->tool_count, 3);
	e = tool(x, "whoami");
	assert_ptr_equal(e, x->c->tools[1]);
	assert_int_equal(e->action.kind, ACTION_BUILTIN);
	assert_false(e->requires.n || e->mutates || e->tenant_scoped);
	assert_str(e->input_schema, "{\"type\":\"object\",\"additionalProperties\":false}");
	assert_non_null(e->schema);
	assert_true(str_find_str(e->output_schema, 0, S("\"expires\"")) < e->output_schema.n);
	assert_true(str_find_str(e->list_json, 0, S("\"outputSchema\"")) < e->list_json.n);
	assert_true(e->timeout_ms && e->bytes);
	assert_false(sha256_eq(&e->digest, &tool(x, "list_scopes")->digest));
}

static void they_can_be_left_out(void **state)
{
	struct fixture *x = *state;
	static const struct toolset_config none;

	x->config.builtins = false;
	x->config.toolsets = &none;
	x->config.toolset_count = 0;
	x->c = catalog_load(&x->a, &x->config, &x->f);
	assert_non_null(x->c);
	assert_int_equal(x->c->tool_count, 1);
	assert_null(map_get(&x->c->tools_by_name, S("whoami")));
}

static void what_binds_the_tenant_needs_one(void **state)
{
	struct fixture *x = *state;
	static const struct str file = STR_INIT("catalog/good_reads.yaml");
	size_t scoped = 0;

	x->config.toolset_count = 0;
	x->config.catalog_files = &file;
	x->config.catalog_file_count = 1;
	x->c = catalog_load(&x->a, &x->config, &x->f);
	assert_non_null(x->c);
	for (size_t i = 0; i < x->c->tool_count; i++) {
		const struct entry *e = x->c->tools[i];
		bool binds = false;

		for (size_t k = 0; e->action.kind == ACTION_READ && k < e->action.part_count; k++)
			for (size_t n = 0; n < e->action.parts[k].statement.param_count; n++)
				binds = binds ||
					e->action.parts[k].statement.params[n].kind == PARAM_TENANT;
		assert_int_equal(e->tenant_scoped, binds);
		scoped += binds;
	}
	assert_true(scoped > 0 && scoped < x->c->tool_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_entry_knows_the_toolsets_that_name_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_toolset_names_nothing_that_does_not_exist, setup, teardown),
		cmocka_unit_test_setup_teardown(the_servers_own_tools_are_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(they_can_be_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(what_binds_the_tenant_needs_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
