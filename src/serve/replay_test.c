/* Answers of streams that were cut: for whom, how often, how long, and all of it at once. */
#include "serve/exchange_fixture.h"
#include "serve/replay.h"

#include <sched.h>
#include <stdatomic.h>

static struct replay *replay;
static struct arena arena;
static const struct replay_owner ada = { { { 1 } }, STR_INIT("s1") };

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)256 << 20);
	replay = replay_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (replay)
		replay_free(&replay);
	arena_done(&arena);
	return 0;
}

static bool resume_as(const struct replay_owner *who, struct client *c, struct str id)
{
	struct fake_exchange x = exchange_of(c);

	return replay_resume(replay, who, id, &x.x);
}

static void an_answer_that_was_kept_is_given_once(void **state)
{
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client first, second;

	(void)state;
	client_init(&first);
	client_init(&second);
	assert_int_equal(id.n, 32);
	replay_keep(replay, id, S("ANSWER"));
	assert_true(resume_as(&ada, &first, id));
	assert_client(&first, "+ANSWER=");
	assert_false(resume_as(&ada, &second, id));
	assert_client(&second, "");
	assert_released(&first);
	assert_released(&second);
}

static void who_comes_first_waits_for_the_answer(void **state)
{
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client c;

	(void)state;
	client_init(&c);
	assert_true(resume_as(&ada, &c, id));
	assert_client(&c, "");
	replay_keep(replay, id, S("ANSWER"));
	assert_client(&c, "=ANSWER");
	assert_released(&c);
}

static void nobody_else_gets_it(void **state)
{
	static const struct replay_owner others[] = {
		{ { { 2 } }, STR_INIT("s1") },
		{ { { 1 } }, STR_INIT("s2") },
		{ { { 1 } }, STR_INIT("") },
		{ { { 1 } }, STR_INIT("s1s1") },
	};
	struct str id = replay_open(replay, &arena, &ada, 0), open;
	struct client c;

	(void)state;
	client_init(&c);
	open = replay_open(replay, &arena, &ada, 0);
	replay_keep(replay, id, S("ANSWER"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(resume_as(&others[i], &c, id));
		assert_false(resume_as(&others[i], &c, open));
	}
	assert_false(resume_as(&ada, &c, S("")));
	assert_false(resume_as(&ada, &c, str_sub(id, 0, 31)));
	assert_false(resume_as(&ada, &c, S("00000000000000000000000000000000")));
	assert_client(&c, "");
	assert_true(resume_as(&ada, &c, id));
	assert_client(&c, "+ANSWER=");
	assert_released(&c);
}

static void an_answer_that_arrived_is_forgotten(void **state)
{
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client c;

	(void)state;
	client_init(&c);
	replay_close(replay, id);
	replay_keep(replay, id, S("LATE"));
	assert_false(resume_as(&ada, &c, id));
	assert_released(&c);
}

/* A connection that died without a word: the client comes again, and the new stream is the one. */
static void who_comes_last_waits(void **state)
{
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client dead, live;

	(void)state;
	client_init(&dead);
	client_init(&live);
	assert_true(resume_as(&ada, &dead, id));
	assert_true(resume_as(&ada, &live, id));
	assert_client(&dead, "=");
	client_leave(&dead); /* says nothing about the next */
	replay_keep(replay, id, S("ANSWER"));
	assert_client(&live, "=ANSWER");
	assert_released(&dead);
	assert_released(&live);
}

static void who_left_before_the_answer_may_come_again(void **state)
{
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client left, gone, back;

	(void)state;
	client_init(&left);
	client_init(&gone);
	client_init(&back);
	gone.gone = true; /* before it could wait */
	assert_true(resume_as(&ada, &left, id));
	client_leave(&left);
	assert_true(resume_as(&ada, &gone, id));
	replay_keep(replay, id, S("ANSWER"));
	assert_true(resume_as(&ada, &back, id));
	assert_client(&left, "");
	assert_client(&gone, "");
	assert_client(&back, "+ANSWER=");
	assert_released(&left);
	assert_released(&gone);
	assert_released(&back);
}

static struct str raced;

static void answer_comes(struct client *c)
{
	(void)c;
	replay_keep(replay, raced, S("ANSWER"));
}

static void an_answer_that_comes_while_the_stream_is_parked_is_given(void **state)
{
	struct client c;

	(void)state;
	client_init(&c);
	raced = replay_open(replay, &arena, &ada, 0);
	c.while_parking = answer_comes;
	assert_true(resume_as(&ada, &c, raced));
	assert_client(&c, "+ANSWER=");
	assert_released(&c);
}

static void what_is_too_large_to_keep_is_an_ordinary_lost_reply(void **state)
{
	char *large = arena_alloc(&arena, REPLAY_MESSAGE_MAX + 1);
	struct str id = replay_open(replay, &arena, &ada, 0);
	struct client c;

	(void)state;
	memset(large, 'x', REPLAY_MESSAGE_MAX + 1);
	client_init(&c);
	replay_keep(replay, id, str_n(large, REPLAY_MESSAGE_MAX + 1));
	assert_false(resume_as(&ada, &c, id));
	assert_released(&c);
}

static void what_is_old_or_too_many_is_forgotten(void **state)
{
	struct str first = replay_open(replay, &arena, &ada, 0), second, last;
	struct client waits, late;

	(void)state;
	client_init(&waits);
	client_init(&late);
	second = replay_open(replay, &arena, &ada, 5);
	assert_true(resume_as(&ada, &waits, first));
	replay_tick(replay, REPLAY_MS - 1);
	assert_client(&waits, "");
	replay_tick(replay, REPLAY_MS);
	assert_client(&waits, "=");
	assert_false(resume_as(&ada, &late, first));
	replay_keep(replay, second, S("ANSWER"));
	for (size_t i = 0; i < REPLAY_MAX; i++)
		last = replay_open(replay, &arena, &ada, 6);
	assert_false(resume_as(&ada, &late, second));
	replay_keep(replay, last, S("LAST"));
	assert_true(resume_as(&ada, &late, last));
	assert_client(&late, "+LAST=");
	assert_released(&waits);
	assert_released(&late);
}

static void all_messages_together_are_bounded(void **state)
{
	char *large = arena_alloc(&arena, REPLAY_MESSAGE_MAX);
	size_t fit = REPLAY_BYTES / REPLAY_MESSAGE_MAX;
	struct str ids[66];
	struct client c[66];

	(void)state;
	assert_true(fit + 2 <= ARRAY_LEN(ids));
	memset(large, 'x', REPLAY_MESSAGE_MAX);
	for (size_t i = 0; i < fit + 1; i++) {
		client_init(&c[i]);
		ids[i] = replay_open(replay, &arena, &ada, 0);
		replay_keep(replay, ids[i], str_n(large, REPLAY_MESSAGE_MAX));
	}
	assert_false(resume_as(&ada, &c[fit], ids[fit]));
	assert_true(resume_as(&ada, &c[0], ids[0])); /* makes room for one */
	ids[fit] = replay_open(replay, &arena, &ada, 0);
	replay_keep(replay, ids[fit], str_n(large, REPLAY_MESSAGE_MAX));
	assert_true(resume_as(&ada, &c[fit], ids[fit]));
	for (size_t i = 0; i < fit + 1; i++)
		assert_released(&c[i]);
}

#define ROUNDS 250
#define COMERS 2

static struct client crowd[COMERS][ROUNDS];
static struct str ids[ROUNDS];
static _Atomic unsigned opened, kept;

static void *come(void *arg)
{
	unsigned lane = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		while (atomic_load(&opened) <= i)
			sched_yield();
		(void)resume_as(&ada, &crowd[lane][i], ids[i]);
		if (i % 3 == lane)
			client_leave(&crowd[lane][i]);
	}
	return NULL;
}

