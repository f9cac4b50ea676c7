/* watch - the kill orders in force, as this process knows them.
 *
 * A thread of its own looks at the store every quarter of a second, publishes an immutable edition
 * of the orders, and stops running calls that one of them now meets.  What was read is good for
 * WATCH_LEASE_MS; then, and before the first look, everything is paused; at once, when an order
 * that was in force has vanished from the store or another file stands in its place.
 *
 * The local switch needs no store and no network: SIGUSR2, or a file KILL beside the store's file,
 * pauses everything here until the file is removed.  The signal makes the file; while that cannot
 * be done it is held in memory, and tried again.
 *
 * What it sees is recorded: KILL_SEEN for each order, KILL and RESUME for the local switch,
 * SECURITY when the state is not known, CLOCK when the clock stepped.  Thread-safe. */
#pragma once
#include "audit/audit.h"
#include "guard/kill.h"

#define WATCH_LEASE_MS 5000
#define WATCH_EVERY_MS 250
#define WATCH_HISTORY_DAYS 30 /* as long as a legacy session may live */

struct watch;

/* Touches nothing.  audit must outlive it. */
struct watch *watch_new(struct str store_file, struct str instance, struct audit *audit);
void watch_free(struct watch **w);

/* The thread that looks; may be said again, by any thread.  The first look was made when it
 * returns.  False: there is no thread to be had, and everything stays paused. */
bool watch_start(struct watch *w, struct err *err) must_check;
/* One look, now; for watch_start's thread, and for tests. */
void watch_look(struct watch *w, uint64_t boot_ms, int64_t wall_us);

/* A running call, so that an order finds it. */
struct watched {
	struct watched *next;
	struct call *call;
	struct kill_finding found; /* why call->killed was set */
};
void watch_enter(struct watch *w, struct watched *running);
void watch_leave(struct watch *w, struct watched *running); /* may be said again */

struct kill_finding watch_judge(struct watch *w, const struct kill_target *t, uint64_t boot_ms);
/* The same of a call, now. */
struct kill_finding watch_judge_call(struct watch *w, const struct call *c);
bool watch_ended_session(
	struct watch *w, const struct kill_target *t, int64_t issued_us, uint64_t boot_ms);
/* As a whole: by an order against everything or this server, the local switch, or doubt. */
bool watch_is_paused(struct watch *w);
/* For monitoring. */
struct watch_sum {
	bool read; /* there was a look that read everything */
	uint64_t age_ms; /* since then */
	bool known; /* and it is good still; false: everything is paused */
	bool local; /* the local switch is on */
	unsigned orders[KILL_KIND_COUNT]; /* in force, as they were read */
};
void watch_sum(struct watch *w, uint64_t boot_ms, struct watch_sum *out);
/* Is any tool or source paused? */
bool watch_pauses_part(struct watch *w, uint64_t boot_ms);
/* Has an order against them come that ends their streams? */
bool watch_ends_streams(struct watch *w, const struct kill_target *t);
/* Adds the grants that broken glass gives this principal now, and marks it with the request.
 * By tenant and subject of a key, or of a token of the issuer that was named. */
void watch_break_glass(struct watch *w, struct arena *a, struct principal *who, uint64_t boot_ms);
struct str watch_instance(const struct watch *w);
/* Counts up whenever something else is in force. */
uint64_t watch_edition(struct watch *w);

/* The file that is the local switch: beside the store's. */
struct str watch_switch_file(struct arena *a, struct str store_file);
