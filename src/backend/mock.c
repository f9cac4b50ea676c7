/* mock - the rows that an entry wrote down, in place of a source's.  The catalog checked them and
 * refuses them outside development. */
#include "backend/inside.h"

static const enum cell_kind kinds[] = {
	[MOCK_NULL] = CELL_NULL,
	[MOCK_INTEGER] = CELL_INTEGER,
	[MOCK_REAL] = CELL_REAL,
	[MOCK_TEXT] = CELL_TEXT,
	[MOCK_BYTES] = CELL_BLOB,
};

static void fill(struct call *c, struct rows *rows)
{
	const struct part *part = rows->part;

	for (size_t row = 0; row < part->mock_rows && row < part->rows; row++) {
		struct cell *cells = rows_add(rows, c->arena);

		for (size_t i = 0; i < part->column_count; i++) {
			const struct mock_value *v = &part->mock[row * part->column_count + i];

			cells[i] = (struct cell){ kinds[v->kind], v->text };
			rows->bytes += v->text.n;
		}
	}
	rows->more = part->mock_rows > part->rows;
}

bool run_mock(struct call *c)
{
	const struct action *action = &c->entry->action;

	c->rows = arena_array(c->arena, struct rows, action->part_count);
	for (size_t i = 0; i < action->part_count; i++) {
		rows_init(&c->rows[i], &action->parts[i]);
		fill(c, &c->rows[i]);
	}
	return call_done(c, CONTENT_ROWS);
}
