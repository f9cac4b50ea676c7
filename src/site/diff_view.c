/* diff_view - every row that a plan changes, before and after (inside.h). */
#include "render/mask.h"
#include "site/inside.h"

static void write_cell(struct look *l, const struct effect_column *c, const struct cell *cell)
{
	if (!cell)
		return;
	if (cell->kind == CELL_NULL)
		html_put_class(&l->h, "span", "mark", S("NULL"));
	else if (c->mask.kind && !principal_holds(&l->who, c->unmask))
		html_text(&l->h, mask_text(&c->mask, l->r->mask_key, l->a, cell));
	else
		html_text(&l->h, cell->text);
}

static void write_effect(struct look *l, const struct effect *e)
{
	static const char *const columns[] = { "Column", "Before", "After", NULL };

	table_begin(l, "diff",
		arena_fmt(l->a, "%s %.*s", effect_operation_name(e->operation),
			STR_ARG(e->table->name)),
		columns);
	for (size_t i = 0; i < e->table->column_count; i++) {
		const struct effect_column *c = &e->table->columns[i];

		table_row(l);
		html_text(&l->h, c->name);
		table_cell(l, "before");
		write_cell(l, c, e->before ? &e->before[i] : NULL);
		table_cell(l, "after");
		write_cell(l, c, e->after ? &e->after[i] : NULL);
		table_row_end(l);
	}
	table_end(l);
}

void diff_view(struct look *l, const struct plan *p)
{
	html_open_class(&l->h, "section", "changes");
	html_put(&l->h, "h2", S("Every row, before and after"));
	for (size_t i = 0; i < p->step_count; i++)
		for (size_t j = 0; j < p->steps[i].effects.count; j++)
			write_effect(l, &p->steps[i].effects.list[j]);
	html_close(&l->h);
}
