/* Intents of changes, and the outcomes owed for them; see audit.h. */
#include "audit/trouble.h"

#include "audit/change_fixture.h"

#define TIMEOUT_MS 60

static bool test_key(void *ctx, struct secret *out, struct err *err)
{
	(void)ctx;
	(void)err;
	return secret_set(out, S("0123456789abcdef0123456789abcdef"));
}

static struct audit *audit_at(const struct ground *p, uint32_t timeout_ms)
{
	struct audit_config config = {
		.directory = str_c(p->path),
		.origin = S("acme/crm/development/a"),
		.timeout_ms = timeout_ms,
		.key = test_key,
	};

	return audit_new(&config);
}

static const struct principal anna = { .subject = STR_INIT("anna"),
	.credential = STR_INIT("key_1"),
	.environment = STR_INIT("development") };
static const struct entry correct = {
	.kind = ENTRY_TOOL, .name = STR_INIT("correct_signatory"), .version = 3
};

/* A live call, with a plan that was approved. */
struct writing {
	struct arena arena;
	struct plan plan;
	struct change change;
	struct call call;
};

static void writing_init(struct writing *w)
{
	arena_init(&w->arena, 1 << 20);
	w->plan = fixture_plan();
	w->change = (struct change){ .live = true,
		.plan = &w->plan,
		.approved = &w->plan,
		.idempotency_key = S(CANARY),
		.request = S("please fix the signatory"),
		.reason = S("wrong entity") };
	w->call = (struct call){ .arena = &w->arena,
		.entry = &correct,
		.who = &anna,
		.change = &w->change,
		.end = CALL_DONE };
	id_make(&w->call.id, clock_wall_us());
}

static void writing_done(struct writing *w)
{
	arena_done(&w->arena);
}

static bool read_one(struct audit *a, struct err *err)
{
	struct arena arena;
	struct call c = { .arena = &arena, .entry = &correct, .who = &anna, .end = CALL_DONE };
	bool ok;

	arena_init(&arena, 65536);
	id_make(&c.id, clock_wall_us());
	ok = audit_call(a, &c, err) != NULL;
	arena_done(&arena);
	return ok;
}

static void an_intent_is_durable_before_its_outcome(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct str place = STR_NONE, again = STR_NONE;
	const struct receipt *receipt;
	struct intent *intent;
	struct writing w;
	struct err err;
	const char *at;
	char *log;

	writing_init(&w);
	intent = audit_intent(a, &w.call, &err);
	assert_non_null(intent);
	assert_true(audit_intent_durable(intent, &place, &err));
	assert_true(audit_intent_durable(intent, &again, &err));
	assert_true(str_eq(place, again));
	assert_int_equal(trouble.covered, trouble.written);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"CALL_INTENT\"");
	assert_has_not(log, "\"e\":\"CALL_OUTCOME\"");
	free(log);
	w.change.intent = place;
	w.change.end = CHANGE_COMMITTED;
	w.change.ledger_id = S("ld_1");
	receipt = audit_call(a, &w.call, &err);
	assert_non_null(receipt);
	assert_int_equal(receipt_index(receipt), 2);
	assert_true(str_starts(place, S("acme/crm/development/a/")));
	assert_true(str_ends(place, S("/1")));
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	at = strstr(log, "\"e\":\"CALL_INTENT\"");
	assert_has(at, "\"mode\":\"live\"");
	assert_has(at, "\"plan\":\"pl_0001\",\"pd\":\"sha256:");
	assert_has(at, "\"idem\":\"hmac:k1:");
	at = strstr(log, "\"e\":\"CALL_OUTCOME\"");
	assert_has(at, "\"claimed\":{\"request\":\"please fix the signatory\",\"reason\":\"wrong");
	assert_has(at, "\"end\":\"committed\",\"ledger\":\"ld_1\",\"changed\":3,\"sums\":[");
	assert_has(at, "\"net\":\"-48000\"");
	assert_has(at, "\"effects\":{\"steps\":[");
	assert_has(at, "\"intent\":\"acme/crm/development/a/");
	assert_has(at, "\"e\":\"SEGMENT_CLOSE\",\"first\":0,\"open_intents\":0");
	assert_has_not(log, CANARY);
	free(log);
}

