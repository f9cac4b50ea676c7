/* drills - when each kind of kill switch was tried, and whether it worked. */
#pragma once
#include "store/store.h"

struct drill_row {
	struct str kind, by;
	int64_t at_us;
	uint32_t instances; /* that were asked */
	bool worked;
	uint32_t refused_ms, resumed_ms; /* until the last instance refused; served again */
};

bool store_drill_add(struct store *s, const struct drill_row *row, struct err *err) must_check;
/* The latest drill of this kind; *out->at_us 0: there was none.  worked: only those that did. */
bool store_drill_last(struct store *s, struct arena *a, struct str kind, bool worked,
	struct drill_row *out, struct err *err) must_check;
