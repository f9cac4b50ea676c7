/* jwks_cache - see jwks_cache.h.
 *
 *	              fetched                     3/4 max_age        max_stale
 *	   (no set) ──────────► serving ──────────── due ── failing ──── stale: no set is given out
 *	                           ▲                  │                    │
 *	                           └──── fetched ─────┴────────────────────┘
 *
 * Invariants: 1. only the cache's thread fetches.  2. the lock is held across no fetch, no news and
 * no wait but the conditions'.  3. a set that could not be read never replaces one that could.
 * 4. a set older than max_stale is given to nobody. */
#include "identity/jwks_cache.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define READY_MS (JWKS_FETCH_MS + 1000)
#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 30000u
#define NEVER UINT64_MAX

struct jwks_source {
	struct jwks_source *next;
	struct jwks_cache *cache;
	struct arena own;
	struct str issuer;
	struct jwks_place place;
	uint32_t max_age_ms, max_stale_ms;
	unsigned users;
	struct jwks *keys; /* NULL: never fetched */
	uint64_t fetched_ms; /* when they were */
	uint64_t due_ms; /* when to fetch next */
	uint64_t unknown_ms; /* when an unknown key last made it fetch */
	bool unknown_ever, failing, stale_told;
	uint64_t attempts;
	struct err why; /* of the last failure */

	/* the thread's own, but for `listen` */
	struct jwks *told; /* what was last told of */
	bool failing_told;
};

struct jwks_cache {
	struct jwks_cache_config config;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	pthread_t thread;
	bool started;
	bool asked; /* since the thread last began to look what is due */
	unsigned waiting, waiting_most; /* calls */
	atomic_bool stop;
	struct jwks_source *sources;
	void (*tell)(void *ctx, const struct jwks_news *news);
	void *tell_ctx;
};

/* --- the thread --- */

static uint32_t retry_ms(const struct jwks_source *s)
{
	return MIN(MAX(s->max_age_ms / 4, RETRY_MIN_MS), RETRY_MAX_MS);
}

static uint64_t stale_at(const struct jwks_source *s)
{
	return s->keys && !s->stale_told ? s->fetched_ms + s->max_stale_ms : NEVER;
}

/* Without the lock. */
static bool fetch(struct jwks_source *s, struct jwks **out, struct err *err)
{
	struct buf text;
	bool ok;

	buf_init(&text, JWKS_MAX_BYTES);
	ok = s->cache->config.fetch(&s->place, &s->cache->stop, &text, err) &&
	     jwks_read(buf_str(&text), out, err);
	buf_done(&text);
	return ok;
}

static void refresh(struct jwks_source *s)
{
	struct jwks_cache *c = s->cache;
	struct jwks *next = NULL, *old = NULL;
	struct err err = { 0 };
	uint64_t now;
	bool ok;

	pthread_mutex_unlock(&c->lock);
	ok = fetch(s, &next, &err);
	now = c->config.boot_ms();
	pthread_mutex_lock(&c->lock);
	s->attempts++;
	s->failing = !ok;
	s->due_ms = now + retry_ms(s);
	if (ok) {
		old = s->keys;
		s->keys = next;
		s->fetched_ms = now;
		s->stale_told = false;
		s->due_ms = now + s->max_age_ms / 4 * 3;
	} else {
		s->why = err;
	}
	jwks_drop(old);
	pthread_cond_broadcast(&c->done);
}

/* Called with the lock, tells without it. */
static void deliver(struct jwks_source *s, struct jwks_news *news)
{
	struct jwks_cache *c = s->cache;
	void (*tell)(void *ctx, const struct jwks_news *news) = c->tell;
	void *ctx = c->tell_ctx;
	struct err why = s->why;

	news->issuer = s->issuer;
	news->where = s->place.where;
	news->why = why.text;
	pthread_mutex_unlock(&c->lock);
	tell(ctx, news);
	pthread_mutex_lock(&c->lock);
}

static void tell_change(struct jwks_source *s)
{
	struct jwks *was = s->told, *now = jwks_hold(s->keys);
	struct jwks_news news = { .event = JWKS_CHANGED, .keys = jwks_count(now) };

	s->told = now;
	news.was = was ? jwks_digest(was) : NULL;
	news.now = jwks_digest(now);
	news.ignored = jwks_ignored(now, &news.ignored_count);
	if (!was || !sha256_eq(news.was, news.now))
		deliver(s, &news);
	jwks_drop(was);
}

static void tell_state(struct jwks_source *s, enum jwks_event event)
{
	deliver(s, &(struct jwks_news){ .event = event });
}

