/* arena_fixture - for tests that need nothing but an arena: theirs is *state. */
#pragma once
#include "base/arena.h"
#include "base/test.h"

#define ARENA_FIXTURE_BYTES ((size_t)256 << 20)

static inline int arena_set_up(void **state)
{
	struct arena *a = heap_new(struct arena);

	arena_init(a, ARENA_FIXTURE_BYTES);
	*state = a;
	return 0;
}

static inline int arena_tear_down(void **state)
{
	arena_done(*state);
	heap_free(*state);
	return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_set_up, arena_tear_down)
