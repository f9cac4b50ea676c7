/* The log from its callers' side: durable before it answers, or no receipt; see audit.h. */
#include "audit/trouble.h"

#define TIMEOUT_MS 60

static bool test_key(void *ctx, struct secret *out, struct err *err)
{
	(void)ctx;
	(void)err;
	return secret_set(out, S("0123456789abcdef0123456789abcdef"));
}

static bool no_key(void *ctx, struct secret *out, struct err *err)
{
	(void)ctx;
	(void)out;
	return err_set(err, E_DENIED, "the key file cannot be read");
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
	.agent = STR_INIT("desk"),
	.tenant = STR_INIT("t_42"),
	.credential = STR_INIT("key_1"),
	.environment = STR_INIT("development") };
static const struct entry lookup = { .kind = ENTRY_TOOL, .name = STR_INIT("lookup"), .version = 2 };

static struct call call_in(struct arena *a)
{
	struct call c = { .arena = a, .entry = &lookup, .who = &anna, .end = CALL_DONE };

	id_make(&c.id, clock_wall_us());
	c.result_rows = 3;
	return c;
}

static bool record_one(struct audit *a, uint64_t *index_out, struct err *err)
{
	const struct receipt *receipt;
	struct arena arena;
	struct call c;

	arena_init(&arena, 65536);
	c = call_in(&arena);
	receipt = audit_call(a, &c, err);
	if (receipt && index_out)
		*index_out = receipt_index(receipt);
	arena_done(&arena);
	return receipt != NULL;
}

static void nothing_is_on_disk_before_the_first_record(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, TIMEOUT_MS);

	assert_int_equal(count_files(p), 0);
	audit_close(a);
	assert_int_equal(count_files(p), 0);
}

static void a_call_is_durable_when_its_receipt_is_there(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };
	uint64_t index = 0;
	char *log;

	assert_true(record_one(a, &index, &err));
	assert_int_equal(index, 1); /* behind SEGMENT_OPEN */
	assert_int_equal(trouble.covered, trouble.written);
	log = whole_log(p->path);
	assert_has(log, "{\"v\":1,\"i\":0,");
	assert_has(log, "\"e\":\"SEGMENT_OPEN\"");
	assert_has(log, "\"o\":\"acme/crm/development/a\"");
	assert_has(log, "\"e\":\"CALL_OUTCOME\"");
	assert_has(log, "\"tool\":\"lookup@2\"");
	assert_has(log, "\"subj\":\"anna\"");
	free(log);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"e\":\"STOP\"");
	assert_has(log, "\"e\":\"SEGMENT_CLOSE\"");
	free(log);
}

static void a_closed_segment_has_no_unused_space(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err;
	char path[600];
	struct stat st;

	assert_true(audit_event(a, "START", S("\"pid\":1"), &err));
	segment_path(p, 0, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SEGMENT_STEP_BYTES);
	assert_int_equal(st.st_mode & 0777, 0600);
	audit_close(a);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, trouble.written);
}

static void without_a_key_there_is_no_record_and_no_receipt(void **state)
{
	struct ground *p = *state;
	struct audit_config config = {
		.directory = str_c(p->path), .timeout_ms = 2000, .key = no_key
	};
	struct audit *a = audit_new(&config);
	struct err err = { 0 };

	assert_false(record_one(a, NULL, &err));
	assert_non_null(strstr(err.text, "key file"));
	assert_int_equal(count_files(p), 0);
	audit_close(a);
}

static void a_used_up_arena_gives_no_receipt_and_does_not_jump(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };
	struct arena arena;
	struct call c;

	arena_init(&arena, 16);
	(void)arena_alloc(&arena, 16);
	c = call_in(&arena);
	assert_null(audit_call(a, &c, &err));
	assert_int_equal(err.code, E_LIMIT);
	arena_done(&arena);
	audit_close(a);
}

#define WRITERS 16
#define RECORDS 100

struct many {
	struct audit *a;
	pthread_mutex_t lock;
	uint64_t indices[WRITERS * RECORDS];
	size_t acknowledged;
	_Atomic bool broken;
};

static void *append_many(void *arg)
{
	struct many *m = arg;

	for (int i = 0; i < RECORDS; i++) {
		struct err err;
		uint64_t index;

		if (!record_one(m->a, &index, &err)) {
			m->broken = true;
			break;
		}
		pthread_mutex_lock(&m->lock);
		m->indices[m->acknowledged++] = index;
		pthread_mutex_unlock(&m->lock);
	}
	return NULL;
}

