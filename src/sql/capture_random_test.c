/* Random statements over a schema with everything that changes rows behind a statement's back: what
 * the capture says is what a comparison of all tables says, and a rollback leaves nothing.
 *
 * POSTERN_SEED and POSTERN_STATEMENTS choose another run; a disagreement prints its seed. */
#include "sql/write_fixture.h"

#include "base/map.h"

#include <inttypes.h>

static const char schema[] =
	"CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, n REAL);"
	"CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, parent_id INTEGER REFERENCES "
	"parent ON DELETE CASCADE ON UPDATE CASCADE, v, UNIQUE (parent_id, v));"
	"CREATE TABLE loose (id TEXT PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) "
	"ON DELETE SET NULL ON UPDATE SET DEFAULT DEFERRABLE INITIALLY DEFERRED, x NUMERIC);"
	"CREATE TABLE pair (a TEXT COLLATE NOCASE, b, c REAL, v AS (b || '?'), "
	"PRIMARY KEY (a, b)) WITHOUT ROWID;"
	"CREATE TABLE pair2 (a TEXT COLLATE NOCASE, b, c REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;"
	"CREATE TABLE pair3 (a TEXT COLLATE NOCASE, b, c REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;"
	"CREATE TABLE real_key (k REAL PRIMARY KEY, d) WITHOUT ROWID;"
	"CREATE TABLE bag (x, y);"
	"CREATE TABLE bag2 (x, y);"
	"CREATE TABLE shadowed (rowid TEXT, _rowid_ INTEGER, v REAL);"
	"CREATE TABLE made (twice AS (a * 2), id INTEGER PRIMARY KEY, a, c REAL, "
	"stored TEXT AS (b || '!') STORED UNIQUE, b TEXT);"
	"CREATE TABLE node (id INTEGER PRIMARY KEY, up INTEGER REFERENCES node ON DELETE CASCADE, "
	"tag UNIQUE);"
	"CREATE TABLE log (at INTEGER PRIMARY KEY, what);"
	"CREATE TABLE firm (id INTEGER PRIMARY KEY, r REAL, a ANY) STRICT;"
	"CREATE TABLE late (id INTEGER PRIMARY KEY, a);"
	"INSERT INTO late VALUES (1, 1), (2, 2), (3, 3), (4, NULL), (5, 'a');"
	"ALTER TABLE late ADD COLUMN b TEXT DEFAULT 'x';"
	"ALTER TABLE late ADD COLUMN c REAL DEFAULT 5;"
	"ALTER TABLE late ADD COLUMN d AS (a || b);"
	"CREATE VIRTUAL TABLE found USING fts5 (what);"
	"CREATE VIEW pairs AS SELECT a, b FROM pair;"
	"CREATE TRIGGER pairs_in INSTEAD OF INSERT ON pairs BEGIN "
	"INSERT OR REPLACE INTO pair VALUES (new.a, new.b, 1); END;"
	"CREATE TRIGGER pairs_up INSTEAD OF UPDATE ON pairs BEGIN "
	"UPDATE OR REPLACE pair SET a = new.a WHERE a = old.a AND b = old.b; END;"
	"CREATE TRIGGER child_in AFTER INSERT ON child BEGIN "
	"INSERT INTO log (what) VALUES (new.v); END;"
	"CREATE TRIGGER child_up AFTER UPDATE OF v ON child BEGIN "
	"UPDATE parent SET n = n + 1 WHERE id = new.parent_id; END;"
	"CREATE TRIGGER child_out AFTER DELETE ON child BEGIN "
	"INSERT INTO bag VALUES (old.id, old.v); END;"
	"CREATE TRIGGER loose_keep BEFORE DELETE ON loose WHEN old.x = 3 BEGIN "
	"SELECT RAISE(IGNORE); END;"
	"CREATE TRIGGER loose_up AFTER UPDATE ON loose WHEN new.x = 4 BEGIN "
	"SELECT RAISE(IGNORE); END;"
	"CREATE TRIGGER firm_no BEFORE INSERT ON firm WHEN new.id = 7 BEGIN "
	"SELECT RAISE(FAIL, 'seven'); END;"
	"CREATE TRIGGER firm_back AFTER INSERT ON firm WHEN new.id = 8 BEGIN "
	"SELECT RAISE(ROLLBACK, 'eight'); END;"
	"CREATE TRIGGER bag_out AFTER DELETE ON bag WHEN old.x > 8 BEGIN DELETE FROM bag2; END;"
	"CREATE TRIGGER log_in AFTER INSERT ON log BEGIN "
	"INSERT INTO found (rowid, what) VALUES (new.at, new.what); END;"
	"CREATE TRIGGER log_out AFTER DELETE ON log BEGIN DELETE FROM found WHERE rowid = old.at; "
	"END;"
	"CREATE TRIGGER node_up AFTER UPDATE OF tag ON node WHEN new.id < 3 BEGIN "
	"DELETE FROM node WHERE id = new.id; END";

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % n);
}

