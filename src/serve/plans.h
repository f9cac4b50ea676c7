/* plans - plans between the preview that makes one, the person who decides on it, and the call that
 * applies it.
 *
 * The store keeps them (store/plans.h), their bodies sealed for nobody but this deployment;
 * guard/approval.h judges; here it is put together and recorded: PLAN when one is kept, escalated or
 * voided, APPROVAL with every decision, before it takes effect.  For the pipeline, the approval
 * pages and the terminal alike.  Thread-safe. */
#pragma once
#include "guard/approval.h"
#include "plan/change.h"
#include "serve/world.h"

/* A plan with its row; what a person sees of it is plan, where it stands is row. */
struct kept {
	struct plan_row row;
	struct plan plan; /* id, made_us, expires_us, need and grant as the row has them now */
};

/* --- for the pipeline; each sets the call's fault when it returns false --- */

/* Keeps change->plan, or finds the equal one that waits already: id, made_us and expires_us are
 * set, and change->pending when it waits.  One that needs nobody is not kept.  Too many open ones:
 * RATE_LIMITED.  Not recorded: AUDIT_UNAVAILABLE. */
bool plans_keep(struct world *w, const struct generation *g, struct call *c) must_check;
/* What change->plan_id (or the token alone) names, and what may be done with it: APPLY_NOW, or what
 * the ledger must say.  A token is used up by it. */
bool plans_load(struct world *w, const struct generation *g, struct call *c, enum apply *apply_out,
	struct kept *out) must_check;
/* The person behind the client has answered (approval by `client`): approves, or declines, and
 * *out stands as it stands then. */
bool plans_answer(struct world *w, const struct generation *g, struct call *c, struct str id,
	bool yes, struct kept *out) must_check;
/* Members of a fault's details: plan id, what approval it needs, until when, how. */
struct str plans_details(const struct generation *g, struct arena *a, const struct plan *p,
	struct str approval_url);

/* --- what became of it: best effort, the ledger has the truth --- */

bool plans_applied(struct world *w, struct str id, struct str ledger_id, struct err *err) must_check;
bool plans_void(struct world *w, struct str id, struct str why, struct err *err) must_check;
bool plans_unknown(struct world *w, struct str id, struct err *err) must_check;

/* --- for people: the pages and the terminal --- */

/* E_NOT_FOUND: no such plan, or nothing that `who` may see (the same words). */
bool plans_open(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, struct str id, struct kept *out, struct err *err) must_check;
/* The waiting ones that `who` may decide on or has asked for; or all that were, for who sees them.
 * Rows without body. */
bool plans_list(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, enum plans_which which, struct plan_row **rows_out, size_t *count_out,
	struct err *err) must_check;

struct decision {
	bool yes;
	struct str channel; /* "page", "terminal" */
	struct str note;
	struct sha256 shown; /* digest of what was shown */
	struct str peer; /* where from; for the record */
};
/* *verdict_out: DECIDE_MAY when it is decided now; else why not (and false).  *token_out: to be shown
 * to the decider once; empty where the deployment wants none. */
bool plans_decide(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, const struct decision *d, struct str *token_out,
	enum decide *verdict_out, struct err *err) must_check;
/* The requester sends it to those who hold the grant. */
bool plans_escalate(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, struct str note, enum decide *verdict_out,
	struct err *err) must_check;