static void tell_news(struct jwks_source *s)
{
	if (!s->cache->tell)
		return;
	if (s->keys && s->keys != s->told)
		tell_change(s);
	if (s->failing != s->failing_told) {
		s->failing_told = s->failing;
		tell_state(s, s->failing ? JWKS_FAILING : JWKS_RECOVERED);
	}
	if (s->cache->config.boot_ms() >= stale_at(s)) {
		s->stale_told = true;
		tell_state(s, JWKS_STALE);
	}
}

/* When there is something to do next. */
static uint64_t do_what_is_due(struct jwks_cache *c)
{
	uint64_t next = NEVER;

	for (struct jwks_source *s = c->sources; s && !atomic_load(&c->stop); s = s->next) {
		if (!s->users)
			continue;
		if (c->config.boot_ms() >= s->due_ms)
			refresh(s);
		tell_news(s);
		next = MIN(next, MIN(s->due_ms, c->tell ? stale_at(s) : NEVER));
	}
	return next;
}

/* Conditions know no boot time. */
static struct timespec moment_in(uint64_t ms)
{
	uint64_t mono_ms = clock_mono_ms() + ms;

	return (struct timespec){ .tv_sec = (time_t)(mono_ms / 1000),
		.tv_nsec = (long)(mono_ms % 1000) * 1000000 };
}

static void *run(void *ctx)
{
	struct jwks_cache *c = ctx;

	pthread_mutex_lock(&c->lock);
	while (!atomic_load(&c->stop)) {
		uint64_t next, now;
		struct timespec at;

		c->asked = false;
		next = do_what_is_due(c);
		now = c->config.boot_ms();
		/* a wait does not see the machine sleep: after that it ends late, but soon */
		at = moment_in(MIN(next - MIN(next, now), RETRY_MAX_MS));
		/* what was asked for during a fetch of another's woke nobody */
		if (!atomic_load(&c->stop) && !c->asked && now < next)
			pthread_cond_timedwait(&c->work, &c->lock, &at);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* With the lock, as what follows. */
static void wake(struct jwks_cache *c)
{
	c->asked = true;
	pthread_cond_signal(&c->work);
}

/* Most processes never need keys, and have no thread for them. */
static bool start(struct jwks_cache *c)
{
	if (!c->started)
		c->started = pthread_create(&c->thread, NULL, run, c) == 0;
	wake(c);
	return c->started;
}

/* --- the cache --- */

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct jwks_cache *jwks_cache_new(const struct jwks_cache_config *config)
{
	struct jwks_cache *c = heap_new(struct jwks_cache);

	c->config = *config;
	c->waiting_most = 1;
	pthread_mutex_init(&c->lock, NULL);
	init_condition(&c->work);
	init_condition(&c->done);
	return c;
}

static void source_free(struct jwks_source *s)
{
	bug_on(s->users);
	jwks_drop(s->keys);
	jwks_drop(s->told);
	arena_done(&s->own);
	heap_free(s);
}

void jwks_cache_free(struct jwks_cache **c)
{
	struct jwks_cache *o = *c;

	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->stop, true);
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->lock);
	if (o->started)
		pthread_join(o->thread, NULL);
	while (o->sources) {
		struct jwks_source *s = o->sources;

		o->sources = s->next;
		source_free(s);
	}
	pthread_cond_destroy(&o->done);
	pthread_cond_destroy(&o->work);
	pthread_mutex_destroy(&o->lock);
	heap_free(o);
	*c = NULL;
}

void jwks_cache_listen(
	struct jwks_cache *c, void (*tell)(void *ctx, const struct jwks_news *news), void *ctx)
{
	pthread_mutex_lock(&c->lock);
	c->tell = tell;
	c->tell_ctx = ctx;
	wake(c);
	pthread_mutex_unlock(&c->lock);
}

void jwks_cache_let_wait(struct jwks_cache *c, unsigned most)
{
	pthread_mutex_lock(&c->lock);
	c->waiting_most = most;
	pthread_mutex_unlock(&c->lock);
}

static bool is_for(const struct jwks_source *s, const struct jwt_config *c)
{
	return str_eq(s->issuer, c->issuer) && str_eq(s->place.where, c->jwks) &&
	       str_eq(s->place.ca, c->jwks_ca) && s->max_age_ms == c->max_age_ms &&
	       s->max_stale_ms == c->max_stale_ms;
}

