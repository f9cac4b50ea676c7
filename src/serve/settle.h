/* settle - what became of changes, told to those who keep a copy: the plan in the store, and the
 * log where its outcome is not known. */
#pragma once
#include "serve/pipeline.h"

/* Before the call's record: its plan is applied, or nobody knows yet.  A process that ends between
 * the two leaves an intent open, and settle_open comes here again. */
void settle_plan(struct run *r);
/* After it: what nobody knows yet is looked up later. */
void settle_call(struct run *r);
/* Looks up whatever the log does not know the end of; before readiness, and every so often.  Says
 * in the log what it found. */
void settle_open(struct world *w);
/* The same, once in this process: before its first change, where nothing is looked up at the start
 * because a process that serves no call leaves no trace. */
void settle_once(struct world *w);
/* For world.c: reconcile_look over the ledgers of all sources.  ctx: the world. */
bool settle_look(void *world, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err);
