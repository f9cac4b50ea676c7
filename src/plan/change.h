/* change - what a call of a tool with a write is about: preview or the real thing, on whose yes,
 * and what became of it.  call->change; NULL for everything that only reads. */
#pragma once
#include "plan/plan.h"

/* May it commit?  Given by serve, asked by the backend inside the transaction, right before the
 * ledger row.  False: the call's fault is set. */
struct gate {
	bool (*open)(void *ctx, struct call *c);
	void *ctx;
};

enum change_end {
	CHANGE_NOT, /* nothing was kept: previewed, refused, failed or rolled back */
	CHANGE_COMMITTED,
	CHANGE_UNKNOWN, /* COMMIT was sent and nobody knows */
};

struct change {
	/* What was asked, set by the schema step. */
	bool dry_run; /* true unless the caller says false */
	struct str plan_id, token, idempotency_key, request, reason;

	/* Set by the plan step. */
	bool live; /* run for real: it is approved, or needs nobody */
	const struct plan *approved; /* the plan to apply; NULL: none is needed */

	const struct gate *gate; /* live: never NULL */
	struct str intent; /* live: "ORIGIN/INDEX" of the CALL_INTENT record */

	/* Set by the backend. */
	struct plan *plan; /* what it found, in preview and live */
	enum change_end end;
	bool replayed; /* the first answer, from the ledger: nothing was done now */
	struct str ledger_id; /* of the committed change, or the replayed one */
	struct str kept_result; /* replayed: the result as it was, JSON */

	/* Set when the plan was kept. */
	struct str approval_url; /* empty: there is no page */
	bool pending; /* it was kept before, and nobody has decided */
};