static const char *any(const char *const *list, size_t n)
{
	return list[below((unsigned)n)];
}
#define ANY(list) any(list, ARRAY_LEN(list))

static const char *value(void)
{
	static const char *const values[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "1",
		"2", "3", "NULL", "'a'", "'A'", "'b'", "'B'", "'\xc3\xa4'", "''", "'3'", "2.0",
		"3.5", "-0.0", "1e300", "9007199254740993", "9007199254740993.0",
		"-9223372036854775807 - 1", "9e999", "x''", "x'00ff'", "CAST(x'610062' AS TEXT)",
		"CAST(x'ff41' AS TEXT)", "zeroblob(40)", "printf('%.300c', 'x')",
		"abs(random() % 9)" };

	return ANY(values);
}

static const struct kind {
	const char *table, *columns[4];
	bool whole; /* SELECT * can fill it */
} kinds[] = {
	{ "parent", { "id", "name", "n" }, true },
	{ "child", { "id", "parent_id", "v" }, true },
	{ "loose", { "id", "parent_id", "x" }, true },
	{ "pair", { "a", "b", "c" }, false },
	{ "pair2", { "a", "b", "c" }, true },
	{ "pair3", { "a", "b", "c" }, true },
	{ "real_key", { "k", "d" }, false },
	{ "bag", { "x", "y" }, true },
	{ "bag2", { "x", "y" }, true },
	{ "shadowed", { "rowid", "_rowid_", "v" }, true },
	{ "made", { "id", "a", "c", "b" }, false },
	{ "node", { "id", "up", "tag" }, true },
	{ "log", { "at", "what" }, true },
	{ "firm", { "id", "r", "a" }, true },
	{ "late", { "id", "a", "b", "c" }, false },
	{ "pairs", { "a", "b" }, false },
	{ "found", { "rowid", "what" }, false },
};

static size_t columns_of(const struct kind *k)
{
	size_t n = 0;

	while (n < ARRAY_LEN(k->columns) && k->columns[n])
		n++;
	return n;
}

static const char *column_of(const struct kind *k)
{
	return k->columns[below((unsigned)columns_of(k))];
}

static const char *conflict(void)
{
	static const char *const words[] = { "", "", "", " OR REPLACE", " OR REPLACE",
		" OR REPLACE", " OR IGNORE", " OR IGNORE", " OR FAIL", " OR ABORT",
		" OR ROLLBACK" };

	return ANY(words);
}

static void add_where(struct buf *sql, const struct kind *k)
{
	static const char *const tests[] = { "=", "<", ">", "IS", "<>" };

	if (below(5))
		buf_fmt(sql, " WHERE %s %s %s", column_of(k), ANY(tests), value());
}

