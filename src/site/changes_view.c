/* changes_view - every row that a plan changes, before and after, side by side (inside.h).
 *
 * What is shown of a value is decided in render/diff.h, where it is masked and made inert; here it
 * gets its place on the page. */
#include "render/diff.h"
#include "site/inside.h"

#define EFFECTS_MAX 1000 /* on a page; more are counted */

static void write_value(struct look *l, const struct diff_value *v)
{
	html_inert(&l->h, v->text);
	if (!v->note.n)
		return;
	html_say(&l->h, " ");
	html_put_class(&l->h, "span", "mark", arena_fmt(l->a, "(%.*s)", STR_ARG(v->note)));
}

static void write_row(struct look *l, enum effect_operation operation, const struct diff_row *row)
{
	table_row(l);
	html_inert(&l->h, row->column);
	if (operation != EFFECT_INSERT) {
		table_cell(l, "before");
		write_value(l, &row->before);
	}
	if (operation != EFFECT_DELETE) {
		table_cell(l, "after");
		write_value(l, &row->after);
	}
	table_row_end(l);
}

static const struct {
	const char *words;
	const char *const columns[4];
} operations[] = {
	[EFFECT_INSERT] = { "New row in", { "Column", "New value", NULL } },
	[EFFECT_UPDATE] = { "Changed row in", { "Column", "Before", "After", NULL } },
	[EFFECT_DELETE] = { "Removed row from", { "Column", "Removed value", NULL } },
};

static void write_hidden(struct look *l, size_t count)
{
	if (count)
		html_put_class(&l->h, "p", "help",
			arena_fmt(l->a, "And %zu %s that this tool does not show.", count,
				count == 1 ? "column" : "columns"));
}

static void write_name(struct look *l, const struct diff_effect *e)
{
	struct html *h = &l->h;

	html_words(h, str_c(operations[e->effect->operation].words));
	html_say(h, " ");
	html_inert(h, e->table);
	if (!e->key.n)
		return;
	html_say(h, ": ");
	html_open(h, "code");
	html_inert(h, e->key);
	html_close(h);
}

static void write_effect(struct look *l, const struct diff_effect *e)
{
	enum effect_operation o = e->effect->operation;

	if (e->row_count) {
		table_caption(l, "diff");
		write_name(l, e);
		table_columns(l, operations[o].columns);
		for (size_t i = 0; i < e->row_count; i++)
			write_row(l, o, &e->rows[i]);
		table_end(l);
	} else {
		html_open(&l->h, "p");
		write_name(l, e);
		html_close(&l->h);
	}
	write_hidden(l, e->not_shown);
}

static void write_step(struct look *l, const struct plan *p, size_t step)
{
	html_open(&l->h, "h3");
	html_text(&l->h, arena_fmt(l->a, "Step %zu: %.*s@%u", step + 1,
				 STR_ARG(p->steps[step].tool), p->steps[step].version));
	html_close(&l->h);
}

void changes_view(struct look *l, const struct plan *p)
{
	struct diff_view view = { .plan = p, .who = &l->who, .mask_key = l->r->mask_key };
	size_t shown = 0, more = 0, step = SIZE_MAX;
	struct diff_effect e;
	struct diff_walk w;

	html_open_class(&l->h, "section", "changes");
	html_put(&l->h, "h2", S("Every row, before and after"));
	for (diff_open(&w, &view, l->a); diff_next(&w, &e); shown++) {
		if (shown >= EFFECTS_MAX) {
			more++;
			continue;
		}
		if (p->step_count > 1 && e.step != step)
			write_step(l, p, e.step);
		step = e.step;
		write_effect(l, &e);
	}
	if (more)
		html_put_class(&l->h, "p", "notice alarm",
			arena_fmt(l->a,
				"And %zu more rows that are not on this page. The totals above "
				"cover all of them.",
				more));
	html_close(&l->h);
}
