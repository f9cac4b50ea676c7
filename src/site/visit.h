/* visit - one person, signed in at the approval pages.
 *
 * A visit is a line in this process's memory, found by a random text that only the browser has (a
 * cookie); here is its hash.  It says which credential opened it and lends nothing: the credential
 * is looked up again with every request.  A visit ends idle after VISIT_IDLE_MS, and after
 * VISIT_MOST_MS whatever happens.  Bounded: a new one takes the place of the person's own
 * oldest, then of the one that was not used for longest.  Thread-safe. */
#pragma once
#include "base/arena.h"
#include "base/digest.h"

#define VISIT_IDLE_MS ((uint64_t)15 * 60 * 1000)
#define VISIT_MOST_MS ((uint64_t)8 * 3600 * 1000)
#define VISIT_RECENT_MS ((uint64_t)15 * 60 * 1000) /* deciding needs a sign-in not older */
#define VISITS_MAX 1024
#define VISITS_OF_ONE 8 /* of one person with one credential */
#define VISIT_TEXT_BYTES 43 /* 256 random bits in base64url */

struct visit {
	struct sha256 name; /* of the browser's text */
	struct secret key; /* under which its forms are made; not the browser's */
	struct str credential; /* id, as principal.credential; in the arena of visits_find */
	struct sha256 who; /* principal_proof of who signed in: who it must still be */
	uint64_t since_ms; /* of clock_boot_ms, as are all times here */
};

struct visits;

struct visits *visits_new(void);
void visits_free(struct visits **v);

/* The browser's text, in the arena.  credential: at most VISIT_CREDENTIAL_BYTES. */
#define VISIT_CREDENTIAL_BYTES 384
struct str visits_begin(struct visits *v, struct arena *a, struct str credential,
	const struct sha256 *who, uint64_t boot_ms);
/* False: there is none, or it is over. */
bool visits_find(struct visits *v, struct arena *a, struct str text, uint64_t boot_ms,
	struct visit *out) must_check;
void visits_end(struct visits *v, const struct sha256 *name);
unsigned visits_count(struct visits *v);

bool visit_is_recent(const struct visit *v, uint64_t boot_ms);

/* What a form carries to show that this visit was shown it: over `about`, for this visit alone. */
struct str visit_seal(const struct visit *v, struct arena *a, struct str about);
bool visit_sealed(
	const struct visit *v, struct arena *a, struct str about, struct str shown) must_check;
