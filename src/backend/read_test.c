#include "backend/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>

static char directory[64], file[96];
static struct source_config source = {
	.name = STR_INIT("demo"), .kind = SOURCE_SQLITE, .pool = 2, .concurrency = 2
};
static struct config config = { .sources = &source, .source_count = 1 };
static struct catalog catalog = { .statement_count = 16 };
static struct backends *backends;

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	snprintf(directory, sizeof directory, "%s/read-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	arena_init(&arena, (size_t)64 << 20);
	port_log = (struct port_log){ 0 };
	run_sql("PRAGMA journal_mode = WAL;"
		"CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, pay REAL, exact TEXT);"
		"INSERT INTO people VALUES (1, 'Ada', 12.5, '0.1000000000000000055'),"
		" (2, 'Bob', NULL, '1'), (9007199254740993, 'Cy', 0.1, '2');"
		"CREATE TABLE lines (person INTEGER, text TEXT);"
		"INSERT INTO lines VALUES (1, 'aaaaaaaaaa'), (1, 'bbbbbbbbbb'), (1, 'cccccccccc');"
		"CREATE VIRTUAL TABLE found USING fts5(body); INSERT INTO found VALUES ('one "
		"two')");
	source.path = str_c(file);
	backends = backends_new(&config, &catalog, &err);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	arena_done(&arena);
	backends_free(&backends);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	rmdir(directory);
	return 0;
}

static const struct param input_x[] = { { .kind = PARAM_INPUT, .name = STR_INIT("x") } };
static const struct column one_column[] = { { .name = STR_INIT("v"), .nullable = true } };

/* An entry that reads one part. */
static struct entry entry_of(struct part *part)
{
	return (struct entry){ .kind = ENTRY_TOOL,
		.name = S("t"),
		.requires = S("g"),
		.source = &source,
		.bytes = 4096,
		.action = { .kind = ACTION_READ, .parts = part, .part_count = 1 } };
}

static struct part part_of(const char *sql, enum shape shape)
{
	return (struct part){
		.statement = { .sql = str_c(sql), .params = input_x, .param_count = 1 },
		.shape = shape,
		.columns = one_column,
		.column_count = 1,
		.rows = 100
	};
}

static void arguments_are_bound_as_what_they_are(void **state)
{
	static const struct {
		const char *arguments, *bound; /* its type and its text */
	} table[] = {
		{ "{}", "null" },
		{ "{\"x\":null}", "null" },
		{ "{\"x\":\"Ada\"}", "text Ada" },
		{ "{\"x\":\"5\"}", "text 5" },
		{ "{\"x\":\"'; DROP TABLE people; --\"}", "text '; DROP TABLE people; --" },
		{ "{\"x\":true}", "integer 1" },
		{ "{\"x\":false}", "integer 0" },
		{ "{\"x\":5}", "integer 5" },
		{ "{\"x\":-0}", "integer 0" },
		{ "{\"x\":5.0}", "integer 5" },
		{ "{\"x\":50e-1}", "integer 5" },
		{ "{\"x\":9007199254740993}", "integer 9007199254740993" },
		{ "{\"x\":9223372036854775807}", "integer 9223372036854775807" },
		{ "{\"x\":9223372036854775808}", "text 9223372036854775808" },
		{ "{\"x\":0.1}", "real 0.1" },
		{ "{\"x\":0.10}", "real 0.1" },
		{ "{\"x\":1e100}", "real 1.0e+100" },
		{ "{\"x\":1e999}", "text 1e999" },
		{ "{\"x\":0.1000000000000000055}", "text 0.1000000000000000055" },
		{ "{\"x\":[1, 2.50]}", "text [1,2.50]" },
		{ "{\"x\":{\"a\":\"b\"}}", "text {\"a\":\"b\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct part part = part_of(
			"SELECT trim(typeof(?1) || ' ' || coalesce(?1, '')) AS v", SHAPE_ONE);
		struct entry entry = entry_of(&part);
		struct call *c = call_of(&entry, table[i].arguments);

		assert_true(run(backends, c));
		assert_text(c->rows[0].cells[0].text, table[i].bound);
	}
}

