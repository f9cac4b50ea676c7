/* upkeep - what an operator has to see to before long, for /metrics: drills that are due, keys that
 * expire, how full the table of limits is.
 *
 * What was found is kept for UPKEEP_MS, and one thread at a time looks; the others write what is
 * known.  Thread-safe. */
#pragma once
#include "serve/world.h"

#define UPKEEP_MS 60000

struct upkeep;

struct upkeep *upkeep_new(struct world *w);
void upkeep_free(struct upkeep **u);
/* What cannot be told now is left out. */
void upkeep_write(struct upkeep *u, uint64_t mono_ms, struct buf *out);
