/* write - a change: preview and the real thing are one path, up to COMMIT.
 *
 *   lock         BEGIN IMMEDIATE: nobody else changes the database from here on
 *   marker       which database is it?  one of this environment, or nothing is changed
 *   replay       was this plan applied, this key used before?  then the first answer
 *   step         still visible? preconditions, statements with every row captured,
 *                postconditions, the answer
 *   judge        is every change declared?  will the constraints hold?
 *   plan         what it sums up to, what approval it needs, its digest
 *   compare      live: is it what was approved?
 *   gate         live: the intent is durable, nobody stopped it, the answer fits
 *   ledger       live: one row, and with it the plan is used up
 *   COMMIT       live; a preview rolls back
 *
 * Invariants: 1. COMMIT is sent in one place, after every test, and only when change->live.  2. the
 * plan and the ledger's row are made from what this transaction found, never from what was handed
 * in.  3. what the database says goes to the operator; the agent gets the declared words, and the
 * names of tables and operations that were not declared.  4. once COMMIT was sent the call ends as
 * committed, not, or unknown, whatever else fails. */
#include "backend/write.h"

#include "base/clock.h"
#include "base/planted.h"
#include "json/write.h"
#include "sql/marker.h"

#define DETAILS_MAX ((size_t)8 << 10)

static bool fault_details(struct call *c, struct buf *details, enum fault_code code,
	const char *reason, struct str operator_text)
{
	if (buf_ok(details))
		c->fault.details_json = buf_str(details);
	return call_fault(c, code, reason, operator_text);
}

/* --- conditions --- */

static bool refuse_condition(struct call *c, const struct condition *k)
{
	struct str reason = k->reason.n ? k->reason : S("precondition");
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_put_str(&w, S("say"), k->say);
	jw_object_end(&w);
	return fault_details(c, &details, k->code, arena_cstr(c->arena, reason), STR_NONE);
}

static bool ask(struct writing *w, struct call *c, const struct statement *st, bool *row_out)
{
	struct err err;
	struct lite_stmt *s = lite_prepare(w->lite, st->serial, st->sql, &err);
	enum lite_step step = LITE_FAILED;

	if (s) {
		bind_params(c, NULL, st, s);
		step = lite_step(s, &err);
		lite_end(s);
	}
	*row_out = step == LITE_ROW;
	return step != LITE_FAILED || write_fault(w, &err);
}

static bool conditions_hold(
	struct writing *w, struct call *c, const struct condition *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool row;

		if (!ask(w, c, &list[i].statement, &row))
			return false;
		if (row != list[i].unless)
			return refuse_condition(w->c, &list[i]);
	}
	return true;
}

/* --- statements --- */

static bool run_statement(struct writing *w, struct call *c, const struct statement *st)
{
	struct err err;
	struct lite_stmt *s = lite_prepare(w->lite, st->serial, st->sql, &err);
	enum lite_step step = LITE_ROW;

	if (!s)
		return write_fault(w, &err);
	bind_params(c, NULL, st, s);
	while (step == LITE_ROW)
		step = lite_step(s, &err);
	lite_end(s);
	return step == LITE_DONE || write_fault(w, &err);
}

static bool fetch_answer(struct writing *w, struct change_step *step, struct call *c)
{
	const struct action *action = &step->entry->action;
	struct err err;

	step->rows = arena_new(w->c->arena, struct rows);
	rows_init(step->rows, &action->parts[0]);
	if (!read_rows(w->b, w->lite, c, step->rows, &err))
		return write_fault(w, &err);
	return rows_fit_shape(w->c, step->rows);
}

static bool run_statements(struct writing *w, struct change_step *step, struct call *c)
{
	const struct write *write = step->entry->write;

	for (size_t i = 0; i < write->statement_count; i++) {
		capture_mark(w->lite, (unsigned)i);
		if (write->returning && write->returning_of == i) {
			if (!fetch_answer(w, step, c))
				return false;
		} else if (!run_statement(w, c, &write->statements[i])) {
			return false;
		}
	}
	return true;
}