static void the_call_itself_can_be_bound(void **state)
{
	static const struct param params[] = { { .kind = PARAM_SUBJECT }, { .kind = PARAM_TENANT },
		{ .kind = PARAM_AGENT }, { .kind = PARAM_CALL_ID }, { .kind = PARAM_CALL_TIME } };
	struct part part =
		part_of("SELECT ?1 || '|' || coalesce(?2, 'none') || '|' || ?3 || '|' || "
			"?4 || '|' || ?5 AS v",
			SHAPE_ONE);
	struct entry entry = entry_of(&part);
	struct call *c;

	(void)state;
	part.statement.params = params;
	part.statement.param_count = ARRAY_LEN(params);
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
	assert_text(c->rows[0].cells[0].text,
		"ada|none|desk|01ABCDEFGHJKMNPQRSTVWXYZ01|2026-09-21T14:13:20.000000Z");
}

static void no_digit_is_lost_on_the_way_back(void **state)
{
	static const struct column columns[] = { { .name = STR_INIT("exact") },
		{ .name = STR_INIT("id") }, { .name = STR_INIT("pay") } };
	struct part part = part_of("SELECT id, pay, exact FROM people ORDER BY id", SHAPE_MANY);
	struct entry entry = entry_of(&part);
	struct call *c;

	(void)state;
	/* declared in another order than selected */
	part.columns = columns;
	part.column_count = ARRAY_LEN(columns);
	part.statement.param_count = 0;
	for (int i = 0; i < 2; i++) {
		c = call_of(&entry, "{}");
		assert_true(run(backends, c));
		assert_int_equal(c->end, CALL_DONE);
		assert_int_equal(c->content, CONTENT_ROWS);
		assert_int_equal(c->rows[0].count, 3);
		assert_text(c->rows[0].cells[0].text, "0.1000000000000000055");
		assert_int_equal(c->rows[0].cells[0].kind, CELL_TEXT);
		assert_text(c->rows[0].cells[1].text, "1");
		assert_text(c->rows[0].cells[2].text, "12.5");
		assert_int_equal(c->rows[0].cells[5].kind, CELL_NULL);
		assert_text(c->rows[0].cells[7].text, "9007199254740993");
		assert_int_equal(c->rows[0].cells[7].kind, CELL_INTEGER);
		assert_text(c->rows[0].cells[8].text, "0.1");
		assert_int_equal(c->rows[0].cells[8].kind, CELL_REAL);
	}
}

static const struct json *arena_copy(struct json v)
{
	struct json *copy = arena_new(&arena, struct json);

	*copy = v;
	return copy;
}

