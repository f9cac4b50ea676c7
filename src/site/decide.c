/* decide - somebody said yes, no, or "let a second person look" (inside.h).
 *
 * Invariants: 1. the form is sealed for this visit, this plan, this answer and what was shown with
 * it.  2. what was shown is what would be shown now, or nothing is decided.  3. the sign-in is
 * recent.  4. who may decide is judged again, where the decision is made (serve/plans.h). */
#include "site/inside.h"

static void refuse(struct look *l, const char *reason, struct str words)
{
	page_deny(l, &l->who, &(struct denial){ reason, 403, words });
}

/* The page again, with what is wrong. */
static void say_on_page(struct look *l, const struct shown_plan *p, int status, struct str words)
{
	plan_page(l, p, &(struct notice){ .status = status, .words = words, .alarm = true });
}

static bool check_recent(struct look *l, struct str id)
{
	if (visit_is_recent(&l->visit, l->r->boot_ms))
		return true;
	page_see_other(
		l, arena_fmt(l->a, SITE_ROOT "/sign-in?next=" SITE_ROOT "/%.*s", STR_ARG(id)));
	return false;
}

static bool check_note(
	struct look *l, const struct shown_plan *p, struct str note, const char *needed)
{
	if (note.n > PLAN_NOTE_MAX)
		say_on_page(l, p, 422, S("The note is longer than 1,000 bytes."));
	else if (needed && !str_trim(note).n)
		say_on_page(l, p, 422, str_c(needed));
	else
		return true;
	return false;
}

static bool check_shown(struct look *l, const struct shown_plan *p, struct sha256 *shown_out)
{
	struct str given = form_get(&l->form, "shown");
	struct buf now;

	plan_view_digest(l, p, shown_out);
	buf_in(&now, l->a, 2 * SHA256_BYTES);
	hex_write(&now, str_n(shown_out->b, SHA256_BYTES));
	if (str_eq(given, buf_str(&now)))
		return true;
	say_on_page(l, p, 409,
		S("What is shown of this plan has changed since the page was opened. Nothing was "
		  "decided: look again."));
	return false;
}

/* It cannot be decided (any more): the page says where it stands. */
static void say_verdict(struct look *l, struct str id, enum decide verdict)
{
	struct shown_plan p = { 0 };

	if (verdict == DECIDE_UNKNOWN) {
		page_not_found(l);
		return;
	}
	if (plan_open(l, id, &p))
		say_on_page(l, &p, verdict == DECIDE_STATE ? 409 : 403,
			arena_fmt(l->a, "Nothing was decided now: %s.", decide_words(verdict)));
}

static void say_decided(struct look *l, struct str id, struct str token)
{
	struct shown_plan p = { 0 };

	if (!token.n)
		page_see_other(l, arena_fmt(l->a, SITE_ROOT "/%.*s", STR_ARG(id)));
	else if (plan_open(l, id, &p))
		plan_page(l, &p, &(struct notice){ .status = 200, .token = token });
}

static void say_outcome(struct look *l, struct str id, bool done, const struct site_outcome *o,
	const struct err *err)
{
	if (done)
		say_decided(l, id, o->token);
	else if (o->verdict != DECIDE_MAY)
		say_verdict(l, id, o->verdict);
	else
		page_trouble(l, err);
}

static void decide(struct look *l, const struct shown_plan *p, const struct site_decision *d)
{
	struct site_plan plan = { &p->row, &p->plan };
	struct site_outcome out = { .verdict = DECIDE_UNKNOWN };
	struct err err;
	bool done = l->hands->decide(l->r->ctx, &l->who, &plan, d, &out, &err);

	say_outcome(l, p->row.id, done, &out, &err);
}

void plan_decide_post(struct look *l, struct str id)
{
	struct str what = form_get(&l->form, "decision");
	struct site_decision d = { .yes = str_eq(what, S("approve")),
		.note = str_trim(form_get(&l->form, "note")) };
	struct shown_plan p = { 0 };

	if (!plan_open(l, id, &p))
		return;
	if ((!d.yes && !str_eq(what, S("decline"))) ||
		!page_form_sealed(l, plan_about(l, &p.row, d.yes ? "approve" : "decline",
					     form_get(&l->form, "shown")))) {
		refuse(l, "seal", S("This form is not from this visit. Nothing was decided."));
		return;
	}
	if (check_recent(l, id) &&
		check_note(l, &p, d.note, d.yes ? NULL : "Declining needs a reason.") &&
		check_shown(l, &p, &d.shown))
		decide(l, &p, &d);
}

static void escalate(struct look *l, const struct shown_plan *p, const struct site_decision *d)
{
	struct site_plan plan = { &p->row, &p->plan };
	struct site_outcome out = { .verdict = DECIDE_UNKNOWN };
	struct err err;
	bool done = l->hands->escalate(l->r->ctx, &l->who, &plan, d, &out, &err);

	say_outcome(l, p->row.id, done, &out, &err);
}

void plan_escalate_post(struct look *l, struct str id)
{
	struct site_decision d = { .note = str_trim(form_get(&l->form, "note")) };
	struct shown_plan p = { 0 };

	if (!plan_open(l, id, &p))
		return;
	if (!page_form_sealed(l, plan_about(l, &p.row, "escalate", form_get(&l->form, "shown")))) {
		refuse(l, "seal", S("This form is not from this visit. Nothing was sent."));
		return;
	}
	if (check_recent(l, id) &&
		check_note(l, &p, d.note, "Say what the second person should know.") &&
		check_shown(l, &p, &d.shown))
		escalate(l, &p, &d);
}
