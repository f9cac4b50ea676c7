/* Intents of processes that ended, found again; see leftover.h. */
#include "audit/trouble.h"

#include <signal.h>
#include <sys/wait.h>

#include "audit/change_fixture.h"
#include "audit/leftover.h"

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
		.origin = S("acme/crm/\"a\""),
		.timeout_ms = 10000,
		.key = test_key,
	};

	return audit_new(&config);
}

enum ending { NO_OUTCOME, UNKNOWN, DONE };

static bool write_one(struct audit *a, enum ending ending)
{
	struct change change = { .live = true };
	struct arena arena;
	struct call c = { .arena = &arena, .entry = &correct, .change = &change, .end = CALL_DONE };
	struct intent *intent;
	struct str place;
	struct err err;
	bool ok;

	arena_init(&arena, 65536);
	id_make(&c.id, clock_wall_us());
	intent = audit_intent(a, &c, &err);
	ok = intent && audit_intent_durable(intent, &place, &err);
	change.end = ending == UNKNOWN ? CHANGE_UNKNOWN : CHANGE_COMMITTED;
	if (ok && ending != NO_OUTCOME)
		ok = audit_call(a, &c, &err) != NULL;
	arena_done(&arena);
	return ok;
}

/* A process of its own that does these and dies, at once or after closing its log. */
static void process(const struct ground *p, const enum ending *endings, size_t count, bool closes)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct audit *a = audit_at(p);

		for (size_t i = 0; i < count; i++)
			if (!write_one(a, endings[i]))
				_exit(1);
		if (closes)
			audit_close(a);
		else
			raise(SIGKILL);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(closes ? WIFEXITED(status) && !WEXITSTATUS(status) : WIFSIGNALED(status));
}

static struct leftovers find(const struct ground *p, struct arena *a)
{
	struct leftovers found;
	struct err err;

	if (!leftovers_find(a, str_c(p->path), &found, &err))
		fail_msg("%s", err.text);
	assert_int_equal(found.rotten, 0);
	return found;
}

static void what_a_process_left_open_is_found(void **state)
{
	static const struct {
		enum ending endings[4];
		bool closes;
		size_t left;
	} cases[] = {
		{ { DONE, DONE, DONE, DONE }, true, 0 },
		{ { DONE, DONE, DONE, DONE }, false, 0 },
		{ { DONE, NO_OUTCOME, DONE, NO_OUTCOME }, false, 2 },
		{ { DONE, NO_OUTCOME, UNKNOWN, DONE }, true, 2 },
		{ { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, false, 4 },
	};
	struct ground *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct leftovers found;
		struct arena a;

		arena_init(&a, 1 << 20);
		process(p, cases[i].endings, 4, cases[i].closes);
		found = find(p, &a);
		assert_int_equal(found.count, cases[i].left);
		assert_int_equal(found.settled_count, cases[i].left ? 0 : 1);
		for (size_t k = 0; k < found.count; k++) {
			assert_true(str_eq(found.list[k].tool, S("correct_signatory@3")));
			assert_true(str_starts(found.list[k].of, S("acme/crm/\"a\"/")));
			assert_true(str_ends(found.list[k].of, found.list[k].name));
		}
		arena_done(&a);
		empty_directory(p->path);
	}
}

static void a_process_that_lives_is_left_alone(void **state)
{
	struct ground *p = *state;
	struct audit *alive = audit_at(p);
	struct leftovers found;
	struct arena a;

	arena_init(&a, 1 << 20);
	assert_true(write_one(alive, NO_OUTCOME));
	found = find(p, &a);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.alive, 1);
	assert_int_equal(found.settled_count, 0);
	audit_close(alive);
	found = find(p, &a);
	assert_int_equal(found.count, 1);
	arena_done(&a);
}

/* Between the segment it gave up and the next one it holds no segment open, and lives. */
static void a_process_whose_segment_failed_is_alive(void **state)
{
	struct ground *p = *state;
	struct audit *alive = audit_at(p);
	struct leftovers found;
	struct arena a;

	arena_init(&a, 1 << 20);
	assert_true(write_one(alive, NO_OUTCOME));
	trouble.syncs_that_fail = 1;
	assert_false(write_one(alive, NO_OUTCOME));
	found = find(p, &a);
	assert_int_equal(found.alive, 1);
	assert_int_equal(found.count, 0);
	audit_close(alive);
	arena_done(&a);
}

