/* windows - counting.  See windows.h; the file and its lock are in windows_file.c.
 *
 * A window of W is cut into stretches of W/60, rounded up.  What counts is the stretch that runs
 * and the sixty before it: never less than the last W, at most W/60 more.
 *
 *      … |  0 |  2 |  1 | … |  4 |  3 |
 *             ^ sub - 60          ^ sub         61 of 64 counters
 *
 * Invariants, under the table's lock: 1. all asks are judged before any is taken.  2. each change
 * is one aligned store, in an order in which a process that dies between two of them has counted
 * too much rather than too little: counters that run out are cleared before `sub` moves on, a slot
 * is cleared before it gets its new key.  3. a slot is given to another key only when nothing in it
 * counts any more.  4. keys are never cleared, so that a search may end at one that never was.  5.
 * any page may turn to zeros between two instructions (base/mapped.h): widths that divide are read
 * once, and table_whole is asked before an answer leaves. */
#include "store/windows_inside.h"

#include "base/clock.h"

#include <string.h>
#include <time.h>

#define PROBES 256 /* keys lie close together: the usual search is one or two */
#define STEP_MS 60000 /* a thread may be this late with the time it looked at */
#define POLL_MS 5 /* for places that another process leaves */

static bool key_eq(const struct window_key *a, const struct window_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static bool key_none(const struct window_key *k)
{
	static const struct window_key none;

	return key_eq(k, &none);
}

static size_t key_slot(const struct window_key *k, size_t slots)
{
	uint64_t n;

	memcpy(&n, k->b, sizeof n);
	return n % slots;
}

/* --- one window --- */

static uint32_t width_of(uint32_t window_ms)
{
	return (window_ms + SUBS_LIVE - 2) / (SUBS_LIVE - 1);
}

static uint64_t window_sum(const struct window *x)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SUBS; i++) /* in one go, and without those that have run out */
		sum += x->count[i];
	for (uint64_t n = 1; n <= SUBS - SUBS_LIVE; n++)
		sum -= x->count[(x->sub + n) % SUBS];
	return sum;
}

/* All that counts, as if it had come in this stretch. */
static void window_collapse(struct window *x, uint64_t sub)
{
	uint64_t sum = MIN(window_sum(x), (uint64_t)UINT32_MAX / 2);

	memset(x->count, 0, sizeof x->count);
	x->count[sub % SUBS] = (uint32_t)sum;
	x->sub = sub;
}

static void window_advance(struct window *x, uint32_t width_ms, uint64_t now_ms)
{
	uint64_t sub = now_ms / width_ms;

	if (x->width_ms != width_ms || x->sub > sub + 1) { /* nobody writes this: a bad file */
		window_collapse(x, sub);
		x->width_ms = width_ms;
	}
	for (uint64_t n = x->sub + 1; n <= sub && n <= x->sub + SUBS; n++)
		x->count[n % SUBS] = 0;
	x->sub = MAX(x->sub, sub);
}

/* Until `need` of what counts has run out; all of it, when that is not enough. */
static uint32_t window_wait(const struct window *x, uint64_t now_ms, uint64_t need)
{
	uint64_t oldest = SUBS_LIVE - 1, gone = x->count[(x->sub - oldest) % SUBS];

	while (gone < need && oldest)
		gone += x->count[(x->sub - --oldest) % SUBS];
	return (uint32_t)((x->sub - oldest + SUBS_LIVE) * x->width_ms - now_ms);
}

static bool window_idle(const struct table *t, size_t at, uint64_t now_ms)
{
	const struct window *x = &t->windows[at];
	uint32_t width_ms = *(const volatile uint32_t *)&x->width_ms;

	return key_none(&t->keys[at]) || !width_ms || now_ms / width_ms >= x->sub + SUBS_LIVE;
}

/* NULL: every slot it could have counts for somebody else; or it has none, and `make` is false. */
static struct window *window_find(
	struct table *t, const struct window_ask *ask, uint64_t now_ms, bool make)
{
	uint32_t width_ms = width_of(ask->window_ms);
	size_t from = key_slot(&ask->key, WINDOW_SLOTS), room = WINDOW_SLOTS;

	for (size_t i = 0; i < PROBES; i++) {
		size_t at = (from + i) % WINDOW_SLOTS;

		if (key_eq(&t->keys[at], &ask->key)) {
			window_advance(&t->windows[at], width_ms, now_ms);
			return &t->windows[at];
		}
		if (room == WINDOW_SLOTS && window_idle(t, at, now_ms))
			room = at;
		if (key_none(&t->keys[at]))
			break;
	}
	if (room == WINDOW_SLOTS || !make)
		return NULL;
	t->windows[room] = (struct window){ .sub = now_ms / width_ms, .width_ms = width_ms };
	t->keys[room] = ask->key;
	return &t->windows[room];
}

