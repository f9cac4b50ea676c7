/* identity - from a credential to a principal.  Nothing is remembered per connection.
 *
 * Verified keys are cached (bounded, at most IDENTITY_CACHE_MS old), so that a revoked key stops
 * within two seconds everywhere.  Thread-safe. */
#pragma once
#include "identity/principal.h"
#include "store/keys.h"

#define IDENTITY_CACHE_MS 1000
#define IDENTITY_CACHE_MAX 4096

struct identity;

struct identity *identity_new(const struct config *config, struct store *store);
void identity_free(struct identity **i);

enum identity_verdict {
	IDENTITY_OK,
	IDENTITY_MISSING, /* no credential */
	IDENTITY_MALFORMED, /* not the form of a credential */
	IDENTITY_UNKNOWN, /* no such key */
	IDENTITY_EXPIRED,
	IDENTITY_REVOKED,
	IDENTITY_ENVIRONMENT, /* made for another environment */
	IDENTITY_UNAVAILABLE, /* the store did not answer */
};
const char *identity_verdict_name(enum identity_verdict v);

/* token: what stood behind "Bearer ", empty when there was none.  The principal's text lives in a.
 */
enum identity_verdict identity_verify(struct identity *i, struct arena *a, struct str token,
	int64_t wall_us, uint64_t mono_ms, struct principal *out);

/* May what was opened with this credential stay open?  Asks the store: not for every request. */
bool identity_still_good(struct identity *i, struct str credential, int64_t wall_us);

/* Whom a key stands for, whether or not it is valid now.  False: nobody. */
bool principal_of_key(const struct config *config, struct arena *a, const struct key_row *row,
	struct principal *out) must_check;

/* A new key: "pstn_ENV_ID_SECRET" (dev, stg, prd; ID 12 and SECRET 43 characters, base64url of 256
 * random bits), shown once.  What the store keeps is in *row_out. */
struct key_row;
struct str identity_make_key(
	struct arena *a, enum environment environment, struct key_row *row_out);
