#include "backend/fixture.h"

#include "base/file.h"
#include "catalog/write.h"
#include "sql/ledger.h"
#include "sql/marker.h"

#include <sqlite3.h>
#include <sys/stat.h>

static char directory[64], file[96], gone[96];
static struct source_config sources[] = {
	{ .name = STR_INIT("demo"), .kind = SOURCE_SQLITE, .pool = 1, .concurrency = 1 },
	{ .name = STR_INIT("docs"), .kind = SOURCE_FILES, .concurrency = 1 },
};
static struct config config = { .sources = sources, .source_count = ARRAY_LEN(sources) };
static const struct column name_column[] = { { .name = STR_INIT("name") } };

static void mark(enum environment e, bool synthetic)
{
	struct marker m = { .environment = str_c(environment_name(e)),
		.deployment = S("tests"),
		.synthetic = synthetic };
	struct err err;

	if (!marker_install(str_c(file), &m, S("2026-11-21T00:00:00Z"), &err))
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	sqlite3 *db;

	(void)state;
	snprintf(directory, sizeof directory, "%s/check-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	snprintf(gone, sizeof gone, "%s/gone", directory);
	arena_init(&arena, (size_t)16 << 20);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE people (id INTEGER, name TEXT)", 0, 0, 0),
		SQLITE_OK);
	sqlite3_close(db);
	mark(ENV_DEVELOPMENT, false);
	config.environment = ENV_DEVELOPMENT;
	config.read_only.all = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	unlink(file);
	rmdir(directory);
	return 0;
}

/* The codes of what is found, separated by spaces; "?" before those of warnings. */
static const char *check_catalog(const struct catalog *catalog)
{
	struct backends *b;
	struct findings f;
	struct buf codes;
	struct err err;

	findings_init(&f, &arena);
	b = backends_new(&config, catalog, &err);
	backends_check(b, &f);
	backends_free(&b);
	buf_in(&codes, &arena, 4096);
	for (size_t i = 0; i < f.count; i++)
		buf_fmt(&codes, "%s%s%s", i ? " " : "", f.list[i].warning ? "?" : "",
			f.list[i].code);
	return arena_cstr(&arena, buf_str(&codes));
}

/* For one tool with this statement. */
static const char *check(const char *sql, const char *next)
{
	struct part part = { .statement = { .sql = str_c(sql) },
		.shape = SHAPE_MANY,
		.columns = name_column,
		.column_count = 1,
		.rows = 10,
		.page = { .on = next != NULL, .next = { .sql = str_c(next), .serial = 1 } } };
	struct entry entry = { .kind = ENTRY_TOOL,
		.name = S("t"),
		.source = &sources[0],
		.action = { .kind = ACTION_READ, .parts = &part, .part_count = 1 } };
	const struct entry *tools[] = { &entry };
	struct catalog catalog = { .tools = tools, .tool_count = 1, .statement_count = 2 };

	return check_catalog(&catalog);
}

static void every_statement_is_tried_on_its_database(void **state)
{
	static const struct {
		const char *sql, *next, *codes;
	} table[] = {
		{ "SELECT name FROM people", NULL, "" },
		{ "SELECT name FROM people", "SELECT name FROM people WHERE name > 'a'", "" },
		{ "SELECT name FROM people", "SELECT name FROM people WHERE nome > 'a'",
			"sql.prepare" },
		{ "SELECT name FROM persons", NULL, "sql.prepare" },
		{ "DELETE FROM people", NULL, "sql.prepare" },
		{ "SELECT name FROM people; SELECT 1", NULL, "sql.prepare" },
	};

	(void)state;
	sources[0].path = str_c(file);
	sources[1].path = str_c(directory);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *codes = check(table[i].sql, table[i].next);

		if (strcmp(codes, table[i].codes) != 0)
			fail_msg("%s: %s", table[i].sql, codes);
	}
	assert_string_not_equal(check("SELECT id FROM people", NULL), "");
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, 0, 0, 0), SQLITE_OK);
	sqlite3_close(db);
}

