/* members - json_get, and the check that names differ; see members.h.
 *
 * Invariants: 1. an indexed object has slot_count(count) slots behind its last member, at least
 * twice as many as members, so that every search ends at a free one.  2. the hash is keyed: no
 * choice of names makes the search slow. */
#include "json/members.h"

#include <string.h>

#include "base/map.h"

static size_t slot_count(uint32_t count)
{
	size_t n = 2 * MEMBERS_FEW;

	while (n / 2 < count)
		n *= 2;
	return n;
}

size_t members_table_bytes(uint32_t count)
{
	return count > MEMBERS_FEW ? slot_count(count) * sizeof(uint32_t) : 0;
}

static inline bool same(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || (a.p[0] == b.p[0] && memcmp(a.p, b.p, a.n) == 0));
}

/* The slot of the name: of the member that has it, or the free one where it belongs. */
static size_t find_slot(const struct json *o, const uint32_t *slots, struct str name)
{
	size_t mask = slot_count(o->count) - 1, at = siphash_of(name) & mask;

	while (slots[at] && !same(o->members[slots[at] - 1].name, name))
		at = (at + 1) & mask;
	return at;
}

static const struct json_member *repeated_of_few(const struct json *o)
{
	for (uint32_t i = 1; i < o->count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (same(o->members[i].name, o->members[k].name))
				return &o->members[i];
	return NULL;
}

const struct json_member *members_index(struct json *o)
{
	union {
		const struct json_member *in;
		uint32_t *out;
	} behind = { .in = o->members + o->count };
	uint32_t *slots = behind.out;

	if (o->count <= MEMBERS_FEW)
		return repeated_of_few(o);
	for (uint32_t i = 0; i < o->count; i++) {
		size_t at = find_slot(o, slots, o->members[i].name);

		if (slots[at])
			return &o->members[i];
		slots[at] = i + 1;
	}
	o->indexed = true;
	return NULL;
}

const struct json *json_get(const struct json *o, struct str name)
{
	if (!json_is(o, JSON_OBJECT))
		return NULL;
	if (o->indexed) {
		const uint32_t *slots = (const void *)(o->members + o->count);
		size_t at = find_slot(o, slots, name);

		return slots[at] ? &o->members[slots[at] - 1].value : NULL;
	}
	for (uint32_t i = 0; i < o->count; i++)
		if (same(o->members[i].name, name))
			return &o->members[i].value;
	return NULL;
}
