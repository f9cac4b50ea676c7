/* What was spent never comes back, however much is spent after it, and by whom. */
#include "base/test.h"
#include "serve/spent.h"

#include <pthread.h>
#include <stdio.h>

#define MOST 80 /* a table of an owner holds 10 */

static const struct sha256 ann = { { 1 } }, ben = { { 2 } };

/* As many names of this owner, made at `from` and one later each. */
static void spend_many(struct spent *s, const struct sha256 *owner, int from, int count)
{
	char name[32];

	for (int i = from; i < from + count; i++) {
		snprintf(name, sizeof name, "%d-%d", owner->b[0], i);
		spent_add(s, owner, str_c(name), i);
		assert_true(spent_has(s, owner, str_c(name), i));
	}
}

static void what_is_spent_is_spent_and_nothing_else(void **state)
{
	struct spent *s = spent_new(MOST, 4);

	(void)state;
	assert_false(spent_has(s, &ann, S("a"), 5));
	spent_add(s, &ann, S("a"), 5);
	spent_add(s, &ann, S("a"), 5);
	assert_true(spent_has(s, &ann, S("a"), 5));
	assert_false(spent_has(s, &ann, S("b"), 5));
	assert_false(spent_has(s, &ann, S("aa"), 1));
	assert_false(spent_has(s, &ben, S("a"), 5));
	spent_free(&s);
	assert_null(s);
}

static void past_the_bound_nothing_comes_back_and_what_is_newer_lives(void **state)
{
	struct spent *s = spent_new(MOST, 4);
	char name[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		spend_many(s, &ann, i, 1);
		for (int k = 0; k <= i; k += 7) {
			snprintf(name, sizeof name, "1-%d", k);
			assert_true(spent_has(s, &ann, str_c(name), k));
		}
		assert_false(spent_has(s, &ann, S("alive"), i + 1));
	}
	assert_true(spent_has(s, &ann, S("older than what was forgotten"), 3));
	assert_false(spent_has(s, &ann, S("as new as the last ones"), 999));
	spent_free(&s);
}

static void one_owner_s_flood_ends_nothing_of_another(void **state)
{
	struct spent *s = spent_new(MOST, 4);

	(void)state;
	spent_add(s, &ben, S("ended"), 10);
	spend_many(s, &ann, 100, 20000);
	assert_false(spent_has(s, &ben, S("alive"), 11));
	assert_false(spent_has(s, &ben, S("older"), 9));
	assert_true(spent_has(s, &ben, S("ended"), 10));
	assert_false(spent_has(s, &(struct sha256){ { 3 } }, S("of somebody else"), 1));
	spent_free(&s);
}

static void when_all_are_too_many_who_has_most_pays(void **state)
{
	struct spent *s = spent_new(MOST, 100);

	(void)state;
	spent_add(s, &ben, S("ended"), 10);
	for (uint8_t i = 10; i < 20; i++)
		spend_many(s, &(struct sha256){ { i } }, 100, 30);
	assert_false(spent_has(s, &ben, S("alive"), 11));
	assert_false(spent_has(s, &ben, S("older"), 9));
	for (uint8_t i = 10; i < 20; i++) {
		assert_true(spent_has(s, &(struct sha256){ { i } }, S("older"), 100));
		assert_false(spent_has(s, &(struct sha256){ { i } }, S("alive"), 130));
	}
	spent_free(&s);
}

static void when_owners_are_too_many_nothing_comes_back_either(void **state)
{
	struct spent *s = spent_new(MOST, 4);

	(void)state;
	for (uint8_t i = 0; i < 100; i++)
		spent_add(s, &(struct sha256){ { i } }, S("n"), i);
	for (uint8_t i = 0; i < 100; i++)
		assert_true(spent_has(s, &(struct sha256){ { i } }, S("n"), i));
	assert_false(spent_has(s, &(struct sha256){ { 98 } }, S("alive"), 97));
	assert_true(spent_has(s, &(struct sha256){ { 98 } }, S("alive"), 95));
	spent_free(&s);
}

static struct spent *shared;

static void *spend(void *arg)
{
	spend_many(
		shared, &(struct sha256){ { (uint8_t)(*(int *)arg / 4000) } }, *(int *)arg, 2000);
	return NULL;
}

static void many_threads_spend(void **state)
{
	int from[4] = { 0, 2000, 4000, 6000 };
	pthread_t threads[4];

	(void)state;
	shared = spent_new(100, 4);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spend, &from[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(spent_has(shared, &ann, S("1-7999"), 7999));
	assert_true(spent_has(shared, &ann, S("1-4000"), 4000));
	spent_free(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_spent_is_spent_and_nothing_else),
		cmocka_unit_test(past_the_bound_nothing_comes_back_and_what_is_newer_lives),
		cmocka_unit_test(one_owner_s_flood_ends_nothing_of_another),
		cmocka_unit_test(when_all_are_too_many_who_has_most_pays),
		cmocka_unit_test(when_owners_are_too_many_nothing_comes_back_either),
		cmocka_unit_test(many_threads_spend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
