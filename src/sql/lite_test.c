/* Real database files in a directory of the test's own. */
#include "sql/lite.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define STATEMENTS 8

static char directory[64], file[96];
static struct arena arena;

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/lite-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)64 << 20);
	run_sql("PRAGMA journal_mode = WAL;"
		"CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, pay REAL, secret TEXT);"
		"INSERT INTO people VALUES (1, 'Ada', 12.5, 's1'), (2, 'Bob', NULL, 's2');"
		"CREATE TABLE other (id INTEGER, people_note TEXT);"
		"CREATE VIEW names AS SELECT id, name FROM people;"
		"CREATE VIRTUAL TABLE found USING fts5(name, content='people', content_rowid='id');"
		"INSERT INTO found (rowid, name) SELECT id, name FROM people;"
		"CREATE VIRTUAL TABLE notes USING fts5(body);"
		"INSERT INTO notes VALUES ('the quick fox'), ('the slow fox')");
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	rmdir(directory);
	arena_done(&arena);
	return 0;
}

static struct lite *take(struct lite_pool *p)
{
	struct err err;
	struct lite *l = lite_take(p, 1000, &err);

	if (!l)
		fail_msg("%s", err.text);
	return l;
}

static struct lite_stmt *prepare(struct lite *l, unsigned serial, const char *sql)
{
	struct err err;
	struct lite_stmt *s = lite_prepare(l, serial, str_c(sql), &err);

	if (!s)
		fail_msg("%s: %s", sql, err.text);
	return s;
}

/* The first column of the first row. */
static const char *first(struct lite_stmt *s)
{
	struct err err = { .text = "no row" };
	struct str text;

	if (lite_step(s, &err) != LITE_ROW)
		fail_msg("%s", err.text);
	lite_column(s, 0, &arena, &text);
	lite_end(s);
	return text.p;
}

static void columns_come_back_with_their_types_and_digits(void **state)
{
	static const struct {
		const char *sql;
		enum lite_type type;
		const char *text;
	} table[] = {
		{ "SELECT NULL", LITE_NULL, "" },
		{ "SELECT 0", LITE_INTEGER, "0" },
		{ "SELECT 9007199254740993", LITE_INTEGER, "9007199254740993" },
		{ "SELECT -9223372036854775808", LITE_INTEGER, "-9223372036854775808" },
		{ "SELECT 9223372036854775807", LITE_INTEGER, "9223372036854775807" },
		{ "SELECT 0.1", LITE_REAL, "0.1" },
		{ "SELECT '0.1000000000000000055'", LITE_TEXT, "0.1000000000000000055" },
		{ "SELECT ''", LITE_TEXT, "" },
		{ "SELECT x'00ff'", LITE_BLOB, NULL },
	};
	struct lite_pool *p;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct lite *l;
		struct lite_stmt *s;
		struct str text;

		p = lite_pool_new(str_c(file), 1, STATEMENTS);
		l = take(p);
		s = prepare(l, 0, table[i].sql);
		assert_int_equal(lite_step(s, &err), LITE_ROW);
		assert_int_equal(lite_column(s, 0, &arena, &text), table[i].type);
		if (table[i].text)
			assert_true(str_eq(text, str_c(table[i].text)));
		else
			assert_memory_equal(text.p, "\0\xff", 2);
		assert_int_equal(lite_step(s, &err), LITE_DONE);
		lite_end(s);
		lite_give(l);
		lite_pool_free(&p);
	}
}

