/* buf - see buf.h.
 *
 * Invariants: 1. n <= cap and n <= limit.  2. once over, nothing is added until buf_clear, so what
 * is there is a prefix of what was written. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){ .limit = limit };
}

void buf_in(struct buf *b, struct arena *a, size_t limit)
{
	*b = (struct buf){ .limit = limit, .arena = a };
}

void buf_done(struct buf *b)
{
	if (!b->arena)
		free(b->p);
	*b = (struct buf){ .limit = b->limit, .arena = b->arena };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

static bool grow(struct buf *b, size_t more)
{
	size_t cap = MAX(b->cap, (size_t)256);
	char *p;

	while (cap - b->n < more)
		cap *= 2;
	if (b->arena) {
		p = arena_alloc(b->arena, cap);
		if (b->n)
			memcpy(p, b->p, b->n);
	} else {
		p = realloc(b->p, cap);
		if (!p)
			return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

char *buf_space(struct buf *b, size_t n)
{
	if (b->over || n > b->limit - b->n || (n > b->cap - b->n && !grow(b, n))) {
		b->over = true;
		return NULL;
	}
	return b->p ? b->p + b->n : NULL;
}

void buf_used(struct buf *b, size_t n)
{
	bug_on(n > b->cap - b->n);
	b->n += n;
}

void buf_add(struct buf *b, struct str s)
{
	char *to = buf_space(b, s.n);

	if (!to || !s.n)
		return;
	memcpy(to, s.p, s.n);
	b->n += s.n;
}

void buf_char(struct buf *b, char c)
{
	char *to = buf_space(b, 1);

	if (!to)
		return;
	*to = c;
	b->n++;
}

void buf_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_add(b, str_n(digits + at, sizeof digits - at));
}

void buf_i64(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_char(b, '-');
	buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	size_t usual = MIN(b->limit - b->n, (size_t)128);
	char *to = buf_space(b, usual); /* mostly it fits there: then it is formatted once */
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(to, to ? usual : 0, fmt, args);
	va_end(args);
	bug_on(n < 0);
	if (to && (size_t)n >= usual) {
		to = buf_space(b, (size_t)n + 1);
		if (to)
			vsnprintf(to, (size_t)n + 1, fmt, again);
	}
	if (to)
		b->n += (size_t)n;
	va_end(again);
}
