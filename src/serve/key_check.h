/* key_check - what `postern check` says of the keys in the store. */
#pragma once
#include "serve/world.h"

/* Warns of keys that are about to expire and, in production, of those that never do.  A store that
 * is not there yet has none. */
void key_check(struct world *w, const struct config *config, int64_t wall_us, struct findings *f);
