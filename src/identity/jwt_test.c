/* Tokens signed here, held against one issuer whose keys lie in a file. */
#include "identity/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "identity/jwt_fixture.h"
#include "identity/jwt_read.h"

#define NOW INT64_C(1790000000000000)
#define HEAD "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"at+jwt\"}"
#define WHO "\"iss\":\"https://id.example\",\"aud\":\"gate\",\"sub\":\"ada\",\"org\":\"acme\""
#define GOOD WHO ",\"exp\":1790000060"

static const struct str grants[] = { STR_INIT("a.read"), STR_INIT("a.write") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("reader"), .grants = grants, .grant_count = 1 },
	{ .name = STR_INIT("writer"), .grants = grants, .grant_count = 2 },
};
static const struct str audiences[] = { STR_INIT("other"), STR_INIT("gate") };
static struct jwt_config issuer = {
	.issuer = STR_INIT("https://id.example"),
	.audiences = audiences,
	.audience_count = 2,
	.jwks_is_file = true,
	.algorithms = JWT_ES256 | JWT_EDDSA,
	.claim_subject = STR_INIT("sub"),
	.claim_tenant = STR_INIT("org"),
	.claim_roles = STR_INIT("groups"),
	.claim_agent = STR_INIT("azp"),
	.kind = STR_INIT("human"),
	.typ = STR_INIT("at+jwt"),
	.clock_skew_ms = 30000,
	.max_age_ms = 3600000,
	.max_stale_ms = 3600000,
};
static const struct config config = {
	.environment = ENV_STAGING,
	.jwt = &issuer,
	.jwt_count = 1,
	.roles = roles,
	.role_count = ARRAY_LEN(roles),
};

static char file[64];
static struct arena arena;
static struct test_key key, stranger, rsa;
static struct jwks_cache *cache;
static struct jwt_verifier *verifier;
static struct principal who;
static int64_t expires_us;
static struct str bound;

