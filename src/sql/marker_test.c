/* A marker is written once, read by everybody, and never becomes another environment's. */
#include "base/digest.h"
#include "base/test.h"
#include "sql/marker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define TIME S("2026-11-21T00:00:00Z")

static char directory[64], file[96];
static struct arena arena;

static void run_sql(const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/marker-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)8 << 20);
	run_sql("CREATE TABLE t (x)");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	rmdir(directory);
	arena_done(&arena);
	return 0;
}

static bool look(struct marker *out, struct err *err)
{
	struct lite_pool *pool = lite_pool_new(str_c(file), 1, 1);
	struct lite *l = lite_take(pool, 1000, err);
	bool ok;

	assert_non_null(l);
	ok = marker_read(l, &arena, out, err);
	lite_give(l);
	lite_pool_free(&pool);
	return ok;
}

static struct marker marker_of(enum environment e, bool synthetic)
{
	return (struct marker){ .environment = str_c(environment_name(e)),
		.deployment = S("acme/crm"),
		.synthetic = synthetic };
}

static void a_database_without_one_says_so(void **state)
{
	struct marker found = { .found = true };
	struct err err;

	(void)state;
	assert_true(look(&found, &err));
	assert_false(found.found);
	assert_false(marker_is(&found, ENV_DEVELOPMENT));
}

static void what_was_installed_is_read(void **state)
{
	struct marker m = marker_of(ENV_STAGING, true), found;
	struct err err;

	(void)state;
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&found, &err));
	assert_true(found.found && found.synthetic);
	assert_str(found.environment, "staging");
	assert_str(found.deployment, "acme/crm");
	assert_true(marker_is(&found, ENV_STAGING));
	assert_false(marker_is(&found, ENV_PRODUCTION));
	m.synthetic = false;
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&found, &err));
	assert_false(found.synthetic);
}

static void the_marker_of_another_environment_stays(void **state)
{
	struct marker production = marker_of(ENV_PRODUCTION, false);
	struct marker development = marker_of(ENV_DEVELOPMENT, true), found;
	struct err err;

	(void)state;
	assert_true(marker_install(str_c(file), &production, TIME, &err));
	assert_false(marker_install(str_c(file), &development, TIME, &err));
	assert_int_equal(err.code, E_EXISTS);
	assert_true(look(&found, &err));
	assert_str(found.environment, "production");
	assert_false(found.synthetic);
}

static void what_is_no_marker_is_a_failure_and_not_none(void **state)
{
	static const char *const tables[] = {
		"CREATE TABLE postern_marker (x)",
		"CREATE TABLE postern_marker (environment, deployment, synthetic)",
		("CREATE TABLE postern_marker (environment, deployment, synthetic);"
		 "INSERT INTO postern_marker VALUES ('development', 'a', 1), ('production', 'a', "
		 "0)"),
		"CREATE VIEW postern_marker AS SELECT a FROM nowhere",
	};
	struct marker m = marker_of(ENV_DEVELOPMENT, true), found;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		run_sql("DROP TABLE IF EXISTS postern_marker");
		run_sql(tables[i]);
		if (look(&found, &err) || err.code != E_INVALID)
			fail_msg("%s", tables[i]);
		assert_false(marker_install(str_c(file), &m, TIME, &err));
	}
}

static void a_database_keeps_the_identity_it_was_given(void **state)
{
	struct marker m = marker_of(ENV_STAGING, true), first, second;
	struct buf bytes;
	struct err err;

	(void)state;
	buf_in(&bytes, &arena, 64);
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&first, &err));
	assert_true(first.identity.n == 32 && hex_read(first.identity, &bytes));
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&second, &err));
	assert_true(str_eq(first.identity, second.identity));
	run_sql("DROP TABLE postern_marker");
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&second, &err));
	assert_false(str_eq(first.identity, second.identity));
}

static void a_marker_of_before_identities_gets_one(void **state)
{
	struct marker m = marker_of(ENV_STAGING, true), found;
	struct err err;

	(void)state;
	run_sql("CREATE TABLE postern_marker (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), "
		"environment TEXT NOT NULL, deployment TEXT NOT NULL, synthetic INTEGER NOT NULL "
		"CHECK (synthetic IN (0, 1)), installed_at TEXT NOT NULL);"
		"INSERT INTO postern_marker VALUES (1, 'staging', 'acme/crm', 1, 'then')");
	assert_true(look(&found, &err));
	assert_true(found.found);
	assert_int_equal(found.identity.n, 0);
	assert_true(marker_install(str_c(file), &m, TIME, &err));
	assert_true(look(&found, &err));
	assert_int_equal(found.identity.n, 32);
}

static void nothing_is_made_where_there_is_no_database(void **state)
{
	struct marker m = marker_of(ENV_DEVELOPMENT, false);
	struct err err;

	(void)state;
	unlink(file);
	assert_false(marker_install(str_c(file), &m, TIME, &err));
	assert_int_equal(access(file, F_OK), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_database_without_one_says_so),
		T(what_was_installed_is_read),
		T(the_marker_of_another_environment_stays),
		T(what_is_no_marker_is_a_failure_and_not_none),
		T(a_database_keeps_the_identity_it_was_given),
		T(a_marker_of_before_identities_gets_one),
		T(nothing_is_made_where_there_is_no_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
