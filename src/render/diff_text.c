/* diff_text - what a plan changes, for a terminal of 80 columns (diff.h).
 *
 *   2 rows change
 *     contracts  1 updated
 *     notes      1 inserted
 *
 *     amount_cents  net -48,000  gross 48,000
 *
 *   update contracts id='ctr_1'
 *     column        before                after
 *     signatory_id  'per_1'               'per_2'
 *
 * Long cells go on in the next line, nothing is cut.  Values are inert, so the only control
 * characters are our own: line ends, and colours where they are asked for. */
#include "plan/sum.h"
#include "render/diff.h"
#include "render/inert.h"

#define WIDTH ((size_t)80)
#define INDENT ((size_t)2)
#define GAP ((size_t)2)
#define NAME_MAX_WIDTH ((size_t)24)

#define RED S("\x1b[31m")
#define GREEN S("\x1b[32m")
#define BOLD S("\x1b[1m")
#define PLAIN S("\x1b[0m")

struct printing {
	struct buf *out;
	struct arena *arena;
	bool colours;
};

static void put_coloured(const struct printing *pr, struct str colour, struct str text)
{
	if (pr->colours && text.n)
		buf_add(pr->out, colour);
	buf_add(pr->out, text);
	if (pr->colours && text.n)
		buf_add(pr->out, PLAIN);
}

static void put_spaces(struct buf *out, size_t n)
{
	for (; n; n--)
		buf_char(out, ' ');
}

/* --- one row of cells that may take several lines --- */

struct column_of_text {
	struct str rest; /* what is not printed yet */
	size_t width;
	struct str colour; /* empty: none */
};

static struct str take_line(struct column_of_text *c)
{
	struct str line = str_sub(c->rest, 0, inert_fit(c->rest, c->width));

	c->rest = str_from(c->rest, line.n);
	if (c->rest.n && str_ends(line, S(" ")))
		line.n--;
	return line;
}

static bool any_left(const struct column_of_text *columns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (columns[i].rest.n)
			return true;
	return false;
}

static void put_lines(const struct printing *pr, struct column_of_text *columns, size_t count)
{
	do {
		size_t owed = INDENT; /* spaces, printed when something follows */

		for (size_t i = 0; i < count; i++) {
			struct str line = take_line(&columns[i]);
			size_t width = inert_width(line);

			if (line.n) {
				put_spaces(pr->out, owed);
				put_coloured(pr, columns[i].colour, line);
				owed = 0;
			} else {
				width = 0;
			}
			owed += GAP + (columns[i].width > width ? columns[i].width - width : 0);
		}
		buf_char(pr->out, '\n');
	} while (any_left(columns, count));
}

/* --- effects --- */

static struct str value_text(const struct printing *pr, const struct diff_value *v)
{
	struct buf out;

	if (!v->note.n)
		return v->text;
	buf_in(&out, pr->arena, SIZE_MAX / 2);
	buf_add(&out, v->text);
	buf_lit(&out, " (");
	buf_add(&out, v->note);
	buf_char(&out, ')');
	return buf_str(&out);
}

static size_t name_width(const struct diff_effect *e)
{
	size_t width = sizeof "column" - 1;

	for (size_t i = 0; i < e->row_count; i++)
		width = MAX(width, inert_width(e->rows[i].column));
	return MIN(width, NAME_MAX_WIDTH);
}

/* name, then before, after, or both of them. */
static void put_cells(const struct printing *pr, const struct diff_effect *e, struct str name,
	struct str before, struct str after)
{
	bool both = e->effect->before && e->effect->after;
	size_t first = name_width(e), rest = WIDTH - INDENT - first - GAP, half = (rest - GAP) / 2;
	struct column_of_text columns[3] = {
		{ name, first, STR_NONE },
		{ e->effect->before ? before : after, both ? half : rest,
			e->effect->before ? RED : GREEN },
		{ after, half, GREEN },
	};

	put_lines(pr, columns, both ? 3 : 2);
}

static struct str heading_words(struct arena *a, const struct diff_effect *e)
{
	struct buf out;

	buf_in(&out, a, SIZE_MAX / 2);
	buf_add(&out, str_c(effect_operation_name(e->effect->operation)));
	buf_char(&out, ' ');
	buf_add(&out, e->table);
	if (e->key.n) {
		buf_char(&out, ' ');
		buf_add(&out, e->key);
	}
	return buf_str(&out);
}

static void put_heading(const struct printing *pr, const struct diff_effect *e)
{
	struct str words = heading_words(pr->arena, e);

	buf_char(pr->out, '\n');
	while (words.n) {
		struct str line = str_sub(words, 0, inert_fit(words, WIDTH));

		put_coloured(pr, BOLD, line);
		buf_char(pr->out, '\n');
		words = str_from(words, line.n);
	}
}

