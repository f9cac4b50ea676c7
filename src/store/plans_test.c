/* Plans in the store: who comes first, what the clock says, how many there may be. */
#include "base/test.h"
#include "store/plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)
#define TTL_US (600 * SECOND_US)
#define START_US (INT64_C(1795000000) * SECOND_US)

static char directory[64], file[96];
static struct store *store;
static struct arena arena;
static struct store_moment moment;

static void read_moment(struct store_moment *out)
{
	*out = moment;
}

static struct store *open_store(void)
{
	struct store *s = store_new(str_c(file));

	store_clock_set(s, read_moment);
	return s;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/plans-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)64 << 20);
	moment = (struct store_moment){ S("boot"), 1000000, START_US };
	store = open_store();
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	store_free(&store);
	arena_done(&arena);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	return rmdir(directory);
}

static void pass_time(int64_t us)
{
	moment.boot_ms += (uint64_t)(us / 1000);
	moment.wall_us += us;
}

static struct plan_row row_of(const char *id, const char *subject)
{
	struct plan_row row = { .id = str_c(id),
		.tool = S("refund"),
		.source = S("crm"),
		.subject = str_c(subject),
		.tenant = S("acme"),
		.agent = S("desk"),
		.credential = S("abcdefgh2345"),
		.environment = S("production"),
		.need = S("requester"),
		.body = S("sealed") };

	sha256_of(row.id, &row.digest);
	sha256_of(S("arguments"), &row.arguments);
	sha256_of(S("definition"), &row.definition);
	return row;
}

static enum err_code add_for(struct store *s, struct plan_row row, unsigned most)
{
	struct err err = { 0 };

	return store_plan_add(s, &row, TTL_US, most, &err) ? E_NONE : err.code;
}

static void add(const char *id)
{
	assert_int_equal(add_for(store, row_of(id, "ada"), 100), E_NONE);
}

static struct plan_row get(const char *id)
{
	struct plan_row row;
	struct err err;

	if (!store_plan_get(store, &arena, str_c(id), &row, &err))
		fail_msg("%s", err.text);
	return row;
}

static const struct plan_decision ayes = {
	.yes = true, .by = STR_INIT("ada"), .channel = STR_INIT("page"), .note = STR_INIT("fine")
};
static const struct plan_decision noes = {
	.by = STR_INIT("eve"), .channel = STR_INIT("terminal"), .note = STR_INIT("not so")
};

static enum err_code decide_in(
	struct store *s, const struct plan_row *seen, const struct plan_decision *d)
{
	struct err err = { 0 };

	return store_plan_decide(s, seen, d, &err) ? E_NONE : err.code;
}

static enum err_code decide(const char *id, const struct plan_decision *d)
{
	struct plan_row seen = row_of(id, "ada");

	return decide_in(store, &seen, d);
}

static enum err_code move(const char *id, enum plan_state from, enum plan_state to)
{
	struct err err = { 0 };

	return store_plan_move(store, str_c(id), from, to,
		       to == PLAN_APPLIED ? S("lg_1") : STR_NONE,
		       to == PLAN_VOID ? S("differs") : STR_NONE, &err)
		       ? E_NONE
		       : err.code;
}

