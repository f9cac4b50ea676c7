/* plans - plans and the decisions on them: every transition is a conditional update.
 *
 *   proposed ──> approved ──> applied
 *      │            └──> void | unknown ──> applied | void
 *      ├──> declined
 *      └──> void            past expires_us: expired, whatever stands in the row
 *
 * The body is the plan's document (plan/plan.h), sealed by the caller.  Times are the store's clock
 * (store_now_us), which does not go back.  Thread-safe; text in the arena given. */
#pragma once
#include "base/digest.h"
#include "store/store.h"

enum plan_state {
	PLAN_PROPOSED,
	PLAN_APPROVED,
	PLAN_DECLINED,
	PLAN_APPLIED,
	PLAN_VOID,
	PLAN_EXPIRED, /* never stored: what the clock makes of proposed and approved */
	PLAN_UNKNOWN,
};
const char *plan_state_name(enum plan_state s);

struct plan_row {
	struct str id, tool, source;
	struct sha256 digest;
	struct sha256 arguments; /* digest of the canonical arguments */
	struct sha256 definition; /* of the tool, as it was */
	struct sha256 catalog; /* digest of the whole catalog, as it was */
	struct str issuer, subject, tenant, agent, credential, environment;
	struct str need; /* approval_level_name */
	struct str grant; /* who may approve; empty: the requester */
	struct str body; /* sealed */
	int64_t made_us, expires_us;

	enum plan_state state;
	/* The decision; empty before. */
	struct str decided_by, decided_credential, channel, note;
	struct sha256 shown; /* digest of what the decider saw */
	int64_t decided_us;
	/* `escalated_us` not 0: the requester sent it to those who hold the grant. */
	int64_t escalated_us;
	struct str escalation_note;
	/* A token to paste: its HMAC, tries that are left, its end; tries 0: none. */
	struct sha256 token;
	unsigned token_tries;
	int64_t token_until_us;
	struct str ledger_id; /* of applied */
	struct str why; /* of void */
};

/* How the store's clock stands: wall time that never goes back within the store. */
bool store_now_us(struct store *s, int64_t *now_out, struct err *err) must_check;

/* E_LIMIT: the subject has `most` open plans already (proposed and not expired). */
bool store_plan_add(
	struct store *s, const struct plan_row *row, unsigned most, struct err *err) must_check;
/* E_NOT_FOUND. */
bool store_plan_get(struct store *s, struct arena *a, struct str id, struct plan_row *out,
	struct err *err) must_check;
/* The open plan of this subject with this digest, so that asking again makes no second one. */
bool store_plan_find(struct store *s, struct arena *a, const struct plan_row *like,
	struct plan_row *out, struct err *err) must_check;

enum plans_which { PLANS_WAITING, PLANS_RECENT };
/* At most `most`, the newest first.  subject: whose; empty: everybody's. */
bool store_plan_list(struct store *s, struct arena *a, enum plans_which which, struct str subject,
	size_t most, struct plan_row **rows_out, size_t *count_out, struct err *err) must_check;

struct plan_decision {
	bool yes;
	struct str by, credential, channel, note; /* channel: "client", "page", "terminal" */
	struct sha256 shown;
};
/* From proposed alone.  E_EXISTS: it was decided, voided or is past its end. */
bool store_plan_decide(
	struct store *s, struct str id, const struct plan_decision *d, struct err *err) must_check;
/* expires_us: the new end (others have longer).  E_EXISTS as above. */
bool store_plan_escalate(struct store *s, struct str id, struct str need, struct str grant,
	struct str note, int64_t expires_us, struct err *err) must_check;
bool store_plan_token(struct store *s, struct str id, const struct sha256 *hmac, unsigned tries,
	int64_t until_us, struct err *err) must_check;
/* True: it is the one, and from now on used up.  E_DENIED: it is not, and a try is gone. */
bool store_plan_use_token(
	struct store *s, struct str id, const struct sha256 *hmac, struct err *err) must_check;
/* From `from` to `to`.  False with E_EXISTS: it was not in `from`. */
bool store_plan_move(struct store *s, struct str id, enum plan_state from, enum plan_state to,
	struct str ledger_id, struct str why, struct err *err) must_check;
/* Voids open plans: of a tool whose definition is not this one; of a subject; count_out of them. */
bool store_plan_void_tool(struct store *s, struct str tool, const struct sha256 *definition,
	unsigned *count_out, struct err *err) must_check;