static void run_many(struct many *m, void (*meanwhile)(struct many *m, void *ctx), void *ctx)
{
	pthread_t threads[WRITERS];

	pthread_mutex_init(&m->lock, NULL);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_many, m), 0);
	if (meanwhile)
		meanwhile(m, ctx);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_false(m->broken);
}

/* Every line's index is the one before it and one. */
static void assert_gap_free(const char *log, uint64_t count)
{
	uint64_t next = 0;

	for (const char *at = log; (at = strstr(at, "{\"v\":1,\"i\":")) != NULL; at++)
		assert_int_equal(strtoull(at + 11, NULL, 10), next++);
	assert_int_equal(next, count);
}

static void records_of_many_threads_are_gap_free_and_in_order(void **state)
{
	struct ground *p = *state;
	struct many m = { .a = audit_at(p, 10000) };
	char *log;

	run_many(&m, NULL, NULL);
	assert_true(trouble.syncs < WRITERS * RECORDS); /* they share */
	audit_close(m.a);
	log = whole_log(p->path);
	assert_gap_free(log, WRITERS * RECORDS + 3); /* SEGMENT_OPEN, STOP, SEGMENT_CLOSE */
	free(log);
}

/* What a machine that lost its power now would have: the segment up to the last returned sync. */
static void copy_what_is_durable(const struct ground *p, const char *to, uint64_t bytes)
{
	char path[600], name[700];
	char *all = malloc(bytes + 1);
	int in, out;

	segment_path(p, 0, path);
	snprintf(name, sizeof name, "%s/%s", to, strrchr(path, '/') + 1);
	in = open(path, O_RDONLY);
	out = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(pread(in, all, bytes, 0), bytes);
	assert_int_equal(write(out, all, bytes), bytes);
	close(in);
	close(out);
	free(all);
}

static void lose_power_often(struct many *m, void *ctx)
{
	struct ground *p = ctx;
	char to[300];

	snprintf(to, sizeof to, "%s/after", p->path);
	assert_int_equal(mkdir(to, 0700), 0);
	for (int round = 0; round < 20; round++) {
		uint64_t durable;
		size_t acknowledged;
		char *log;

		pthread_mutex_lock(&m->lock);
		acknowledged = m->acknowledged;
		pthread_mutex_unlock(&m->lock);
		durable = trouble.covered;
		if (!durable)
			continue;
		copy_what_is_durable(p, to, durable);
		log = whole_log(to);
		for (size_t i = 0; i < acknowledged; i++) {
			char mark[64];

			snprintf(mark, sizeof mark, "{\"v\":1,\"i\":%llu,",
				(unsigned long long)m->indices[i]);
			assert_has(log, mark);
		}
		free(log);
	}
}

static void what_was_acknowledged_is_there_after_a_loss_of_power(void **state)
{
	struct ground *p = *state;
	struct many m = { .a = audit_at(p, 10000) };

	run_many(&m, lose_power_often, p);
	audit_close(m.a);
}

static void wait_for_a_hanging_sync(void)
{
	uint64_t deadline = clock_mono_ms() + 5000;

	while (!trouble.hanging && clock_mono_ms() < deadline)
		sched_yield();
	assert_int_equal(trouble.hanging, 1);
}

static void release(void)
{
	trouble.hangs = false;
	latch_set(&trouble.released, 1);
	latch_wake(&trouble.released);
}

/* Until calls are answered again. */
static void wait_for_recovery(struct audit *a)
{
	uint64_t deadline = clock_mono_ms() + 5000;
	struct err err;

	while (!record_one(a, NULL, &err))
		assert_true(clock_mono_ms() < deadline);
}

