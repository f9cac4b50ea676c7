/* edition - kill orders as they were read at one moment: immutable, counted. */
#pragma once
#include "guard/kill.h"
#include "store/kills.h"

struct edition {
	unsigned holders; /* under the watch's lock */
	struct arena arena;
	struct sha256 digest; /* of all that decides */
	const struct kill_order *orders;
	size_t count;
	bool beyond; /* a kind that this postern does not know */
};

/* before: the edition in force or NULL; an order keeps the end that was worked out when it was seen
 * first, so that a step of the wall clock neither lifts nor prolongs it. */
struct edition *edition_new(const struct edition *before, const struct kill_row *rows, size_t count,
	uint64_t boot_ms, int64_t wall_us);
void edition_free(struct edition *e);
/* NULL: not in it.  *from: where to look first, moved along; editions have much the same order. */
const struct kill_order *edition_find(const struct edition *e, int64_t id, size_t *from);
