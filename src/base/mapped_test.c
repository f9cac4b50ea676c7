/* Memory of a file that is cut short by somebody else. */
#include "base/mapped.h"
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES ((size_t)4 << 16)

static char path[64];
static int fd;

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/postern-mapped-XXXXXX", P_tmpdir);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, BYTES), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(fd);
	unlink(path);
	return 0;
}

static struct mapped *open_file(void)
{
	struct err err;
	struct mapped *m = mapped_open(fd, BYTES, &err);

	if (!m)
		fail_msg("%s", err.text);
	return m;
}

static void what_is_written_is_in_the_file(void **state)
{
	struct mapped *m = open_file();
	char byte = 0;

	(void)state;
	((char *)mapped_bytes(m))[BYTES - 1] = 'x';
	assert_int_equal(pread(fd, &byte, 1, (off_t)BYTES - 1), 1);
	assert_int_equal(byte, 'x');
	assert_false(mapped_cut(m));
	mapped_close(&m);
	assert_null(m);
}

static void a_file_that_is_cut_short_reads_as_zeros_and_says_so(void **state)
{
	struct mapped *m = open_file();
	volatile char *p = mapped_bytes(m);

	(void)state;
	p[0] = 'a';
	p[BYTES - 1] = 'z';
	assert_int_equal(ftruncate(fd, 1), 0);
	assert_int_equal(p[0], 'a');
	assert_false(mapped_cut(m));
	assert_int_equal(p[BYTES - 1], 0);
	assert_true(mapped_cut(m));
	p[BYTES - 1] = 'y';
	assert_int_equal(p[BYTES - 1], 'y');
	assert_int_equal(ftruncate(fd, BYTES), 0);
	assert_true(mapped_cut(m));
	mapped_close(&m);
}

static void more_than_there_is_room_for_is_an_error(void **state)
{
	struct mapped *all[MAPPED_MOST] = { 0 };
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	while (n < MAPPED_MOST && (all[n] = mapped_open(fd, BYTES, &err)) != NULL)
		n++;
	assert_true(n > 0 && n < MAPPED_MOST); /* one was cut before */
	assert_int_equal(err.code, E_LIMIT);
	while (n)
		mapped_close(&all[--n]);
	all[0] = open_file();
	mapped_close(&all[0]);
}

/* Whoever cannot be helped ends as always. */
static void a_fault_of_somebody_else_still_ends_the_process(void **state)
{
	struct mapped *m = open_file();
	int status = 0;
	pid_t child;

	(void)state;
	child = fork();
	if (!child) {
		const struct rlimit none = { 0 };

		setrlimit(RLIMIT_CORE, &none);
		raise(SIGBUS);
		raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	mapped_close(&m);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_is_written_is_in_the_file),
		T(a_file_that_is_cut_short_reads_as_zeros_and_says_so),
		T(more_than_there_is_room_for_is_an_error),
		T(a_fault_of_somebody_else_still_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
