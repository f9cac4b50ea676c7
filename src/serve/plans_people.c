/* plans_people - plans before the people who decide on them.  See plans.h.
 *
 * Invariants: 1. what is not theirs to see is, in the same words, not there.  2. a decision is
 * recorded before it takes effect; one that came too late after that is recorded as not taken.
 * 3. nothing is approved while a kill order meets the plan or the person, or while that is not
 * known; declining is always possible. */
#include "serve/plans_inside.h"

#include "base/clock.h"
#include "base/utf8.h"

static bool no_plan(struct str id, struct err *err)
{
	return err_set(err, E_NOT_FOUND, "there is no plan %.*s", STR_ARG(str_sub(id, 0, 64)));
}

bool plans_open(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, struct str id, struct kept *out, struct err *err)
{
	struct kept k;

	if (!who->approver || !store_plan_get(world_store(w), a, id, &k.row, err))
		return !who->approver || err->code == E_NOT_FOUND ? no_plan(id, err) : false;
	if (!approval_visible(g->config, &k.row, who))
		return no_plan(id, err);
	if (!plan_body_open(w, a, &k.row, &k.plan, err))
		return false;
	*out = k;
	return true;
}

bool plans_list(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, enum plans_which which, struct plan_row **rows_out, size_t *count_out,
	struct err *err)
{
	struct plan_row *rows;
	size_t count, kept = 0;

