#include "base/test.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/postern-file-XXXXXX", P_tmpdir);
	arena_init(&arena, 1 << 20);
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct str command = arena_fmt(&arena, "%s", directory);

	(void)state;
	unlinkat(AT_FDCWD, arena_fmt(&arena, "%.*s/secret", STR_ARG(command)).p, 0);
	unlinkat(AT_FDCWD, arena_fmt(&arena, "%.*s/link", STR_ARG(command)).p, 0);
	unlinkat(AT_FDCWD, arena_fmt(&arena, "%.*s/pipe", STR_ARG(command)).p, 0);
	unlinkat(AT_FDCWD, arena_fmt(&arena, "%.*s/private", STR_ARG(command)).p, AT_REMOVEDIR);
	rmdir(directory);
	arena_done(&arena);
	return 0;
}

static struct str make(const char *name, const char *text, mode_t mode)
{
	struct str path = arena_fmt(&arena, "%s/%s", directory, name);
	FILE *f = fopen(path.p, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path.p, mode);
	return path;
}

static void a_secret_others_can_read_is_refused(void **state)
{
	struct str path = make("secret", "hunter2\n", 0644), out;
	struct err err;

	(void)state;
	assert_false(file_read_secret(&arena, path, 100, &out, &err));
	assert_int_equal(err.code, E_DENIED);
	chmod(path.p, 0600);
	assert_true(file_read_secret(&arena, path, 100, &out, &err));
	assert_str(out, "hunter2");
}

static void a_link_to_a_secret_is_refused(void **state)
{
	struct str path = make("secret", "x", 0600);
	struct str link = arena_fmt(&arena, "%s/link", directory), out;
	struct err err;

	(void)state;
	assert_int_equal(symlink(path.p, link.p), 0);
	assert_false(file_read_secret(&arena, link, 100, &out, &err));
	assert_int_equal(err.code, E_DENIED);
}

static void size_and_kind_are_checked_before_reading(void **state)
{
	struct str path = make("secret", "12345", 0600), out;
	struct str pipe = arena_fmt(&arena, "%s/pipe", directory);
	struct err err;

	(void)state;
	assert_false(file_read(&arena, path, 4, &out, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_true(file_read(&arena, path, 5, &out, &err));
	assert_int_equal(mkfifo(pipe.p, 0600), 0);
	assert_false(file_read(&arena, pipe, 100, &out, &err));
	assert_int_equal(err.code, E_INVALID);
	assert_false(file_read(&arena, S("/nowhere/at/all"), 100, &out, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
}

static void a_private_directory_is_made_and_stays_private(void **state)
{
	struct str path = arena_fmt(&arena, "%s/private", directory);
	struct err err;

	(void)state;
	assert_true(dir_private(&arena, path, &err));
	assert_true(dir_private(&arena, path, &err));
	chmod(path.p, 0755);
	assert_false(dir_private(&arena, path, &err));
	assert_int_equal(err.code, E_DENIED);
}

static void times_are_written_as_rfc_3339(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	clock_write_rfc3339(&b, INT64_C(1795230431402113));
	assert_str(buf_str(&b), "2026-11-21T03:07:11.402113Z");
	buf_clear(&b);
	clock_write_rfc3339(&b, -1);
	assert_str(buf_str(&b), "1969-12-31T23:59:59.999999Z");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_secret_others_can_read_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_link_to_a_secret_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			size_and_kind_are_checked_before_reading, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_private_directory_is_made_and_stays_private, set_up, tear_down),
		cmocka_unit_test(times_are_written_as_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
