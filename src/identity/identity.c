/* identity - see identity.h.
 *
 * A token's verdict is remembered under the SHA-256 of the token, in sets of four; the one that was
 * verified longest ago gives way.  Only principals are remembered: a flood of wrong tokens pushes
 * no right one out, and a key that was just issued works at once.
 *
 * Invariants: 1. secrets and hashes are compared in constant time.  2. nothing remembered is used
 * when older than IDENTITY_CACHE_MS or past the key's expiry.  3. a principal is complete before it
 * is published and never changes; the last of its holders frees it.  4. any doubt is not
 * IDENTITY_OK. */
#include "identity/identity.h"

#include "identity/inside.h"
#include "identity/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define WAYS 4
#define SETS (IDENTITY_CACHE_MAX / WAYS)
#define PRINCIPAL_BYTES ((size_t)64 << 20) /* far above what a configuration can grant */
#define USED_EVERY_US (60 * 1000000LL)

/* A principal with its text; shared by the cache and the calls that run for it. */
struct known {
	atomic_uint holders;
	struct arena arena;
	struct principal principal;
	int64_t expires_us;
};

struct slot {
	struct sha256 token; /* of the whole token */
	uint64_t verified_ms;
	struct known *known; /* NULL: free */
};

struct identity {
	const struct config *config;
	struct store *store;
	struct known *fixed;
	pthread_mutex_t lock;
	struct slot slots[SETS][WAYS];
};

static struct known *known_new(void)
{
	struct known *k = heap_new(struct known);

	atomic_init(&k->holders, 1);
	arena_init(&k->arena, PRINCIPAL_BYTES);
	return k;
}

static void known_drop(void *what)
{
	struct known *k = what;

	if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
		return;
	arena_done(&k->arena);
	heap_free(k);
}

static struct known *make_fixed(const struct config *config)
{
	const struct fixed_principal *f = config->fixed;
	struct known *k = known_new();
	struct principal *p = &k->principal;

	*p = (struct principal){ .subject = f->subject,
		.kind = PRINCIPAL_SERVICE,
		.tenant = f->tenant,
		.agent = f->agent,
		.credential = S("fixed"),
		.environment = str_c(environment_name(config->environment)),
		.roles = f->roles,
		.role_count = f->role_count };
	principal_finish(config, &k->arena, p);
	return k;
}

struct identity *identity_new(const struct config *config, struct store *store)
{
	struct identity *i = heap_new(struct identity);

	i->config = config;
	i->store = store;
	pthread_mutex_init(&i->lock, NULL);
	if (config->fixed)
		i->fixed = make_fixed(config);
	return i;
}

void identity_free(struct identity **i)
{
	if (!*i)
		return;
	for (size_t set = 0; set < SETS; set++)
		for (size_t way = 0; way < WAYS; way++)
			known_drop((*i)->slots[set][way].known);
	known_drop((*i)->fixed);
	pthread_mutex_destroy(&(*i)->lock);
	heap_free(*i);
	*i = NULL;
}

const char *identity_verdict_name(enum identity_verdict v)
{
	static const char *const names[] = {
		[IDENTITY_OK] = "ok",
		[IDENTITY_MISSING] = "missing",
		[IDENTITY_MALFORMED] = "malformed",
		[IDENTITY_UNKNOWN] = "unknown",
		[IDENTITY_EXPIRED] = "expired",
		[IDENTITY_REVOKED] = "revoked",
		[IDENTITY_ENVIRONMENT] = "environment",
		[IDENTITY_UNAVAILABLE] = "unavailable",
	};

	return names[v];
}

static struct slot *set_of(struct identity *i, const struct sha256 *token)
{
	return i->slots[(token->b[0] | token->b[1] << 8) % SETS];
}

/* The caller holds what is returned. */
static struct known *recall(
	struct identity *i, const struct sha256 *token, int64_t wall_us, uint64_t mono_ms)
{
	struct slot *set = set_of(i, token);
	struct known *found = NULL;

	pthread_mutex_lock(&i->lock);
	for (size_t way = 0; way < WAYS && !found; way++) {
		struct slot *s = &set[way];

		if (!s->known || !sha256_eq(&s->token, token) || mono_ms < s->verified_ms ||
			mono_ms - s->verified_ms >= IDENTITY_CACHE_MS ||
			(s->known->expires_us && wall_us >= s->known->expires_us))
			continue;
		found = s->known;
		atomic_fetch_add(&found->holders, 1);
	}
	pthread_mutex_unlock(&i->lock);
	return found;
}

static void remember(
	struct identity *i, const struct sha256 *token, uint64_t mono_ms, struct known *k)
{
	struct slot *set = set_of(i, token), *to = &set[0];
	struct known *old;

	atomic_fetch_add(&k->holders, 1);
	pthread_mutex_lock(&i->lock);
	for (size_t way = 0; way < WAYS; way++) {
		if (!set[way].known || sha256_eq(&set[way].token, token)) {
			to = &set[way];
			break;
		}
		if (set[way].verified_ms < to->verified_ms)
			to = &set[way];
	}
	old = to->known;
	*to = (struct slot){ .token = *token, .verified_ms = mono_ms, .known = k };
	pthread_mutex_unlock(&i->lock);
	known_drop(old);
}