static void shapes_are_kept(void **state)
{
	static const struct {
		const char *sql;
		enum shape shape;
		enum fault_code fault;
		const char *reason;
		size_t rows;
	} table[] = {
		{ "SELECT name AS v FROM people WHERE id = 1", SHAPE_ONE, FAULT_NONE, "", 1 },
		{ "SELECT name AS v FROM people WHERE id = 7", SHAPE_ONE, NOT_FOUND, "", 0 },
		{ "SELECT name AS v FROM people", SHAPE_ONE, INTERNAL, "output_contract", 0 },
		{ "SELECT name AS v FROM people WHERE id = 1", SHAPE_MAYBE, FAULT_NONE, "", 1 },
		{ "SELECT name AS v FROM people WHERE id = 7", SHAPE_MAYBE, FAULT_NONE, "", 0 },
		{ "SELECT name AS v FROM people", SHAPE_MAYBE, INTERNAL, "output_contract", 0 },
		{ "SELECT name AS v FROM people WHERE id = 7", SHAPE_MANY, FAULT_NONE, "", 0 },
		{ "SELECT name AS v FROM people", SHAPE_MANY, FAULT_NONE, "", 3 },
		{ "SELECT name AS w FROM people", SHAPE_MANY, INTERNAL, "output_contract", 0 },
		{ "SELECT name AS v, 1 FROM people", SHAPE_MANY, INTERNAL, "output_contract", 0 },
		{ "SELECT nothing AS v", SHAPE_MANY, UPSTREAM_UNAVAILABLE, "source", 0 },
		{ "DELETE FROM people", SHAPE_MANY, UPSTREAM_UNAVAILABLE, "denied", 0 },
		{ "SELECT hex(zeroblob(9000000)) AS v", SHAPE_ONE, RESULT_TOO_LARGE, "bytes", 0 },
		{ "SELECT hex(zeroblob(3000)) AS v", SHAPE_ONE, RESULT_TOO_LARGE, "bytes", 0 },
		{ "SELECT body AS v FROM found WHERE found MATCH '\"'", SHAPE_MANY,
			VALIDATION_ERROR, "value", 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct part part = part_of(table[i].sql, table[i].shape);
		struct entry entry = entry_of(&part);
		struct call *c = call_of(&entry, "{}");
		bool ok;

		part.statement.serial = i;
		part.statement.param_count = 0;
		ok = run(backends, c);
		if (ok != (table[i].fault == FAULT_NONE))
			fail_msg("%s: %.*s", table[i].sql, STR_ARG(c->fault.operator_text));
		assert_fault(c, table[i].fault, table[i].reason);
		if (ok)
			assert_int_equal(c->rows[0].count, table[i].rows);
		if (c->fault.code == VALIDATION_ERROR)
			assert_int_equal(json_get(arena_copy(parse(arena_cstr(
							  &arena, c->fault.details_json))),
						 S("faults"))
						 ->count,
				1);
	}
}

static void one_row_more_is_fetched_and_not_kept(void **state)
{
	struct part part = part_of("SELECT name AS v FROM people ORDER BY id", SHAPE_MANY);
	struct entry entry = entry_of(&part);

	(void)state;
	part.statement.param_count = 0;
	for (uint32_t rows = 1; rows <= 4; rows++) {
		struct call *c = call_of(&entry, "{}");

		part.rows = rows;
		assert_true(run(backends, c));
		assert_int_equal(c->rows[0].count, MIN(rows, 3u));
		assert_int_equal(c->rows[0].more, rows < 3);
	}
}

static void pages_follow_the_cursor(void **state)
{
	static const struct param first[] = { { .kind = PARAM_LIMIT } };
	static const struct param next[] = { { .kind = PARAM_CURSOR, .index = 0 },
		{ .kind = PARAM_LIMIT } };
	static const struct str by[] = { STR_INIT("v") };
	struct part part = part_of("SELECT id AS v FROM people ORDER BY id LIMIT ?1", SHAPE_MANY);
	struct entry entry = entry_of(&part);
	struct call *c = call_of(&entry, "{}");
	struct json cursor;

	(void)state;
	part.statement.params = first;
	part.page = (struct page){ .on = true,
		.by = by,
		.by_count = 1,
		.size = 2,
		.max = 5,
		.next = { .sql = S("SELECT id AS v FROM people WHERE id > ?1 ORDER BY id LIMIT ?2"),
			.params = next,
			.param_count = 2,
			.serial = 1 } };
	c->page_rows = 2;
	assert_true(run(backends, c));
	assert_int_equal(c->rows[0].count, 2);
	assert_true(c->rows[0].more);
	c = call_of(&entry, "{}");
	c->page_rows = 2;
	cursor = parse("[2]");
	c->cursor = &cursor;
	assert_true(run(backends, c));
	assert_int_equal(c->rows[0].count, 1);
	assert_false(c->rows[0].more);
	assert_text(c->rows[0].cells[0].text, "9007199254740993");
}

static void parts_share_the_bytes_in_their_order(void **state)
{
	struct part parts[] = { part_of("SELECT name AS v FROM people WHERE id = 1", SHAPE_ONE),
		part_of("SELECT text AS v FROM lines ORDER BY 1", SHAPE_MANY),
		part_of("SELECT text AS v FROM lines ORDER BY 1", SHAPE_MANY),
		part_of("SELECT name AS v FROM people WHERE id = 7", SHAPE_MAYBE) };
	struct entry entry = entry_of(parts);

	(void)state;
	entry.action.part_count = ARRAY_LEN(parts);
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
		parts[i].name = S("p");
		parts[i].statement.serial = i;
		parts[i].statement.param_count = 0;
	}
	entry.bytes = 43; /* "Ada" and four lines */
	for (int i = 0; i < 2; i++) {
		struct call *c = call_of(&entry, "{}");

		assert_true(run(backends, c));
		assert_int_equal(c->rows[0].count, 1);
		assert_int_equal(c->rows[1].count, 3);
		assert_false(c->rows[1].more);
		assert_int_equal(c->rows[2].count, 1);
		assert_true(c->rows[2].more);
		assert_int_equal(c->rows[3].count, 0);
		assert_false(c->rows[3].more);
	}
	entry.bytes = 2; /* a record cannot be cut */
	{
		struct call *c = call_of(&entry, "{}");

		assert_false(run(backends, c));
		assert_fault(c, RESULT_TOO_LARGE, "bytes");
	}
}

