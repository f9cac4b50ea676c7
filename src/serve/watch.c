/* watch - see watch.h.
 *
 * Invariants: 1. nothing is published but what was read whole; a look that failed changes nothing
 * and prolongs no lease.  2. a call is in the list from before its kill step is judged until it
 * ran, so that an order is met by the one or the other.  3. the list's lock and the edition's are
 * never held across a call out of this file's rooms.  4. the store is looked at through a
 * connection of its own: nobody else's wait delays an order.  5. an order that was in force is so
 * until the store says who lifted it or that its time has come.  One that is missing, or another
 * file in the store's place, is doubt, at once: what else is missing is not known. */
#include "serve/watch.h"

#include "base/clock.h"
#include "serve/edition.h"
#include "serve/log.h"
#include "serve/watch_note.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_BYTES ((size_t)512 << 20)
#define PATH_MAX_BYTES 4096
#define DAY_US (INT64_C(86400) * 1000000) /* steps of the clock that a look outlives */
#define HISTORY_US (WATCH_HISTORY_DAYS * DAY_US)
#define CLOCK_STEP_MS 1000

struct watch {
	struct store *store;
	struct notes *notes;
	struct str instance;
	struct arena own;
	char *switch_file;

	pthread_mutex_t starting; /* one starts, the others wait for the first look */
	pthread_t thread;
	bool started;
	int stop_fd, signal_fd;

	pthread_mutex_t lock; /* of what follows */
	struct edition *now; /* NULL: nothing was read yet */
	uint64_t lease_boot_ms, editions;
	bool local, lost; /* lost: the store is not what it was */
	struct watched *first;

	/* The looking thread's own. */
	bool was_there; /* the store's file */
	bool held; /* SIGUSR2 came, and its file could not be made yet */
	bool in_doubt, was_in_doubt;
	int64_t wall_offset_us;
	bool offset_known;
};

struct str watch_switch_file(struct arena *a, struct str store_file)
{
	size_t slash = store_file.n;

	while (slash && store_file.p[slash - 1] != '/')
		slash--;
	return arena_fmt(a, "%.*sKILL", (int)slash, store_file.p);
}

struct watch *watch_new(struct str store_file, struct str instance, struct audit *audit)
{
	struct watch *w = heap_new(struct watch);