	if (!store_plan_list(
		    world_store(w), a, which, STR_NONE, PLANS_LIST_MAX, &rows, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (who->approver && approval_visible(g->config, &rows[i], who))
			rows[kept++] = rows[i];
	*rows_out = rows;
	*count_out = kept;
	return true;
}

/* --- kill orders --- */

static bool meets(struct watch *w, const struct kill_target *t)
{
	return watch_judge(w, t, clock_boot_ms()).cause != KILL_BY_NOTHING;
}

static bool is_paused(struct world *world, const struct kept *k, const struct principal *who)
{
	struct watch *w = world_watch(world);
	struct kill_target person = kill_target_of_principal(who);
	struct kill_target plan = { .instance = watch_instance(w),
		.tenant = k->row.tenant,
		.subject = k->row.subject,
		.agent = k->row.agent,
		.credential = k->row.credential,
		.entry = k->row.tool,
		.source = k->row.source };
	struct err err;

	if (!watch_start(w, &err) || meets(w, &person) || meets(w, &plan))
		return true;
	for (size_t i = 0; i < k->plan.step_count; i++) {
		plan.entry = k->plan.steps[i].tool;
		if (meets(w, &plan))
			return true;
	}
	return false;
}

/* --- deciding --- */

/* False with DECIDE_MAY: it could not even be recorded that it was refused. */
static bool refuse(struct world *w, const struct kept *k, const struct principal *who,
	const struct decision *d, enum decide verdict, enum decide *verdict_out, struct err *err)
{
	*verdict_out = plan_note_refusal(w, &k->row, who, d, verdict, err) ? verdict : DECIDE_MAY;
	return false;
}

static bool note_fits(const struct decision *d, struct err *err)
{
	if (d->note.n > PLAN_NOTE_MAX || !utf8_valid(d->note))
		return err_set(
			err, E_INVALID, "a note is at most %d bytes of UTF-8", PLAN_NOTE_MAX);
	if (!d->yes && !str_trim(d->note).n)
		return err_set(err, E_INVALID, "say why it is declined");
	return true;
}

static bool make_token(struct world *w, struct arena *a, const struct plan_row *row,
	struct str *token_out, struct sha256 *hmac_out, struct err *err)
{
	struct secret key;
	bool made;

	*token_out = approval_token_make(a); /* an arena may jump: before there is a secret */
	if (!world_key(w, S("confirmation"), &key, err))
		return false;
	made = approval_token_hmac(secret_bytes(&key), row, *token_out, hmac_out);
	bug_on(!made);
	secret_wipe(&key);
	return true;
}

/* Somebody else was faster, or the store failed, after it was recorded. */
static bool not_taken(struct world *w, struct arena *a, const struct plan_row *row,
	const struct principal *who, enum decide *verdict_out, struct err *err)
{
	struct err late;

	*verdict_out = err->code == E_EXISTS ? DECIDE_STATE : DECIDE_MAY;
	if (plan_note_not_taken(w, a, row, who, str_c(err->text), &late))
		return false;
	*verdict_out = DECIDE_MAY;
	*err = late;
	return err_while(err, "it was not taken, and the log says otherwise");
}

bool plans_decide(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, const struct decision *d, struct str *token_out,
	enum decide *verdict_out, struct err *err)
{
	struct plan_decision decision = { .yes = d->yes,
		.by = who->subject,
		.credential = who->credential,
		.channel = d->channel,
		.note = d->note,
		.shown = d->shown };
	struct decider decider = {
		.who = who, .yes = d->yes, .paused = d->yes && is_paused(w, k, who)
	};
	struct str token = STR_NONE;
	struct sha256 hmac;

	*verdict_out = approval_judge(g->config, &k->row, &decider);
	if (*verdict_out != DECIDE_MAY)
		return refuse(w, k, who, d, *verdict_out, verdict_out, err);
	if (!note_fits(d, err))
		return false;
	if (d->yes && g->config->approvals.token) {
		if (!make_token(w, a, &k->row, &token, &hmac, err))
			return false;
		decision.token = &hmac;
		decision.token_tries = APPROVAL_TOKEN_TRIES;
		decision.token_lasts_us = APPROVAL_TOKEN_US;
	}
	*token_out = token;
	if (!plan_note_decision(w, &k->row, who, d, false, err))
		return false;
	return store_plan_decide(world_store(w), &k->row, &decision, err) ||
	       not_taken(w, a, &k->row, who, verdict_out, err);
}

/* --- escalating --- */

static struct str grant_of_write(const struct write *write)
{
	for (size_t i = 0; write && !write->grant.n && i < write->threshold_count; i++)
		if (write->thresholds[i].grant.n)
			return write->thresholds[i].grant;
	return write ? write->grant : STR_NONE;
}

/* The grant that the plan's tools ask for elsewhere: of the first that names one. */
static struct str grant_of(const struct catalog *catalog, const struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++) {
		const struct entry *e = map_get(&catalog->tools_by_name, p->steps[i].tool);
		struct str grant = e ? grant_of_write(e->write) : STR_NONE;

		if (grant.n)
			return grant;
	}
	return S(APPROVAL_GRANT);
}

static enum decide judge_escalation(
	const struct generation *g, const struct kept *k, const struct principal *who)
{
	if (!who->approver || who->kind != PRINCIPAL_HUMAN)
		return DECIDE_CREDENTIAL;
	if (!approval_asked(g->config, &k->row, who))
		return approval_visible(g->config, &k->row, who) ? DECIDE_FOUR_EYES
								 : DECIDE_UNKNOWN;
	return k->row.state == PLAN_PROPOSED && !k->row.escalated_us ? DECIDE_MAY : DECIDE_STATE;
}

bool plans_escalate(struct world *w, const struct generation *g, const struct principal *who,
	struct arena *a, const struct kept *k, const struct decision *d, enum decide *verdict_out,
	struct err *err)
{
	struct plan_row row = k->row;
	struct decision note = *d;

	note.yes = false; /* somebody has to read what it is about */
	*verdict_out = judge_escalation(g, k, who);
	if (*verdict_out != DECIDE_MAY)
		return refuse(w, k, who, d, *verdict_out, verdict_out, err);
	if (!note_fits(&note, err))
		return false;
	row.need = str_c(approval_level_name(APPROVAL_OTHER));
	if (!row.grant.n)
		row.grant = grant_of(g->catalog, &k->plan);
	if (!plan_note_decision(w, &row, who, d, true, err))
		return false;
	return store_plan_escalate(world_store(w), row.id, row.need, row.grant, d->note,
		       approval_lives_us(APPROVAL_OTHER), err) ||
	       not_taken(w, a, &row, who, verdict_out, err);
}
