#include "backend/fixture.h"

#include "sql/marker.h"

#include <sqlite3.h>

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

/* The codes of what is found, separated by spaces, for one tool with this statement. */
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
	struct backends *b;
	struct findings f;
	struct buf codes;
	struct err err;

	findings_init(&f, &arena);
	b = backends_new(&config, &catalog, &err);
	backends_check(b, &f);
	backends_free(&b);
	buf_in(&codes, &arena, 4096);
	for (size_t i = 0; i < f.count; i++)
		buf_fmt(&codes, "%s%s", i ? " " : "", f.list[i].code);
	return arena_cstr(&arena, buf_str(&codes));
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

static void remove_marker(const char *sql)
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
		{ ENV_DEVELOPMENT, "DROP TABLE postern_marker", "source.unmarked" },
		{ ENV_STAGING, "SELECT 1", "source.unmarked" },
		{ ENV_PRODUCTION, "SELECT 1", "source.unmarked" },
		{ ENV_DEVELOPMENT, "CREATE TABLE postern_marker (x)", "source.marker" },
	};

	(void)state;
	sources[0].path = str_c(file);
	sources[1].path = str_c(directory);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *codes;

		remove_marker(table[i].sql);
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(every_statement_is_tried_on_its_database),
		T(the_marker_says_whose_a_source_is),
		T(sources_that_are_not_there_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
