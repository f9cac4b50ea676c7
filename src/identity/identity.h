/* identity - from a credential to a principal.  Nothing is remembered per connection.
 *
 * Verified tokens are cached (bounded, at most IDENTITY_CACHE_MS old), so that a revoked key stops
 * within two seconds everywhere.  Signed requests are verified each time.  Thread-safe. */
#pragma once
#include "base/seal.h"
#include "identity/jwt.h"
#include "identity/principal.h"
#include "identity/shown.h"
#include "identity/verdict.h"
#include "store/keys.h"

#define IDENTITY_CACHE_MS 1000
#define IDENTITY_CACHE_MAX 4096
#define IDENTITY_SIGNED_MS 30000 /* how old, or how far ahead, the time of a key's signature is */

struct identity;

/* seal: the deployment's, under which signing keys lie in the store; it may be set later than
 * this, and while it is not, signed requests are IDENTITY_UNAVAILABLE.  jwt: NULL when no issuer is
 * configured; else it outlives the identity. */
struct identity *identity_new(const struct config *config, struct store *store,
	const struct seal *seal, struct jwt_verifier *jwt);
void identity_free(struct identity **i);

/* The principal's text lives in a. */
enum identity_verdict identity_verify(struct identity *i, struct arena *a,
	const struct credential_shown *shown, int64_t wall_us, uint64_t boot_ms,
	struct principal *out);

/* What is known of a credential behind something that stays open. */
struct held_credential {
	enum credential_kind kind;
	struct str id; /* as principal.credential */
	struct str issuer, subject, tenant, agent;
	int64_t expires_us; /* 0: never */
};
/* May what was opened with it stay open?  Asks the store: not for every request. */
bool identity_still_good(struct identity *i, const struct held_credential *held, int64_t wall_us);

/* Whom a key stands for, whether or not it is valid now.  False: nobody. */
bool principal_of_key(const struct config *config, struct arena *a, const struct key_row *row,
	struct principal *out) must_check;

/* A new key: "pstn_ENV_ID_SECRET" (dev, stg, prd; ID 12 and SECRET 43 characters, base64url of 256
 * random bits), shown once.  What the store keeps is in *row_out.  seal: NULL for a key that is
 * sent; else a signing key, "psgn_ENV_ID_SECRET", whose secret the store keeps sealed.  With
 * row_out->approver one that decides on plans, "psap_ENV_ID_SECRET". */
struct str identity_make_key(struct arena *a, enum environment environment, const struct seal *seal,
	struct key_row *row_out);