static void what_is_not_a_single_read_is_refused(void **state)
{
	static const struct {
		const char *sql;
		enum err_code code;
	} table[] = {
		{ "INSERT INTO people (id) VALUES (9)", E_DENIED },
		{ "UPDATE people SET name = 'x'", E_DENIED },
		{ "DELETE FROM people", E_DENIED },
		{ "REPLACE INTO people (id) VALUES (1)", E_DENIED },
		{ "WITH x AS (SELECT 1) DELETE FROM people", E_DENIED },
		{ "CREATE TABLE t (a)", E_DENIED },
		{ "CREATE TEMP TABLE t (a)", E_DENIED },
		{ "CREATE TEMP VIEW v AS SELECT 1", E_DENIED },
		{ "CREATE VIRTUAL TABLE t USING fts5(a)", E_DENIED },
		{ "DROP TABLE people", E_DENIED },
		{ "ALTER TABLE people RENAME TO p", E_DENIED },
		{ "PRAGMA writable_schema = 1", E_DENIED },
		{ "PRAGMA query_only = 0", E_DENIED },
		{ "PRAGMA table_info(people)", E_DENIED },
		{ "ATTACH 'x.db' AS x", E_DENIED },
		{ "DETACH main", E_DENIED },
		{ "BEGIN", E_DENIED },
		{ "COMMIT", E_DENIED },
		{ "SAVEPOINT a", E_DENIED },
		{ "VACUUM", E_DENIED },
		{ "VACUUM INTO 'x.db'", E_DENIED },
		{ "ANALYZE", E_DENIED },
		{ "REINDEX", E_DENIED },
		{ "EXPLAIN SELECT 1", E_DENIED },
		{ "EXPLAIN QUERY PLAN SELECT 1", E_DENIED },
		{ "SELECT load_extension('x')", E_DENIED },
		{ "SELECT fts3_tokenizer('simple')", E_DENIED },
		{ "SELECT name FROM sqlite_stmt", E_INVALID },
		{ "SELECT * FROM pragma_table_info('people')", E_DENIED },
		{ "SELECT 1; SELECT 2", E_CONTRACT },
		{ "SELECT 1; garbage", E_CONTRACT },
		{ "", E_CONTRACT },
		{ " -- nothing", E_CONTRACT },
		{ "SELECT \"people\"", E_INVALID }, /* a string in double quotes is no string */
		{ "SELECT nothing FROM people", E_INVALID },
		{ "SELECT readfile('/etc/passwd')", E_INVALID },
		{ "UPDATE sqlite_master SET name = 'x'", E_INVALID },
		{ "SELEKT 1", E_INVALID },
	};
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };

		if (lite_prepare(l, 0, str_c(table[i].sql), &err))
			fail_msg("prepared: %s", table[i].sql);
		if (err.code != table[i].code)
			fail_msg("%s: %d %s", table[i].sql, (int)err.code, err.text);
	}
	assert_string_equal(first(prepare(l, 1, "SELECT 1; -- and no more\n ;")), "1");
	lite_give(l);
	lite_pool_free(&p);
}

static void a_statement_is_held_to_what_it_first_touched(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 2, STATEMENTS);
	struct lite *a = take(p), *b = take(p);
	struct lite_stmt *s = prepare(a, 0, "SELECT name FROM names WHERE id = 1"), *other;
	struct err err = { 0 };

	(void)state;
	assert_string_equal(first(s), "Ada");
	/* the view now reaches further: neither the re-prepare of the first connection ... */
	run_sql("DROP VIEW names;"
		"CREATE VIEW names AS SELECT id, secret AS name FROM people");
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_DENIED);
	lite_end(s);
	/* ... nor another one that first prepares it now may follow */
	err.code = E_NONE;
	other = lite_prepare(b, 0, S("SELECT name FROM names WHERE id = 1"), &err);
	if (other) {
		assert_int_equal(lite_step(other, &err), LITE_FAILED);
		lite_end(other);
	}
	assert_int_equal(err.code, E_DENIED);
	/* back within the list it runs again */
	run_sql("DROP VIEW names; CREATE VIEW names AS SELECT id, name FROM people");
	lite_give(a);
	lite_give(b);
	a = take(p);
	assert_string_equal(first(prepare(a, 0, "SELECT name FROM names WHERE id = 1")), "Ada");
	lite_give(a);
	lite_pool_free(&p);
}

static void a_harmless_schema_change_is_not_noticed(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, "SELECT name FROM people WHERE id = ?1");

	(void)state;
	lite_bind_i64(s, 1, 2);
	assert_string_equal(first(s), "Bob");
	run_sql("ALTER TABLE people ADD COLUMN more TEXT; CREATE INDEX by_name ON people (name)");
	lite_bind_i64(s, 1, 1);
	assert_string_equal(first(s), "Ada");
	lite_give(l);
	lite_pool_free(&p);
}

static void full_text_search_may_read_its_own_tables(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 2, STATEMENTS);
	struct lite *a = take(p), *b = take(p);
	struct lite *both[] = { a, b };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct lite_stmt *s = prepare(both[i], 0,
			"SELECT snippet(notes, 0, '[', ']', '', 4) FROM notes "
			"WHERE notes MATCH ?1 ORDER BY bm25(notes)");

		lite_bind_text(s, 1, S("quick"));
		assert_string_equal(first(s), "the [quick] fox");
		s = prepare(both[i], 1, "SELECT name FROM found WHERE found MATCH ?1");
		lite_bind_text(s, 1, S("ada"));
		assert_string_equal(first(s), "Ada");
	}
	run_sql("INSERT INTO notes VALUES ('a lazy dog')");
	{
		struct lite_stmt *s = prepare(a, 0, "");

		lite_bind_text(s, 1, S("lazy"));
		assert_string_equal(first(s), "a [lazy] dog");
	}
	lite_give(a);
	lite_give(b);
	lite_pool_free(&p);
}

