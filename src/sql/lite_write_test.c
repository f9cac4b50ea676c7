/* What a catalog's statement may do on a connection for writing, and what COMMIT tells. */
#include "sql/write_fixture.h"

#include "base/clock.h"

#include <pthread.h>

static struct lite_stmt *prepare(struct lite *l, unsigned serial, const char *sql)
{
	struct err err;
	struct lite_stmt *s = lite_prepare(l, serial, str_c(sql), &err);

	if (!s)
		fail_msg("%s: %s", sql, err.text);
	return s;
}

static void run_prepared(struct lite *l, unsigned serial, const char *sql)
{
	struct lite_stmt *s = prepare(l, serial, sql);
	struct err err;

	if (lite_step(s, &err) != LITE_DONE)
		fail_msg("%s: %s", sql, err.text);
	lite_end(s);
}

static void a_change_is_there_after_commit_and_not_before(void **state)
{
	struct lite *l = begin();
	struct err err;

	(void)state;
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
	captured(l);
	assert_true(lite_commit(l, &err));
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
	assert_true(lite_begin_write(l, &err));
	run_prepared(l, 1, "DELETE FROM t");
	lite_rollback(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
	assert_true(lite_begin_write(l, &err));
	run_prepared(l, 1, "DELETE FROM t");
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
}

static void nothing_commits_that_nobody_has_looked_at(void **state)
{
	struct lite *l = begin();
	struct err err;

	(void)state;
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	assert_false(lite_commit(l, &err));
	assert_int_equal(err.code, E_CONTRACT);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
}

static void nothing_commits_outside_a_transaction(void **state)
{
	struct lite *l = take();
	struct lite_stmt *s = prepare(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	struct err err;

	(void)state;
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	lite_end(s);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
}

static void what_a_statement_may_not_do_is_refused_at_once(void **state)
{
	static const struct {
		const char *sql;
		enum err_code code;
	} table[] = {
		{ "CREATE TABLE u (x)", E_DENIED },
		{ "CREATE TEMP TABLE u (x)", E_DENIED },
		{ "CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END", E_DENIED },
		{ "CREATE INDEX i ON t (a)", E_DENIED },
		{ "CREATE VIRTUAL TABLE u USING fts5 (x)", E_DENIED },
		{ "ALTER TABLE t ADD COLUMN z", E_DENIED },
		{ "ALTER TABLE t RENAME TO z", E_DENIED },
		{ "DROP TABLE t", E_DENIED },
		{ "DROP TRIGGER keep", E_DENIED },
		{ "ANALYZE", E_DENIED },
		{ "REINDEX", E_DENIED },
		{ "VACUUM", E_DENIED },
		{ "VACUUM INTO '/tmp/postern-no'", E_DENIED },
		{ "ATTACH ':memory:' AS m", E_DENIED },
		{ "DETACH main", E_DENIED },
		{ "PRAGMA user_version = 7", E_DENIED },
		{ "PRAGMA writable_schema = 1", E_DENIED },
		{ "PRAGMA foreign_keys = 0", E_DENIED },
		{ "PRAGMA table_list", E_DENIED },
		{ "SELECT * FROM pragma_table_list", E_DENIED },
		{ "BEGIN", E_DENIED },
		{ "COMMIT", E_DENIED },
		{ "ROLLBACK", E_DENIED },
		{ "SAVEPOINT s", E_DENIED },
		{ "EXPLAIN DELETE FROM t", E_DENIED },
		{ "DELETE FROM t; DELETE FROM t", E_CONTRACT },
		{ "", E_CONTRACT },
		{ "DELETE FROM sqlite_sequence", E_DENIED },
		{ "UPDATE sqlite_sequence SET seq = 7", E_DENIED },
		{ "UPDATE sqlite_master SET sql = ''", E_INVALID },
		{ "DELETE FROM sqlite_schema", E_INVALID },
		{ "INSERT INTO t VALUES (1, load_extension('x'), 'x')", E_DENIED },
		{ "INSERT INTO postern_ledger VALUES (1)", E_DENIED },
		{ "UPDATE Postern_Ledger SET x = 1", E_DENIED },
		{ "DELETE FROM postern_ledger", E_DENIED },
		{ "INSERT INTO t SELECT x, x, x FROM postern_ledger", E_DENIED },
		{ "UPDATE t SET a = (SELECT x FROM behind)", E_DENIED },
		{ "INSERT INTO reaches VALUES (1)", E_DENIED },
		{ "DELETE FROM nowhere", E_INVALID },
		{ "INSERT INTO found_data VALUES (1, 2)", E_INVALID },
	};
	struct err err;

	(void)state;
	run_sql("CREATE TABLE postern_ledger (x); CREATE VIEW behind AS SELECT x FROM "
		"postern_ledger;"
		"CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE reaches (x);"
		"CREATE VIRTUAL TABLE found USING fts5 (b);"
		"CREATE TRIGGER keep AFTER INSERT ON reaches BEGIN DELETE FROM postern_ledger; "
		"END");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct lite *l = begin();

		if (lite_prepare(l, 0, str_c(table[i].sql), &err))
			fail_msg("%s", table[i].sql);
		if (err.code != table[i].code)
			fail_msg("%s: %d %s", table[i].sql, err.code, err.text);
		lite_give(l);
	}
}

/* The authorizer is asked again when SQLite prepares again. */
static void a_statement_stays_within_what_it_touched_at_first(void **state)
{
	struct lite_stmt *s;
	struct lite *l;
	struct err err;

	(void)state;
	run_sql("CREATE TABLE other (id INTEGER PRIMARY KEY, a); CREATE VIEW v AS SELECT a FROM t;"
		"CREATE TABLE copy (a); INSERT INTO t VALUES (1, 2, 'x')");
	l = begin();
	run_prepared(l, 0, "INSERT INTO copy SELECT a FROM v");
	run_prepared(l, 1, "DELETE FROM t WHERE id = 9");
	lite_give(l);
	run_sql("DROP VIEW v; CREATE VIEW v AS SELECT b AS a FROM t");
	l = begin();
	s = prepare(l, 0, "INSERT INTO copy SELECT a FROM v");
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_DENIED);
	lite_give(l);
	run_sql("CREATE TABLE child (t REFERENCES t ON DELETE CASCADE)");
	l = begin();
	assert_null(lite_prepare(l, 1, S("DELETE FROM t WHERE id = 9"), &err));
	assert_int_equal(err.code, E_DENIED);
	assert_str(lite_denied(l), "child");
	lite_give(l);
}

