#include "identity/identity.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000000000)

static const struct str support[] = { STR_INIT("contracts.read"), STR_INIT("customers.read") };
static const struct str reader[] = { STR_INIT("customers.read"), STR_INIT("docs.read") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("support"), .grants = support, .grant_count = 2 },
	{ .name = STR_INIT("reader"), .grants = reader, .grant_count = 2 },
	{ .name = STR_INIT("empty") },
};
static const struct config production = {
	.environment = ENV_PRODUCTION,
	.api_keys = true,
	.roles = roles,
	.role_count = ARRAY_LEN(roles),
};

static char directory[64], file[96];
static struct arena arena;
static struct store *store;
static struct identity *identity;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/identity-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)1 << 20);
	store = store_new(str_c(file));
	identity = identity_new(&production, store, NULL);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	arena_done(&arena);
	identity_free(&identity);
	store_free(&store);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	rmdir(directory);
	return 0;
}

/* A key for ada with what `change` says otherwise. */
static struct str issue(const struct key_row *change)
{
	struct key_row row = *change;
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, &row);
	struct err err;

	if (!row.subject.p)
		row.subject = S("ada");
	if (!row.kind.n)
		row.kind = S("human");
	if (change->environment.n)
		row.environment = change->environment;
	if (!store_key_add(store, &row, &err))
		fail_msg("%s", err.text);
	return token;
}

static enum identity_verdict verify(
	struct str token, int64_t wall_us, uint64_t mono_ms, struct principal *out)
{
	return identity_verify(identity, &arena, token, wall_us, mono_ms, out);
}

static void a_key_makes_its_principal(void **state)
{
	struct str token = issue(&(struct key_row){ .tenant = S("acme"),
		.agent = S("desk"),
		.roles = S("support, reader,nobody,SUPPORT,,reader") });
	struct principal p;

	(void)state;
	/* twice: from the store and from memory */
	for (int i = 0; i < 2; i++) {
		memset(&p, 0, sizeof p);
		assert_int_equal(verify(token, NOW, 1000, &p), IDENTITY_OK);
		assert_true(str_eq(p.subject, S("ada")));
		assert_int_equal(p.kind, PRINCIPAL_HUMAN);
		assert_true(str_eq(p.tenant, S("acme")));
		assert_true(str_eq(p.agent, S("desk")));
		assert_true(str_eq(p.environment, S("production")));
		assert_true(str_eq(p.credential, str_sub(token, 9, 12)));
		assert_int_equal(p.role_count, 4);
		assert_int_equal(p.grant_count, 3);
		assert_true(principal_holds(&p, S("contracts.read")));
		assert_true(principal_holds(&p, S("customers.read")));
		assert_true(principal_holds(&p, S("docs.read")));
		assert_false(principal_holds(&p, S("docs.rea")));
		assert_false(principal_holds(&p, S("docs.reads")));
		assert_false(principal_holds(&p, S("Docs.read")));
		assert_false(principal_holds(&p, S("")));
	}
}

static void a_key_without_roles_holds_nothing(void **state)
{
	struct str token = issue(&(struct key_row){ .roles = S("empty") });
	struct principal p;

	(void)state;
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_OK);
	assert_int_equal(p.grant_count, 0);
	assert_false(principal_holds(&p, S("customers.read")));
}

static void wrong_credentials_are_told_apart(void **state)
{
	struct str good = issue(&(struct key_row){ 0 }), bad = arena_str(&arena, good);
	struct str other = identity_make_key(&arena, ENV_PRODUCTION, &(struct key_row){ 0 });
	struct str staging = identity_make_key(&arena, ENV_STAGING, &(struct key_row){ 0 });
	const struct {
		struct str token;
		enum identity_verdict verdict;
	} table[] = {
		{ good, IDENTITY_OK },
		{ STR_NONE, IDENTITY_MISSING },
		{ S("x"), IDENTITY_MALFORMED },
		{ str_sub(good, 0, 64), IDENTITY_MALFORMED },
		{ bad, IDENTITY_UNKNOWN },
		{ other, IDENTITY_UNKNOWN },
		{ staging, IDENTITY_ENVIRONMENT },
		{ issue(&(struct key_row){ .environment = S("staging") }), IDENTITY_ENVIRONMENT },
		{ issue(&(struct key_row){ .expires_us = NOW }), IDENTITY_EXPIRED },
		{ issue(&(struct key_row){ .expires_us = NOW + 1 }), IDENTITY_OK },
		{ issue(&(struct key_row){ .revoked_us = 1 }), IDENTITY_REVOKED },
		{ issue(&(struct key_row){ .subject = S("a\nb") }), IDENTITY_UNKNOWN },
		{ issue(&(struct key_row){ .subject = S("") }), IDENTITY_UNKNOWN },
		{ issue(&(struct key_row){ .subject = S("a\xe2\x80\xae") }), IDENTITY_UNKNOWN },
	};

	(void)state;
	/* one character of the secret is another */
	((char *)(uintptr_t)bad.p)[30] = bad.p[30] == 'A' ? 'B' : 'A';
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct principal p;
		enum identity_verdict v = verify(table[i].token, NOW, 0, &p);

		if (v != table[i].verdict)
			fail_msg("row %zu: %s, not %s", i, identity_verdict_name(v),
				identity_verdict_name(table[i].verdict));
	}
}

