/* rows - what came back from a statement, as typed text in an arena. */
#pragma once
#include "base/arena.h"
#include "catalog/catalog.h"

enum cell_kind {
	CELL_NULL,
	CELL_INTEGER,
	CELL_REAL,
	CELL_TEXT,
	CELL_BLOB,
	CELL_MASKED, /* text, whatever the column's type: what a mask left */
};

struct cell {
	enum cell_kind kind;
	struct str text; /* INTEGER, REAL: the lexeme (REAL: shortest that reads back the same) */
};

struct rows {
	const struct part *part;
	struct cell *cells; /* count × part->column_count */
	size_t count, cap;
	bool more; /* there was at least one row past the limit; it is not kept */
	size_t bytes; /* of cell text kept */
};

void rows_init(struct rows *r, const struct part *part);
struct cell *rows_add(struct rows *r, struct arena *a); /* one row of zeroed cells */