static int set_up(void **state)
{
	struct test_key keys[2];
	struct findings f;
	struct str text;
	int fd;

	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	keys[0] = key = test_key_make(JWT_ES256, "k");
	keys[1] = rsa = test_key_make(JWT_RS256, "r");
	stranger = test_key_make(JWT_ES256, "k");
	text = test_jwks(&arena, keys, 2);
	snprintf(file, sizeof file, "%s/jwks-XXXXXX", P_tmpdir);
	fd = mkstemp(file);
	assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
	close(fd);
	issuer.jwks = str_c(file);
	cache = jwks_cache_new(
		&(struct jwks_cache_config){ .fetch = jwks_fetch, .boot_ms = clock_boot_ms });
	verifier = jwt_verifier_new(&config, cache);
	findings_init(&f, &arena);
	jwt_verifier_ready(verifier, &f);
	assert_int_equal(f.count, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jwt_verifier_free(&verifier);
	jwks_cache_free(&cache);
	EVP_PKEY_free(key.key);
	EVP_PKEY_free(rsa.key);
	EVP_PKEY_free(stranger.key);
	unlink(file);
	arena_done(&arena);
	return 0;
}

static enum identity_verdict verify(struct str token, int64_t wall_us)
{
	return jwt_verify(verifier, &arena, token, wall_us, 0, &who, &expires_us, &bound);
}

static enum identity_verdict verify_claims(const char *claims)
{
	return verify(test_token(&arena, &key, HEAD, claims), NOW);
}

static void a_good_token_makes_a_principal(void **state)
{
	(void)state;
	assert_int_equal(
		verify_claims("{" GOOD ",\"azp\":\"app\",\"groups\":[\"writer\",\"ghost\"],"
			      "\"jti\":\"t1\",\"scope\":\"a.read\"}"),
		IDENTITY_OK);
	assert_true(str_eq(who.subject, S("ada")) && str_eq(who.tenant, S("acme")));
	assert_true(str_eq(who.agent, S("app")) && str_eq(who.credential, S("jwt:t1")));
	assert_true(str_eq(who.issuer, issuer.issuer) && str_eq(who.environment, S("staging")));
	assert_int_equal(who.kind, PRINCIPAL_HUMAN);
	assert_int_equal(who.credential_kind, CREDENTIAL_JWT);
	assert_int_equal(who.role_count, 1);
	assert_true(principal_holds(&who, S("a.write")) && !who.scoped);
	assert_true(expires_us == INT64_C(1790000060000000) && !bound.n);
}

static void one_subject_of_two_issuers_is_two_principals(void **state)
{
	struct sha256 here;

	(void)state;
	assert_int_equal(verify_claims("{" GOOD "}"), IDENTITY_OK);
	here = who.binding;
	issuer.issuer = S("https://id.elsewhere");
	assert_int_equal(verify_claims("{\"iss\":\"https://id.elsewhere\",\"aud\":\"gate\",\"sub\":"
				       "\"ada\",\"org\":\"acme\",\"exp\":1790000060}"),
		IDENTITY_OK);
	issuer.issuer = S("https://id.example");
	assert_false(sha256_eq(&here, &who.binding));
}

static void a_token_without_id_is_named_by_a_digest(void **state)
{
	(void)state;
	assert_int_equal(verify_claims("{" GOOD "}"), IDENTITY_OK);
	assert_true(str_starts(who.credential, S("jwt:#")) && who.credential.n == 21);
	assert_int_equal(verify_claims("{" GOOD ",\"jti\":\"a\\nb\"}"), IDENTITY_OK);
	assert_true(str_starts(who.credential, S("jwt:#")));
}

static void an_actor_is_the_agent(void **state)
{
	(void)state;
	issuer.claim_agent = S("act");
	assert_int_equal(verify_claims("{" GOOD ",\"act\":{\"sub\":\"app\"}}"), IDENTITY_OK);
	assert_true(str_eq(who.agent, S("app")));
	assert_int_equal(verify_claims("{" GOOD ",\"act\":{}}"), IDENTITY_SUBJECT);
	issuer.claim_agent = S("azp");
}

static void a_certificate_it_is_bound_to_is_handed_out(void **state)
{
	(void)state;
	assert_int_equal(verify_claims("{" GOOD ",\"cnf\":{\"x5t#S256\":"
				       "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8\"}}"),
		IDENTITY_OK);
	assert_int_equal(bound.n, 64);
	assert_true(str_starts(bound, S("000000")) && str_ends(bound, S("00ff")));
	assert_int_equal(verify_claims("{" GOOD ",\"cnf\":{\"x5t#S256\":\"AA\"}}"), IDENTITY_CLAIM);
	assert_int_equal(verify_claims("{" GOOD ",\"cnf\":{\"jkt\":\"AA\"}}"), IDENTITY_CLAIM);
	assert_int_equal(verify_claims("{" GOOD ",\"cnf\":7}"), IDENTITY_CLAIM);
	assert_int_equal(verify_claims("{" GOOD ",\"cnf\":{\"jkt\":\"A\",\"x5t#S256\":"
				       "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8\"}}"),
		IDENTITY_CLAIM);
}

static void scopes_narrow_what_roles_grant(void **state)
{
	static const struct {
		const char *claim;
		enum identity_verdict verdict;
		bool reads, writes;
	} rows[] = {
		{ "\"scope\":\"a.read a.write\"", IDENTITY_OK, true, true },
		{ "\"scope\":\" a.read  openid \"", IDENTITY_OK, true, false },
		{ "\"scope\":\"a.rea a.readx A.READ\"", IDENTITY_OK, false, false },
		{ "\"scope\":\"\"", IDENTITY_OK, false, false },
		{ "\"x\":1", IDENTITY_OK, false, false },
		{ "\"scp\":\"a.read\"", IDENTITY_OK, true, false },
		{ "\"scp\":[\"a.write\",\"a.read\"]", IDENTITY_OK, true, true },
		{ "\"scope\":\"a.read\",\"scp\":[\"a.write\"]", IDENTITY_OK, true, false },
		{ "\"scope\":7", IDENTITY_CLAIM, false, false },
		{ "\"scope\":null", IDENTITY_CLAIM, false, false },
		{ "\"scp\":[7]", IDENTITY_CLAIM, false, false },
		{ "\"scope\":\"a\\\"b\"", IDENTITY_CLAIM, false, false },
		{ "\"scope\":\"a\\\\b\"", IDENTITY_CLAIM, false, false },
		{ "\"scope\":\"a\\nb\"", IDENTITY_CLAIM, false, false },
		{ "\"scope\":\"\xc3\xa4\"", IDENTITY_CLAIM, false, false },
	};

	(void)state;
	issuer.narrow = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char claims[512];

		snprintf(claims, sizeof claims, "{" GOOD ",\"groups\":[\"writer\"],%s}",
			rows[i].claim);
		assert_int_equal(verify_claims(claims), rows[i].verdict);
		if (rows[i].verdict != IDENTITY_OK)
			continue;
		assert_int_equal(principal_holds(&who, S("a.read")), rows[i].reads);
		assert_int_equal(principal_holds(&who, S("a.write")), rows[i].writes);
		assert_true(principal_granted(&who, S("a.write")));
	}
	assert_int_equal(verify_claims("{" GOOD ",\"groups\":[\"reader\"],\"scope\":\"a.write\"}"),
		IDENTITY_OK);
	assert_false(principal_holds(&who, S("a.write")));
	issuer.narrow = false;
}

