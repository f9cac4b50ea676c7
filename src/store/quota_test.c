/* The quota of changes: exact in any window, over instances, restarts and clocks that step. */
#include "base/test.h"
#include "store/quota.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR_MS ((uint64_t)3600000)
#define DAY_MS (24 * HOUR_MS)
#define START_MS ((uint64_t)7 * 86400000)
#define WALL_US ((int64_t)1795000000 * 1000000)

static char directory[64], path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/quota-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store.db", directory);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "store.db", "store.db-wal", "store.db-shm" };
	char name[112];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof name, "%s/%s", directory, names[i]);
		remove(name);
	}
	return rmdir(directory);
}

static const struct quota_ask ask = { .key = { 1 }, .most = 3, .window_ms = (uint32_t)DAY_MS };

static bool take_at(struct store *s, const struct quota_ask *asks, size_t count,
	const struct store_moment *now, struct quota_answer *out)
{
	struct err err;

	if (!store_quota_take(s, asks, count, now, out, &err))
		fail_msg("%s", err.text);
	return out->taken;
}

/* The wall clock says something of its own. */
static bool take(struct store *s, uint64_t boot_ms, int64_t wall_us, struct quota_answer *out)
{
	struct store_moment now = { S("boot"), boot_ms, wall_us };

	return take_at(s, &ask, 1, &now, out);
}

static void n_pass_in_any_window_and_the_wait_is_exact(void **state)
{
	struct store *s = store_new(str_c(path));
	struct quota_answer a;

	(void)state;
	assert_true(take(s, START_MS, WALL_US, &a));
	assert_true(take(s, START_MS + HOUR_MS, WALL_US, &a));
	assert_true(take(s, START_MS + HOUR_MS, WALL_US, &a));
	assert_false(take(s, START_MS + 2 * HOUR_MS, WALL_US, &a));
	assert_int_equal(a.wait_ms, DAY_MS - 2 * HOUR_MS);
	assert_false(take(s, START_MS + DAY_MS - 1, WALL_US, &a));
	assert_int_equal(a.wait_ms, 1);
	assert_true(take(s, START_MS + DAY_MS, WALL_US, &a));
	assert_false(take(s, START_MS + DAY_MS, WALL_US, &a));
	assert_int_equal(a.wait_ms, HOUR_MS);
	assert_true(take(s, START_MS + DAY_MS + HOUR_MS, WALL_US, &a));
	assert_true(take(s, START_MS + DAY_MS + HOUR_MS, WALL_US, &a));
	store_free(&s);
}

static void a_wall_clock_that_steps_grants_nothing_and_starves_nobody(void **state)
{
	static const int64_t steps_us[] = { 0, -3600000000, 3600000000, 40 * 86400000000,
		-40 * 86400000000 };
	struct store *s = store_new(str_c(path));
	struct quota_answer a;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(take(s, START_MS, WALL_US, &a));
	for (size_t i = 0; i < ARRAY_LEN(steps_us); i++) {
		assert_false(take(s, START_MS + 1, WALL_US + steps_us[i], &a));
		assert_int_equal(a.wait_ms, DAY_MS - 1);
	}
	assert_true(take(s, START_MS + DAY_MS, WALL_US - 5, &a));
	store_free(&s);
}

static void over_a_restart_of_the_host_time_goes_forward_only(void **state)
{
	struct store *s = store_new(str_c(path));
	struct store_moment now = { S("boot"), START_MS, WALL_US };
	struct quota_answer a;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(take_at(s, &ask, 1, &now, &a));
	now = (struct store_moment){ S("next"), 1000, WALL_US - 9000000 };
	assert_false(take_at(s, &ask, 1, &now, &a));
	assert_int_equal(a.wait_ms, DAY_MS);
	now = (struct store_moment){ S("third"), 5, WALL_US - 9000000 + (int64_t)DAY_MS * 1000 };
	assert_true(take_at(s, &ask, 1, &now, &a));
	store_free(&s);
}

static void a_refused_change_takes_nothing_of_any_quota(void **state)
{
	const struct quota_ask asks[] = { { { 1 }, 5, 3600000 }, { { 2 }, 1, 86400000 } };
	struct store *s = store_new(str_c(path)), *other = store_new(str_c(path));
	struct store_moment now = { S("boot"), START_MS, WALL_US };
	struct quota_answer a;

	(void)state;
	assert_true(take_at(s, asks, 2, &now, &a));
	for (int i = 0; i < 9; i++) {
		assert_false(take_at(i % 2 ? s : other, asks, 2, &now, &a));
		assert_int_equal(a.index, 1);
	}
	for (int i = 0; i < 4; i++)
		assert_true(take_at(other, asks, 1, &now, &a));
	assert_false(take_at(s, asks, 1, &now, &a));
	store_free(&s);
	store_free(&other);
}

static void a_store_that_cannot_be_written_counts_as_no(void **state)
{
	struct store *s = store_new(S("/proc/no/store.db"));
	struct store_moment now = { S("boot"), START_MS, WALL_US };
	struct quota_answer a = { .taken = true, .index = 77 };
	struct err err;

	(void)state;
	assert_false(store_quota_take(s, &ask, 1, &now, &a, &err));
	assert_int_equal(a.index, 77);
	store_free(&s);
}

static void *race(void *ctx)
{
	struct store *s = store_new(str_c(path));
	struct store_moment now = { S("boot"), START_MS, WALL_US };
	intptr_t passed = 0;

	(void)ctx;
	for (int i = 0; i < 5; i++) {
		struct quota_answer a;
		struct err err;

		passed += store_quota_take(s, &ask, 1, &now, &a, &err) && a.taken;
	}
	store_free(&s);
	return (void *)passed;
}

static void instances_that_race_pass_n_together(void **state)
{
	pthread_t threads[4];
	intptr_t passed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *got;

		pthread_join(threads[i], &got);
		passed += (intptr_t)got;
	}
	assert_int_equal(passed, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(n_pass_in_any_window_and_the_wait_is_exact),
		TEST(a_wall_clock_that_steps_grants_nothing_and_starves_nobody),
		TEST(over_a_restart_of_the_host_time_goes_forward_only),
		TEST(a_refused_change_takes_nothing_of_any_quota),
		TEST(a_store_that_cannot_be_written_counts_as_no),
		TEST(instances_that_race_pass_n_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
