/* arena - memory for one request: many small allocations, one release.
 *
 * arena_alloc never returns NULL and is zeroed.  Past its limit, or out of memory, it ends the
 * call by one jump back to arena_catch; what was given to arena_defer is closed by the next
 * arena_reset or arena_done.  Without a live arena_catch the process ends with a message (start-up
 * and tests).  One thread at a time.
 *
 * All arenas of the process together have a budget.  Past it an arena that grows beyond
 * ARENA_GIVEN ends its call in the same way, with `starved` set: others used up the memory. */
#pragma once
#include "base/str.h"

#include <setjmp.h>

struct arena_block;
struct arena_closer;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next, *end;
	size_t used, limit; /* bytes handed out; the most that may be */
	struct arena_closer *closers;
	jmp_buf *escape;
	bool starved; /* the jump was for the budget */
};

#define ARENA_GIVEN                                                                                \
	((size_t)256 << 10) /* what every arena gets, so that what went wrong can be said */
void arena_budget(size_t bytes); /* 0, as at first: none */
size_t arena_budget_bytes(void);
size_t arena_budget_used(void);
/* Counts bytes that are in no arena.  False: all together are past the budget; they are counted
 * nevertheless, and to be given back. */
bool arena_budget_take(size_t bytes) must_check;
void arena_budget_give(size_t bytes);

void arena_init(struct arena *a, size_t limit);
void arena_reset(struct arena *a); /* runs closers, newest first; keeps one block for reuse */
void arena_done(struct arena *a);

/* if (arena_catch(a, &place)) { the limit was hit: answer INTERNAL } else { the call }
 * Ends with arena_uncatch.  Locals changed in the call are not to be read after the jump. */
#define arena_catch(a, place) ((a)->escape = (place), _setjmp(*(place)) != 0)
static inline void arena_uncatch(struct arena *a)
{
	a->escape = NULL;
}

void *arena_alloc(struct arena *a, size_t n);
void *arena_alloc_array(
	struct arena *a, size_t count, size_t size); /* overflow is "past the limit" */
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc_array((a), (count), sizeof(type)))

/* Runs close(what) at reset or done: descriptors, borrowed connections. */
void arena_defer(struct arena *a, void (*close)(void *what), void *what);

struct str arena_str(struct arena *a, struct str s); /* a copy, NUL behind it */
char *arena_cstr(struct arena *a, struct str s); /* a NUL-terminated copy */
struct str arena_fmt(struct arena *a, const char *fmt, ...) printf_like(2, 3);
