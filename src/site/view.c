/* view - what a person decides on: the call, what it sums up to, every row before and after, and
 * who asks (inside.h).
 *
 * Invariants: 1. everything here comes from the plan, which postern made; what the assistant said
 * stands in a box that says so.  2. no time and nothing of the visit is in it: its digest goes into
 * the form, and says later what was on the page. */
#include "json/write.h"
#include "plan/sum.h"
#include "render/diff.h"
#include "site/inside.h"

#define ARGUMENT_BYTES ((size_t)1 << 20)

/* --- the call --- */

static struct str argument_text(struct look *l, const struct json *v)
{
	struct buf out;
	struct jw w;

	if (v->kind == JSON_STRING)
		return v->text.n ? v->text : S("\"\"");
	buf_in(&out, l->a, ARGUMENT_BYTES);
	jw_init(&w, &out);
	jw_json(&w, v);
	return buf_str(&out);
}

static void write_argument(struct look *l, struct str name, struct str value)
{
	table_row(l);
	html_text(&l->h, name);
	table_put(l, "value", value);
	table_row_end(l);
}

static void write_arguments(struct look *l, const struct plan_step *s)
{
	static const char *const columns[] = { "Argument", "Value", NULL };
	struct json_error wrong;
	struct json args = { 0 };

	table_begin(l, "arguments", S("Called with"), columns);
	if (!json_parse(l->a, s->arguments, &args, &wrong) || args.kind != JSON_OBJECT)
		write_argument(l, S("(as it stands)"), s->arguments);
	for (uint32_t i = 0; args.kind == JSON_OBJECT && i < args.count; i++)
		write_argument(l, args.members[i].name, argument_text(l, &args.members[i].value));
	if (args.kind == JSON_OBJECT && !args.count)
		write_argument(l, S("(no arguments)"), STR_NONE);
	table_end(l);
}

static void write_call(struct look *l, const struct plan *p, size_t i)
{
	const struct plan_step *s = &p->steps[i];
	struct html *h = &l->h;

	html_open_class(h, "section", "call");
	html_open(h, "h2");
	if (p->step_count > 1)
		html_text(h, arena_fmt(l->a, "Step %zu of %zu:", i + 1, p->step_count));
	else
		html_say(h, "The call:");
	html_say(h, " ");
	html_put(h, "code", arena_fmt(l->a, "%.*s@%u", STR_ARG(s->tool), s->version));
	html_close(h);
	write_arguments(l, s);
	html_close(h);
}

/* --- the summary --- */

static void write_count(struct look *l, uint64_t n)
{
	table_put(
		l, n ? "number" : "number nothing", arena_fmt(l->a, "%llu", (unsigned long long)n));
}

static void write_touched(struct look *l, const struct diff_count *t)
{
	table_row(l);
	html_text(&l->h, t->name);
	write_count(l, t->inserted);
	write_count(l, t->updated);
	write_count(l, t->deleted);
	table_row_end(l);
}

static void write_tables(struct look *l, const struct plan *p)
{
	static const char *const columns[] = { "Table", "New", "Changed", "Removed", NULL };
	struct diff_view view = { .plan = p };
	struct diff_count *counts;
	size_t count = diff_counts(&view, l->a, &counts);

	table_begin(l, "touched",
		arena_fmt(l->a, "%llu %s in all", (unsigned long long)p->rows,
			p->rows == 1 ? "row" : "rows"),
		columns);
	for (size_t i = 0; i < count; i++)
		write_touched(l, &counts[i]);
	table_end(l);
}

void sum_view(struct look *l, struct str name, struct str net, struct str gross)
{
	struct html *h = &l->h;

	html_open(h, "div");
	html_put(h, "dt", name);
	html_open(h, "dd");
	html_put_class(h, "strong", "number", decimal_grouped(l->a, net));
	if (!str_eq(net, gross)) {
		html_say(h, " (moved in all: ");
		html_text(h, decimal_grouped(l->a, gross));
		html_say(h, ")");
	}
	html_close(h);
	html_close(h);
}

