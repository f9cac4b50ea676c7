/* jwt - access tokens of the configured issuers (OAuth 2.1 resource server; RFC 9068, RFC 8725).
 *
 * A token is read (jwt_read.h), its issuer found by exact text, its signature verified with one of
 * that issuer's keys (jwks_cache.h), then its claims judged (jwt_claims.h).  It is never passed on
 * and never written down.  Thread-safe; belongs to one configuration. */
#pragma once
#include "config/findings.h"
#include "identity/jwks_cache.h"
#include "identity/principal.h"
#include "identity/verdict.h"

struct jwt_verifier;

/* NULL when the configuration names no issuer.  config and cache outlive it. */
struct jwt_verifier *jwt_verifier_new(const struct config *config, struct jwks_cache *cache);
void jwt_verifier_free(struct jwt_verifier **v);

/* Waits until there are keys of every issuer; an error for each that has none, a warning for each
 * key that is ignored.  v may be NULL. */
void jwt_verifier_ready(struct jwt_verifier *v, struct findings *f);

/* The principal's text lives in the arena and in the configuration.  *expires_us_out: the token's
 * exp.  *x5t_s256_out: hex SHA-256 of the certificate it is bound to, or empty: the caller
 * compares. May wait for a refresh of the keys, bounded, when the token names one that is not
 * known. */
enum identity_verdict jwt_verify(struct jwt_verifier *v, struct arena *a, struct str token,
	int64_t wall_us, uint64_t boot_ms, struct principal *out, int64_t *expires_us_out,
	struct str *x5t_s256_out);
