/* Rows grow and keep what was put into them. */
#include "base/test.h"
#include "plan/rows.h"

static const struct column columns[3] = { { .name = STR_INIT("a") }, { .name = STR_INIT("b") },
	{ .name = STR_INIT("c") } };

static void fill(struct rows *rows, struct arena *a, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cell *row = rows_add(rows, a);

		for (size_t k = 0; k < rows->part->column_count; k++) {
			assert_int_equal(row[k].kind, CELL_NULL);
			assert_int_equal(row[k].text.n, 0);
			row[k].kind = CELL_INTEGER;
			row[k].text = arena_fmt(a, "%zu", i * 3 + k);
		}
	}
}

static void rows_keep_their_cells_while_they_grow(void **state)
{
	static const struct {
		uint32_t declared;
		size_t added;
	} cases[] = { { 1, 1 }, { 1, 2 }, { 0, 5 }, { 3, 4 }, { 16, 16 }, { 1000, 333 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct part part = {
			.columns = columns, .column_count = 3, .rows = cases[i].declared
		};
		struct arena a;
		struct rows rows;

		arena_init(&a, (size_t)4 << 20);
		rows_init(&rows, &part);
		fill(&rows, &a, cases[i].added);
		assert_int_equal(rows.count, cases[i].added);
		assert_true(rows.count <= rows.cap);
		for (size_t k = 0; k < rows.count * 3; k++)
			assert_str(rows.cells[k].text, arena_cstr(&a, arena_fmt(&a, "%zu", k)));
		arena_done(&a);
	}
}

static void a_row_that_was_taken_back_comes_again_without_its_values(void **state)
{
	struct part part = { .columns = columns, .column_count = 3, .rows = 8 };
	struct rows rows;
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	rows_init(&rows, &part);
	fill(&rows, &a, 2);
	rows.count--; /* as a reader does with a row that does not fit */
	fill(&rows, &a, 1);
	assert_int_equal(rows.count, 2);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_keep_their_cells_while_they_grow),
		cmocka_unit_test(a_row_that_was_taken_back_comes_again_without_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
