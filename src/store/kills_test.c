/* Orders are added, listed whole, lifted, kept; a store that cannot be read is never an empty one.
 */
#include "store/kills.h"

#include "base/test.h"
#include "store/drills.h"
#include "store/glass.h"
#include "store/keys.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1790000000000000)

static char directory[64], file[96];
static struct arena arena;
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/kills-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)64 << 20);
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
	arena_done(&arena);
	return 0;
}

static int64_t set(const char *kind, const char *name, int64_t until_us)
{
	struct kill_row row = { .kind = str_c(kind),
		.name = str_c(name),
		.reason = S("leak"),
		.by = S("os:ana"),
		.since_us = NOW,
		.until_us = until_us,
		.drill = until_us != 0 };
	struct err err;
	int64_t id;

	if (!store_kill_set(store, &row, &id, &err))
		fail_msg("%s", err.text);
	return id;
}

static size_t list(int64_t after_us, struct kill_row **rows_out, bool *there_out)
{
	struct err err;
	size_t count;

	if (!store_kill_list(store, &arena, after_us, rows_out, &count, there_out, &err))
		fail_msg("%s", err.text);
	return count;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void looking_makes_no_file(void **state)
{
	struct kill_row *rows;
	bool there = true;
	unsigned count = 1;
	struct err err;

	(void)state;
	assert_int_equal(list(NOW, &rows, &there), 0);
	assert_false(there);
	assert_true(
		store_kill_lift(store, S("tool"), S("x"), S("me"), S("why"), NOW, &count, &err));
	assert_int_equal(count, 0);
	assert_int_equal(access(file, F_OK), -1);
}

static void an_order_is_listed_as_it_was_given(void **state)
{
	struct kill_row *rows;
	bool there = false;

	(void)state;
	assert_int_equal(set("tool", "orders", NOW + 5), 1);
	assert_int_equal(list(NOW, &rows, &there), 1);
	assert_true(there);
	assert_true(rows[0].id == 1 && str_eq(rows[0].kind, S("tool")) &&
		    str_eq(rows[0].name, S("orders")) && str_eq(rows[0].reason, S("leak")) &&
		    str_eq(rows[0].by, S("os:ana")) && rows[0].since_us == NOW &&
		    rows[0].until_us == NOW + 5 && rows[0].drill && !rows[0].lifted_us);
}

static void lifting_takes_all_of_one_name_and_keeps_them_as_history(void **state)
{
	struct kill_row *rows;
	unsigned count = 0;
	struct err err;
	bool there;

	(void)state;
	set("tool", "orders", 0);
	set("tool", "orders", 0);
	set("tool", "other", 0);
	set("source", "orders", 0);
	assert_true(store_kill_lift(
		store, S("tool"), S("orders"), S("os:bo"), S("over"), NOW + 9, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(list(NOW + 9, &rows, &there), 2);
	assert_int_equal(list(NOW, &rows, &there), 4);
	assert_int_equal(rows[0].id, 4); /* those in force first, the latest first */
	assert_int_equal(rows[1].id, 3);
	assert_true(rows[2].id == 2 && rows[2].lifted_us == NOW + 9 &&
		    str_eq(rows[2].lifted_by, S("os:bo")) &&
		    str_eq(rows[2].lift_reason, S("over")));
	assert_true(store_kill_lift(
		store, S("tool"), S("orders"), S("os:bo"), S("again"), NOW + 10, &count, &err));
	assert_int_equal(count, 0);
}

static void one_order_can_be_lifted_alone(void **state)
{
	struct kill_row *rows;
	unsigned count = 0;
	struct err err;
	bool there;

	(void)state;
	set("tool", "orders", 0);
	set("tool", "orders", 0);
	assert_true(store_kill_lift_one(store, 2, S("os:bo"), S("drilled"), NOW + 9, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(list(NOW + 9, &rows, &there), 1);
	assert_int_equal(rows[0].id, 1);
}

static void glass_is_broken_by_two_and_reviewed_by_a_third_who_does_not_gain(void **state)
{
	const struct glass_row asked = { .subject = S("ada"),
		.grant = S("shop.secret"),
		.reason = S("fire"),
		.asked_by = S("bo"),
		.asked_us = NOW,
		.lasts_us = 50 };
	struct glass_row *rows;
	struct err err;
	size_t count;
	int64_t id;

	(void)state;
	assert_true(store_glass_ask(store, &asked, &id, &err));
	assert_false(store_glass_review(store, id, S("cy"), NOW, &err));
	assert_false(store_glass_approve(store, id, S("bo"), NOW, &err));
	assert_false(store_glass_approve(store, id, S("ada"), NOW, &err));
	assert_false(store_glass_approve(store, id + 1, S("cy"), NOW, &err));
	assert_true(store_glass_list(store, &arena, GLASS_IN_FORCE, NOW, &rows, &count, &err));
	assert_int_equal(count, 0);
	assert_true(store_glass_approve(store, id, S("cy"), NOW + 5, &err));
	assert_false(store_glass_approve(store, id, S("di"), NOW + 9, &err));
	assert_true(store_glass_list(store, &arena, GLASS_IN_FORCE, NOW + 54, &rows, &count, &err));
	assert_int_equal(count, 1);
	assert_true(rows->until_us == NOW + 55 && str_eq(rows->approved_by, S("cy")) &&
		    str_eq(rows->grant, S("shop.secret")));
	assert_true(store_glass_list(store, &arena, GLASS_IN_FORCE, NOW + 55, &rows, &count, &err));
	assert_int_equal(count, 0);
	assert_true(store_glass_list(store, &arena, GLASS_TO_REVIEW, 0, &rows, &count, &err));
	assert_int_equal(count, 1);
	assert_false(store_glass_review(store, id, S("ada"), NOW + 60, &err));
	assert_true(store_glass_review(store, id, S("bo"), NOW + 60, &err));
	assert_false(store_glass_review(store, id, S("bo"), NOW + 61, &err));
	assert_true(store_glass_list(store, &arena, GLASS_TO_REVIEW, 0, &rows, &count, &err));
	assert_int_equal(count, 0);
}

static void what_ended_by_itself_is_history_too(void **state)
{
	struct kill_row *rows;
	bool there;

	(void)state;
	set("tool", "orders", NOW + 5);
	assert_int_equal(list(NOW + 4, &rows, &there), 1);
	assert_int_equal(list(NOW + 5, &rows, &there), 0);
}

static void text_without_measure_is_refused(void **state)
{
	static char text[5000];
	struct kill_row row = { .kind = S("tool"), .name = S("x") };
	unsigned count;
	struct err err;
	int64_t id;

	(void)state;
	memset(text, 'x', sizeof text);
	row.reason = str_n(text, sizeof text);
	assert_false(store_kill_set(store, &row, &id, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_false(
		store_kill_lift(store, S("tool"), S("x"), S("me"), row.reason, NOW, &count, &err));
	assert_int_equal(err.code, E_LIMIT);
}

static void a_store_that_is_not_readable_is_an_error(void **state)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{ "PRAGMA user_version = 99", "version 99" },
		{ "DROP TABLE kills", "no such table" },
		{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) "
		  "INSERT INTO kills (kind, name, reason, set_by, since_us, until_us, drill, "
		  "lifted_us, lifted_by, lift_reason) SELECT 'tool', 'x', '', '', 1, 0, 0, 0, '', "
		  "'' FROM n",
			"more than 10000" },
	};
	struct kill_row *rows;
	struct err err;
	size_t count;
	bool there;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tear_down(NULL);
		set_up(NULL);
		set("tool", "x", 0);
		run_sql(cases[i].sql);
		assert_false(store_kill_list(store, &arena, NOW, &rows, &count, &there, &err));
		assert_non_null(strstr(err.text, cases[i].says));
	}
}

/* While it is open: what this process remembers of it must not be what is judged by. */
static void rot_is_seen_while_the_file_is_open(void **state)
{
	struct kill_row *rows;
	struct err err;
	size_t count;
	bool there;
	int fd;

	(void)state;
	set("tool", "x", 0);
	run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(list(NOW, &rows, &there), 1);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	for (off_t at = 0; at < 64 << 10; at += 9)
		assert_int_equal(pwrite(fd, "corrupted", 9, at), 9);
	close(fd);
	assert_false(store_kill_list(store, &arena, NOW, &rows, &count, &there, &err));
	assert_int_equal(err.code, E_INVALID);
}

static void a_store_of_the_first_schema_keeps_its_keys(void **state)
{
	struct key_row key;
	struct kill_row *rows;
	struct err err;
	bool there;

	(void)state;
	run_sql("CREATE TABLE api_keys (id TEXT NOT NULL PRIMARY KEY, hash BLOB NOT NULL,"
		" subject TEXT NOT NULL, kind TEXT NOT NULL, tenant TEXT NOT NULL,"
		" agent TEXT NOT NULL, environment TEXT NOT NULL, label TEXT NOT NULL,"
		" roles TEXT NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"
		" revoked_us INTEGER NOT NULL, used_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"INSERT INTO api_keys VALUES ('k1', zeroblob(32), 'ada', 'human', '', '', "
		"'production', '', 'clerk', 1, 2, 0, 0);"
		"PRAGMA application_id = 1886614642; PRAGMA user_version = 1");
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(list(NOW, &rows, &there), 0);
	assert_true(there);
	assert_true(store_key_get(store, &arena, S("k1"), &key, &err));
	assert_true(str_eq(key.subject, S("ada")) && key.expires_us == 2);
	assert_int_equal(set("tool", "x", 0), 1);
}

static void drills_say_when_a_kind_was_tried_last(void **state)
{
	const struct drill_row drills[] = {
		{ S("tool"), S("os:ana"), NOW, 2, true, 300, 400 },
		{ S("tool"), S("os:ana"), NOW + 5, 2, false, 0, 0 },
		{ S("source"), S("os:ana"), NOW + 9, 1, true, 1, 2 },
	};
	struct drill_row last;
	struct err err;

	(void)state;
	assert_true(store_drill_last(store, &arena, S("tool"), true, &last, &err));
	assert_int_equal(last.at_us, 0);
	for (size_t i = 0; i < ARRAY_LEN(drills); i++)
		assert_true(store_drill_add(store, &drills[i], &err));
	assert_true(store_drill_last(store, &arena, S("tool"), true, &last, &err));
	assert_true(last.at_us == NOW && last.worked && last.instances == 2 &&
		    last.refused_ms == 300 && last.resumed_ms == 400 &&
		    str_eq(last.by, S("os:ana")));
	assert_true(store_drill_last(store, &arena, S("tool"), false, &last, &err));
	assert_true(last.at_us == NOW + 5 && !last.worked);
	assert_true(store_drill_last(store, &arena, S("tenant"), false, &last, &err));
	assert_int_equal(last.at_us, 0);
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(looking_makes_no_file),
		STORE_TEST(an_order_is_listed_as_it_was_given),
		STORE_TEST(lifting_takes_all_of_one_name_and_keeps_them_as_history),
		STORE_TEST(one_order_can_be_lifted_alone),
		STORE_TEST(glass_is_broken_by_two_and_reviewed_by_a_third_who_does_not_gain),
		STORE_TEST(what_ended_by_itself_is_history_too),
		STORE_TEST(text_without_measure_is_refused),
		STORE_TEST(a_store_that_is_not_readable_is_an_error),
		STORE_TEST(rot_is_seen_while_the_file_is_open),
		STORE_TEST(a_store_of_the_first_schema_keeps_its_keys),
		STORE_TEST(drills_say_when_a_kind_was_tried_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