static void a_disk_that_hangs_fails_the_intent_in_time_and_its_outcome_at_once(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, TIMEOUT_MS);
	struct intent *intent;
	struct str place;
	struct writing w;
	struct err err;
	uint64_t start;
	char *log;

	writing_init(&w);
	trouble.hangs = true;
	start = clock_mono_ms();
	intent = audit_intent(a, &w.call, &err);
	assert_non_null(intent);
	assert_true(clock_mono_ms() - start < TIMEOUT_MS); /* queued: nothing is waited for */
	assert_false(audit_intent_durable(intent, &place, &err));
	assert_int_equal(err.code, E_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, TIMEOUT_MS, TIMEOUT_MS + 1000);
	start = clock_mono_ms();
	w.call.end = CALL_FAULT;
	w.call.fault.code = AUDIT_UNAVAILABLE;
	assert_null(audit_call(a, &w.call, &err));
	assert_in_range(clock_mono_ms() - start, 0, TIMEOUT_MS - 1);
	assert_true(audit_healthy(a)); /* nothing was done */
	trouble.hangs = false;
	latch_set(&trouble.released, 1);
	latch_wake(&trouble.released);
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"CALL_INTENT\",\"call\":");
	assert_has(log, "\"late\":true");
	free(log);
}

static void a_failed_sync_fails_the_intent(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct intent *intent;
	struct str place;
	struct writing w;
	struct err err;
	char *log;

	writing_init(&w);
	trouble.syncs_that_fail = 1;
	intent = audit_intent(a, &w.call, &err);
	assert_non_null(intent);
	assert_false(audit_intent_durable(intent, &place, &err));
	assert_int_equal(err.code, E_IO);
	w.call.end = CALL_FAULT;
	w.call.fault.code = AUDIT_UNAVAILABLE;
	assert_non_null(audit_call(a, &w.call, &err)); /* into the next segment */
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"GAP\"");
	assert_has(log, "\"code\":\"AUDIT_UNAVAILABLE\"");
	free(log);
}

static void an_intent_that_was_never_waited_for_leaves_nothing_behind(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct writing dropped, refused;
	struct err err;
	char *log;

	writing_init(&dropped);
	assert_non_null(audit_intent(a, &dropped.call, &err));
	writing_done(&dropped);
	writing_init(&refused);
	assert_non_null(audit_intent(a, &refused.call, &err));
	refused.call.end = CALL_FAULT;
	refused.call.fault.code = PAUSED; /* at the gate: something ran, it is an outcome */
	assert_non_null(audit_call(a, &refused.call, &err));
	writing_done(&refused);
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"e\":\"CALL_INTENT\""), 2);
	assert_int_equal(count_of(log, "\"e\":\"CALL_OUTCOME\""), 1);
	assert_has(log, "\"open_intents\":1,\"open_from\":1");
	free(log);
}

static void an_outcome_nobody_knows_leaves_its_intent_open(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct audit_settled settled = { .tool = S("correct_signatory@3"),
		.of = S("acme/crm/development/a/x/1"),
		.ledger = S("ld_1") };
	struct writing w;
	struct err err;
	struct str place;
	char *log;

	writing_init(&w);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	w.change.end = CHANGE_UNKNOWN;
	w.call.end = CALL_FAULT;
	w.call.fault.code = OUTCOME_UNKNOWN;
	assert_non_null(audit_call(a, &w.call, &err));
	settled.call = w.call.id;
	settled.end = SETTLED_UNKNOWN;
	assert_true(audit_settle(a, &settled, &err));
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"end\":\"unknown\"");
	assert_has(log, "\"open_intents\":1,\"open_from\":1");
	free(log);
	empty_directory(p->path);

	a = audit_at(p, 2000);
	writing_init(&w);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	w.change.end = CHANGE_UNKNOWN;
	assert_non_null(audit_call(a, &w.call, &err));
	settled.call = w.call.id;
	settled.end = SETTLED_COMMITTED;
	assert_true(audit_settle(a, &settled, &err));
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"RECONCILE\",\"call\":");
	assert_has(log, "\"end\":\"committed\",\"ledger\":\"ld_1\"");
	assert_has(log, "\"open_intents\":0");
	free(log);
}

/* On a disk that takes no more, reads fill what is reserved, and the outcome has its room still. */
static void an_outcome_that_is_owed_fits_on_a_full_disk(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct writing w, another;
	struct err err;
	struct str place;
	unsigned events = 0;
	char large[50000];

	writing_init(&w);
	writing_init(&another);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	trouble.full = true;
	for (size_t n = sizeof large; n > 100; n /= 2) {
		snprintf(large, sizeof large, "\"x\":\"%0*d\"", (int)n - 8, 0);
		while (audit_event(a, "START", str_c(large), &err))
			assert_true(++events < 1000);
	}
	while (read_one(a, &err))
		assert_true(++events < 1000);
	assert_int_equal(err.code, E_LIMIT);
	assert_non_null(audit_intent(a, &another.call, &err));
	assert_false(audit_intent_durable(another.change.queued, &place, &err));
	assert_int_equal(err.code, E_LIMIT);
	w.change.end = CHANGE_COMMITTED;
	assert_non_null(audit_call(a, &w.call, &err));
	assert_true(audit_healthy(a));
	writing_done(&w);
	writing_done(&another);
	audit_close(a);
}

