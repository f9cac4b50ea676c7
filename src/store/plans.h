/* plans - plans and the decisions on them: every transition is a conditional update.
 *
 *   proposed ──> approved ──> applied
 *      │            └──> void | unknown ──> applied | void
 *      ├──> declined
 *      └──> void            past expires_us: expired, whatever stands in the row
 *
 * The ledger of the source is the truth about what was applied: what it tells later makes a void
 * plan applied, too.  The body is the plan's document (plan/plan.h), sealed by the caller.  Times
 * are the store's (clock.h).  Nothing is ever removed.  Thread-safe; text in the arena given. */
#pragma once
#include "base/digest.h"
#include "store/clock.h"

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

#define PLAN_NOTE_MAX 1000 /* bytes of a note or reason */
#define PLAN_BODY_MAX ((size_t)32 << 20)

struct plan_row {
	struct str id, tool, source;
	struct sha256 digest;
	struct sha256 arguments; /* digest of the canonical arguments */
	struct sha256 definition; /* of the tool, as it was */
	struct sha256 catalog; /* digest of the whole catalog, as it was */
	struct str issuer, subject, tenant, agent, credential, environment;
	struct str need; /* approval_level_name */
	struct str grant; /* who may approve; empty: the requester */
	struct str body; /* sealed; empty in what lists and searches give */
	int64_t made_us, expires_us;

	enum plan_state state;
	/* The decision; empty before. */
	struct str decided_by, decided_credential, channel, note;
	struct sha256 shown; /* digest of what the decider saw */
	int64_t decided_us;
	/* `escalated_us` not 0: the requester sent it to those who hold the grant. */
	int64_t escalated_us;
	struct str escalation_note;
	/* A token to paste: its HMAC, tries that are left, its end.  token_until_us 0: none is
	 * asked for, or it was used; tries 0 with an end: there were too many wrong ones. */
	struct sha256 token;
	unsigned token_tries;
	int64_t token_until_us;
	struct str ledger_id; /* of applied */
	struct str why; /* of void */
};

/* Proposed from now on, for lives_us: made_us and expires_us are set.  E_LIMIT: the subject has
 * `most` open plans already (proposed and not expired).  E_INVALID: the row is too large.
 * E_EXISTS: there is an open or approved one with this digest (store_plan_find). */
bool store_plan_add(struct store *s, struct plan_row *row, int64_t lives_us, unsigned most,
	struct err *err) must_check;
/* E_NOT_FOUND. */
bool store_plan_get(struct store *s, struct arena *a, struct str id, struct plan_row *out,
	struct err *err) must_check;
/* Without reading it all. */
bool store_plan_state(
	struct store *s, struct str id, enum plan_state *out, struct err *err) must_check;
/* The open or approved plan of this principal with this digest, so that asking again makes no
 * second one: by issuer, subject, tenant, agent, environment and digest of `like`. */
bool store_plan_find(struct store *s, struct arena *a, const struct plan_row *like,
	struct plan_row *out, struct err *err) must_check;

enum plans_which { PLANS_WAITING, PLANS_RECENT };
#define PLANS_LIST_MAX 500
/* At most `most`, the newest first.  subject: whose; empty: everybody's. */
bool store_plan_list(struct store *s, struct arena *a, enum plans_which which, struct str subject,
	size_t most, struct plan_row **rows_out, size_t *count_out, struct err *err) must_check;

struct plan_decision {
	bool yes;
	struct str by, credential, channel, note; /* channel: "client", "page", "terminal" */
	struct sha256 shown;
	/* Of a yes: what to paste with the call that applies. */
	const struct sha256 *token; /* its HMAC; NULL: none is asked for */
	unsigned token_tries;
	int64_t token_lasts_us;
};
/* From proposed alone.  E_EXISTS: it was decided, voided or is past its end; or it needs something
 * else than `seen` does, because it was escalated meanwhile. */
bool store_plan_decide(struct store *s, const struct plan_row *seen, const struct plan_decision *d,
	struct err *err) must_check;
/* Once, while proposed.  It lives for lives_us from now, and no less than before.  E_EXISTS as
 * above. */
bool store_plan_escalate(struct store *s, struct str id, struct str need, struct str grant,
	struct str note, int64_t lives_us, struct err *err) must_check;
/* True: it is the one, and from now on used up.  E_DENIED: it is not, and a try is gone. */
bool store_plan_use_token(
	struct store *s, struct str id, const struct sha256 *hmac, struct err *err) must_check;
/* From `from` to `to`, as drawn above.  E_EXISTS: it was not in `from`. */
bool store_plan_move(struct store *s, struct str id, enum plan_state from, enum plan_state to,
	struct str ledger_id, struct str why, struct err *err) must_check;
/* Voids the open and approved plans of a tool whose definition is not this one. */
bool store_plan_void_tool(struct store *s, struct str tool, const struct sha256 *definition,
	unsigned *count_out, struct err *err) must_check;
