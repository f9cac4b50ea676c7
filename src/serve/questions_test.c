/* Questions: sent, answered by those who may, forgotten, cancelled, and all of it at once. */
#include "base/arena.h"

#define CROWD_LANES 2
#define CROWD_ROUNDS 200
#include "serve/crowd_fixture.h"
#include "serve/questions.h"

static struct questions *questions;
static struct arena arena;
static const struct receipt *const receipt = (const void *)&questions; /* never looked into */
static const struct sha256 ada = { { 1 } }, bob = { { 2 } };

static const struct ask two[] = {
	{ STR_INIT("name"), STR_INIT("elicitation/create"), STR_INIT("{\"message\":\"Name?\"}") },
	{ STR_INIT("roots"), STR_INIT("roots/list"), STR_INIT("{}") },
};

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)256 << 20);
	questions = questions_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (questions)
		questions_free(&questions);
	arena_done(&arena);
	return 0;
}

/* A principal of the same binding, come with another credential. */
static const struct sha256 ada_by_another_key = { { 1, 9 } };

static struct question_call call_of(const char *rpc_id)
{
	return (struct question_call){ .binding = ada,
		.proof = ada,
		.scope = S("nonce"),
		.text = S("{\"method\":\"tools/call\"}"),
		.session = S("session"),
		.version = S("2025-06-18"),
		.peer = S("127.0.0.1"),
		.rpc_id = str_c(rpc_id),
		.state_plain = S("STATE"),
		.round = 2,
		.http = true,
		.revision = MCP_2025_06_18 };
}

static bool ask(struct client *c, const char *rpc_id, const struct ask *asks, size_t count)
{
	struct question_call call = call_of(rpc_id);
	struct fake_exchange x = exchange_of(c);

	return questions_open(questions, &call, asks, count, &x.x, 1000, receipt);
}

/* The raw id of the n-th question the client was asked; empty: not asked so many. */
static struct str id_asked(const struct client *c, unsigned n)
{
	const char *at = c->text;
	const char *end;

	for (unsigned i = 0; at && i <= n; i++)
		at = strstr(at + (i > 0), "\"srv-");
	end = at ? strchr(at + 1, '"') : NULL;
	return end ? str_n(at, (size_t)(end - at) + 1) : STR_NONE;
}

static bool answer_in(struct arena *a, const struct sha256 *who, struct str scope, struct str id,
	const char *result, struct question **ready_out)
{
	struct mcp_request r = { .kind = MCP_RESPONSE, .id = id };
	struct json *v = arena_new(a, struct json);
	struct json_error error;

	if (result) {
		assert_true(json_parse(a, str_c(result), v, &error));
		r.result = v;
	}
	return questions_answer(questions, a, who, scope, &r, ready_out);
}

static bool reply_to(struct client *c, unsigned n, const char *result, struct question **ready_out)
{
	return answer_in(&arena, &ada, S("nonce"), id_asked(c, n), result, ready_out);
}

static void the_last_answer_brings_the_call_back_with_all_of_them(void **state)
{
	struct question *ready;
	struct client c;

	(void)state;
	client_init(&c);
	assert_true(ask(&c, "7", two, 2));
	assert_int_equal(c.sent, 2);
	assert_int_equal(id_asked(&c, 0).n, 38); /* 128 random bits */
	assert_int_not_equal(str_cmp(id_asked(&c, 0), id_asked(&c, 1)), 0);
	assert_non_null(strstr(c.text, "\"method\":\"elicitation/create\""));
	assert_true(reply_to(&c, 1, "{\"roots\":[ 1.0 ]}", &ready));
	assert_null(ready);
	assert_true(reply_to(&c, 0, "{\"action\":\"accept\"}", &ready));
	assert_non_null(ready);
	assert_str(question_answers(ready, &arena),
		"{\"name\":{\"action\":\"accept\"},\"roots\":{\"roots\":[1.0]}}");
	assert_str(question_call(ready)->text, "{\"method\":\"tools/call\"}");
	assert_str(question_call(ready)->state_plain, "STATE");
	assert_str(question_call(ready)->session, "session");
	assert_int_equal(question_call(ready)->round, 2);
	question_exchange(ready)->ops->reply(question_exchange(ready), 200, S("RESULT"), STR_NONE);
	question_free(ready);
	assert_false(reply_to(&c, 0, "{}", &ready));
	assert_released(&c);
}