void table_rebase(struct table *t, uint64_t boot_ms)
{
	for (size_t i = 0; i < WINDOW_SLOTS; i++) {
		struct window *x = &t->windows[i];
		uint32_t width_ms = *(volatile uint32_t *)&x->width_ms;

		if (key_none(&t->keys[i]) || !width_ms)
			continue;
		if (window_idle(t, i, t->now_ms))
			memset(x->count, 0, sizeof x->count);
		else
			window_advance(x, width_ms, t->now_ms);
		window_collapse(x, boot_ms / width_ms);
	}
	t->now_ms = boot_ms;
}

/* --- places --- */

static struct place *place_find(struct table *t, const struct window_key *key, bool make)
{
	size_t from = key_slot(key, PLACE_SLOTS);
	struct place *room = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct place *p = &t->places[(from + i) % PLACE_SLOTS];
		unsigned inside = 0;

		if (key_eq(&p->key, key))
			return p;
		for (unsigned k = 0; k < WINDOWS_PROCESSES; k++)
			inside += p->inside[k];
		if (!room && !inside)
			room = p;
		if (key_none(&p->key))
			break;
	}
	if (room && make)
		room->key = *key;
	return make ? room : NULL;
}

static bool place_crowded(const struct place *p, uint32_t most)
{
	unsigned inside = 0;

	for (unsigned k = 0; k < WINDOWS_PROCESSES; k++)
		inside += p->inside[k];
	return inside >= most;
}

/* A process that ended without leaving is nowhere inside. */
static void place_bury(const struct windows *w, struct place *p)
{
	for (unsigned k = 0; k < WINDOWS_PROCESSES; k++)
		if (p->inside[k] && k != w->process && !process_lives(w, k))
			p->inside[k] = 0;
}

static void place_leave(struct windows *w, struct table *t, const struct window_key *key)
{
	struct place *p = place_find(t, key, false);

	if (p && p->inside[w->process])
		p->inside[w->process]--;
}

/* --- a call's asks --- */

static bool full(struct err *err)
{
	return err_set(err, E_LIMIT, "the table of limits is full: too many callers at a time");
}

static enum windows_verdict judge_windows(struct table *t, const struct windows_ask *ask,
	struct window **found, struct windows_answer *out, struct err *err)
{
	bool over = false;

	*out = (struct windows_answer){ .left = UINT32_MAX };
	for (size_t i = 0; i < ask->window_count; i++) {
		const struct window_ask *one = &ask->windows[i];
		struct window *x = window_find(t, one, t->now_ms, !ask->look);
		uint64_t used, left;

		if (!x && ask->look)
			continue; /* who only looks takes no room; nothing counts against it */
		if (!x) {
			full(err);
			return WINDOWS_UNAVAILABLE;
		}
		found[i] = x;
		used = window_sum(x);
		left = one->most - MIN((uint64_t)one->most, used + one->cost);
		if (used + one->cost > one->most) {
			uint32_t wait_ms = window_wait(x, t->now_ms, used + one->cost - one->most);

			if (!over || wait_ms > out->wait_ms)
				*out = (struct windows_answer){ i, 0, wait_ms };
			over = true;
		} else if (!over && left < out->left) {
			*out = (struct windows_answer){ i, (uint32_t)left,
				window_wait(x, t->now_ms, 1) };
		}
	}
	return over ? WINDOWS_FULL : WINDOWS_TAKEN;
}

static enum windows_verdict judge_places(struct windows *w, struct table *t,
	const struct windows_ask *ask, struct place **found, struct windows_answer *out,
	struct err *err)
{
	for (size_t i = 0; i < ask->place_count; i++) {
		struct place *p = place_find(t, &ask->places[i].key, true);

		if (!p) {
			full(err);
			return WINDOWS_UNAVAILABLE;
		}
		if (place_crowded(p, ask->places[i].most))
			place_bury(w, p);
		if (place_crowded(p, ask->places[i].most)) {
			*out = (struct windows_answer){ .index = i };
			return WINDOWS_CROWDED;
		}
		found[i] = p;
		p->inside[w->process]++; /* so that its slot is not given to the next ask */
	}
	return WINDOWS_TAKEN;
}

static void give_back(struct windows *w, struct place *const *found, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (found[i])
			found[i]->inside[w->process]--;
}

static enum windows_verdict decide(struct windows *w, struct table *t,
	const struct windows_ask *ask, struct windows_answer *out, struct err *err)
{
	struct window *windows[WINDOWS_ASKS_MOST] = { 0 };
	struct place *places[WINDOWS_ASKS_MOST] = { 0 };
	enum windows_verdict v = judge_windows(t, ask, windows, out, err);

	if (v == WINDOWS_TAKEN)
		v = judge_places(w, t, ask, places, out, err);
	if (v != WINDOWS_TAKEN || ask->look)
		give_back(w, places, ask->place_count);
	for (size_t i = 0; v == WINDOWS_TAKEN && !ask->look && i < ask->window_count; i++)
		windows[i]->count[windows[i]->sub % SUBS] += ask->windows[i].cost;
	return v;
}