static void *leave_some(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (atomic_load(&opened) <= i)
			sched_yield();
		if (i % 5 == 0)
			client_leave(&crowd[1][i]);
	}
	return NULL;
}

static void *keep_all(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (atomic_load(&opened) <= i)
			sched_yield();
		if (i % 7)
			replay_keep(replay, ids[i], S("ANSWER"));
		else
			replay_close(replay, ids[i]);
	}
	atomic_store(&kept, 1);
	return NULL;
}

static void *tick(void *arg)
{
	(void)arg;
	while (!atomic_load(&kept))
		replay_tick(replay, 5);
	return NULL;
}

static unsigned answers_of(const struct client *c)
{
	return strstr(c->text, "ANSWER") != NULL;
}

static void clients_come_and_go_while_answers_arrive(void **state)
{
	pthread_t threads[COMERS + 3];

	(void)state;
	for (unsigned lane = 0; lane < COMERS; lane++)
		for (unsigned i = 0; i < ROUNDS; i++)
			client_init(&crowd[lane][i]);
	for (uintptr_t i = 0; i < COMERS; i++)
		pthread_create(&threads[i], NULL, come, (void *)i);
	pthread_create(&threads[COMERS], NULL, leave_some, NULL);
	pthread_create(&threads[COMERS + 1], NULL, keep_all, NULL);
	pthread_create(&threads[COMERS + 2], NULL, tick, NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		ids[i] = replay_open(replay, &arena, &ada, 6);
		atomic_store(&opened, i + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	replay_free(&replay);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_true(answers_of(&crowd[0][i]) + answers_of(&crowd[1][i]) <= 1);
		for (unsigned lane = 0; lane < COMERS; lane++)
			assert_released(&crowd[lane][i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_was_kept_is_given_once),
		TEST(who_comes_first_waits_for_the_answer),
		TEST(nobody_else_gets_it),
		TEST(an_answer_that_arrived_is_forgotten),
		TEST(who_comes_last_waits),
		TEST(who_left_before_the_answer_may_come_again),
		TEST(an_answer_that_comes_while_the_stream_is_parked_is_given),
		TEST(what_is_too_large_to_keep_is_an_ordinary_lost_reply),
		TEST(what_is_old_or_too_many_is_forgotten),
		TEST(all_messages_together_are_bounded),
		TEST(clients_come_and_go_while_answers_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
