/* plan_page - one plan: where it stands, what it would change, who asks, and what can be done with
 * it (inside.h).
 *
 * What is decided on is the view (view.c); around it stands what changes by itself: how long it may
 * still be decided, and by whom. */
#include "site/inside.h"

bool plan_open(struct look *l, struct str id, struct shown_plan *out)
{
	const struct config *config = l->r->config;
	struct err err;

	if (!l->hands->open(l->r->ctx, &l->who, id, &out->row, &out->plan, &err)) {
		page_trouble(l, &err);
		return false;
	}
	out->expired = out->row.state == PLAN_EXPIRED ||
		       (out->row.state == PLAN_PROPOSED && out->row.expires_us <= l->r->now_us);
	out->may =
		approval_judge(config, &out->row, &(struct decider){ .who = &l->who, .yes = true });
	out->may_decline = approval_judge(config, &out->row, &(struct decider){ .who = &l->who });
	if (out->expired && out->may == DECIDE_MAY)
		out->may = DECIDE_STATE;
	if (out->expired && out->may_decline == DECIDE_MAY)
		out->may_decline = DECIDE_STATE;
	out->asked = approval_asked(config, &out->row, &l->who);
	return true;
}

/* --- where it stands --- */

struct str plan_standing(struct look *l, const struct plan_row *row)
{
	const char *by = row->decided_by.n ? " by " : "";

	switch (row->state) {
	case PLAN_PROPOSED:
		return row->expires_us > l->r->now_us ? S("waiting for a decision") : S("expired");
	case PLAN_APPROVED:
		if (row->expires_us <= l->r->now_us)
			return S("approved, and expired before it was applied");
		return arena_fmt(
			l->a, "approved%s%.*s, not applied yet", by, STR_ARG(row->decided_by));
	case PLAN_DECLINED:
		return arena_fmt(l->a, "declined%s%.*s", by, STR_ARG(row->decided_by));
	case PLAN_APPLIED:
		return arena_fmt(l->a, "applied, approved%s%.*s", by, STR_ARG(row->decided_by));
	case PLAN_VOID:
		return row->why.n ? arena_fmt(l->a, "void: %.*s", STR_ARG(row->why)) : S("void");
	case PLAN_EXPIRED:
		return S("expired");
	case PLAN_UNKNOWN:
		return S("in doubt: it may or may not have been applied");
	}
	return STR_NONE;
}

static void write_notice(struct look *l, const struct notice *n)
{
	struct html *h = &l->h;

	if (n->words.n) {
		html_open_class(h, "p", n->alarm ? "notice alarm" : "notice good");
		html_attr(h, "role", n->alarm ? S("alert") : S("status"));
		html_text(h, n->words);
		html_close(h);
	}
	if (!n->token.n)
		return;
	html_open_class(h, "section", "token");
	html_put(h, "h2", S("Token for this plan"));
	html_put_class(h, "p", "number", n->token);
	html_put(h, "p",
		S("Paste it where the assistant asks for it. It is shown this once, is good for "
		  "this plan alone, for ten minutes, and must come from who asked."));
	html_close(h);
}

static void write_left(struct look *l, const struct shown_plan *p)
{
	int64_t left_us = p->row.expires_us - l->r->now_us;
	struct html *h = &l->h;

	html_open_class(h, "p", "expiry");
	if (left_us <= 0) {
		html_say(h, "It expired at ");
		page_time(l, p->row.expires_us);
		html_say(h, "; nothing of it can happen any more.");
		html_close(h);
		return;
	}
	html_say(h, "Expires in ");
	html_text(h, moment_span(l->a, left_us));
	html_say(h, ", at ");
	page_time(l, p->row.expires_us);
	html_open(h, "span");
	html_attr(h, "class",
		left_us >= INT64_C(3600) * 1000000 ? S("countdown hours") : S("countdown"));
	html_attr(h, "aria-hidden", S("true"));
	html_close(h);
	html_close(h);
}

static void write_decision(struct look *l, const struct plan_row *row)
{
	struct html *h = &l->h;

	if (!row->decided_us)
		return;
	html_open_class(h, "dl", "facts");
	page_term(l, row->state == PLAN_DECLINED ? "Declined by" : "Approved by", row->decided_by);
	html_open(h, "div");
	html_put(h, "dt", S("When"));
	html_open(h, "dd");
	page_time(l, row->decided_us);
	html_close(h);
	html_close(h);
	if (row->channel.n)
		page_term(l, "Where", row->channel);
	if (row->note.n)
		page_term(l, row->state == PLAN_DECLINED ? "Reason" : "Note", row->note);
	html_close(h);
}

static void write_standing(struct look *l, const struct shown_plan *p)
{
	struct html *h = &l->h;

	html_open_class(h, "section", "standing");
	html_attr(h, "aria-label", S("Where it stands"));
	html_open(h, "p");
	html_say(h, "This plan is ");
	html_put(h, "strong", plan_standing(l, &p->row));
	html_say(h, ". It was asked for at ");
	page_time(l, p->row.made_us);
	html_say(h, ".");
	html_close(h);
	if (p->row.state == PLAN_PROPOSED || p->row.state == PLAN_APPROVED || p->expired)
		write_left(l, p);
	if (p->row.state == PLAN_APPROVED && p->row.expires_us > l->r->now_us)
		html_put(h, "p",
			S("The assistant can apply it now: tell it to call the tool again with "
			  "this plan."));
	write_decision(l, &p->row);
	html_close(h);
}

/* --- what can be done --- */

struct str plan_about(
	struct look *l, const struct plan_row *row, const char *what, struct str shown_hex)
{
	return arena_fmt(l->a, "%s %.*s %.*s", what, STR_ARG(row->id), STR_ARG(shown_hex));
}

