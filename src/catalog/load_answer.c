/* load_answer - `returns` of a write: what it answers, from a closing read inside the same
 * transaction or from the RETURNING of one of its statements.
 *
 *   returns: { shape: one | maybe | many, from: SELECT … | { statement: 2 }, columns: { … } }
 *   returns: { shape: none }                                               the same as no returns
 *
 * A column that the database assigns says `assigned: true`: a preview shows null in its place. */
#include "catalog/load_write.h"

static void refuse(struct write_load *wl, const struct yaml *at, const char *code, const char *what,
	const char *remedy)
{
	entry_refuse(wl->el, at ? at : wl->node, code, str_c(what), str_c(remedy));
}

/* from: { statement: N } */
static void load_returning(struct write_load *wl, const struct yaml *from, struct part *part)
{
	struct entry_load *el = wl->el;
	struct write *w = wl->w;
	struct reader r;
	size_t n;

	reader_init(&r, el->a, el->f, from,
		arena_cstr(el->a, arena_fmt(el->a, "%s returns from", el->r.what)));
	n = (size_t)read_u64(&r, "statement", 0, 1, STATEMENTS_MAX);
	reader_done(&r);
	if (!n || n > w->statement_count) {
		refuse(wl, from, "write.returning", "from names no statement of the write",
			"count them from 1: from: {statement: 2}");
		return;
	}
	w->returning = true;
	w->returning_of = n - 1;
	part->statement = w->statements[n - 1];
	if (part->shape == SHAPE_MANY)
		part->rows = el->rows ? el->rows : ROWS_MAX;
	if (!wl->texts[n - 1].returning)
		refuse(wl, wl->nodes[n - 1], "write.returning",
			"the answer comes from this statement, which has no RETURNING",
			"add 'RETURNING column, …'");
	if (wl->texts[n - 1].returning && part->column_count)
		mask_check_order(el, wl->nodes[n - 1], part);
}

static void load_from(struct write_load *wl, const struct yaml *returns, const struct yaml *from,
	struct part *part)
{
	struct entry_load *el = wl->el;
	struct sqltext text;

	part->rows = 1;
	if (!from) {
		refuse(wl, returns, "returns.missing", "returns does not say where from",
			"add 'from:' with a SELECT, or {statement: N} for a RETURNING");
		return;
	}
	if (from->kind == YAML_MAP) {
		load_returning(wl, from, part);
		return;
	}
	if (!statement_load(el, from, &part->statement, &text))
		return;
	mask_check_order(el, from, part);
	part_rows_set(el, from, part, &text, el->rows, false);
}

static void load_part(struct write_load *wl, struct reader *r, enum shape shape)
{
	struct part *part = arena_new(wl->el->a, struct part);

	part->shape = shape;
	returns_columns_load(wl->el, r, COLUMN_OF_ANSWER, part);
	load_from(wl, r->map, read_node(r, "from"), part);
	wl->el->e->action.parts = part;
	wl->el->e->action.part_count = 1;
}

static void check_returning(struct write_load *wl)
{
	for (size_t i = 0; i < wl->w->statement_count; i++)
		if (wl->texts[i].returning && !(wl->w->returning && wl->w->returning_of == i))
			refuse(wl, wl->nodes[i], "write.returning",
				"the statement has a RETURNING that nothing reads",
				"remove it, or write 'returns: {from: {statement: N}, …}'");
}

void answer_load(struct write_load *wl)
{
	static const char *const shapes[] = { "one", "maybe", "many", "none", NULL };
	struct entry_load *el = wl->el;
	const struct yaml *node = read_node(&el->r, "returns");
	struct reader r;
	int shape;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s returns", el->r.what)));
	shape = read_choice(&r, "shape", shapes, -1);
	if (r.map && !read_has(&r, "shape"))
		refuse(wl, node, "returns.shape", "no shape is declared",
			"add 'shape:' with one (no row: NOT_FOUND), maybe (no row: null), many or "
			"none");
	if (shape >= 0 && shape <= SHAPE_MANY)
		load_part(wl, &r, (enum shape)shape);
	if (shape != -1 || !r.map)
		reader_done(&r);
	check_returning(wl);
}
