/* raw_sql: what runs, what is refused, and where it does not run at all. */
#include "backend/place_fixture.h"

static int set_up(void **state)
{
	(void)state;
	place_make("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, raw BLOB);"
		   "INSERT INTO people VALUES (1, 'Ada', x'00ff'), (2, NULL, NULL);"
		   "CREATE VIRTUAL TABLE found USING fts5(body);"
		   "INSERT INTO found VALUES ('one two')");
	place_mark(ENV_DEVELOPMENT, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove();
	return 0;
}

static struct call *raw_of(const char *sql)
{
	struct entry *e = arena_new(&arena, struct entry);
	struct buf text;
	struct jw w;

	*e = (struct entry){ .kind = ENTRY_TOOL,
		.name = S("raw"),
		.requires = S("g"),
		.source = &place_source,
		.bytes = 4096,
		.action = { .kind = ACTION_RAW, .principal = S("ada"), .rows = 3 } };
	buf_in(&text, &arena, 65536);
	jw_init(&w, &text);
	jw_object(&w);
	jw_put_str(&w, S("sql"), str_c(sql));
	jw_object_end(&w);
	return call_of(e, arena_cstr(&arena, buf_str(&text)));
}

static void a_read_is_run_and_cut(void **state)
{
	static const struct {
		const char *sql, *result;
	} table[] = {
		{ "SELECT 1 AS a, 'x' AS b",
			"{\"columns\":[\"a\",\"b\"],\"rows\":[[1,\"x\"]],\"truncated\":false}" },
		{ "SELECT id, name, raw FROM people ORDER BY id;",
			"{\"columns\":[\"id\",\"name\",\"raw\"],\"rows\":[[1,\"Ada\",\"AP8=\"],"
			"[2,null,null]],\"truncated\":false}" },
		{ "SELECT 9007199254740993 AS n, 0.5 AS r, 9e999 AS i, CAST(x'ff' AS TEXT) AS t",
			"{\"columns\":[\"n\",\"r\",\"i\",\"t\"],\"rows\":[[\"9007199254740993\",0."
			"5,"
			"\"inf\",\"/w==\"]],\"truncated\":false}" },
		{ "SELECT body FROM found WHERE found MATCH 'two'",
			"{\"columns\":[\"body\"],\"rows\":[[\"one two\"]],\"truncated\":false}" },
		{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
			"{\"columns\":[\"i\"],\"rows\":[[1],[2],[3]],\"truncated\":true}" },
		{ "SELECT 1 AS a WHERE 0",
			"{\"columns\":[\"a\"],\"rows\":[],\"truncated\":false}" },
		{ "SELECT ?1 AS a", "{\"columns\":[\"a\"],\"rows\":[[null]],\"truncated\":false}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct call *c = raw_of(table[i].sql);

		if (!run(place_backends, c))
			fail_msg("%s: %.*s", table[i].sql, STR_ARG(c->fault.operator_text));
		assert_int_equal(c->content, CONTENT_OBJECT);
		assert_text(c->content_json, table[i].result);
	}
}

static void what_is_not_one_read_is_refused(void **state)
{
	static const char *const table[] = { "DELETE FROM people",
		"INSERT INTO people (id) VALUES (9)", "UPDATE people SET name = ''",
		"CREATE TABLE t (x)", "DROP TABLE people", "ATTACH 'x.db' AS x", "DETACH main",
		"PRAGMA writable_schema = 1", "PRAGMA table_info(people)", "PRAGMA query_only = 0",
		"VACUUM", "BEGIN", "ROLLBACK", "SAVEPOINT a", "REINDEX", "ANALYZE",
		"EXPLAIN SELECT 1", "SELECT 1; SELECT 2", "SELECT 1; DELETE FROM people", "",
		"   -- nothing", "SELECT * FROM pragma_table_info('people')",
		"SELECT load_extension('x')", "SELECT readfile('/etc/passwd')",
		"SELECT * FROM dbstat", "SELECT nothing FROM nowhere", "SELEC 1", "SELECT 'open",
		"WITH x AS (SELECT 1) DELETE FROM people" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct call *c = raw_of(table[i]);

		if (run(place_backends, c))
			fail_msg("%s was run", table[i]);
		assert_fault(c, VALIDATION_ERROR, "sql");
		/* its author learns why, and nothing of where the file is */
		assert_true(str_has(c->fault.details_json, ':'));
		assert_int_equal(str_find_str(c->fault.details_json, 0, str_c(place_directory)),
			c->fault.details_json.n);
	}
	assert_true(run(place_backends, raw_of("SELECT count(*) AS n FROM people")));
}

/* Somebody else's name, or the same name at an issuer that the entry does not name. */
static void refuse_stranger(struct str subject, struct str issuer)
{
	const struct principal stranger = { .subject = subject,
		.issuer = issuer,
		.grants = (const struct str[]){ STR_INIT("g") },
		.grant_count = 1 };
	struct call *c = raw_of("SELECT 1 AS a");

	c->who = &stranger;
	assert_false(permission_visible(c->who, c->entry));
	c->passed = GUARD_KILL | GUARD_PERMISSION | GUARD_STATE | GUARD_CURSOR | GUARD_APPROVAL |
		    GUARD_LIMITS; /* as if nobody had asked */
	assert_int_equal(guard_schema(c), VERDICT_PASS);
	assert_false(backend_run(place_backends, guard_warrant(c)));
	assert_fault(c, PERMISSION_DENIED, "raw_sql");
}

static void it_runs_nowhere_else(void **state)
{
	struct call *c;

	(void)state;
	refuse_stranger(S("bob"), STR_NONE);
	refuse_stranger(S("ada"), S("https://issuer.example"));
	place_config.environment = ENV_STAGING;
	c = raw_of("SELECT 1 AS a");
	assert_false(run(place_backends, c));
	assert_fault(c, PERMISSION_DENIED, "raw_sql");
	place_config.environment = ENV_DEVELOPMENT;

	place_mark(ENV_DEVELOPMENT, false);
	c = raw_of("SELECT 1 AS a");
	assert_false(run(place_backends, c));
	assert_fault(c, UPSTREAM_UNAVAILABLE, "marker");
	place_sql("UPDATE postern_marker SET synthetic = 1, environment = 'production'");
	c = raw_of("SELECT 1 AS a");
	assert_false(run(place_backends, c));
	assert_fault(c, UPSTREAM_UNAVAILABLE, "marker");
	place_sql("DROP TABLE postern_marker");
	c = raw_of("SELECT 1 AS a");
	assert_false(run(place_backends, c));
	assert_fault(c, UPSTREAM_UNAVAILABLE, "marker");
}

static void time_and_bytes_have_an_end(void **state)
{
	struct call *c = raw_of("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
				"SELECT count(*) FROM n");

	(void)state;
	c->deadline_ms = clock_mono_ms() + 50;
	assert_false(run(place_backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "deadline");
	c = raw_of("SELECT hex(zeroblob(2500)) AS long");
	assert_false(run(place_backends, c));
	assert_fault(c, RESULT_TOO_LARGE, "bytes");
}

/* Each would go on long after the deadline, in one step that nothing can interrupt. */
static void no_function_runs_past_the_deadline(void **state)
{
	static const char *const table[] = {
		"SELECT printf('%.*c', 900000000, 'x')",
		"SELECT FORMAT('%.*c', 900000000, 'x')",
		"SELECT length(zeroblob(900000000))",
		"SELECT instr(hex(zeroblob(1000000)), hex(zeroblob(500000)) || 'b')",
		"SELECT length(replace(hex(zeroblob(1000000)), hex(zeroblob(500000)) || 'b', ''))",
		"SELECT group_concat(hex(zeroblob(1000))) FROM (WITH RECURSIVE n(i) AS (SELECT 1 "
		"UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)",
		"WITH RECURSIVE n(s) AS (SELECT 'xx' UNION ALL SELECT s || s FROM n) "
		"SELECT count(*) FROM n",
		"WITH RECURSIVE n(s) AS (SELECT hex(zeroblob(30000)) UNION ALL SELECT substr(s || "
		"'x', 2) FROM n) SELECT sum(instr(s, 'b')) FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
		"sum(instr(hex(zeroblob(30000)), hex(zeroblob(15000)) || 'b') + i) FROM n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct call *c = raw_of(table[i]);
		uint64_t began_ms = clock_mono_ms();

		c->deadline_ms = began_ms + 50;
		assert_false(run(place_backends, c));
		if (clock_mono_ms() - began_ms > 2000)
			fail_msg("%s took %llu ms", table[i],
				(unsigned long long)(clock_mono_ms() - began_ms));
	}
	assert_true(run(place_backends, raw_of("SELECT count(*) AS n FROM people")));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_read_is_run_and_cut),
		T(what_is_not_one_read_is_refused),
		T(it_runs_nowhere_else),
		T(time_and_bytes_have_an_end),
		T(no_function_runs_past_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
