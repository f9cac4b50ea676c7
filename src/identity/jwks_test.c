#include "identity/jwks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "identity/jwt_fixture.h"

static struct test_key keys[3];
static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	keys[0] = test_key_make(JWT_RS256, "rsa");
	keys[1] = test_key_make(JWT_ES256, "ec");
	keys[2] = test_key_make(JWT_EDDSA, "ed");
	arena_init(&arena, (size_t)16 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		EVP_PKEY_free(keys[i].key);
	arena_done(&arena);
	return 0;
}

static struct jwks *read_set(struct str text)
{
	struct jwks *set = NULL;
	struct err err;

	if (!jwks_read(text, &set, &err))
		fail_msg("%s", err.text);
	return set;
}

static void each_kind_of_key_verifies_its_own_signatures_only(void **state)
{
	struct jwks *set = read_set(test_jwks(&arena, keys, ARRAY_LEN(keys)));
	struct str text = S("what was signed");

	(void)state;
	assert_int_equal(jwks_count(set), 3);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str signature = test_sign(&arena, &keys[i], text);
		const struct jwks_key *key = jwks_find(set, str_c(keys[i].kid), keys[i].algorithm);

		assert_non_null(key);
		assert_true(jwks_verify(key, text, signature));
		assert_false(jwks_verify(key, S("what was not"), signature));
		assert_false(jwks_verify(key, text, str_sub(signature, 0, signature.n - 1)));
		assert_false(jwks_verify(key, text, STR_NONE));
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (k != i)
				assert_false(
					jwks_verify(key, text, test_sign(&arena, &keys[k], text)));
	}
	jwks_drop(set);
}

static void a_key_is_found_by_id_and_algorithm_together(void **state)
{
	struct test_key again[2] = { keys[1], keys[1] };
	struct jwks *set = read_set(test_jwks(&arena, keys, ARRAY_LEN(keys)));

	(void)state;
	assert_null(jwks_find(set, S("ec"), JWT_RS256));
	assert_null(jwks_find(set, S("EC"), JWT_ES256));
	assert_null(jwks_find(set, S("other"), JWT_ES256));
	assert_non_null(jwks_find(set, STR_NONE, JWT_ES256)); /* the only one */
	jwks_drop(set);
	again[1].kid = "second";
	set = read_set(test_jwks(&arena, again, 2));
	assert_null(jwks_find(set, STR_NONE, JWT_ES256)); /* which of the two? */
	assert_non_null(jwks_find(set, S("second"), JWT_ES256));
	jwks_drop(set);
	again[1].kid = again[0].kid;
	set = read_set(test_jwks(&arena, again, 2));
	assert_int_equal(jwks_count(set), 0);
	jwks_drop(set);
}

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void what_is_weak_or_for_something_else_is_ignored(void **state)
{
	/* %s: the members of a good P-256 key */
	static const char *const rows[] = {
		"{%s,\"use\":\"enc\"}",
		"{%s,\"use\":1}",
		"{%s,\"key_ops\":[\"sign\"]}",
		"{%s,\"key_ops\":\"verify\"}",
		"{%s,\"alg\":\"ES384\"}",
		"{%s,\"alg\":null}",
		"{%s,\"d\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-192\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
		"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ZEROS "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}",
		"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		"{\"kty\":7}",
		"{}",
		"[]",
		"\"key\"",
		"{%s,\"kid\":\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_key anonymous = {
			.algorithm = JWT_ES256, .kid = "k", .key = keys[1].key
		};
		struct buf text;
		struct jwks *set;
		const char *at = strstr(rows[i], "%s");
		size_t count;

		buf_in(&text, &arena, 1 << 16);
		buf_lit(&text, "{\"keys\":[");
		buf_add(&text, str_n(rows[i], at ? (size_t)(at - rows[i]) : strlen(rows[i])));
		if (at) {
			buf_add(&text, test_jwk(&arena, &anonymous));
			buf_add(&text, str_c(at + 2));
		}
		buf_lit(&text, "]}");
		if (strstr(rows[i], "kid")) { /* then twice: not JSON we read */
			struct err err;

			assert_false(jwks_read(buf_str(&text), &set, &err));
			continue;
		}
		set = read_set(buf_str(&text));
		if (jwks_count(set))
			fail_msg("taken: %s", rows[i]);
		jwks_ignored(set, &count);
		assert_int_equal(count, 1);
		jwks_drop(set);
	}
}