static bool judge_step(struct writing *w, struct plan_step *done, const struct write *write)
{
	struct effect_finding found;

	effects_order(&done->effects, w->c->arena);
	found = effects_judge(&done->effects, write);
	return found.verdict == EFFECTS_DECLARED || planted(PLANTED_EFFECT_IGNORED) ||
	       effects_fault(w->c, &found);
}

/* Asked again under the lock: the record may have been moved since, by others or by an earlier
 * step.  A rule of another source cannot be. */
static bool still_visible(struct writing *w, struct call *c)
{
	const struct entry *e = c->entry;

	if (!e->visible || e->visible_source != e->source || visible_on(w->lite, c))
		return true;
	w->c->end = c->end;
	w->c->fault = c->fault;
	return false;
}

static bool run_step(struct writing *w, size_t i)
{
	struct change_step *step = &w->change->steps[i];
	const struct write *write = step->entry->write;
	struct plan_step *done = &w->change->plan->steps[i];
	struct call c = change_step_call(w->c, step);

	*done = (struct plan_step){ .tool = step->entry->name,
		.version = step->entry->version,
		.definition = step->entry->digest,
		.arguments = step->canonical };
	if (!still_visible(w, &c) || !conditions_hold(w, &c, write->before, write->before_count) ||
		!run_statements(w, step, &c))
		return false;
	crash_point("statements");
	return effects_collect(w, &c, &done->effects) && judge_step(w, done, write) &&
	       conditions_hold(w, &c, write->after, write->after_count) &&
	       (write->returning || !step->entry->action.part_count || fetch_answer(w, step, &c));
}

/* --- the plan --- */

static void describe_plan(struct writing *w)
{
	const struct config *config = w->b->config;
	const struct principal *who = w->c->who;
	struct change *ch = w->change;
	struct plan *p = arena_new(w->c->arena, struct plan);

	p->deployment = config->name;
	p->environment = str_c(environment_name(config->environment));
	p->source = w->source->config->name;
	p->database = w->database;
	p->who = (struct plan_who){ .issuer = who->issuer,
		.subject = who->subject,
		.tenant = who->tenant,
		.agent = who->agent,
		.credential = who->credential,
		.kind = who->kind };
	p->request = ch->request;
	p->reason = ch->reason;
	p->steps = arena_array(w->c->arena, struct plan_step, ch->step_count);
	p->step_count = ch->step_count;
	ch->plan = p;
}

static bool sum_up(struct writing *w)
{
	struct change *ch = w->change;
	const struct write **writes =
		arena_array(w->c->arena, const struct write *, ch->step_count);
	struct err err;

	for (size_t i = 0; i < ch->step_count; i++)
		writes[i] = ch->steps[i].entry->write;
	if (!plan_sum_up(ch->plan, w->c->arena, writes, &err))
		return call_fault(
			w->c, INTERNAL, "impact", arena_str(w->c->arena, str_c(err.text)));
	if (!approval_needed(w))
		return false;
	plan_digest(ch->plan, w->c->arena, &ch->plan->digest);
	return true;
}

static bool constraints_hold(struct writing *w)
{
	if (lite_constraints_hold(w->lite))
		return true;
	return constraint_fault(w->c, "foreign_key", S("a foreign key would not hold at COMMIT"));
}

static bool find_out(struct writing *w)
{
	describe_plan(w);
	for (size_t i = 0; i < w->change->step_count; i++)
		if (!run_step(w, i))
			return false;
	return constraints_hold(w) && sum_up(w);
}

/* --- the real thing --- */

/* Is it what somebody said yes to?  Not: the call ends as one that asks anew, with what was found.
 */
static bool is_approved(struct writing *w)
{
	struct change *ch = w->change;
	const struct plan *yes = ch->approved;

	ch->differs = yes && !sha256_eq(&yes->digest, &ch->plan->digest) &&
		      !planted(PLANTED_DIGEST_NOT_COMPARED);
	ch->short_of_approval =
		ch->plan->need > ch->given ||
		(yes && ch->plan->need == APPROVAL_OTHER && !str_eq(ch->plan->grant, yes->grant));
	return !ch->differs && !ch->short_of_approval;
}

