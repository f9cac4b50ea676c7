/* guard - may this call be done, now, by this principal?
 *
 * Each step is one question; a guard that cannot decide says no.  guard_warrant makes the warrant
 * without which no backend runs anything, and only when every step said yes (bug_on otherwise).
 * On VERDICT_REFUSE the call's fault is set.  Thread-safe: a call belongs to one thread. */
#pragma once
#include "guard/permission.h"
#include "plan/call.h"

enum verdict { VERDICT_PASS, VERDICT_REFUSE };

enum guard_step {
	GUARD_PERMISSION = 1 << 0,
	GUARD_SCHEMA = 1 << 1,
	GUARD_CURSOR = 1 << 2,
	GUARD_STATE = 1 << 3,
	GUARD_LIMITS = 1 << 4,
	GUARD_KILL = 1 << 5, /* kill.h */
	GUARD_APPROVAL = 1 << 6,
};

struct guard;
struct seal;

struct guard *guard_new(const struct seal *seal); /* seal must outlive it */
void guard_free(struct guard **g);

/* May the principal use it at all?  The rules of permission.h. */
enum verdict guard_permission(struct call *c);
/* Do the arguments fit?  Then they are prepared: defaults, canonical text, digest. */
enum verdict guard_schema(struct call *c);
/* Do the answers that came belong to a question of this call?  opened: no state came with them, or
 * it was one that we sealed for this caller, entry and arguments. */
enum verdict guard_state(struct call *c, bool opened);
/* Was the page cursor, if there is one, made for this caller, tool and arguments? */
enum verdict guard_cursor(struct guard *g, struct call *c);

/* Whatever changes something: on whose yes?  found: the plan it names, if it names one, was found
 * and may be applied by this caller (else the call's fault is set already).  Sets change->live, and
 * holds it to what it may be: without a plan only where the tool needs nobody's yes. */
enum verdict guard_approval(struct call *c, bool found);

struct warrant; /* proof that every guard said yes; lives in the call's arena */
const struct warrant *guard_warrant(struct call *c);
struct call *warrant_call(const struct warrant *w);

/* The sealed cursor of the page after these rows, or empty when there is none. */
struct str guard_cursor_make(struct guard *g, struct call *c, const struct rows *rows);
