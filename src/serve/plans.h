/* plans - plans between the preview that makes one, the person who decides on it, and the call that
 * applies it.
 *
 * The store keeps them (store/plans.h), their bodies sealed; guard/approval.h judges; here it is
 * put together and recorded: PLAN when one is kept, escalated or voided, APPROVAL with every
 * decision, before it takes effect, DENY where a decision was not somebody's to make.  For the
 * pipeline, the approval pages and the terminal alike.  Thread-safe. */
#pragma once
#include "guard/approval.h"
#include "plan/change.h"
#include "serve/world.h"

/* A plan as a person sees it, and the row that says where it stands.  The row's times are the
 * store's; the plan's are those of the wall clock. */
struct kept {
	struct plan_row row;
	struct plan plan; /* id, made_us, expires_us, need and grant as the row has them now */
};

/* --- for the pipeline: false means that the call's fault is set --- */

/* Keeps change->plan, or finds the equal one that waits already: its id and times are set (need and
 * grant, too, of one that waits), and change->pending.  One that needs nobody is not kept.  Too
 * many open ones: RATE_LIMITED (pending_limit). */
bool plans_keep(struct world *w, const struct generation *g, struct call *c) must_check;
/* What change->plan_id names, and what may be done with it: APPLY_NOW, or what the ledger must say.
 * With APPLY_NOW a token that was asked for is used up. */
bool plans_load(struct world *w, const struct generation *g, struct call *c, enum apply *apply_out,
	struct kept *out) must_check;
/* A confirmation_token came without a plan_id: change->plan_id is the approved plan of this very
 * call, the newest. */
bool plans_find_token(struct world *w, struct call *c) must_check;
/* The person behind the client answered the question for a plan of approval `client`: what was
 * shown counts as the plan itself.  A no is taken for any plan.  *out: as it stands then. */
bool plans_answer(struct world *w, const struct generation *g, struct call *c, struct str id,
	bool yes, struct kept *out) must_check;
/* The details of a fault for a plan that waits: plan_id, approval, grant, expires_at, url, command.
 */
struct str plans_details(struct arena *a, const struct plan *p, struct str approval_url);

/* --- what became of it: a copy of what the ledger says, repaired from there --- */

bool plans_applied(
	struct world *w, struct str id, struct str ledger_id, struct err *err) must_check;
bool plans_void(struct world *w, struct str id, struct str why, struct err *err) must_check;
bool plans_unknown(struct world *w, struct str id, struct err *err) must_check;

/* --- for people: principals of approver_verify --- */

/* E_NOT_FOUND: there is no such plan, or it is not theirs to see (the same words). */
bool plans_open(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, struct str id, struct kept *out, struct err *err) must_check;
/* Those `who` may see: the waiting ones, or all of late.  Newest first, without bodies. */
bool plans_list(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, enum plans_which which, struct plan_row **rows_out, size_t *count_out,
	struct err *err) must_check;

struct decision {
	bool yes;
	struct str channel; /* "page", "terminal" */
	struct str note; /* at most PLAN_NOTE_MAX bytes of UTF-8; a no needs one */
	struct sha256 shown; /* digest of what was shown */
	struct str peer; /* where from */
};
/* True: it is decided now; *token_out is to be shown once, and empty where none is asked for.
 * False: *verdict_out says why not; err says what failed when that is DECIDE_MAY. */
bool plans_decide(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, const struct decision *d, struct str *token_out,
	enum decide *verdict_out, struct err *err) must_check;
/* Who asked for it sends it to those who hold the grant, who then see it.  False as above. */
bool plans_escalate(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, const struct decision *d, enum decide *verdict_out,
	struct err *err) must_check;
