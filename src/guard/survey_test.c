/* Which roles and principals can change everything. */
#include "base/test.h"
#include "guard/survey.h"

static const struct str one[] = { STR_INIT("orders.edit") };
static const struct str two[] = { STR_INIT("orders.edit"), STR_INIT("orders.void") };
static const struct str none[] = { STR_INIT("orders.read") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("clerk"), .grants = one, .grant_count = 1 },
	{ .name = STR_INIT("chief"), .grants = two, .grant_count = 2 },
	{ .name = STR_INIT("reader"), .grants = none, .grant_count = 1 },
};
static const struct entry edit = { .name = STR_INIT("edit"),
	.requires = STR_INIT("orders.edit"),
	.mutates = true,
	.toolsets = 1 };
static const struct entry drop = { .name = STR_INIT("void"),
	.requires = STR_INIT("orders.void"),
	.mutates = true,
	.tenant_scoped = true,
	.toolsets = 1 };
static const struct entry look = {
	.name = STR_INIT("look"), .requires = STR_INIT("orders.read"), .toolsets = 1
};
static const struct entry *const entries[] = { &look, &edit, &drop };

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

static struct str found(const struct config *config, const struct catalog *c)
{
	struct findings f;
	struct buf text;

	findings_init(&f, &arena);
	survey_roles(config, c, &f);
	assert_int_equal(f.errors, 0);
	buf_in(&text, &arena, 4096);
	for (size_t i = 0; i < f.count; i++)
		buf_add(&text, f.list[i].what);
	return buf_str(&text);
}

static void a_role_that_changes_everything_is_named(void **state)
{
	struct config config = { .roles = roles, .role_count = ARRAY_LEN(roles) };
	struct catalog all = { .tools = entries, .tool_count = 3 };
	struct catalog reads = { .tools = entries, .tool_count = 1 };

	(void)state;
	assert_str(found(&config, &all), "role chief can call every tool that changes something");
	assert_str(found(&config, &reads), "");
	assert_true(survey_is_worth_it(&all));
	assert_false(survey_is_worth_it(&reads));
	config.read_only.all = true;
	assert_str(found(&config, &all), "");
}

static void toolsets_and_tenants_count(void **state)
{
	static const struct str clerk[] = { STR_INIT("clerk") }, desk[] = { STR_INIT("desk") };
	static const struct toolset_config sets[] = {
		{ .roles = { clerk, 1 } },
		{ .agents = { desk, 1 } },
	};
	struct config config = {
		.roles = roles, .role_count = ARRAY_LEN(roles), .toolsets = sets, .toolset_count = 2
	};
	struct catalog all = { .tools = entries, .tool_count = 3 };

	(void)state;
	/* the chief's role is in no toolset */
	assert_str(found(&config, &all), "");
	config.toolset_count = 0;
	config.tenants_closed = true;
	assert_str(found(&config, &all), "");
}

static void a_principal_is_named_with_its_kind(void **state)
{
	struct principal p = { .subject = S("bot"),
		.kind = PRINCIPAL_SERVICE,
		.tenant = S("acme"),
		.grants = two,
		.grant_count = 2 };
	struct catalog all = { .tools = entries, .tool_count = 3 };
	struct place nowhere = { 0 };
	struct findings f;

	(void)state;
	findings_init(&f, &arena);
	survey_principal(&all, &p, nowhere, &f);
	assert_int_equal(f.count, 1);
	assert_str(f.list[0].what, "service bot can call every tool that changes something");
	p.tenant = STR_NONE;
	survey_principal(&all, &p, nowhere, &f);
	assert_int_equal(f.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_that_changes_everything_is_named),
		cmocka_unit_test(toolsets_and_tenants_count),
		cmocka_unit_test(a_principal_is_named_with_its_kind),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