static void a_hung_sync_fails_calls_in_time_and_then_at_once(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, TIMEOUT_MS);
	struct err err = { 0 };
	const char *gap;
	uint64_t start;
	char *log;

	trouble.hangs = true;
	start = clock_mono_ms();
	assert_false(record_one(a, NULL, &err));
	assert_int_equal(err.code, E_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, TIMEOUT_MS, TIMEOUT_MS + 1000);
	wait_for_a_hanging_sync();
	assert_false(record_one(a, NULL, &err)); /* may have come in the last moment to wait in */
	start = clock_mono_ms();
	for (int i = 0; i < 100; i++)
		assert_false(record_one(a, NULL, &err));
	assert_in_range(clock_mono_ms() - start, 0, TIMEOUT_MS - 1);
	assert_true(audit_healthy(a));
	release();
	wait_for_recovery(a);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"code\":\"AUDIT_UNAVAILABLE\",\"of\":1,\"late\":true");
	gap = strstr(log, "\"e\":\"GAP\",\"reason\":\"unavailable\",\"unrecorded\":");
	assert_non_null(gap);
	assert_true(strtoul(strchr(strstr(gap, "unrecorded"), ':') + 1, NULL, 10) >= 100);
	free(log);
}

static void *record_and_forget(void *arg)
{
	struct err err;

	(void)record_one(arg, NULL, &err);
	return NULL;
}

static void a_record_given_up_before_it_is_written_says_so_itself(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, TIMEOUT_MS);
	pthread_t first, second;
	char *log;

	trouble.hangs = true;
	pthread_create(&first, NULL, record_and_forget, a);
	wait_for_a_hanging_sync();
	pthread_create(&second, NULL, record_and_forget, a);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	release();
	wait_for_recovery(a);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, ",\"late\":true,\"crc\"");
	assert_int_equal(count_of(log, "\"of\":1,"), 1);
	free(log);
}

/* Until the writer that was left behind has closed its segment. */
static void wait_for_the_lock(const struct ground *p)
{
	uint64_t deadline = clock_mono_ms() + 5000;
	char path[600];
	int fd;

	segment_path(p, 0, path);
	fd = open(path, O_RDONLY);
	while (flock(fd, LOCK_SH | LOCK_NB) != 0)
		assert_true(clock_mono_ms() < deadline);
	close(fd);
}

static struct audit *left_behind; /* never freed, on purpose */

static void closing_does_not_wait_for_a_disk_that_hangs(void **state)
{
	struct ground *p = *state;
	uint64_t start = clock_mono_ms();
	struct err err;

	left_behind = audit_at(p, TIMEOUT_MS);
	trouble.hangs = true;
	assert_false(record_one(left_behind, NULL, &err));
	audit_close(left_behind);
	assert_in_range(clock_mono_ms() - start, 2 * TIMEOUT_MS, 2 * TIMEOUT_MS + 1000);
	release();
	wait_for_the_lock(p);
}

static void a_failed_sync_is_final_for_its_segment(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };
	uint64_t index;
	char *log;

	assert_true(record_one(a, &index, &err));
	trouble.syncs_that_fail = 1;
	assert_false(record_one(a, NULL, &err));
	assert_int_equal(err.code, E_IO);
	assert_true(audit_healthy(a));
	assert_true(record_one(a, &index, &err));
	assert_int_equal(index, 5); /* 0 1 | 2 in doubt | SEGMENT_OPEN GAP record */
	assert_int_equal(count_files(p), 2);
	audit_close(a);
	log = whole_log(p->path);
	assert_has(log, "\"from\":2,\"to\":2,\"reason\":\"io_error\"");
	free(log);
}

static void a_failed_write_is_final_too(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };

	assert_true(record_one(a, NULL, &err));
	trouble.writes_that_fail = 1;
	assert_false(record_one(a, NULL, &err));
	assert_true(record_one(a, NULL, &err));
	assert_int_equal(count_files(p), 2);
	audit_close(a);
}

static void two_failures_in_a_row_seal_the_log(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };
	unsigned syncs;

	trouble.syncs_that_fail = 2;
	assert_false(record_one(a, NULL, &err));
	assert_true(audit_healthy(a));
	assert_false(record_one(a, NULL, &err));
	assert_false(audit_healthy(a));
	syncs = trouble.syncs;
	assert_false(record_one(a, NULL, &err));
	assert_non_null(strstr(err.text, "sealed"));
	assert_int_equal(trouble.syncs, syncs); /* no further try */
	audit_close(a);
}

