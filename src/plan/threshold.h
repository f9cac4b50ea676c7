/* threshold - who must say yes to a plan: what the tool says always, or more where a sum is above
 * one of its thresholds.
 *
 * A sum is above when its net or its gross is: +50,000 and -50,000 do not cancel.  With `per`
 * principal or tenant what was done within the window counts, too.  Pure. */
#pragma once
#include "plan/plan.h"

struct approval {
	enum approval_level need;
	struct str grant; /* of those who may approve; only for APPROVAL_OTHER */
	struct str because; /* the threshold that asked for more, in words; empty: none did */
};

/* What was done before, within one threshold's window, as the ledger has it: sums of the impact, or
 * for "rows" counts of rows as both.  Empty text is 0. */
struct threshold_past {
	struct str net, gross;
};

/* One past for each of w->thresholds (those per call have none).  Of several that are passed the
 * strictest counts, and the last of equals.  False: a number cannot be compared; nobody can say
 * that it is small, so nothing may be done. */
bool threshold_judge(const struct plan *p, const struct write *w, const struct threshold_past *past,
	struct arena *a, struct approval *out, struct err *err) must_check;

/* The stricter of two, for a plan of several steps.  False: they need the yes of holders of two
 * different grants; a plan has room for one. */
bool approval_join(struct approval *to, const struct approval *more) must_check;

/* Adds one more line of the ledger: numbers that are none are refused. */
bool threshold_past_add(struct threshold_past *to, struct str net, struct str gross,
	struct arena *a, struct err *err) must_check;