/* NULL: the row does not describe anybody. */
static struct known *make_known(const struct config *config, const struct key_row *row)
{
	struct known *k = known_new();

	k->expires_us = row->expires_us;
	if (principal_of_key(config, &k->arena, row, &k->principal))
		return k;
	known_drop(k);
	return NULL;
}

static enum identity_verdict judge(const struct config *config, const struct token *t,
	const struct key_row *row, int64_t wall_us)
{
	/* first of all that it is their key: nobody else learns what became of it */
	if (!sha256_eq(&row->hash, &t->hash))
		return IDENTITY_UNKNOWN;
	if (!str_eq(row->environment, str_c(environment_name(config->environment))))
		return IDENTITY_ENVIRONMENT;
	if (row->revoked_us)
		return IDENTITY_REVOKED;
	if (row->expires_us && wall_us >= row->expires_us)
		return IDENTITY_EXPIRED;
	return IDENTITY_OK;
}

static void note_use(struct identity *i, const struct key_row *row, int64_t wall_us)
{
	struct err err;

	if (wall_us - row->used_us < USED_EVERY_US)
		return;
	/* best effort: who may come in does not depend on it */
	(void)!store_key_used(i->store, row->id, wall_us, &err);
}

static enum identity_verdict look_up(
	struct identity *i, const struct token *t, int64_t wall_us, struct known **out)
{
	enum identity_verdict verdict;
	struct key_row row;
	struct arena a;
	struct err err;

	arena_init(&a, (size_t)64 << 10);
	if (store_key_get(i->store, &a, t->id, &row, &err)) {
		verdict = judge(i->config, t, &row, wall_us);
		if (verdict == IDENTITY_OK && !(*out = make_known(i->config, &row)))
			verdict = IDENTITY_UNKNOWN;
		if (verdict == IDENTITY_OK)
			note_use(i, &row, wall_us);
	} else {
		verdict = err.code == E_NOT_FOUND ? IDENTITY_UNKNOWN : IDENTITY_UNAVAILABLE;
	}
	arena_done(&a);
	return verdict;
}

/* The principal's text stays as long as the arena that runs known_drop. */
static enum identity_verdict hand_out(struct known *k, struct arena *a, struct principal *out)
{
	*out = k->principal;
	arena_defer(a, known_drop, k);
	return IDENTITY_OK;
}

static enum identity_verdict verify_key(struct identity *i, struct arena *a, struct str token,
	int64_t wall_us, uint64_t mono_ms, struct principal *out)
{
	enum identity_verdict verdict;
	struct known *k = NULL;
	struct sha256 digest;
	struct token t;

	if (!token_read(token, &t))
		return IDENTITY_MALFORMED;
	if (t.environment != i->config->environment)
		return IDENTITY_ENVIRONMENT;
	sha256_of(token, &digest);
	k = recall(i, &digest, wall_us, mono_ms);
	if (k)
		return hand_out(k, a, out);
	verdict = look_up(i, &t, wall_us, &k);
	if (verdict != IDENTITY_OK)
		return verdict;
	remember(i, &digest, mono_ms, k);
	return hand_out(k, a, out);
}

enum identity_verdict identity_verify(struct identity *i, struct arena *a, struct str token,
	int64_t wall_us, uint64_t mono_ms, struct principal *out)
{
	if (i->fixed) {
		*out = i->fixed->principal; /* lives as long as the configuration */
		return IDENTITY_OK;
	}
	if (!token.n)
		return IDENTITY_MISSING;
	if (!i->config->api_keys)
		return IDENTITY_UNKNOWN;
	return verify_key(i, a, token, wall_us, mono_ms, out);
}

struct str identity_make_key(struct arena *a, enum environment environment, struct key_row *row_out)
{
	uint8_t secret[32];
	struct buf id, text;

	buf_in(&id, a, TOKEN_ID_BYTES);
	token_make_id(&id);
	random_bytes(secret, sizeof secret);
	buf_in(&text, a, TOKEN_BYTES);
	token_write(&text, environment, buf_str(&id), str_n(secret, sizeof secret));
	row_out->id = buf_str(&id);
	row_out->environment = str_c(environment_name(environment));
	sha256_of(str_n(secret, sizeof secret), &row_out->hash);
	wipe(secret, sizeof secret);
	return buf_str(&text);
}

bool identity_still_good(struct identity *i, struct str credential, int64_t wall_us)
{
	struct key_row row;
	struct arena a;
	struct err err;
	bool good;

	if (i->fixed)
		return str_eq(credential, i->fixed->principal.credential);
	arena_init(&a, PRINCIPAL_BYTES);
	good = store_key_get(i->store, &a, credential, &row, &err) && !row.revoked_us &&
	       (!row.expires_us || row.expires_us > wall_us);
	arena_done(&a);
	return good;
}
