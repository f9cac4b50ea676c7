#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64], inner[80], keys[96], file[112];

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/keyfile-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(inner, sizeof inner, "%s/state", directory);
	snprintf(keys, sizeof keys, "%s/keys", inner);
	snprintf(file, sizeof file, "%s/seal", keys);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	rmdir(keys);
	rmdir(inner);
	/* fails when anything else was left behind */
	assert_int_equal(rmdir(directory), 0);
	return 0;
}

static void write_file(const char *text, mode_t mode)
{
	int fd;

	mkdir(inner, 0700);
	mkdir(keys, 0700);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void the_first_makes_it_and_the_second_gets_the_same(void **state)
{
	struct secret a = { 0 }, b = { 0 };
	struct stat st;
	struct err err;

	(void)state;
	assert_true(keyfile_get(str_c(keys), S("seal"), &a, &err));
	assert_int_equal(a.n, 32);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(keys, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(keyfile_get(str_c(keys), S("seal"), &b, &err));
	assert_true(str_eq(secret_bytes(&a), secret_bytes(&b)));
}

static void what_is_no_key_is_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		enum err_code code;
	} table[] = {
		{ "", 0600, E_INVALID },
		{ "00", 0600, E_INVALID },
		{ "0000000000000000000000000000000000000000000000000000000000000000", 0640,
			E_DENIED },
		{ "000000000000000000000000000000000000000000000000000000000000000g", 0600,
			E_INVALID },
		{ "0000000000000000000000000000000000000000000000000000000000000000\n\n", 0600,
			E_INVALID },
		{ "0000000000000000000000000000000000000000000000000000000000000000000", 0600,
			E_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct secret key = { 0 };
		struct err err = { 0 };

		write_file(table[i].text, table[i].mode);
		if (keyfile_get(str_c(keys), S("seal"), &key, &err))
			fail_msg("row %zu was taken", i);
		assert_int_equal(err.code, table[i].code);
		assert_int_equal(key.n, 0);
	}
}

static void a_link_is_not_followed(void **state)
{
	struct secret key;
	struct err err = { 0 };
	char target[160];

	(void)state;
	write_file("0000000000000000000000000000000000000000000000000000000000000000", 0600);
	snprintf(target, sizeof target, "%s/target", keys);
	assert_int_equal(rename(file, target), 0);
	assert_int_equal(symlink(target, file), 0);
	assert_false(keyfile_get(str_c(keys), S("seal"), &key, &err));
	assert_int_equal(err.code, E_DENIED);
	unlink(target);
}

static void *get(void *out)
{
	struct err err;

	if (!keyfile_get(str_c(keys), S("seal"), out, &err))
		fprintf(stderr, "%s\n", err.text);
	return NULL;
}

static void all_who_come_at_once_get_one_key(void **state)
{
	struct secret got[8] = { 0 };
	pthread_t threads[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get, &got[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(got[i].n, 32);
		assert_memory_equal(got[i].b, got[0].b, 32);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_first_makes_it_and_the_second_gets_the_same),
		T(what_is_no_key_is_refused),
		T(a_link_is_not_followed),
		T(all_who_come_at_once_get_one_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
