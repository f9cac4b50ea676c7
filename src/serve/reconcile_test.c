/* What a process that was killed left open is looked up, recorded and not looked up again; see
 * reconcile.h. */
#include "audit/trouble.h"

#include <signal.h>
#include <sys/wait.h>

#include "plan/change.h"
#include "serve/reconcile.h"

static bool test_key(void *ctx, struct secret *out, struct err *err)
{
	(void)ctx;
	(void)err;
	return secret_set(out, S("0123456789abcdef0123456789abcdef"));
}

static const struct entry correct = {
	.kind = ENTRY_TOOL, .name = STR_INIT("correct_signatory"), .version = 3
};

static struct audit *audit_at(const struct ground *p)
{
	struct audit_config config = {
		.directory = str_c(p->path),
		.origin = S("acme/crm/a"),
		.timeout_ms = 10000,
		.key = test_key,
	};

	return audit_new(&config);
}

static bool intend(struct audit *a, unsigned count)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < count; i++) {
		struct change change = { .live = true };
		struct arena arena;
		struct call c = { .arena = &arena, .entry = &correct, .change = &change };
		struct intent *intent;
		struct str place;
		struct err err;

		arena_init(&arena, 65536);
		id_make(&c.id, clock_wall_us());
		intent = audit_intent(a, &c, &err);
		ok = intent && audit_intent_durable(intent, &place, &err);
		arena_done(&arena);
	}
	return ok;
}

/* A process of its own that means to change something and is killed. */
static void killed_process(const struct ground *p, unsigned intents)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (!intend(audit_at(p), intents))
			_exit(1);
		raise(SIGKILL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* A ledger that has every second change, where it answers. */
struct ledger {
	unsigned asked;
	bool silent;
};

static bool look(void *ctx, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err)
{
	struct ledger *l = ctx;

	assert_true(str_eq(tool, S("correct_signatory@3")));
	assert_true(call->c[0] != 0);
	l->asked++;
	if (l->silent)
		return err_set(err, E_UNAVAILABLE, "source shop does not answer");
	*committed_out = l->asked % 2;
	if (*committed_out)
		*ledger_out = arena_fmt(a, "ld_%u", l->asked);
	return true;
}

/* Runs a reconciliation of its own, as a process that starts does. */
static struct reconciled start_once(const struct ground *p, struct audit *a, struct ledger *l)
{
	struct reconcile *r = reconcile_new(a, str_c(p->path), look, l);
	struct reconciled done;
	struct err err;

	if (!reconcile_run(r, &done, &err))
		fail_msg("%s", err.text);
	reconcile_free(&r);
	return done;
}

static void what_was_left_open_is_closed_once(void **state)
{
	struct ground *p = *state;
	struct ledger l = { 0 };
	struct reconciled done;
	struct audit *a;
	char *log;

	killed_process(p, 3);
	a = audit_at(p);
	done = start_once(p, a, &l);
	assert_int_equal(done.committed, 2);
	assert_int_equal(done.not_committed, 1);
	assert_int_equal(done.unknown, 0);
	done = start_once(p, a, &l);
	assert_int_equal(l.asked, 3);
	assert_int_equal(done.committed, 0);
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"e\":\"RECONCILE\""), 3);
	assert_int_equal(count_of(log, "\"end\":\"committed\",\"ledger\":\"ld_"), 2);
	assert_int_equal(count_of(log, "\"end\":\"not\""), 1);
	assert_has(log, "\"tool\":\"correct_signatory@3\",\"of\":\"acme/crm/a/");
	free(log);
}