static void a_good_key_may_say_what_it_is_for(void **state)
{
	struct str members = test_jwk(&arena, &keys[1]);
	struct jwks *set = read_set(arena_fmt(&arena,
		"{\"keys\":[{%.*s,\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"],"
		"\"alg\":\"ES256\",\"x5t\":\"whatever\"}],\"more\":1}",
		STR_ARG(members)));

	(void)state;
	assert_int_equal(jwks_count(set), 1);
	jwks_drop(set);
}

static void an_rsa_key_is_judged_by_its_numbers(void **state)
{
	static const struct {
		bool short_n;
		const char *e;
		size_t usable;
	} rows[] = { { true, "AQAB", 0 }, { false, "AQAB", 1 }, { false, "AQ", 0 },
		{ false, "Aw", 0 }, { false, "AQAA", 0 }, { false, "AQAAAAE", 0 } };
	struct str n = test_bignum(&arena, keys[0].key, OSSL_PKEY_PARAM_RSA_N, 0);
	char odd[128];

	(void)state;
	memset(odd, 0xff, sizeof odd);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str m = rows[i].short_n ? test_b64(&arena, str_n(odd, sizeof odd)) : n;
		struct jwks *set = read_set(arena_fmt(&arena,
			"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%.*s\",\"e\":\"%s\"}]}", STR_ARG(m),
			rows[i].e));

		assert_int_equal(jwks_count(set), rows[i].usable);
		jwks_drop(set);
	}
}

static void what_is_not_a_key_set_is_refused(void **state)
{
	static const char *const rows[] = { "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]} x",
		"<html>", "{\"keys\":[],\"keys\":[]}" };
	struct buf many;
	struct jwks *set;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(jwks_read(str_c(rows[i]), &set, &err));
	buf_in(&many, &arena, 1 << 16);
	buf_lit(&many, "{\"keys\":[1");
	for (size_t i = 0; i < JWKS_KEYS_MAX; i++)
		buf_lit(&many, ",1");
	buf_lit(&many, "]}");
	assert_false(jwks_read(buf_str(&many), &set, &err));
	assert_int_equal(err.code, E_LIMIT);
	set = read_set(S("{\"keys\":[]}"));
	assert_int_equal(jwks_count(set), 0);
	jwks_drop(set);
}

static void the_digest_changes_with_the_keys_and_not_with_the_space(void **state)
{
	struct str text = test_jwks(&arena, keys, 2);
	struct jwks *a = read_set(text), *c = read_set(test_jwks(&arena, keys, 1));
	struct jwks *b = read_set(arena_fmt(&arena, " %.*s ", STR_ARG(text)));

	(void)state;
	assert_true(sha256_eq(jwks_digest(a), jwks_digest(b)));
	assert_false(sha256_eq(jwks_digest(a), jwks_digest(c)));
	jwks_drop(jwks_hold(a));
	jwks_drop(a);
	jwks_drop(b);
	jwks_drop(c);
	jwks_drop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_key_verifies_its_own_signatures_only),
		cmocka_unit_test(a_key_is_found_by_id_and_algorithm_together),
		cmocka_unit_test(what_is_weak_or_for_something_else_is_ignored),
		cmocka_unit_test(a_good_key_may_say_what_it_is_for),
		cmocka_unit_test(an_rsa_key_is_judged_by_its_numbers),
		cmocka_unit_test(what_is_not_a_key_set_is_refused),
		cmocka_unit_test(the_digest_changes_with_the_keys_and_not_with_the_space),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