static struct jwks_source *source_new(struct jwks_cache *cache, const struct jwt_config *c)
{
	struct jwks_source *s = heap_new(struct jwks_source);

	arena_init(&s->own, (size_t)64 << 10);
	s->cache = cache;
	s->issuer = arena_str(&s->own, c->issuer);
	s->place = (struct jwks_place){ .where = arena_str(&s->own, c->jwks),
		.is_file = c->jwks_is_file,
		.plain = str_starts(c->jwks, S("http://")),
		.ca = arena_str(&s->own, c->jwks_ca) };
	s->max_age_ms = c->max_age_ms;
	s->max_stale_ms = c->max_stale_ms;
	s->next = cache->sources;
	cache->sources = s;
	return s;
}

struct jwks_source *jwks_cache_use(struct jwks_cache *c, const struct jwt_config *config)
{
	struct jwks_source *s;

	pthread_mutex_lock(&c->lock);
	s = c->sources;
	while (s && !is_for(s, config))
		s = s->next;
	if (!s)
		s = source_new(c, config);
	s->users++;
	s->due_ms = 0;
	wake(c);
	pthread_mutex_unlock(&c->lock);
	return s;
}

void jwks_source_drop(struct jwks_source *s)
{
	pthread_mutex_lock(&s->cache->lock);
	s->users--;
	pthread_mutex_unlock(&s->cache->lock);
}

static bool is_stale(const struct jwks_source *s, uint64_t boot_ms)
{
	return boot_ms > s->fetched_ms && boot_ms - s->fetched_ms >= s->max_stale_ms;
}

/* With the lock: until another attempt has ended, or the moment is past. */
static void await_attempt(struct jwks_source *s, uint64_t before)
{
	struct timespec at = moment_in(READY_MS);

	while (s->attempts == before)
		if (pthread_cond_timedwait(&s->cache->done, &s->cache->lock, &at) == ETIMEDOUT)
			break;
}

bool jwks_source_ready(struct jwks_source *s, struct jwks **out, struct err *err)
{
	struct jwks_cache *c = s->cache;
	bool ok;

	pthread_mutex_lock(&c->lock);
	if (!s->keys && s->attempts)
		s->due_ms = 0; /* what was wrong before may be well again: ask now */
	if (!s->keys && start(c))
		await_attempt(s, s->attempts);
	ok = s->keys != NULL;
	if (ok)
		*out = jwks_hold(s->keys);
	else if (s->attempts)
		*err = s->why;
	else
		err_set(err, E_TIMEOUT, "%.*s: no answer yet", STR_ARG(s->place.where));
	pthread_mutex_unlock(&c->lock);
	return ok;
}

struct jwks *jwks_source_hold(struct jwks_source *s, uint64_t boot_ms)
{
	struct jwks *keys = NULL;

	pthread_mutex_lock(&s->cache->lock);
	if (s->keys && !is_stale(s, boot_ms))
		keys = jwks_hold(s->keys);
	if (boot_ms >= s->due_ms)
		wake(s->cache); /* the machine may have slept */
	pthread_mutex_unlock(&s->cache->lock);
	return keys;
}

/* With the lock.  An unknown key is a reason to fetch once in a while only. */
static bool may_ask(struct jwks_source *s, uint64_t boot_ms)
{
	if (s->unknown_ever && boot_ms < s->unknown_ms + JWKS_UNKNOWN_MS)
		return false;
	s->unknown_ever = true;
	s->unknown_ms = boot_ms;
	s->due_ms = 0;
	return true;
}

/* With the lock.  False: as many wait as may. */
static bool wait_for_newer(struct jwks_source *s)
{
	struct jwks_cache *c = s->cache;

	if (c->waiting >= c->waiting_most)
		return false;
	c->waiting++;
	await_attempt(s, s->attempts);
	c->waiting--;
	return true;
}

enum jwks_refresh jwks_source_refresh(struct jwks_source *s, struct jwks **keys, uint64_t boot_ms)
{
	struct jwks_cache *c = s->cache;
	enum jwks_refresh result = JWKS_SAME;
	struct jwks *next = NULL;

	pthread_mutex_lock(&c->lock);
	if (s->keys == *keys && (s->due_ms == 0 || may_ask(s, boot_ms)) && start(c) &&
		!wait_for_newer(s))
		result = JWKS_CROWDED;
	if (s->keys != *keys) {
		next = jwks_hold(s->keys);
		result = JWKS_NEWER;
	}
	pthread_mutex_unlock(&c->lock);
	if (next) {
		jwks_drop(*keys);
		*keys = next;
	}
	return result;
}
