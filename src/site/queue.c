/* queue - what waits for a decision, and what was decided (inside.h).
 *
 * What waits stands together with what it sums up to: thirty small plans are looked at as one large
 * one. */
#include "site/inside.h"

#include "plan/sum.h"

#define ROWS_MAX 200 /* plans on a page; more are counted */

static void begin_row(struct look *l, const struct plan_row *row)
{
	table_row(l);
	html_link(&l->h, arena_fmt(l->a, SITE_ROOT "/%.*s", STR_ARG(row->id)), row->tool);
	html_put_class(&l->h, "span", "id", row->id);
}

/* --- what waits --- */

struct total {
	struct str name;
	struct sum net, gross;
};

struct waiting {
	struct shown_plan *plans;
	size_t count;
	uint64_t rows; /* that they change in all */
	struct total totals[16]; /* by the name of the sum */
	size_t total_count;
	bool uncounted; /* a sum or a plan could not be taken in */
};

static struct total *total_of(struct waiting *w, struct str name)
{
	for (size_t i = 0; i < w->total_count; i++)
		if (str_eq(w->totals[i].name, name))
			return &w->totals[i];
	if (w->total_count == ARRAY_LEN(w->totals))
		return NULL;
	w->totals[w->total_count].name = name;
	return &w->totals[w->total_count++];
}

static bool add_sum(struct waiting *w, const struct plan_sum *s)
{
	struct total *to = total_of(w, s->name);
	struct sum net, gross;

	return to && sum_read(s->net, &net) && sum_read(s->gross, &gross) &&
	       sum_add(&to->net, &net) && sum_add(&to->gross, &gross);
}

static void add_plan(struct look *l, struct waiting *w, const struct plan_row *row)
{
	struct shown_plan p = { 0 };
	struct err err;

	if (w->count == ROWS_MAX ||
		!l->hands->open(l->r->ctx, &l->who, row->id, &p.row, &p.plan, &err)) {
		w->uncounted = true;
		return;
	}
	w->plans[w->count++] = p;
	w->rows += p.plan.rows;
	for (size_t i = 0; i < p.plan.sum_count; i++)
		w->uncounted |= !add_sum(w, &p.plan.sums[i]);
}

static void write_total(struct look *l, const struct total *t)
{
	struct str net, gross;

	if (!sum_text(&t->net, l->a, &net) || !sum_text(&t->gross, l->a, &gross)) {
		net = S("more than 64 digits");
		gross = net;
	}
	sum_view(l, t->name, net, gross);
}

static void write_totals(struct look *l, const struct waiting *w)
{
	if (w->count < 2 && !w->uncounted)
		return;
	html_open_class(&l->h, "section", "totals");
	html_put(&l->h, "h3", S("All of them together"));
	html_open(&l->h, "dl");
	page_term(l, "Plans", arena_fmt(l->a, "%zu", w->count));
	page_term(l, "Rows changed", arena_fmt(l->a, "%llu", (unsigned long long)w->rows));
	for (size_t i = 0; i < w->total_count; i++)
		write_total(l, &w->totals[i]);
	html_close(&l->h);
	if (w->uncounted)
		html_put_class(&l->h, "p", "notice alarm",
			S("Not everything could be counted in: there is more than these totals "
			  "say."));
	html_close(&l->h);
}

static struct str sums_of(struct look *l, const struct plan *p)
{
	struct buf out;

	buf_in(&out, l->a, 4096);
	for (size_t i = 0; i < p->sum_count; i++)
		buf_fmt(&out, "%s%.*s %.*s", i ? ", " : "", STR_ARG(p->sums[i].name),
			STR_ARG(decimal_grouped(l->a, p->sums[i].net)));
	if (!p->sum_count)
		buf_lit(&out, "\xe2\x80\x93");
	return buf_str(&out);
}