static void a_completion_gives_its_first_column(void **state)
{
	struct part part =
		part_of("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
			"SELECT 'v' || i AS v FROM n",
			SHAPE_MANY);
	struct entry entry = entry_of(&part);
	struct call *c;

	(void)state;
	entry.kind = ENTRY_COMPLETION;
	part.statement.param_count = 0;
	part.rows = 2;
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
	assert_int_equal(c->content, CONTENT_VALUES);
	assert_text(c->content_json, "[\"v1\",\"v2\"]");
	assert_true(c->values_more);
	part.rows = 100;
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
	assert_int_equal(parse(arena_cstr(&arena, c->content_json)).count, 100);
	assert_true(c->values_more);
}

static const char runaway[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
			      "SELECT count(*) AS v FROM n";

static void deadline_and_cancellation_end_a_read(void **state)
{
	struct part part = part_of(runaway, SHAPE_ONE);
	struct entry entry = entry_of(&part);
	struct call *c = call_of(&entry, "{}");

	(void)state;
	part.statement.param_count = 0;
	c->deadline_ms = clock_mono_ms() + 20;
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "deadline");
	c = call_of(&entry, "{}");
	port_log.cancelled = true;
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "cancelled");
	port_log.cancelled = false;
	part.statement.serial = 1;
	part.statement.sql = S("SELECT 1 AS v");
	c = call_of(&entry, "{}");
	c->deadline_ms = clock_mono_ms() - 1;
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "deadline");
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
}

static void a_missing_database_is_unavailable(void **state)
{
	struct part part = part_of("SELECT 1 AS v", SHAPE_ONE);
	struct entry entry = entry_of(&part);
	struct call *c = call_of(&entry, "{}");

	(void)state;
	part.statement.param_count = 0;
	unlink(file);
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_UNAVAILABLE, "source");
	assert_true(c->fault.operator_text.n > 0);
}

struct background {
	struct port_log log; /* first: the port's context */
	int looks; /* at whether it was cancelled: its statement runs */
	struct entry entry;
	struct part part;
	struct arena arena;
	struct call_port port;
	struct json sent;
	struct call call;
	pthread_t thread;
};

static void *run_background(void *background)
{
	struct background *g = background;

	(void)!backend_run(backends, guard_warrant(&g->call));
	return NULL;
}

