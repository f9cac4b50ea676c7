#include "identity/identity.h"
#include "identity/signature.h"
#include "identity/token.h"

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
static struct seal seal;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/identity-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)1 << 20);
	store = store_new(str_c(file));
	assert_true(seal_init(&seal, S("the key of one deployment: 32 by")));
	identity = identity_new(&production, store, &seal, NULL);
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
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, NULL, &row);
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

static enum identity_verdict verify_as(struct identity *i, struct arena *a, struct str token,
	int64_t wall_us, uint64_t mono_ms, struct principal *out)
{
	return identity_verify(
		i, a, &(struct credential_shown){ .bearer = token }, wall_us, mono_ms, out);
}

static enum identity_verdict verify(
	struct str token, int64_t wall_us, uint64_t mono_ms, struct principal *out)
{
	return verify_as(identity, &arena, token, wall_us, mono_ms, out);
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
	struct str other = identity_make_key(&arena, ENV_PRODUCTION, NULL, &(struct key_row){ 0 });
	struct str staging = identity_make_key(&arena, ENV_STAGING, NULL, &(struct key_row){ 0 });
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
	assert_true(store_key_revoke(store, p.credential, STR_NONE, NOW, &err));
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
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, NULL, &row);
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
	identity = identity_new(&production, store, &seal, NULL);
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
	i = identity_new(&config, store, &seal, NULL);
	assert_int_equal(verify_as(i, &arena, STR_NONE, NOW, 0, &p), IDENTITY_OK);
	assert_true(str_eq(p.subject, S("suite")) && str_eq(p.credential, S("fixed")));
	assert_true(principal_holds(&p, S("docs.read")));
	assert_int_equal(verify_as(i, &arena, S("anything"), NOW, 0, &p), IDENTITY_OK);
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
	i = identity_new(&config, store, &seal, NULL);
	assert_int_equal(verify_as(i, &arena, token, NOW, 0, &p), IDENTITY_UNKNOWN);
	identity_free(&i);
}

/* --- what is signed --- */

#define NONCE "0123456789abcdef"

struct signing {
	struct str key, secret, nonce, identity; /* nonce empty: NONCE */
	int64_t time_s; /* 0: NOW */
};

/* A POST of {} to /mcp, signed. */
static struct credential_shown sign(const struct signing *how)
{
	struct credential_shown shown = { .request = { S("POST"), S("/mcp"), STR_NONE, S("{}") },
		.identity = how->identity };
	struct signature s = { .key = how->key, .nonce = how->nonce.n ? how->nonce : S(NONCE) };
	struct buf text;

	s.time = arena_fmt(&arena, "%lld", (long long)(how->time_s ? how->time_s : NOW / 1000000));
	signature_of(how->secret, &s, &shown, &s.mac);
	buf_in(&text, &arena, 512);
	buf_fmt(&text, "key=%.*s, time=%.*s, nonce=%.*s, signature=", STR_ARG(s.key),
		STR_ARG(s.time), STR_ARG(s.nonce));
	base64url_write(&text, str_n(s.mac.b, SHA256_BYTES));
	shown.signature = buf_str(&text);
	return shown;
}

static struct str issue_signing(const struct key_row *change, struct str *id_out)
{
	struct key_row row = *change;
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, &seal, &row);
	struct buf secret;
	struct err err;

	row.subject = S("ada");
	row.kind = S("service");
	if (!store_key_add(store, &row, &err))
		fail_msg("%s", err.text);
	buf_in(&secret, &arena, 32);
	assert_true(base64url_read(str_from(token, 22), &secret));
	*id_out = arena_str(&arena, row.id);
	return buf_str(&secret);
}

static enum identity_verdict show(struct identity *i, const struct credential_shown *shown)
{
	struct principal p;

	return identity_verify(i, &arena, shown, NOW, 0, &p);
}

static void a_signed_request_is_taken_once(void **state)
{
	struct str id, secret = issue_signing(&(struct key_row){ .roles = S("reader") }, &id);
	struct credential_shown shown = sign(&(struct signing){ id, secret });
	struct principal p;

	(void)state;
	assert_int_equal(identity_verify(identity, &arena, &shown, NOW, 0, &p), IDENTITY_OK);
	assert_true(str_eq(p.subject, S("ada")) && str_eq(p.credential, id));
	assert_int_equal(p.credential_kind, CREDENTIAL_KEY);
	assert_true(principal_holds(&p, S("docs.read")));
	assert_int_equal(show(identity, &shown), IDENTITY_REPLAY);
	shown = sign(&(struct signing){ id, secret, S("another-nonce-16") });
	assert_int_equal(show(identity, &shown), IDENTITY_OK);
}