/* A trigger may do with rows what it likes: the capture shows it.  But nothing else, and not to
 * what is postern's. */
static void a_trigger_that_came_later_is_held_to_rows(void **state)
{
	static const struct {
		const char *body, *told;
	} table[] = {
		{ "INSERT INTO other VALUES (new.a)", "insert t: i1 i2 tx\ninsert other: i2" },
		{ "UPDATE t SET a = (SELECT max(id) FROM t)", "insert t: i1 i1 tx" },
		{ "INSERT INTO found (b) VALUES ('x')", NULL },
		{ "DELETE FROM postern_ledger", "" },
		{ "UPDATE sqlite_sequence SET seq = 9", "" },
		{ "SELECT load_extension('x')", "" },
		{ "INSERT INTO other SELECT x FROM postern_ledger", "" },
	};

	(void)state;
	run_sql("CREATE TABLE other (a); CREATE TABLE postern_ledger (x);"
		"INSERT INTO postern_ledger VALUES (1); CREATE VIRTUAL TABLE found USING fts5 (b);"
		"CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO s VALUES (1)");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct lite *l = begin();
		struct lite_stmt *s;
		struct capture_list list;
		enum lite_step step;
		struct err err;
		char sql[256];

		prepare(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
		lite_give(l);
		snprintf(sql, sizeof sql, "CREATE TRIGGER g AFTER INSERT ON t BEGIN %s; END",
			table[i].body);
		run_sql(sql);
		l = begin();
		s = lite_prepare(l, 0, S("INSERT INTO t VALUES (1, 2, 'x')"), &err);
		step = s ? lite_step(s, &err) : LITE_FAILED;
		if (s)
			lite_end(s);
		if ((step == LITE_DONE) != (!table[i].told || *table[i].told))
			fail_msg("%s: %s", table[i].body, step == LITE_DONE ? "done" : err.text);
		if (step == LITE_DONE) {
			list = captured(l);
			if (table[i].told && !str_eq(told(&list), str_c(table[i].told)))
				fail_msg("%s: %.*s", table[i].body, STR_ARG(told(&list)));
		} else {
			assert_int_equal(err.code, E_DENIED);
		}
		lite_give(l);
		run_sql("DROP TRIGGER g");
	}
}

