/* edition - see edition.h. */
#include "serve/edition.h"

#include "base/digest.h"

#define EDITION_BYTES ((size_t)256 << 20)

const struct kill_order *edition_find(const struct edition *e, int64_t id, size_t *from)
{
	for (size_t i = 0; e && i < e->count; i++) {
		size_t at = (*from + i) % e->count;

		if (e->orders[at].id == id) {
			*from = at + 1;
			return &e->orders[at];
		}
	}
	return NULL;
}

/* On the clock that never steps; 0: no end. */
static uint64_t end_of(const struct kill_row *row, const struct kill_order *known, uint64_t boot_ms,
	int64_t wall_us)
{
	if (known || !row->until_us)
		return known ? known->until_boot_ms : 0;
	if (row->until_us <= wall_us)
		return boot_ms ? boot_ms : 1;
	return boot_ms + (uint64_t)(row->until_us - wall_us) / 1000;
}

static void add_to_digest(struct buf *text, const struct kill_order *o)
{
	buf_i64(text, o->id);
	buf_fmt(text, ":%u:%d:", (unsigned)o->kind, o->over);
	buf_u64(text, o->name.n);
	buf_char(text, ':');
	buf_add(text, o->name);
}

struct edition *edition_new(const struct edition *before, const struct kill_row *rows, size_t count,
	uint64_t boot_ms, int64_t wall_us)
{
	struct edition *e = heap_new(struct edition);
	struct kill_order *orders;
	struct buf text;
	size_t from = 0;

	arena_init(&e->arena, EDITION_BYTES);
	orders = arena_array(&e->arena, struct kill_order, count);
	buf_init(&text, EDITION_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct kill_order *o = &orders[e->count];
		uint64_t end =
			end_of(&rows[i], edition_find(before, rows[i].id, &from), boot_ms, wall_us);

		*o = (struct kill_order){ .name = arena_str(&e->arena, rows[i].name),
			.id = rows[i].id,
			.since_us = rows[i].since_us,
			.until_boot_ms = end,
			.over = rows[i].lifted_us || (end && boot_ms >= end) };
		if (kill_kind_read(rows[i].kind, &o->kind) &&
			(o->name.n > 0) == (o->kind != KILL_EVERYTHING)) {
			add_to_digest(&text, o);
			e->count++;
		} else if (!o->over) {
			e->beyond = true;
		}
	}
	buf_char(&text, e->beyond ? '!' : '.');
	sha256_of(buf_str(&text), &e->digest);
	buf_done(&text);
	e->orders = orders;
	e->holders = 1;
	return e;
}

void edition_free(struct edition *e)
{
	arena_done(&e->arena);
	heap_free(e);
}
