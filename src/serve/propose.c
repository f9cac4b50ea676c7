/* propose - see propose.h.
 *
 * A question names its plan in the state that comes back with the answer: "plan:f:ID" was asked in
 * the client (approval by client), "plan:u:ID" sent the person to a page.
 *
 * Invariants: 1. nothing here approves but the answer to our own sealed question, where the tool
 * says that the client's word is enough; a no is taken from it always.  2. a plan that waits is
 * asked about once; whoever calls again is told that it waits, but for who brings our question back
 * without an answer to it. */
#include "serve/propose.h"

#include "json/write.h"
#include "render/change.h"
#include "render/diff.h"
#include "render/inert.h"
#include "serve/plans.h"

#define MESSAGE_MAX ((size_t)8 << 10)
#define EFFECTS_MAX 20
#define ARGUMENTS_MAX 1000 /* of one step */
#define PARAMS_MAX ((size_t)512 << 10)
#define KEY "approve"
#define STATE_FORM "plan:f:"
#define STATE_URL "plan:u:"

static bool confirm(struct run *r, const char *reason)
{
	struct call *c = r->call;
	struct change *ch = c->change;

	c->fault.details_json = plans_details(c->arena, ch->plan, ch->approval_url);
	return call_fault(c, REQUIRES_CONFIRMATION, reason, STR_NONE);
}

/* --- before it runs --- */

static void take(struct change *ch, const struct kept *k, enum apply apply)
{
	ch->approved = &k->plan;
	ch->given = k->plan.need;
	ch->replay_only = apply != APPLY_NOW;
}

static bool find_named(struct run *r)
{
	struct kept *k = arena_new(r->call->arena, struct kept);
	enum apply apply;

	if (!r->call->change->plan_id.n && !plans_find_token(r->world, r->call))
		return false;
	if (!plans_load(r->world, r->generation, r->call, &apply, k))
		return false;
	take(r->call->change, k, apply);
	return true;
}

static bool declined(struct call *c)
{
	return call_fault(c, CONFIRMATION_INVALID, "declined", STR_NONE);
}

static bool take_answer(struct run *r, bool yes)
{
	struct kept *k = arena_new(r->call->arena, struct kept);

	if (!plans_answer(r->world, r->generation, r->call, r->call->change->plan_id, yes, k))
		return false;
	if (!yes)
		return declined(r->call);
	take(r->call->change, k, APPLY_NOW);
	return true;
}

enum said { SAID_NOTHING, SAID_LATER, SAID_NO, SAID_YES, SAID_SEEN };

/* What does not have the form that was asked for, or has more than that, says nothing. */
static enum said read_form(const struct json *content)
{
	const struct json *yes = json_get(content, S(KEY));

	if (!json_is(content, JSON_OBJECT) || content->count != 1 || !json_is(yes, JSON_BOOL))
		return SAID_NOTHING;
	return yes->truth ? SAID_YES : SAID_NO;
}

static enum said read_answer(const struct call *c, bool form)
{
	const struct json *answer = json_get(c->answers, S(KEY));
	struct str action = json_get_str(answer, S("action"));

	if (str_eq(action, S("decline")))
		return SAID_NO;
	if (str_eq(action, S("cancel")))
		return SAID_LATER;
	if (!str_eq(action, S("accept")))
		return SAID_NOTHING;
	return form ? read_form(json_get(answer, S("content"))) : SAID_SEEN;
}

/* Of a page, only the store knows what became of it; a no is a no. */
static bool find_answered(struct run *r, bool form)
{
	enum said said = read_answer(r->call, form);

	if (said == SAID_NO || said == SAID_YES)
		return take_answer(r, said == SAID_YES);
	if (!form)
		return find_named(r);
	/* nobody has decided: what is found now is the plan that waits */
	r->call->change->unanswered = said == SAID_NOTHING;
	return true;
}

bool propose_find(struct run *r)
{
	struct change *ch = r->call->change;
	struct str state = r->call->state_plain_in;
	bool form = str_starts(state, S(STATE_FORM)), url = str_starts(state, S(STATE_URL));

	if (ch->wish != WISH_RUN || (!form && !url))
		return ch->wish != WISH_APPLY || find_named(r);
	ch->plan_id = str_from(state, sizeof STATE_URL - 1);
	return find_answered(r, form);
}

/* --- after it ran --- */

static void find_page(struct run *r)
{
	struct change *ch = r->call->change;

	ch->approval_url =
		world_plan_url(r->world, r->generation->config, r->call->arena, ch->plan->id);
}

static void write_form(struct jw *w)
{
	jw_name(w, S("requestedSchema"));
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
	jw_name(w, S(KEY));
	jw_object(w);
	jw_put_str(w, S("type"), S("boolean"));
	jw_put_str(w, S("title"), S("Make this change"));
	jw_put_str(w, S("description"), S("Exactly what is shown above, once."));
	jw_object_end(w);
	jw_object_end(w);
	jw_put_raw(w, S("required"), S("[\"" KEY "\"]"));
	jw_object_end(w);
}

