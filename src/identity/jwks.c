/* jwks - see jwks.h.
 *
 * Invariants: 1. a key is for one algorithm, fixed by its type, never by a token.  2. a key that is
 * weak, malformed, private, symmetric or for something else is not in the set.  3. two keys that a
 * token could not tell apart are both out.  4. a failure inside OpenSSL is "does not verify". */
#include "identity/jwks.h"

#include "identity/jwt_read.h"
#include "identity/principal.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdatomic.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define COORDINATE 32 /* bytes, of P-256 and Ed25519 */
#define MEMORY ((size_t)16 << 20)

struct jwks_key {
	struct str kid;
	enum jwt_algorithm algorithm;
	EVP_PKEY *key;
};

struct jwks {
	atomic_uint holders;
	struct arena arena;
	struct jwks_key *keys;
	size_t count;
	struct str *ignored;
	size_t ignored_count;
	struct sha256 digest;
};

/* --- one key --- */

static bool member_bytes(struct arena *a, const struct json *o, struct str name, struct str *out)
{
	struct str text = json_get_str(o, name);
	struct buf bytes;

	buf_in(&bytes, a, RSA_BITS_MAX / 8 + 1);
	if (!text.n || !base64url_read(text, &bytes) || !buf_ok(&bytes))
		return false;
	*out = buf_str(&bytes);
	return out->n > 0;
}