static void put_effect(const struct printing *pr, const struct diff_effect *e)
{
	put_heading(pr, e);
	if (e->row_count) {
		struct printing plain = { pr->out, pr->arena, false };

		put_cells(&plain, e, S("column"), S("before"), S("after"));
	}
	for (size_t i = 0; i < e->row_count; i++)
		put_cells(pr, e, e->rows[i].column, value_text(pr, &e->rows[i].before),
			value_text(pr, &e->rows[i].after));
	if (e->not_shown)
		buf_fmt(pr->out, "  %s%zu column%s this tool does not show\n",
			e->row_count ? "and " : "", e->not_shown, e->not_shown == 1 ? "" : "s");
	else if (!e->row_count)
		buf_lit(pr->out, "  no column changes\n");
}

/* --- totals --- */

static void put_count(struct buf *out, uint64_t n, const char *what)
{
	if (n)
		buf_fmt(out, "  %llu %s", (unsigned long long)n, what);
}

static void put_counts(const struct printing *pr, const struct diff_view *view)
{
	struct diff_count *counts;
	size_t count = diff_counts(view, pr->arena, &counts), width = 0;
	uint64_t rows = view->plan->rows;
	struct str words = arena_fmt(pr->arena, "%llu row%s %s", (unsigned long long)rows,
		rows == 1 ? "" : "s",
		view->committed ? "changed"
		: rows == 1     ? "changes"
				: "change");

	put_coloured(pr, BOLD, words);
	buf_char(pr->out, '\n');
	for (size_t i = 0; i < count; i++)
		width = MAX(width, inert_width(inert_text(pr->arena, counts[i].name)));
	for (size_t i = 0; i < count; i++) {
		struct str name = inert_text(pr->arena, counts[i].name);

		put_spaces(pr->out, INDENT);
		buf_add(pr->out, name);
		put_spaces(pr->out, width - inert_width(name));
		put_count(pr->out, counts[i].inserted, "inserted");
		put_count(pr->out, counts[i].updated, "updated");
		put_count(pr->out, counts[i].deleted, "deleted");
		buf_char(pr->out, '\n');
	}
}

static void put_sums(const struct printing *pr, const struct plan *p)
{
	if (p->sum_count)
		buf_char(pr->out, '\n');
	for (size_t i = 0; i < p->sum_count; i++) {
		struct str net = decimal_grouped(pr->arena, p->sums[i].net);
		struct str gross = decimal_grouped(pr->arena, p->sums[i].gross);

		put_spaces(pr->out, INDENT);
		inert_write(pr->out, p->sums[i].name, INERT_TEXT);
		buf_lit(pr->out, "  net ");
		put_coloured(pr, BOLD, net);
		buf_lit(pr->out, "  gross ");
		buf_add(pr->out, gross);
		buf_char(pr->out, '\n');
	}
}

static void put_step(const struct printing *pr, const struct plan *p, size_t step)
{
	const struct plan_step *s = &p->steps[step];

	if (p->step_count < 2)
		return;
	buf_char(pr->out, '\n');
	put_coloured(pr, BOLD, arena_fmt(pr->arena, "step %zu of %zu:", step + 1, p->step_count));
	buf_char(pr->out, ' ');
	inert_write(pr->out, s->tool, INERT_TEXT);
	buf_fmt(pr->out, " version %u\n", s->version);
	if (!s->effects.count)
		buf_lit(pr->out, "  no row changes\n");
}

static void put_left_out(const struct printing *pr, uint64_t left)
{
	if (left)
		buf_fmt(pr->out, "\n\xe2\x80\xa6 and %llu more row%s; the totals above cover all\n",
			(unsigned long long)left, left == 1 ? "" : "s");
}

bool diff_text(struct buf *out, const struct diff_view *view, struct arena *a,
	struct diff_bounds bounds, bool colours)
{
	const struct plan *p = view->plan;
	struct printing pr = { out, a, colours };
	size_t start = out->n, step = 0, shown = 0;
	struct diff_effect e;
	struct diff_walk w;

	put_counts(&pr, view);
	put_sums(&pr, p);
	diff_open(&w, view, a);
	while (shown < bounds.effects && diff_next(&w, &e)) {
		size_t n = out->n;

		for (; step <= e.step; step++)
			put_step(&pr, p, step);
		put_effect(&pr, &e);
		if (out->n - start > bounds.bytes) {
			out->n = n;
			break;
		}
		shown++;
	}
	if (shown == p->rows)
		for (; step < p->step_count; step++)
			put_step(&pr, p, step);
	put_left_out(&pr, p->rows - shown);
	return shown == p->rows;
}
