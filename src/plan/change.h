/* change - what a call of a tool with a write is about: preview or the real thing, on whose yes,
 * and what became of it.  call->change; NULL for everything that only reads.
 *
 * Filled by the pipeline in its order, in the call's arena.  One thread. */
#pragma once
#include "base/seal.h"
#include "plan/call.h"
#include "plan/plan.h"

struct intent;

/* The last look before COMMIT.  Given by serve, asked inside the transaction when everything is
 * known; fills change->answer.  False: the call's fault is set, and all is rolled back. */
struct gate {
	bool (*open)(void *ctx, struct call *c);
	void *ctx;
};

/* One tool with its arguments.  A plain call has one; apply_together has several. */
struct change_step {
	const struct entry *entry; /* with a write */
	struct json arguments; /* after defaults, without the server's own */
	struct str canonical; /* of them */
	struct rows
		*rows; /* what the tool answers; NULL: it declares nothing, or nothing ran yet */
};

enum change_wish {
	WISH_PREVIEW, /* dry_run true, or nothing said */
	WISH_RUN, /* dry_run false: run it, or say who must be asked */
	WISH_APPLY, /* plan_id or confirmation_token: run what was approved */
};

enum change_end {
	CHANGE_NOT, /* nothing was kept: previewed, refused, failed or rolled back */
	CHANGE_COMMITTED,
	CHANGE_UNKNOWN, /* COMMIT was sent, and nobody knows */
};

struct change {
	/* change_split: what was asked. */
	enum change_wish wish;
	struct str plan_id, token, idempotency_key, request, reason;
	struct change_step *steps;
	size_t step_count;
	struct sha256 arguments; /* over all steps */

	/* The plan step: on whose yes. */
	bool live; /* may commit: with `approved`, or where nobody needs to say yes */
	const struct plan *approved; /* NULL: there is none */
	enum approval_level given; /* what the yes is worth; APPROVAL_NONE without one */
	bool replay_only; /* it was applied, or may have been: only the ledger can answer */

	/* Handed in by serve. */
	const struct gate *gate;
	const struct seal *seal; /* of what the ledger keeps */
	struct intent *queued; /* live: the CALL_INTENT record, set by audit_intent (audit.h) */
	struct str intent; /* live: where it stands, "ORIGIN/BOOT/INDEX", when the gate opened */
	struct sha256 catalog; /* digest of all of it */
	int64_t now_us; /* the store's clock: what windows and the ledger go by */

	/* The backend: what was found and done. */
	struct plan *plan;
	enum change_end end;
	bool short_of_approval; /* live, but what was found needs more than `given` */
	bool differs; /* live, and not what was approved */
	bool committing; /* all tests passed: what is found now is what will stand */
	struct str answer; /* live: the result for the ledger, made by the gate; replayed: read
			      there.  JSON */
	bool replayed; /* answered from the ledger: nothing was done now */
	struct str ledger_id;

	/* The propose step: where the plan stands now. */
	bool unanswered; /* our question came back without an answer to it */
	bool pending; /* it was there before, and nobody has decided */
	bool approved_already; /* it was there before, and somebody said yes */
	struct str approval_url; /* empty: there is no page */
};

/* From the prepared arguments; makes call->change.  False: what the server's own arguments say does
 * not go together (VALIDATION_ERROR), or a step cannot be one. */
bool change_split(struct call *c, const struct catalog *catalog) must_check;
/* The step as a call of its own, for whatever looks at entry and arguments. */
struct call change_step_call(const struct call *c, const struct change_step *s);
