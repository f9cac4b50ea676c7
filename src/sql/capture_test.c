/* Each way in which SQLite changes rows, and what the capture says of it.  The random test
 * (capture_random_test.c) mixes them. */
#include "sql/write_fixture.h"

/* On a new table t each: `schema` is run outside, `sql` inside a transaction. */
static const struct told_case {
	const char *schema, *sql, *expected;
} cases[] = {
	{ "", "INSERT INTO t VALUES (3, x'00ff', NULL)", "insert t: i3 b\\00\\ff n" },
	{ "INSERT INTO t VALUES (1, 2, 'x'), (2, 3, 'y')", "UPDATE t SET a = 9 WHERE id = 1",
		"update t: i1 i2 tx -> i1 i9 tx" },
	{ "INSERT INTO t VALUES (1, 2, 'x')", "UPDATE t SET a = 2, b = 'x'", "" },
	{ "INSERT INTO t VALUES (1, 2, 'x'), (2, 3, 'y')", "DELETE FROM t",
		"delete t: i1 i2 tx\ndelete t: i2 i3 ty" },
	{ "INSERT INTO t VALUES (1, 2, 'x')", "UPDATE t SET id = 7",
		"delete t: i1 i2 tx\ninsert t: i7 i2 tx" },
	/* values keep their type and every digit */
	{ "", "INSERT INTO t VALUES (9223372036854775807, 9007199254740993, '1')",
		"insert t: i9223372036854775807 i9007199254740993 t1" },
	{ "INSERT INTO t VALUES (1, 1, 'x')", "UPDATE t SET a = 1.0",
		"update t: i1 i1 tx -> i1 r1.0 tx" },
	{ "INSERT INTO t VALUES (1, '1', 'x')", "UPDATE t SET a = 1",
		"update t: i1 t1 tx -> i1 i1 tx" },
	{ "INSERT INTO t VALUES (1, NULL, '')", "UPDATE t SET a = '', b = NULL",
		"update t: i1 n t -> i1 t n" },
	{ "INSERT INTO t VALUES (1, 'a', 'x')", "UPDATE t SET a = CAST(a AS BLOB)",
		"update t: i1 ta tx -> i1 ba tx" },
	{ "INSERT INTO t VALUES (1, 0.0, 'x')", "UPDATE t SET a = -0.0",
		"update t: i1 r0.0 tx -> i1 r-0.0 tx" },
	{ "", "INSERT INTO t VALUES (1, 9e999 - 9e999, 0.1)", "insert t: i1 n t0.1" },
	{ "", "INSERT INTO t VALUES (1, 0.1 + 0.2, CAST(x'610062ff' AS TEXT))",
		"insert t: i1 r0.30000000000000004 ta\\00b\\ff" },
	/* a number in a REAL column is one also where SQLite stores an integer */
	{ "CREATE TABLE r (id INTEGER PRIMARY KEY, n REAL)", "INSERT INTO r VALUES (1, 5)",
		"insert r: i1 r5.0" },
	/* columns of later, whose values stand in no row yet */
	{ "INSERT INTO t VALUES (1, 2, 'x'); ALTER TABLE t ADD COLUMN c REAL DEFAULT 5; "
	  "ALTER TABLE t ADD COLUMN d DEFAULT 'y'; ALTER TABLE t ADD COLUMN e AS (a + 1)",
		"UPDATE t SET a = 3", "update t: i1 i2 tx r5.0 ty i3 -> i1 i3 tx r5.0 ty i4" },
	/* generated columns, wherever they stand */
	{ "CREATE TABLE g (v AS (a * 2), id INTEGER PRIMARY KEY, s TEXT AS (b || '!') STORED, "
	  "a REAL, b TEXT); INSERT INTO g (id, a, b) VALUES (1, 2, 'x')",
		"UPDATE g SET b = 'y', a = 3",
		"update g: r4.0 i1 tx! r2.0 tx -> r6.0 i1 ty! r3.0 ty" },
	{ "CREATE TABLE g (k TEXT PRIMARY KEY, a, v AS (a * 2)) WITHOUT ROWID; "
	  "INSERT INTO g VALUES ('k', 1)",
		"UPDATE g SET a = 2", "update g: tk i1 i2 -> tk i2 i4" },
	/* keys */
	{ "CREATE TABLE k (id TEXT PRIMARY KEY, a); INSERT INTO k VALUES ('x', 1), ('y', 2)",
		"INSERT OR REPLACE INTO k VALUES ('x', 9)", "update k: tx i1 -> tx i9" },
	{ "CREATE TABLE k (id TEXT PRIMARY KEY, a); INSERT INTO k VALUES ('x', 1), ('y', 2)",
		"UPDATE k SET id = 'z' WHERE id = 'x'", "delete k: tx i1\ninsert k: tz i1" },
	{ "CREATE TABLE k (id TEXT PRIMARY KEY, a); INSERT INTO k VALUES (NULL, 1), (NULL, 2)",
		"UPDATE k SET a = a + 10", "update k: n i1 -> n i11\nupdate k: n i2 -> n i12" },
	{ "CREATE TABLE k (a, b, c, PRIMARY KEY (b, a)) WITHOUT ROWID; "
	  "INSERT INTO k VALUES (1, 'x', 1), (1, 'y', 2)",
		"UPDATE k SET c = 5 WHERE b = 'y'", "update k: i1 ty i2 -> i1 ty i5" },
	{ "CREATE TABLE k (a TEXT COLLATE NOCASE PRIMARY KEY, b) WITHOUT ROWID; "
	  "INSERT INTO k VALUES ('a', 1)",
		"UPDATE k SET a = 'A'", "delete k: ta i1\ninsert k: tA i1" },
	{ "CREATE TABLE k (a REAL PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO k VALUES (5, 1)",
		"UPDATE k SET b = 2", "update k: r5.0 i1 -> r5.0 i2" },
	{ "CREATE TABLE k (a INTEGER PRIMARY KEY DESC, b); INSERT INTO k VALUES (5, 1)",
		"UPDATE k SET b = 2", "update k: i5 i1 -> i5 i2" },
	{ "CREATE TABLE bag (x); INSERT INTO bag VALUES (1), (1)", "UPDATE bag SET x = 2",
		"update bag: i1 -> i2\nupdate bag: i1 -> i2" },
	{ "CREATE TABLE n (rowid, _rowid_); INSERT INTO n VALUES (1, 2)", "UPDATE n SET rowid = 3",
		"update n: i1 i2 -> i3 i2" },
	{ "CREATE TABLE n (rowid, _rowid_, oid INTEGER PRIMARY KEY); INSERT INTO n VALUES (1, 2, "
	  "3)",
		"UPDATE n SET rowid = 3", "update n: i1 i2 i3 -> i3 i2 i3" },
	{ "CREATE TABLE \"q\"\"q\" (\"a\"\"b\" INTEGER PRIMARY KEY, \"select\")",
		"INSERT INTO \"q\"\"q\" VALUES (1, 2)", "insert q\"q: i1 i2" },
	/* a row of another key is pushed out */
	{ "CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO u VALUES (1, 1), (2, 2)",
		"UPDATE OR REPLACE u SET a = 2 WHERE id = 1",
		"delete u: i2 i2\nupdate u: i1 i1 -> i1 i2" },
	{ "CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO u VALUES (1, 1), (2, 2)",
		"INSERT OR IGNORE INTO u VALUES (3, 1), (4, 4)", "insert u: i4 i4" },
	{ "CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO u VALUES (1, 1)",
		"INSERT INTO u VALUES (9, 1) ON CONFLICT (a) DO UPDATE SET a = 7",
		"update u: i1 i1 -> i1 i7" },
	/* rows that another table holds the key of */
	{ "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, "
	  "p REFERENCES p ON DELETE CASCADE); CREATE TABLE d (id INTEGER PRIMARY KEY, "
	  "p REFERENCES p ON DELETE SET NULL); INSERT INTO p VALUES (1); "
	  "INSERT INTO c VALUES (1, 1), (2, NULL); INSERT INTO d VALUES (1, 1)",
		"DELETE FROM p", "delete p: i1\nupdate d: i1 i1 -> i1 n\ndelete c: i1 i1" },
	/* triggers */
	{ "CREATE TABLE log (what); CREATE TRIGGER g AFTER UPDATE ON t BEGIN "
	  "INSERT INTO log VALUES (old.a || '>' || new.a); END; INSERT INTO t VALUES (1, 2, 'x')",
		"UPDATE t SET a = 3", "update t: i1 i2 tx -> i1 i3 tx\ninsert log: t2>3" },
	{ "CREATE TABLE log (what); INSERT INTO log VALUES (1), (2); CREATE TRIGGER g AFTER INSERT "
	  "ON t BEGIN DELETE FROM log; END",
		"INSERT INTO t VALUES (1, 2, 'x')",
		"insert t: i1 i2 tx\ndelete log: i1\ndelete log: i2" },
	{ "CREATE TRIGGER g BEFORE DELETE ON t WHEN old.a = 2 BEGIN SELECT RAISE(IGNORE); END; "
	  "INSERT INTO t VALUES (1, 2, 'x'), (2, 3, 'y')",
		"DELETE FROM t", "delete t: i2 i3 ty" },
	{ "CREATE VIEW v AS SELECT id, a FROM t; CREATE TRIGGER g INSTEAD OF UPDATE ON v BEGIN "
	  "UPDATE t SET a = new.a + 1 WHERE id = old.id; END; INSERT INTO t VALUES (1, 2, 'x')",
		"UPDATE v SET a = 8", "update t: i1 i2 tx -> i1 i9 tx" },
	/* deleted rows fire triggers also where REPLACE deletes them */
	{ "CREATE TABLE log (what); CREATE TRIGGER g AFTER DELETE ON t BEGIN INSERT INTO log "
	  "VALUES "
	  "(old.a); END; INSERT INTO t VALUES (1, 2, 'x')",
		"INSERT OR REPLACE INTO t VALUES (1, 3, 'x')",
		"update t: i1 i2 tx -> i1 i3 tx\ninsert log: i2" },
	/* what was undone is nothing */
	{ "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = new.id; END",
		"INSERT INTO t VALUES (1, 2, 'x')", "" },
	{ "CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
		"INSERT INTO s (a) VALUES (1)", "insert s: i1 i1" },
	/* whole tables */
	{ "CREATE TABLE w (k TEXT PRIMARY KEY, a) WITHOUT ROWID; "
	  "CREATE TABLE x (k TEXT PRIMARY KEY, a) WITHOUT ROWID; INSERT INTO x VALUES ('k', 1)",
		"INSERT INTO w SELECT * FROM x", "insert w: tk i1" },
	{ "CREATE TABLE w (id INTEGER PRIMARY KEY, a, b TEXT); INSERT INTO w VALUES (4, 1, 2)",
		"INSERT INTO t SELECT * FROM w", "insert t: i4 i1 t2" },
};

