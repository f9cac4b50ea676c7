/* gate - the last look before a change commits, asked by the backend inside the transaction
 * (plan/change.h).
 *
 * The answer is rendered, so that one which does not fit what is declared rolls back.  Is the
 * intent durable?  That may wait; so whatever may have changed since the guards said yes is asked
 * again behind it: is it paused, is the client gone, is the configuration still the one it was
 * judged by? */
#pragma once
#include "serve/pipeline.h"

/* ctx: the struct run. */
bool gate_open(void *run, struct call *c);
