/* keyset - see keyset.h.
 *
 * Invariants: 1. slot_count is a power of two, at least twice cap.  2. a bound that is reached, or
 * memory that is not there, leaves the set as it was. */
#include "sql/keyset.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void keyset_init(struct keyset *k, size_t max_count, size_t max_bytes)
{
	*k = (struct keyset){ .max_count = max_count };
	buf_init(&k->bytes, max_bytes);
}

void keyset_done(struct keyset *k)
{
	size_t max_count = k->max_count, max_bytes = k->bytes.limit;

	buf_done(&k->bytes);
	free(k->entries);
	free(k->slots);
	keyset_init(k, max_count, max_bytes);
}

struct str keyset_at(const struct keyset *k, size_t number)
{
	bug_on(number >= k->count);
	return str_n(k->bytes.p + k->entries[number].at, k->entries[number].n);
}

/* Where the key stands, or the free slot where it would. */
static uint32_t *slot_of(const struct keyset *k, struct str key)
{
	size_t mask = k->slot_count - 1;

	for (size_t i = siphash_of(key) & mask;; i = (i + 1) & mask)
		if (!k->slots[i] || str_eq(keyset_at(k, k->slots[i] - 1), key))
			return &k->slots[i];
}

static bool grow(struct keyset *k)
{
	size_t cap = k->cap ? k->cap * 2 : FIRST_CAP;
	struct keyset_entry *entries = realloc(k->entries, cap * sizeof *entries);
	uint32_t *slots;

	if (!entries)
		return false;
	k->entries = entries;
	slots = calloc(cap * 2, sizeof *slots);
	if (!slots)
		return false;
	free(k->slots);
	k->slots = slots;
	k->slot_count = cap * 2;
	k->cap = cap;
	for (size_t i = 0; i < k->count; i++)
		*slot_of(k, keyset_at(k, i)) = (uint32_t)i + 1;
	return true;
}

bool keyset_add(struct keyset *k, struct str key, size_t *number_out, bool *added_out)
{
	size_t at = k->bytes.n;
	uint32_t *slot;

	if (k->count == k->cap && (k->count >= k->max_count || !grow(k)))
		return false;
	slot = slot_of(k, key);
	*added_out = !*slot;
	if (!*slot) {
		if (k->count >= k->max_count)
			return false;
		buf_add(&k->bytes, key);
		if (!buf_ok(&k->bytes))
			return false;
		k->entries[k->count] = (struct keyset_entry){ at, key.n };
		*slot = (uint32_t)++k->count;
	}
	*number_out = *slot - 1;
	return true;
}
