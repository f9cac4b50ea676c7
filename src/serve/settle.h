/* settle - what became of a change, told to the plan that it used up; and, after a start, found out
 * for those whose process ended before it could say. */
#pragma once
#include "serve/pipeline.h"

/* Before the outcome is recorded: a process that ends between the two leaves an intent open, and
 * whoever starts next comes here again.  A store that fails is logged: the ledger stays right. */
void settle_plan(struct run *r);
/* Closes the intents of processes that are gone (reconcile.h).  False: the log could not be gone
 * through, or not be written. */
bool settle_leftovers(struct world *w, struct err *err) must_check;