static void wrong_signatures_are_told_apart(void **state)
{
	struct str id, revoked, expired, old, secret, revoked_secret, expired_secret;
	struct str token = issue(&(struct key_row){ 0 }), token_id = str_sub(token, 9, 12);
	struct credential_shown body, path;
	const int64_t now_s = NOW / 1000000;

	(void)state;
	secret = issue_signing(&(struct key_row){ 0 }, &id);
	revoked_secret = issue_signing(&(struct key_row){ .revoked_us = 1 }, &revoked);
	expired_secret = issue_signing(&(struct key_row){ .expires_us = NOW }, &expired);
	old = S("too-old-nonce-16");
	const struct {
		struct signing how;
		enum identity_verdict verdict;
	} table[] = {
		{ { id, secret }, IDENTITY_OK },
		{ { id, revoked_secret }, IDENTITY_SIGNATURE },
		{ { S("abcdefghijkl"), secret }, IDENTITY_UNKNOWN },
		{ { revoked, revoked_secret }, IDENTITY_REVOKED },
		{ { revoked, secret }, IDENTITY_SIGNATURE },
		{ { expired, expired_secret }, IDENTITY_EXPIRED },
		{ { id, secret, old, STR_NONE, now_s - 31 }, IDENTITY_TIME },
		{ { id, secret, old, STR_NONE, now_s + 31 }, IDENTITY_TIME },
		{ { id, secret, old, STR_NONE, now_s + 30 }, IDENTITY_OK },
		{ { id, secret, S("short"), STR_NONE, 0 }, IDENTITY_MALFORMED },
		/* a key that is sent never signs: its hash lies in the store */
		{ { token_id, secret }, IDENTITY_USE },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct credential_shown shown = sign(&table[i].how);
		enum identity_verdict v = show(identity, &shown);

		if (v != table[i].verdict)
			fail_msg("row %zu: %s, not %s", i, identity_verdict_name(v),
				identity_verdict_name(table[i].verdict));
	}
	body = path = sign(&(struct signing){ id, secret, S("never-seen-nonce") });
	body.request.body = S("{ }");
	path.request.path = S("/mcp/");
	assert_int_equal(show(identity, &body), IDENTITY_SIGNATURE);
	assert_int_equal(show(identity, &path), IDENTITY_SIGNATURE);
}

static void a_signing_key_is_never_a_token(void **state)
{
	struct key_row row = { .subject = S("ada"), .kind = S("human") };
	struct str token = identity_make_key(&arena, ENV_PRODUCTION, &seal, &row);
	struct str disguised = arena_str(&arena, token);
	struct principal p;
	struct err err;

	(void)state;
	assert_true(store_key_add(store, &row, &err));
	assert_int_equal(verify(token, NOW, 0, &p), IDENTITY_USE);
	memcpy((char *)(uintptr_t)disguised.p, "pstn", 4);
	assert_int_equal(verify(disguised, NOW, 0, &p), IDENTITY_USE);
}

static void a_secret_of_another_deployment_opens_nothing(void **state)
{
	struct str id, secret = issue_signing(&(struct key_row){ 0 }, &id);
	struct credential_shown shown = sign(&(struct signing){ id, secret });
	struct seal other = { 0 };
	struct identity *i = identity_new(&production, store, &other, NULL);

	(void)state;
	assert_int_equal(show(i, &shown), IDENTITY_UNAVAILABLE); /* no seal key yet */
	assert_true(seal_init(&other, S("the key of another deployment: 3")));
	assert_int_equal(show(i, &shown), IDENTITY_UNAVAILABLE);
	seal_done(&other);
	identity_free(&i);
}

/* --- proxies --- */

#define PROXY_KEY "0123456789abcdef0123456789abcdef"
#define NEXT_KEY "fedcba9876543210fedcba9876543210"

static const struct str proxy_roles[] = { STR_INIT("reader") };

static struct str encode(const char *json)
{
	struct buf text;

	buf_in(&text, &arena, 65536);
	base64url_write(&text, str_c(json));
	return buf_str(&text);
}

