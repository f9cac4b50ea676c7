/* key_check - what `postern check` says of the keys in the store. */
#pragma once
#include "serve/world.h"

#define KEY_SOON_US (INT64_C(14) * 86400 * 1000000) /* to expire within that is to expire soon */

/* Warns of keys that are about to expire and, in production, of those that never do.  A store that
 * is not there yet has none. */
void key_check(struct world *w, const struct config *config, int64_t wall_us, struct findings *f);