static void begin_form(struct look *l, const struct plan_row *row, const char *verb)
{
	html_open_class(&l->h, "form", "sheet");
	html_attr(&l->h, "method", S("post"));
	html_attr(&l->h, "action", arena_fmt(l->a, SITE_ROOT "/%.*s/%s", STR_ARG(row->id), verb));
}

struct note_field {
	const char *id, *label, *help;
	bool required;
};

static void write_note(struct look *l, const struct note_field *f)
{
	struct html *h = &l->h;
	struct str help = arena_fmt(l->a, "%s-help", f->id);

	html_open(h, "label");
	html_attr(h, "for", str_c(f->id));
	html_text(h, str_c(f->label));
	html_close(h);
	html_open(h, "textarea");
	html_attr(h, "id", str_c(f->id));
	html_attr(h, "name", S("note"));
	html_attr(h, "rows", S("2"));
	html_attr(h, "maxlength", S("500"));
	html_attr(h, "aria-describedby", help);
	if (f->required)
		html_flag(h, "required");
	html_close(h);
	html_open_class(h, "p", "help");
	html_attr(h, "id", help);
	html_text(h, str_c(f->help));
	html_close(h);
}

static void end_form(struct look *l, const char *class, const char *words)
{
	html_open_class(&l->h, "button", class);
	html_attr(&l->h, "type", S("submit"));
	html_text(&l->h, str_c(words));
	html_close(&l->h);
	html_close(&l->h);
}

static void write_decide_form(
	struct look *l, const struct plan_row *row, bool yes, struct str shown_hex)
{
	const char *what = yes ? "approve" : "decline";

	begin_form(l, row, "decide");
	html_put(&l->h, "h3", yes ? S("Approve") : S("Decline"));
	html_hidden(&l->h, "decision", str_c(what));
	html_hidden(&l->h, "shown", shown_hex);
	page_form_seal(l, plan_about(l, row, what, shown_hex));
	write_note(l,
		yes ? &(struct note_field){ "approve-note", "Note (may be left out)",
			      "Kept with the decision.", false }
		    : &(struct note_field){ "decline-note", "Reason",
			      "Who asked is shown it, and it is kept with the decision.", true });
	end_form(l, yes ? "yes" : "no", yes ? "Approve exactly this" : "Decline");
}

static void write_escalate_form(struct look *l, const struct plan_row *row, struct str shown_hex)
{
	begin_form(l, row, "escalate");
	html_put(&l->h, "h3", S("Ask a second person"));
	html_hidden(&l->h, "shown", shown_hex);
	page_form_seal(l, plan_about(l, row, "escalate", shown_hex));
	write_note(l, &(struct note_field){ "escalate-note", "What they should know",
			      "They see it beside the plan. From then on you cannot approve it "
			      "yourself.",
			      true });
	end_form(l, "plain", "Send it to them");
}

static bool may_escalate(const struct shown_plan *p)
{
	return p->asked && p->row.state == PLAN_PROPOSED && !p->expired &&
	       p->plan.need != APPROVAL_OTHER;
}

static void write_again(struct look *l, const struct plan_row *row)
{
	html_put(&l->h, "p",
		S("You signed in more than 15 minutes ago; deciding needs it once more."));
	html_open(&l->h, "p");
	html_link(&l->h,
		arena_fmt(l->a, SITE_ROOT "/sign-in?next=" SITE_ROOT "/%.*s", STR_ARG(row->id)),
		S("Sign in again to decide"));
	html_close(&l->h);
}

static void write_actions(struct look *l, const struct shown_plan *p, struct str shown_hex)
{
	bool yes = p->may == DECIDE_MAY, no = p->may_decline == DECIDE_MAY;
	bool open = p->row.state == PLAN_PROPOSED && !p->expired;
	struct html *h = &l->h;

	if (!open)
		return;
	html_open_class(h, "section", "actions");
	html_attr(h, "aria-labelledby", S("decision"));
	html_open(h, "h2");
	html_attr(h, "id", S("decision"));
	html_say(h, "Your decision");
	html_close(h);
	if (!yes)
		html_put_class(h, "p", "notice",
			arena_fmt(l->a, "You cannot approve this: %s.", decide_words(p->may)));
	if (!visit_is_recent(&l->visit, l->r->boot_ms)) {
		write_again(l, &p->row);
	} else {
		html_open_class(h, "div", "sheets");
		if (yes)
			write_decide_form(l, &p->row, true, shown_hex);
		if (no)
			write_decide_form(l, &p->row, false, shown_hex);
		if (may_escalate(p))
			write_escalate_form(l, &p->row, shown_hex);
		html_close(h);
	}
	html_close(h);
}

void plan_page(struct look *l, const struct shown_plan *p, const struct notice *n)
{
	int64_t left_us = p->row.expires_us - l->r->now_us;
	bool open = p->row.state == PLAN_PROPOSED || p->row.state == PLAN_APPROVED;
	struct sha256 shown;
	struct buf hex;
	size_t view;

	page_begin(l, &(struct frame){ .status = n->status,
			      .title = "Plan",
			      .subject = p->row.tool,
			      .left_s = open && left_us > 0 ? (uint64_t)left_us / 1000000 : 0 });
	html_open(&l->h, "h1");
	html_say(&l->h, "Plan of ");
	html_put(&l->h, "code", p->row.tool);
	html_close(&l->h);
	write_notice(l, n);
	write_standing(l, p);
	view = html_here(&l->h);
	plan_view(l, p);
	sha256_of(html_since(&l->h, view), &shown);
	buf_in(&hex, l->a, 2 * SHA256_BYTES);
	hex_write(&hex, str_n(shown.b, SHA256_BYTES));
	write_actions(l, p, buf_str(&hex));
	page_end(l);
}
