/* jwks - an issuer's public keys (RFC 7517, RFC 7518, RFC 8037), and what they verify.
 *
 * Of a set only what is safe and ours is taken: RSA of 2048 to 8192 bits with an odd exponent of at
 * least 65537, points of P-256, Ed25519, for verifying signatures.  The rest is ignored, each with
 * a reason.  A set never changes once it was read; it is counted, and whoever drops it last frees
 * it.  Thread-safe. */
#pragma once
#include "base/digest.h"
#include "config/config.h"

#define JWKS_MAX_BYTES ((size_t)256 << 10)
#define JWKS_KEYS_MAX 64

struct jwks;

/* With one holder.  False: not a key set.  A set without a usable key is a set. */
bool jwks_read(struct str text, struct jwks **out, struct err *err) must_check;
struct jwks *jwks_hold(struct jwks *k);
void jwks_drop(struct jwks *k); /* may be NULL */

size_t jwks_count(const struct jwks *k);
/* Over the keys and their ids: what changed when it does. */
const struct sha256 *jwks_digest(const struct jwks *k);
/* "KID: why", of those that were ignored. */
const struct str *jwks_ignored(const struct jwks *k, size_t *count_out);

struct jwks_key;
/* The one key with this id for this algorithm; without an id, the only one for the algorithm.
 * NULL: there is none, or more than one. */
const struct jwks_key *jwks_find(
	const struct jwks *k, struct str kid, enum jwt_algorithm algorithm);
/* signature: as JWS writes it (RFC 7518 section 3). */
bool jwks_verify(const struct jwks_key *key, struct str text, struct str signature) must_check;
