/* show_plan - a plan as a person at the terminal sees it: the tool and its exact arguments, what it
 * sums up to, every row, who asks, and what the assistant said, which nobody has checked. */
#pragma once
#include "serve/plans.h"

/* For this viewer: what a mask hides from them stays hidden.  mask_key: world_mask_key. */
struct str show_plan(
	struct arena *a, const struct kept *k, const struct principal *viewer, struct str mask_key);