	arena_init(&w->own, (size_t)1 << 20);
	w->store = store_new(store_file);
	w->notes = notes_new(audit);
	w->instance = arena_str(&w->own, instance);
	w->switch_file = arena_cstr(&w->own, watch_switch_file(&w->own, store_file));
	w->stop_fd = -1;
	w->signal_fd = -1;
	pthread_mutex_init(&w->starting, NULL);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

static void stop_thread(struct watch *w)
{
	uint64_t one = 1;

	if (w->started) {
		while (write(w->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
			;
		pthread_join(w->thread, NULL);
	}
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	if (w->signal_fd >= 0)
		close(w->signal_fd);
}

void watch_free(struct watch **at)
{
	struct watch *w = *at;

	if (!w)
		return;
	stop_thread(w);
	bug_on(w->first);
	notes_free(&w->notes);
	store_free(&w->store);
	edition_drop(w->now);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->starting);
	arena_done(&w->own);
	heap_free(w);
	*at = NULL;
}

struct str watch_instance(const struct watch *w)
{
	return w->instance;
}

/* --- what is in force --- */

/* Under the lock.  The state is good until the lock is let go, or as long as e is held. */
static struct kill_state state_of(const struct watch *w, const struct edition *e)
{
	return (struct kill_state){
		.read = e != NULL,
		.local = w->local,
		.beyond = w->lost || (e && e->beyond),
		.lease_boot_ms = w->lease_boot_ms,
		.orders = e ? e->orders : NULL,
		.count = e ? e->count : 0,
	};
}

static struct kill_state hold(struct watch *w, struct edition **held)
{
	struct kill_state s;

	pthread_mutex_lock(&w->lock);
	*held = w->now;
	if (*held)
		edition_hold(*held);
	s = state_of(w, *held);
	pthread_mutex_unlock(&w->lock);
	return s;
}

struct kill_finding watch_judge(struct watch *w, const struct kill_target *t, uint64_t boot_ms)
{
	struct edition *held;
	struct kill_state s = hold(w, &held);
	struct kill_finding found = kill_judge(&s, t, boot_ms);

	edition_drop(held);
	return found;
}

struct kill_finding watch_judge_call(struct watch *w, const struct call *c)
{
	struct kill_target t = kill_target_of(c, watch_instance(w));

	return watch_judge(w, &t, clock_boot_ms());
}

bool watch_is_paused(struct watch *w)
{
	const struct kill_target t = { .instance = w->instance };

	return watch_judge(w, &t, clock_boot_ms()).cause != KILL_BY_NOTHING;
}

void watch_sum(struct watch *w, uint64_t boot_ms, struct watch_sum *out)
{
	struct edition *held;
	struct kill_state s = hold(w, &held);
	uint64_t read_ms = s.lease_boot_ms - MIN(s.lease_boot_ms, WATCH_LEASE_MS);

	*out = (struct watch_sum){
		.read = s.read && s.lease_boot_ms,
		.age_ms = boot_ms - MIN(boot_ms, read_ms),
		.known = s.read && !s.beyond && boot_ms < s.lease_boot_ms,
		.local = s.local,
	};
	kill_count(&s, boot_ms, out->orders);
	edition_drop(held);
}

bool watch_pauses_part(struct watch *w, uint64_t boot_ms)
{
	struct edition *held;
	struct kill_state s = hold(w, &held);
	bool paused = kill_pauses_part(&s, boot_ms);

	edition_drop(held);
	return paused;
}

bool watch_ends_streams(struct watch *w, const struct kill_target *t)
{
	struct kill_finding found = watch_judge(w, t, clock_boot_ms());

	return kill_ends_streams(&found);
}

bool watch_ended_session(
	struct watch *w, const struct kill_target *t, int64_t issued_us, uint64_t boot_ms)
{
	struct edition *held;
	struct kill_state s = hold(w, &held);
	bool ended = kill_ended_session(&s, t, issued_us, boot_ms);

	edition_drop(held);
	return ended;
}

uint64_t watch_edition(struct watch *w)
{
	uint64_t n;

	pthread_mutex_lock(&w->lock);
	n = w->editions;
	pthread_mutex_unlock(&w->lock);
	return n;
}

/* --- broken glass --- */

static void drop_held(void *place)
{
	edition_drop(*(struct edition **)place);
}

/* Sorted and unique again, as principal_holds wants them; a token's scopes still narrow them. */
static void add_grant(struct arena *a, struct principal *who, struct str grant)
{
	struct str *grants;
	size_t at = 0, n = 0;

	if (principal_granted(who, grant))
		return;
	grants = arena_array(a, struct str, who->grant_count + 1);
	while (at < who->grant_count && str_cmp(who->grants[at], grant) < 0)
		grants[n++] = who->grants[at++];
	grants[n++] = grant;
	while (at < who->grant_count)
		grants[n++] = who->grants[at++];
	who->grants = grants;
	who->grant_count = n;
}

/* Of a proxy or a certificate the same name may be somebody else. */
static bool gains(const struct edition_glass *g, const struct principal *who)
{
	enum credential_kind kind = g->issuer.n ? CREDENTIAL_JWT : CREDENTIAL_KEY;

	return who->credential_kind == kind && str_eq(g->issuer, who->issuer) &&
	       str_eq(g->tenant, who->tenant) && str_eq(g->subject, who->subject);
}

/* The edition is held as long as
 * the arena: what is added is its text. */
void watch_break_glass(struct watch *w, struct arena *a, struct principal *who, uint64_t boot_ms)
{
	struct edition **place = arena_new(a, struct edition *);
	struct edition *held;
	struct kill_state s;

	if (who->credential_kind != CREDENTIAL_KEY && who->credential_kind != CREDENTIAL_JWT)
		return;
	arena_defer(a, drop_held, place);
	s = hold(w, place);
	held = *place;
	for (size_t i = 0; held && i < held->glass_count; i++) {
		const struct edition_glass *g = &held->glass[i];

		if (boot_ms >= s.lease_boot_ms || boot_ms >= g->until_boot_ms || !gains(g, who))
			continue;
		who->break_glass = g->id;
		add_grant(a, who, g->grant);
	}
}

/* --- running calls --- */

void watch_enter(struct watch *w, struct watched *running)
{
	pthread_mutex_lock(&w->lock);
	running->next = w->first;
	w->first = running;
	pthread_mutex_unlock(&w->lock);
}

void watch_leave(struct watch *w, struct watched *running)
{
	struct watched **at;

	pthread_mutex_lock(&w->lock);
	for (at = &w->first; *at && *at != running; at = &(*at)->next)
		;
	if (*at)
		*at = running->next;
	pthread_mutex_unlock(&w->lock);
}

/* The few dozen calls that run are judged under the lock: pure, and they must not leave meanwhile.
 */
static void stop_running(struct watch *w, uint64_t boot_ms)
{
	struct kill_state s;

	pthread_mutex_lock(&w->lock);
	s = state_of(w, w->now);
	for (struct watched *r = w->first; r; r = r->next) {
		struct kill_target t = kill_target_of(r->call, w->instance);
		struct kill_finding found = kill_judge(&s, &t, boot_ms);

		if (r->call->killed || found.cause == KILL_BY_NOTHING)
			continue;
		r->found = found;
		atomic_store_explicit(&r->call->killed, true, memory_order_release);
	}
	pthread_mutex_unlock(&w->lock);
}

/* --- one look --- */

static bool switch_is_on(struct watch *w, bool *on_out, struct err *err)
{
	struct stat st;

	*on_out = lstat(w->switch_file, &st) == 0;
	return *on_out || errno == ENOENT || errno == ENOTDIR ||
	       err_errno(err, E_IO, "%s cannot be looked for", w->switch_file);
}

/* False: it must be held in memory for now. */
static bool make_switch(struct watch *w)
{
	int fd = open(w->switch_file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool look_at_switch(struct watch *w, struct err *err)
{
	bool on = false, ok, changed;

	if (w->held && make_switch(w))
		w->held = false;
	ok = switch_is_on(w, &on, err);
	on = on || w->held;
	if (!ok && !on)
		return false;
	pthread_mutex_lock(&w->lock);
	changed = w->local != on;
	w->local = on;
	w->editions += changed;
	pthread_mutex_unlock(&w->lock);
	if (changed) {
		log_warn(on ? "killed" : "resumed", "source=local");
		note_text(w->notes, on ? "KILL" : "RESUME", "local_switch", "local", STR_NONE);
	}
	return ok;
}

static void publish(struct watch *w, struct edition *e, const struct edition_rows *rows,
	uint64_t boot_ms, int64_t wall_us)
{
	struct edition *before = w->now; /* only this thread replaces it */

	if (before && sha256_eq(&before->digest, &e->digest)) {
		edition_drop(e);
		return;
	}
	note_changes(w->notes, before, e, rows->kills, rows->kill_count, wall_us);
	note_glass(w->notes, before, e, boot_ms);
	pthread_mutex_lock(&w->lock);
	w->now = e;
	w->editions++;
	pthread_mutex_unlock(&w->lock);
	edition_drop(before);
}

static bool is_row(const struct kill_order *o, const struct kill_row *row)
{
	return row->id == o->id && row->since_us == o->since_us && str_eq(row->name, o->name) &&
	       str_eq(row->kind, str_c(kill_kind_name(o->kind)));
}

static bool vanished(int64_t id, const char *kind, struct err *err)
{
	return err_set(err, E_CONTRACT,
		"kill order %lld (%s) is not in the store any more, and nobody lifted it: put the "
		"store back, or stop every postern that uses it, give the order again, and start",
		(long long)id, kind);
}

/* An order that was in force and is not listed: its row says what became of it. */
static bool look_for(struct watch *w, struct arena *a, const struct kill_order *o, struct err *err)
{
	struct kill_row row;
	bool found;

	if (!store_kill_get(w->store, a, o->id, &row, &found, err))
		return false;
	return (found && is_row(o, &row)) || vanished(o->id, kill_kind_name(o->kind), err);
}

static bool has_row(const struct edition_rows *rows, int64_t id)
{
	for (size_t i = 0; i < rows->kill_count; i++)
		if (rows->kills[i].id == id)
			return true;
	return false;
}

/* Both lists have much the same order, so that the next row is mostly the one. */
static bool none_vanished(
	struct watch *w, struct arena *a, const struct edition_rows *rows, struct err *err)
{
	const struct edition *before = w->now;
	size_t next = 0;

	for (size_t i = 0; before && i < before->count; i++) {
		const struct kill_order *o = &before->orders[i];

		if (o->over)
			continue;
		while (next < rows->kill_count && rows->kills[next].id > o->id)
			next++;
		if (next < rows->kill_count && is_row(o, &rows->kills[next]))
			next++;
		else if (!look_for(w, a, o, err))
			return false;
	}
	return !before || !before->beyond || has_row(rows, before->beyond) ||
	       vanished(before->beyond, "unknown", err);
}

static bool look_at_store(struct watch *w, uint64_t boot_ms, int64_t wall_us, struct err *err)
{
	struct edition_rows rows = { 0 };
	struct glass_row *glass = NULL;
	struct kill_row *kills;
	struct err second;
	bool there, ok;
	struct arena a;

	arena_init(&a, LOOK_BYTES);
	ok = store_kill_list(
		w->store, &a, wall_us - HISTORY_US, &kills, &rows.kill_count, &there, err);
	/* a new order is not to wait for it: what cannot be read gives nobody anything */
	if (ok && !store_glass_list(w->store, &a, GLASS_IN_FORCE, wall_us - DAY_US, &glass,
			  &rows.glass_count, &second))
		rows.glass_count = 0;
	if (ok && !there && w->was_there)
		ok = err_set(err, E_NOT_FOUND, "the store's file is gone");
	rows.kills = ok ? kills : NULL;
	ok = ok && none_vanished(w, &a, &rows, err);
	if (ok) {
		rows.glass = glass;
		w->was_there = there;
		publish(w, edition_new(w->now, &rows, boot_ms, wall_us), &rows, boot_ms, wall_us);
	}
	arena_done(&a);
	return ok;
}

/* Said once when it begins and once when it ends. */
static void tell_doubt(struct watch *w, uint64_t boot_ms, const struct err *why)
{
	struct log_text text;
	bool doubt;

	pthread_mutex_lock(&w->lock);
	doubt = !w->now || w->now->beyond || w->lost || boot_ms >= w->lease_boot_ms;
	w->editions += doubt != w->in_doubt;
	w->in_doubt = doubt;
	pthread_mutex_unlock(&w->lock);
	if (doubt == w->was_in_doubt)
		return;
	w->was_in_doubt = doubt;
	if (!doubt) {
		log_warn("kill_state_known", "note=\"calls are served again\"");
		note_text(w->notes, "SECURITY", "kill_state_known", NULL, STR_NONE);
		return;
	}
	log_error("kill_state_unknown", "note=\"every call is PAUSED\" error=%s",
		log_value(&text, why ? str_c(why->text) : S("an order of a later postern")));
	note_text(w->notes, "SECURITY", "kill_state_unknown", NULL,
		why ? str_c(why->text) : S("an order of a later postern"));
}

static void look_at_clock(struct watch *w, uint64_t boot_ms, int64_t wall_us)
{
	int64_t offset_us = wall_us - (int64_t)boot_ms * 1000;
	int64_t step_ms = (offset_us - w->wall_offset_us) / 1000;
	bool stepped = w->offset_known && (step_ms > CLOCK_STEP_MS || step_ms < -CLOCK_STEP_MS);
	struct buf fields;

	if (!w->offset_known || stepped)
		w->wall_offset_us = offset_us;
	w->offset_known = true;
	if (!stepped)
		return;
	log_warn("clock_stepped", "ms=%lld", (long long)step_ms);
	buf_init(&fields, 64);
	buf_lit(&fields, "\"step_ms\":");
	buf_i64(&fields, step_ms);
	notes_add(w->notes, "CLOCK", buf_str(&fields));
	buf_done(&fields);
}

void watch_look(struct watch *w, uint64_t boot_ms, int64_t wall_us)
{
	struct err err;
	bool ok;

	look_at_clock(w, boot_ms, wall_us);
	ok = look_at_switch(w, &err);
	stop_running(w, boot_ms); /* before the store, which may be slow to answer */
	ok = ok && look_at_store(w, boot_ms, wall_us, &err);
	pthread_mutex_lock(&w->lock);
	if (ok)
		w->lease_boot_ms = boot_ms + WATCH_LEASE_MS;
	w->lost = !ok && (w->lost || err.code == E_CONTRACT);
	pthread_mutex_unlock(&w->lock);
	tell_doubt(w, boot_ms, ok ? NULL : &err);
	stop_running(w, boot_ms);
}

/* --- the thread --- */

/* False: stop. */
static bool wait_a_little(struct watch *w)
{
	struct pollfd fds[] = { { .fd = w->stop_fd, .events = POLLIN },
		{ .fd = w->signal_fd, .events = POLLIN } };
	struct signalfd_siginfo info;

	if (poll(fds, ARRAY_LEN(fds), WATCH_EVERY_MS) <= 0)
		return true;
	if (fds[1].revents && read(w->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		w->held = true;
	return !fds[0].revents;
}

static void *watch_on(void *ctx)
{
	struct watch *w = ctx;

	while (wait_a_little(w))
		watch_look(w, clock_boot_ms(), clock_wall_us());
	return NULL;
}

/* The signal may have come before there was anybody to take it. */
static void take_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		w->held = true;
}

static bool open_descriptors(struct watch *w, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (w->stop_fd < 0)
		w->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (w->signal_fd < 0)
		w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return (w->stop_fd >= 0 && w->signal_fd >= 0) ||
	       err_errno(err, E_UNAVAILABLE, "the watch for kill orders cannot be set up");
}

static bool start(struct watch *w, struct err *err)
{
	if (!open_descriptors(w, err) || !notes_start(w->notes, err))
		return false;
	take_signal(w);
	watch_look(w, clock_boot_ms(), clock_wall_us());
	w->started = pthread_create(&w->thread, NULL, watch_on, w) == 0;
	return w->started || err_set(err, E_UNAVAILABLE, "there is no thread for kill orders");
}

bool watch_start(struct watch *w, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&w->starting);
	ok = w->started || start(w, err);
	pthread_mutex_unlock(&w->starting);
	return ok;
}
