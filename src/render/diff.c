/* diff - see diff.h; here the walk, and what a value looks like.
 *
 * Invariants: 1. no text of a masked value leaves but through mask_text: no length, no digest of
 * it.
 * 2. every text is inert.  3. nothing is cut without saying so. */
#include "render/diff.h"

#include <stdlib.h>
#include <string.h>

#include "plan/sum.h"
#include "render/inert.h"
#include "render/mask.h"

/* In characters. */
#define LONG 160
#define HEAD 80
#define TAIL 40
/* Of a blob, in bytes. */
#define BLOB_LONG 48
#define BLOB_HEAD 24
#define BLOB_TAIL 8

/* --- values --- */

bool diff_masks(const struct diff_view *view, const struct effect_column *c)
{
	if (c->mask.kind == MASK_NONE && c->data_class == CLASS_NONE)
		return false;
	return !c->unmask.n || !view->who || !principal_holds(view->who, c->unmask);
}

static void put_hex(struct buf *out, struct str bytes)
{
	buf_lit(out, "x'");
	hex_write(out, bytes);
	buf_char(out, '\'');
}

static struct diff_value blob_value(struct arena *a, struct str bytes)
{
	struct buf out;

	buf_in(&out, a, 4096);
	if (bytes.n <= BLOB_LONG) {
		put_hex(&out, bytes);
	} else {
		put_hex(&out, str_sub(bytes, 0, BLOB_HEAD));
		buf_lit(&out, " \xe2\x80\xa6 ");
		put_hex(&out, str_from(bytes, bytes.n - BLOB_TAIL));
	}
	return (struct diff_value){ .text = buf_str(&out) };
}

static void put_quoted(struct buf *out, struct str raw)
{
	buf_char(out, '\'');
	inert_write(out, raw, INERT_TEXT);
	buf_char(out, '\'');
}

static struct diff_value text_value(struct arena *a, struct str raw, bool *cut_out)
{
	size_t count = inert_count(raw);
	struct buf out;

	buf_in(&out, a, (size_t)64 * LONG);
	*cut_out = count > LONG;
	if (!*cut_out) {
		put_quoted(&out, raw);
	} else {
		put_quoted(&out, str_sub(raw, 0, inert_front(raw, HEAD)));
		buf_lit(&out, " \xe2\x80\xa6 ");
		put_quoted(&out, str_from(raw, inert_front(raw, count - TAIL)));
	}
	return (struct diff_value){ .text = buf_str(&out) };
}

static struct str size_note(struct arena *a, struct str raw)
{
	struct sha256 digest;
	struct buf hex;
	struct str size = decimal_grouped(a, arena_fmt(a, "%zu", raw.n));

	sha256_of(raw, &digest);
	buf_in(&hex, a, 16);
	hex_write(&hex, str_n(digest.b, 4));
	return arena_fmt(
		a, "%.*s bytes, SHA-256 %.*s\xe2\x80\xa6", STR_ARG(size), STR_ARG(buf_str(&hex)));
}

static struct diff_value plain_value(struct arena *a, const struct cell *cell)
{
	struct diff_value v = { 0 };
	bool cut = false;

	switch (cell->kind) {
	case CELL_NULL:
		v.text = S("NULL");
		break;
	case CELL_INTEGER:
	case CELL_REAL:
		v.text = inert_text(a, cell->text);
		break;
	case CELL_TEXT:
	case CELL_MASKED:
		v = text_value(a, cell->text, &cut);
		break;
	case CELL_BLOB:
		v = blob_value(a, cell->text);
		cut = cell->text.n > BLOB_LONG;
		break;
	}
	if (cut)
		v.note = size_note(a, cell->text);
	return v;
}

static struct mask mask_of(const struct effect_column *c)
{
	struct mask m = c->mask;

	if (m.kind == MASK_NONE)
		m.kind = MASK_REDACT;
	return m;
}

struct diff_value diff_cell(const struct diff_view *view, struct arena *a,
	const struct effect_column *c, const struct cell *cell)
{
	struct mask mask = mask_of(c);

	if (cell->kind == CELL_NULL || !diff_masks(view, c))
		return plain_value(a, cell);
	return (struct diff_value){ .text = inert_text(
					    a, mask_text(&mask, view->mask_key, a, cell)),
		.note = S("masked") };
}

static void add_note(struct arena *a, struct diff_value *v, struct str note)
{
	v->note = v->note.n ? arena_fmt(a, "%.*s, %.*s", STR_ARG(v->note), STR_ARG(note)) : note;
}

static struct diff_value fresh_value(struct arena *a, const struct fresh *fresh)
{
	struct buf out;

	buf_in(&out, a, SIZE_MAX / 2);
	inert_write(&out, fresh->table, INERT_TEXT);
	buf_fmt(&out, " #%u", fresh->number);
	return (struct diff_value){ .text = buf_str(&out), .note = S("assigned at apply") };
}