static void add_insert(struct buf *sql, const struct kind *k)
{
	size_t columns = columns_of(k), rows = 1 + below(4);

	buf_fmt(sql, "INSERT%s INTO %s (", conflict(), k->table);
	for (size_t i = 0; i < columns; i++)
		buf_fmt(sql, "%s%s", i ? ", " : "", k->columns[i]);
	buf_lit(sql, ") VALUES ");
	for (size_t r = 0; r < rows; r++) {
		for (size_t i = 0; i < columns; i++)
			buf_fmt(sql, "%s%s", i ? ", " : r ? ", (" : "(", value());
		buf_char(sql, ')');
	}
	if (!below(4))
		buf_fmt(sql, " ON CONFLICT DO UPDATE SET %s = excluded.%s", column_of(k),
			column_of(k));
}

static void add_statement(struct buf *sql)
{
	const struct kind *k = &kinds[below(ARRAY_LEN(kinds))];
	const struct kind *from = &kinds[below(ARRAY_LEN(kinds))];

	buf_clear(sql);
	switch (below(12)) {
	case 0:
	case 1:
		buf_fmt(sql, "DELETE FROM %s", k->table);
		add_where(sql, k);
		break;
	case 2:
	case 3:
	case 4:
		buf_fmt(sql, "UPDATE%s %s SET %s = %s", conflict(), k->table, column_of(k),
			value());
		add_where(sql, k);
		break;
	case 5:
		buf_fmt(sql, "UPDATE%s %s SET rowid = rowid + %u", conflict(), k->table,
			below(3) + 1);
		add_where(sql, k);
		break;
	case 6:
		buf_fmt(sql, "INSERT%s INTO %s SELECT * FROM %s", conflict(), k->table,
			from->table);
		break;
	case 7:
		buf_fmt(sql, "UPDATE%s %s SET %s = %s, %s = %s", conflict(), k->table, column_of(k),
			column_of(k), column_of(k), value());
		add_where(sql, k);
		break;
	default:
		add_insert(sql, k);
	}
	buf_char(sql, 0);
}

/* Rows of all tables: "table|key" gives the row.  Without a key the rowid is it. */
static const struct dump_table {
	const char *table, *key;
} dump_tables[] = { { "parent", "id" }, { "child", "id" }, { "loose", NULL }, { "pair", "a, b" },
	{ "pair2", "a, b" }, { "pair3", "a, b" }, { "real_key", "k" }, { "bag", "rowid" },
	{ "bag2", "rowid" }, { "shadowed", "oid" }, { "made", "id" }, { "node", "id" },
	{ "log", "at" }, { "firm", "id" }, { "late", "id" }, { "found_data", "id" },
	{ "found_idx", "segid, term" }, { "found_content", "id" }, { "found_docsize", "id" },
	{ "found_config", "k" } };

struct dump {
	struct map rows;
};

static void dump_table(struct lite *l, struct dump *d, const struct dump_table *t)
{
	/* loose: a key of TEXT in a table with rowid may be NULL, and then names nothing */
	const char *key = t->key ? t->key : "id, CASE WHEN id IS NULL THEN rowid END";
	struct str sql = arena_fmt(&write_arena, "SELECT %s, '|', * FROM %s", key, t->table);
	struct lite_stmt *s;
	struct lite_facts facts;
	struct err err;

	s = lite_prepare_own(l, sql.p, &err);
	if (!s || !lite_facts(s, &write_arena, &facts, &err))
		fail_msg("%s: %s", sql.p, err.text);
	while (lite_step(s, &err) == LITE_ROW) {
		struct buf key_text, row;
		bool in_key = true;

		buf_in(&key_text, &write_arena, 1 << 20);
		buf_in(&row, &write_arena, 1 << 20);
		buf_fmt(&key_text, "%s", t->table);
		for (unsigned i = 0; i < facts.column_count; i++) {
			struct str text;
			enum lite_type type = lite_column(s, i, &write_arena, &text);

			if (in_key && str_eq(text, S("|")) && type == LITE_TEXT) {
				in_key = false;
				continue;
			}
			if (in_key)
				buf_char(&key_text, '|');
			else if (row.n)
				buf_char(&row, ' ');
			add_value(in_key ? &key_text : &row, type, text);
		}
		if (!map_add(&d->rows, buf_str(&key_text), arena_cstr(&write_arena, buf_str(&row))))
			fail_msg("two rows %.*s", STR_ARG(buf_str(&key_text)));
	}
	lite_end_once(s);
}