static void the_marker_says_whose_a_source_is(void **state)
{
	static const struct {
		enum environment own;
		const char *sql, *codes;
	} table[] = {
		{ ENV_STAGING, "SELECT 1", "source.environment" },
		{ ENV_PRODUCTION, "SELECT 1", "source.environment" },
		{ ENV_DEVELOPMENT, "SELECT 1", "" },
		{ ENV_DEVELOPMENT, "UPDATE postern_marker SET environment = 'Development'",
			"source.environment" },
		{ ENV_DEVELOPMENT, "DELETE FROM postern_marker", "source.marker" },
		{ ENV_DEVELOPMENT, "DROP TABLE postern_marker", "?source.unmarked" },
		{ ENV_STAGING, "SELECT 1", "?source.unmarked" },
		{ ENV_PRODUCTION, "SELECT 1", "source.unmarked" },
		{ ENV_DEVELOPMENT, "CREATE TABLE postern_marker (x)", "source.marker" },
	};

	(void)state;
	sources[0].path = str_c(file);
	sources[1].path = str_c(directory);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *codes;

		run_sql(table[i].sql);
		config.environment = table[i].own;
		codes = check("SELECT name FROM people", NULL);
		if (strcmp(codes, table[i].codes) != 0)
			fail_msg("case %zu: %s", i, codes);
	}
}

static void sources_that_are_not_there_are_found(void **state)
{
	(void)state;
	sources[0].path = str_c(gone);
	sources[1].path = str_c(gone);
	assert_string_equal(
		check("SELECT name FROM people", NULL), "source.unavailable source.unavailable");
}

/* --- tools that change something --- */

static const char things_sql[] =
	"CREATE TABLE things (id INTEGER PRIMARY KEY, tenant TEXT, name TEXT, price INTEGER);"
	"CREATE TABLE parts (a, b, thing REFERENCES things (id) ON DELETE CASCADE, "
	"PRIMARY KEY (a, b));"
	"CREATE TABLE log (line TEXT);"
	"CREATE TRIGGER told AFTER UPDATE OF price ON things BEGIN INSERT INTO log VALUES (1); END;"
	"CREATE VIRTUAL TABLE words USING fts5(text);"
	"CREATE TRIGGER indexed AFTER UPDATE OF name ON things BEGIN "
	"INSERT INTO words VALUES (new.name); END;"
	"CREATE TABLE hides (rowid, _rowid_, oid)";

struct write_case {
	const char *before, *statement, *after, *from; /* NULL: a good one; from: no answer */
	bool returning;
	const char *table, *key, *update, *where;
	unsigned operations;
	uint32_t rows_min;
	const char *more; /* a table that may be inserted into */
	const char *codes;
};

static struct str text(const char *given, const char *otherwise)
{
	return str_c(given ? given : otherwise);
}

static const struct column *columns_of(const struct str *names, size_t count)
{
	struct column *columns = arena_array(&arena, struct column, count);

	for (size_t i = 0; i < count; i++)
		columns[i].name = names[i];
	return columns;
}

static const char *check_write(const struct write_case *x)
{
	static const struct param one[] = { { .kind = PARAM_SUBJECT } };
	const struct str shown[] = { text(x->key, "id"), text(x->update, "price") };
	const struct str line = S("line");
	struct condition before = { .statement = {
					    .sql = text(x->before, "SELECT 1 FROM things") } };
	struct condition after = { .statement = { .sql = text(x->after, "SELECT 1 FROM things"),
					   .serial = 1 } };
	struct statement statement = { .sql = text(x->statement, "UPDATE things SET price = 1"),
		.serial = 2 };
	struct part part = { .shape = SHAPE_MANY,
		.columns = name_column,
		.column_count = 1,
		.statement = { .sql = text(x->from, ""), .serial = 3 } };
	struct effect_rule rules[] = {
		{ .table = text(x->table, "things"),
			.operations = x->operations ? x->operations : (unsigned)EFFECT_UPDATE,
			.rows_min = x->rows_min,
			.rows_max = 9,
			.key = { &shown[0], 1 },
			.update = { &shown[1], 1 },
			.where = { .sql = text(x->where, "tenant = ?1"),
				.params = one,
				.param_count = 1 },
			.columns = columns_of(shown, 2),
			.column_count = 2 },
		{ .table = str_c(x->more), .operations = EFFECT_INSERT },
	};
	struct write write = { .before = &before,
		.before_count = 1,
		.statements = &statement,
		.statement_count = 1,
		.after = &after,
		.after_count = 1,
		.rules = rules,
		.rule_count = x->more ? 2 : 1,
		.returning = x->returning };
	struct entry entry = { .kind = ENTRY_TOOL,
		.name = S("t"),
		.source = &sources[0],
		.write = &write,
		.action = { .kind = ACTION_WRITE,
			.parts = &part,
			.part_count = x->from || x->returning } };
	const struct entry *tools[] = { &entry };
	struct catalog catalog = { .tools = tools, .tool_count = 1, .statement_count = 4 };

	if (x->returning)
		part.statement = statement;
	if (x->more && str_eq(rules[1].table, S("log"))) {
		rules[1].key = (struct names){ &line, 1 };
		rules[1].columns = columns_of(&line, 1);
		rules[1].column_count = 1;
	}
	return check_catalog(&catalog);
}

