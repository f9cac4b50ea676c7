#include "store/nonces.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define NOW INT64_C(1790000000000000)
#define SECOND_US INT64_C(1000000)

static char directory[64], file[96];
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/nonces-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	store = store_new(str_c(file));
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	store_free(&store);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	rmdir(directory);
	return 0;
}

static enum err_code take(struct store *s, const char *signer, const char *nonce, int64_t now_us)
{
	struct err err = { 0 };

	return store_nonce_take(
		       s, str_c(signer), str_c(nonce), now_us + 30 * SECOND_US, now_us, &err)
		       ? E_NONE
		       : err.code;
}

static void a_nonce_is_taken_once(void **state)
{
	struct store *other = store_new(str_c(file));

	(void)state;
	assert_int_equal(take(store, "a", "n1", NOW), E_NONE);
	assert_int_equal(take(store, "a", "n1", NOW), E_EXISTS);
	assert_int_equal(take(other, "a", "n1", NOW), E_EXISTS);
	assert_int_equal(take(other, "b", "n1", NOW), E_NONE);
	assert_int_equal(take(store, "b", "n1", NOW), E_EXISTS);
	assert_int_equal(take(store, "a", "n2", NOW), E_NONE);
	store_free(&other);
}

static void a_clock_that_steps_back_brings_nothing_back(void **state)
{
	(void)state;
	assert_int_equal(take(store, "a", "old", NOW), E_NONE);
	assert_int_equal(take(store, "a", "new", NOW + 300 * SECOND_US), E_NONE);
	assert_int_equal(take(store, "a", "old", NOW), E_EXISTS);
	/* long past its time it is forgotten */
	assert_int_equal(take(store, "a", "later", NOW + 3600 * SECOND_US), E_NONE);
	assert_int_equal(take(store, "a", "old", NOW + 3600 * SECOND_US), E_NONE);
}

/* As if the signer had signed that many, in one transaction behind the store's back. */
static void fill(const char *signer, int count)
{
	char sql[256];
	sqlite3 *db;

	snprintf(sql, sizeof sql,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		"INSERT INTO nonces SELECT '%s', 'n' || i, %lld FROM n",
		count, signer, (long long)(NOW + 30 * SECOND_US));
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void one_signer_fills_only_its_own_room(void **state)
{
	(void)state;
	assert_int_equal(take(store, "a", "first", NOW), E_NONE);
	fill("a", NONCES_MAX - 2);
	assert_int_equal(take(store, "a", "last", NOW), E_NONE);
	assert_int_equal(take(store, "a", "one more", NOW), E_LIMIT);
	assert_int_equal(take(store, "b", "one more", NOW), E_NONE);
	assert_int_equal(take(store, "a", "one more", NOW + 31 * SECOND_US), E_NONE);
}

static void *take_the_same(void *taken)
{
	struct store *own = store_new(str_c(file));
	char nonce[32];

	for (int i = 0; i < 8; i++) {
		snprintf(nonce, sizeof nonce, "n%d", i);
		*(int *)taken += take(own, "a", nonce, NOW) == E_NONE;
	}
	store_free(&own);
	return NULL;
}

static void of_many_that_try_one_succeeds(void **state)
{
	pthread_t threads[4];
	int taken[4] = { 0 }, all = 0;

	(void)state;
	assert_int_equal(take(store, "a", "first", NOW), E_NONE);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_the_same, &taken[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], NULL);
		all += taken[i];
	}
	assert_int_equal(all, 8);
}

static void a_store_that_went_is_no_empty_one(void **state)
{
	(void)state;
	assert_int_equal(take(store, "a", "n1", NOW), E_NONE);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(take(store, "a", "n1", NOW), E_UNAVAILABLE);
	assert_int_equal(access(file, F_OK), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_nonce_is_taken_once),
		T(a_clock_that_steps_back_brings_nothing_back),
		T(one_signer_fills_only_its_own_room),
		T(of_many_that_try_one_succeeds),
		T(a_store_that_went_is_no_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