static void every_way_to_change_a_row_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct capture_list list;
		struct lite *l;

		write_set_up(state);
		run_sql(cases[i].schema);
		l = begin();
		own(l, cases[i].sql);
		list = captured(l);
		if (!str_eq(told(&list), str_c(cases[i].expected)))
			fail_msg("%s\n%s\ngot\n%.*s\nexpected\n%s", cases[i].schema, cases[i].sql,
				STR_ARG(told(&list)), cases[i].expected);
		lite_give(l);
		write_tear_down(state);
	}
}

static void a_database_in_utf_16_is_told_in_utf_8(void **state)
{
	struct capture_list list;
	struct lite *l;
	struct err err;

	(void)state;
	unlink(write_file);
	run_sql("PRAGMA encoding = 'UTF-16le'; CREATE TABLE w (k TEXT PRIMARY KEY, v TEXT) "
		"WITHOUT ROWID; INSERT INTO w VALUES ('\xc3\xa4', '\xf0\x9f\x90\xb4')");
	l = begin();
	own(l, "UPDATE w SET v = 'x'");
	own(l, "INSERT INTO w VALUES ('\xf0\x9f\x90\xb4', '')");
	list = captured(l);
	assert_str(told(&list), "update w: t\\c3\\a4 t\\f0\\9f\\90\\b4 -> t\\c3\\a4 tx\n"
				"insert w: t\\f0\\9f\\90\\b4 t");
	/* half a character has no UTF-8: its row is not found by what was told, and so refused */
	own(l, "INSERT INTO w VALUES (CAST(x'00d8' AS TEXT), '')");
	assert_false(capture_take(l, &write_arena, 10, 1000, &list, &err));
	assert_int_equal(err.code, E_CONTRACT);
	lite_give(l);
}