static void only_the_same_principal_and_session_can_answer(void **state)
{
	struct question *ready;
	struct client c;
	struct str id;

	(void)state;
	client_init(&c);
	assert_true(ask(&c, "7", two + 1, 1));
	id = id_asked(&c, 0);
	assert_false(answer_in(&arena, &bob, S("nonce"), id, "{}", &ready));
	assert_false(answer_in(&arena, &ada, S("other"), id, "{}", &ready));
	assert_false(answer_in(&arena, &ada_by_another_key, S("nonce"), id, "{}", &ready));
	assert_false(answer_in(&arena, &ada, STR_NONE, id, "{}", &ready));
	assert_false(answer_in(&arena, &ada, S("nonce"), S("\"srv-0\""), "{}", &ready));
	assert_false(answer_in(&arena, &ada, S("nonce"), STR_NONE, "{}", &ready));
	assert_null(ready);
	assert_true(answer_in(&arena, &ada, S("nonce"), id, "{}", &ready));
	question_free(ready);
	assert_released(&c);
}

static void an_error_a_second_answer_and_one_too_large_change_nothing_more(void **state)
{
	char *large = arena_alloc(&arena, ((size_t)2 << 20) + 3);
	struct question *ready;
	struct client c;

	(void)state;
	memset(large, 'x', ((size_t)2 << 20) + 2);
	large[0] = large[((size_t)2 << 20) + 1] = '"';
	client_init(&c);
	assert_true(ask(&c, "7", two, 2));
	assert_true(reply_to(&c, 0, NULL, &ready));
	assert_null(ready);
	assert_true(reply_to(&c, 0, "{\"action\":\"accept\"}", &ready));
	assert_null(ready);
	assert_true(reply_to(&c, 1, large, &ready));
	assert_str(question_answers(ready, &arena),
		"{\"name\":{\"action\":\"cancel\"},\"roots\":{\"action\":\"cancel\"}}");
	question_free(ready);
	assert_released(&c);
}

static void there_are_so_many_and_no_more_of_one_principal(void **state)
{
	struct client c[QUESTIONS_OF_ONE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		client_init(&c[i]);
		assert_int_equal(ask(&c[i], "1", two, 1), i < QUESTIONS_OF_ONE_MAX);
	}
	assert_client(&c[QUESTIONS_OF_ONE_MAX], "");
	client_leave(&c[3]);
	client_init(&c[3]);
	assert_true(ask(&c[3], "1", two, 1));
	questions_free(&questions);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		assert_released(&c[i]);
}

static void what_cannot_be_asked_is_said_and_leaves_nothing(void **state)
{
	char *large = arena_alloc(&arena, (size_t)2 << 20);
	struct ask too_large = { S("k"), S("m"), str_n(large, (size_t)2 << 20) };
	struct client c, odd, gone;

	(void)state;
	client_init(&c);
	client_init(&odd);
	client_init(&gone);
	odd.cannot_park = true;
	gone.gone = true;
	assert_false(ask(&c, "1", &too_large, 1));
	assert_false(ask(&odd, "1", two, 2));
	assert_true(ask(&gone, "1", two, 2)); /* nobody is there to be told */
	assert_client(&c, "");
	assert_client(&odd, "");
	assert_client(&gone, "");
	assert_released(&c);
	assert_released(&odd);
	assert_released(&gone);
}

static void what_expires_ends_with_an_error_of_its_call(void **state)
{
	struct question *ready;
	struct client c;
	struct str id;

	(void)state;
	client_init(&c);
	assert_true(ask(&c, "\"call-9\"", two, 1));
	id = arena_str(&arena, id_asked(&c, 0));
	questions_tick(questions, 1000 + QUESTION_MS - 1);
	assert_int_equal(c.replies, 0);
	questions_tick(questions, 1000 + QUESTION_MS);
	assert_int_equal(c.replies, 1);
	assert_non_null(strstr(c.text, "\"id\":\"call-9\""));
	assert_non_null(strstr(c.text, "-32603"));
	assert_false(answer_in(&arena, &ada, S("nonce"), id, "{}", &ready));
	assert_released(&c);
}

