/* reconcile - what became of changes whose outcome the audit log does not know: the process ended
 * between COMMIT and the record, or the source's answer was lost.
 *
 * Each is looked up in the ledger of its source and closed by a RECONCILE record; one that cannot
 * be looked up stays open, is said once, and is tried again.  Two processes that start at once may
 * both record the same answer.
 *
 * Run before readiness, then every so often, by one thread at a time; reconcile_note from any. */
#pragma once
#include "audit/audit.h"

struct reconcile;

/* tool: "NAME@VERSION".  True with *committed_out, and the ledger's id in the arena when it is;
 * false: it cannot be known now, and err says why. */
typedef bool reconcile_look(void *ctx, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err);

/* directory: of the audit log; audit is borrowed. */
struct reconcile *reconcile_new(
	struct audit *audit, struct str directory, reconcile_look *look, void *ctx);
void reconcile_free(struct reconcile **r);

struct reconciled {
	unsigned committed, not_committed, unknown;
	unsigned rotten; /* lines of logs that are gone and do not fit: an intent may be among them
			  */
	struct err why; /* the last that is unknown */
};
/* False: the logs could not be gone through, or an answer not be recorded. */
bool reconcile_run(struct reconcile *r, struct reconciled *out, struct err *err) must_check;
/* This process does not know itself how the call's change ended (CHANGE_UNKNOWN), after its outcome
 * was recorded.  Past 1024 of them they wait for the next start. */
void reconcile_note(struct reconcile *r, const struct call *c);
