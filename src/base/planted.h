/* planted - faults that are planted on purpose, and places to end the process at: what the
 * state-machine test (test/interleave) finds, and what it must survive.
 *
 * Only with -Dfaults=true.  In every other build these are constants, of which nothing is left in
 * the program.  What is planted and where to crash stands in the file that POSTERN_FAULTS names;
 * the test writes it while the process runs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum planted {
	PLANTED_DIGEST_NOT_COMPARED, /* what was approved is not what commits */
	PLANTED_LEDGER_OUTSIDE, /* the ledger's row is kept before the change, on its own */
	PLANTED_LEDGER_LEFT_OUT, /* and not at all */
	PLANTED_PLAN_NOT_CONSUMED, /* a plan can be applied again and again */
	PLANTED_TOKEN_NOT_CONSUMED,
	PLANTED_APPROVER_NOT_CHECKED,
	PLANTED_EXPIRY_IGNORED,
	PLANTED_INTENT_NOT_AWAITED,
	PLANTED_OUTCOME_LOST,
	PLANTED_PREVIEW_COMMITS,
	PLANTED_EFFECT_IGNORED, /* what is not declared */
	PLANTED_KEY_IGNORED, /* the idempotency key */
	PLANTED_ARGUMENTS_NOT_COMPARED, /* of the plan and of the call that applies it */
	PLANTED_COUNT,
};

#ifdef POSTERN_FAULTS
bool planted(enum planted what);
/* _exit(137), as kill -9 ends it, when the test asked for it here. */
void crash_point(const char *name);
/* How far the test has put the store's clock forward. */
int64_t planted_clock_ms(void);
#else
static inline bool planted(enum planted what)
{
	(void)what;
	return false;
}

static inline void crash_point(const char *name)
{
	(void)name;
}

static inline int64_t planted_clock_ms(void)
{
	return 0;
}
#endif
