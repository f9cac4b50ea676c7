/* jwt - see jwt.h.
 *
 * Invariants: 1. no claim but iss is looked at before the signature was verified.  2. the algorithm
 * is one that this issuer may use, and the key's own.  3. only a key of the token's issuer verifies
 * it.  4. no keys, or none that are fresh enough: IDENTITY_UNAVAILABLE, never a guess. */
#include "identity/jwt.h"

#include "identity/inside.h"
#include "identity/jwt_claims.h"

struct issuer {
	const struct jwt_config *config;
	struct jwks_source *keys;
};

struct jwt_verifier {
	const struct config *config;
	struct issuer *issuers;
	size_t count;
};

struct jwt_verifier *jwt_verifier_new(const struct config *config, struct jwks_cache *cache)
{
	struct jwt_verifier *v;

	if (!config->jwt_count)
		return NULL;
	v = heap_new(struct jwt_verifier);
	v->config = config;
	v->count = config->jwt_count;
	v->issuers = heap_alloc(v->count * sizeof *v->issuers);
	for (size_t i = 0; i < v->count; i++) {
		const struct jwt_config *c = &config->jwt[i];

		v->issuers[i].config = c;
		v->issuers[i].keys = jwks_cache_use(cache, c);
	}
	return v;
}

void jwt_verifier_free(struct jwt_verifier **v)
{
	if (!*v)
		return;
	for (size_t i = 0; i < (*v)->count; i++)
		jwks_source_drop((*v)->issuers[i].keys);
	heap_free((*v)->issuers);
	heap_free(*v);
	*v = NULL;
}

static void warn_of_ignored(const struct jwt_config *c, const struct jwks *keys, struct findings *f)
{
	size_t count;
	const struct str *ignored = jwks_ignored(keys, &count);

	for (size_t i = 0; i < count; i++)
		finding_warn(f, c->at, "identity.key_ignored",
			arena_fmt(f->a, "a key of %.*s is ignored: %.*s", STR_ARG(c->issuer),
				STR_ARG(ignored[i])),
			S("tokens signed with it are refused"));
}

void jwt_verifier_ready(struct jwt_verifier *v, struct findings *f)
{
	for (size_t i = 0; v && i < v->count; i++) {
		const struct jwt_config *c = v->issuers[i].config;
		struct jwks *keys = NULL;
		struct err err;

		if (!jwks_source_ready(v->issuers[i].keys, &keys, &err)) {
			finding_error(f, c->at, "identity.jwks",
				arena_fmt(f->a, "no keys of issuer %.*s: %s", STR_ARG(c->issuer),
					err.text),
				S("without them no token can be verified: correct 'jwks', or make "
				  "the issuer answer"));
			continue;
		}
		warn_of_ignored(c, keys, f);
		if (!jwks_count(keys))
			finding_error(f, c->at, "identity.jwks",
				arena_fmt(f->a, "the key set of issuer %.*s holds no usable key",
					STR_ARG(c->issuer)),
				S("RSA of 2048 bits and more, P-256 and Ed25519 are usable"));
		jwks_drop(keys);
	}
}

static const struct issuer *find_issuer(const struct jwt_verifier *v, const struct jwt *token)
{
	const struct json *iss = json_get(&token->claims, S("iss"));

	for (size_t i = 0; json_is(iss, JSON_STRING) && i < v->count; i++)
		if (str_eq(iss->text, v->issuers[i].config->issuer))
			return &v->issuers[i];
	return NULL;
}

static enum identity_verdict check_with(const struct jwks *keys, const struct jwt *token)
{
	const struct jwks_key *key = jwks_find(keys, token->kid, token->algorithm);

	if (!key)
		return IDENTITY_KEY;
	return jwks_verify(key, token->signed_text, token->signature) ? IDENTITY_OK
								      : IDENTITY_SIGNATURE;
}

/* A key that is not there may have come since the set was fetched. */
static enum identity_verdict check_signature(
	const struct issuer *issuer, const struct jwt *token, uint64_t boot_ms)
{
	struct jwks *keys = jwks_source_hold(issuer->keys, boot_ms);
	enum identity_verdict verdict;

	if (!keys)
		return IDENTITY_UNAVAILABLE;
	verdict = check_with(keys, token);
	if (verdict == IDENTITY_KEY) {
		switch (jwks_source_refresh(issuer->keys, &keys, boot_ms)) {
		case JWKS_NEWER:
			verdict = check_with(keys, token);
			break;
		case JWKS_CROWDED:
			verdict = IDENTITY_UNAVAILABLE;
			break;
		case JWKS_SAME:
			break;
		}
	}
	jwks_drop(keys);
	return verdict;
}

enum identity_verdict jwt_verify(struct jwt_verifier *v, struct arena *a, struct str token,
	int64_t wall_us, uint64_t boot_ms, struct principal *out, int64_t *expires_us_out,
	struct str *x5t_s256_out)
{
	enum identity_verdict verdict;
	const struct issuer *issuer;
	struct jwt t;

	verdict = jwt_read(a, token, &t);
	if (verdict != IDENTITY_OK)
		return verdict;
	issuer = find_issuer(v, &t);
	if (!issuer)
		return IDENTITY_ISSUER;
	if (!(issuer->config->algorithms & t.algorithm))
		return IDENTITY_ALG;
	verdict = check_signature(issuer, &t, boot_ms);
	if (verdict == IDENTITY_OK)
		verdict = jwt_claims_judge(issuer->config, &t, wall_us, expires_us_out);
	if (verdict == IDENTITY_OK)
		verdict = jwt_claims_principal(v->config, issuer->config, a, &t, out, x5t_s256_out);
	if (verdict == IDENTITY_OK)
		principal_finish(v->config, a, out);
	return verdict;
}
