#include "base/test.h"

#include "base/secret_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[96], next[96];
static struct secret_file *file;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/postern-secret-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/secret", directory);
	snprintf(next, sizeof next, "%s/next", directory);
	file = secret_file_new(str_c(path));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	secret_file_free(&file);
	unlink(path);
	unlink(next);
	rmdir(directory);
	return 0;
}

static void put(const char *to, const char *text, mode_t mode)
{
	FILE *f = fopen(to, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(to, mode);
}

/* What there is at that time; empty: nothing. */
static const char *at(uint64_t mono_ms)
{
	static char text[129];
	struct secret s;
	struct err err;

	memset(text, 0, sizeof text);
	if (secret_file_get(file, mono_ms, &s, &err))
		memcpy(text, s.b, s.n);
	return text;
}

static void a_new_file_is_seen_within_a_second(void **state)
{
	(void)state;
	put(path, "first\n", 0600);
	assert_string_equal(at(0), "first");
	put(next, "second\n", 0600);
	assert_int_equal(rename(next, path), 0);
	assert_string_equal(at(999), "first");
	assert_string_equal(at(1000), "second");
	put(path, "third, in place\n", 0600);
	assert_string_equal(at(2000), "third, in place");
}

static void what_cannot_be_read_is_no_secret(void **state)
{
	(void)state;
	assert_string_equal(at(0), "");
	put(path, "first\n", 0600);
	assert_string_equal(at(1), "first");
	chmod(path, 0644);
	assert_string_equal(at(1001), "");
	chmod(path, 0400);
	assert_string_equal(at(1002), "first");
	put(next, "x", 0600);
	unlink(path);
	assert_int_equal(symlink(next, path), 0);
	assert_string_equal(at(2002), "");
	unlink(path);
	assert_string_equal(at(2003), "");
	put(path, "\n", 0600);
	assert_string_equal(at(2004), "");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(at(2005), "");
	unlink(path);
	put(path, "back", 0600);
	assert_string_equal(at(2006), "back");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_new_file_is_seen_within_a_second),
		T(what_cannot_be_read_is_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
