/* arena - see arena.h.
 *
 * Invariants: 1. next <= end, both inside the newest block.  2. used counts bytes handed out since
 * the last reset, rounded up to 16.  3. a block larger than BLOCK_BYTES is never kept by reset.
 * 4. budget_used is the sum of the sizes of all blocks of all arenas, and of what was taken. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)16384)
#define ALIGN ((size_t)16)

struct arena_block {
	struct arena_block *older;
	size_t size;
	char bytes[] __attribute__((aligned(16)));
};

struct arena_closer {
	struct arena_closer *older;
	void (*close)(void *what);
	void *what;
};

static _Atomic size_t budget, budget_used; /* bytes of blocks, of all arenas */

void arena_budget(size_t bytes)
{
	budget = bytes;
}

size_t arena_budget_bytes(void)
{
	return budget;
}

size_t arena_budget_used(void)
{
	return budget_used;
}

bool arena_budget_take(size_t bytes)
{
	size_t most = budget, all = atomic_fetch_add(&budget_used, bytes) + bytes;

	return !most || all <= most;
}

void arena_budget_give(size_t bytes)
{
	budget_used -= bytes;
}

static void block_free(struct arena_block *b)
{
	budget_used -= b->size;
	free(b);
}

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

static void run_closers(struct arena *a)
{
	while (a->closers) {
		struct arena_closer *c = a->closers;

		a->closers = c->older;
		c->close(c->what);
	}
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	run_closers(a);
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->older;
		if (!keep && b->size == BLOCK_BYTES)
			keep = b;
		else
			block_free(b);
	}
	a->used = 0;
	a->starved = false;
	a->blocks = keep;
	a->next = keep ? keep->bytes : NULL;
	a->end = keep ? keep->bytes + keep->size : NULL;
	if (keep)
		keep->older = NULL;
}

void arena_done(struct arena *a)
{
	run_closers(a);
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->older;
		block_free(b);
	}
	*a = (struct arena){ .limit = a->limit };
}

static no_return void give_up(struct arena *a, size_t n)
{
	if (a->escape)
		_longjmp(*a->escape, 1);
	fprintf(stderr, "postern: out of memory (%zu bytes more than the %zu used, limit %zu)\n", n,
		a->used, a->limit);
	exit(71);
}

static void add_block(struct arena *a, size_t n)
{
	size_t size = MAX(n, BLOCK_BYTES), most = budget;
	size_t all = atomic_fetch_add(&budget_used, size) + size;
	struct arena_block *b = NULL;

	a->starved = most && all > most && a->escape && a->used + n > ARENA_GIVEN;
	if (!a->starved)
		b = malloc(sizeof *b + size);
	if (!b) {
		budget_used -= size;
		give_up(a, n);
	}
	b->size = size;
	b->older = a->blocks;
	a->blocks = b;
	a->next = b->bytes;
	a->end = b->bytes + size;
}

void *arena_alloc(struct arena *a, size_t n)
{
	char *p;

	if (n > a->limit - a->used)
		give_up(a, n);
	n = (MAX(n, (size_t)1) + ALIGN - 1) & ~(ALIGN - 1);
	if (n > (size_t)(a->end - a->next))
		add_block(a, n);
	p = a->next;
	a->next += n;
	a->used = MIN(a->used + n, a->limit);
	return memset(p, 0, n);
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		give_up(a, SIZE_MAX);
	return arena_alloc(a, n);
}

void arena_defer(struct arena *a, void (*close)(void *what), void *what)
{
	struct arena_closer *c = arena_new(a, struct arena_closer);

	*c = (struct arena_closer){ .older = a->closers, .close = close, .what = what };
	a->closers = c;
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return str_n(arena_cstr(a, s), s.n);
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	int n;
	char *p;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	bug_on(n < 0);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return str_n(p, (size_t)n);
}
