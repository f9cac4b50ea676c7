/* upkeep - see upkeep.h.
 *
 * Invariants: 1. the lock is never held while something is asked.  2. only the thread that set
 * `looking` writes to `known`. */
#include "serve/upkeep.h"

#include "base/clock.h"
#include "serve/drills.h"
#include "serve/gauges.h"
#include "serve/key_check.h"

#include <pthread.h>

#define LOOK_BYTES ((size_t)1 << 20)

struct upkeep_state {
	bool drills_known, keys_known, table_known;
	struct {
		bool due;
		bool ever; /* one has worked */
		uint64_t age_s; /* since then */
	} drills[KILL_KIND_COUNT];
	unsigned keys_soon;
	struct windows_usage table;
};

struct upkeep {
	struct world *world;
	pthread_mutex_t lock;
	bool looking;
	uint64_t looked_ms; /* 0: never */
	struct upkeep_state known;
};

struct upkeep *upkeep_new(struct world *w)
{
	struct upkeep *u = heap_new(struct upkeep);

	u->world = w;
	pthread_mutex_init(&u->lock, NULL);
	return u;
}

void upkeep_free(struct upkeep **u)
{
	if (!*u)
		return;
	pthread_mutex_destroy(&(*u)->lock);
	heap_free(*u);
	*u = NULL;
}

/* --- looking --- */

static bool look_at_drills(struct store *s, int64_t now_us, struct upkeep_state *out)
{
	bool ok = true;
	struct arena a;

	arena_init(&a, LOOK_BYTES);
	for (unsigned kind = 0; ok && kind < KILL_KIND_COUNT; kind++) {
		struct drill_state state;
		struct err err;

		ok = drill_state_of(s, &a, (enum kill_kind)kind, now_us, &state, &err);
		if (!ok)
			break;
		out->drills[kind].due = state.health != DRILL_FRESH;
		out->drills[kind].ever = state.last.at_us != 0;
		out->drills[kind].age_s =
			(uint64_t)(now_us - MIN(now_us, state.last.at_us)) / 1000000;
	}
	arena_done(&a);
	return ok;
}

static void look(struct world *w, struct upkeep_state *out)
{
	int64_t now_us = clock_wall_us();
	struct store *s = world_store(w);
	struct err err;

	*out = (struct upkeep_state){ 0 };
	out->drills_known = look_at_drills(s, now_us, out);
	out->keys_known =
		store_key_expiring(s, now_us, now_us + KEY_SOON_US, &out->keys_soon, &err);
	out->table_known = limits_usage(world_limits(w), clock_boot_ms(), &out->table);
}

/* --- writing --- */

static void write_drills(const struct upkeep_state *s, struct buf *out)
{
	metrics_head(out, "postern_drill_due", "gauge",
		"1: no drill has proved this kind of kill switch for 90 days, or the last failed.");
	for (unsigned kind = 0; s->drills_known && kind < KILL_KIND_COUNT; kind++)
		gauge_kind(out, "postern_drill_due", (enum kill_kind)kind, s->drills[kind].due);
	metrics_head(out, "postern_drill_age_seconds", "gauge",
		"Since a drill proved this kind of kill switch; nothing before the first.");
	for (unsigned kind = 0; s->drills_known && kind < KILL_KIND_COUNT; kind++)
		if (s->drills[kind].ever)
			gauge_kind(out, "postern_drill_age_seconds", (enum kill_kind)kind,
				s->drills[kind].age_s);
}

static void write_keys(const struct upkeep_state *s, struct buf *out)
{
	metrics_head(out, "postern_keys_expiring", "gauge", "API keys that expire within 14 days.");
	if (s->keys_known)
		metrics_sample(out, "postern_keys_expiring", STR_NONE, s->keys_soon);
}

static void write_table(const struct upkeep_state *s, struct buf *out)
{
	metrics_head(out, "postern_limit_table_used", "gauge",
		"Entries of the table of limits that count now; nothing before the first limit.");
	if (s->table_known) {
		metrics_sample(
			out, "postern_limit_table_used", S("table=\"windows\""), s->table.windows);
		metrics_sample(
			out, "postern_limit_table_used", S("table=\"places\""), s->table.places);
	}
	metrics_head(out, "postern_limit_table_size", "gauge",
		"Entries it has; what finds none is refused.");
	if (s->table_known) {
		metrics_sample(out, "postern_limit_table_size", S("table=\"windows\""),
			s->table.windows_most);
		metrics_sample(out, "postern_limit_table_size", S("table=\"places\""),
			s->table.places_most);
	}
}

void upkeep_write(struct upkeep *u, uint64_t mono_ms, struct buf *out)
{
	struct upkeep_state found;
	bool mine;

	pthread_mutex_lock(&u->lock);
	mine = !u->looking && (!u->looked_ms || mono_ms - MIN(mono_ms, u->looked_ms) >= UPKEEP_MS);
	u->looking = u->looking || mine;
	found = u->known;
	pthread_mutex_unlock(&u->lock);
	if (mine) {
		look(u->world, &found);
		pthread_mutex_lock(&u->lock);
		u->known = found;
		u->looked_ms = mono_ms;
		u->looking = false;
		pthread_mutex_unlock(&u->lock);
	}
	write_drills(&found, out);
	write_keys(&found, out);
	write_table(&found, out);
}
