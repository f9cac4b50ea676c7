/* show_plan - see show_plan.h.
 *
 * Invariants: 1. every value goes through inert.h: none of them moves the cursor, begins a line or
 * hides what follows.  2. all rows are shown, however many; what would be too much is no plan that
 * the store keeps. */
#include "cli/show_plan.h"

#include "cli/desk.h"
#include "render/diff.h"
#include "render/inert.h"

#define SHOWN_MAX ((size_t)128 << 20)
#define ALL_ROWS ((struct diff_bounds){ .effects = SIZE_MAX, .bytes = SHOWN_MAX / 2 })

struct view {
	struct arena *a;
	struct buf out;
};

static void add_value(struct view *v, struct str value)
{
	inert_write(&v->out, value, INERT_TEXT);
}

static void add_line(struct view *v, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_fmt(&v->out, "%-12s ", name);
	add_value(v, value);
	buf_char(&v->out, '\n');
}

static void add_step(struct view *v, const struct plan_step *s)
{
	buf_lit(&v->out, "tool         ");
	add_value(v, s->tool);
	buf_fmt(&v->out, "@%u\n", s->version);
	add_line(v, "arguments", s->arguments);
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

struct str show_plan(
	struct arena *a, const struct kept *k, const struct principal *viewer, struct str mask_key)
{
	const struct plan *p = &k->plan;
	const struct diff_view diff = { .plan = p, .who = viewer, .mask_key = mask_key };
	struct view v = { .a = a };

	buf_in(&v.out, a, SHOWN_MAX);
	add_line(&v, "plan", p->id);
	for (size_t i = 0; i < p->step_count; i++)
		add_step(&v, &p->steps[i]);
	buf_char(&v.out, '\n');
	diff_text(&v.out, &diff, a, ALL_ROWS, false);
	buf_char(&v.out, '\n');
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
