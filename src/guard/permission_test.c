/* The truth table of the decision: every combination of every fact, for entries of the catalog and
 * for the server's own tools; then each rule's own conditions, one at a time. */
#include "base/test.h"
#include "guard/permission.h"

static const struct str grants[] = { STR_INIT("orders.edit"), STR_INIT("orders.read") };
static const struct str wide[] = { STR_INIT("openid"), STR_INIT("orders.edit") };
static const struct str narrow[] = { STR_INIT("openid"), STR_INIT("orders.read") };

/* A principal and an entry for which exactly the rules whose bit is set in `yes` hold. */
static void make(unsigned yes, struct principal *who, struct entry *e)
{
	*who = (struct principal){ .subject = S("ada"),
		.surface = { .cut = true, .person = 6, .agent = 3 },
		.read_only = true,
		.scoped = true };
	*e = (struct entry){ .name = S("edit_order"),
		.requires = S("orders.edit"),
		.mutates = true,
		.tenant_scoped = true };
	e->toolsets = yes & 1 << PERMISSION_TOOLSET ? 2 : 4;
	if (yes & 1 << PERMISSION_TENANT)
		who->tenant = S("acme");
	if (yes & 1 << PERMISSION_READ_ONLY)
		who->read_only = false;
	who->grants = grants;
	who->grant_count = ARRAY_LEN(grants);
	if (!(yes & 1 << PERMISSION_GRANT)) {
		who->grants++;
		who->grant_count--;
	}
	who->scopes = yes & 1 << PERMISSION_SCOPE ? wide : narrow;
	who->scope_count = 2;
}

static enum permission first_no(unsigned yes)
{
	unsigned i = 0;

	while (i < PERMISSION_GIVEN && yes & 1u << i)
		i++;
	return (enum permission)i;
}

static void every_combination_has_the_first_failing_reason(void **state)
{
	unsigned given = 0;

	(void)state;
	for (unsigned yes = 0; yes < 1 << PERMISSION_GIVEN; yes++) {
		struct principal who;
		struct entry e;
		enum permission p;

		make(yes, &who, &e);
		for (unsigned rule = 0; rule < PERMISSION_GIVEN; rule++)
			assert_int_equal(permission_rule_holds((enum permission)rule, &who, &e),
				(yes & 1u << rule) != 0);
		p = permission_judge(&who, &e);
		assert_int_equal(p, first_no(yes));
		given += p == PERMISSION_GIVEN;
		assert_int_equal(permission_exists(&who, &e), (yes & 1) != 0);
		assert_int_equal(permission_visible(&who, &e),
			p == PERMISSION_GIVEN || p == PERMISSION_SCOPE);
	}
	assert_int_equal(given, 1);
}

static void the_servers_own_tools_need_neither_toolset_nor_grant_nor_scope(void **state)
{
	(void)state;
	for (unsigned yes = 0; yes < 1 << PERMISSION_GIVEN; yes++) {
		struct principal who;
		struct entry e;

		make(yes, &who, &e);
		e.action.kind = ACTION_BUILTIN;
		e.requires = STR_NONE;
		assert_int_equal(permission_judge(&who, &e),
			first_no(yes | 1 << PERMISSION_TOOLSET | 1 << PERMISSION_GRANT |
				 1 << PERMISSION_SCOPE));
		e.tenant_scoped = false;
		e.mutates = false;
		assert_int_equal(permission_judge(&who, &e), PERMISSION_GIVEN);
		who.tenant_foreign = true;
		assert_int_equal(permission_judge(&who, &e), PERMISSION_TENANT);
	}
}

/* From a pair that may, one change that the decision depends on. */
static void each_condition_alone_decides(void **state)
{
	static const struct {
		const char *what;
		uint64_t toolsets, person, agent;
		bool uncut, foreign, unscoped_tenant, no_tenant, harmless, read_only,
			unscoped_token;
		const char *requires;
		enum permission expected;
	} table[] = {
		{ .what = "as it is", .expected = PERMISSION_GIVEN },
		{ .what = "in no toolset", .toolsets = 8, .expected = PERMISSION_TOOLSET },
		{ .what = "in the person's only", .toolsets = 4, .expected = PERMISSION_TOOLSET },
		{ .what = "in the agent's only", .toolsets = 1, .expected = PERMISSION_TOOLSET },
		{ .what = "in one of each", .toolsets = 5, .expected = PERMISSION_GIVEN },
		{ .what = "no toolsets",
			.toolsets = 8,
			.uncut = true,
			.expected = PERMISSION_GIVEN },
		{ .what = "a foreign tenant", .foreign = true, .expected = PERMISSION_TENANT },
		{ .what = "a foreign tenant, not scoped",
			.foreign = true,
			.unscoped_tenant = true,
			.expected = PERMISSION_TENANT },
		{ .what = "no tenant", .no_tenant = true, .expected = PERMISSION_TENANT },
		{ .what = "no tenant, none needed",
			.no_tenant = true,
			.unscoped_tenant = true,
			.expected = PERMISSION_GIVEN },
		{ .what = "read-only", .read_only = true, .expected = PERMISSION_READ_ONLY },
		{ .what = "read-only, and it reads",
			.read_only = true,
			.harmless = true,
			.expected = PERMISSION_GIVEN },
		{ .what = "requires nothing", .requires = "", .expected = PERMISSION_GRANT },
		{ .what = "requires a prefix",
			.requires = "orders.edi",
			.expected = PERMISSION_GRANT },
		{ .what = "requires another case",
			.requires = "Orders.edit",
			.expected = PERMISSION_GRANT },
		{ .what = "requires what the scope lacks",
			.requires = "orders.read",
			.expected = PERMISSION_SCOPE },
		{ .what = "the same with a token without scopes",
			.requires = "orders.read",
			.unscoped_token = true,
			.expected = PERMISSION_GIVEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct principal who;
		struct entry e;

		make((1 << PERMISSION_GIVEN) - 1, &who, &e);
		e.toolsets = table[i].toolsets ? table[i].toolsets : 2;
		who.surface.cut = !table[i].uncut;
		who.tenant_foreign = table[i].foreign;
		e.tenant_scoped = !table[i].unscoped_tenant;
		who.tenant = table[i].no_tenant ? STR_NONE : S("acme");
		who.read_only = table[i].read_only;
		e.mutates = !table[i].harmless;
		if (table[i].requires)
		e.requires = str_c(table[i].requires);
		who.scoped = !table[i].unscoped_token;
		if (permission_judge(&who, &e) != table[i].expected)
			fail_msg("%s: %s", table[i].what,
				permission_name(permission_judge(&who, &e)));
	}
}

static void nobody_may_use_anything(void **state)
{
	static const struct entry e = { .requires = STR_INIT("orders.read") };
	static const struct entry free_for_all;
	static const struct principal nobody;

	(void)state;
	assert_int_equal(permission_judge(&nobody, &e), PERMISSION_GRANT);
	assert_int_equal(permission_judge(&nobody, &free_for_all), PERMISSION_GRANT);
}

static void reasons_have_their_words(void **state)
{
	static const char *const words[] = { "toolset", "tenant", "read_only", "grant",
		"insufficient_scope", "given" };

	(void)state;
	for (unsigned i = 0; i <= PERMISSION_GIVEN; i++)
		assert_string_equal(permission_name((enum permission)i), words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_has_the_first_failing_reason),
		cmocka_unit_test(the_servers_own_tools_need_neither_toolset_nor_grant_nor_scope),
		cmocka_unit_test(each_condition_alone_decides),
		cmocka_unit_test(nobody_may_use_anything),
		cmocka_unit_test(reasons_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