static void a_proxy_says_who_calls(void **state)
{
	static const struct {
		const char *identity;
		enum identity_verdict verdict;
	} table[] = {
		{ "{\"subject\":\"ada\",\"tenant\":\"acme\",\"agent\":\"desk\",\"roles\":["
		  "\"reader\"]}",
			IDENTITY_OK },
		{ "{\"subject\":\"ada\"}", IDENTITY_OK },
		{ "{}", IDENTITY_CLAIMS },
		{ "", IDENTITY_CLAIMS },
		{ "[]", IDENTITY_CLAIMS },
		{ "{\"subject\":\"\"}", IDENTITY_CLAIMS },
		{ "{\"subject\":7}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"a\\nb\"}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"a\\u0000b\"}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"subject\":\"bob\"}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"admin\":true}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"roles\":\"reader\"}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"roles\":[\"support\"]}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"roles\":[\"READER\"]}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\",\"tenant\":[\"acme\"]}", IDENTITY_CLAIMS },
		{ "{\"subject\":\"ada\"} ", IDENTITY_OK },
		{ "{\"subject\":\"ada\"}x", IDENTITY_CLAIMS },
	};
	struct proxy_config proxy = { .name = S("gate"),
		.kind = S("human"),
		.max_age_ms = 30000,
		.roles = proxy_roles,
		.role_count = 1 };
	struct config config = production;
	struct identity *i;

	(void)state;
	assert_true(secret_set(&proxy.key.value, S(PROXY_KEY)));
	assert_true(secret_set(&proxy.next.value, S(NEXT_KEY)));
	config.proxies = &proxy;
	config.proxy_count = 1;
	i = identity_new(&config, store, &seal, NULL);
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct signing how = { S("gate"), k % 2 ? S(NEXT_KEY) : S(PROXY_KEY),
			arena_fmt(&arena, "nonce-of-row-%06zu", k) };
		struct credential_shown shown;
		enum identity_verdict v;

		how.identity = table[k].identity[0] ? encode(table[k].identity) : S("!");
		shown = sign(&how);
		v = show(i, &shown);
		if (v != table[k].verdict)
			fail_msg("%s: %s", table[k].identity, identity_verdict_name(v));
		v = show(i, &shown);
		if (v != IDENTITY_REPLAY)
			fail_msg("again %s: %s", table[k].identity, identity_verdict_name(v));
		/* where no such proxy is configured, nothing of it is believed */
		assert_int_equal(show(identity, &shown), IDENTITY_UNKNOWN);
	}
	identity_free(&i);
}

static void an_identity_is_nothing_without_its_signature(void **state)
{
	struct proxy_config proxy = { .name = S("gate"), .kind = S("human"), .max_age_ms = 30000 };
	struct config config = production;
	struct credential_shown shown;
	struct identity *i;

	(void)state;
	assert_true(secret_set(&proxy.key.value, S(PROXY_KEY)));
	config.proxies = &proxy;
	config.proxy_count = 1;
	i = identity_new(&config, store, &seal, NULL);
	shown = sign(&(struct signing){
		S("gate"), S(PROXY_KEY), STR_NONE, encode("{\"subject\":\"ada\"}") });
	shown.identity = encode("{\"subject\":\"bob\"}");
	assert_int_equal(show(i, &shown), IDENTITY_SIGNATURE);
	shown = sign(&(struct signing){
		S("gate"), S(NEXT_KEY), STR_NONE, encode("{\"subject\":\"ada\"}") });
	assert_int_equal(show(i, &shown), IDENTITY_SIGNATURE);
	shown = sign(&(struct signing){ S("gate"), S(PROXY_KEY), STR_NONE,
		encode("{\"subject\":\"ada\"}"), NOW / 1000000 - 31 });
	assert_int_equal(show(i, &shown), IDENTITY_TIME);
	identity_free(&i);
}

/* --- certificates --- */