static bool count_looks(void *ctx)
{
	struct background *g = ctx;

	__atomic_add_fetch(&g->looks, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&g->log.cancelled, __ATOMIC_SEQ_CST);
}

static void a_full_source_is_busy_and_frees_itself(void **state)
{
	static struct background g[2];
	struct part part = part_of("SELECT 1 AS v", SHAPE_ONE);
	struct entry entry = entry_of(&part);
	struct call *c;

	(void)state;
	part.statement.param_count = 0;
	part.statement.serial = 5;
	for (size_t i = 0; i < ARRAY_LEN(g); i++) {
		g[i] = (struct background){ .part = part_of(runaway, SHAPE_ONE), .port = port };
		g[i].part.statement.param_count = 0;
		g[i].entry = entry_of(&g[i].part);
		arena_init(&g[i].arena, (size_t)1 << 20);
		g[i].port.ctx = &g[i].log;
		g[i].port.cancelled = count_looks;
		g[i].call = *call_of(&g[i].entry, "{}");
		g[i].call.arena = &g[i].arena;
		g[i].call.port = &g[i].port;
		g[i].call.deadline_ms += 20000;
		assert_int_equal(guard_permission(&g[i].call), VERDICT_PASS);
		assert_int_equal(guard_schema(&g[i].call), VERDICT_PASS);
		g[i].call.passed |=
			GUARD_KILL | GUARD_STATE | GUARD_CURSOR | GUARD_APPROVAL | GUARD_LIMITS;
		assert_int_equal(pthread_create(&g[i].thread, NULL, run_background, &g[i]), 0);
		while (!__atomic_load_n(&g[i].looks, __ATOMIC_SEQ_CST))
			sched_yield();
	}
	c = call_of(&entry, "{}");
	c->deadline_ms = clock_mono_ms() + 30;
	assert_false(run(backends, c));
	assert_fault(c, BUSY, "source");
	__atomic_store_n(&g[0].log.cancelled, true, __ATOMIC_SEQ_CST);
	c = call_of(&entry, "{}");
	assert_true(run(backends, c)); /* waits for the place that becomes free */
	__atomic_store_n(&g[1].log.cancelled, true, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < ARRAY_LEN(g); i++) {
		pthread_join(g[i].thread, NULL);
		assert_fault(&g[i].call, UPSTREAM_TIMEOUT, "cancelled");
		arena_done(&g[i].arena);
	}
}

static void a_call_out_of_memory_gives_everything_back(void **state)
{
	struct part part = part_of("SELECT hex(zeroblob(500000)) AS v", SHAPE_ONE);
	struct entry entry = entry_of(&part);

	(void)state;
	part.statement.param_count = 0;
	entry.bytes = (uint64_t)4 << 20;
	for (int i = 0; i < 4; i++) { /* twice as often as there are places */
		struct arena small;
		jmp_buf place;
		struct call *c = call_of(&entry, "{}");

		arena_init(&small, 200000);
		c->arena = &small;
		if (arena_catch(&small, &place)) {
			arena_done(&small);
			continue;
		}
		(void)!run(backends, c);
		fail_msg("it had memory enough");
	}
	part.statement.serial = 1;
	part.statement.sql = S("SELECT 1 AS v");
	assert_true(run(backends, call_of(&entry, "{}")));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(arguments_are_bound_as_what_they_are),
		T(the_call_itself_can_be_bound),
		T(no_digit_is_lost_on_the_way_back),
		T(shapes_are_kept),
		T(one_row_more_is_fetched_and_not_kept),
		T(pages_follow_the_cursor),
		T(parts_share_the_bytes_in_their_order),
		T(a_completion_gives_its_first_column),
		T(deadline_and_cancellation_end_a_read),
		T(a_missing_database_is_unavailable),
		T(a_full_source_is_busy_and_frees_itself),
		T(a_call_out_of_memory_gives_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
