/* ready - see ready.h.
 *
 * Invariants: 1. the lock is never held while something is asked.  2. only the thread that set
 * `looking` writes to `found`.  3. a check that cannot tell says no. */
#include "serve/ready.h"

#include "base/clock.h"
#include "json/write.h"
#include "serve/world.h"

#include <pthread.h>
#include <string.h>

struct ready {
	struct world *world;
	pthread_mutex_t lock;
	bool looking;
	uint64_t looked_ms; /* 0: never */
	struct ready_state known;
};

struct ready *ready_new(struct world *w)
{
	struct ready *r = heap_new(struct ready);

	r->world = w;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void ready_free(struct ready **r)
{
	pthread_mutex_destroy(&(*r)->lock);
	heap_free(*r);
	*r = NULL;
}

/* --- the checks --- */

static bool check_audit(struct world *w, struct generation *g, struct err *err)
{
	(void)g;
	return audit_can_write(world_audit(w), err);
}

/* A key that cannot exist: that it is not found is the answer of a store that works. */
static bool check_store(struct world *w, struct generation *g, struct err *err)
{
	struct key_row row;
	struct arena a;
	struct err why = { 0 };
	bool ok;

	(void)g;
	arena_init(&a, (size_t)64 << 10);
	ok = store_key_get(world_store(w), &a, S("-"), &row, &why) || why.code == E_NOT_FOUND;
	arena_done(&a);
	if (!ok)
		*err = why;
	return ok;
}

static bool check_sources(struct world *w, struct generation *g, struct err *err)
{
	(void)w;
	return backends_answer(g->backends, err);
}

static bool check_seal(struct world *w, struct generation *g, struct err *err)
{
	(void)g;
	return world_seal(w, err);
}

/* Killed as a whole: who balances load should know, and a person who looks. */
static bool check_kills(struct world *w, struct generation *g, struct err *err)
{
	(void)g;
	return !watch_is_paused(world_watch(w)) ||
	       err_set(err, E_DENIED, "every call is PAUSED; see: postern kills");
}

static const struct {
	const char *name;
	bool (*ask)(struct world *w, struct generation *g, struct err *err);
} checks[] = {
	{ "audit", check_audit },
	{ "store", check_store },
	{ "sources", check_sources },
	{ "seal", check_seal },
	{ "kills", check_kills },
};
_Static_assert(ARRAY_LEN(checks) + 1 <= READY_CHECKS_MAX, "all checks and the age of them");

static void keep_why(struct ready_check *c, struct str why)
{
	why = str_sub(why, 0, sizeof c->why - 1);
	memcpy(c->why, why.p, why.n);
	c->why[why.n] = 0;
}

static void look(struct ready *r, struct ready_state *out)
{
	struct generation *g = world_hold(r->world);

	*out = (struct ready_state){ .ok = true, .count = ARRAY_LEN(checks) };
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct ready_check *c = &out->checks[i];
		struct err err;

		c->name = checks[i].name;
		c->ok = checks[i].ask(r->world, g, &err);
		out->ok = out->ok && c->ok;
		if (!c->ok)
			keep_why(c, str_c(err.text));
	}
	world_drop(r->world, g);
}

static void say_stale(struct ready_state *s)
{
	struct ready_check *c = &s->checks[s->count++];

	s->ok = false;
	*c = (struct ready_check){ .name = "answer" };
	keep_why(c, S("a check has not come back for more than 10 seconds"));
}

void ready_look(struct ready *r, uint64_t mono_ms, struct ready_state *out)
{
	struct ready_state found;
	uint64_t age_ms;
	bool mine;

	pthread_mutex_lock(&r->lock);
	age_ms = r->looked_ms ? mono_ms - MIN(mono_ms, r->looked_ms) : UINT64_MAX;
	mine = !r->looking && age_ms >= READY_MS;
	r->looking = r->looking || mine;
	*out = r->known;
	pthread_mutex_unlock(&r->lock);
	if (!mine) {
		if (age_ms >= READY_STALE_MS)
			say_stale(out);
		return;
	}
	look(r, &found);
	pthread_mutex_lock(&r->lock);
	r->known = found;
	r->looked_ms = clock_mono_ms();
	r->looking = false;
	pthread_mutex_unlock(&r->lock);
	*out = found;
}

void ready_write(const struct ready_state *s, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	jw_put_str(&w, S("status"), s->ok ? S("ready") : S("not ready"));
	jw_name(&w, S("checks"));
	jw_object(&w);
	for (size_t i = 0; i < s->count; i++)
		jw_put_str(&w, str_c(s->checks[i].name),
			s->checks[i].ok ? S("ok") : str_c(s->checks[i].why));
	jw_object_end(&w);
	jw_object_end(&w);
}