static void changes_of_one_row_are_folded(void **state)
{
	struct lite *l = begin();
	struct capture_list list;

	(void)state;
	own(l, "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')");
	own(l, "UPDATE t SET a = 7 WHERE id = 1");
	own(l, "DELETE FROM t WHERE id = 2");
	list = captured(l);
	assert_str(told(&list), "insert t: i1 i7 tx\ninsert t: i3 i3 tz");
	lite_give(l);
}

static void each_take_tells_what_came_since_the_last(void **state)
{
	struct capture_list list;
	struct lite *l;

	(void)state;
	run_sql("INSERT INTO t VALUES (1, 1, 'x')");
	l = begin();
	own(l, "UPDATE t SET a = 2");
	list = captured(l);
	assert_str(told(&list), "update t: i1 i1 tx -> i1 i2 tx");
	own(l, "UPDATE t SET a = 3");
	own(l, "INSERT INTO t VALUES (2, 1, 'y')");
	list = captured(l);
	assert_str(told(&list), "update t: i1 i2 tx -> i1 i3 tx\ninsert t: i2 i1 ty");
	own(l, "DELETE FROM t");
	list = captured(l);
	assert_str(told(&list), "delete t: i1 i3 tx\ndelete t: i2 i1 ty");
	own(l, "INSERT INTO t VALUES (1, 3, 'x')");
	list = captured(l);
	assert_str(told(&list), "insert t: i1 i3 tx");
	list = captured(l);
	assert_int_equal(list.count, 0);
	lite_give(l);
}