static void *commit_one(void *arg)
{
	struct audit *a = arg;
	struct writing w;
	struct err err;
	bool ok;

	writing_init(&w);
	(void)audit_intent(a, &w.call, &err);
	w.change.end = CHANGE_COMMITTED;
	ok = audit_call(a, &w.call, &err) != NULL;
	writing_done(&w);
	return ok ? a : NULL;
}

static void wait_for_a_hanging_sync(void)
{
	uint64_t deadline = clock_mono_ms() + 5000;

	while (!trouble.hanging && clock_mono_ms() < deadline)
		sched_yield();
	assert_int_equal(trouble.hanging, 1);
}

/* P8: the change stands and the log does not say so: nothing more is let in. */
static void an_outcome_that_cannot_be_recorded_shuts_the_log(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, TIMEOUT_MS);
	struct writing w, next;
	struct err err;
	struct str place;
	char *log;

	writing_init(&w);
	writing_init(&next);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	trouble.hangs = true;
	w.change.end = CHANGE_COMMITTED;
	assert_null(audit_call(a, &w.call, &err));
	wait_for_a_hanging_sync();
	assert_false(audit_healthy(a));
	trouble.hangs = false;
	latch_set(&trouble.released, 1);
	latch_wake(&trouble.released);
	assert_false(read_one(a, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	assert_null(audit_intent(a, &next.call, &err));
	assert_false(audit_can_write(a, &err));
	writing_done(&w);
	writing_done(&next);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"SEAL\",\"call\":\"");
	assert_has(log, "\"reason\":\"outcome_unlogged\"");
	free(log);
}

static void the_outcome_of_a_call_that_used_up_its_memory_is_recorded(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct writing w;
	struct err err;
	struct str place;
	jmp_buf out;

	writing_init(&w);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	if (!arena_catch(&w.arena, &out))
		for (;;)
			(void)arena_alloc(&w.arena, 4096);
	arena_uncatch(&w.arena);
	w.change.end = CHANGE_COMMITTED;
	assert_non_null(audit_call(a, &w.call, &err));
	writing_done(&w);
	audit_close(a);
}

static void intents_without_memory_are_refused(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct writing w;
	struct err err;

	writing_init(&w);
	arena_done(&w.arena);
	arena_init(&w.arena, 16);
	(void)arena_alloc(&w.arena, 16);
	assert_null(audit_intent(a, &w.call, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_null(w.change.queued);
	writing_done(&w);
	audit_close(a);
	assert_int_equal(count_files(p), 0);
}

#define WRITERS 16
#define CHANGES 10

static void *commit_many(void *arg)
{
	void *ok = arg;

	for (int i = 0; i < CHANGES && ok; i++)
		ok = commit_one(arg);
	return ok;
}

static void many_changes_leave_no_intent_open(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 10000);
	pthread_t threads[WRITERS];
	char *log;

	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, commit_many, a), 0);
	for (int i = 0; i < WRITERS; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		assert_non_null(ok);
	}
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"e\":\"CALL_INTENT\""), WRITERS * CHANGES);
	assert_int_equal(count_of(log, "\"e\":\"CALL_OUTCOME\""), WRITERS * CHANGES);
	assert_has(log, "\"open_intents\":0");
	free(log);
}

/* A plan whose effects are too large for a line. */
static void make_large(struct writing *w, struct effect *e, struct plan_step *step)
{
	struct cell *row = arena_array(&w->arena, struct cell, FIXTURE_COLUMNS);
	char *large = arena_alloc(&w->arena, 100000);

	memset(large, 'L', 100000);
	memcpy(row, fixture_new, sizeof fixture_new);
	row[1] = (struct cell){ CELL_TEXT, str_n(large, 100000) };
	row[5] = (struct cell){ CELL_TEXT, S(CANARY) };
	*e = (struct effect){ .table = &fixture_table, .operation = EFFECT_INSERT, .after = row };
	*step = (struct plan_step){ .effects = { .list = e, .count = 1 } };
	w->plan.steps = step;
}