static void claims_are_held_against_what_the_operator_said(void **state)
{
	static const struct {
		const char *claims;
		enum identity_verdict verdict;
	} rows[] = {
		{ WHO ",\"exp\":1789999971", IDENTITY_OK }, /* within the skew */
		{ WHO ",\"exp\":1789999970", IDENTITY_EXPIRED },
		{ WHO ",\"exp\":1789999971.9", IDENTITY_OK },
		{ WHO ",\"exp\":1.79e9", IDENTITY_CLAIM },
		{ WHO ",\"exp\":\"1790000060\"", IDENTITY_CLAIM },
		{ WHO ",\"exp\":-1", IDENTITY_CLAIM },
		{ WHO ",\"exp\":99999999999999999999", IDENTITY_CLAIM },
		{ WHO ",\"exp\":null", IDENTITY_CLAIM },
		{ WHO, IDENTITY_CLAIM },
		{ GOOD ",\"nbf\":1790000030", IDENTITY_OK },
		{ GOOD ",\"nbf\":1790000031", IDENTITY_NOT_YET },
		{ GOOD ",\"nbf\":true", IDENTITY_CLAIM },
		{ WHO ",\"exp\":1790000010,\"nbf\":1790000020", IDENTITY_NOT_YET },
		{ GOOD ",\"iat\":1790000031", IDENTITY_NOT_YET },
		{ GOOD ",\"iat\":[]", IDENTITY_CLAIM },
		{ GOOD ",\"groups\":\"writer\"", IDENTITY_ROLES },
		{ GOOD ",\"groups\":null", IDENTITY_ROLES },
		{ GOOD ",\"groups\":[1]", IDENTITY_ROLES },
		{ GOOD ",\"azp\":1", IDENTITY_SUBJECT },
		{ GOOD ",\"azp\":\"\"", IDENTITY_SUBJECT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char claims[512];
		enum identity_verdict verdict;

		snprintf(claims, sizeof claims, "{%s}", rows[i].claims);
		verdict = verify_claims(claims);
		if (verdict != rows[i].verdict)
			fail_msg("%s: %s", claims, identity_verdict_name(verdict));
	}
}

static void whose_and_what_kind_of_token_it_is_counts_exactly(void **state)
{
#define TO(iss, aud)                                                                               \
	"{\"iss\":" iss ",\"aud\":" aud ",\"sub\":\"a\",\"org\":\"b\",\"exp\":1790000060}"
#define US "\"https://id.example\""
	static const struct {
		const char *header, *claims;
		enum identity_verdict verdict;
	} rows[] = {
		{ HEAD, TO(US, "[\"x\",\"gate\"]"), IDENTITY_OK },
		{ HEAD, TO(US, "[]"), IDENTITY_AUDIENCE },
		{ HEAD, TO(US, "\"gat\""), IDENTITY_AUDIENCE },
		{ HEAD, TO(US, "\"gate/\""), IDENTITY_AUDIENCE },
		{ HEAD, TO(US, "[\"gate\",[]]"), IDENTITY_AUDIENCE },
		{ HEAD, TO(US, "{\"gate\":1}"), IDENTITY_AUDIENCE },
		{ HEAD, TO("\"https://id.example/\"", "\"gate\""), IDENTITY_ISSUER },
		{ HEAD, TO("\"https://ID.example\"", "\"gate\""), IDENTITY_ISSUER },
		{ HEAD, TO("[" US "]", "\"gate\""), IDENTITY_ISSUER },
		{ "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"application/AT+JWT\"}",
			TO(US, "\"gate\""), IDENTITY_OK },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", TO(US, "\"gate\""), IDENTITY_OK },
		{ "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}", TO(US, "\"gate\""),
			IDENTITY_TYP },
		{ "{\"alg\":\"ES256\",\"kid\":\"k\"}", TO(US, "\"gate\""), IDENTITY_TYP },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", TO(US, "\"gate\""), IDENTITY_KEY },
		{ "{\"alg\":\"ES256\",\"kid\":\"r\"}", TO(US, "\"gate\""), IDENTITY_KEY },
		{ "{\"alg\":\"ES256\",\"kid\":\"\"}", TO(US, "\"gate\""), IDENTITY_HEADER },
		{ "{\"alg\":\"ES256\",\"kid\":7}", TO(US, "\"gate\""), IDENTITY_HEADER },
		{ "{\"alg\":\"ES256\",\"Kid\":\"k\"}", TO(US, "\"gate\""), IDENTITY_HEADER },
		{ "{\"alg\":\"ES256\",\"jwk\":{}}", TO(US, "\"gate\""), IDENTITY_HEADER },
		{ "{\"alg\":\"ES256\",\"crit\":[]}", TO(US, "\"gate\""), IDENTITY_HEADER },
		{ "{\"alg\":\"es256\"}", TO(US, "\"gate\""), IDENTITY_ALG },
		{ "{\"alg\":\"HS256\"}", TO(US, "\"gate\""), IDENTITY_ALG },
		{ "{\"alg\":\"none\"}", TO(US, "\"gate\""), IDENTITY_ALG },
		{ "{\"alg\":\"RS256\",\"kid\":\"r\"}", TO(US, "\"gate\""), IDENTITY_ALG },
		{ "{\"alg\":\"ES256\",\"alg\":\"none\"}", TO(US, "\"gate\""), IDENTITY_DUPLICATE },
		{ "[]", TO(US, "\"gate\""), IDENTITY_ENCODING },
		{ "{", TO(US, "\"gate\""), IDENTITY_ENCODING },
		{ HEAD, "\"\"", IDENTITY_ENCODING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum identity_verdict verdict =
			verify(test_token(&arena, &key, rows[i].header, rows[i].claims), NOW);

		if (verdict != rows[i].verdict)
			fail_msg("%s %s: %s", rows[i].header, rows[i].claims,
				identity_verdict_name(verdict));
	}
}

