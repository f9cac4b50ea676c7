/* map - from a name (copied) to a pointer (borrowed); open addressing, SipHash-1-3 under a key
 * drawn at start, so that no input can make it slow.  Not locked.  Iteration is in order of
 * insertion. */
#pragma once
#include "base/str.h"

struct map_entry {
	struct str name;
	void *value;
};

struct map {
	struct map_entry *entries; /* in order of insertion */
	uint32_t *slots; /* index + 1, 0 is free */
	size_t count, cap, slot_count;
};

void map_init(struct map *m);
void map_done(struct map *m);

void *map_get(const struct map *m, struct str name); /* NULL: absent */
/* False, and nothing changed, when the name is there already.  value must not be NULL. */
bool map_add(struct map *m, struct str name, void *value) must_check;

uint64_t siphash_of(struct str s); /* keyed per process: never store it */
