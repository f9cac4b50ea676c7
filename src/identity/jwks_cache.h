/* jwks_cache - the issuers' key sets: fetched, kept, refreshed, given up.
 *
 * One thread of the cache fetches, one set at a time, so that no call does: a set is fetched again
 * after three quarters of its max_age, and then as often as it takes; while that fails the old one
 * goes on serving until max_stale after it was fetched.  A token that names an unknown key makes it
 * fetch at once, but for that reason at most once in JWKS_UNKNOWN_MS, however many such tokens
 * come.
 *
 * Times are of the boot clock: a set grows old while the machine sleeps, too.  Outlives
 * configurations: two that name the same place share a set.  Thread-safe. */
#pragma once
#include "identity/jwks.h"
#include "identity/jwks_fetch.h"

#define JWKS_UNKNOWN_MS 30000

struct jwks_cache;
struct jwks_source;

/* What happened to the keys of an issuer, for the log and the record.  `was`, `now`: digests, NULL
 * when there was no set before, or the set is the same. */
enum jwks_event { JWKS_CHANGED, JWKS_FAILING, JWKS_STALE, JWKS_RECOVERED };
struct jwks_news {
	enum jwks_event event;
	struct str issuer, where;
	const struct sha256 *was, *now;
	size_t keys, ignored_count;
	const struct str *ignored;
	const char *why; /* JWKS_FAILING, JWKS_STALE */
};

struct jwks_cache_config {
	/* jwks_fetch, but in tests */
	bool (*fetch)(const struct jwks_place *place, const atomic_bool *stop, struct buf *out,
		struct err *err);
	uint64_t (*boot_ms)(void); /* clock_boot_ms, but in tests */
};

struct jwks_cache *jwks_cache_new(const struct jwks_cache_config *config);
/* No source may be in use any more.  Waits for a fetch that is under way to break off. */
void jwks_cache_free(struct jwks_cache **c);
/* From now on `tell` hears the news, and first of the sets that are there.  Called by the cache's
 * thread, which waits for it: it must not call back into the cache. */
void jwks_cache_listen(
	struct jwks_cache *c, void (*tell)(void *ctx, const struct jwks_news *news), void *ctx);

/* How many calls may wait for a fetch at a time, of all sources together; more are told to come
 * back.  At first one. */
void jwks_cache_let_wait(struct jwks_cache *c, unsigned most);

/* The set of this issuer's place, which is fetched as long as anybody uses it; each use is dropped
 * once.  A set that is there already is fetched again soon. */
struct jwks_source *jwks_cache_use(struct jwks_cache *c, const struct jwt_config *config);
void jwks_source_drop(struct jwks_source *s);

/* Waits for the first set, at most as long as a fetch may take. The caller holds *out. */
bool jwks_source_ready(struct jwks_source *s, struct jwks **out, struct err *err) must_check;
/* The set in force, which the caller holds; NULL: none that is not stale. */
struct jwks *jwks_source_hold(struct jwks_source *s, uint64_t boot_ms);

enum jwks_refresh {
	JWKS_SAME, /* nothing newer: not allowed yet, failed, or as before */
	JWKS_NEWER,
	JWKS_CROWDED, /* too many wait: nothing can be said now */
};
/* *keys did not have the key that is wanted: asks for a newer set and waits for it, bounded.
 * JWKS_NEWER: the hold on *keys was moved to another set. */
enum jwks_refresh jwks_source_refresh(struct jwks_source *s, struct jwks **keys, uint64_t boot_ms);
