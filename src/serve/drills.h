/* drills - is each kind of kill switch known to work?  A drill is good for 90 days; what nobody has
 * proved for twelve months, or what failed last, counts as not working. */
#pragma once
#include "config/findings.h"
#include "guard/kill.h"
#include "store/drills.h"

enum drill_health { DRILL_FRESH, DRILL_DUE, DRILL_NOT_WORKING };
const char *drill_health_name(enum drill_health h); /* "works", "due", "not working" */

struct drill_state {
	enum drill_health health;
	struct drill_row last; /* that worked; at_us 0: none ever */
};

bool drill_state_of(struct store *s, struct arena *a, enum kill_kind kind, int64_t now_us,
	struct drill_state *out, struct err *err) must_check;
/* For postern check, in production: one warning that names the kinds. */
void drills_review(struct store *s, int64_t now_us, struct str config_file, struct findings *f);
