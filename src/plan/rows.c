/* rows - see rows.h. */
#include "plan/rows.h"

#include <string.h>

void rows_init(struct rows *r, const struct part *part)
{
	*r = (struct rows){ .part = part };
}

struct cell *rows_add(struct rows *r, struct arena *a)
{
	size_t width = r->part->column_count;

	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : MIN(r->part->rows, 16u);
		struct cell *cells;

		cap = MAX(cap, r->count + 1);
		cells = arena_array(a, struct cell, cap * width);
		if (r->count)
			memcpy(cells, r->cells, r->count * width * sizeof *cells);
		r->cells = cells;
		r->cap = cap;
	}
	return memset(&r->cells[r->count++ * width], 0, width * sizeof *r->cells);
}