static void dump_all(struct lite *l, struct dump *d)
{
	map_init(&d->rows);
	for (size_t i = 0; i < ARRAY_LEN(dump_tables); i++)
		dump_table(l, d, &dump_tables[i]);
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct lines {
	struct str list[4096];
	size_t count;
};

static void add_line(struct lines *lines, struct str line)
{
	assert_true(lines->count < ARRAY_LEN(lines->list));
	lines->list[lines->count++] = line;
}

static struct str table_of_key(struct str key)
{
	return str_sub(key, 0, str_find(key, 0, '|'));
}

static void compare(const struct dump *before, const struct dump *after, struct lines *out)
{
	out->count = 0;
	for (size_t i = 0; i < before->rows.count; i++) {
		struct str key = before->rows.entries[i].name, table = table_of_key(key);
		const char *was = before->rows.entries[i].value, *is = map_get(&after->rows, key);

		if (!is)
			add_line(out,
				arena_fmt(&write_arena, "delete %.*s: %s", STR_ARG(table), was));
		else if (strcmp(was, is) != 0)
			add_line(out, arena_fmt(&write_arena, "update %.*s: %s -> %s",
					      STR_ARG(table), was, is));
	}
	for (size_t i = 0; i < after->rows.count; i++) {
		struct str key = after->rows.entries[i].name, table = table_of_key(key);
		const char *is = after->rows.entries[i].value;

		if (!map_get(&before->rows, key))
			add_line(out,
				arena_fmt(&write_arena, "insert %.*s: %s", STR_ARG(table), is));
	}
	qsort(out->list, out->count, sizeof *out->list, by_text);
}

static void split(struct str text, struct lines *out)
{
	struct str line;

	out->count = 0;
	while (text.n) {
		if (!str_cut(text, '\n', &line, &text)) {
			line = text;
			text = STR_NONE;
		}
		add_line(out, line);
	}
	qsort(out->list, out->count, sizeof *out->list, by_text);
}

static struct lines expected, got;
static struct buf history;

static void agree(void)
{
	for (size_t i = 0; i < MAX(expected.count, got.count); i++) {
		struct str e = i < expected.count ? expected.list[i] : STR_NONE;
		struct str g = i < got.count ? got.list[i] : STR_NONE;

		if (!str_eq(e, g))
			fail_msg("%.*s\ntables: %.*s\ncapture: %.*s", STR_ARG(buf_str(&history)),
				STR_ARG(e), STR_ARG(g));
	}
}

static void same(const struct dump *a, const struct dump *b)
{
	got.count = 0;
	compare(a, b, &expected);
	agree();
}

struct tally {
	unsigned statements, failed, changes, takes, commits, rollbacks;
};

static bool run_one(struct lite *l, const char *sql, struct tally *tally)
{
	enum lite_step step;
	struct lite_stmt *s;
	struct err err;

	s = lite_prepare_own(l, sql, &err);
	if (!s && strstr(err.text, "unsafe"))
		fail_msg("%s: %s", sql, err.text);
	if (!s)
		return true; /* no such column, say: nothing was run */
	tally->statements++;
	while ((step = lite_step(s, &err)) == LITE_ROW) {
	}
	lite_end_once(s);
	if (step == LITE_DONE)
		return true;
	if (err.code != E_INVALID)
		fail_msg("%s: %s", sql, err.text);
	tally->failed++;
	return false;
}

/* True: every statement did its work. */
static bool run_some(struct lite *l, struct tally *tally)
{
	struct buf sql;

	buf_in(&sql, &write_arena, 64 << 10);
	for (unsigned n = 1 + below(4); n; n--) {
		add_statement(&sql);
		buf_fmt(&history, "%s\n", sql.p);
		if (!run_one(l, sql.p, tally))
			return false;
	}
	return true;
}

/* What the capture says of what was done since `before` is what the tables say. */
static void take_and_compare(
	struct lite *l, const struct dump *before, struct dump *after, struct tally *tally)
{
	struct capture_list list = captured(l);

	dump_all(l, after);
	compare(before, after, &expected);
	split(told(&list), &got);
	agree();
	tally->takes++;
	tally->changes += list.count;
}

static void roll_back(struct lite *l, const struct dump *before, struct tally *tally)
{
	struct capture_list list;
	struct dump after;
	struct err err;

	lite_rollback(l);
	assert_true(lite_begin_write(l, &err));
	assert_true(capture_take(l, &write_arena, 0, 0, &list, &err));
	dump_all(l, &after);
	same(before, &after);
	map_done(&after.rows);
	tally->rollbacks++;
}

static void one_transaction(struct tally *tally)
{
	struct lite *l = begin();
	struct dump states[4];
	unsigned steps = 1 + below(3), at = 0;
	struct capture_list list;
	struct err err;

	dump_all(l, &states[0]);
	while (at < steps && run_some(l, tally)) {
		take_and_compare(l, &states[at], &states[at + 1], tally);
		at++;
	}
	if (at < steps) {
		assert_false(capture_take(l, &write_arena, 1000, 1 << 20, &list, &err));
		assert_int_equal(err.code, E_CONTRACT);
		roll_back(l, &states[0], tally);
	} else if (!lite_constraints_hold(l)) {
		assert_false(lite_commit(l, &err));
		assert_int_equal(err.code, E_INVALID);
		assert_true(lite_begin_write(l, &err));
		roll_back(l, &states[0], tally);
	} else if (below(3)) {
		if (!lite_commit(l, &err))
			fail_msg("%s", err.text);
		tally->commits++;
	} else {
		roll_back(l, &states[0], tally);
	}
	for (unsigned i = 0; i <= at; i++)
		map_done(&states[i].rows);
	lite_give(l);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void run_many(const char *journal, uint64_t most)
{
	struct tally tally = { 0 };

	seed = number_from("POSTERN_SEED", 20261121);
	run_sql("DROP TABLE t");
	run_sql(journal);
	run_sql(schema);
	while (tally.statements < most) {
		uint64_t first = seed;

		buf_in(&history, &write_arena, 1 << 20);
		buf_fmt(&history, "POSTERN_SEED=%" PRIu64 "\n", first);
		one_transaction(&tally);
		arena_reset(&write_arena);
		if (tally.commits % 50 == 49)
			run_sql("DELETE FROM bag WHERE rowid % 3; DELETE FROM log WHERE at % 3; "
				"DELETE FROM bag2 WHERE rowid % 2; DELETE FROM shadowed");
	}
	print_message("%u statements (%u failed), %u takes with %u changes, %u commits, "
		      "%u rollbacks\n",
		tally.statements, tally.failed, tally.takes, tally.changes, tally.commits,
		tally.rollbacks);
	assert_true(tally.changes > tally.statements / 2);
	assert_true(tally.commits > tally.statements / 20);
	assert_true(tally.failed > tally.statements / 100);
}

static void with_a_log_the_capture_says_what_the_tables_say(void **state)
{
	(void)state;
	run_many("PRAGMA journal_mode = WAL", number_from("POSTERN_STATEMENTS", 1000));
}

static void with_a_journal_the_capture_says_what_the_tables_say(void **state)
{
	(void)state;
	run_many("PRAGMA journal_mode = DELETE", number_from("POSTERN_STATEMENTS", 1000) / 8);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, write_set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		T(with_a_log_the_capture_says_what_the_tables_say),
		T(with_a_journal_the_capture_says_what_the_tables_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
