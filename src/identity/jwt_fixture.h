/* jwt_fixture - for tests: keys, their JWK, and tokens signed with them. */
#pragma once
#include "base/buf.h"
#include "base/digest.h"
#include "config/config.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

struct test_key {
	enum jwt_algorithm algorithm;
	const char *kid;
	EVP_PKEY *key;
};

static inline struct test_key test_key_make(enum jwt_algorithm algorithm, const char *kid)
{
	struct test_key k = { .algorithm = algorithm, .kid = kid };

	if (algorithm == JWT_RS256)
		k.key = EVP_RSA_gen(2048);
	else if (algorithm == JWT_ES256)
		k.key = EVP_EC_gen("P-256");
	else
		k.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bug_on(!k.key);
	return k;
}

static inline struct str test_b64(struct arena *a, struct str bytes)
{
	struct buf out;

	buf_in(&out, a, 1 << 16);
	base64url_write(&out, bytes);
	return buf_str(&out);
}

static inline struct str test_bignum(struct arena *a, EVP_PKEY *key, const char *name, size_t bytes)
{
	BIGNUM *n = NULL;
	char *space;

	bug_on(EVP_PKEY_get_bn_param(key, name, &n) != 1);
	if (!bytes)
		bytes = (size_t)BN_num_bytes(n);
	space = arena_alloc(a, bytes);
	bug_on(BN_bn2binpad(n, (unsigned char *)space, (int)bytes) < 0);
	BN_free(n);
	return test_b64(a, str_n(space, bytes));
}

/* The members of its JWK without braces. */
static inline struct str test_jwk(struct arena *a, const struct test_key *k)
{
	unsigned char raw[32];
	size_t n = sizeof raw;

	if (k->algorithm == JWT_RS256) {
		struct str m = test_bignum(a, k->key, OSSL_PKEY_PARAM_RSA_N, 0);
		struct str e = test_bignum(a, k->key, OSSL_PKEY_PARAM_RSA_E, 0);

		return arena_fmt(a, "\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%.*s\",\"e\":\"%.*s\"",
			k->kid, STR_ARG(m), STR_ARG(e));
	}
	if (k->algorithm == JWT_ES256) {
		struct str x = test_bignum(a, k->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		struct str y = test_bignum(a, k->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);

		return arena_fmt(a,
			"\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%.*s\",\"y\":\"%."
			"*s\"",
			k->kid, STR_ARG(x), STR_ARG(y));
	}
	bug_on(EVP_PKEY_get_raw_public_key(k->key, raw, &n) != 1);
	return arena_fmt(a, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%.*s\"",
		k->kid, STR_ARG(test_b64(a, str_n(raw, n))));
}

static inline struct str test_jwks(struct arena *a, const struct test_key *keys, size_t count)
{
	struct buf out;

	buf_in(&out, a, 1 << 16);
	buf_lit(&out, "{\"keys\":[");
	for (size_t i = 0; i < count; i++) {
		buf_add(&out, i ? S(",{") : S("{"));
		buf_add(&out, test_jwk(a, &keys[i]));
		buf_char(&out, '}');
	}
	buf_lit(&out, "]}");
	return buf_str(&out);
}

/* DER to r and s. */
static inline size_t test_raw_ecdsa(unsigned char *signature, size_t n)
{
	const unsigned char *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);

	bug_on(!pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32);
	ECDSA_SIG_free(pair);
	return 64;
}

static inline struct str test_sign(struct arena *a, const struct test_key *k, struct str text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[512];
	size_t n = sizeof signature;

	bug_on(EVP_DigestSignInit_ex(ctx, NULL, k->algorithm == JWT_EDDSA ? NULL : "SHA256", NULL,
		       NULL, k->key, NULL) != 1);
	bug_on(EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.p, text.n) != 1);
	EVP_MD_CTX_free(ctx);
	if (k->algorithm == JWT_ES256)
		n = test_raw_ecdsa(signature, n);
	return arena_str(a, str_n(signature, n));
}

/* header, claims: JSON text as it is to be sent. */
static inline struct str test_token(
	struct arena *a, const struct test_key *k, const char *header, const char *claims)
{
	struct str text = arena_fmt(a, "%.*s.%.*s", STR_ARG(test_b64(a, str_c(header))),
		STR_ARG(test_b64(a, str_c(claims))));

	return arena_fmt(
		a, "%.*s.%.*s", STR_ARG(text), STR_ARG(test_b64(a, test_sign(a, k, text))));
}
