/* propose - from what a preview found to somebody's yes: the plan is kept, and whoever must say yes
 * is asked, or the caller is told how. */
#pragma once
#include "serve/pipeline.h"

/* Before it runs: the plan that the call names (by plan_id, or by the question it answers), if it
 * names one; sets change->approved and given.  False: the call's fault is set, or it waits still.
 */
bool propose_find(struct run *r) must_check;
/* After it ran without a commit: keeps the plan where somebody must say yes to it.  False: the
 * call's fault is set (REQUIRES_CONFIRMATION, CONFLICT …).  On true the call is done, or asks. */
bool propose(struct run *r) must_check;