/* Under own and the table's lock. */
static void pay(struct windows *w, struct table *t)
{
	for (size_t i = 0; i < w->owed_count; i++)
		place_leave(w, t, &w->owed[i]);
	w->owed_count = 0;
	w->owes = false;
}

static void pay_owed(struct windows *w, struct table *t)
{
	pthread_mutex_lock(&w->own);
	pay(w, t);
	pthread_mutex_unlock(&w->own);
}

enum windows_verdict windows_take(struct windows *w, const struct windows_ask *ask,
	uint64_t boot_ms, struct windows_answer *out, struct err *err)
{
	struct table *t = table_ready(w, boot_ms, err);
	enum windows_verdict v;

	bug_on(ask->window_count > WINDOWS_ASKS_MOST || ask->place_count > WINDOWS_ASKS_MOST);
	if (!t || !table_lock(t, err))
		return WINDOWS_UNAVAILABLE;
	if (t->now_ms > boot_ms + STEP_MS)
		table_rebase(t, boot_ms);
	t->now_ms = MAX(t->now_ms, boot_ms);
	if (w->owes)
		pay_owed(w, t);
	v = decide(w, t, ask, out, err);
	out->at_ms = t->now_ms;
	if (!table_whole(w, t, err))
		v = WINDOWS_UNAVAILABLE;
	table_unlock(t);
	return v;
}

/* Of the stretch it was counted in and of no other: what others took there would count too short.
 */
static void window_return(struct table *t, const struct window_ask *ask, uint64_t at_ms)
{
	struct window *x = window_find(t, ask, t->now_ms, false);
	uint64_t sub = at_ms / width_of(ask->window_ms);

	if (x && sub <= x->sub && x->sub - sub < SUBS_LIVE && x->count[sub % SUBS] >= ask->cost)
		x->count[sub % SUBS] -= ask->cost;
}

void windows_return(struct windows *w, const struct windows_ask *ask, uint64_t at_ms)
{
	struct table *t = w->table;
	struct err err;

	if (!t || !table_lock(t, &err))
		return;
	for (size_t i = 0; i < ask->window_count; i++)
		window_return(t, &ask->windows[i], at_ms);
	table_unlock(t);
}

static void owe(struct windows *w, const struct window_key *key)
{
	if (w->owed_count == w->owed_cap) {
		size_t cap = w->owed_cap ? w->owed_cap * 2 : 16;
		struct window_key *more = heap_alloc(cap * sizeof *more);

		if (w->owed_count)
			memcpy(more, w->owed, w->owed_count * sizeof *more);
		heap_free(w->owed);
		w->owed = more;
		w->owed_cap = cap;
	}
	w->owed[w->owed_count++] = *key;
	w->owes = true;
}

void windows_leave(struct windows *w, const struct place_ask *places, size_t count)
{
	struct table *t = w->table;
	struct err err;
	bool locked;

	if (!count || !t)
		return;
	locked = table_lock(t, &err);
	for (size_t i = 0; locked && i < count; i++)
		place_leave(w, t, &places[i].key);
	if (locked)
		table_unlock(t);
	pthread_mutex_lock(&w->own);
	for (size_t i = 0; !locked && i < count; i++)
		owe(w, &places[i].key);
	pthread_cond_broadcast(&w->left);
	pthread_mutex_unlock(&w->own);
}

static bool place_idle(const struct place *p)
{
	return key_none(&p->key) || !place_crowded(p, 1);
}

bool windows_usage(struct windows *w, uint64_t boot_ms, struct windows_usage *out)
{
	struct table *t = w->table ? table_ready(w, boot_ms, &(struct err){ 0 }) : NULL;
	uint64_t now_ms;
	bool whole;

	if (!t || !table_lock(t, &(struct err){ 0 }))
		return false;
	now_ms = MAX(t->now_ms, boot_ms);
	*out = (struct windows_usage){ .windows_most = WINDOW_SLOTS, .places_most = PLACE_SLOTS };
	for (size_t i = 0; i < WINDOW_SLOTS; i++)
		out->windows += !window_idle(t, i, now_ms);
	for (size_t i = 0; i < PLACE_SLOTS; i++)
		out->places += !place_idle(&t->places[i]);
	whole = table_whole(w, t, &(struct err){ 0 });
	table_unlock(t);
	return whole;
}

void windows_wait(struct windows *w, uint32_t wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + MIN(wait_ms, (uint32_t)POLL_MS);
	struct timespec t = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L };

	pthread_mutex_lock(&w->own);
	pthread_cond_timedwait(&w->left, &w->own, &t);
	pthread_mutex_unlock(&w->own);
}
