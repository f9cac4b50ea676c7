/* sessions - see sessions.h.
 *
 * Invariant: 1. entries are in order of use, the latest first; at most SESSIONS_MAX. */
#include "serve/sessions.h"

#include <pthread.h>
#include <string.h>

#define NONCE_MAX 64
#define LEVEL_MAX 16

struct session {
	struct session *next;
	char nonce[NONCE_MAX], level[LEVEL_MAX];
	size_t nonce_bytes, level_bytes;
	bool ended;
	struct str uris[SESSION_URIS_MAX]; /* heap */
	size_t uri_count;
};

struct sessions {
	pthread_mutex_t lock;
	struct session *first;
	size_t count;
};

struct sessions *sessions_new(void)
{
	struct sessions *s = heap_new(struct sessions);

	pthread_mutex_init(&s->lock, NULL);
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

void sessions_free(struct sessions **s)
{
	while ((*s)->first) {
		struct session *e = (*s)->first;

		(*s)->first = e->next;
		free_session(e);
	}
	pthread_mutex_destroy(&(*s)->lock);
	heap_free(*s);
	*s = NULL;
}

/* Under the lock: the entry, moved to the front; NULL when there is none. */
static struct session *find(struct sessions *s, struct str nonce)
{
	for (struct session **at = &s->first; *at; at = &(*at)->next) {
		struct session *e = *at;

		if (!str_eq(str_n(e->nonce, e->nonce_bytes), nonce))
			continue;
		*at = e->next;
		e->next = s->first;
		s->first = e;
		return e;
	}
	return NULL;
}

static void forget_last(struct sessions *s)
{
	struct session **at = &s->first;

	while ((*at)->next)
		at = &(*at)->next;
	free_session(*at);
	*at = NULL;
	s->count--;
}

static struct session *find_or_add(struct sessions *s, struct str nonce)
{
	struct session *e = find(s, nonce);

	if (e)
		return e;
	bug_on(nonce.n > NONCE_MAX);
	e = heap_new(struct session);
	memcpy(e->nonce, nonce.p, nonce.n);
	e->nonce_bytes = nonce.n;
	e->next = s->first;
	s->first = e;
	if (++s->count > SESSIONS_MAX)
		forget_last(s);
	return e;
}

void sessions_end(struct sessions *s, struct str nonce)
{
	pthread_mutex_lock(&s->lock);
	find_or_add(s, nonce)->ended = true;
	pthread_mutex_unlock(&s->lock);
}

bool sessions_ended(struct sessions *s, struct str nonce)
{
	struct session *e;
	bool ended;

	pthread_mutex_lock(&s->lock);
	e = s->first ? find(s, nonce) : NULL;
	ended = e && e->ended;
	pthread_mutex_unlock(&s->lock);
	return ended;
}

void sessions_set_level(struct sessions *s, struct str nonce, struct str level)
{
	struct session *e;

	pthread_mutex_lock(&s->lock);
	e = find_or_add(s, nonce);
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

bool sessions_subscribe(struct sessions *s, struct str nonce, struct str uri)
{
	struct session *e;
	bool ok;

	if (uri.n > SESSION_URI_BYTES)
		return false;
	pthread_mutex_lock(&s->lock);
	e = find_or_add(s, nonce);
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
