/* listing - the segments of a directory, in the order in which they were opened: by boot, then by
 * number. */
#pragma once
#include "audit/segment.h"

struct listing_item {
	char name[SEGMENT_NAME_BYTES];
	uint64_t n;
};

struct listing {
	struct listing_item *items; /* heap */
	size_t count, cap;
};

bool listing_read(struct listing *l, int directory, struct err *err) must_check;
void listing_done(struct listing *l);
struct str listing_boot(const struct listing *l, size_t at);
bool listing_same_boot(const struct listing *l, size_t a, size_t b);
/* A descriptor for reading, of a regular file, no link followed; -1: err. */
int listing_open(const struct listing *l, size_t at, int directory, struct err *err);
