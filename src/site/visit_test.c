/* visit: what ends one, and what is never one. */
#include "site/visit.h"

#include <pthread.h>
#include <string.h>

#include "base/test.h"

struct fixture {
	struct arena a;
	struct visits *visits;
	struct sha256 alice, bob;
};

static int begin(void **state)
{
	static struct fixture x;

	arena_init(&x.a, (size_t)4 << 20);
	x.visits = visits_new();
	sha256_of(S("alice"), &x.alice);
	sha256_of(S("bob"), &x.bob);
	*state = &x;
	return 0;
}

static int end(void **state)
{
	struct fixture *x = *state;

	visits_free(&x->visits);
	arena_done(&x->a);
	return 0;
}

static struct str enter(struct fixture *x, const struct sha256 *who, uint64_t ms)
{
	return visits_begin(x->visits, &x->a, S("key-1"), who, ms);
}

static bool is_in(struct fixture *x, struct str text, uint64_t ms)
{
	struct visit v;

	return visits_find(x->visits, &x->a, text, ms, &v);
}

static void a_visit_is_found_by_its_text_alone(void **state)
{
	struct fixture *x = *state;
	struct str text = enter(x, &x->alice, 1000), other = enter(x, &x->alice, 1000);
	struct visit v;

	assert_int_equal(text.n, VISIT_TEXT_BYTES);
	assert_false(str_eq(text, other));
	assert_true(visits_find(x->visits, &x->a, text, 1001, &v));
	assert_str(v.credential, "key-1");
	assert_true(sha256_eq(&v.who, &x->alice));
	for (size_t i = 0; i < text.n; i++) {
		char *bent = arena_cstr(&x->a, text);

		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_false(is_in(x, str_c(bent), 1001));
	}
	assert_false(is_in(x, S(""), 1001));
	assert_false(is_in(x, str_sub(text, 0, text.n - 1), 1001));
	visits_end(x->visits, &v.name);
	assert_false(is_in(x, text, 1001));
	assert_true(is_in(x, other, 1001));
}

static void idle_and_old_visits_are_over(void **state)
{
	struct fixture *x = *state;
	struct str idle = enter(x, &x->alice, 0), busy = enter(x, &x->bob, 0);
	uint64_t ms = 0;

	assert_true(is_in(x, idle, 0));
	for (; ms + VISIT_IDLE_MS - 1 < VISIT_MOST_MS; ms += VISIT_IDLE_MS - 1)
		assert_true(is_in(x, busy, ms));
	assert_true(is_in(x, busy, ms));
	assert_false(is_in(x, idle, VISIT_IDLE_MS));
	assert_false(is_in(x, idle, 1)); /* not again, whatever the clock says then */
	assert_true(is_in(x, busy, VISIT_MOST_MS - 1));
	assert_false(is_in(x, busy, VISIT_MOST_MS));
	assert_int_equal(visits_count(x->visits), 0);
}

static void one_persons_visits_do_not_end_anothers(void **state)
{
	struct fixture *x = *state;
	struct str first = enter(x, &x->alice, 1), bob = enter(x, &x->bob, 2), last = STR_NONE;

	for (unsigned i = 0; i < 100; i++)
		last = enter(x, &x->alice, 10 + i);
	assert_int_equal(visits_count(x->visits), VISITS_OF_ONE + 1);
	assert_false(is_in(x, first, 200));
	assert_true(is_in(x, last, 200));
	assert_true(is_in(x, bob, 200));
}

static void a_full_house_ends_whoever_was_away_longest(void **state)
{
	struct fixture *x = *state;
	struct str bob = enter(x, &x->bob, 1), alice = enter(x, &x->alice, 2);

	assert_true(is_in(x, bob, 3));
	for (unsigned i = 0; i < VISITS_MAX - 1; i++) {
		struct sha256 who;

		sha256_of(str_n(&i, sizeof i), &who);
		enter(x, &who, 10 + i);
	}
	assert_int_equal(visits_count(x->visits), VISITS_MAX);
	assert_true(is_in(x, bob, 20));
	assert_false(is_in(x, alice, 20));
}

static void a_seal_is_for_one_visit_and_one_thing(void **state)
{
	struct fixture *x = *state;
	struct str text = enter(x, &x->alice, 1), other = enter(x, &x->alice, 1), seal;
	struct visit v, w;

	assert_true(visits_find(x->visits, &x->a, text, 2, &v));
	assert_true(visits_find(x->visits, &x->a, other, 2, &w));
	seal = visit_seal(&v, &x->a, S("approve pl_1 00"));
	assert_true(visit_sealed(&v, &x->a, S("approve pl_1 00"), seal));
	assert_false(visit_sealed(&v, &x->a, S("approve pl_2 00"), seal));
	assert_false(visit_sealed(&v, &x->a, S("decline pl_1 00"), seal));
	assert_false(visit_sealed(&w, &x->a, S("approve pl_1 00"), seal));
	assert_false(visit_sealed(&v, &x->a, S("approve pl_1 00"), S("")));
	assert_false(visit_sealed(&v, &x->a, S("approve pl_1 00"), str_sub(seal, 0, 42)));
}

static void *come_and_go(void *ctx)
{
	struct fixture *x = ctx;
	struct arena a;

	arena_init(&a, (size_t)4 << 20);
	for (unsigned i = 0; i < 200; i++) {
		struct sha256 who;
		struct str text;
		struct visit v;

		sha256_of(str_n(&i, sizeof i), &who);
		text = visits_begin(x->visits, &a, S("key-1"), &who, i);
		if (visits_find(x->visits, &a, text, i, &v) && i % 2)
			visits_end(x->visits, &v.name);
	}
	arena_done(&a);
	return NULL;
}

static void several_threads_come_and_go(void **state)
{
	struct fixture *x = *state;
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, x), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(visits_count(x->visits), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_visit_is_found_by_its_text_alone, begin, end),
		cmocka_unit_test_setup_teardown(idle_and_old_visits_are_over, begin, end),
		cmocka_unit_test_setup_teardown(one_persons_visits_do_not_end_anothers, begin, end),
		cmocka_unit_test_setup_teardown(
			a_full_house_ends_whoever_was_away_longest, begin, end),
		cmocka_unit_test_setup_teardown(several_threads_come_and_go, begin, end),
		cmocka_unit_test_setup_teardown(a_seal_is_for_one_visit_and_one_thing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
