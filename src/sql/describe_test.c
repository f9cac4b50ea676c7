/* What a database says of statements and tables before anything runs. */
#include "sql/describe.h"

#include "sql/write_fixture.h"

static const char schema[] =
	"CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES parent "
	"(id) ON DELETE SET NULL);"
	"CREATE TABLE child (a TEXT, b TEXT, parent INTEGER REFERENCES parent (id) ON DELETE "
	"CASCADE, twice AS (a || a), PRIMARY KEY (b, a));"
	"CREATE TABLE pair (a, b, name, PRIMARY KEY (a, b));"
	"CREATE TABLE of_pair (x, y, FOREIGN KEY (x, y) REFERENCES pair (a, b) ON UPDATE CASCADE "
	"ON "
	"DELETE SET NULL);"
	"CREATE TABLE of_of_pair (z, y REFERENCES of_pair (y) ON UPDATE CASCADE);"
	"CREATE UNIQUE INDEX one_y ON of_pair (y);"
	"CREATE TABLE log (line TEXT);"
	"CREATE TRIGGER told AFTER UPDATE OF name ON parent BEGIN INSERT INTO log VALUES (1);"
	"UPDATE log SET line = 2; END;"
	"CREATE VIRTUAL TABLE words USING fts5(text);"
	"CREATE VIRTUAL TABLE inner_one USING fts5vocab(words, row);"
	"CREATE TABLE hides (rowid, _rowid_, oid);"
	"CREATE TABLE unclear (g AS (k + 1), k INTEGER PRIMARY KEY) WITHOUT ROWID;";

static int set_up(void **state)
{
	write_set_up(state);
	run_sql(schema);
	return 0;
}

/* "insert t", "update t.a trigger", "delete t (cascade)", separated by commas. */
static struct str touches_of(struct lite *l, unsigned serial, const char *sql)
{
	static const char *const words[] = { "insert", "update", "delete" };
	struct described_touch *list;
	struct lite_stmt *s;
	struct buf out;
	size_t count = 0;
	struct err err;

	buf_in(&out, &write_arena, 4096);
	s = lite_prepare(l, serial, str_c(sql), &err);
	if (!s || !describe_touches(s, &write_arena, &list, &count, &err))
		fail_msg("%s: %s", sql, err.text);
	for (size_t i = 0; i < count; i++)
		buf_fmt(&out, "%s%s %.*s%s%.*s%s%.*s%s%s", i ? ", " : "", words[list[i].operation],
			STR_ARG(list[i].table), list[i].column.n ? "." : "",
			STR_ARG(list[i].column), list[i].trigger.n ? " by " : "",
			STR_ARG(list[i].trigger), list[i].cascade ? " (cascade)" : "",
			list[i].is_virtual ? " (virtual)" : "");
	return buf_str(&out);
}

static void a_statement_touches_what_it_says_and_what_follows_from_it(void **state)
{
	static const struct {
		const char *sql, *touches;
	} table[] = {
		{ "SELECT 1 FROM t", "" },
		{ "INSERT INTO t VALUES (1, 2, 3)", "insert t" },
		{ "INSERT INTO t VALUES (1, 2, 3) ON CONFLICT DO UPDATE SET a = 1, b = 2",
			"insert t, update t.a, update t.b" },
		{ "UPDATE t SET a = 1, b = 2 WHERE id = 3", "update t.a, update t.b" },
		{ "DELETE FROM t", "delete t" },
		{ "UPDATE parent SET name = 1 WHERE id = 2",
			"update parent.name, insert log by told, update log.line by told" },
		{ "UPDATE parent SET boss = 1 WHERE id = 2", "update parent.boss" },
		{ "DELETE FROM parent WHERE id = 1",
			"delete parent, delete child (cascade), update parent.boss (cascade)" },
		{ "UPDATE pair SET b = 1 WHERE a = 2",
			"update pair.b, update of_pair.y (cascade), update of_of_pair.y "
			"(cascade)" },
		{ "UPDATE pair SET name = 1 WHERE a = 2", "update pair.name" },
		{ "DELETE FROM pair WHERE a = 2",
			"delete pair, update of_pair.x (cascade), update of_pair.y (cascade), "
			"update of_of_pair.y (cascade)" },
		{ "INSERT INTO words VALUES ('a')", "insert words (virtual)" },
	};
	struct lite *l = take();

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct str got = touches_of(l, i, table[i].sql);

		if (!str_eq(got, str_c(table[i].touches)))
			fail_msg("%s: %.*s", table[i].sql, STR_ARG(got));
		/* once more, the same: nothing was kept of it */
		assert_true(str_eq(touches_of(l, i, table[i].sql), got));
	}
	lite_give(l);
	assert_int_equal(ask_sql("SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM log) + "
				 "(SELECT count(*) FROM parent) + (SELECT count(*) FROM words)"),
		0);
}

static struct str joined(struct names names)
{
	struct buf out;

	buf_in(&out, &write_arena, 4096);
	for (size_t i = 0; i < names.count; i++)
		buf_fmt(&out, "%s%.*s", i ? " " : "", STR_ARG(names.list[i]));
	return buf_str(&out);
}

static void tables_are_told_with_their_columns_and_keys(void **state)
{
	static const struct {
		const char *name, *columns, *key;
		bool is_virtual, backed, lost;
	} table[] = {
		{ "t", "id a b", "id", false, false, false },
		{ "child", "a b parent twice", "b a", false, false, false },
		{ "log", "line", "", false, false, false },
		{ "words", "text words rank", "", true, true, false },
		{ "inner_one", "term doc cnt", "", true, false, false },
		{ "hides", "rowid _rowid_ oid", "", false, false, true },
		{ "unclear", "g k", "k", false, false, true },
	};
	struct lite *l = take();
	struct described_table d;
	struct names names;
	struct err err;
	bool found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_true(
			describe_table(l, &write_arena, str_c(table[i].name), &found, &d, &err) &&
			found);
		if (!str_eq(joined(d.columns), str_c(table[i].columns)) ||
			!str_eq(joined(d.key), str_c(table[i].key)) ||
			d.is_virtual != table[i].is_virtual || d.backed != table[i].backed ||
			(d.lost.n != 0) != table[i].lost)
			fail_msg("%s: %.*s: %.*s %.*s", table[i].name, STR_ARG(joined(d.columns)),
				STR_ARG(joined(d.key)), STR_ARG(d.lost));
	}
	assert_true(describe_table(l, &write_arena, S("T"), &found, &d, &err) && !found);
	assert_true(describe_names(l, &write_arena, &names, &err));
	assert_true(str_eq(joined(names),
		S("child hides inner_one log of_of_pair of_pair pair parent t unclear words")));
	lite_give(l);
}

/* Another connection changed the schema meanwhile. */
static void a_table_that_came_later_is_there(void **state)
{
	struct lite *l = take();
	struct described_table d;
	struct err err;
	bool found;

	(void)state;
	assert_true(describe_table(l, &write_arena, S("late"), &found, &d, &err) && !found);
	run_sql("CREATE TABLE late (x)");
	assert_true(describe_table(l, &write_arena, S("late"), &found, &d, &err) && found);
	assert_true(str_eq(joined(d.columns), S("x")));
	lite_give(l);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_statement_touches_what_it_says_and_what_follows_from_it),
		T(tables_are_told_with_their_columns_and_keys),
		T(a_table_that_came_later_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
