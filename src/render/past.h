/* past - committed changes as they are shown to whoever asks now (plan/past.h). */
#pragma once
#include "plan/call.h"

/* Fills the columns sums, effects and effects_left_out of call->rows[0], masked for the caller. All
 * effects together take at most what the rest leaves of entry->bytes: from the first row on, what
 * does not fit is counted. */
void past_fill(struct call *c, struct str mask_key);