static void large_effects_are_beside_the_log_and_read_back(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct plan_step step;
	struct str text;
	struct effect e;
	struct writing w;
	struct err err;
	struct str hex;
	char *log;

	writing_init(&w);
	make_large(&w, &e, &step);
	w.change.live = false;
	assert_non_null(audit_call(a, &w.call, &err));
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"mode\":\"preview\"");
	assert_has(log, "\"effects\":{\"blob\":\"sha256:");
	assert_has_not(log, "LLLLLLLL");
	assert_has_not(log, "blob_lost");
	hex = str_n(strstr(log, "\"blob\":\"sha256:") + 15, 64);
	assert_true(blob_read(&w.arena, str_c(p->path), hex, &text, &err));
	assert_true(text.n > 100000);
	assert_non_null(memmem(text.p, text.n, "LLLLLLLL", 8));
	assert_null(memmem(text.p, text.n, CANARY, strlen(CANARY)));
	free(log);
	writing_done(&w);
}

static void a_blob_that_was_changed_is_not_read(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct plan_step step;
	char name[600];
	struct effect e;
	struct writing w;
	struct err err;
	struct str text;
	char *log;
	int fd;

	writing_init(&w);
	make_large(&w, &e, &step);
	assert_non_null(audit_call(a, &w.call, &err));
	audit_close(a);
	log = whole_log(p->path);
	snprintf(name, sizeof name, "%s/blob/%.64s", p->path,
		strstr(log, "\"blob\":\"sha256:") + 15);
	fd = open(name, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 1), 1);
	close(fd);
	assert_false(blob_read(
		&w.arena, str_c(p->path), str_n(strrchr(name, '/') + 1, 64), &text, &err));
	assert_int_equal(err.code, E_CONTRACT);
	assert_false(blob_read(&w.arena, str_c(p->path), S("../audit-hmac"), &text, &err));
	free(log);
	writing_done(&w);
}

/* Without its effects a preview is not recorded, and not shown; what is committed is recorded
 * without. */
static void a_blob_that_cannot_be_written_is_named_as_lost_only_when_it_must(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct plan_step step;
	struct effect e;
	struct writing w;
	struct err err;
	struct str place;
	char name[600];
	char *log;

	writing_init(&w);
	assert_true(audit_intent_durable(audit_intent(a, &w.call, &err), &place, &err));
	snprintf(name, sizeof name, "%s/blob", p->path);
	close(open(name, O_WRONLY | O_CREAT, 0600)); /* in the way of the directory */
	make_large(&w, &e, &step);
	w.change.end = CHANGE_COMMITTED;
	assert_non_null(audit_call(a, &w.call, &err));
	writing_done(&w);
	writing_init(&w);
	make_large(&w, &e, &step);
	w.change.live = false;
	assert_null(audit_call(a, &w.call, &err));
	assert_true(audit_healthy(a));
	assert_true(read_one(a, &err));
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"blob_lost\":true"), 1);
	assert_has_not(log, "\"mode\":\"preview\"");
	free(log);
}

static void plans_and_decisions_are_recorded(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct sha256 digest = { { 1 } }, shown = { { 2 } };
	const struct audit_decision decision = { .plan = S("pl_0001"),
		.digest = &digest,
		.shown = &shown,
		.kind = DECISION_DECLINED,
		.by = S("berta"),
		.credential = S("key_9"),
		.channel = S("page"),
		.note = S("not without\nthe contract") };
	struct writing w;
	struct err err;
	char *log;

	writing_init(&w);
	assert_true(audit_plan(a, &w.call, &err));
	assert_true(audit_decide(a, &decision, &err));
	writing_done(&w);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"PLAN\",\"call\":");
	assert_has(log, "\"need\":\"other\",\"grant\":\"contracts.approve\",\"expires\":\"2026-");
	assert_has(log, "\"e\":\"APPROVAL\",\"plan\":\"pl_0001\",\"pd\":\"sha256:0100");
	assert_has(log, "\"decision\":\"declined\",\"subj\":\"berta\",\"cred\":\"key_9\"");
	assert_has(log, "\"shown\":\"sha256:0200");
	assert_has(log, "\"note\":\"not without\\nthe contract\"");
	free(log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_intent_is_durable_before_its_outcome),
		TEST(a_disk_that_hangs_fails_the_intent_in_time_and_its_outcome_at_once),
		TEST(a_failed_sync_fails_the_intent),
		TEST(an_intent_that_was_never_waited_for_leaves_nothing_behind),
		TEST(an_outcome_nobody_knows_leaves_its_intent_open),
		TEST(an_outcome_that_is_owed_fits_on_a_full_disk),
		TEST(an_outcome_that_cannot_be_recorded_shuts_the_log),
		TEST(the_outcome_of_a_call_that_used_up_its_memory_is_recorded),
		TEST(intents_without_memory_are_refused),
		TEST(many_changes_leave_no_intent_open),
		TEST(large_effects_are_beside_the_log_and_read_back),
		TEST(a_blob_that_was_changed_is_not_read),
		TEST(a_blob_that_cannot_be_written_is_named_as_lost_only_when_it_must),
		TEST(plans_and_decisions_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