static void a_certificate_is_its_rows_principal(void **state)
{
	static const struct certificate_config rows[] = {
		{ .match = MATCH_SAN_URI,
			.value = STR_INIT("spiffe://acme/desk"),
			.subject = STR_INIT("desk"),
			.kind = STR_INIT("service"),
			.tenant = STR_INIT("acme"),
			.roles = proxy_roles,
			.role_count = 1 },
		{ .match = MATCH_SAN_DNS,
			.value = STR_INIT("desk.acme.example"),
			.subject = STR_INIT("other"),
			.kind = STR_INIT("service") },
		{ .match = MATCH_SUBJECT,
			.value = STR_INIT("CN=ada,O=Acme"),
			.subject = STR_INIT("ada"),
			.kind = STR_INIT("human") },
	};
	static const struct certificate_name uri[] = {
		{ CERTIFICATE_DNS, STR_INIT("x") },
		{ CERTIFICATE_URI, STR_INIT("spiffe://acme/desk") },
	};
	static const struct certificate_name both[] = {
		{ CERTIFICATE_URI, STR_INIT("spiffe://acme/desk") },
		{ CERTIFICATE_DNS, STR_INIT("desk.acme.example") },
	};
	static const struct certificate_name near[] = {
		{ CERTIFICATE_DNS, STR_INIT("spiffe://acme/desk") },
		{ CERTIFICATE_URI, STR_INIT("spiffe://acme/desk2") },
		{ CERTIFICATE_URI, STR_INIT("spiffe://ACME/desk") },
		{ CERTIFICATE_EMAIL, STR_INIT("CN=ada,O=Acme") },
	};
	const struct {
		struct str subject;
		const struct certificate_name *names;
		size_t count;
		enum identity_verdict verdict;
		struct str who;
	} table[] = {
		{ S("CN=x"), uri, 2, IDENTITY_OK, S("desk") },
		{ S("CN=ada,O=Acme"), NULL, 0, IDENTITY_OK, S("ada") },
		{ S("CN=x"), both, 2, IDENTITY_CERTIFICATE, STR_NONE },
		{ S("CN=ada,O=Acme"), uri, 2, IDENTITY_CERTIFICATE, STR_NONE },
		{ S("CN=x"), near, 4, IDENTITY_CERTIFICATE, STR_NONE },
		{ S("CN=ada,O=Acm"), NULL, 0, IDENTITY_CERTIFICATE, STR_NONE },
	};
	struct config config = production;
	struct identity *i;

	(void)state;
	config.certificates = rows;
	config.certificate_count = ARRAY_LEN(rows);
	i = identity_new(&config, store, &seal, NULL);
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct credential_shown shown = { .certificate = { S("00112233445566778899"),
							  table[k].subject, table[k].names,
							  table[k].count, NOW + 1 } };
		struct principal p = { 0 };

		assert_int_equal(identity_verify(i, &arena, &shown, NOW, 0, &p), table[k].verdict);
		assert_true(str_eq(p.subject, table[k].who));
		if (p.subject.n)
			assert_true(str_eq(p.credential, S("cert:0011223344556677")) &&
				    p.expires_us == NOW + 1);
		/* the connection outlived it, or nobody knows when it ends */
		for (int64_t ends_us = NOW; ends_us >= 0; ends_us -= NOW) {
			shown.certificate.ends_us = ends_us;
			assert_int_equal(show(i, &shown), IDENTITY_EXPIRED);
		}
		shown.certificate.ends_us = NOW + 1;
		assert_int_equal(show(identity, &shown), IDENTITY_MISSING);
		/* beside a token, the token decides, for as long as the connection's certificate is
		 * good: also where nobody asks whose it is */
		shown.bearer = issue(&(struct key_row){ .expires_us = NOW + 9 });
		for (size_t n = 0; n < 2; n++) {
			struct identity *who = n ? identity : i;

			shown.certificate.ends_us = NOW + 1;
			assert_int_equal(
				identity_verify(who, &arena, &shown, NOW, 0, &p), IDENTITY_OK);
			assert_true(p.expires_us == NOW + 1);
			shown.certificate.ends_us = NOW + 10;
			assert_int_equal(
				identity_verify(who, &arena, &shown, NOW, 0, &p), IDENTITY_OK);
			assert_true(p.expires_us == NOW + 9);
			shown.certificate.ends_us = NOW;
			assert_int_equal(show(who, &shown), IDENTITY_EXPIRED);
		}
	}
	identity_free(&i);
}

/* What is counted against an address: not a client's question, a busy store, or good credentials.
 */
static void a_wrong_credential_may_be_a_guess_and_nothing_else(void **state)
{
	static const enum identity_verdict none[] = { IDENTITY_OK, IDENTITY_MISSING,
		IDENTITY_UNAVAILABLE, IDENTITY_REPLAY, IDENTITY_CROWDED, IDENTITY_SUBJECT,
		IDENTITY_TENANT, IDENTITY_ROLES };
	unsigned guesses = 0;

	(void)state;
	for (int v = IDENTITY_OK; v <= IDENTITY_ROLES; v++)
		guesses += identity_verdict_is_guess((enum identity_verdict)v);
	assert_int_equal(guesses, IDENTITY_ROLES + 1 - ARRAY_LEN(none));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(identity_verdict_is_guess(none[i]));
	assert_true(identity_verdict_is_guess(IDENTITY_UNKNOWN));
	assert_true(identity_verdict_is_guess(IDENTITY_SIGNATURE));
}

/* --- what stays open --- */