static void what_is_remembered_ends_within_a_second(void **state)
{
	struct str token = issue(&(struct key_row){ 0 });
	struct principal p;
	struct err err;

	(void)state;
	assert_int_equal(verify(token, NOW, 5000, &p), IDENTITY_OK);
	assert_true(store_key_revoke(store, p.credential, NOW, &err));
	assert_int_equal(verify(token, NOW, 5999, &p), IDENTITY_OK);
	assert_int_equal(verify(token, NOW, 6000, &p), IDENTITY_REVOKED);
	assert_int_equal(verify(token, NOW, 4000, &p), IDENTITY_REVOKED);
}

static void a_key_expires_while_it_is_remembered(void **state)
{
	struct str token = issue(&(struct key_row){ .expires_us = NOW + 10 });
	struct principal p;

	(void)state;
	assert_int_equal(verify(token, NOW, 5000, &p), IDENTITY_OK);
	assert_int_equal(verify(token, NOW + 9, 5001, &p), IDENTITY_OK);
	assert_int_equal(verify(token, NOW + 10, 5001, &p), IDENTITY_EXPIRED);
}

static void a_key_just_issued_works_at_once(void **state)
{
	struct key_row row = { .subject = S("ada"), .kind = S("agent") };
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, &row);
	struct principal p;
	struct err err;

	(void)state;
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_UNKNOWN);
	assert_true(store_key_add(store, &row, &err));
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_OK);
}

static void use_of_a_key_is_noted(void **state)
{
	struct str token = issue(&(struct key_row){ 0 });
	struct key_row row;
	struct principal p;
	struct err err;

	(void)state;
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_OK);
	assert_true(store_key_get(store, &arena, p.credential, &row, &err));
	assert_true(row.used_us == NOW);
}

static void a_store_that_does_not_answer_lets_nobody_in(void **state)
{
	struct str token = issue(&(struct key_row){ 0 });
	struct principal p;

	(void)state;
	store_free(&store);
	identity_free(&identity);
	store = store_new(str_c(directory)); /* no file, but something is there */
	identity = identity_new(&production, store, NULL);
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_UNAVAILABLE);
}

static void bindings_tell_principals_apart(void **state)
{
	static const struct key_row rows[] = {
		{ .subject = STR_INIT("ab"), .tenant = STR_INIT("c") },
		{ .subject = STR_INIT("a"), .tenant = STR_INIT("bc") },
		{ .subject = STR_INIT("ab"), .agent = STR_INIT("c") },
		{ .subject = STR_INIT("abc") },
	};
	struct principal p[ARRAY_LEN(rows)], again;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(verify(issue(&rows[i]), NOW, 0, &p[i]), IDENTITY_OK);
		for (size_t k = 0; k < i; k++)
			assert_false(sha256_eq(&p[i].binding, &p[k].binding));
	}
	assert_int_equal(verify(issue(&rows[0]), NOW, 0, &again), IDENTITY_OK);
	assert_true(sha256_eq(&again.binding, &p[0].binding));
}

static void a_fixed_principal_needs_no_token(void **state)
{
	static const struct str fixed_roles[] = { STR_INIT("reader") };
	static const struct fixed_principal fixed = {
		.subject = STR_INIT("suite"), .roles = fixed_roles, .role_count = 1
	};
	struct config config = production;
	struct identity *i;
	struct principal p;

	(void)state;
	config.fixed = &fixed;
	i = identity_new(&config, store, NULL);
	assert_int_equal(identity_verify(i, &arena, STR_NONE, NOW, 0, &p), IDENTITY_OK);
	assert_true(str_eq(p.subject, S("suite")) && str_eq(p.credential, S("fixed")));
	assert_true(principal_holds(&p, S("docs.read")));
	assert_int_equal(identity_verify(i, &arena, S("anything"), NOW, 0, &p), IDENTITY_OK);
	identity_free(&i);
}

static void keys_are_refused_where_they_are_off(void **state)
{
	struct config config = production;
	struct str token = issue(&(struct key_row){ 0 });
	struct identity *i;
	struct principal p;

	(void)state;
	config.api_keys = false;
	i = identity_new(&config, store, NULL);
	assert_int_equal(identity_verify(i, &arena, token, NOW, 0, &p), IDENTITY_UNKNOWN);
	identity_free(&i);
}

static struct str shared_tokens[32];

static void *verify_many(void *failed)
{
	struct arena own;

	arena_init(&own, (size_t)1 << 20);
	for (uint64_t i = 0; i < 600; i++) {
		struct principal p;

		if (identity_verify(identity, &own, shared_tokens[i % 32], NOW, i * 40, &p) !=
				IDENTITY_OK ||
			!str_eq(p.subject, S("ada")))
			*(int *)failed = 1;
		if (i % 7 == 0)
			arena_reset(&own);
	}
	arena_done(&own);
	return NULL;
}

static void threads_verify_side_by_side(void **state)
{
	pthread_t threads[4];
	int failed[4] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shared_tokens); i++)
		shared_tokens[i] = issue(&(struct key_row){ .roles = S("support") });
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &failed[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failed[i], 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_key_makes_its_principal),
		T(a_key_without_roles_holds_nothing),
		T(wrong_credentials_are_told_apart),
		T(what_is_remembered_ends_within_a_second),
		T(a_key_expires_while_it_is_remembered),
		T(a_key_just_issued_works_at_once),
		T(use_of_a_key_is_noted),
		T(a_store_that_does_not_answer_lets_nobody_in),
		T(bindings_tell_principals_apart),
		T(a_fixed_principal_needs_no_token),
		T(keys_are_refused_where_they_are_off),
		T(threads_verify_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
