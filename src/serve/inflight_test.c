/* Calls that run, found by the id their client gave them. */
#include "base/test.h"
#include "serve/inflight.h"

#include <pthread.h>
#include <stdatomic.h>

static struct inflight *inflight;

static int set_up(void **state)
{
	(void)state;
	inflight = inflight_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	inflight_free(&inflight);
	return 0;
}

static void an_id_runs_once_in_its_scope(void **state)
{
	struct inflight_call a = { .scope = S("s"), .id = S("1") };
	struct inflight_call same = { .scope = S("s"), .id = S("1") };
	struct inflight_call text = { .scope = S("s"), .id = S("\"1\"") };
	struct inflight_call elsewhere = { .scope = S("t"), .id = S("1") };

	(void)state;
	assert_true(inflight_begin(inflight, &a));
	assert_false(inflight_begin(inflight, &same));
	assert_true(inflight_begin(inflight, &text));
	assert_true(inflight_begin(inflight, &elsewhere));
	inflight_end(inflight, &a);
	assert_true(inflight_begin(inflight, &same));
	inflight_end(inflight, &elsewhere);
	inflight_end(inflight, &same);
	inflight_end(inflight, &text);
}

static void only_the_call_that_was_named_is_cancelled(void **state)
{
	struct inflight_call a = { .scope = S("s"), .id = S("1") };
	struct inflight_call b = { .scope = S("s"), .id = S("2") };
	struct inflight_call c = { .scope = S("t"), .id = S("1") };

	(void)state;
	assert_true(inflight_begin(inflight, &a) && inflight_begin(inflight, &b) &&
		    inflight_begin(inflight, &c));
	inflight_cancel(inflight, S("s"), S("3"));
	inflight_cancel(inflight, S(""), S("1"));
	assert_false(a.cancelled || b.cancelled || c.cancelled);
	inflight_cancel(inflight, S("s"), S("1"));
	assert_true(a.cancelled);
	assert_false(b.cancelled || c.cancelled);
	inflight_end(inflight, &b);
	inflight_end(inflight, &a);
	inflight_end(inflight, &c);
	inflight_cancel(inflight, S("t"), S("1")); /* too late: nothing happens */
	assert_false(c.cancelled);
}

static _Atomic unsigned running;

static void *call_often(void *arg)
{
	for (unsigned i = 0; i < 2000; i++) {
		struct inflight_call c = { .scope = S("s"), .id = str_n(arg, 1) };

		if (inflight_begin(inflight, &c))
			inflight_end(inflight, &c);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void *cancel_often(void *arg)
{
	(void)arg;
	while (atomic_load(&running)) {
		inflight_cancel(inflight, S("s"), S("1"));
		inflight_cancel(inflight, S("s"), S("2"));
	}
	return NULL;
}

static void calls_end_while_they_are_cancelled(void **state)
{
	static char ids[] = "112";
	pthread_t threads[4];

	(void)state;
	atomic_store(&running, 3);
	for (size_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, call_often, &ids[i]);
	pthread_create(&threads[3], NULL, cancel_often, NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_runs_once_in_its_scope),
		TEST(only_the_call_that_was_named_is_cancelled),
		TEST(calls_end_while_they_are_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
