/* Who has which toolsets, who may change nothing, whose tenant is a stranger. */
#include "base/test.h"
#include "identity/principal.h"

static const struct str clerk[] = { STR_INIT("clerk") };
static const struct str desk[] = { STR_INIT("desk") };
static const struct str crawler[] = { STR_INIT("crawler") };
static const struct str people[] = { STR_INIT("ada"), STR_INIT("bob") };
static const struct str tenants[] = { STR_INIT("acme"), STR_INIT("birch") };

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

static struct principal place(
	const struct config *config, const char *subject, const char *role, const char *agent)
{
	struct str *roles = arena_new(&arena, struct str);
	struct principal p = { .subject = str_c(subject), .agent = str_c(agent), .roles = roles };

	*roles = str_c(role);
	p.role_count = roles->n ? 1 : 0;
	principal_finish(config, &arena, &p);
	return p;
}

/* What was made for a credential is given to the same one only, with the same words. */
static void another_credential_or_other_words_are_another_proof(void **state)
{
	static const struct str two[] = { STR_INIT("clerk"), STR_INIT("desk") };
	static const struct str one_long[] = { STR_INIT("clerk4:desk") };
	const struct config config = { 0 };
	struct principal of[10], again;
	struct sha256 proof[10], same;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		of[i] = place(&config, "ada", "clerk", "");
		of[i].credential = S("k1");
	}
	again = of[0];
	of[1].credential = S("k2");
	of[2].credential_kind = CREDENTIAL_JWT;
	of[3].roles = two;
	of[3].role_count = 2;
	of[4].role_count = 0;
	of[5].scoped = true;
	of[6].scoped = true;
	of[6].scopes = clerk;
	of[6].scope_count = 1;
	of[7] = of[3];
	of[7].scoped = true;
	of[8].binding.b[0] ^= 1;
	of[9].roles = one_long;
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		principal_proof(&of[i], &arena, &proof[i]);
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		for (size_t k = 0; k < i; k++)
			assert_false(sha256_eq(&proof[i], &proof[k]));
	principal_proof(&again, &arena, &same);
	assert_true(sha256_eq(&proof[0], &same));
}

static void what_follows_from_the_words_is_of_the_rights(void **state)
{
	const struct config config = { 0 };
	struct principal of[7];
	struct sha256 rights[7], proof, first;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		of[i] = place(&config, "ada", "clerk", "");
	of[1].grants = people;
	of[1].grant_count = 2;
	of[2].surface.cut = true;
	of[3].surface.person ^= 1;
	of[4].surface.agent ^= 1;
	of[5].read_only = true;
	of[6].grants = people;
	of[6].grant_count = 1;
	principal_proof(&of[0], &arena, &first);
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		principal_rights(&of[i], &arena, &rights[i]);
		principal_proof(&of[i], &arena, &proof);
		assert_true(sha256_eq(&proof, &first));
		for (size_t k = 0; k < i; k++)
			assert_false(sha256_eq(&rights[i], &rights[k]));
	}
}

static void without_toolsets_nothing_is_cut(void **state)
{
	struct config config = { 0 };

	(void)state;
	assert_false(place(&config, "ada", "clerk", "desk").surface.cut);
}

static void each_dimension_that_is_named_must_say_yes(void **state)
{
	static const struct toolset_config sets[] = {
		{ .roles = { clerk, 1 }, .agents = { desk, 1 } },
		{ .subjects = { people, 2 } },
		{ .agents = { crawler, 1 } },
	};
	const struct config config = { .toolsets = sets, .toolset_count = ARRAY_LEN(sets) };
	static const struct {
		const char *subject, *role, *agent;
		uint64_t person, by_agent;
	} table[] = {
		{ "ada", "clerk", "desk", 3, 1 }, { "ada", "", "desk", 2, 1 },
		{ "ada", "clerk", "crawler", 3, 4 }, { "ada", "clerk", "", 3, 0 },
		{ "eve", "", "desk", 0, 1 }, { "eve", "clerk", "other", 1, 0 },
		{ "Ada", "Clerk", "Desk", 0, 0 }, { "ada ", "clerk\t", "des", 0, 0 },
		{ "b\xd0\xbe"
		  "b",
			"", "desk", 0, 1 }, /* Cyrillic o */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct principal p =
			place(&config, table[i].subject, table[i].role, table[i].agent);

		assert_true(p.surface.cut);
		assert_int_equal(p.surface.person, table[i].person);
		assert_int_equal(p.surface.agent, table[i].by_agent);
	}
}