static void a_cancelled_call_is_not_asked_any_more(void **state)
{
	struct client c, other;

	(void)state;
	client_init(&c);
	client_init(&other);
	assert_true(ask(&c, "7", two, 1) && ask(&other, "\"7\"", two, 1));
	questions_cancel(questions, S("nowhere"), S("7"));
	questions_cancel(questions, S("nonce"), STR_NONE);
	assert_int_equal(c.replies, 0);
	questions_cancel(questions, S("nonce"), S("7"));
	assert_int_equal(c.replies, 1);
	assert_int_equal(c.status, 202);
	assert_int_equal(other.replies, 0);
	questions_free(&questions);
	assert_released(&c);
	assert_released(&other);
}

static void a_client_that_leaves_takes_its_question_with_it(void **state)
{
	struct question *ready;
	struct client c;
	struct str id;

	(void)state;
	client_init(&c);
	assert_true(ask(&c, "7", two, 1));
	id = arena_str(&arena, id_asked(&c, 0));
	client_leave(&c);
	assert_false(answer_in(&arena, &ada, S("nonce"), id, "{}", &ready));
	assert_released(&c);
}

static void come(struct client *c, unsigned i)
{
	(void)ask(c, i % 5 ? "7" : "8", two, 2);
}

static void *open_many(void *lane)
{
	crowd_come((unsigned)(uintptr_t)lane, come);
	return NULL;
}

static bool one_of_four(unsigned i)
{
	return i % 4 == 0;
}

static void *leave_some(void *arg)
{
	(void)arg;
	crowd_leave(one_of_four);
	return NULL;
}

static void answer_one(struct arena *a, struct client *c, unsigned n)
{
	struct question *ready;
	struct str id;

	pthread_mutex_lock(&c->lock);
	id = arena_str(a, id_asked(c, n));
	pthread_mutex_unlock(&c->lock);
	if (!id.n || !answer_in(a, &ada, S("nonce"), id, "{\"x\":1}", &ready) || !ready)
		return;
	question_exchange(ready)->ops->reply(question_exchange(ready), 200, S("R"), STR_NONE);
	question_free(ready);
}

static void *answer_many(void *arg)
{
	struct arena a;

	(void)arg;
	arena_init(&a, (size_t)4 << 20);
	for (unsigned round = 0; atomic_load(&busy) || round < 2; round++) {
		round = atomic_load(&busy) ? 0 : round;
		for (unsigned lane = 0; lane < CROWD_LANES; lane++)
			for (unsigned i = 0; i < atomic_load(&opened[lane]); i++) {
				answer_one(&a, &crowd[lane][i], 0);
				answer_one(&a, &crowd[lane][i], 1);
				arena_reset(&a);
			}
	}
	arena_done(&a);
	return NULL;
}

static void *end_some(void *arg)
{
	(void)arg;
	for (unsigned i = 0; atomic_load(&busy); i++) {
		questions_cancel(questions, S("nonce"), S("8"));
		questions_tick(questions, i % 64 ? 1 : 1000 + QUESTION_MS);
	}
	return NULL;
}

static void questions_and_answers_cross_on_many_threads(void **state)
{
	pthread_t threads[CROWD_LANES + 4];
	struct crowd_sum sum;

	(void)state;
	crowd_gather();
	for (uintptr_t i = 0; i < CROWD_LANES; i++)
		pthread_create(&threads[i], NULL, open_many, (void *)i);
	pthread_create(&threads[CROWD_LANES], NULL, leave_some, NULL);
	pthread_create(&threads[CROWD_LANES + 1], NULL, answer_many, NULL);
	pthread_create(&threads[CROWD_LANES + 2], NULL, answer_many, NULL);
	pthread_create(&threads[CROWD_LANES + 3], NULL, end_some, NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	questions_free(&questions);
	sum = crowd_disperse();
	assert_true(sum.parked > 0 && sum.replies > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_last_answer_brings_the_call_back_with_all_of_them),
		TEST(only_the_same_principal_and_session_can_answer),
		TEST(an_error_a_second_answer_and_one_too_large_change_nothing_more),
		TEST(there_are_so_many_and_no_more_of_one_principal),
		TEST(what_cannot_be_asked_is_said_and_leaves_nothing),
		TEST(what_expires_ends_with_an_error_of_its_call),
		TEST(a_cancelled_call_is_not_asked_any_more),
		TEST(a_client_that_leaves_takes_its_question_with_it),
		TEST(questions_and_answers_cross_on_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