static void bindings_do_not_outlive_their_run(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, "SELECT coalesce(?1, 'none')");

	(void)state;
	lite_bind_text(s, 1, S("before"));
	assert_string_equal(first(s), "before");
	assert_string_equal(first(s), "none");
	lite_bind_real(s, 1, 0.25);
	assert_string_equal(first(s), "0.25");
	lite_bind_null(s, 1);
	assert_string_equal(first(s), "none");
	lite_give(l);
	lite_pool_free(&p);
}

static void values_that_make_a_statement_fail_do_not_break_the_connection(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, "SELECT name FROM found WHERE found MATCH ?1");
	struct err err = { 0 };

	(void)state;
	lite_bind_text(s, 1, S("\"never closed"));
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_INVALID);
	assert_false(lite_is_broken(l));
	lite_end(s);
	lite_bind_text(s, 1, S("bob"));
	assert_string_equal(first(s), "Bob");
	lite_give(l);
	lite_pool_free(&p);
}

static void parts_in_a_transaction_see_one_state(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, "SELECT count(*) FROM people");
	struct err err;

	(void)state;
	assert_true(lite_begin(l, &err));
	assert_string_equal(first(s), "2");
	run_sql("INSERT INTO people (id) VALUES (3)");
	assert_string_equal(first(s), "2");
	lite_rollback(l);
	assert_string_equal(first(s), "3");
	assert_true(lite_begin(l, &err)); /* giving it back ends the transaction too */
	lite_give(l);
	l = take(p);
	assert_true(lite_begin(l, &err));
	lite_give(l);
	lite_pool_free(&p);
}

static const char runaway[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
			      "SELECT count(*) FROM n";

static void a_runaway_statement_ends_at_its_deadline(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, runaway);
	uint64_t begun = clock_mono_ms();
	struct err err = { 0 };

	(void)state;
	lite_limits(l, begun + 30, NULL, NULL);
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_TIMEOUT);
	assert_true(clock_mono_ms() - begun >= 30);
	assert_true(clock_mono_ms() - begun < 2000);
	lite_give(l);
	/* the next borrower has no deadline of a stranger */
	l = take(p);
	assert_string_equal(first(prepare(l, 1, "SELECT 7")), "7");
	lite_give(l);
	lite_pool_free(&p);
}

static bool after_some_looks(void *count)
{
	return ++*(int *)count > 3;
}

static void a_cancelled_statement_ends(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, runaway);
	struct err err = { 0 };
	int count = 0;

	(void)state;
	lite_limits(l, 0, after_some_looks, &count);
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_CANCELLED);
	lite_give(l);
	lite_pool_free(&p);
}

static void a_locked_file_is_waited_for_until_the_deadline(void **state)
{
	struct lite_pool *p;
	struct lite_stmt *s;
	struct err err = { 0 };
	struct lite *l;
	sqlite3 *db;

	(void)state;
	run_sql("PRAGMA journal_mode = DELETE");
	p = lite_pool_new(str_c(file), 1, STATEMENTS);
	l = take(p);
	s = prepare(l, 0, "SELECT count(*) FROM people");
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	lite_limits(l, clock_mono_ms() + 20, NULL, NULL);
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_TIMEOUT);
	lite_end(s);
	sqlite3_close(db);
	lite_limits(l, 0, NULL, NULL);
	assert_string_equal(first(s), "2");
	lite_give(l);
	lite_pool_free(&p);
}

static void the_pool_lends_no_more_than_it_has(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 2, STATEMENTS);
	struct lite *a = take(p), *b = take(p);
	struct err err = { 0 };

	(void)state;
	assert_null(lite_take(p, 5, &err));
	assert_int_equal(err.code, E_BUSY);
	lite_give(a);
	a = take(p);
	lite_give(a);
	lite_give(b);
	lite_pool_free(&p);
}

