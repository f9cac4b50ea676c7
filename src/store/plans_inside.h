/* plans_inside - what plans.c and plans_read.c share.  Of store only. */
#pragma once
#include "store/inside.h"
#include "store/plans.h"

#define PLAN_TEXT_MAX 8192 /* of a row, without its body */
#define PLAN_TEXT_ADDED 4096 /* of that, what comes after it was made */

#define PLAN_COLUMNS                                                                               \
	"id, tool, source, issuer, subject, tenant, agent, credential, environment, need, "        \
	"grant_name, decided_by, decided_credential, channel, note, escalation_note, ledger_id, "  \
	"why, digest, arguments, definition, catalog, shown, token, made_us, expires_us, "         \
	"decided_us, escalated_us, token_until_us, token_tries, state"

/* In the order of the columns: texts, digests and times of a row, by their places in it. */
extern const size_t plan_texts[], plan_digests[], plan_times[];
#define PLAN_TEXTS 18
#define PLAN_DIGESTS 6
#define PLAN_TIMES 5
#define PLAN_TRIES_AT (PLAN_TEXTS + PLAN_DIGESTS + PLAN_TIMES) /* then state, then body */
#define PLAN_STATE_AT (PLAN_TRIES_AT + 1)
#define PLAN_BODY_AT (PLAN_STATE_AT + 1)

bool plan_state_read(struct str name, enum plan_state *out) must_check;
/* What the clock makes of it. */
enum plan_state plan_state_now(enum plan_state stored, int64_t expires_us, int64_t now_us);
