/* Mocks give the rows that were written down, and touch no source. */
#include "backend/fixture.h"

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	port_log = (struct port_log){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void a_mock_gives_its_rows_up_to_the_limit(void **state)
{
	static const struct column columns[] = { { .name = STR_INIT("id"), .type = COLUMN_INTEGER },
		{ .name = STR_INIT("name"), .nullable = true } };
	static const struct mock_value values[] = { { MOCK_INTEGER, STR_INIT("1") },
		{ MOCK_TEXT, STR_INIT("Ada") }, { MOCK_INTEGER, STR_INIT("2") },
		{ MOCK_NULL, { 0 } }, { MOCK_INTEGER, STR_INIT("3") },
		{ MOCK_TEXT, STR_INIT("Cy") } };
	struct part parts[] = { { .name = S("some"),
					.shape = SHAPE_MANY,
					.columns = columns,
					.column_count = 2,
					.rows = 2,
					.mock = values,
					.mock_rows = 3 },
		{ .name = S("none"),
			.shape = SHAPE_MAYBE,
			.columns = columns,
			.column_count = 2,
			.rows = 1 } };
	struct config config = { 0 };
	struct catalog catalog = { 0 };
	struct entry e = { .kind = ENTRY_TOOL,
		.name = S("t"),
		.requires = S("g"),
		.mock = true,
		.action = { .kind = ACTION_READ, .parts = parts, .part_count = 2 } };
	struct call *c = call_of(&e, "{}");
	struct err err;
	struct backends *b = backends_new(&config, &catalog, &err);

	(void)state;
	assert_true(run(b, c));
	assert_int_equal(c->content, CONTENT_ROWS);
	assert_int_equal(c->rows[0].count, 2);
	assert_true(c->rows[0].more);
	assert_int_equal(c->rows[0].cells[0].kind, CELL_INTEGER);
	assert_text(c->rows[0].cells[1].text, "Ada");
	assert_int_equal(c->rows[0].cells[3].kind, CELL_NULL);
	assert_int_equal(c->rows[1].count, 0);
	assert_false(c->rows[1].more);
	backends_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_mock_gives_its_rows_up_to_the_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
