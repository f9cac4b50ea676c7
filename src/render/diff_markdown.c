/* diff_markdown - what a plan changes as a text with tables, for a client that shows markdown and
 * for the model that reads it (diff.h).
 *
 * Every value stands in a code span (INERT_CODE): there no markup begins, no link is made. */
#include "plan/sum.h"
#include "render/diff.h"
#include "render/inert.h"

static void put_code(struct buf *out, struct str text)
{
	buf_char(out, '`');
	inert_dress(out, text, INERT_CODE);
	buf_char(out, '`');
}

static void put_raw_code(struct buf *out, struct str raw)
{
	buf_char(out, '`');
	inert_write(out, raw, INERT_CODE);
	buf_char(out, '`');
}

static void put_counted(struct buf *out, uint64_t n, const char *what, bool *first)
{
	if (!n)
		return;
	buf_fmt(out, "%s%llu %s", *first ? " " : ", ", (unsigned long long)n, what);
	*first = false;
}

static void put_counts(struct buf *out, const struct diff_view *view, struct arena *a)
{
	struct diff_count *counts;
	size_t count = diff_counts(view, a, &counts);
	uint64_t rows = view->plan->rows;
	const char *verb = view->committed ? "changed" : rows == 1 ? "changes" : "change";

	if (!rows) {
		buf_fmt(out, "**No row %s.**\n", view->committed ? "changed" : "changes");
		return;
	}
	buf_fmt(out, "**%llu row%s %s**: ", (unsigned long long)rows, rows == 1 ? "" : "s", verb);
	for (size_t i = 0; i < count; i++) {
		bool first = true;

		if (i)
			buf_lit(out, "; ");
		put_raw_code(out, counts[i].name);
		put_counted(out, counts[i].inserted, "inserted", &first);
		put_counted(out, counts[i].updated, "updated", &first);
		put_counted(out, counts[i].deleted, "deleted", &first);
	}
	buf_char(out, '\n');
}

static void put_sums(struct buf *out, const struct plan *p, struct arena *a)
{
	if (!p->sum_count)
		return;
	buf_lit(out, "\n| sum | net | gross |\n|---|---:|---:|\n");
	for (size_t i = 0; i < p->sum_count; i++) {
		buf_lit(out, "| ");
		put_raw_code(out, p->sums[i].name);
		buf_lit(out, " | ");
		buf_add(out, decimal_grouped(a, p->sums[i].net));
		buf_lit(out, " | ");
		buf_add(out, decimal_grouped(a, p->sums[i].gross));
		buf_lit(out, " |\n");
	}
}

static void put_value(struct buf *out, const struct diff_value *v)
{
	put_code(out, v->text);
	if (v->note.n) {
		buf_lit(out, " (");
		buf_add(out, v->note);
		buf_char(out, ')');
	}
	buf_lit(out, " |");
}

static void put_rows(struct buf *out, const struct diff_effect *e)
{
	bool before = e->effect->before != NULL, after = e->effect->after != NULL;

	if (!e->row_count)
		return;
	buf_lit(out, "\n| column |");
	buf_add(out, before ? S(" before |") : STR_NONE);
	buf_add(out, after ? S(" after |") : STR_NONE);
	buf_add(out, before && after ? S("\n|---|---|---|\n") : S("\n|---|---|\n"));
	for (size_t i = 0; i < e->row_count; i++) {
		buf_lit(out, "| ");
		put_code(out, e->rows[i].column);
		buf_lit(out, " | ");
		if (before)
			put_value(out, &e->rows[i].before);
		if (before && after)
			buf_char(out, ' ');
		if (after)
			put_value(out, &e->rows[i].after);
		buf_char(out, '\n');
	}
}

static void put_effect(struct buf *out, const struct diff_effect *e)
{
	const char *more = e->row_count ? "and " : "";

	buf_fmt(out, "\n#### %s ", effect_operation_name(e->effect->operation));
	put_code(out, e->table);
	if (e->key.n) {
		buf_char(out, ' ');
		put_code(out, e->key);
	}
	buf_char(out, '\n');
	put_rows(out, e);
	if (e->not_shown)
		buf_fmt(out, "\n%s%zu column%s this tool does not show\n", more, e->not_shown,
			e->not_shown == 1 ? "" : "s");
	else if (!e->row_count)
		buf_lit(out, "\nno column changes\n");
}

static void put_step(struct buf *out, const struct plan *p, size_t step)
{
	const struct plan_step *s = &p->steps[step];

	if (p->step_count < 2)
		return;
	buf_fmt(out, "\n### Step %zu of %zu: ", step + 1, p->step_count);
	put_raw_code(out, s->tool);
	buf_fmt(out, " version %u\n", s->version);
	if (!s->effects.count)
		buf_lit(out, "\nno row changes\n");
}

static void put_left_out(struct buf *out, const struct diff_view *view, uint64_t shown)
{
	uint64_t left = view->plan->rows - shown;

	if (left)
		buf_fmt(out, "\n\xe2\x80\xa6 and %llu more row%s; the totals above cover all\n",
			(unsigned long long)left, left == 1 ? "" : "s");
}

void diff_markdown(
	struct buf *out, const struct diff_view *view, struct arena *a, struct diff_bounds bounds)
{
	const struct plan *p = view->plan;
	size_t start = out->n, step = 0, shown = 0;
	struct diff_effect e;
	struct diff_walk w;

	put_counts(out, view, a);
	put_sums(out, p, a);
	diff_open(&w, view, a);
	while (shown < bounds.effects && diff_next(&w, &e)) {
		size_t n = out->n;

		for (; step <= e.step; step++)
			put_step(out, p, step);
		put_effect(out, &e);
		if (out->n - start > bounds.bytes) {
			out->n = n;
			break;
		}
		shown++;
	}
	if (shown == p->rows)
		for (; step < p->step_count; step++)
			put_step(out, p, step);
	put_left_out(out, view, shown);
}
