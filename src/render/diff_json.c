/* diff_json - a plan's rows and totals for programs (diff.h).
 *
 * Masks are those of the texts.  Whole effects are left out once the bytes are used up, and
 * counted; the totals cover all. */
#include "base/utf8.h"
#include "render/diff.h"
#include "render/mask.h"

#define INTEGER_MAX INT64_C(9007199254740991) /* beyond it readers lose digits */

static void write_base64(struct jw *w, struct str bytes)
{
	jw_object(w);
	jw_put_raw(w, S("base64"), S("\""));
	base64_write(w->out, bytes);
	buf_char(w->out, '"');
	jw_object_end(w);
}

static bool is_json_number(struct arena *a, struct str lexeme)
{
	struct json_error error;
	struct json v;

	return json_parse(a, lexeme, &v, &error) && v.kind == JSON_NUMBER;
}

static void write_plain(struct jw *w, struct arena *a, const struct cell *cell)
{
	int64_t n;

	switch (cell->kind) {
	case CELL_NULL:
		jw_null(w);
		return;
	case CELL_INTEGER:
		if (str_to_i64(cell->text, &n) && n >= -INTEGER_MAX && n <= INTEGER_MAX)
			jw_i64(w, n);
		else
			jw_str(w, cell->text);
		return;
	case CELL_REAL:
		if (is_json_number(a, cell->text))
			jw_raw(w, cell->text);
		else
			jw_str(w, cell->text);
		return;
	case CELL_TEXT:
	case CELL_MASKED:
		if (utf8_valid(cell->text))
			jw_str(w, cell->text);
		else
			write_base64(w, cell->text);
		return;
	case CELL_BLOB:
		write_base64(w, cell->text);
		return;
	}
}

static void write_fresh(struct jw *w, struct arena *a, const struct fresh *fresh)
{
	struct buf words;

	buf_in(&words, a, SIZE_MAX / 2);
	buf_add(&words, fresh->table);
	buf_fmt(&words, " #%u", fresh->number);
	jw_object(w);
	jw_put_str(w, S("assigned"), buf_str(&words));
	jw_object_end(w);
}

static void write_value(struct jw *w, const struct diff_walk *walk, const struct effect *e,
	enum side side, size_t at)
{
	const struct effect_column *c = &e->table->columns[at];
	const struct cell *cell = side == SIDE_BEFORE ? &e->before[at] : &e->after[at];
	const struct fresh *fresh = NULL;

	if (!walk->view->committed &&
		cell_form(&walk->set, e, walk->step, side, at, &fresh) == FORM_FRESH) {
		write_fresh(w, walk->arena, fresh);
		return;
	}
	if (cell->kind != CELL_NULL && diff_masks(walk->view, c))
		jw_str(w, diff_cell(walk->view, walk->arena, c, cell).text);
	else
		write_plain(w, walk->arena, cell);
}

/* which: the columns that are written. */
enum which { WHICH_KEY, WHICH_CHANGED };

static bool is_wanted(const struct effect *e, size_t at, enum which which)
{
	const struct effect_column *c = &e->table->columns[at];

	if (!c->shown)
		return false;
	if (which == WHICH_KEY)
		return c->key;
	return e->operation != EFFECT_UPDATE || !cell_same(&e->before[at], &e->after[at]);
}

static void put_columns(struct jw *w, const struct diff_walk *walk, const struct effect *e,
	enum side side, enum which which)
{
	jw_object(w);
	for (size_t i = 0; i < e->table->column_count; i++) {
		if (!is_wanted(e, i, which))
			continue;
		jw_name(w, e->table->columns[i].name);
		write_value(w, walk, e, side, i);
	}
	jw_object_end(w);
}

static void put_side(
	struct jw *w, const struct diff_walk *walk, const struct effect *e, enum side side)
{
	jw_name(w, side == SIDE_BEFORE ? S("before") : S("after"));
	if (side == SIDE_BEFORE ? !e->before : !e->after)
		jw_null(w);
	else
		put_columns(w, walk, e, side, WHICH_CHANGED);
}

static void write_effect(struct jw *w, const struct diff_walk *walk, const struct effect *e)
{
	jw_object(w);
	jw_put_str(w, S("table"), e->table->name);
	jw_put_str(w, S("operation"), str_c(effect_operation_name(e->operation)));
	jw_name(w, S("key"));
	put_columns(w, walk, e, e->before ? SIDE_BEFORE : SIDE_AFTER, WHICH_KEY);
	put_side(w, walk, e, SIDE_BEFORE);
	put_side(w, walk, e, SIDE_AFTER);
	jw_object_end(w);
}

/* False: it did not fit, and is taken back. */
static bool add_effect(
	struct jw *w, const struct diff_walk *walk, const struct effect *e, size_t end)
{
	struct jw before = *w;
	size_t n = w->out->n;

	write_effect(w, walk, e);
	if (w->out->n <= end && buf_ok(w->out))
		return true;
	*w = before;
	w->out->n = n;
	return false;
}

static uint64_t write_effects(struct jw *w, struct diff_walk *walk, size_t bytes)
{
	const struct plan *p = walk->view->plan;
	size_t end = w->out->n + bytes;
	uint64_t kept = 0;
	bool fits = true;

	jw_array(w);
	for (walk->step = 0; fits && walk->step < p->step_count; walk->step++)
		for (size_t i = 0; fits && i < p->steps[walk->step].effects.count; i++) {
			fits = add_effect(w, walk, &p->steps[walk->step].effects.list[i], end);
			kept += fits;
		}
	jw_array_end(w);
	return kept;
}

static void put_impact(struct jw *w, const struct diff_walk *walk)
{
	const struct plan *p = walk->view->plan;
	struct diff_count *counts;
	size_t count = diff_counts(walk->view, walk->arena, &counts);

	jw_name(w, S("impact"));
	jw_object(w);
	jw_name(w, S("rows"));
	jw_object(w);
	for (size_t i = 0; i < count; i++)
		jw_put_u64(w, counts[i].name,
			counts[i].inserted + counts[i].updated + counts[i].deleted);
	jw_object_end(w);
	jw_name(w, S("sums"));
	jw_object(w);
	for (size_t i = 0; i < p->sum_count; i++)
		jw_put_str(w, p->sums[i].name, p->sums[i].net);
	jw_object_end(w);
	jw_object_end(w);
}

void diff_json(struct jw *w, const struct diff_view *view, struct arena *a, size_t bytes)
{
	struct diff_walk walk;
	uint64_t kept;

	diff_open(&walk, view, a);
	jw_name(w, S("effects"));
	kept = write_effects(w, &walk, bytes);
	if (kept < view->plan->rows)
		jw_put_u64(w, S("truncated_effects"), view->plan->rows - kept);
	put_impact(w, &walk);
}

uint64_t diff_json_effects(
	struct jw *w, const struct diff_view *view, struct arena *a, size_t bytes)
{
	struct diff_walk walk;

	diff_open(&walk, view, a);
	return write_effects(w, &walk, bytes);
}