static int set_up_writes(void **state)
{
	struct err err;

	set_up(state);
	run_sql(things_sql);
	if (!ledger_install(str_c(file), &err))
		fail_msg("%s", err.text);
	sources[0].path = str_c(file);
	sources[1].path = str_c(directory);
	return 0;
}

static void every_part_of_a_write_is_held_against_its_database(void **state)
{
#define LOG "?write.undeclared_table"
	static const struct write_case table[] = {
		{ .codes = LOG },
		{ .more = "log", .codes = "" },
		{ .more = "words", .codes = LOG },
		{ .before = "SELECT 1 FROM nothing", .more = "log", .codes = "sql.prepare" },
		{ .after = "SELECT nothing FROM things", .more = "log", .codes = "sql.prepare" },
		{ .before = "DELETE FROM log",
			.more = "log",
			.codes = "sql.not_a_read write.undeclared_operation" },
		{ .statement = "UPDATE things SET prize = 1", .codes = "sql.prepare" },
		{ .statement = "UPDATE postern_ledger SET tool = 1", .codes = "sql.prepare" },
		{ .statement = "UPDATE things SET tenant = 1", .codes = "write.undeclared_column" },
		{ .statement = "UPDATE things SET name = 1",
			.update = "name",
			.codes = "?write.undeclared_table" },
		{ .statement = "UPDATE things SET name = 1",
			.update = "name",
			.more = "words",
			.codes = "" },
		{ .statement = "INSERT INTO words VALUES (1)",
			.more = "words",
			.codes = "write.virtual_table" },
		{ .statement = "DELETE FROM things",
			.codes = "write.undeclared_operation "
				 "?write.undeclared_table" },
		{ .statement = "SELECT 1", .codes = "sql.not_a_write" },
		{ .statement = "INSERT INTO log VALUES (1)", .codes = "write.undeclared_table" },
		{ .statement = "INSERT INTO log VALUES (1) RETURNING line AS name",
			.more = "log",
			.returning = true,
			.codes = "" },
		{ .statement = "INSERT INTO log VALUES (1) RETURNING line",
			.more = "log",
			.returning = true,
			.codes = "returns.missing_column returns.undeclared_column" },
		{ .statement = "INSERT INTO log VALUES (nothing) RETURNING line",
			.more = "log",
			.returning = true,
			.codes = "sql.prepare" },
		{ .from = "SELECT name FROM things", .more = "log", .codes = "" },
		{ .from = "SELECT id FROM things",
			.more = "log",
			.codes = "returns.missing_column returns.undeclared_column" },
		{ .from = "SELECT name FROM nothing", .more = "log", .codes = "sql.prepare" },
		{ .from = "DELETE FROM log RETURNING line AS name",
			.more = "log",
			.codes = "sql.not_a_read" },
		{ .where = "tenent = ?1", .more = "log", .codes = "sql.prepare" },
		{ .where = "nothing(tenant) = ?1", .more = "log", .codes = "sql.prepare" },
		{ .where = "printf('%d', id) = ?1", .more = "log", .codes = "sql.prepare" },
		{ .key = "ID", .more = "log", .codes = "write.unknown_column ?write.key" },
		{ .key = "name", .more = "log", .codes = "?write.key" },
		{ .statement = "UPDATE parts SET b = 1",
			.table = "Parts",
			.codes = "write.undeclared_table write.unknown_table" },
		{ .statement = "UPDATE parts SET b = 1",
			.table = "parts",
			.key = "a",
			.update = "b",
			.where = "thing = ?1",
			.codes = "?write.key" },
		{ .statement = "INSERT INTO hides VALUES (1, 2, 3)",
			.table = "hides",
			.operations = EFFECT_INSERT,
			.key = "rowid",
			.update = "oid",
			.where = "oid = ?1",
			.codes = "write.rows_alike" },
		{ .statement = "UPDATE things SET name = 1",
			.table = "words",
			.rows_min = 1,
			.operations = EFFECT_INSERT,
			.key = "text",
			.update = "rank",
			.where = "text = ?1",
			.codes = "write.undeclared_table write.virtual_table" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *codes = check_write(&table[i]);

		if (strcmp(codes, table[i].codes) != 0)
			fail_msg("case %zu: %s", i, codes);
	}
}

static void a_source_that_tools_change_is_installed(void **state)
{
	static const struct write_case good = { .more = "log" };

	(void)state;
	assert_string_equal(check_write(&good), "");
	run_sql("DROP TABLE postern_marker");
	assert_string_equal(check_write(&good), "source.unmarked");
	config.read_only.all = true;
	assert_string_equal(check_write(&good), "?source.unmarked");
	config.read_only.all = false;
	mark(ENV_DEVELOPMENT, false);
	run_sql("UPDATE postern_marker SET identity = NULL");
	assert_string_equal(check_write(&good), "source.unmarked");
	mark(ENV_DEVELOPMENT, false);
	run_sql("PRAGMA foreign_keys = OFF; DROP TABLE postern_ledger_sums;"
		"DROP TABLE postern_ledger_rows; DROP TABLE postern_ledger");
	assert_string_equal(check_write(&good), "ledger.missing");
	config.read_only.all = true;
	assert_string_equal(check_write(&good), "");
}

static void a_source_that_cannot_be_changed_is_found(void **state)
{
	static const struct write_case good = { .more = "log" };

	(void)state;
	if (geteuid() == 0)
		skip();
	assert_int_equal(chmod(file, 0400), 0);
	assert_string_equal(check_write(&good), "source.unavailable");
	config.read_only.all = true;
	assert_string_equal(check_write(&good), "");
}

/* All that stands in the file, and its journal mode. */
static struct str dump(void)
{
	struct str all;
	struct err err;

	if (!file_read(&arena, str_c(file), (size_t)4 << 20, &all, &err))
		fail_msg("%s", err.text);
	return all;
}

static void nothing_changes_by_looking(void **state)
{
	static const struct write_case table[] = {
		{ .more = "log" },
		{ .statement = "DELETE FROM things" },
		{ .statement = "INSERT INTO log VALUES (1) RETURNING line AS name",
			.more = "log",
			.returning = true },
		{ .statement = "UPDATE things SET name = 1", .update = "name", .more = "words" },
	};
	struct str before;

	(void)state;
	run_sql("INSERT INTO things VALUES (1, 'a', 'n', 5); INSERT INTO log VALUES ('x')");
	before = dump();
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		check_write(&table[i]);
	assert_true(str_eq(dump(), before));
	run_sql("UPDATE things SET price = 6"); /* nobody holds a lock */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define W(name) cmocka_unit_test_setup_teardown(name, set_up_writes, tear_down)
	const struct CMUnitTest tests[] = {
		T(every_statement_is_tried_on_its_database),
		T(the_marker_says_whose_a_source_is),
		T(sources_that_are_not_there_are_found),
		W(every_part_of_a_write_is_held_against_its_database),
		W(a_source_that_tools_change_is_installed),
		W(a_source_that_cannot_be_changed_is_found),
		W(nothing_changes_by_looking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
