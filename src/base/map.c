/* map - see map.h.
 *
 * Invariants: 1. slot_count is a power of two, at least twice count.  2. entries are never removed
 * or moved, only appended. */
#include "base/map.h"

#include "base/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint64_t key[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
	random_bytes(key, sizeof key);
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t siphash_of(struct str s)
{
	uint64_t v[4], m;
	size_t left = s.n;
	const char *p = s.p;

	pthread_once(&once, draw_key);
	v[0] = key[0] ^ 0x736f6d6570736575u;
	v[1] = key[1] ^ 0x646f72616e646f6du;
	v[2] = key[0] ^ 0x6c7967656e657261u;
	v[3] = key[1] ^ 0x7465646279746573u;
	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = (uint64_t)s.n << 56;
	for (size_t i = 0; i < left; i++)
		m |= (uint64_t)(uint8_t)p[i] << (8 * i);
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void map_done(struct map *m)
{
	for (size_t i = 0; i < m->count; i++) {
		union {
			const char *in;
			void *out;
		} name = { .in = m->entries[i].name.p };

		heap_free(name.out);
	}
	heap_free(m->entries);
	heap_free(m->slots);
	map_init(m);
}

static uint32_t *find_slot(const struct map *m, struct str name)
{
	size_t at = siphash_of(name) & (m->slot_count - 1);

	while (m->slots[at] && !str_eq(m->entries[m->slots[at] - 1].name, name))
		at = (at + 1) & (m->slot_count - 1);
	return &m->slots[at];
}

void *map_get(const struct map *m, struct str name)
{
	uint32_t *slot;

	if (!m->count)
		return NULL;
	slot = find_slot(m, name);
	return *slot ? m->entries[*slot - 1].value : NULL;
}

static void grow(struct map *m)
{
	struct map_entry *entries;

	m->cap = m->cap ? m->cap * 2 : 8;
	m->slot_count = m->cap * 2;
	entries = heap_alloc(m->cap * sizeof *entries);
	if (m->count)
		memcpy(entries, m->entries, m->count * sizeof *entries);
	heap_free(m->entries);
	heap_free(m->slots);
	m->entries = entries;
	m->slots = heap_alloc(m->slot_count * sizeof *m->slots);
	for (size_t i = 0; i < m->count; i++)
		*find_slot(m, entries[i].name) = (uint32_t)(i + 1);
}

bool map_add(struct map *m, struct str name, void *value)
{
	uint32_t *slot;
	char *copy;

	bug_on(!value);
	if (map_get(m, name))
		return false;
	if (m->count == m->cap)
		grow(m);
	copy = heap_alloc(name.n);
	if (name.n)
		memcpy(copy, name.p, name.n);
	slot = find_slot(m, name);
	m->entries[m->count] = (struct map_entry){ .name = str_n(copy, name.n), .value = value };
	*slot = (uint32_t)++m->count;
	return true;
}
