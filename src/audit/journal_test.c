/* Segments in a row: rotation, doubt, harm; see journal.h. */
#include "audit/trouble.h"

static struct journal open_at(const struct ground *g)
{
	struct journal j;

	journal_init(&j, str_c(g->path), S("a \"quoted\" origin"));
	return j;
}

static bool put(struct journal *j, const char *body, struct err *err)
{
	const struct batch batch = { .bytes = strlen(body), .count = 1 };

	if (!journal_begin(j, &batch, err))
		return false;
	(void)journal_add(j, str_c(body), "");
	return journal_commit(j, err);
}

static void a_full_segment_is_followed_by_the_next(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	uint64_t next = 0;
	struct err err;
	char *log;

	j.segment_bytes = 2000;
	for (int i = 0; i < 100; i++)
		assert_true(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	journal_done(&j);
	assert_true(count_files(g) > 5);
	log = whole_log(g->path);
	for (const char *at = log; (at = strstr(at, "{\"v\":1,\"i\":")) != NULL; at++)
		assert_int_equal(strtoull(at + 11, NULL, 10), next++);
	assert_int_equal(next, 100 + 2 * count_files(g));
	assert_int_equal(count_of(log, "SEGMENT_OPEN"), count_files(g));
	assert_int_equal(count_of(log, "SEGMENT_CLOSE"), count_files(g));
	assert_has(log, "-000001.log\",\"previous_end\":\"closed\"");
	free(log);
}

static void when_there_is_no_room_for_the_next_segment_the_old_one_goes_on(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	struct err err;

	assert_true(put(&j, "\"e\":\"START\"", &err));
	j.segment_bytes = 1;
	trouble.full = true;
	for (int i = 0; i < 100; i++)
		assert_true(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	assert_int_equal(count_files(g), 1);
	trouble.full = false;
	assert_true(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	assert_int_equal(count_files(g), 2);
	journal_done(&j);
}

static void what_closes_the_log_fits_when_the_disk_is_full(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	char body[30000] = "\"e\":\"CALL_OUTCOME\",\"x\":\"";
	unsigned taken = 0;
	struct err err;
	char *log;

	memset(body + strlen(body), 'x', sizeof body - 2 - strlen(body));
	body[sizeof body - 2] = '"';
	assert_true(put(&j, "\"e\":\"START\"", &err));
	trouble.full = true;
	while (put(&j, body, &err))
		taken++;
	assert_int_equal(err.code, E_LIMIT);
	assert_true(taken > 30);
	assert_false(journal_sealed(&j));
	journal_done(&j);
	log = whole_log(g->path);
	assert_int_equal(count_of(log, "\"e\":\"CALL_OUTCOME\""), taken);
	assert_has(log, "\"e\":\"SEGMENT_CLOSE\"");
	free(log);
}

static void a_directory_that_was_moved_takes_no_more_records(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	char away[700];
	struct err err;
	char *log;

	snprintf(away, sizeof away, "%s.away", g->path);
	assert_true(put(&j, "\"e\":\"START\"", &err));
	assert_int_equal(rename(g->path, away), 0);
	for (int i = 0; i < 3; i++)
		assert_false(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	assert_int_equal(mkdir(g->path, 0700), 0); /* another one in its place is not it */
	assert_false(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	assert_false(journal_sealed(&j));
	assert_int_equal(rmdir(g->path), 0);
	assert_int_equal(rename(away, g->path), 0);
	assert_true(put(&j, "\"e\":\"CALL_OUTCOME\",\"x\":1", &err));
	journal_done(&j);
	log = whole_log(g->path);
	assert_int_equal(count_of(log, "\"e\":\"CALL_OUTCOME\""), 1);
	assert_int_equal(count_of(log, "\"reason\":\"directory_moved\""), 1);
	free(log);
}

static void remove_it(const char *path)
{
	unlink(path);
}

static void move_it(const char *path)
{
	char to[700];

	snprintf(to, sizeof to, "%s.1", path);
	rename(path, to);
}

static void link_it(const char *path)
{
	char to[700];

	snprintf(to, sizeof to, "%s.1", path);
	assert_int_equal(link(path, to), 0);
}

static void cut_it(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void grow_it(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void harm_to_a_segment_is_seen_and_told(void **state)
{
	static const struct {
		void (*harm)(const char *path);
		const char *reason;
	} cases[] = {
		{ remove_it, "\"reason\":\"segment_removed\"" },
		{ move_it, "\"reason\":\"segment_moved\"" },
		{ link_it, "\"reason\":\"segment_linked\"" },
		{ cut_it, "\"reason\":\"segment_cut\"" },
		{ grow_it, "\"reason\":\"segment_grown\"" },
	};
	struct ground *g = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct journal j = open_at(g);
		char path[600], text[65536] = { 0 };
		struct err err;
		int fd;

		assert_true(put(&j, "\"e\":\"START\"", &err));
		segment_path(g, 0, path);
		cases[i].harm(path);
		assert_true(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
		assert_int_equal(j.segments, 2);
		fd = openat(j.directory, j.segment.name, O_RDONLY);
		assert_true(read(fd, text, sizeof text - 1) > 0);
		close(fd);
		assert_has(text, cases[i].reason);
		assert_has(text, "\"from\":0,\"to\":1");
		assert_has(text, "\"e\":\"CALL_OUTCOME\"");
		journal_done(&j);
		empty_directory(g->path);
	}
}

/* Every system call that may fail, failing at each place: never a line twice, never a lie. */
static void doubt_is_told_wherever_the_disk_fails(void **state)
{
	struct ground *g = *state;

	for (int n = 0; n < 11; n++) {
		struct journal j = open_at(g);
		unsigned durable = 0, failed = 0;
		struct err err;
		char *log;

		j.segment_bytes = 1000;
		for (int i = 0; i < 12; i++) {
			trouble.syncs_that_fail = i == n;
			if (put(&j, "\"e\":\"CALL_OUTCOME\"", &err))
				durable++;
			else
				failed++;
		}
		trouble.syncs_that_fail = 0;
		journal_done(&j);
		log = whole_log(g->path);
		assert_true(failed <= 1);
		assert_int_equal(count_of(log, "\"e\":\"GAP\""), 1);
		assert_in_range(count_of(log, "\"e\":\"CALL_OUTCOME\""), durable, durable + failed);
		free(log);
		empty_directory(g->path);
	}
}

static void a_notice_is_not_lost_with_the_batch_it_stood_in(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	char path[600], *log;
	struct err err;

	assert_true(put(&j, "\"e\":\"START\"", &err));
	segment_path(g, 0, path);
	cut_it(path);
	trouble.writes_that_fail = 1;
	assert_false(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	assert_true(put(&j, "\"e\":\"CALL_OUTCOME\"", &err));
	journal_done(&j);
	log = whole_log(g->path);
	assert_int_equal(count_of(log, "segment_cut"), 1);
	assert_int_equal(count_of(log, "io_error"), 1);
	free(log);
}

static void a_directory_that_others_can_read_is_refused(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g);
	struct err err;

	chmod(g->path, 0750);
	assert_false(put(&j, "\"e\":\"START\"", &err));
	assert_int_equal(err.code, E_DENIED);
	journal_done(&j);
}

static void a_directory_not_on_a_local_disk_is_refused(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(segment_directory("/proc/self", &err), -1);
	assert_int_equal(segment_directory("/nowhere/at/all", &err), -1);
}

static void a_torn_tail_is_told_by_the_next_boot(void **state)
{
	struct ground *g = *state;
	struct journal j = open_at(g), next;
	char path[600], *log;
	struct err err;
	int fd;

	assert_true(put(&j, "\"e\":\"START\"", &err));
	segment_path(g, 0, path);
	fd = open(path, O_WRONLY);
	assert_int_equal(syscall(SYS_pwrite64, fd, "{\"v\":1,\"i\"", 10, (off_t)j.segment.at), 10);
	close(fd);
	segment_abandon(&j.segment);
	journal_done(&j);
	next = open_at(g);
	assert_true(put(&next, "\"e\":\"START\"", &err));
	journal_done(&next);
	log = whole_log(g->path);
	assert_has(log, "\"previous_end\":\"cut\",\"torn_bytes\":10");
	assert_has(log, "\"o\":\"a \\\"quoted\\\" origin\"");
	free(log);
}

static void names_of_segments_are_read_strictly(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFD-000001.log", true },
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFD-1000001.log", true },
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFD-00001.log", false },
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFD-00000x.log", false },
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFD-000001.log.1", false },
		{ "audit-01M7Z33SBC22/K4HW1S0NW1DFD-000001.log", false },
		{ "audit-01M7Z33SBC222K4HW1S0NW1DFDx000001.log", false },
		{ "audit-.log", false },
		{ "", false },
	};
	struct str boot;
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (segment_name_read(str_c(cases[i].name), &boot, &n) != cases[i].ok)
			fail_msg("%s", cases[i].name);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_full_segment_is_followed_by_the_next),
		TEST(a_directory_that_was_moved_takes_no_more_records),
		TEST(when_there_is_no_room_for_the_next_segment_the_old_one_goes_on),
		TEST(what_closes_the_log_fits_when_the_disk_is_full),
		TEST(harm_to_a_segment_is_seen_and_told),
		TEST(doubt_is_told_wherever_the_disk_fails),
		TEST(a_notice_is_not_lost_with_the_batch_it_stood_in),
		TEST(a_directory_that_others_can_read_is_refused),
		TEST(a_directory_not_on_a_local_disk_is_refused),
		TEST(a_torn_tail_is_told_by_the_next_boot),
		TEST(names_of_segments_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
