/* What was spent never comes back, however much is spent after it. */
#include "base/test.h"
#include "serve/spent.h"

#include <pthread.h>
#include <stdio.h>

static void what_is_spent_is_spent_and_nothing_else(void **state)
{
	struct spent *s = spent_new(10);

	(void)state;
	assert_false(spent_has(s, S("a"), 5));
	spent_add(s, S("a"), 5);
	spent_add(s, S("a"), 5);
	assert_true(spent_has(s, S("a"), 5));
	assert_false(spent_has(s, S("b"), 5));
	assert_false(spent_has(s, S("aa"), 1));
	spent_free(&s);
	assert_null(s);
}

static void past_the_bound_nothing_comes_back_and_what_is_newer_lives(void **state)
{
	struct spent *s = spent_new(10);
	char name[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "n%d", i);
		spent_add(s, str_c(name), i);
		for (int k = 0; k <= i; k += 7) {
			snprintf(name, sizeof name, "n%d", k);
			assert_true(spent_has(s, str_c(name), k));
		}
		assert_false(spent_has(s, S("alive"), i + 1));
	}
	assert_true(spent_has(s, S("older than what was forgotten"), 3));
	assert_false(spent_has(s, S("as new as the last ones"), 999));
	spent_free(&s);
}

static struct spent *shared;

static void *spend(void *arg)
{
	int from = *(int *)arg;
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "n%d", from + i);
		spent_add(shared, str_c(name), from + i);
		assert_true(spent_has(shared, str_c(name), from + i));
	}
	return NULL;
}

static void many_threads_spend(void **state)
{
	int from[4] = { 0, 2000, 4000, 6000 };
	pthread_t threads[4];

	(void)state;
	shared = spent_new(100);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spend, &from[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(spent_has(shared, S("n7999"), 7999));
	spent_free(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_spent_is_spent_and_nothing_else),
		cmocka_unit_test(past_the_bound_nothing_comes_back_and_what_is_newer_lives),
		cmocka_unit_test(many_threads_spend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