static void the_form_is_exactly_three_parts_of_strict_base64url(void **state)
{
	struct str good = test_token(&arena, &key, HEAD, "{" GOOD "}");
	struct str text = test_token(&arena, &stranger, HEAD, "{" GOOD "}");
	size_t dot = str_find(good, str_find(good, 0, '.') + 1, '.');
	struct jwt t;

	(void)state;
	assert_int_equal(verify(good, NOW), IDENTITY_OK);
	assert_int_equal(verify(text, NOW), IDENTITY_SIGNATURE);
	assert_int_equal(verify(str_sub(good, 0, dot), NOW), IDENTITY_MALFORMED);
	assert_int_equal(verify(str_sub(good, 0, dot + 1), NOW), IDENTITY_SIGNATURE);
	assert_int_equal(
		verify(arena_fmt(&arena, "%.*s.", STR_ARG(good)), NOW), IDENTITY_MALFORMED);
	assert_int_equal(verify(arena_fmt(&arena, "%.*s=", STR_ARG(good)), NOW), IDENTITY_ENCODING);
	assert_int_equal(verify(arena_fmt(&arena, " %.*s", STR_ARG(good)), NOW), IDENTITY_ENCODING);
	assert_int_equal(verify(S(".."), NOW), IDENTITY_ENCODING);
	assert_int_equal(verify(STR_NONE, NOW), IDENTITY_MALFORMED);
	for (size_t n = 0; n < good.n; n++)
		assert_int_not_equal(verify(str_sub(good, 0, n), NOW), IDENTITY_OK);
	assert_int_equal(
		jwt_read(&arena, str_n(arena_alloc(&arena, JWT_MAX_BYTES + 1), JWT_MAX_BYTES + 1),
			&t),
		IDENTITY_SIZE);
}

static void without_fresh_keys_nothing_can_be_said(void **state)
{
	struct str good = test_token(&arena, &key, HEAD, "{" GOOD "}");

	(void)state;
	assert_int_equal(jwt_verify(verifier, &arena, good, NOW, UINT64_C(1) << 60, &who,
				 &expires_us, &bound),
		IDENTITY_UNAVAILABLE);
}

static void an_issuer_without_keys_is_a_finding(void **state)
{
	struct jwt_config absent = issuer;
	struct config c = config;
	struct jwt_verifier *v;
	struct findings f;

	(void)state;
	absent.jwks = S("/nowhere/keys.json");
	c.jwt = &absent;
	v = jwt_verifier_new(&c, cache);
	findings_init(&f, &arena);
	jwt_verifier_ready(v, &f);
	assert_int_equal(f.errors, 1);
	assert_string_equal(f.list[0].code, "identity.jwks");
	jwt_verifier_free(&v);
	c.jwt_count = 0;
	assert_null(jwt_verifier_new(&c, cache));
	jwt_verifier_ready(NULL, &f);
	jwt_verifier_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_token_makes_a_principal),
		cmocka_unit_test(one_subject_of_two_issuers_is_two_principals),
		cmocka_unit_test(a_token_without_id_is_named_by_a_digest),
		cmocka_unit_test(an_actor_is_the_agent),
		cmocka_unit_test(a_certificate_it_is_bound_to_is_handed_out),
		cmocka_unit_test(scopes_narrow_what_roles_grant),
		cmocka_unit_test(claims_are_held_against_what_the_operator_said),
		cmocka_unit_test(whose_and_what_kind_of_token_it_is_counts_exactly),
		cmocka_unit_test(the_form_is_exactly_three_parts_of_strict_base64url),
		cmocka_unit_test(without_fresh_keys_nothing_can_be_said),
		cmocka_unit_test(an_issuer_without_keys_is_a_finding),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