static void write_waiting_row(struct look *l, const struct shown_plan *p)
{
	begin_row(l, &p->row);
	table_put(l, "number", arena_fmt(l->a, "%llu", (unsigned long long)p->plan.rows));
	table_put(l, "sums", sums_of(l, &p->plan));
	table_put(l, "", p->row.subject);
	table_put(l, "",
		arena_fmt(l->a, "in %.*s",
			STR_ARG(moment_span(l->a, p->row.expires_us - l->r->now_us))));
	table_row_end(l);
}

static void write_waiting(
	struct look *l, const char *title, const char *none, const struct waiting *w)
{
	static const char *const columns[] = { "Tool", "Rows", "Sums", "Asked by", "Expires",
		NULL };

	html_open(&l->h, "section");
	html_put(&l->h, "h2", str_c(title));
	if (!w->count) {
		html_put(&l->h, "p", str_c(none));
	} else {
		table_begin(l, "list",
			arena_fmt(l->a, "%zu %s", w->count, w->count == 1 ? "plan" : "plans"),
			columns);
		for (size_t i = 0; i < w->count; i++)
			write_waiting_row(l, &w->plans[i]);
		table_end(l);
		write_totals(l, w);
	}
	html_close(&l->h);
}

void queue_page(struct look *l)
{
	struct waiting mine = { 0 }, asked = { 0 };
	struct plan_row *rows = NULL;
	size_t count = 0;
	struct err err;

	if (!l->hands->list(l->r->ctx, &l->who, PLANS_WAITING, &rows, &count, &err)) {
		page_trouble(l, &err);
		return;
	}
	mine.plans = arena_array(l->a, struct shown_plan, ROWS_MAX);
	asked.plans = arena_array(l->a, struct shown_plan, ROWS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct decider d = { .who = &l->who, .yes = true };

		if (rows[i].state != PLAN_PROPOSED || rows[i].expires_us <= l->r->now_us)
			continue;
		if (approval_judge(l->r->config, &rows[i], &d) == DECIDE_MAY)
			add_plan(l, &mine, &rows[i]);
		else if (approval_asked(l->r->config, &rows[i], &l->who))
			add_plan(l, &asked, &rows[i]);
	}
	page_begin(l, &(struct frame){ .status = 200, .title = "Waiting for a decision" });
	html_put(&l->h, "h1", S("Waiting for a decision"));
	write_waiting(l, "Yours to decide", "Nothing waits for you.", &mine);
	if (asked.count)
		write_waiting(l, "Asked for by you, waiting for somebody else", "", &asked);
	page_end(l);
}

/* --- what was decided --- */

static void write_history_row(struct look *l, const struct plan_row *row)
{
	begin_row(l, row);
	table_put(l, "", plan_standing(l, row));
	table_put(l, "", row->subject);
	table_cell(l, "");
	page_time(l, row->decided_us ? row->decided_us : row->made_us);
	table_row_end(l);
}

void history_page(struct look *l)
{
	static const char *const columns[] = { "Tool", "What became of it", "Asked by", "When",
		NULL };
	struct plan_row *rows = NULL;
	size_t count = 0, shown;
	struct err err;

	if (!l->hands->list(l->r->ctx, &l->who, PLANS_RECENT, &rows, &count, &err)) {
		page_trouble(l, &err);
		return;
	}
	page_begin(l, &(struct frame){ .status = 200, .title = "Decided" });
	html_put(&l->h, "h1", S("Decided"));
	shown = MIN(count, (size_t)ROWS_MAX);
	if (!count)
		html_put(&l->h, "p", S("Nothing yet."));
	if (count) {
		table_begin(l, "list",
			S("Plans that you asked for or may decide on, the latest first"), columns);
		for (size_t i = 0; i < shown; i++)
			write_history_row(l, &rows[i]);
		table_end(l);
	}
	if (shown < count)
		html_put(&l->h, "p",
			arena_fmt(l->a, "%zu older ones are not shown.", count - shown));
	page_end(l);
}
