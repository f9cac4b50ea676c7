/* known - see known.h.
 *
 * A token's verdict is remembered under the SHA-256 of the token, in sets of four; the one that was
 * verified longest ago gives way.  Only principals are remembered: a flood of wrong tokens pushes
 * no right one out, and a key that was just issued works at once. */
#include "identity/known.h"

#include "identity/identity.h"

#include <pthread.h>

#define WAYS 4
#define SETS (IDENTITY_CACHE_MAX / WAYS)
#define PRINCIPAL_BYTES ((size_t)64 << 20) /* far above what a configuration can grant */

struct slot {
	struct sha256 token; /* of the whole token */
	uint64_t verified_ms;
	struct known *known; /* NULL: free */
};

struct known_cache {
	pthread_mutex_t lock;
	struct slot slots[SETS][WAYS];
};

struct known *known_new(void)
{
	struct known *k = heap_new(struct known);

	atomic_init(&k->holders, 1);
	arena_init(&k->arena, PRINCIPAL_BYTES);
	return k;
}

void known_drop(void *known)
{
	struct known *k = known;

	if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
		return;
	arena_done(&k->arena);
	heap_free(k);
}

void known_hand_out(struct known *k, struct arena *a, struct principal *out)
{
	*out = k->principal;
	arena_defer(a, known_drop, k);
}

struct known_cache *known_cache_new(void)
{
	struct known_cache *c = heap_new(struct known_cache);

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void known_cache_free(struct known_cache **c)
{
	if (!*c)
		return;
	for (size_t set = 0; set < SETS; set++)
		for (size_t way = 0; way < WAYS; way++)
			known_drop((*c)->slots[set][way].known);
	pthread_mutex_destroy(&(*c)->lock);
	heap_free(*c);
	*c = NULL;
}

static struct slot *set_of(struct known_cache *c, const struct sha256 *token)
{
	return c->slots[(token->b[0] | token->b[1] << 8) % SETS];
}

static bool is_good(const struct slot *s, int64_t wall_us, uint64_t boot_ms)
{
	int64_t expires_us = s->known->principal.expires_us;

	return boot_ms >= s->verified_ms && boot_ms - s->verified_ms < IDENTITY_CACHE_MS &&
	       (!expires_us || wall_us < expires_us);
}

struct known *known_get(
	struct known_cache *c, const struct sha256 *token, int64_t wall_us, uint64_t boot_ms)
{
	struct slot *set = set_of(c, token);
	struct known *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t way = 0; way < WAYS && !found; way++) {
		struct slot *s = &set[way];

		if (!s->known || !sha256_eq(&s->token, token) || !is_good(s, wall_us, boot_ms))
			continue;
		found = s->known;
		atomic_fetch_add(&found->holders, 1);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

void known_put(struct known_cache *c, const struct sha256 *token, uint64_t boot_ms, struct known *k)
{
	struct slot *set = set_of(c, token), *to = &set[0];
	struct known *old;

	atomic_fetch_add(&k->holders, 1);
	pthread_mutex_lock(&c->lock);
	for (size_t way = 0; way < WAYS; way++) {
		if (!set[way].known || sha256_eq(&set[way].token, token)) {
			to = &set[way];
			break;
		}
		if (set[way].verified_ms < to->verified_ms)
			to = &set[way];
	}
	old = to->known;
	*to = (struct slot){ .token = *token, .verified_ms = boot_ms, .known = k };
	pthread_mutex_unlock(&c->lock);
	known_drop(old);
}
