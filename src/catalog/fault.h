/* fault - the closed list of error codes an agent sees, and what each asks it to do.
 *
 * tools/check-docs compares this table with postern-catalog(5). */
#pragma once
#include "base/str.h"

enum fault_code {
	FAULT_NONE,
	VALIDATION_ERROR,
	PERMISSION_DENIED,
	RATE_LIMITED,
	PAUSED,
	REQUIRES_CONFIRMATION,
	CONFIRMATION_INVALID,
	PRECONDITION_FAILED,
	CONFLICT,
	UNDECLARED_EFFECT,
	NOT_FOUND,
	RESULT_TOO_LARGE,
	UPSTREAM_TIMEOUT,
	UPSTREAM_UNAVAILABLE,
	BUSY,
	AUDIT_UNAVAILABLE,
	OUTCOME_UNKNOWN,
	INTERNAL,
	FAULT_COUNT,
};

enum fault_advice { ADVICE_RETRY, ADVICE_ASK, ADVICE_ESCALATE };

struct fault_info {
	const char *name;
	bool retryable;
	enum fault_advice advice;
	const char *message; /* fixed, actionable, fit for an agent */
};

const struct fault_info *fault_info(enum fault_code code);
const char *fault_advice_name(enum fault_advice advice); /* "retry", "ask_the_person", "escalate" */