/* From the parameters that `build` holds; NULL: OpenSSL does not take them. */
static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL), *check = NULL;
	EVP_PKEY *key = NULL;

	if (!parameters || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	if (key)
		check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (key && (!check || EVP_PKEY_public_check_quick(check) != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(parameters);
	return key;
}

static const char *read_rsa(struct arena *a, const struct json *o, EVP_PKEY **out)
{
	struct str n_bytes, e_bytes;
	OSSL_PARAM_BLD *build;
	BIGNUM *n = NULL, *e = NULL;
	const char *why = NULL;

	if (!member_bytes(a, o, S("n"), &n_bytes) || !member_bytes(a, o, S("e"), &e_bytes))
		return "n or e is not base64url";
	n = BN_bin2bn((const uint8_t *)n_bytes.p, (int)n_bytes.n, NULL);
	e = BN_bin2bn((const uint8_t *)e_bytes.p, (int)e_bytes.n, NULL);
	build = OSSL_PARAM_BLD_new();
	bug_on(!n || !e || !build);
	if (BN_num_bits(n) < RSA_BITS_MIN || BN_num_bits(n) > RSA_BITS_MAX || !BN_is_odd(n))
		why = "not an RSA modulus of 2048 to 8192 bits";
	else if (!BN_is_odd(e) || BN_num_bits(e) < 17 || BN_num_bits(e) > 32)
		why = "not an odd RSA exponent of 17 to 32 bits";
	else if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
		 OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		*out = from_parameters("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return why ? why : *out ? NULL : "not an RSA key";
}

static const char *read_ec(struct arena *a, const struct json *o, EVP_PKEY **out)
{
	uint8_t point[1 + 2 * COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *build;
	struct str x, y;

	if (!str_eq(json_get_str(o, S("crv")), S("P-256")))
		return "not the curve P-256";
	if (!member_bytes(a, o, S("x"), &x) || !member_bytes(a, o, S("y"), &y) ||
		x.n != COORDINATE || y.n != COORDINATE)
		return "x or y is not base64url of 32 bytes";
	for (size_t i = 0; i < COORDINATE; i++) {
		point[1 + i] = (uint8_t)x.p[i];
		point[1 + COORDINATE + i] = (uint8_t)y.p[i];
	}
	build = OSSL_PARAM_BLD_new();
	bug_on(!build);
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(
			build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
		*out = from_parameters("EC", build);
	OSSL_PARAM_BLD_free(build);
	return *out ? NULL : "not a point of P-256";
}

static const char *read_okp(struct arena *a, const struct json *o, EVP_PKEY **out)
{
	struct str x;

	if (!str_eq(json_get_str(o, S("crv")), S("Ed25519")))
		return "not the curve Ed25519";
	if (!member_bytes(a, o, S("x"), &x) || x.n != COORDINATE)
		return "x is not base64url of 32 bytes";
	*out = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const uint8_t *)x.p, x.n);
	return *out ? NULL : "not an Ed25519 key";
}

static const struct {
	struct str kty;
	enum jwt_algorithm algorithm;
	/* NULL, or why it is ignored */
	const char *(*read)(struct arena *a, const struct json *o, EVP_PKEY **out);
} types[] = {
	{ STR_INIT("RSA"), JWT_RS256, read_rsa },
	{ STR_INIT("EC"), JWT_ES256, read_ec },
	{ STR_INIT("OKP"), JWT_EDDSA, read_okp },
};

static bool lists_verify(const struct json *ops)
{
	for (uint32_t i = 0; ops->kind == JSON_ARRAY && i < ops->count; i++)
		if (ops->items[i].kind == JSON_STRING && str_eq(ops->items[i].text, S("verify")))
			return true;
	return false;
}

/* Is it a public key for verifying with this algorithm? */
static const char *judge_purpose(const struct json *o, enum jwt_algorithm algorithm)
{
	const struct json *use = json_get(o, S("use")), *ops = json_get(o, S("key_ops"));
	const struct json *alg = json_get(o, S("alg"));

	if (json_get(o, S("d")) || json_get(o, S("k")))
		return "holds a private key";
	if (use && !str_eq(json_get_str(o, S("use")), S("sig")))
		return "use is not sig";
	if (ops && !lists_verify(ops))
		return "key_ops does not list verify";
	if (alg && !str_eq(json_get_str(o, S("alg")), str_c(jwt_algorithm_name(algorithm))))
		return "alg is not one this server verifies";
	return NULL;
}

static const char *read_key(struct arena *a, const struct json *o, struct jwks_key *out)
{
	const struct json *kid = json_get(o, S("kid"));
	struct str kty = json_get_str(o, S("kty"));
	const char *why;

	if (kid && (kid->kind != JSON_STRING || !kid->text.n || !principal_name_ok(kid->text)))
		return "kid is not a printable text of at most 256 bytes";
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!str_eq(kty, types[i].kty))
			continue;
		out->kid = kid ? arena_str(a, kid->text) : STR_NONE;
		out->algorithm = types[i].algorithm;
		why = judge_purpose(o, out->algorithm);
		return why ? why : types[i].read(a, o, &out->key);
	}
	return "kty is none of RSA, EC and OKP";
}

/* --- the set --- */

static void ignore(struct jwks *k, const struct json *o, size_t at, const char *why)
{
	struct str kid = json_get_str(o, S("kid"));

	if (!kid.n || !principal_name_ok(kid))
		kid = arena_fmt(&k->arena, "number %zu", at + 1);
	k->ignored[k->ignored_count++] = arena_fmt(&k->arena, "%.*s: %s", STR_ARG(kid), why);
}

static bool same_name(const struct jwks_key *x, const struct jwks_key *y)
{
	return x->algorithm == y->algorithm && x->kid.n && str_eq(x->kid, y->kid);
}

/* Of two keys with one name a token could mean either. */
static void drop_ambiguous(struct jwks *k)
{
	bool twice[JWKS_KEYS_MAX] = { false };
	size_t kept = 0;

	for (size_t i = 0; i < k->count; i++)
		for (size_t j = 0; j < k->count; j++)
			twice[i] |= i != j && same_name(&k->keys[i], &k->keys[j]);
	for (size_t i = 0; i < k->count; i++) {
		if (!twice[i]) {
			k->keys[kept++] = k->keys[i];
			continue;
		}
		k->ignored[k->ignored_count++] = arena_fmt(
			&k->arena, "%.*s: the kid is there twice", STR_ARG(k->keys[i].kid));
		EVP_PKEY_free(k->keys[i].key);
	}
	k->count = kept;
}

/* Over the usable keys as they were sent: order counts, space does not. */
static void digest_keys(struct jwks *k, const struct json *keys)
{
	struct arena scratch;
	struct buf text;

	arena_init(&scratch, MEMORY);
	buf_in(&text, &scratch, 2 * JWKS_MAX_BYTES);
	for (uint32_t i = 0; i < keys->count; i++)
		buf_add(&text, keys->items[i].raw);
	sha256_of(buf_str(&text), &k->digest);
	arena_done(&scratch);
}

static void take_keys(struct jwks *k, const struct json *keys)
{
	k->keys = arena_array(&k->arena, struct jwks_key, keys->count);
	k->ignored = arena_array(&k->arena, struct str, 2 * (size_t)keys->count);
	for (uint32_t i = 0; i < keys->count; i++) {
		struct jwks_key *key = &k->keys[k->count];
		const char *why = read_key(&k->arena, &keys->items[i], key);

		ERR_clear_error();
		if (why)
			ignore(k, &keys->items[i], i, why);
		else
			k->count++;
	}
	drop_ambiguous(k);
	digest_keys(k, keys);
}

bool jwks_read(struct str text, struct jwks **out, struct err *err)
{
	struct json_error error;
	const struct json *keys;
	struct arena scratch;
	struct json set;
	bool ok = false;

	if (text.n > JWKS_MAX_BYTES)
		return err_set(err, E_LIMIT, "a key set of more than 256 KiB");
	arena_init(&scratch, MEMORY);
	if (!json_parse(&scratch, text, &set, &error)) {
		err_set(err, E_INVALID, "not a key set: not JSON at byte %zu (%s)", error.offset,
			json_fault_name(error.fault));
	} else if (!json_is(keys = json_get(&set, S("keys")), JSON_ARRAY)) {
		err_set(err, E_INVALID, "not a key set: there is no array 'keys'");
	} else if (keys->count > JWKS_KEYS_MAX) {
		err_set(err, E_LIMIT, "a key set of more than %d keys", JWKS_KEYS_MAX);
	} else {
		*out = heap_new(struct jwks);
		atomic_init(&(*out)->holders, 1);
		arena_init(&(*out)->arena, MEMORY);
		take_keys(*out, keys);
		ok = true;
	}
	arena_done(&scratch);
	return ok;
}

struct jwks *jwks_hold(struct jwks *k)
{
	atomic_fetch_add(&k->holders, 1);
	return k;
}

void jwks_drop(struct jwks *k)
{
	if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
		return;
	for (size_t i = 0; i < k->count; i++)
		EVP_PKEY_free(k->keys[i].key);
	arena_done(&k->arena);
	heap_free(k);
}

size_t jwks_count(const struct jwks *k)
{
	return k->count;
}

const struct sha256 *jwks_digest(const struct jwks *k)
{
	return &k->digest;
}

const struct str *jwks_ignored(const struct jwks *k, size_t *count_out)
{
	*count_out = k->ignored_count;
	return k->ignored;
}

const struct jwks_key *jwks_find(const struct jwks *k, struct str kid, enum jwt_algorithm algorithm)
{
	const struct jwks_key *found = NULL;

	for (size_t i = 0; i < k->count; i++) {
		const struct jwks_key *key = &k->keys[i];

		if (key->algorithm != algorithm || (kid.n && !str_eq(key->kid, kid)))
			continue;
		if (found)
			return NULL;
		found = key;
	}
	return found;
}

/* --- signatures --- */

/* RFC 7518 section 3.4: r and s, 32 bytes each; OpenSSL wants them in DER. */
static uint8_t *ecdsa_der(struct str signature, size_t *n_out)
{
	const uint8_t *b = (const uint8_t *)signature.p;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(b, COORDINATE, NULL);
	BIGNUM *s = BN_bin2bn(b + COORDINATE, COORDINATE, NULL);
	uint8_t *der = NULL;
	int n;

	bug_on(!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1);
	n = i2d_ECDSA_SIG(pair, &der);
	ECDSA_SIG_free(pair);
	*n_out = n > 0 ? (size_t)n : 0;
	return der;
}

static bool verifies(
	const struct jwks_key *key, struct str text, const uint8_t *signature, size_t n)
{
	const char *digest = key->algorithm == JWT_EDDSA ? NULL : "SHA256";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key->key, NULL) == 1 &&
	     EVP_DigestVerify(ctx, signature, n, (const uint8_t *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool jwks_verify(const struct jwks_key *key, struct str text, struct str signature)
{
	uint8_t *der;
	size_t n;
	bool ok;

	if (key->algorithm != JWT_ES256)
		return verifies(key, text, (const uint8_t *)signature.p, signature.n);
	if (signature.n != 2 * COORDINATE)
		return false;
	der = ecdsa_der(signature, &n);
	ok = der && verifies(key, text, der, n);
	OPENSSL_free(der);
	return ok;
}