static void a_change_knows_the_statement_that_came_first(void **state)
{
	struct capture_list list;
	struct lite *l;

	(void)state;
	run_sql("INSERT INTO t VALUES (1, 1, 'x')");
	l = begin();
	capture_mark(l, 4);
	own(l, "UPDATE t SET a = 2");
	capture_mark(l, 5);
	own(l, "INSERT INTO t VALUES (2, 1, 'y')");
	own(l, "UPDATE t SET a = 5");
	list = captured(l);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.changes[0].statement, 4);
	assert_int_equal(list.changes[1].statement, 5);
	lite_give(l);
}

static void a_table_tells_its_keys(void **state)
{
	const struct capture_table *t;
	struct capture_list list;
	struct lite *l;

	(void)state;
	run_sql("CREATE TABLE p (id INTEGER PRIMARY KEY, code UNIQUE);"
		"CREATE TABLE c (a, b REFERENCES P, d REFERENCES p (code), e REFERENCES p (ID), "
		"PRIMARY KEY (b, a))");
	l = begin();
	own(l, "INSERT INTO p VALUES (1, 1)");
	own(l, "INSERT INTO c VALUES (1, 1, 1, 1)");
	list = captured(l);
	assert_int_equal(list.count, 2);
	t = list.changes[0].table;
	assert_true(t->generated_key && t->key_count == 1 && t->key[0] == 0);
	assert_int_equal(t->foreign_count, 0);
	t = list.changes[1].table;
	assert_false(t->generated_key);
	assert_int_equal(t->key_count, 2);
	assert_int_equal(t->key[0], 1);
	assert_int_equal(t->key[1], 0);
	assert_int_equal(t->foreign_count, 2);
	assert_str(t->foreign[0].column, "b");
	assert_str(t->foreign[0].table, "p");
	assert_str(t->foreign[1].column, "e");
	assert_int_equal(t->shadow_of.n, 0);
	lite_give(l);
}