static void a_full_disk_refuses_until_there_is_room(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };
	uint64_t index;

	trouble.full = true;
	for (int i = 0; i < 5; i++)
		assert_false(record_one(a, NULL, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_int_equal(count_files(p), 0);
	assert_true(audit_healthy(a));
	trouble.full = false;
	assert_true(record_one(a, &index, &err));
	assert_int_equal(index, 1);
	audit_close(a);
}

static void short_writes_are_completed(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err;

	trouble.writes_are_short = true;
	assert_true(record_one(a, NULL, &err));
	audit_close(a);
	free(whole_log(p->path));
}

static void events_that_are_more_than_a_line_are_refused(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct err err = { 0 };

	assert_false(audit_event(a, "CONFIG", S("\"x\":1,\n\"y\":2"), &err));
	assert_int_equal(err.code, E_INVALID);
	audit_close(a);
	assert_int_equal(count_files(p), 1); /* the log was started: STOP is in it */
}

static struct audit_refusal refusal(const char *event, const char *reason, const char *peer)
{
	return (struct audit_refusal){ .event = event,
		.reason = str_c(reason),
		.peer = str_c(peer),
		.method = S("tools/call"),
		.rpc_id = S("\"a\"") };
}

static void refusals_that_repeat_are_counted(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct audit_refusal bad = refusal("AUTH_FAIL", "unknown_key", "127.0.0.1"),
			     other = refusal("AUTH_FAIL", "expired", "127.0.0.1");
	struct err err;
	char *log;

	for (int i = 0; i < 50; i++)
		assert_true(audit_refuse(a, &bad, &err));
	assert_true(audit_refuse(a, &other, &err));
	audit_close(a);
	log = whole_log(p->path);
	assert_int_equal(count_of(log, "\"reason\":\"unknown_key\""), 2);
	assert_int_equal(count_of(log, "\"reason\":\"expired\""), 1);
	assert_has(log, "\"repeated\":49");
	assert_has(log, "\"rpc\":\"a\",\"method\":\"tools/call\"");
	free(log);
}

static void a_refusal_that_could_not_be_recorded_is_first_again(void **state)
{
	struct ground *p = *state;
	struct audit *a = audit_at(p, 2000);
	struct audit_refusal bad = refusal("DENY", "not_granted", "127.0.0.1");
	struct err err;
	char *log;

	trouble.syncs_that_fail = 1;
	assert_false(audit_refuse(a, &bad, &err));
	assert_true(audit_refuse(a, &bad, &err));
	audit_close(a);
	log = whole_log(p->path);
	assert_has_not(log, "\"repeated\"");
	free(log);
}

static void a_second_boot_names_the_first(void **state)
{
	static const struct {
		const char *end;
		bool close_first;
	} cases[] = { { "\"previous_end\":\"closed\"", true },
		{ "\"previous_end\":\"live\"", false } };
	struct ground *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct audit *first = audit_at(p, 2000), *second = audit_at(p, 2000);
		struct err err;
		char *log;

		assert_true(record_one(first, NULL, &err));
		if (cases[i].close_first)
			audit_close(first);
		assert_true(record_one(second, NULL, &err));
		log = whole_log(p->path);
		assert_has(log, cases[i].end);
		free(log);
		if (!cases[i].close_first)
			audit_close(first);
		audit_close(second);
		empty_directory(p->path);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_on_disk_before_the_first_record),
		TEST(a_call_is_durable_when_its_receipt_is_there),
		TEST(a_closed_segment_has_no_unused_space),
		TEST(without_a_key_there_is_no_record_and_no_receipt),
		TEST(a_used_up_arena_gives_no_receipt_and_does_not_jump),
		TEST(records_of_many_threads_are_gap_free_and_in_order),
		TEST(what_was_acknowledged_is_there_after_a_loss_of_power),
		TEST(a_hung_sync_fails_calls_in_time_and_then_at_once),
		TEST(a_record_given_up_before_it_is_written_says_so_itself),
		TEST(closing_does_not_wait_for_a_disk_that_hangs),
		TEST(a_failed_sync_is_final_for_its_segment),
		TEST(a_failed_write_is_final_too),
		TEST(two_failures_in_a_row_seal_the_log),
		TEST(a_full_disk_refuses_until_there_is_room),
		TEST(short_writes_are_completed),
		TEST(events_that_are_more_than_a_line_are_refused),
		TEST(refusals_that_repeat_are_counted),
		TEST(a_refusal_that_could_not_be_recorded_is_first_again),
		TEST(a_second_boot_names_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
