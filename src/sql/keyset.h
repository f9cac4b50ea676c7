/* keyset - a set of byte strings, numbered in the order in which they came; bounded.
 *
 * On the heap; whoever has it empties it.  One thread. */
#pragma once
#include "base/buf.h"

struct keyset_entry {
	size_t at, n; /* in bytes */
};

struct keyset {
	struct buf bytes;
	struct keyset_entry *entries;
	size_t count, cap, max_count;
	uint32_t *slots; /* number + 1; 0 is free */
	size_t slot_count;
};

void keyset_init(struct keyset *k, size_t max_count, size_t max_bytes);
void keyset_done(struct keyset *k); /* empties it and gives its memory back */

/* The number of `key`, which is added when it is not there.  False: over a bound. */
bool keyset_add(struct keyset *k, struct str key, size_t *number_out, bool *added_out) must_check;
struct str keyset_at(const struct keyset *k, size_t number); /* until the next keyset_add */