static const struct jwt_config held_issuer = { .issuer = STR_INIT("https://issuer.example") };
static const struct proxy_config held_proxy = { .name = STR_INIT("gate") };
static const struct certificate_config held_row = {
	.subject = STR_INIT("desk"), .tenant = STR_INIT("acme"), .agent = STR_INIT("a")
};
static const struct fixed_principal held_fixed = {
	.subject = STR_INIT("desk"), .tenant = STR_INIT("acme"), .agent = STR_INIT("a")
};

/* Each kind stays while the configuration takes its like, and no longer. */
static void what_is_open_stays_while_its_credential_is_good(void **state)
{
	const struct config none = { .environment = ENV_PRODUCTION };
	const struct config all = { .environment = ENV_PRODUCTION,
		.api_keys = true,
		.jwt = &held_issuer,
		.jwt_count = 1,
		.proxies = &held_proxy,
		.proxy_count = 1,
		.certificates = &held_row,
		.certificate_count = 1,
		.fixed = &held_fixed };
	static const struct str other = STR_INIT("birch");
	struct config closed = all;
	struct str good = issue(&(struct key_row){ 0 }), gone;
	struct key_row expired = { .expires_us = NOW };
	const struct {
		enum credential_kind kind;
		const char *id, *issuer, *subject;
		int64_t expires_us;
		bool good;
	} table[] = {
		{ CREDENTIAL_JWT, "jwt:1", "https://issuer.example", "x", NOW + 1, true },
		{ CREDENTIAL_JWT, "jwt:1", "https://issuer.example", "x", NOW, false },
		{ CREDENTIAL_JWT, "jwt:1", "https://issuer.example", "x", NOW - 1, false },
		{ CREDENTIAL_JWT, "jwt:1", "https://other.example", "x", NOW + 1, false },
		{ CREDENTIAL_PROXY, "proxy:gate", "", "x", 0, true },
		{ CREDENTIAL_PROXY, "proxy:gat", "", "x", 0, false },
		{ CREDENTIAL_CERTIFICATE, "cert:1", "", "desk", 0, true },
		{ CREDENTIAL_CERTIFICATE, "cert:1", "", "desk2", 0, false },
		{ CREDENTIAL_FIXED, "fixed", "", "desk", 0, true },
		{ CREDENTIAL_FIXED, "fixed", "", "other", 0, false },
		{ CREDENTIAL_KEY, "nosuchkey234", "", "x", 0, false },
	};
	struct identity *with = identity_new(&all, store, &seal, NULL);
	struct identity *without = identity_new(&none, store, &seal, NULL);
	struct identity *strangers = identity_new(&closed, store, &seal, NULL);

	(void)state;
	closed.tenants_closed = true;
	closed.tenants = (struct names){ &other, 1 };
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		const struct held_credential held = { .kind = table[k].kind,
			.id = str_c(table[k].id),
			.issuer = str_c(table[k].issuer),
			.subject = str_c(table[k].subject),
			.tenant = S("acme"),
			.agent = S("a"),
			.expires_us = table[k].expires_us };

		if (identity_still_good(with, &held, NOW) != table[k].good)
			fail_msg("row %zu", k);
		assert_false(identity_still_good(without, &held, NOW));
		assert_false(identity_still_good(strangers, &held, NOW));
	}
	gone = issue(&expired);
	for (size_t k = 0; k < 2; k++) {
		struct token t;
		struct held_credential held = { .kind = CREDENTIAL_KEY };

		assert_true(token_read(k ? gone : good, &t));
		held.id = t.id;
		assert_int_equal(identity_still_good(with, &held, NOW), k == 0);
		assert_false(identity_still_good(without, &held, NOW));
	}
	identity_free(&with);
	identity_free(&without);
	identity_free(&strangers);
}

static struct str shared_tokens[32];

static void *verify_many(void *failed)
{
	struct arena own;

	arena_init(&own, (size_t)1 << 20);
	for (uint64_t i = 0; i < 600; i++) {
		struct principal p;

		if (verify_as(identity, &own, shared_tokens[i % 32], NOW, i * 40, &p) !=
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
		T(a_signed_request_is_taken_once),
		T(wrong_signatures_are_told_apart),
		T(a_signing_key_is_never_a_token),
		T(a_secret_of_another_deployment_opens_nothing),
		T(a_proxy_says_who_calls),
		T(an_identity_is_nothing_without_its_signature),
		T(a_certificate_is_its_rows_principal),
		T(a_wrong_credential_may_be_a_guess_and_nothing_else),
		T(what_is_open_stays_while_its_credential_is_good),
		T(threads_verify_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
