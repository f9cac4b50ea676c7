#include "base/test.h"

#include "base/buf.h"
#include "base/map.h"

#include <stdio.h>
#include <string.h>

static unsigned closed;
static char order[4], one[] = "1", two[] = "2";

static void note_close(void *what)
{
	order[closed++] = *(const char *)what;
}

static void deferred_closers_run_newest_first_at_reset(void **state)
{
	struct arena a;

	(void)state;
	closed = 0;
	arena_init(&a, 1 << 20);
	arena_defer(&a, note_close, one);
	arena_defer(&a, note_close, two);
	arena_reset(&a);
	assert_int_equal(closed, 2);
	assert_memory_equal(order, "21", 2);
	arena_done(&a);
	assert_int_equal(closed, 2);
}

static void past_the_limit_the_call_ends_by_one_jump(void **state)
{
	struct arena a;
	jmp_buf place;
	volatile int reached = 0;

	(void)state;
	arena_init(&a, 4096);
	if (arena_catch(&a, &place)) {
		reached = 1;
	} else {
		for (;;)
			arena_alloc(&a, 100);
	}
	arena_uncatch(&a);
	assert_int_equal(reached, 1);
	assert_true(a.used <= 4096);
	arena_done(&a);
}

static void an_array_whose_size_overflows_is_past_the_limit(void **state)
{
	struct arena a;
	jmp_buf place;
	volatile int reached = 0;

	(void)state;
	arena_init(&a, 4096);
	if (arena_catch(&a, &place))
		reached = 1;
	else
		arena_alloc_array(&a, SIZE_MAX / 2, 4);
	arena_uncatch(&a);
	assert_int_equal(reached, 1);
	arena_done(&a);
}

/* What one arena holds another cannot have; each gets what it takes to say so, and it all comes
 * back. */
static void all_arenas_together_have_a_budget(void **state)
{
	size_t before = arena_budget_used();
	struct arena full, next;
	volatile int reached = 0;
	jmp_buf place;

	(void)state;
	arena_budget(before + ((size_t)1 << 20));
	arena_init(&full, (size_t)64 << 20);
	arena_init(&next, (size_t)64 << 20);
	arena_alloc(&full, (size_t)1 << 20);
	assert_int_equal(arena_budget_used(), before + ((size_t)1 << 20));
	if (arena_catch(&next, &place)) {
		reached++;
	} else {
		arena_alloc(&next, ARENA_GIVEN / 2);
		reached = 10;
		arena_alloc(&next, ARENA_GIVEN);
	}
	arena_uncatch(&next);
	assert_int_equal(reached, 11);
	assert_true(next.starved);
	arena_reset(&full);
	arena_reset(&next);
	assert_false(next.starved);
	if (arena_catch(&next, &place))
		reached = 0;
	else
		arena_alloc(&next, 2 * ARENA_GIVEN);
	arena_uncatch(&next);
	assert_int_equal(reached, 11);
	arena_done(&full);
	arena_done(&next);
	assert_int_equal(arena_budget_used(), before);
	arena_budget(0);
}

static void memory_is_zeroed_again_after_reset(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, 1 << 20);
	p = arena_alloc(&a, 100);
	memset(p, 'x', 100);
	arena_reset(&a);
	p = arena_alloc(&a, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	arena_done(&a);
}

static void a_buffer_keeps_a_prefix_and_says_it_is_over(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_lit(&b, "12345");
	buf_lit(&b, "67890");
	buf_char(&b, '!');
	assert_false(buf_ok(&b));
	assert_str(buf_str(&b), "12345");
	buf_clear(&b);
	buf_lit(&b, "12345678");
	assert_true(buf_ok(&b));
	buf_done(&b);
}

static void numbers_are_written_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_i64(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_fmt(&b, " %d", 7);
	assert_str(buf_str(&b), "-9223372036854775808 18446744073709551615 7");
	buf_done(&b);
}

static void a_map_finds_what_was_added_and_nothing_else(void **state)
{
	static int value[1000];
	struct map m;
	char name[16];

	(void)state;
	map_init(&m);
	assert_null(map_get(&m, S("a")));
	for (int i = 0; i < 1000; i++)
		assert_true(map_add(
			&m, str_n(name, (size_t)snprintf(name, sizeof name, "k%d", i)), &value[i]));
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(
			map_get(&m, str_n(name, (size_t)snprintf(name, sizeof name, "k%d", i))),
			&value[i]);
	assert_false(map_add(&m, S("k5"), &value[0]));
	assert_ptr_equal(map_get(&m, S("k5")), &value[5]);
	assert_null(map_get(&m, S("k1000")));
	assert_str(m.entries[999].name, "k999");
	map_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deferred_closers_run_newest_first_at_reset),
		cmocka_unit_test(past_the_limit_the_call_ends_by_one_jump),
		cmocka_unit_test(an_array_whose_size_overflows_is_past_the_limit),
		cmocka_unit_test(all_arenas_together_have_a_budget),
		cmocka_unit_test(memory_is_zeroed_again_after_reset),
		cmocka_unit_test(a_buffer_keeps_a_prefix_and_says_it_is_over),
		cmocka_unit_test(numbers_are_written_whole),
		cmocka_unit_test(a_map_finds_what_was_added_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