/* Its index is written when it is asked for, which the capture does. */
static void full_text_search_shows_in_tables_of_its_own(void **state)
{
	struct capture_list list;
	struct lite *l;
	size_t index = 0;
	struct err err;

	(void)state;
	run_sql("CREATE VIRTUAL TABLE found USING fts5 (b);"
		"CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO found (rowid, b) "
		"VALUES (new.id, new.b); END");
	l = begin();
	own(l, "INSERT INTO t VALUES (1, 2, 'the quick fox')");
	list = captured(l);
	for (size_t i = 0; i < list.count; i++) {
		bool is_index = str_starts(list.changes[i].table->name, S("found_"));

		index += is_index;
		assert_true(
			str_eq(list.changes[i].table->shadow_of, is_index ? S("found") : STR_NONE));
	}
	assert_true(index >= 3 && index == list.count - 1);
	assert_true(lite_commit(l, &err));
	assert_true(lite_begin_write(l, &err));
	own(l, "INSERT INTO found (rowid, b) VALUES (2, 'the slow fox')");
	list = captured(l);
	assert_true(list.count >= 3);
	if (!lite_commit(l, &err))
		fail_msg("%s", err.text);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT rowid FROM found WHERE found MATCH 'quick'"), 1);
}

static void a_statement_that_failed_spoils_the_transaction(void **state)
{
	static const char *const statements[] = {
		"INSERT INTO u VALUES (5, 5), (1, 1)",
		"INSERT OR FAIL INTO u VALUES (5, 5), (1, 1)",
		"INSERT OR ROLLBACK INTO u VALUES (5, 5), (1, 1)",
		"UPDATE u SET a = 1",
		"INSERT INTO u VALUES (7, 7)",
	};
	struct capture_list list;
	struct err err;

	(void)state;
	run_sql("CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO u VALUES (1, 1), "
		"(2, 2); CREATE TRIGGER g AFTER INSERT ON u WHEN new.id = 7 BEGIN "
		"SELECT RAISE(FAIL, 'not seven'); END");
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		struct lite *l = begin();

		own(l, "INSERT INTO t VALUES (1, 2, 'x')");
		assert_int_equal(try_own(l, statements[i], &err), LITE_FAILED);
		assert_int_equal(err.code, E_INVALID);
		assert_false(capture_take(l, &write_arena, 100, 1000, &list, &err));
		assert_int_equal(err.code, E_CONTRACT);
		if (i % 2) {
			assert_false(lite_commit(l, &err));
			assert_int_equal(err.code, E_CONTRACT);
		}
		lite_give(l);
		assert_int_equal(ask_sql("SELECT count(*) FROM u"), 2);
		assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
	}
}

static void a_statement_that_failed_at_its_first_row_spoils_it_too(void **state)
{
	struct lite *l = begin();
	struct capture_list list;
	struct err err;

	(void)state;
	own(l, "INSERT INTO t VALUES (1, 2, 'x')");
	captured(l);
	assert_int_equal(try_own(l, "INSERT INTO t VALUES (1, 3, 'y')", &err), LITE_FAILED);
	assert_false(capture_take(l, &write_arena, 100, 1000, &list, &err));
	assert_false(lite_commit(l, &err));
	assert_int_equal(err.code, E_CONTRACT);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
}