/* Which tool, where, with what: as the server knows it.  False: an argument was cut. */
static bool write_heading(const struct plan *p, struct buf *out)
{
	bool whole = true;

	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_step *s = &p->steps[i];
		struct str arguments = str_sub(s->arguments, 0, ARGUMENTS_MAX);

		buf_fmt(out, "%.*s@%u in %.*s (%.*s), with\n", STR_ARG(s->tool), s->version,
			STR_ARG(p->deployment), STR_ARG(p->environment));
		inert_write(out, arguments, INERT_TEXT);
		buf_char(out, '\n');
		whole = whole && arguments.n == s->arguments.n;
	}
	buf_char(out, '\n');
	return whole;
}

/* Empty: it is too long to be shown in a form, and nobody says yes to a part. */
static struct str message(struct run *r, bool form)
{
	struct call *c = r->call;
	struct buf text;
	bool whole;

	if (!form)
		return arena_fmt(c->arena,
			"Look at what %.*s would change in %.*s (%.*s), and approve or decline it "
			"there.",
			STR_ARG(c->entry->name), STR_ARG(c->change->plan->deployment),
			STR_ARG(c->change->plan->environment));
	buf_in(&text, c->arena, MESSAGE_MAX * 8);
	whole = write_heading(c->change->plan, &text);
	whole = diff_text(&text,
			&(struct diff_view){ .plan = c->change->plan,
				.who = c->who,
				.mask_key = world_mask_key(r->world, r->generation) },
			c->arena,
			(struct diff_bounds){ .effects = EFFECTS_MAX, .bytes = MESSAGE_MAX },
			false) &&
		whole;
	return whole && buf_ok(&text) ? buf_str(&text) : STR_NONE;
}

static struct str question(struct run *r, bool form, struct str text)
{
	struct change *ch = r->call->change;
	struct buf params;
	struct jw w;

	buf_in(&params, r->call->arena, PARAMS_MAX);
	jw_init(&w, &params);
	jw_object(&w);
	if (!form) {
		jw_put_str(&w, S("mode"), S("url"));
		jw_put_str(&w, S("elicitationId"), ch->plan->id);
		jw_put_str(&w, S("url"), ch->approval_url);
	}
	jw_put_str(&w, S("message"), text);
	if (form)
		write_form(&w);
	jw_object_end(&w);
	bug_on(!buf_ok(&params));
	return buf_str(&params);
}

/* False: this client cannot be asked so; nothing is set. */
static bool ask(struct run *r)
{
	struct call *c = r->call;
	struct change *ch = c->change;
	bool form = ch->plan->need == APPROVAL_CLIENT;
	struct str method = S("elicitation/create"), text = message(r, form), params;

	if (!text.n || (!form && !ch->approval_url.n))
		return false;
	params = question(r, form, text);
	if (!c->port->may_ask(c->port->ctx, method, params))
		return false;
	c->asks = arena_new(c->arena, struct ask);
	c->asks[0] = (struct ask){ S(KEY), method, params };
	c->ask_count = 1;
	c->state_plain_out =
		arena_fmt(c->arena, "%s%.*s", form ? STATE_FORM : STATE_URL, STR_ARG(ch->plan->id));
	c->end = CALL_ASKS;
	return true;
}

/* What somebody said yes to is not what would happen: that yes is worth nothing any more. */
static bool conflict(struct run *r, const char *reason)
{
	struct call *c = r->call;
	struct change *ch = c->change;
	struct err err;

	if (!plans_void(r->world, ch->approved->id, str_c(reason), &err))
		return call_fault(c, CONFLICT, reason, arena_str(c->arena, str_c(err.text)));
	if (!plans_keep(r->world, r->generation, c))
		return false;
	find_page(r);
	c->fault.details_json = plans_details(c->arena, ch->plan, ch->approval_url);
	return call_fault(c, CONFLICT, reason, STR_NONE);
}

bool propose(struct run *r)
{
	struct change *ch = r->call->change;

	if (ch->replayed)
		return true;
	if (ch->approved)
		return conflict(r, ch->differs ? "plan_changed" : "approval");
	if (ch->plan->need == APPROVAL_NONE)
		return true;
	if (!change_render_fits(r->call, world_mask_key(r->world, r->generation)) ||
		!plans_keep(r->world, r->generation, r->call))
		return false;
	find_page(r);
	if (ch->wish == WISH_PREVIEW)
		return true;
	if ((ch->pending && !ch->unanswered) || ch->approved_already)
		return confirm(r, ch->pending ? "pending" : "approved");
	return ask(r) || confirm(r, "approval");
}
