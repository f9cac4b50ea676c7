/* buf - a growing byte buffer that is born with its limit.
 *
 * Memory comes from the heap (buf_init, release with buf_done) or from an arena (buf_in, released
 * with it).  Past the limit nothing more is added and buf_ok says so: ask once, at the end.  An
 * arena buf that outgrows its arena jumps (arena.h).  One thread at a time. */
#pragma once
#include "base/arena.h"

struct buf {
	char *p;
	size_t n, cap, limit;
	struct arena *arena; /* NULL: heap */
	bool over; /* something did not fit */
};

void buf_init(struct buf *b, size_t limit);
void buf_in(struct buf *b, struct arena *a, size_t limit);
void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* empties; keeps the memory */

void buf_add(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t n);
void buf_i64(struct buf *b, int64_t n);
void buf_fmt(struct buf *b, const char *fmt, ...) printf_like(2, 3);
#define buf_lit(b, lit) buf_add((b), S(lit))

/* Room for n more bytes at the end, to be written by the caller and counted by buf_used; NULL when
 * over the limit. */
char *buf_space(struct buf *b, size_t n);
void buf_used(struct buf *b, size_t n);

static inline bool buf_ok(const struct buf *b)
{
	return !b->over;
}
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ .p = b->p, .n = b->n };
}