static void a_file_that_is_no_database_is_said_so(void **state)
{
	struct lite_pool *p;
	struct err err = { 0 };
	FILE *f;

	(void)state;
	snprintf(file, sizeof file, "%s/none.db", directory);
	p = lite_pool_new(str_c(file), 1, STATEMENTS);
	assert_null(lite_take(p, 5, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	f = fopen(file, "w");
	assert_non_null(f);
	for (int i = 0; i < 100; i++)
		fprintf(f, "this is not a database at all, not even a little\n");
	fclose(f);
	assert_null(lite_take(p, 5, &err));
	assert_int_equal(err.code, E_INVALID);
	lite_pool_free(&p);
	unlink(file);
	snprintf(file, sizeof file, "%s/a.db", directory);
}

static void a_damaged_page_is_an_error_and_the_connection_is_closed(void **state)
{
	struct lite_pool *p;
	struct err err = { 0 };
	struct lite_stmt *s;
	enum lite_step step;
	struct lite *l;
	FILE *f;

	(void)state;
	run_sql("PRAGMA journal_mode = DELETE; CREATE TABLE big (a TEXT);"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
		"INSERT INTO big SELECT hex(randomblob(50)) FROM n");
	p = lite_pool_new(str_c(file), 1, STATEMENTS);
	l = take(p);
	s = prepare(l, 0, "SELECT sum(length(a)) FROM big");
	f = fopen(file, "r+");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	for (long at = 20 * 4096, end = ftell(f); at < end; at += 64) {
		fseek(f, at, SEEK_SET);
		fputs("damage damage damage damage", f);
	}
	fclose(f);
	step = lite_step(s, &err);
	assert_int_equal(step, LITE_FAILED);
	assert_int_equal(err.code, E_INVALID);
	lite_give(l);
	lite_pool_free(&p);
}

static void an_endless_cell_is_over_the_limit(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_stmt *s = prepare(l, 0, "SELECT hex(zeroblob(100000000))");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(lite_step(s, &err), LITE_FAILED);
	assert_int_equal(err.code, E_LIMIT);
	lite_give(l);
	lite_pool_free(&p);
}

static void facts_name_the_columns(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 1, STATEMENTS);
	struct lite *l = take(p);
	struct lite_facts facts;
	struct err err;

	(void)state;
	assert_true(lite_facts(prepare(l, 0, "SELECT id, pay AS wage, 1 + 1 AS two FROM people"),
		&arena, &facts, &err));
	assert_true(facts.readonly && facts.single);
	assert_int_equal(facts.column_count, 3);
	assert_true(str_eq(facts.columns[1], S("wage")));
	assert_true(str_eq(facts.declared_types[0], S("INTEGER")));
	assert_true(str_eq(facts.declared_types[1], S("REAL")));
	assert_true(str_eq(facts.declared_types[2], S("")));
	lite_give(l);
	lite_pool_free(&p);
}

static const char *read_many(struct lite_pool *pool)
{
	struct arena own;

	arena_init(&own, (size_t)1 << 20);
	for (int i = 0; i < 200; i++) {
		struct err err;
		struct lite *l = lite_take(pool, 5000, &err);
		struct lite_stmt *s;
		struct str text;

		if (!l)
			return "take";
		s = lite_prepare(l, (unsigned)i % 2,
			i % 2 ? S("SELECT name FROM people WHERE id = 1")
			      : S("SELECT name FROM names WHERE id = 1"),
			&err);
		if (!s || lite_step(s, &err) != LITE_ROW)
			return "step";
		lite_column(s, 0, &own, &text);
		lite_end(s);
		lite_give(l);
		if (!str_eq(text, S("Ada")))
			return "text";
		arena_reset(&own);
	}
	arena_done(&own);
	return NULL;
}

static void *run_thread(void *pool)
{
	return (void *)(uintptr_t)read_many(pool);
}

static void threads_share_the_pool(void **state)
{
	struct lite_pool *p = lite_pool_new(str_c(file), 3, STATEMENTS);
	pthread_t threads[6];
	void *failed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_thread, p), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	lite_pool_free(&p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(columns_come_back_with_their_types_and_digits),
		T(what_is_not_a_single_read_is_refused),
		T(a_statement_is_held_to_what_it_first_touched),
		T(a_harmless_schema_change_is_not_noticed),
		T(full_text_search_may_read_its_own_tables),
		T(bindings_do_not_outlive_their_run),
		T(values_that_make_a_statement_fail_do_not_break_the_connection),
		T(parts_in_a_transaction_see_one_state),
		T(a_runaway_statement_ends_at_its_deadline),
		T(a_cancelled_statement_ends),
		T(a_locked_file_is_waited_for_until_the_deadline),
		T(the_pool_lends_no_more_than_it_has),
		T(a_file_that_is_no_database_is_said_so),
		T(a_damaged_page_is_an_error_and_the_connection_is_closed),
		T(an_endless_cell_is_over_the_limit),
		T(facts_name_the_columns),
		T(threads_share_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
