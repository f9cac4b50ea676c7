/* known - principals that were verified, shared by a bounded memory and the calls made for them.
 *
 * Invariants: 1. a known is complete before it is published and never changes; the last of its
 * holders frees it.  2. nothing is given out of the memory that is older than IDENTITY_CACHE_MS, or
 * past its expiry.  Thread-safe.  Of this room only. */
#pragma once
#include "base/arena.h"
#include "identity/principal.h"

#include <stdatomic.h>

struct known {
	atomic_uint holders;
	struct arena arena;
	struct principal principal;
	struct str bound; /* hex SHA-256 of the certificate it must come with, or empty */
};

struct known *known_new(void); /* the caller is its one holder */
void known_drop(void *known); /* NULL is none */
/* The principal's text stays as long as the arena; takes over the caller's hold. */
void known_hand_out(struct known *k, struct arena *a, struct principal *out);

struct known_cache;
struct known_cache *known_cache_new(void);
void known_cache_free(struct known_cache **c);
/* The caller holds what is returned; NULL: not there. */
struct known *known_get(
	struct known_cache *c, const struct sha256 *token, int64_t wall_us, uint64_t boot_ms);
void known_put(
	struct known_cache *c, const struct sha256 *token, uint64_t boot_ms, struct known *k);
