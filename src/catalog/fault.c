/* fault - see fault.h. */
#include "catalog/fault.h"

static const struct fault_info table[FAULT_COUNT] = {
	[FAULT_NONE] = { "OK", false, ADVICE_RETRY, "" },
	[VALIDATION_ERROR] = { "VALIDATION_ERROR", false, ADVICE_RETRY,
		"The arguments do not fit the schema. Correct what details.faults names and call "
		"again." },
	[PERMISSION_DENIED] = { "PERMISSION_DENIED", false, ADVICE_ASK,
		"The caller may not use this; details.reason says why. "
		"Tell the person; an administrator can change it." },
	[RATE_LIMITED] = { "RATE_LIMITED", true, ADVICE_RETRY,
		"Too many calls. Wait retry_after_ms, then call again." },
	[PAUSED] = { "PAUSED", false, ADVICE_ASK,
		"The system, or this part of it, has been paused by an operator. Retrying is "
		"useless: "
		"stop, and tell the person. The owner in details knows when it goes on." },
	[REQUIRES_CONFIRMATION] = { "REQUIRES_CONFIRMATION", false, ADVICE_ASK,
		"A person must approve this first. Tell them how; details say where." },
	[CONFIRMATION_INVALID] = { "CONFIRMATION_INVALID", false, ADVICE_ASK,
		"The confirmation does not fit this call. Preview again and ask the person." },
	[PRECONDITION_FAILED] = { "PRECONDITION_FAILED", false, ADVICE_ASK,
		"A condition this needs does not hold. Details name it." },
	[CONFLICT] = { "CONFLICT", false, ADVICE_ASK,
		"The data changed meanwhile. Look again before going on." },
	[UNDECLARED_EFFECT] = { "UNDECLARED_EFFECT", false, ADVICE_ESCALATE,
		"The database did more than this tool declares; everything was rolled back. "
		"Report the call id to the tool's owner." },
	[NOT_FOUND] = { "NOT_FOUND", false, ADVICE_ASK,
		"There is no such record, or it is not visible to the caller. Check the "
		"arguments." },
	[RESULT_TOO_LARGE] = { "RESULT_TOO_LARGE", false, ADVICE_RETRY,
		"The result is over this tool's limit. Ask for less: narrower filters or a "
		"smaller page." },
	[UPSTREAM_TIMEOUT] = { "UPSTREAM_TIMEOUT", true, ADVICE_RETRY,
		"The source did not answer in time. Try again later, or ask for less." },
	[UPSTREAM_UNAVAILABLE] = { "UPSTREAM_UNAVAILABLE", true, ADVICE_RETRY,
		"The source is not available. Try again later; if it lasts, tell the person." },
	[BUSY] = { "BUSY", true, ADVICE_RETRY, "The server is busy. Try again in a moment." },
	[AUDIT_UNAVAILABLE] = { "AUDIT_UNAVAILABLE", true, ADVICE_ESCALATE,
		"The call could not be recorded, so it was not served. Nothing happened. Tell the "
		"person if it lasts." },
	[OUTCOME_UNKNOWN] = { "OUTCOME_UNKNOWN", false, ADVICE_ESCALATE,
		"It is not known whether the change happened. Do not repeat it; details say how "
		"to find out." },
	[INTERNAL] = { "INTERNAL", false, ADVICE_ESCALATE,
		"A defect on the server's side. Report the call id; the same call will fail "
		"again." },
};

const struct fault_info *fault_info(enum fault_code code)
{
	bug_on(code >= FAULT_COUNT);
	return &table[code];
}

const char *fault_advice_name(enum fault_advice advice)
{
	static const char *const name[] = { "retry", "ask_the_person", "escalate" };

	return name[advice];
}