static void more_than_may_be_shown_is_refused(void **state)
{
	struct capture_list list;
	struct err err;
	struct lite *l = begin();

	(void)state;
	own(l, "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')");
	assert_false(capture_take(l, &write_arena, 2, 1000, &list, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_false(capture_take(l, &write_arena, 3, 40, &list, &err));
	assert_int_equal(err.code, E_LIMIT);
	assert_true(capture_take(l, &write_arena, 3, 1000, &list, &err));
	assert_int_equal(list.count, 3);
	lite_give(l);
}

/* More than the cache holds, with a journal: SQLite would write it to the file early. */
static void a_large_change_does_not_reach_the_file_before_commit(void **state)
{
	struct capture_list list;
	struct err err;
	struct lite *l;

	(void)state;
	run_sql("INSERT INTO t VALUES (0, 1, 'x')");
	l = begin();
	own(l, "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
	       "INSERT INTO t SELECT i, i, printf('%.1000c', 'x') FROM n");
	own(l, "UPDATE t SET a = 2 WHERE id = 0");
	list = captured(l);
	assert_int_equal(list.count, 4001);
	assert_int_equal(list.changes[4000].operation, CAPTURE_UPDATE);
	assert_str(list.changes[4000].before[1].text, "1");
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 1);
	assert_true(lite_commit(l, &err));
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 4001);
}

static void more_than_memory_should_hold_is_stopped(void **state)
{
	struct err err;
	struct lite *l = begin();

	(void)state;
	assert_int_equal(
		try_own(l,
			"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) "
			"INSERT INTO t SELECT i, i, zeroblob(4000000) FROM n",
			&err),
		LITE_FAILED);
	assert_int_equal(err.code, E_LIMIT);
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
}

static void a_statement_without_end_is_stopped(void **state)
{
	struct capture_list list;
	struct err err;
	struct lite *l = begin();

	(void)state;
	assert_int_equal(
		try_own(l,
			"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) "
			"INSERT INTO t SELECT i, i, 'x' FROM n",
			&err),
		LITE_FAILED);
	assert_int_equal(err.code, E_LIMIT);
	assert_false(capture_take(l, &write_arena, 100, 1000, &list, &err));
	lite_give(l);
	assert_int_equal(ask_sql("SELECT count(*) FROM t"), 0);
}

static void a_table_whose_rows_cannot_be_told_apart_is_refused_by_name(void **state)
{
	static const struct {
		const char *schema, *sql;
	} table[] = {
		{ "CREATE TABLE odd (rowid, _rowid_, oid)", "INSERT INTO odd VALUES (1, 2, 3)" },
		{ "CREATE TABLE odd (v AS (a), k PRIMARY KEY, a) WITHOUT ROWID",
			"INSERT INTO odd VALUES (1, 2)" },
	};
	struct capture_list list;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct lite *l;

		run_sql("DROP TABLE IF EXISTS odd");
		run_sql(table[i].schema);
		l = begin();
		own(l, table[i].sql);
		assert_false(capture_take(l, &write_arena, 100, 1000, &list, &err));
		assert_int_equal(err.code, E_DENIED);
		assert_non_null(strstr(err.text, "odd"));
		lite_give(l);
	}
}

static void a_call_that_runs_out_of_memory_leaves_the_connection_whole(void **state)
{
	struct lite *l = begin();
	struct capture_list list;
	struct arena small;
	jmp_buf place;
	struct err err;
	bool jumped;

	(void)state;
	own(l, "INSERT INTO t VALUES (1, zeroblob(100000), 'x')");
	arena_init(&small, 4096);
	jumped = arena_catch(&small, &place);
	if (!jumped)
		(void)!capture_take(l, &small, 10, 1 << 20, &list, &err);
	assert_true(jumped);
	arena_done(&small);
	lite_give(l);
	l = begin();
	own(l, "INSERT INTO t VALUES (1, 2, 'x')");
	list = captured(l);
	assert_str(told(&list), "insert t: i1 i2 tx");
	assert_true(lite_commit(l, &err));
	lite_give(l);
}