static void what_is_unknown_is_said_once_and_asked_again(void **state)
{
	struct ground *p = *state;
	struct ledger l = { .silent = true };
	struct reconcile *r;
	struct reconciled done;
	struct audit *a;
	struct err err;
	char *log;

	killed_process(p, 2);
	a = audit_at(p);
	r = reconcile_new(a, str_c(p->path), look, &l);
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(reconcile_run(r, &done, &err));
		assert_int_equal(done.unknown, 2);
		assert_int_equal(l.asked, 2 * i);
		assert_non_null(strstr(done.why.text, "shop"));
	}
	l.silent = false;
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(done.committed + done.not_committed, 2);
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(l.asked, 8);
	reconcile_free(&r);
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"end\":\"unknown\",\"detail\":\"source shop does not"), 2);
	assert_int_equal(count_of(log, "\"e\":\"RECONCILE\""), 4);
	free(log);
}

static void what_this_process_does_not_know_itself_is_asked_too(void **state)
{
	struct ground *p = *state;
	struct ledger l = { .silent = true };
	struct audit *a = audit_at(p);
	struct reconcile *r = reconcile_new(a, str_c(p->path), look, &l);
	struct change change = {
		.live = true, .end = CHANGE_UNKNOWN, .intent = S("acme/crm/a/01/1")
	};
	struct call c = { .entry = &correct, .change = &change };
	struct reconciled done;
	struct err err;
	char *log;

	id_make(&c.id, clock_wall_us());
	reconcile_note(r, &c);
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(done.unknown, 1);
	l.silent = false;
	l.asked = 0;
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(done.committed, 1);
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(l.asked, 1);
	reconcile_free(&r);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"of\":\"acme/crm/a/01/1\",\"end\":\"committed\"");
	free(log);
}

/* An answer that cannot be recorded is none: the next run asks again. */
static void an_answer_that_is_not_recorded_is_asked_for_again(void **state)
{
	struct ground *p = *state;
	struct ledger l = { 0 };
	struct reconcile *r;
	struct reconciled done;
	struct audit *a;
	struct err err = { 0 };
	char *log;

	killed_process(p, 1);
	a = audit_at(p);
	r = reconcile_new(a, str_c(p->path), look, &l);
	trouble.syncs_that_fail = 1;
	assert_false(reconcile_run(r, &done, &err));
	assert_int_equal(err.code, E_IO);
	assert_true(reconcile_run(r, &done, &err));
	assert_int_equal(l.asked, 2);
	reconcile_free(&r);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"RECONCILE\"");
	free(log);
}

/* Killed at any moment between intents and outcomes: each intent is closed exactly once. */
static void *intend_for_ever(void *arg)
{
	while (intend(arg, 1))
		;
	return NULL;
}

static void kill_at_a_random_moment(const struct ground *p, unsigned us)
{
	uint64_t deadline = clock_mono_ms() + 5000;
	size_t before = count_files(p);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct audit *a = audit_at(p);
		pthread_t threads[4];

		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, intend_for_ever, a);
		pthread_join(threads[0], NULL);
		_exit(1);
	}
	assert_true(pid > 0);
	while (count_files(p) == before && clock_mono_ms() < deadline)
		sched_yield();
	usleep(us); /* chooses the moment; nothing is waited for */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void every_intent_is_closed_after_a_kill_at_any_moment(void **state)
{
	struct ground *p = *state;
	struct ledger l = { 0 };
	size_t intents;
	char *log;

	for (unsigned i = 0; i < 8; i++) {
		struct audit *a;

		kill_at_a_random_moment(p, 500 + i * 1500);
		a = audit_at(p);
		(void)start_once(p, a, &l);
		audit_close(a);
	}
	log = whole_log(p->path);
	intents = count_of(log, "\"e\":\"CALL_INTENT\"");
	assert_true(intents > 0);
	assert_int_equal(count_of(log, "\"e\":\"RECONCILE\""), intents);
	assert_int_equal(l.asked, intents);
	free(log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_left_open_is_closed_once),
		TEST(what_is_unknown_is_said_once_and_asked_again),
		TEST(what_this_process_does_not_know_itself_is_asked_too),
		TEST(an_answer_that_is_not_recorded_is_asked_for_again),
		TEST(every_intent_is_closed_after_a_kill_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
