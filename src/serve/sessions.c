/* sessions - see sessions.h.
 *
 * Invariants: 1. entries of an owner are in order of use, the latest first, and so are the owners;
 * one without entries is not there.  2. count is that of all entries, at most SESSIONS_MAX.  3.
 * each stands in the chain of its nonce's hash, too. */
#include "serve/sessions.h"

#include "base/map.h"

#include <pthread.h>
#include <string.h>

#define NONCE_MAX 64
#define LEVEL_MAX 16
#define CHAINS 4096
_Static_assert((CHAINS & (CHAINS - 1)) == 0, "a mask picks the chain");

struct session {
	struct session *newer, *older, *same_hash;
	struct session_owner *owner;
	char nonce[NONCE_MAX], level[LEVEL_MAX];
	size_t nonce_bytes, level_bytes;
	struct str uris[SESSION_URIS_MAX]; /* heap */
	size_t uri_count;
};

struct session_owner {
	struct session_owner *newer, *older;
	struct sha256 who;
	struct session *newest, *oldest;
	size_t count;
};

struct sessions {
	pthread_mutex_t lock;
	struct session_owner *newest, *oldest;
	struct session *chains[CHAINS];
	size_t count;
	struct spent *ended;
};

struct sessions *sessions_new(void)
{
	struct sessions *s = heap_new(struct sessions);

	pthread_mutex_init(&s->lock, NULL);
	s->ended = spent_new(SPENT_MAX, SPENT_OWNERS);
	return s;
}

static void free_text(struct str s)
{
	union {
		const char *in;
		void *out;
	} p = { .in = s.p };

	heap_free(p.out);
}

static void free_session(struct session *e)
{
	for (size_t i = 0; i < e->uri_count; i++)
		free_text(e->uris[i]);
	heap_free(e);
}

/* All of these under the lock. */

static struct session **chain_of(struct sessions *s, struct str nonce)
{
	return &s->chains[siphash_of(nonce) & (CHAINS - 1)];
}

static struct str nonce_of(const struct session *e)
{
	return str_n(e->nonce, e->nonce_bytes);
}

static void unlink_owner(struct sessions *s, struct session_owner *o)
{
	*(o->newer ? &o->newer->older : &s->newest) = o->older;
	*(o->older ? &o->older->newer : &s->oldest) = o->newer;
}

static void link_owner(struct sessions *s, struct session_owner *o)
{
	o->newer = NULL;
	o->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = o;
	s->newest = o;
}

static void unlink_use(struct session *e)
{
	struct session_owner *o = e->owner;

	*(e->newer ? &e->newer->older : &o->newest) = e->older;
	*(e->older ? &e->older->newer : &o->oldest) = e->newer;
}

static void link_newest(struct session *e)
{
	struct session_owner *o = e->owner;

	e->newer = NULL;
	e->older = o->newest;
	*(o->newest ? &o->newest->newer : &o->oldest) = e;
	o->newest = e;
}

/* The entry, now the latest used; NULL when there is none. */
static struct session *find(struct sessions *s, struct str nonce)
{
	struct session *e = *chain_of(s, nonce);

	while (e && !str_eq(nonce_of(e), nonce))
		e = e->same_hash;
	if (e) {
		unlink_use(e);
		link_newest(e);
		unlink_owner(s, e->owner);
		link_owner(s, e->owner);
	}
	return e;
}

static void forget_oldest(struct sessions *s, struct session_owner *o)
{
	struct session *e = o->oldest, **at = chain_of(s, nonce_of(e));

	while (*at != e)
		at = &(*at)->same_hash;
	*at = e->same_hash;
	unlink_use(e);
	free_session(e);
	s->count--;
	if (--o->count)
		return;
	unlink_owner(s, o);
	heap_free(o);
}

/* Of several, the longest unused. */
static struct session_owner *largest(struct sessions *s)
{
	struct session_owner *found = s->oldest;

	for (struct session_owner *o = s->oldest; o; o = o->newer)
		if (o->count > found->count)
			found = o;
	return found;
}

static struct session_owner *owner_of(struct sessions *s, const struct sha256 *who)
{
	struct session_owner *o = s->newest;

