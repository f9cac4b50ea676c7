/* approval - may this person decide on a plan, and may this call apply it?
 *
 * Pure decisions over a row of the store (store/plans.h), a principal as its roles are now, and the
 * configuration.  Whoever cannot be told apart from the requester is the requester where a second
 * person is needed; and is not where the requester must be.  Any thread. */
#pragma once
#include "catalog/fault.h"
#include "catalog/write.h"
#include "config/config.h"
#include "identity/principal.h"
#include "store/plans.h"

#define APPROVAL_GRANT                                                                             \
	"approve.plans" /* of a plan that waits for others, where no grant is named */

/* Behind an agent or a service stands nobody who could look: whatever would be its own yes is
 * another's.  And another holds a grant, this one where none is named. */
void approval_raise(const struct principal *who, enum approval_level *need, struct str *grant);
/* How long a plan waits for such a yes. */
int64_t approval_lives_us(enum approval_level need);
/* Who is behind the name, where approvals.persons says so; NULL: the subject is all there is. */
const struct person_config *approval_person(
	const struct config *config, struct str issuer, struct str subject);

enum decide {
	DECIDE_MAY,
	DECIDE_UNKNOWN, /* for them there is no such plan */
	DECIDE_CREDENTIAL, /* not one that decides, or not a person's */
	DECIDE_ENVIRONMENT, /* made in another environment */
	DECIDE_STATE, /* decided, void or past its end */
	DECIDE_PAUSED, /* a kill order meets the plan or the person: nothing is approved */
	DECIDE_FOUR_EYES, /* a second person is needed, and this may be the first */
	DECIDE_GRANT, /* a second person who holds the grant, and this one does not */
};
const char *decide_name(enum decide d); /* for records: "may", "unknown", … */
const char *decide_words(enum decide d); /* for the person */

struct decider {
	const struct principal *who;
	bool yes; /* a plan is declined by whoever may see it */
	bool paused; /* kill orders were looked at, and met something */
};
enum decide approval_judge(
	const struct config *config, const struct plan_row *row, const struct decider *d);
/* May they see it at all? */
bool approval_visible(
	const struct config *config, const struct plan_row *row, const struct principal *who);
/* Did this person ask for it?  They may escalate it. */
bool approval_asked(
	const struct config *config, const struct plan_row *row, const struct principal *who);

/* What a call may do with a plan. */
enum apply {
	APPLY_NOW, /* it is approved */
	APPLY_AGAIN, /* it was applied: the first answer stands in the ledger */
	APPLY_LOOK, /* nobody knows: the ledger says whether it was applied */
	APPLY_REFUSED,
};
struct apply_ask {
	const struct principal *who;
	struct str tool, environment;
	const struct sha256 *arguments, *definition;
	bool decider_lost; /* who approved holds the grant no more, or the credential was revoked */
};
struct apply_finding {
	enum apply apply;
	enum fault_code code; /* APPLY_REFUSED: what the caller is told */
	const char *reason;
};
/* row: NULL where there is none. */
struct apply_finding approval_apply(const struct plan_row *row, const struct apply_ask *ask);

/* Tokens to paste: 12 characters of Crockford's base 32 in three groups, 60 random bits; good for
 * one plan and one subject.  The store keeps the HMAC. */
#define APPROVAL_TOKEN_TRIES 5
#define APPROVAL_TOKEN_US (INT64_C(600) * 1000000)
struct str approval_token_make(struct arena *a);
/* As a person types it: letters of any case, I L O as the digits they look like, no matter how it
 * is grouped.  False: not the form of one. */
bool approval_token_hmac(struct str key, const struct plan_row *row, struct str token,
	struct sha256 *out) must_check;
