/* together - the steps of apply_together before anything runs, and again right before they
 * commit: every one passes the guards of its own tool, as if it were called alone. */
#pragma once
#include "serve/pipeline.h"

/* Kill orders, permission, schema; the steps' arguments are prepared.  True at once for every other
 * call.  False: the call's fault is the step's, and details say which. */
bool together_check(struct run *r) must_check;
/* What each tool is held to. */
bool together_limits(struct run *r) must_check;
/* At the gate: kill orders against a step's tool or source, which the whole does not name. */
bool together_not_stopped(struct run *r) must_check;
