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
static uint64_t end_of(
	int64_t until_us, const struct kill_order *known, uint64_t boot_ms, int64_t wall_us)
{
	if (known || !until_us)
		return known ? known->until_boot_ms : 0;
	if (until_us <= wall_us)
		return boot_ms ? boot_ms : 1;
	return boot_ms + (uint64_t)(until_us - wall_us) / 1000;
}

static void add_to_digest(struct buf *text, const struct kill_order *o)
{
	buf_i64(text, o->id);
	buf_fmt(text, ":%u:%d:", (unsigned)o->kind, o->over);
	buf_u64(text, o->name.n);
	buf_char(text, ':');
	buf_add(text, o->name);
}

static void add_orders(struct edition *e, const struct edition *before,
	const struct edition_rows *r, const int64_t now[2], struct buf *text)
{
	struct kill_order *orders = arena_array(&e->arena, struct kill_order, r->kill_count);
	uint64_t boot_ms = (uint64_t)now[0];
	size_t from = 0;

	for (size_t i = 0; i < r->kill_count; i++) {
		const struct kill_row *row = &r->kills[i];
		struct kill_order *o = &orders[e->count];
		uint64_t end = end_of(
			row->until_us, edition_find(before, row->id, &from), boot_ms, now[1]);

		*o = (struct kill_order){ .name = arena_str(&e->arena, row->name),
			.id = row->id,
			.since_us = row->since_us,
			.until_boot_ms = end,
			.over = row->lifted_us || (end && boot_ms >= end) };
		if (kill_kind_read(row->kind, &o->kind) &&
			(o->name.n > 0) == (o->kind != KILL_EVERYTHING)) {
			add_to_digest(text, o);
			e->count++;
		} else if (!o->over) {
			e->beyond = row->id;
		}
	}
	e->orders = orders;
}

const struct edition_glass *edition_glass_find(const struct edition *e, int64_t id)
{
	for (size_t i = 0; e && i < e->glass_count; i++)
		if (e->glass[i].id == id)
			return &e->glass[i];
	return NULL;
}

static void add_glass(struct edition *e, const struct edition *before, const struct edition_rows *r,
	const int64_t now[2], struct buf *text)
{
	struct edition_glass *list = arena_array(&e->arena, struct edition_glass, r->glass_count);
	uint64_t boot_ms = (uint64_t)now[0];

	for (size_t i = 0; i < r->glass_count; i++) {
		const struct glass_row *row = &r->glass[i];
		const struct edition_glass *known = edition_glass_find(before, row->id);
		uint64_t end =
			known ? known->until_boot_ms : end_of(row->until_us, NULL, boot_ms, now[1]);

		if (row->ended_us)
			end = MIN(end, boot_ms);
		list[e->glass_count++] = (struct edition_glass){ .id = row->id,
			.subject = arena_str(&e->arena, row->subject),
			.tenant = arena_str(&e->arena, row->tenant),
			.issuer = arena_str(&e->arena, row->issuer),
			.grant = arena_str(&e->arena, row->grant),
			.until_boot_ms = end };
		buf_fmt(text, "g%lld:%d;", (long long)row->id, boot_ms >= end);
	}
	e->glass = list;
}

struct edition *edition_new(const struct edition *before, const struct edition_rows *rows,
	uint64_t boot_ms, int64_t wall_us)
{
	struct edition *e = heap_new(struct edition);
	const int64_t now[2] = { (int64_t)boot_ms, wall_us };
	struct buf text;

	arena_init(&e->arena, EDITION_BYTES);
	buf_init(&text, EDITION_BYTES);
	add_orders(e, before, rows, now, &text);
	add_glass(e, before, rows, now, &text);
	buf_char(&text, e->beyond ? '!' : '.');
	sha256_of(buf_str(&text), &e->digest);
	buf_done(&text);
	atomic_init(&e->holders, 1);
	return e;
}

void edition_hold(struct edition *e)
{
	atomic_fetch_add(&e->holders, 1);
}

void edition_drop(struct edition *e)
{
	if (!e || atomic_fetch_sub(&e->holders, 1) != 1)
		return;
	arena_done(&e->arena);
	heap_free(e);
}