static void write_sums(struct look *l, const struct plan *p)
{
	if (!p->sum_count)
		return;
	html_open_class(&l->h, "dl", "sums");
	for (size_t i = 0; i < p->sum_count; i++)
		sum_view(l, p->sums[i].name, p->sums[i].net, p->sums[i].gross);
	html_close(&l->h);
}

static void write_summary(struct look *l, const struct plan *p)
{
	struct html *h = &l->h;

	html_open_class(h, "section", "summary");
	html_put(h, "h2", S("What it adds up to"));
	write_sums(l, p);
	write_tables(l, p);
	if (p->because.n)
		html_put_class(h, "p", "notice", p->because);
	html_close(h);
}

/* --- who --- */

static void term_if(struct look *l, const char *term, struct str text)
{
	if (text.n)
		page_term(l, term, text);
}

static struct str who_decides(struct look *l, const struct plan *p)
{
	switch (p->need) {
	case APPROVAL_NONE:
		return S("nobody");
	case APPROVAL_CLIENT:
		return S("who asked, in the assistant's client");
	case APPROVAL_REQUESTER:
		return S("who asked");
	case APPROVAL_OTHER:
		break;
	}
	if (!p->grant.n)
		return S("a second person");
	return arena_fmt(l->a, "a second person, who holds %.*s", STR_ARG(p->grant));
}

static void write_who(struct look *l, const struct plan *p, const struct plan_row *row)
{
	struct html *h = &l->h;

	html_open_class(h, "section", "who-asks");
	html_put(h, "h2", S("Who asks"));
	html_open_class(h, "dl", "facts");
	page_term(l, "For",
		arena_fmt(l->a, "%.*s (%s)", STR_ARG(p->who.subject),
			principal_kind_name(p->who.kind)));
	term_if(l, "Through", p->who.agent);
	term_if(l, "Tenant", p->who.tenant);
	term_if(l, "Issuer", p->who.issuer);
	term_if(l, "Credential", p->who.credential);
	page_term(l, "Environment", p->environment);
	page_term(l, "Deployment", p->deployment);
	page_term(l, "Source", p->source);
	term_if(l, "Database", p->database);
	term_if(l, "Database role", p->role);
	page_term(l, "Plan", p->id);
	page_term(l, "Who decides", who_decides(l, p));
	if (row->escalated_us)
		page_term(l, "Sent to them with the note", row->escalation_note);
	html_close(h);
	html_close(h);
}

static void write_told(struct look *l, const struct plan *p)
{
	struct html *h = &l->h;

	if (!p->request.n && !p->reason.n)
		return;
	html_open_class(h, "section", "told");
	html_put(h, "h2", S("Told by the assistant"));
	html_put_class(h, "p", "help",
		S("Nobody has checked this. It is what the assistant says it was asked, and why."));
	html_open_class(h, "dl", "facts");
	term_if(l, "Request", p->request);
	term_if(l, "Reason", p->reason);
	html_close(h);
	html_close(h);
}

void plan_view(struct look *l, const struct shown_plan *shown)
{
	const struct plan *p = &shown->plan;

	html_open_class(&l->h, "article", "plan");
	for (size_t i = 0; i < p->step_count; i++)
		write_call(l, p, i);
	write_summary(l, p);
	changes_view(l, p);
	write_who(l, p, &shown->row);
	write_told(l, p);
	html_close(&l->h);
}

void plan_view_digest(struct look *l, const struct shown_plan *p, struct sha256 *out)
{
	struct html page = l->h;
	struct buf text;

	buf_in(&text, l->a, SITE_PAGE_BYTES);
	l->h = (struct html){ .out = &text };
	plan_view(l, p);
	html_here(&l->h);
	sha256_of(buf_str(&text), out);
	l->h = page;
}