static struct diff_value value_at(
	const struct diff_walk *w, const struct effect *e, enum side side, size_t column)
{
	const struct cell *cells = side == SIDE_BEFORE ? e->before : e->after;
	const struct fresh *fresh = NULL;
	enum form form = FORM_AS_IS;
	struct diff_value v = { 0 };

	if (!cells)
		return v;
	if (!w->view->committed)
		form = cell_form(&w->set, e, w->step, side, column, &fresh);
	if (form == FORM_FRESH)
		return fresh_value(w->arena, fresh);
	v = diff_cell(w->view, w->arena, &e->table->columns[column], &cells[column]);
	if (form == FORM_VARIES && side == SIDE_AFTER)
		add_note(w->arena, &v, S("may differ when applied"));
	return v;
}

/* --- the walk --- */

void diff_open(struct diff_walk *w, const struct diff_view *view, struct arena *a)
{
	*w = (struct diff_walk){ .view = view, .arena = a };
	fresh_init(&w->set, a);
	for (size_t i = 0; i < view->plan->step_count; i++)
		fresh_take(&w->set, &view->plan->steps[i].effects, i);
}

static bool is_changed(const struct effect *e, size_t column)
{
	return e->operation != EFFECT_UPDATE || !cell_same(&e->before[column], &e->after[column]);
}

static bool is_there(const struct effect *e, size_t column)
{
	return (e->before && e->before[column].kind != CELL_NULL) ||
	       (e->after && e->after[column].kind != CELL_NULL);
}

static void fill_row(
	const struct diff_walk *w, const struct effect *e, size_t column, struct diff_row *row)
{
	const struct effect_column *c = &e->table->columns[column];

	row->column = inert_text(w->arena, c->name);
	row->before = value_at(w, e, SIDE_BEFORE, column);
	row->after = value_at(w, e, SIDE_AFTER, column);
	row->masked = diff_masks(w->view, c);
	row->changed = is_changed(e, column);
	if (e->operation == EFFECT_UPDATE && row->changed &&
		str_eq(row->before.text, row->after.text) &&
		str_eq(row->before.note, row->after.note))
		add_note(w->arena, &row->after, S("another value"));
}

static struct str key_words(const struct diff_walk *w, const struct effect *e)
{
	enum side side = e->before ? SIDE_BEFORE : SIDE_AFTER;
	struct buf out;

	buf_in(&out, w->arena, SIZE_MAX / 2);
	for (size_t i = 0; i < e->table->column_count; i++) {
		const struct effect_column *c = &e->table->columns[i];
		struct diff_value v;

		if (!c->key || !c->shown)
			continue;
		v = value_at(w, e, side, i);
		if (out.n)
			buf_lit(&out, ", ");
		inert_write(&out, c->name, INERT_TEXT);
		buf_char(&out, '=');
		buf_add(&out, v.text);
		if (v.note.n) {
			buf_lit(&out, " (");
			buf_add(&out, v.note);
			buf_char(&out, ')');
		}
	}
	return buf_str(&out);
}

static void fill_effect(const struct diff_walk *w, const struct effect *e, struct diff_effect *out)
{
	struct diff_row *rows = arena_array(w->arena, struct diff_row, e->table->column_count + 1);

	*out = (struct diff_effect){ .step = w->step, .effect = e, .rows = rows };
	out->table = inert_text(w->arena, e->table->name);
	out->key = key_words(w, e);
	for (size_t i = 0; i < e->table->column_count; i++) {
		if (!is_changed(e, i))
			continue;
		if (e->table->columns[i].shown)
			fill_row(w, e, i, &rows[out->row_count++]);
		else
			out->not_shown += is_there(e, i);
	}
}

bool diff_next(struct diff_walk *w, struct diff_effect *out)
{
	const struct plan *p = w->view->plan;

	while (w->step < p->step_count && w->at == p->steps[w->step].effects.count) {
		w->step++;
		w->at = 0;
	}
	if (w->step == p->step_count)
		return false;
	fill_effect(w, &p->steps[w->step].effects.list[w->at++], out);
	return true;
}

/* --- totals --- */

static int by_name(const void *a, const void *b)
{
	const struct diff_count *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static size_t table_count(const struct plan *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->step_count; i++)
		count += p->steps[i].effects.touched_count;
	return count;
}

size_t diff_counts(const struct diff_view *view, struct arena *a, struct diff_count **out)
{
	const struct plan *p = view->plan;
	struct diff_count *all = arena_array(a, struct diff_count, table_count(p) + 1);
	size_t count = 0;

	for (size_t i = 0; i < p->step_count; i++)
		for (size_t k = 0; k < p->steps[i].effects.touched_count; k++) {
			const struct touched *t = &p->steps[i].effects.touched[k];
			size_t at = 0;

			while (at < count && !str_eq(all[at].name, t->table->name))
				at++;
			count += at == count;
			all[at].name = t->table->name;
			all[at].inserted += t->inserted;
			all[at].updated += t->updated;
			all[at].deleted += t->deleted;
		}
	qsort(all, count, sizeof *all, by_name);
	*out = all;
	return count;
}
