/* Who decides on plans calls nothing, and who calls decides nothing. */
#include "base/test.h"
#include "identity/approver.h"
#include "identity/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1790000000000000)
#define PROXY_KEY "the key of the proxy, of 32 bytes"

static const struct str chief_grants[] = { STR_INIT("approve.refunds") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("chief"), .grants = chief_grants, .grant_count = 1 },
	{ .name = STR_INIT("clerk") },
};
static const struct role_config fewer_roles[] = { { .name = STR_INIT("chief") } };
static const struct str chief[] = { STR_INIT("chief") };
static const struct certificate_config certificates[] = {
	{ .match = MATCH_SUBJECT,
		.value = STR_INIT("CN=ada"),
		.subject = STR_INIT("ada"),
		.kind = STR_INIT("human"),
		.tenant = STR_INIT("acme"),
		.roles = chief,
		.role_count = 1,
		.approver = true },
	{ .match = MATCH_SUBJECT,
		.value = STR_INIT("CN=desk"),
		.subject = STR_INIT("desk"),
		.kind = STR_INIT("human"),
		.roles = chief,
		.role_count = 1 },
};

static char directory[64], file[96];
static struct arena arena;
static struct store *store;
static struct identity *identity;
static struct proxy_config proxy;
static struct config config;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/approver-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)1 << 20);
	proxy = (struct proxy_config){ .name = S("gate"),
		.kind = S("human"),
		.max_age_ms = 30000,
		.roles = chief,
		.role_count = 1,
		.approver = true };
	assert_true(secret_set(&proxy.key.value, S(PROXY_KEY)));
	config = (struct config){ .environment = ENV_PRODUCTION,
		.api_keys = true,
		.roles = roles,
		.role_count = ARRAY_LEN(roles),
		.certificates = certificates,
		.certificate_count = ARRAY_LEN(certificates),
		.proxies = &proxy,
		.proxy_count = 1 };
	store = store_new(str_c(file));
	identity = identity_new(&config, store, NULL, NULL);
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
	return rmdir(directory);
}

static struct str issue(struct key_row *row)
{
	struct str token;
	struct err err;

	if (!row->subject.n)
		row->subject = S("ada");
	if (!row->kind.n)
		row->kind = S("human");
	row->tenant = S("acme");
	row->roles = S("chief");
	token = identity_make_key(&arena, ENV_PRODUCTION, NULL, row);
	if (!store_key_add(store, row, &err))
		fail_msg("%s", err.text);
	return token;
}

static enum identity_verdict at_desk(const struct credential_shown *shown, struct principal *out)
{
	return approver_verify(identity, &arena, shown, NOW, 1000, out);
}

static enum identity_verdict on_wire(const struct credential_shown *shown, struct principal *out)
{
	return identity_verify(identity, &arena, shown, NOW, 1000, out);
}

static void a_key_is_for_one_of_the_two(void **state)
{
	struct key_row approving = { .approver = true }, calling = { 0 };
	struct credential_shown approver = { .bearer = issue(&approving) };
	struct credential_shown caller = { .bearer = issue(&calling) };
	struct principal p;

	(void)state;
	assert_true(str_starts(approver.bearer, S("psap_prd_")));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(on_wire(&approver, &p), IDENTITY_APPROVER);
		assert_int_equal(at_desk(&caller, &p), IDENTITY_USE);
		assert_int_equal(on_wire(&caller, &p), IDENTITY_OK);
		assert_false(p.approver);
		assert_int_equal(at_desk(&approver, &p), IDENTITY_OK);
	}
	assert_true(p.approver);
	assert_str(p.subject, "ada");
	assert_true(principal_holds(&p, S("approve.refunds")));
	/* under the other's name it is no better */
	memcpy((char *)(uintptr_t)approver.bearer.p, "pstn", 4);
	memcpy((char *)(uintptr_t)caller.bearer.p, "psap", 4);
	assert_int_equal(on_wire(&approver, &p), IDENTITY_APPROVER);
	assert_int_equal(at_desk(&approver, &p), IDENTITY_USE);
	assert_int_equal(at_desk(&caller, &p), IDENTITY_USE);
	assert_int_equal(on_wire(&caller, &p), IDENTITY_APPROVER);
}

static void a_key_that_is_not_good_decides_nothing(void **state)
{
	static const struct {
		struct key_row row;
		enum identity_verdict verdict;
	} table[] = {
		{ { .revoked_us = 1 }, IDENTITY_REVOKED },
		{ { .expires_us = NOW }, IDENTITY_EXPIRED },
		{ { .expires_us = NOW + 1 }, IDENTITY_OK },
		{ { .kind = STR_INIT("agent") }, IDENTITY_USE },
		{ { .kind = STR_INIT("service") }, IDENTITY_USE },
	};
	struct credential_shown shown = { .bearer = S("psap_prd_x") };
	struct principal p;
	char *bend;

	(void)state;
	assert_int_equal(at_desk(&shown, &p), IDENTITY_MALFORMED);
	assert_int_equal(at_desk(&(struct credential_shown){ 0 }, &p), IDENTITY_MISSING);
	shown.malformed = true;
	assert_int_equal(at_desk(&shown, &p), IDENTITY_MALFORMED);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct key_row row = table[i].row;

		row.approver = true;
		shown = (struct credential_shown){ .bearer = issue(&row) };
		assert_int_equal(at_desk(&shown, &p), table[i].verdict);
		bend = (char *)(uintptr_t)shown.bearer.p + 30;
		*bend = *bend == 'A' ? 'B' : 'A';
		assert_int_equal(at_desk(&shown, &p), IDENTITY_UNKNOWN);
	}
}