static bool commit(struct writing *w)
{
	struct change *ch = w->change;
	struct err err;

	ch->end = CHANGE_UNKNOWN;
	crash_point("before_commit");
	if (lite_commit(w->lite, &err)) {
		crash_point("after_commit");
		ch->end = CHANGE_COMMITTED;
		return true;
	}
	if (err.code != E_UNCERTAIN) {
		ch->end = CHANGE_NOT;
		return write_fault(w, &err);
	}
	return call_fault(w->c, OUTCOME_UNKNOWN, "commit", arena_str(w->c->arena, str_c(err.text)));
}

/* What must never be: a planted fault of the state-machine test. */
static bool keep_outside(struct writing *w)
{
	struct err err;
	bool ok = lite_begin_write(w->lite, &err);

	crash_point("ledger_outside");
	return ok && ledger_keep(w) && lite_commit(w->lite, &err);
}

static bool go_live(struct writing *w)
{
	struct gate gate = *w->change->gate;

	crash_point("compared");
	ledger_name(w);
	w->change->committing = true;
	if (!gate.open(gate.ctx, w->c))
		return false;
	crash_point("gate");
	if (planted(PLANTED_LEDGER_OUTSIDE))
		return commit(w) && keep_outside(w);
	return ledger_keep(w) && commit(w);
}

static bool finish(struct writing *w)
{
	bool ok = find_out(w);

	crash_point("judged");
	if (ok && planted(PLANTED_PREVIEW_COMMITS) && !w->change->live)
		ok = commit(w);
	if (ok && w->change->live && is_approved(w))
		ok = go_live(w);
	if (w->change->end == CHANGE_NOT)
		lite_rollback(w->lite);
	return ok && call_done(w->c, CONTENT_CHANGE);
}

/* An unmarked source is only read, whatever a tool says; and one of another environment was put in
 * the place of ours. */
static bool is_ours(struct writing *w)
{
	struct marker marker;
	struct err err;

	if (!marker_read(w->lite, w->c->arena, &marker, &err))
		return source_fault(w->c, &err);
	if (!marker.found || !marker.identity.n || !marker_is(&marker, w->b->config->environment))
		return call_fault(w->c, UPSTREAM_UNAVAILABLE, "marker",
			S("the source has no marker of this environment: postern install"));
	w->database = marker.identity;
	return true;
}

/* Under the lock: who looks now sees all that was committed before. */
static bool run_locked(struct writing *w)
{
	bool found = false;

	if (!is_ours(w) || (w->change->live && !ledger_look(w, &found))) {
		lite_rollback(w->lite);
		return false;
	}
	if (!found && !w->change->replay_only)
		return finish(w);
	lite_rollback(w->lite);
	if (!found)
		return call_fault(w->c, CONFLICT, "not_applied",
			S("the store says that the plan was applied; the ledger does not"));
	w->change->replayed = true;
	return call_done(w->c, CONTENT_CHANGE);
}

static bool begin(struct writing *w)
{
	struct err err;

	if (lite_begin_write(w->lite, &err))
		return true;
	if (err.code != E_BUSY)
		return source_fault(w->c, &err);
	call_fault(w->c, CONFLICT, "lock", arena_str(w->c->arena, str_c(err.text)));
	w->c->fault.retry_after_ms = 1000;
	return false;
}

bool run_write(struct backends *b, struct source *s, struct call *c)
{
	struct writing w = { .b = b, .source = s, .c = c, .change = c->change };
	struct visit *v;
	struct err err;
	bool ok;

	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	w.lite = v ? visit_writer(v, wait_left_ms(c), &err) : NULL;
	if (!w.lite) {
		if (v)
			visit_end(v);
		return source_fault(c, &err);
	}
	lite_limits(w.lite, c->deadline_ms, call_cancelled, c);
	ok = begin(&w);
	crash_point("begun");
	ok = ok && run_locked(&w);
	visit_end(v);
	return ok;
}
