/* backend - does what a warrant allows, and nothing else.
 *
 * One struct for all sources of a configuration; connections are opened when first needed.  Results
 * and faults land in the call.  Thread-safe; a call borrows a connection for its own use. */
#pragma once
#include "guard/guard.h"

struct backends;

struct backends *backends_new(
	const struct config *config, const struct catalog *catalog, struct err *err);
void backends_free(struct backends **b);

/* Runs the entry's action.  False: call->fault is set (UPSTREAM_*, NOT_FOUND, RESULT_TOO_LARGE,
 * BUSY, INTERNAL …).  On true call->end is CALL_DONE or CALL_ASKS. */
bool backend_run(struct backends *b, const struct warrant *w) must_check;

/* Opens every source once and prepares every statement; adds what the databases say to findings. */
void backends_check(struct backends *b, struct findings *f);

/* Does every source answer now?  Cheap: no statement is prepared.  One with no connection free is
 * at work, which is an answer. */
bool backends_answer(struct backends *b, struct err *err) must_check;

/* What a ledger says of a call; ids in the arena. */
struct backend_committed {
	bool found;
	struct str ledger;
	struct str plan; /* that it used up; empty: none was needed */
};
/* Was the change of this call committed?  All ledgers are asked.  False: one of them cannot say,
 * and none said yes. */
bool backends_committed(struct backends *b, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err) must_check;

struct backend_usage {
	struct str source;
	unsigned inside, most; /* calls in it now; that may be */
};
/* The i-th source; false: there are no more. */
bool backends_usage(struct backends *b, size_t i, struct backend_usage *out);
