/* Which roles and principals can change everything. */
#include "base/test.h"
#include "catalog/write.h"
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

static struct str machine(const struct catalog *c, struct principal *p)
{
	struct buf out;

	buf_in(&out, &arena, 4096);
	survey_machine(c, p, &out);
	return buf_str(&out);
}

static void what_a_machine_can_change_is_told(void **state)
{
	static const struct write by_itself = { .approval = APPROVAL_NONE };
	static const struct write asks = { .approval = APPROVAL_CLIENT };
	struct entry a = edit, b = drop;
	const struct entry *const tools[] = { &look, &a, &b };
	struct catalog all = { .tools = tools, .tool_count = 3 };
	struct principal p = { .subject = S("bot"),
		.kind = PRINCIPAL_AGENT,
		.tenant = S("acme"),
		.credential = S("k1"),
		.grants = two,
		.grant_count = 2 };

	(void)state;
	a.write = &by_itself;
	b.write = &asks;
	assert_str(machine(&all, &p),
		"agent bot (k1) changes alone: edit; with somebody's approval: void\n");
	p.grant_count = 1;
	assert_str(machine(&all, &p), "agent bot (k1) changes alone: edit\n");
	a.write = &asks;
	assert_str(machine(&all, &p), "agent bot (k1) changes with somebody's approval: edit\n");
	p.grant_count = 0;
	assert_str(machine(&all, &p), "");
	p.grant_count = 2;
	p.kind = PRINCIPAL_HUMAN;
	assert_str(machine(&all, &p), "");
}

static void the_machines_of_the_configuration_are_told(void **state)
{
	static const struct str clerk[] = { STR_INIT("clerk") }, chief[] = { STR_INIT("chief") };
	static const struct certificate_config certificate = { .subject = STR_INIT("job"),
		.kind = STR_INIT("service"),
		.roles = clerk,
		.role_count = 1 };
	static const struct proxy_config proxies[] = {
		{ .name = STR_INIT("gate"),
			.kind = STR_INIT("agent"),
			.roles = chief,
			.role_count = 1 },
		{ .name = STR_INIT("men"),
			.kind = STR_INIT("human"),
			.roles = chief,
			.role_count = 1 },
	};
	static const struct jwt_config jwt = { .issuer = STR_INIT("https://idp.example"),
		.kind = STR_INIT("service"),
		.roles = clerk,
		.role_count = 1 };
	struct config config = { .roles = roles,
		.role_count = ARRAY_LEN(roles),
		.certificates = &certificate,
		.certificate_count = 1,
		.proxies = proxies,
		.proxy_count = 2,
		.jwt = &jwt,
		.jwt_count = 1 };
	struct catalog all = { .tools = entries, .tool_count = 3 };
	struct buf out;

	(void)state;
	buf_in(&out, &arena, 4096);
	survey_machines(&config, &all, &arena, &out);
	assert_str(buf_str(&out),
		"service job (certificate) changes alone: edit\n"
		"agent whoever comes (proxy gate) changes alone: edit, void\n"
		"service whoever comes (token of https://idp.example) changes alone: edit\n");
}

/* Whoever names its roles: a claim, a header, a key. */
static void a_machine_never_holds_a_grant_to_approve(void **state)
{
	static const struct str grants[] = { STR_INIT("approve.orders"), STR_INIT("orders.edit") };
	static const struct role_config role = {
		.name = STR_INIT("chief"), .grants = grants, .grant_count = 2
	};
	const struct config config = { .roles = &role, .role_count = 1 };

	(void)state;
	for (enum principal_kind kind = PRINCIPAL_HUMAN; kind <= PRINCIPAL_SERVICE; kind++) {
		struct principal p = {
			.kind = kind, .subject = S("x"), .roles = &role.name, .role_count = 1
		};

		principal_finish(&config, &arena, &p);
		assert_int_equal(p.grant_count, kind == PRINCIPAL_HUMAN ? 2 : 1);
		assert_int_equal(principal_holds(&p, S("approve.orders")), kind == PRINCIPAL_HUMAN);
		assert_true(principal_holds(&p, S("orders.edit")));
		p.grants = grants; /* as if broken glass had added it */
		p.grant_count = 2;
		assert_int_equal(principal_holds(&p, S("approve.orders")), kind == PRINCIPAL_HUMAN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_that_changes_everything_is_named),
		cmocka_unit_test(toolsets_and_tenants_count),
		cmocka_unit_test(a_principal_is_named_with_its_kind),
		cmocka_unit_test(what_a_machine_can_change_is_told),
		cmocka_unit_test(the_machines_of_the_configuration_are_told),
		cmocka_unit_test(a_machine_never_holds_a_grant_to_approve),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
