/* gate - the last look before a change commits, asked by the backend inside the transaction
 * (plan/change.h).
 *
 * Everything that may have changed since the guards said yes is asked again: is it paused, is the
 * client gone, is the configuration still the one it was judged by?  The answer is rendered, so
 * that one which does not fit what is declared rolls back.  Last, because it may wait: is the
 * intent durable? */
#pragma once
#include "serve/pipeline.h"

/* ctx: the struct run. */
bool gate_open(void *run, struct call *c);