static void what_was_added_is_there(void **state)
{
	struct plan_row row = row_of("pl_1", "ada"), got;
	struct err err;
	struct buf body;

	(void)state;
	assert_false(store_plan_get(store, &arena, S("pl_1"), &got, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_int_equal(access(file, F_OK), -1); /* asking makes no file */
	buf_in(&body, &arena, 400000);
	for (int i = 0; i < 300000; i++)
		buf_char(&body, 'b');
	row.body = buf_str(&body);
	row.issuer = S("https://idp.example");
	row.grant = S("approve.refunds");
	assert_true(store_plan_add(store, &row, TTL_US, 5, &err));
	assert_int_equal(row.made_us, START_US);
	assert_int_equal(row.expires_us, START_US + TTL_US);
	got = get("pl_1");
	assert_int_equal(got.state, PLAN_PROPOSED);
	assert_true(str_eq(got.body, row.body));
	assert_str(got.issuer, "https://idp.example");
	assert_str(got.grant, "approve.refunds");
	assert_str(got.tenant, "acme");
	assert_str(got.need, "requester");
	assert_int_equal(got.expires_us, START_US + TTL_US);
	assert_true(sha256_eq(&got.digest, &row.digest));
	assert_true(sha256_eq(&got.arguments, &row.arguments));
	assert_true(sha256_eq(&got.definition, &row.definition));
	assert_false(store_plan_get(store, &arena, S("pl_2"), &got, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
}

static void a_decision_is_made_once(void **state)
{
	struct plan_row got;

	(void)state;
	assert_int_equal(decide("pl_1", &ayes), E_NOT_FOUND);
	add("pl_1");
	add("pl_2");
	assert_int_equal(decide("pl_3", &ayes), E_NOT_FOUND);
	pass_time(SECOND_US);
	assert_int_equal(decide("pl_1", &ayes), E_NONE);
	assert_int_equal(decide("pl_1", &ayes), E_EXISTS);
	assert_int_equal(decide("pl_1", &noes), E_EXISTS);
	assert_int_equal(decide("pl_2", &noes), E_NONE);
	assert_int_equal(decide("pl_2", &ayes), E_EXISTS);
	got = get("pl_1");
	assert_int_equal(got.state, PLAN_APPROVED);
	assert_str(got.decided_by, "ada");
	assert_str(got.channel, "page");
	assert_str(got.note, "fine");
	assert_int_equal(got.decided_us, START_US + SECOND_US);
	assert_int_equal(get("pl_2").state, PLAN_DECLINED);
}

static void only_what_is_drawn_happens(void **state)
{
	enum plan_state state_now;
	struct err err;

	(void)state;
	add("pl_1");
	assert_int_equal(move("pl_1", PLAN_APPROVED, PLAN_APPLIED), E_EXISTS);
	assert_int_equal(decide("pl_1", &ayes), E_NONE);
	assert_int_equal(move("pl_1", PLAN_PROPOSED, PLAN_VOID), E_EXISTS);
	assert_int_equal(move("pl_1", PLAN_APPROVED, PLAN_UNKNOWN), E_NONE);
	assert_int_equal(get("pl_1").state, PLAN_UNKNOWN);
	assert_int_equal(move("pl_1", PLAN_UNKNOWN, PLAN_VOID), E_NONE);
	assert_str(get("pl_1").why, "differs");
	/* the ledger said otherwise */
	assert_int_equal(move("pl_1", PLAN_VOID, PLAN_APPLIED), E_NONE);
	assert_int_equal(move("pl_1", PLAN_VOID, PLAN_APPLIED), E_EXISTS);
	assert_int_equal(get("pl_1").state, PLAN_APPLIED);
	assert_true(store_plan_state(store, S("pl_1"), &state_now, &err));
	assert_int_equal(state_now, PLAN_APPLIED);
	assert_false(store_plan_state(store, S("pl_9"), &state_now, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_str(get("pl_1").ledger_id, "lg_1");
	assert_int_equal(move("pl_9", PLAN_APPROVED, PLAN_VOID), E_NOT_FOUND);
}

static void a_plan_ends_to_the_millisecond(void **state)
{
	(void)state;
	add("pl_1");
	add("pl_2");
	add("pl_3");
	assert_int_equal(decide("pl_2", &ayes), E_NONE);
	pass_time(TTL_US - 1000);
	assert_int_equal(get("pl_1").state, PLAN_PROPOSED);
	assert_int_equal(get("pl_2").state, PLAN_APPROVED);
	assert_int_equal(decide("pl_3", &ayes), E_NONE);
	pass_time(1000);
	assert_int_equal(get("pl_1").state, PLAN_EXPIRED);
	assert_int_equal(get("pl_2").state, PLAN_EXPIRED);
	assert_int_equal(get("pl_3").state, PLAN_EXPIRED);
	assert_int_equal(decide("pl_1", &ayes), E_EXISTS);
	assert_int_equal(decide("pl_1", &noes), E_EXISTS);
	/* what was committed just before is told just after */
	assert_int_equal(move("pl_2", PLAN_APPROVED, PLAN_APPLIED), E_NONE);
	assert_int_equal(get("pl_2").state, PLAN_APPLIED);
}

static void no_clock_that_steps_gives_more_time(void **state)
{
	struct err err;
	int64_t now;

	(void)state;
	add("pl_1");
	assert_int_equal(decide("pl_1", &ayes), E_NONE);
	moment.boot_ms += TTL_US / 1000 - 1;
	moment.wall_us -= 86400 * SECOND_US;
	assert_int_equal(get("pl_1").state, PLAN_APPROVED);
	moment.boot_ms += 1;
	assert_int_equal(get("pl_1").state, PLAN_EXPIRED);
	assert_true(store_now_us(store, &now, &err));
	assert_int_equal(now, START_US + TTL_US);
	/* and the host starts again, a day behind */
	moment = (struct store_moment){ S("next boot"), 5, START_US - 86400 * SECOND_US };
	assert_int_equal(get("pl_1").state, PLAN_EXPIRED);
	assert_true(store_now_us(store, &now, &err));
	assert_int_equal(now, START_US + TTL_US);
	moment.boot_ms += 3000;
	assert_true(store_now_us(store, &now, &err));
	assert_int_equal(now, START_US + TTL_US + 3 * SECOND_US);
}

static void open_plans_of_one_person_are_limited(void **state)
{
	struct plan_row other = row_of("pl_x", "ada");

	(void)state;
	assert_int_equal(add_for(store, row_of("pl_1", "ada"), 2), E_NONE);
	assert_int_equal(add_for(store, row_of("pl_2", "ada"), 2), E_NONE);
	assert_int_equal(add_for(store, row_of("pl_3", "ada"), 2), E_LIMIT);
	assert_int_equal(add_for(store, row_of("pl_3", "bob"), 2), E_NONE);
	other.tenant = S("umbrella");
	assert_int_equal(add_for(store, other, 2), E_NONE);
	/* what is decided or over counts no more */
	assert_int_equal(decide("pl_1", &noes), E_NONE);
	assert_int_equal(add_for(store, row_of("pl_4", "ada"), 2), E_NONE);
	assert_int_equal(add_for(store, row_of("pl_5", "ada"), 2), E_LIMIT);
	pass_time(TTL_US);
	assert_int_equal(add_for(store, row_of("pl_5", "ada"), 2), E_NONE);
}

static void asking_again_finds_the_same_plan(void **state)
{
	struct plan_row like = row_of("pl_1", "ada"), got, foreign;
	struct err err;

	(void)state;
	add("pl_1");
	like.id = S("pl_2");
	assert_int_equal(add_for(store, like, 100), E_EXISTS);
	assert_true(store_plan_find(store, &arena, &like, &got, &err));
	assert_str(got.id, "pl_1");
	assert_int_equal(got.body.n, 0);
	foreign = like;
	foreign.agent = S("another");
	assert_false(store_plan_find(store, &arena, &foreign, &got, &err));
	foreign = like;
	foreign.tenant = S("umbrella");
	assert_false(store_plan_find(store, &arena, &foreign, &got, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_int_equal(decide("pl_1", &ayes), E_NONE);
	assert_true(store_plan_find(store, &arena, &like, &got, &err));
	assert_int_equal(got.state, PLAN_APPROVED);
	assert_int_equal(move("pl_1", PLAN_APPROVED, PLAN_APPLIED), E_NONE);
	assert_false(store_plan_find(store, &arena, &like, &got, &err));
	assert_int_equal(add_for(store, like, 100), E_NONE);
	pass_time(TTL_US);
	assert_false(store_plan_find(store, &arena, &like, &got, &err));
}

static void an_escalated_plan_waits_longer_for_somebody_else(void **state)
{
	struct plan_row seen;
	struct err err;

	(void)state;
	add("pl_1");
	seen = get("pl_1");
	assert_true(store_plan_escalate(store, S("pl_1"), S("other"), S("approve.refunds"),
		S("please look"), 24 * 3600 * SECOND_US, &err));
	assert_false(store_plan_escalate(
		store, S("pl_1"), S("other"), S("approve.refunds"), S("again"), TTL_US, &err));
	assert_int_equal(err.code, E_EXISTS);
	/* what was shown to the requester was to be decided by the requester */
	assert_int_equal(decide_in(store, &seen, &ayes), E_EXISTS);
	pass_time(TTL_US + SECOND_US);
	seen = get("pl_1");
	assert_int_equal(seen.state, PLAN_PROPOSED);
	assert_str(seen.need, "other");
	assert_str(seen.grant, "approve.refunds");
	assert_str(seen.escalation_note, "please look");
	assert_int_equal(seen.escalated_us, START_US);
	assert_int_equal(decide_in(store, &seen, &noes), E_NONE);
	assert_false(store_plan_escalate(
		store, S("pl_1"), S("other"), S("x.y"), S("again"), TTL_US, &err));
}

static enum err_code use_token(struct store *s, const char *id, const char *text)
{
	struct sha256 hmac;
	struct err err = { 0 };

	sha256_of(str_c(text), &hmac);
	return store_plan_use_token(s, str_c(id), &hmac, &err) ? E_NONE : err.code;
}

static void give_token(const char *id)
{
	struct plan_decision d = ayes;
	struct sha256 hmac;

	add(id);
	sha256_of(S("right"), &hmac);
	d.token = &hmac;
	d.token_tries = 5;
	d.token_lasts_us = 300 * SECOND_US;
	assert_int_equal(decide(id, &d), E_NONE);
}

static void a_token_is_used_once_and_guessed_five_times(void **state)
{
	(void)state;
	give_token("pl_1");
	assert_int_equal(get("pl_1").token_tries, 5);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(use_token(store, "pl_1", "wrong"), E_DENIED);
	assert_int_equal(get("pl_1").token_tries, 1);
	assert_int_equal(use_token(store, "pl_1", "right"), E_NONE);
	assert_int_equal(use_token(store, "pl_1", "right"), E_DENIED);
	assert_int_equal(get("pl_1").token_until_us, 0);
	give_token("pl_2");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(use_token(store, "pl_2", "wrong"), E_DENIED);
	assert_int_equal(use_token(store, "pl_2", "right"), E_DENIED);
	assert_int_equal(get("pl_2").token_tries, 0);
	give_token("pl_3");
	pass_time(300 * SECOND_US);
	assert_int_equal(use_token(store, "pl_3", "right"), E_DENIED);
	/* only what is approved has one */
	add("pl_4");
	assert_int_equal(use_token(store, "pl_4", "right"), E_EXISTS);
	assert_int_equal(decide("pl_4", &ayes), E_NONE);
	assert_int_equal(use_token(store, "pl_4", "right"), E_DENIED);
}

static void a_tool_that_changed_voids_its_plans(void **state)
{
	struct plan_row other = row_of("pl_3", "ada");
	struct sha256 definition;
	unsigned count = 9;
	struct err err;

	(void)state;
	sha256_of(S("definition"), &definition);
	assert_true(store_plan_void_tool(store, S("refund"), &definition, &count, &err));
	assert_int_equal(count, 0);
	add("pl_1");
	add("pl_2");
	other.tool = S("ship");
	assert_int_equal(add_for(store, other, 100), E_NONE);
	assert_int_equal(decide("pl_2", &ayes), E_NONE);
	assert_true(store_plan_void_tool(store, S("refund"), &definition, &count, &err));
	assert_int_equal(count, 0);
	sha256_of(S("another"), &definition);
	assert_true(store_plan_void_tool(store, S("refund"), &definition, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(get("pl_1").state, PLAN_VOID);
	assert_str(get("pl_2").why, "tool_changed");
	assert_int_equal(get("pl_3").state, PLAN_PROPOSED);
}

static void lists_are_newest_first_and_bounded(void **state)
{
	struct plan_row *rows;
	struct err err;
	size_t count;

	(void)state;
	assert_true(
		store_plan_list(store, &arena, PLANS_WAITING, STR_NONE, 10, &rows, &count, &err));
	assert_int_equal(count, 0);
	for (int i = 0; i < 5; i++) {
		add(arena_cstr(&arena, arena_fmt(&arena, "pl_%d", i)));
		pass_time(SECOND_US);
	}
	assert_int_equal(add_for(store, row_of("pl_b", "bob"), 5), E_NONE);
	assert_int_equal(decide("pl_3", &noes), E_NONE);
	assert_true(
		store_plan_list(store, &arena, PLANS_WAITING, STR_NONE, 10, &rows, &count, &err));
	assert_int_equal(count, 5);
	assert_str(rows[0].id, "pl_b");
	assert_str(rows[4].id, "pl_0");
	assert_int_equal(rows[0].body.n, 0);
	assert_true(store_plan_list(store, &arena, PLANS_RECENT, S("ada"), 3, &rows, &count, &err));
	assert_int_equal(count, 3);
	assert_str(rows[1].id, "pl_3");
	assert_int_equal(rows[1].state, PLAN_DECLINED);
	pass_time(TTL_US);
	assert_true(
		store_plan_list(store, &arena, PLANS_WAITING, STR_NONE, 10, &rows, &count, &err));
	assert_int_equal(count, 0);
}

static void what_is_too_large_is_refused(void **state)
{
	struct plan_row row = row_of("pl_1", "ada");
	struct plan_decision d = ayes;
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof text);
	row.issuer = str_n(text, sizeof text);
	assert_int_equal(add_for(store, row, 5), E_INVALID);
	add("pl_1");
	d.note = str_n(text, PLAN_NOTE_MAX + 1);
	assert_int_equal(decide("pl_1", &d), E_LIMIT);
	d.note = str_n(text, PLAN_NOTE_MAX);
	assert_int_equal(decide("pl_1", &d), E_NONE);
	assert_int_equal(get("pl_1").note.n, PLAN_NOTE_MAX);
}

/* --- several processes --- */

#define PROCESSES 4
#define ROUNDS 8

static const char *round_id(int round)
{
	return arena_cstr(&arena, arena_fmt(&arena, "pl_%d", round));
}

/* In every round one of all processes is first. */
static int race_of(int (*run)(struct store *s, int who, int round))
{
	pid_t children[PROCESSES];
	int won = 0;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i]) {
			struct store *s = open_store();
			int mine = 0;

			for (int k = 0; k < ROUNDS; k++)
				mine += run(s, i, k);
			_exit(mine);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		won += WEXITSTATUS(status);
	}
	return won;
}

static int race_to_decide(struct store *s, int who, int round)
{
	struct plan_row seen = row_of(round_id(round), "ada");

	return decide_in(s, &seen, who % 2 ? &ayes : &noes) == E_NONE;
}

static int race_to_use(struct store *s, int who, int round)
{
	(void)who;
	return use_token(s, round_id(round), "right") == E_NONE;
}

static int race_to_add(struct store *s, int who, int round)
{
	struct plan_row row =
		row_of(arena_cstr(&arena, arena_fmt(&arena, "pl_%d_%d", who, round)), "ada");

	sha256_of(str_c(round_id(round)), &row.digest);
	return add_for(s, row, 100) == E_NONE;
}

static int race_to_bury(struct store *s, int who, int round)
{
	return add_for(s,
		       row_of(arena_cstr(&arena, arena_fmt(&arena, "pl_%d_%d", who, round)), "ada"),
		       5) == E_NONE;
}

static int race_to_move(struct store *s, int who, int round)
{
	struct err err;

	return store_plan_move(s, str_c(round_id(round)), PLAN_APPROVED,
		who % 2 ? PLAN_APPLIED : PLAN_VOID, STR_NONE, STR_NONE, &err);
}

static void of_racing_processes_one_wins(void **state)
{
	(void)state;
	for (int k = 0; k < ROUNDS; k++)
		add(round_id(k));
	store_free(&store); /* no connection is carried over a fork */
	assert_int_equal(race_of(race_to_decide), ROUNDS);
	store = open_store();
}

static void of_racing_tokens_one_is_taken(void **state)
{
	(void)state;
	for (int k = 0; k < ROUNDS; k++)
		give_token(round_id(k));
	store_free(&store);
	assert_int_equal(race_of(race_to_use), ROUNDS);
	assert_int_equal(race_of(race_to_move), ROUNDS);
	store = open_store();
}

static void racing_processes_make_one_plan_and_no_more_than_allowed(void **state)
{
	(void)state;
	assert_int_equal(race_of(race_to_add), ROUNDS);
	assert_int_equal(race_of(race_to_bury), 0); /* 8 are open: more than 5 */
	pass_time(TTL_US);
	assert_int_equal(race_of(race_to_bury), 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_there),
		TEST(a_decision_is_made_once),
		TEST(only_what_is_drawn_happens),
		TEST(a_plan_ends_to_the_millisecond),
		TEST(no_clock_that_steps_gives_more_time),
		TEST(open_plans_of_one_person_are_limited),
		TEST(asking_again_finds_the_same_plan),
		TEST(an_escalated_plan_waits_longer_for_somebody_else),
		TEST(a_token_is_used_once_and_guessed_five_times),
		TEST(a_tool_that_changed_voids_its_plans),
		TEST(lists_are_newest_first_and_bounded),
		TEST(what_is_too_large_is_refused),
		TEST(of_racing_processes_one_wins),
		TEST(of_racing_tokens_one_is_taken),
		TEST(racing_processes_make_one_plan_and_no_more_than_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