static void what_is_settled_is_not_found_again(void **state)
{
	static const enum ending endings[] = { NO_OUTCOME, NO_OUTCOME };
	struct ground *p = *state;
	struct leftovers found;
	struct arena a;
	struct err err;

	arena_init(&a, 1 << 20);
	process(p, endings, 2, false);
	found = find(p, &a);
	assert_int_equal(found.count, 2);
	assert_true(leftover_settle(str_c(p->path), found.list[0].name, &err));
	found = find(p, &a);
	assert_int_equal(found.count, 1);
	assert_true(leftover_settle(str_c(p->path), found.list[0].name, &err));
	found = find(p, &a);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.settled_count, 1);
	assert_true(leftover_settle(str_c(p->path), found.settled[0], &err));
	found = find(p, &a);
	assert_int_equal(found.settled_count, 0); /* not looked at */
	arena_done(&a);
}

/* Nonsense in the file costs a second look, and hides nothing. */
static void a_torn_file_of_what_is_settled_hides_nothing(void **state)
{
	static const enum ending endings[] = { NO_OUTCOME };
	static const char *const texts[] = { "", "\n\n", "audit\n", "01\n/\n", "\xff\xff\n" };
	struct ground *p = *state;
	struct arena a;
	char name[600];

	arena_init(&a, 1 << 20);
	process(p, endings, 1, false);
	snprintf(name, sizeof name, "%s/settled", p->path);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		FILE *f = fopen(name, "w");

		assert_true(fputs(texts[i], f) >= 0);
		fclose(f);
		assert_int_equal(find(p, &a).count, 1);
	}
	arena_done(&a);
}

/* Segments of one boot: what SEGMENT_CLOSE says of open intents decides where reading begins. */
static void put(struct journal *j, const char *event, char call, const char *more)
{
	struct batch b = { .count = 1 };
	struct err err;
	char body[200];

	snprintf(body, sizeof body,
		"\"e\":\"%s\",\"call\":\"AAAAAAAAAAAAAAAAAAAAAAAAA%c\",\"tool\":\"t@1\"%s", event,
		call, more);
	b.bytes = strlen(body);
	assert_true(journal_begin(j, &b, &err));
	(void)journal_add(j, str_c(body), "");
	assert_true(journal_commit(j, &err));
}

static void open_is(struct journal *j, size_t count, uint64_t from)
{
	j->open_intents = count;
	j->open_from = from;
}

static void reading_begins_at_the_oldest_open_intent(void **state)
{
	struct ground *p = *state;
	struct leftovers found;
	struct journal j;
	struct arena a;
	char first[600];
	int fd;

	arena_init(&a, 1 << 20);
	journal_init(&j, str_c(p->path), S("origin"));
	j.segment_bytes = 1; /* each batch its own segment */
	put(&j, "CALL_INTENT", 'A', ""); /* index 1 */
	open_is(&j, 1, 1);
	put(&j, "CALL_OUTCOME", 'A', ",\"end\":\"committed\"");
	open_is(&j, 0, UINT64_MAX);
	put(&j, "CALL_INTENT", 'B', ""); /* index 7 */
	open_is(&j, 1, 7);
	put(&j, "CALL_INTENT", 'C', "");
	open_is(&j, 2, 7);
	put(&j, "CALL_OUTCOME", 'C', ",\"end\":\"committed\"");
	open_is(&j, 1, 7);
	journal_done(&j);
	found = find(p, &a);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.list[0].call.c[25], 'B');
	/* what is before it is not even read: a rotten line there is not seen */
	segment_path(p, 1, first);
	fd = open(first, O_WRONLY);
	assert_int_equal(pwrite(fd, "#", 1, 0), 1);
	close(fd);
	assert_int_equal(find(p, &a).count, 1);
	/* where the end of the last one is lost, the one before says where to begin */
	segment_path(p, 4, first);
	assert_int_equal(truncate(first, 10), 0);
	found = find(p, &a);
	assert_int_equal(found.count, 2);
	/* and without the first nobody knows whether the process lives */
	segment_path(p, 0, first);
	assert_int_equal(unlink(first), 0);
	found = find(p, &a);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.doubtful, 1);
	arena_done(&a);
}

static void a_directory_that_is_not_there_has_nothing(void **state)
{
	struct leftovers found;
	struct arena a;
	struct err err;

	(void)state;
	arena_init(&a, 65536);
	assert_true(leftovers_find(&a, S("/nonexistent/audit"), &found, &err));
	assert_int_equal(found.count, 0);
	arena_done(&a);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_a_process_left_open_is_found),
		TEST(a_process_that_lives_is_left_alone),
		TEST(a_process_whose_segment_failed_is_alive),
		TEST(what_is_settled_is_not_found_again),
		TEST(a_torn_file_of_what_is_settled_hides_nothing),
		TEST(reading_begins_at_the_oldest_open_intent),
		TEST(a_directory_that_is_not_there_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