/* Whatever it says: no crash, and nothing committed that was not told. */
static void a_damaged_file_does_no_harm(void **state)
{
	static const char *const statements[] = { "UPDATE t SET a = a + 1",
		"DELETE FROM t WHERE id > 3", "INSERT INTO w SELECT b || id, a FROM t",
		"UPDATE w SET v = 1" };
	unsigned told_of = 0, refused = 0;
	char whole[32768], page[32768];
	size_t n;
	FILE *f;

	(void)state;
	run_sql("CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE INDEX i ON t (a);"
		"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
		"INSERT INTO t SELECT i, i % 7, printf('%.40c', 'x') FROM n;"
		"INSERT INTO w SELECT b || id, a FROM t");
	f = fopen(write_file, "r");
	n = fread(whole, 1, sizeof whole, f);
	fclose(f);
	srand(7);
	for (int i = 0; i < 300; i++) {
		struct capture_list list;
		struct lite *l;
		struct err err;
		bool ok = false;

		memcpy(page, whole, n);
		for (int k = 0; k < 3; k++)
			page[100 + (size_t)rand() % (n - 100)] = (char)rand();
		f = fopen(write_file, "w");
		assert_int_equal(fwrite(page, 1, n, f), n);
		fclose(f);
		l = lite_take(write_pool, 100, &err);
		if (l && lite_begin_write(l, &err) &&
			try_own(l, statements[i % 4], &err) == LITE_DONE)
			ok = capture_take(l, &write_arena, 1000, 1 << 20, &list, &err);
		told_of += ok;
		refused += !ok;
		if (l)
			lite_give(l);
	}
	assert_true(told_of > 10 && refused > 10);
}

/* A trigger added while the connection, and the statement, are there already. */
static void what_the_schema_became_is_known(void **state)
{
	struct capture_list list;
	struct lite_stmt *s;
	struct lite *l;
	struct err err;

	(void)state;
	run_sql("CREATE TABLE log (what); INSERT INTO log VALUES (1)");
	l = begin();
	s = lite_prepare(l, 0, S("INSERT INTO t VALUES (?1, 2, 'x')"), &err);
	lite_bind_i64(s, 1, 1);
	assert_int_equal(lite_step(s, &err), LITE_DONE);
	lite_end(s);
	list = captured(l);
	assert_str(told(&list), "insert t: i1 i2 tx");
	lite_give(l);
	run_sql("CREATE TABLE other (k PRIMARY KEY) WITHOUT ROWID; "
		"CREATE TRIGGER late AFTER INSERT ON t BEGIN DELETE FROM log; "
		"INSERT INTO other SELECT new.a FROM log AS l RIGHT JOIN t ON 1 LIMIT 1; END");
	l = begin();
	s = lite_prepare(l, 0, S("INSERT INTO t VALUES (?1, 2, 'x')"), &err);
	lite_bind_i64(s, 1, 1);
	if (lite_step(s, &err) != LITE_DONE)
		fail_msg("%s", err.text);
	lite_end(s);
	list = captured(l);
	assert_str(told(&list), "insert t: i1 i2 tx\ndelete log: i1\ninsert other: i2");
	lite_give(l);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, write_set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_change_a_row_is_told),
		T(a_database_in_utf_16_is_told_in_utf_8),
		T(changes_of_one_row_are_folded),
		T(each_take_tells_what_came_since_the_last),
		T(a_change_knows_the_statement_that_came_first),
		T(a_table_tells_its_keys),
		T(full_text_search_shows_in_tables_of_its_own),
		T(a_statement_that_failed_spoils_the_transaction),
		T(a_statement_that_failed_at_its_first_row_spoils_it_too),
		T(more_than_may_be_shown_is_refused),
		T(a_large_change_does_not_reach_the_file_before_commit),
		T(more_than_memory_should_hold_is_stopped),
		T(a_statement_without_end_is_stopped),
		T(a_table_whose_rows_cannot_be_told_apart_is_refused_by_name),
		T(a_call_that_runs_out_of_memory_leaves_the_connection_whole),
		T(a_damaged_file_does_no_harm),
		T(what_the_schema_became_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
