/* identity - from a credential to a principal.  Nothing is remembered per connection.
 *
 * Verified keys are cached (bounded, at most IDENTITY_CACHE_MS old), so that a revoked key stops
 * within two seconds everywhere.  Thread-safe. */
#pragma once
#include "identity/jwt.h"
#include "identity/principal.h"
#include "identity/verdict.h"
#include "store/store.h"

#define IDENTITY_CACHE_MS 1000
#define IDENTITY_CACHE_MAX 4096

struct identity;

/* jwt: NULL when no issuer is configured; else it outlives the identity. */
struct identity *identity_new(
	const struct config *config, struct store *store, struct jwt_verifier *jwt);
void identity_free(struct identity **i);

/* token: what stood behind "Bearer ", empty when there was none.  The principal's text lives in a.
 */
enum identity_verdict identity_verify(struct identity *i, struct arena *a, struct str token,
	int64_t wall_us, uint64_t mono_ms, struct principal *out);

/* May what was opened with this credential stay open?  Asks the store: not for every request. */
bool identity_still_good(struct identity *i, struct str credential, int64_t wall_us);

/* A new key: "pstn_ENV_ID_SECRET" (dev, stg, prd; ID 12 and SECRET 43 characters, base64url of 256
 * random bits), shown once.  What the store keeps is in *row_out. */
struct key_row;
struct str identity_make_key(
	struct arena *a, enum environment environment, struct key_row *row_out);
