/* limits - how often may this be called, by whom, and how many at a time?
 *
 * Every rule that speaks of a call (limits.calls, the tool's, its source's) and every cap on how
 * many run at a time is looked at together: a call that is refused takes nothing.  Counts are
 * shared by the processes of this host (store/windows.h).  Where they cannot be read, reads get a
 * tenth of each limit from memory for half a minute, then nothing; what changes data gets nothing.
 *
 * Outlives generations: a reload changes rules, not counts.  Thread-safe. */
#pragma once
#include "guard/guard.h"
#include "store/store.h"
#include "store/windows.h"

struct limits;

/* file: where the counts are; store: must outlive it. */
struct limits *limits_new(struct str file, struct str boot_id, struct store *store);
void limits_free(struct limits **l);

/* May wait for a place, at most LIMITS_WAIT_MS.  What it took is given back with the call's arena,
 * or by limits_leave, whichever comes first. */
#define LIMITS_WAIT_MS 1000
enum verdict guard_limits(struct limits *l, const struct config *config, struct call *c);
void limits_leave(struct call *c);

/* limits.errors: has the caller made too many mistakes lately?  Takes nothing. */
enum verdict guard_errors(struct limits *l, const struct config *config, struct call *c);
/* The call is over; if it was the caller's mistake, it counts. */
void limits_count_error(struct limits *l, const struct config *config, struct call *c);

/* True once for each time the shared counts became unreadable: why. */
bool limits_trouble(struct limits *l, struct err *out);

/* True once, when the file of counts was gone at the start: all limits began anew.  Only a store
 * that is there can remember that there was one. */
bool limits_anew(struct limits *l);

/* Of the shared counts. */
bool limits_usage(struct limits *l, uint64_t boot_ms, struct windows_usage *out);

/* Credentials that were refused, by the address they came from (of IPv6 its /64).  False: there
 * have been too many, *wait_ms_out until there is room; then nothing is verified. */
bool limits_address_free(struct limits *l, const struct limit_rule *rule, struct str address,
	uint64_t boot_ms, uint32_t *wait_ms_out);
void limits_address_failed(
	struct limits *l, const struct limit_rule *rule, struct str address, uint64_t boot_ms);
