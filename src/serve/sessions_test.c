/* What is remembered of a session, and for how many. */
#include "base/test.h"
#include "serve/sessions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct sessions *sessions;
static struct arena arena;
static const struct sha256 ann = { { 1 } }, ben = { { 2 } };

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	sessions = sessions_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sessions_free(&sessions);
	arena_done(&arena);
	return 0;
}

static void an_ended_session_stays_ended(void **state)
{
	(void)state;
	assert_false(sessions_ended(sessions, &ann, S("a"), 7));
	sessions_end(sessions, &ann, S("a"), 7);
	sessions_end(sessions, &ann, S("a"), 7);
	assert_true(sessions_ended(sessions, &ann, S("a"), 7));
	assert_false(sessions_ended(sessions, &ann, S("b"), 7));
	assert_false(sessions_ended(sessions, &ann, S(""), 7));
	assert_false(sessions_ended(sessions, &ann, S("aa"), 7));
	sessions_set_level(sessions, &ann, S("a"), S("debug"));
	assert_true(sessions_ended(sessions, &ann, S("a"), 7));
}

static void a_level_is_the_session_s_own(void **state)
{
	(void)state;
	assert_int_equal(sessions_level(sessions, &arena, S("a")).n, 0);
	sessions_set_level(sessions, &ann, S("a"), S("debug"));
	sessions_set_level(sessions, &ann, S("b"), S("emergency"));
	sessions_set_level(sessions, &ann, S("a"), S("info"));
	assert_str(sessions_level(sessions, &arena, S("a")), "info");
	assert_str(sessions_level(sessions, &arena, S("b")), "emergency");
	assert_int_equal(sessions_level(sessions, &arena, S("c")).n, 0);
}

/* The jump of an arena that is used up must not leave the table locked. */
static void a_level_asked_for_without_memory_locks_nothing(void **state)
{
	struct arena tiny;
	jmp_buf place;
	volatile bool jumped = false;

	(void)state;
	sessions_set_level(sessions, &ann, S("a"), S("debug"));
	arena_init(&tiny, 1);
	if (arena_catch(&tiny, &place))
		jumped = true;
	else
		(void)sessions_level(sessions, &tiny, S("a"));
	arena_uncatch(&tiny);
	arena_done(&tiny);
	assert_true(jumped);
	assert_str(sessions_level(sessions, &arena, S("a")), "debug");
}

static void watched_uris_are_bounded_and_each_counts_once(void **state)
{
	static char text[SESSION_URI_BYTES + 1];
	char uri[32];

	(void)state;
	memset(text, 'u', sizeof text);
	for (unsigned i = 0; i < SESSION_URIS_MAX; i++) {
		snprintf(uri, sizeof uri, "a://%u", i);
		assert_true(sessions_subscribe(sessions, &ann, S("s"), str_c(uri)));
		assert_true(sessions_subscribe(sessions, &ann, S("s"), str_c(uri)));
	}
	assert_false(sessions_subscribe(sessions, &ann, S("s"), S("a://one-more")));
	assert_true(sessions_wants(sessions, S("s"), S("a://0")));
	assert_false(sessions_wants(sessions, S("s"), S("a://one-more")));
	assert_false(sessions_wants(sessions, S("t"), S("a://0")));
	sessions_unsubscribe(sessions, S("s"), S("a://0"));
	sessions_unsubscribe(sessions, S("s"), S("a://0"));
	sessions_unsubscribe(sessions, S("t"), S("a://1"));
	assert_false(sessions_wants(sessions, S("s"), S("a://0")));
	assert_true(sessions_wants(sessions, S("s"), S("a://63")));
	assert_true(sessions_subscribe(sessions, &ann, S("s"), str_n(text, SESSION_URI_BYTES)));
	assert_false(
		sessions_subscribe(sessions, &ann, S("t"), str_n(text, SESSION_URI_BYTES + 1)));
}

static void the_longest_unused_is_forgotten_first(void **state)
{
	char nonce[32];

	(void)state;
	sessions_end(sessions, &ann, S("ended"), 7);
	sessions_set_level(sessions, &ann, S("old"), S("debug"));
	sessions_set_level(sessions, &ann, S("used"), S("debug"));
	for (unsigned i = 0; i < SESSIONS_MAX - 1; i++) {
		snprintf(nonce, sizeof nonce, "n%u", i);
		sessions_set_level(sessions, &ann, str_c(nonce), S("info"));
		if (i % 500 == 0)
			assert_str(sessions_level(sessions, &arena, S("used")), "debug");
	}
	assert_int_equal(sessions_level(sessions, &arena, S("old")).n, 0);
	assert_str(sessions_level(sessions, &arena, S("used")), "debug");
	assert_str(sessions_level(sessions, &arena, S("n0")), "info");
	assert_true(sessions_ended(sessions, &ann, S("ended"), 7));
}

static void whoever_remembers_most_forgets_first(void **state)
{
	char nonce[32];

	(void)state;
	sessions_set_level(sessions, &ben, S("of ben"), S("debug"));
	assert_true(sessions_subscribe(sessions, &ben, S("of ben"), S("a://1")));
	for (unsigned i = 0; i < 3 * SESSIONS_MAX; i++) {
		snprintf(nonce, sizeof nonce, "n%u", i);
		sessions_set_level(sessions, &ann, str_c(nonce), S("info"));
	}
	assert_int_equal(sessions_level(sessions, &arena, S("n0")).n, 0);
	assert_str(sessions_level(sessions, &arena, S("of ben")), "debug");
	assert_true(sessions_wants(sessions, S("of ben"), S("a://1")));
	assert_str(sessions_level(sessions, &arena, str_c(nonce)), "info");
}

static _Atomic unsigned lanes;

static void *use(void *arg)
{
	unsigned lane = atomic_fetch_add(&lanes, 1);
	struct arena own;

	(void)arg;
	arena_init(&own, (size_t)1 << 20);
	for (unsigned i = 0; i < 500; i++) {
		char nonce[32];

		snprintf(nonce, sizeof nonce, "n%u", (i * 7 + lane) % 40);
		if (!sessions_subscribe(sessions, &ann, str_c(nonce), S("a://1")))
			break;
		sessions_set_level(sessions, &ann, str_c(nonce), S("debug"));
		(void)sessions_level(sessions, &own, str_c(nonce));
		(void)sessions_wants(sessions, str_c(nonce), S("a://1"));
		sessions_unsubscribe(sessions, str_c(nonce), S("a://1"));
		if (i % 10 == 0)
			sessions_end(sessions, &ann, str_c(nonce), 7);
	}
	arena_done(&own);
	return NULL;
}

static void many_threads_share_them(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, use, NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(sessions_ended(sessions, &ann, S("n0"), 7));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ended_session_stays_ended),
		TEST(a_level_is_the_session_s_own),
		TEST(a_level_asked_for_without_memory_locks_nothing),
		TEST(watched_uris_are_bounded_and_each_counts_once),
		TEST(the_longest_unused_is_forgotten_first),
		TEST(whoever_remembers_most_forgets_first),
		TEST(many_threads_share_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
