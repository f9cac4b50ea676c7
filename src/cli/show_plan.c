/* show_plan - see show_plan.h.
 *
 * Invariants: 1. every value goes through text_for_terminal: none of them moves the cursor or hides
 * what follows.  2. a masked column shows no value to who does not hold its grant.  3. nothing is
 * cut: what is too much for a terminal is refused as a whole. */
#include "cli/show_plan.h"

#include "cli/desk.h"
#include "cli/pretty.h"

#define SHOWN_MAX ((size_t)64 << 20)

struct view {
	struct arena *a;
	const struct principal *viewer;
	struct buf out;
};

/* On one line: a line feed in a value begins no line. */
static void add_value(struct view *v, struct str value)
{
	struct str safe = text_for_terminal(v->a, value);

	for (size_t i = 0; i < safe.n; i++) {
		if (safe.p[i] == '\n')
			buf_lit(&v->out, "\\n");
		else if (safe.p[i] == '\t')
			buf_lit(&v->out, "\\t");
		else
			buf_char(&v->out, safe.p[i]);
	}
}

static void add_line(struct view *v, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_fmt(&v->out, "%-12s ", name);
	add_value(v, value);
	buf_char(&v->out, '\n');
}

static void add_cell(struct view *v, const struct effect_column *column, const struct cell *cell)
{
	if (column->mask.kind != MASK_NONE &&
		!(column->unmask.n && principal_holds(v->viewer, column->unmask)))
		buf_lit(&v->out, "[masked]");
	else if (cell->kind == CELL_NULL)
		buf_lit(&v->out, "NULL");
	else if (cell->kind == CELL_BLOB)
		buf_fmt(&v->out, "(%zu bytes)", cell->text.n);
	else if (cell->kind == CELL_TEXT) {
		buf_char(&v->out, '"');
		add_value(v, cell->text);
		buf_char(&v->out, '"');
	} else
		add_value(v, cell->text);
}

static bool cell_eq(const struct cell *a, const struct cell *b)
{
	return a->kind == b->kind && str_eq(a->text, b->text);
}

static void add_key(struct view *v, const struct effect *e)
{
	const struct effect_table *t = e->table;
	const struct cell *row = e->before ? e->before : e->after;

	for (size_t i = 0; i < t->column_count; i++) {
		if (!t->columns[i].key)
			continue;
		buf_char(&v->out, ' ');
		add_value(v, t->columns[i].name);
		buf_char(&v->out, '=');
		add_cell(v, &t->columns[i], &row[i]);
	}
}

/* A column that is not shown is counted where it changes. */
static size_t add_column(struct view *v, const struct effect *e, size_t i)
{
	const struct effect_column *column = &e->table->columns[i];

	if (e->before && e->after && cell_eq(&e->before[i], &e->after[i]))
		return 0;
	if (!column->shown)
		return 1;
	buf_lit(&v->out, "    ");
	add_value(v, column->name);
	buf_lit(&v->out, ": ");
	if (e->before)
		add_cell(v, column, &e->before[i]);
	if (e->before && e->after)
		buf_lit(&v->out, " -> ");
	if (e->after)
		add_cell(v, column, &e->after[i]);
	if (column->varies)
		buf_lit(&v->out, "  (may differ when applied)");
	buf_char(&v->out, '\n');
	return 0;
}

static void add_effect(struct view *v, const struct effect *e)
{
	size_t hidden = 0;

	buf_fmt(&v->out, "  %s ", effect_operation_name(e->operation));
	add_value(v, e->table->name);
	add_key(v, e);
	buf_char(&v->out, '\n');
	for (size_t i = 0; i < e->table->column_count; i++)
		hidden += add_column(v, e, i);
	if (hidden)
		buf_fmt(&v->out, "    and %zu columns this tool does not show\n", hidden);
}

static void add_step(struct view *v, const struct plan_step *s)
{
	buf_lit(&v->out, "tool         ");
	add_value(v, s->tool);
	buf_fmt(&v->out, "@%u\n", s->version);
	add_line(v, "arguments", s->arguments);
	for (size_t i = 0; i < s->effects.touched_count; i++) {
		const struct touched *t = &s->effects.touched[i];

		buf_lit(&v->out, "rows         ");
		add_value(v, t->table->name);
		buf_fmt(&v->out, ": %llu inserted, %llu updated, %llu deleted\n",
			(unsigned long long)t->inserted, (unsigned long long)t->updated,
			(unsigned long long)t->deleted);
	}
	for (size_t i = 0; i < s->effects.count; i++)
		add_effect(v, &s->effects.list[i]);
}

static void add_who(struct view *v, const struct plan *p)
{
	buf_lit(&v->out, "asked by     ");
	add_value(v, p->who.subject);
	buf_fmt(&v->out, " (%s)\n", principal_kind_name(p->who.kind));
	add_line(v, "issuer", p->who.issuer);
	add_line(v, "tenant", p->who.tenant);
	add_line(v, "agent", p->who.agent);
	add_line(v, "source", p->source);
	add_line(v, "deployment", p->deployment);
	add_line(v, "environment", p->environment);
}

static void add_told(struct view *v, const struct plan *p)
{
	if (!p->request.n && !p->reason.n)
		return;
	buf_lit(&v->out, "--- told by the assistant, checked by nobody ---\n");
	add_line(v, "request", p->request);
	add_line(v, "reason", p->reason);
	buf_lit(&v->out, "------------------------------------------------\n");
}

struct str show_plan(struct arena *a, const struct kept *k, const struct principal *viewer)
{
	const struct plan *p = &k->plan;
	struct view v = { .a = a, .viewer = viewer };

	buf_in(&v.out, a, SHOWN_MAX);
	add_line(&v, "plan", p->id);
	for (size_t i = 0; i < p->step_count; i++)
		add_step(&v, &p->steps[i]);
	for (size_t i = 0; i < p->sum_count; i++) {
		add_line(&v, "sum of", p->sums[i].name);
		add_line(&v, "  net", p->sums[i].net);
		add_line(&v, "  gross", p->sums[i].gross);
	}
	add_line(&v, "because", p->because);
	add_who(&v, p);
	add_line(&v, "needs", str_c(approval_level_name(p->need)));
	add_line(&v, "grant", p->grant);
	add_line(&v, "until", desk_time(a, p->expires_us, "-"));
	add_line(&v, "note", k->row.escalation_note);
	add_told(&v, p);
	bug_on(!buf_ok(&v.out));
	return buf_str(&v.out);
}