static void a_dimension_that_no_set_names_asks_nothing(void **state)
{
	static const struct toolset_config by_agent = { .agents = { desk, 1 } };
	static const struct toolset_config by_role = { .roles = { clerk, 1 } };
	static const struct toolset_config by_none;
	struct config config = { .toolset_count = 1 };
	struct principal p;

	(void)state;
	config.toolsets = &by_agent;
	p = place(&config, "ada", "", "desk");
	assert_true(p.surface.person == UINT64_MAX && p.surface.agent == 1);
	config.toolsets = &by_role;
	p = place(&config, "ada", "clerk", "");
	assert_true(p.surface.person == 1 && p.surface.agent == UINT64_MAX);
	config.toolsets = &by_none;
	p = place(&config, "ada", "clerk", "desk");
	assert_true(p.surface.cut && p.surface.person == 0);
}

static void read_only_is_the_servers_the_subjects_or_the_agents(void **state)
{
	struct config config = { .read_only = {
					 .subjects = { people, 1 }, .agents = { crawler, 1 } } };

	(void)state;
	assert_true(place(&config, "ada", "", "desk").read_only);
	assert_true(place(&config, "bob", "", "crawler").read_only);
	assert_false(place(&config, "bob", "", "desk").read_only);
	assert_false(place(&config, "bob", "", "").read_only);
	config.read_only.all = true;
	assert_true(place(&config, "bob", "", "desk").read_only);
}

static void with_a_list_of_tenants_every_principal_has_one_of_them(void **state)
{
	struct config config = { .tenants = { tenants, 2 } };
	static const struct {
		const char *tenant;
		bool foreign;
	} table[] = {
		{ "acme", false }, { "birch", false }, { "", true }, { "Acme", true },
		{ "acme ", true }, { "acme,birch", true },
		{ "\xd0\xb0"
		  "cme",
			true }, /* Cyrillic a */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct principal p = { .subject = S("ada"), .tenant = str_c(table[i].tenant) };

		config.tenants_closed = true;
		principal_finish(&config, &arena, &p);
		assert_int_equal(p.tenant_foreign, table[i].foreign);
		config.tenants_closed = false;
		principal_finish(&config, &arena, &p);
		assert_false(p.tenant_foreign);
	}
	config = (struct config){ .tenants_closed = true };
	assert_true(place(&config, "ada", "", "").tenant_foreign);
}

static void scopes_narrow_grants_and_give_none(void **state)
{
	static const struct str held[] = { STR_INIT("a.read"), STR_INIT("b.read") };
	static const struct str scopes[] = { STR_INIT("b.read"), STR_INIT("c.read") };
	struct principal p = {
		.grants = held, .grant_count = 2, .scopes = scopes, .scope_count = 2, .scoped = true
	};

	(void)state;
	assert_false(principal_holds(&p, S("a.read")));
	assert_true(principal_holds(&p, S("b.read")));
	assert_false(principal_holds(&p, S("c.read")));
	assert_true(principal_granted(&p, S("a.read")));
	assert_false(principal_granted(&p, S("c.read")));
	assert_true(principal_in_scope(&p, S("c.read")));
	p.scoped = false;
	assert_true(principal_holds(&p, S("a.read")));
	assert_false(principal_holds(&p, S("c.read")));
	assert_string_equal(credential_kind_name(CREDENTIAL_PROXY), "proxy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_credential_or_other_words_are_another_proof),
		cmocka_unit_test(what_follows_from_the_words_is_of_the_rights),
		cmocka_unit_test(without_toolsets_nothing_is_cut),
		cmocka_unit_test(each_dimension_that_is_named_must_say_yes),
		cmocka_unit_test(a_dimension_that_no_set_names_asks_nothing),
		cmocka_unit_test(read_only_is_the_servers_the_subjects_or_the_agents),
		cmocka_unit_test(with_a_list_of_tenants_every_principal_has_one_of_them),
		cmocka_unit_test(scopes_narrow_grants_and_give_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