static void a_fixed_principal_decides_nothing(void **state)
{
	const struct fixed_principal fixed = { .subject = S("anybody") };
	struct principal p;

	(void)state;
	config.fixed = &fixed;
	identity_free(&identity);
	identity = identity_new(&config, store, NULL, NULL);
	assert_int_equal(at_desk(&(struct credential_shown){ 0 }, &p), IDENTITY_MISSING);
}

static struct credential_shown certificate(const char *subject)
{
	return (struct credential_shown){ .certificate = { .sha256 = S("00112233445566778899"),
						  .subject = str_c(subject),
						  .ends_us = NOW + 1 } };
}

static void a_certificate_is_for_one_of_the_two(void **state)
{
	struct credential_shown ada = certificate("CN=ada"), desk = certificate("CN=desk");
	struct principal p;

	(void)state;
	assert_int_equal(on_wire(&ada, &p), IDENTITY_APPROVER);
	assert_int_equal(at_desk(&ada, &p), IDENTITY_OK);
	assert_true(p.approver);
	assert_int_equal(on_wire(&desk, &p), IDENTITY_OK);
	assert_int_equal(at_desk(&desk, &p), IDENTITY_USE);
}

/* As a proxy signs it. */
static struct credential_shown proxied(const char *nonce)
{
	struct credential_shown shown = {
		.request = { .method = S("POST"), .path = S("/"), .body = S("{}") }
	};
	struct signature s = { .key = S("gate"),
		.time = arena_fmt(&arena, "%lld", (long long)(NOW / 1000000)),
		.nonce = str_c(nonce) };
	struct buf text;

	buf_in(&text, &arena, 1024);
	base64url_write(
		&text, S("{\"subject\":\"ada\",\"tenant\":\"acme\",\"roles\":[\"chief\"]}"));
	shown.identity = buf_str(&text);
	signature_of(S(PROXY_KEY), &s, &shown, &s.mac);
	buf_in(&text, &arena, 1024);
	buf_fmt(&text, "key=gate, time=%.*s, nonce=%s, signature=", STR_ARG(s.time), nonce);
	base64url_write(&text, str_n(s.mac.b, SHA256_BYTES));
	shown.signature = buf_str(&text);
	return shown;
}

static void a_proxy_is_for_one_of_the_two(void **state)
{
	struct credential_shown first = proxied("nonce-of-16-byte"),
				next = proxied("nonce-of-16-more_");
	struct principal p;

	(void)state;
	assert_int_equal(on_wire(&first, &p), IDENTITY_APPROVER);
	assert_int_equal(at_desk(&first, &p), IDENTITY_REPLAY);
	assert_int_equal(at_desk(&next, &p), IDENTITY_OK);
	assert_true(p.approver);
	proxy.approver = false;
	first = proxied("third-of-16-byte");
	next = proxied("fourth-16-bytes_");
	assert_int_equal(at_desk(&first, &p), IDENTITY_USE);
	assert_int_equal(on_wire(&next, &p), IDENTITY_OK);
}

static void a_yes_counts_while_who_gave_it_could_give_it(void **state)
{
	struct key_row key = { .approver = true }, calling = { 0 };
	struct err err;

	(void)state;
	issue(&key);
	issue(&calling);
	const struct {
		struct str credential, subject, tenant, grant;
		bool counts;
	} table[] = {
		{ key.id, S("ada"), S("acme"), S("approve.refunds"), true },
		{ key.id, S("ada"), S("acme"), STR_NONE, true },
		{ key.id, S("ada"), S("acme"), S("approve.other"), false },
		{ key.id, S("eve"), S("acme"), STR_NONE, false },
		{ key.id, S("ada"), S("umbrella"), STR_NONE, false },
		{ calling.id, S("ada"), S("acme"), STR_NONE, false },
		{ S("nosuchkey234"), S("ada"), S("acme"), STR_NONE, false },
		{ S("cert:0011223344556677"), S("ada"), S("acme"), S("approve.refunds"), true },
		{ S("cert:0011223344556677"), S("ada"), S("acme"), S("approve.other"), false },
		{ S("cert:0011223344556677"), S("desk"), STR_NONE, S("approve.refunds"), false },
		{ S("proxy:gate"), S("ada"), S("acme"), S("approve.refunds"), true },
		{ S("proxy:gate"), S("ada"), S("acme"), S("approve.other"), false },
		{ S("proxy:other"), S("ada"), S("acme"), STR_NONE, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct approver_given g = { table[i].credential, table[i].subject,
			table[i].tenant, table[i].grant };

		if (approver_still_counts(identity, &g) != table[i].counts)
			fail_msg("row %zu", i);
	}
	/* the role lost the grant; then the key was taken back */
	const struct approver_given given = { key.id, S("ada"), S("acme"), S("approve.refunds") };

	config.roles = fewer_roles;
	config.role_count = 1;
	assert_false(approver_still_counts(identity, &given));
	config.roles = roles;
	config.role_count = ARRAY_LEN(roles);
	assert_true(approver_still_counts(identity, &given));
	assert_true(store_key_revoke(store, key.id, S("lost"), NOW, &err));
	assert_false(approver_still_counts(identity, &given));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_for_one_of_the_two),
		TEST(a_key_that_is_not_good_decides_nothing),
		TEST(a_fixed_principal_decides_nothing),
		TEST(a_certificate_is_for_one_of_the_two),
		TEST(a_proxy_is_for_one_of_the_two),
		TEST(a_yes_counts_while_who_gave_it_could_give_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
