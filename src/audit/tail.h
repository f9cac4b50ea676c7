/* tail - where the last lines of a directory stand, boots merged by time; found from behind. */
#pragma once
#include "audit/listing.h"

struct tail_line {
	size_t segment; /* in the listing */
	uint64_t offset;
	size_t bytes; /* without LF; at most 65,534 */
};

struct tail {
	bool on;
	struct tail_line *lines; /* heap; oldest first */
	size_t count, cap;
	const struct listing *segments;
	int directory; /* both borrowed */
	int fd; /* of segment `open`, when on */
	size_t open;
};

bool tail_find(struct tail *t, const struct listing *segments, int directory, size_t count,
	struct err *err) must_check;
void tail_done(struct tail *t);
/* Reads the line again, into t->bytes of room. */
bool tail_fetch(
	struct tail *t, const struct tail_line *line, char *room, struct err *err) must_check;