	while (o && !sha256_eq(&o->who, who))
		o = o->older;
	if (o)
		return o;
	o = heap_new(struct session_owner);
	o->who = *who;
	link_owner(s, o);
	return o;
}

static struct session *find_or_add(struct sessions *s, const struct sha256 *owner, struct str nonce)
{
	struct session *e = find(s, nonce), **chain = chain_of(s, nonce);

	if (e)
		return e;
	bug_on(nonce.n > NONCE_MAX);
	if (s->count == SESSIONS_MAX)
		forget_oldest(s, largest(s));
	e = heap_new(struct session);
	memcpy(e->nonce, nonce.p, nonce.n);
	e->nonce_bytes = nonce.n;
	e->same_hash = *chain;
	*chain = e;
	e->owner = owner_of(s, owner);
	e->owner->count++;
	link_newest(e);
	s->count++;
	return e;
}

/* --- from any thread --- */

void sessions_free(struct sessions **s)
{
	while ((*s)->oldest)
		forget_oldest(*s, (*s)->oldest);
	spent_free(&(*s)->ended);
	pthread_mutex_destroy(&(*s)->lock);
	heap_free(*s);
	*s = NULL;
}

void sessions_end(
	struct sessions *s, const struct sha256 *owner, struct str nonce, int64_t issued_us)
{
	spent_add(s->ended, owner, nonce, issued_us);
}

bool sessions_ended(
	struct sessions *s, const struct sha256 *owner, struct str nonce, int64_t issued_us)
{
	return spent_has(s->ended, owner, nonce, issued_us);
}

void sessions_set_level(
	struct sessions *s, const struct sha256 *owner, struct str nonce, struct str level)
{
	struct session *e;

	pthread_mutex_lock(&s->lock);
	e = find_or_add(s, owner, nonce);
	e->level_bytes = MIN(level.n, (size_t)LEVEL_MAX);
	memcpy(e->level, level.p, e->level_bytes);
	pthread_mutex_unlock(&s->lock);
}

struct str sessions_level(struct sessions *s, struct arena *a, struct str nonce)
{
	char level[LEVEL_MAX];
	size_t level_bytes = 0;
	struct session *e;

	pthread_mutex_lock(&s->lock);
	e = find(s, nonce);
	if (e) {
		level_bytes = e->level_bytes;
		memcpy(level, e->level, level_bytes);
	}
	pthread_mutex_unlock(&s->lock);
	/* not under the lock: an arena that is used up jumps */
	return level_bytes ? arena_str(a, str_n(level, level_bytes)) : STR_NONE;
}

static size_t find_uri(const struct session *e, struct str uri)
{
	size_t i = 0;

	while (i < e->uri_count && !str_eq(e->uris[i], uri))
		i++;
	return i;
}

bool sessions_subscribe(
	struct sessions *s, const struct sha256 *owner, struct str nonce, struct str uri)
{
	struct session *e;
	bool ok;

	if (uri.n > SESSION_URI_BYTES)
		return false;
	pthread_mutex_lock(&s->lock);
	e = find_or_add(s, owner, nonce);
	ok = find_uri(e, uri) < e->uri_count;
	if (!ok && e->uri_count < SESSION_URIS_MAX) {
		char *copy = heap_alloc(uri.n);

		memcpy(copy, uri.p, uri.n);
		e->uris[e->uri_count++] = str_n(copy, uri.n);
		ok = true;
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

void sessions_unsubscribe(struct sessions *s, struct str nonce, struct str uri)
{
	struct session *e;

	pthread_mutex_lock(&s->lock);
	e = find(s, nonce);
	if (e) {
		size_t at = find_uri(e, uri);

		if (at < e->uri_count) {
			free_text(e->uris[at]);
			e->uris[at] = e->uris[--e->uri_count];
		}
	}
	pthread_mutex_unlock(&s->lock);
}

bool sessions_wants(struct sessions *s, struct str nonce, struct str uri)
{
	struct session *e;
	bool wants;

	pthread_mutex_lock(&s->lock);
	e = find(s, nonce);
	wants = e && find_uri(e, uri) < e->uri_count;
	pthread_mutex_unlock(&s->lock);
	return wants;
}