static void a_statement_tells_what_it_returns(void **state)
{
	struct lite *l = begin();
	struct lite_stmt *s = prepare(l, 0, "INSERT INTO t (a) VALUES (7) RETURNING id, a");
	struct lite_facts facts;
	struct str text;
	struct err err;

	(void)state;
	assert_true(lite_facts(s, &write_arena, &facts, &err));
	assert_false(facts.readonly);
	assert_int_equal(facts.column_count, 2);
	assert_int_equal(lite_step(s, &err), LITE_ROW);
	lite_column(s, 0, &write_arena, &text);
	assert_str(text, "1");
	assert_int_equal(lite_step(s, &err), LITE_DONE);
	lite_end(s);
	s = prepare(l, 1, "SELECT a FROM t");
	assert_true(lite_facts(s, &write_arena, &facts, &err));
	assert_true(facts.readonly);
	lite_give(l);
}

static void one_connection_writes_at_a_time(void **state)
{
	struct lite *l = begin();
	struct err err;

	(void)state;
	assert_null(lite_take(write_pool, 1, &err));
	assert_int_equal(err.code, E_BUSY);
	lite_give(l);
}

static void another_writer_is_waited_for_and_then_busy(void **state)
{
	struct lite *l = take();
	struct err err;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(write_file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	lite_limits(l, clock_mono_ms() + 30, NULL, NULL);
	assert_false(lite_begin_write(l, &err));
	assert_true(err.code == E_TIMEOUT || err.code == E_BUSY);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	lite_limits(l, 0, NULL, NULL);
	assert_true(lite_begin_write(l, &err));
	lite_give(l);
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

/* With a journal a reader keeps COMMIT out, for as long as it may take; nobody cancels that. */
static void a_reader_keeps_commit_out_and_nothing_is_there(void **state)
{
	struct lite *l = begin();
	sqlite3_stmt *s = NULL;
	struct err err;
	sqlite3 *db;

	(void)state;
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	assert_int_equal(sqlite3_open(write_file, &db), SQLITE_OK);
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &s, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	lite_limits(l, 0, always, NULL);
	assert_false(lite_commit(l, &err));
	assert_int_equal(err.code, E_BUSY);
	lite_limits(l, 0, NULL, NULL);
	assert_false(lite_is_broken(l));
	sqlite3_finalize(s);
	sqlite3_close(db);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
	assert_true(lite_begin_write(l, &err));
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	assert_true(lite_commit(l, &err));
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
}

static void a_deferred_key_that_nobody_has_is_told_before_commit_and_by_it(void **state)
{
	struct err err;
	struct lite *l;

	(void)state;
	run_sql("CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t "
		"DEFERRABLE INITIALLY DEFERRED)");
	l = begin();
	assert_true(lite_constraints_hold(l));
	run_prepared(l, 0, "INSERT INTO c VALUES (1, 7)");
	assert_false(lite_constraints_hold(l));
	captured(l);
	assert_false(lite_commit(l, &err));
	assert_int_equal(err.code, E_INVALID);
	assert_non_null(strstr(err.text, "FOREIGN KEY"));
	assert_int_equal(ask_sql("SELECT count(*) FROM c"), 0);
	assert_true(lite_begin_write(l, &err));
	run_prepared(l, 0, "INSERT INTO c VALUES (1, 7)");
	run_prepared(l, 1, "INSERT INTO t VALUES (7, 1, 'x')");
	assert_true(lite_constraints_hold(l));
	captured(l);
	assert_true(lite_commit(l, &err));
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM c"), 1);
}

static void a_statement_is_cancelled_and_commit_is_not(void **state)
{
	static const char endless[] = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 "
				      "FROM n) SELECT count(*) FROM n";
	struct lite *l = begin();
	struct lite_stmt *s;
	struct err err;

	(void)state;
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	lite_limits(l, 1, always, NULL);
	assert_true(lite_commit(l, &err));
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
	lite_limits(l, 0, NULL, NULL);
	assert_true(lite_begin_write(l, &err));
	lite_limits(l, 0, always, NULL);
	s = prepare(l, 1, endless);
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_CANCELLED);
	lite_give(l);
}

static void no_file_is_made(void **state)
{
	struct lite_pool *p;
	struct err err;
	char name[128];

	(void)state;
	snprintf(name, sizeof name, "%s/none.db", write_directory);
	p = lite_pool_new_writing(str_c(name), 1);
	assert_null(lite_take(p, 10, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	assert_int_equal(access(name, F_OK), -1);
	lite_pool_free(&p);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct lite_pool *p;
	struct err err;
	char name[128];
	FILE *f;

	(void)state;
	snprintf(name, sizeof name, "%s/text.db", write_directory);
	f = fopen(name, "w");
	for (int i = 0; i < 200; i++)
		fputs("this is no database at all\n", f);
	fclose(f);
	p = lite_pool_new_writing(str_c(name), 1);
	assert_null(lite_take(p, 10, &err));
	assert_int_equal(err.code, E_INVALID);
	lite_pool_free(&p);
	unlink(name);
}

static void a_file_that_was_replaced_is_not_written(void **state)
{
	struct lite *l = begin();
	struct err err;
	char name[128];

	(void)state;
	snprintf(name, sizeof name, "%s/b.db", write_directory);
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	assert_int_equal(rename(write_file, name), 0);
	run_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT)");
	assert_false(lite_commit(l, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
	unlink(name);
	l = begin();
	run_prepared(l, 0, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	assert_true(lite_commit(l, &err));
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
}

struct many {
	unsigned done, busy;
};

/* Takes, writes and commits until it has done its share; the bounded wait may end first. */
static void *write_many(void *ctx)
{
	struct many *m = ctx;

	while (m->done < 20) {
		struct capture_list list;
		struct arena a;
		struct err err;
		struct lite *l = lite_take(write_pool, 5000, &err);
		struct lite_stmt *s;
		bool ok;

		if (!l) {
			m->busy++;
			continue;
		}
		arena_init(&a, (size_t)1 << 20);
		ok = lite_begin_write(l, &err);
		s = ok ? lite_prepare(l, 0, S("INSERT INTO t (a) VALUES (1)"), &err) : NULL;
		ok = s && lite_step(s, &err) == LITE_DONE;
		if (s)
			lite_end(s);
		ok = ok && capture_take(l, &a, 10, 1000, &list, &err) && list.count == 1 &&
		     lite_commit(l, &err);
		m->done += ok;
		lite_give(l);
		arena_done(&a);
	}
	return NULL;
}

static void threads_share_the_connection(void **state)
{
	struct many many[4] = { 0 };
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &many[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 80);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, write_set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_change_is_there_after_commit_and_not_before),
		T(nothing_commits_that_nobody_has_looked_at),
		T(nothing_commits_outside_a_transaction),
		T(what_a_statement_may_not_do_is_refused_at_once),
		T(a_statement_stays_within_what_it_touched_at_first),
		T(a_trigger_that_came_later_is_held_to_rows),
		T(a_statement_tells_what_it_returns),
		T(one_connection_writes_at_a_time),
		T(another_writer_is_waited_for_and_then_busy),
		T(a_reader_keeps_commit_out_and_nothing_is_there),
		T(a_deferred_key_that_nobody_has_is_told_before_commit_and_by_it),
		T(a_statement_is_cancelled_and_commit_is_not),
		T(no_file_is_made),
		T(a_file_that_is_no_database_is_refused),
		T(a_file_that_was_replaced_is_not_written),
		T(threads_share_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
