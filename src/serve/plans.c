/* plans - plans for the pipeline.  See plans.h.
 *
 * Invariants: 1. no plan is told to anybody before its record is durable.  2. an equal plan that
 * waits is never doubled, and one that asks for less than the new one is never taken for it.
 * 3. what a call may do with a plan is judged before its body is opened. */
#include "serve/plans_inside.h"

#include "base/clock.h"
#include "base/planted.h"
#include "identity/approver.h"
#include "json/write.h"

#include <string.h>

#define DETAILS_MAX 4096
#define RETRY_MS 1000

/* The store, the seal or the log did not do what they must. */
static bool fail(struct call *c, const struct err *err)
{
	enum fault_code code = err->code == E_BUSY          ? BUSY
			       : err->code == E_UNAVAILABLE ? UPSTREAM_UNAVAILABLE
							    : INTERNAL;

	c->fault.details_json = STR_NONE;
	call_fault(c, code, "store", arena_str(c->arena, str_c(err->text)));
	if (code != INTERNAL)
		c->fault.retry_after_ms = RETRY_MS;
	return false;
}

static bool fail_record(struct call *c, const struct err *err)
{
	c->fault.details_json = STR_NONE;
	call_fault(c, AUDIT_UNAVAILABLE, "not_recorded", arena_str(c->arena, str_c(err->text)));
	c->fault.retry_after_ms = RETRY_MS;
	return false;
}

/* --- keeping --- */

static struct plan_row row_of(const struct generation *g, const struct call *c)
{
	const struct change *change = c->change;
	const struct plan *p = change->plan;

	return (struct plan_row){ .tool = c->entry->name,
		.source = p->source,
		.digest = p->digest,
		.arguments = change->arguments,
		.definition = c->entry->digest,
		.catalog = g->catalog->digest,
		.issuer = c->who->issuer,
		.subject = c->who->subject,
		.tenant = c->who->tenant,
		.agent = c->who->agent,
		.credential = c->who->credential,
		.environment = str_c(environment_name(g->config->environment)),
		.need = str_c(approval_level_name(p->need)),
		.grant = p->grant };
}

static bool asks_enough(const struct plan_row *row, const struct plan *p)
{
	enum approval_level need;

	return approval_level_read(row->need, &need) && need >= p->need &&
	       (need > p->need || str_eq(row->grant, p->grant));
}

static void take(struct world *w, struct change *change, const struct plan_row *row)
{
	bug_on(!plan_take_row(w, row, change->plan));
}

enum found { FOUND, FOUND_NONE, FOUND_FAILED };

/* The equal one that waits, if it asks for enough; one that asks for less is over. */
static enum found find(
	struct world *w, struct call *c, const struct plan_row *like, struct err *err)
{
	struct plan_row row;

	if (!store_plan_find(world_store(w), c->arena, like, &row, err))
		return err->code == E_NOT_FOUND ? FOUND_NONE : FOUND_FAILED;
	if (asks_enough(&row, c->change->plan)) {
		take(w, c->change, &row);
		c->change->pending = row.state == PLAN_PROPOSED;
		c->change->approved_already = row.state == PLAN_APPROVED;
		return FOUND;
	}
	if (!store_plan_move(world_store(w), row.id, row.state, PLAN_VOID, STR_NONE,
		    S("more_is_needed"), err) &&
		err->code != E_EXISTS)
		return FOUND_FAILED;
	return plan_note_voided(w, c->arena, &row, S("more_is_needed"), err) ? FOUND_NONE
									     : FOUND_FAILED;
}

/* When the first of the open ones ends; at least a second. */
static uint32_t room_in_ms(struct world *w, struct call *c)
{
	struct plan_row *rows;
	int64_t now_us, first_us = INT64_MAX;
	struct err err;
	size_t count;

	if (!store_now_us(world_store(w), &now_us, &err) ||
		!store_plan_list(world_store(w), c->arena, PLANS_WAITING, c->who->subject,
			PLANS_LIST_MAX, &rows, &count, &err))
		return RETRY_MS;
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].issuer, c->who->issuer) &&
			str_eq(rows[i].tenant, c->who->tenant))
			first_us = MIN(first_us, rows[i].expires_us);
	if (first_us == INT64_MAX || first_us <= now_us)
		return RETRY_MS;
	return (uint32_t)MIN((first_us - now_us) / 1000 + 1, (int64_t)INT32_MAX);
}

static bool refuse_add(
	struct world *w, struct call *c, const struct generation *g, const struct err *err)
{
	struct buf details;
	struct jw j;

	if (err->code == E_INVALID)
		return call_fault(c, RESULT_TOO_LARGE, "plan", str_c(err->text));
	if (err->code != E_LIMIT)
		return fail(c, err);
	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&j, &details);
	jw_object(&j);
	jw_put_u64(&j, S("pending_plans"), g->config->limits.pending_plans);
	jw_object_end(&j);
	c->fault.details_json = buf_str(&details);
	c->fault.retry_after_ms = room_in_ms(w, c);
	return call_fault(c, RATE_LIMITED, "pending_limit", STR_NONE);
}

/* A plan that was not recorded must not be found by anybody. */
static bool take_back(
	struct world *w, struct call *c, const struct plan_row *row, const struct err *why)
{
	struct err late;

	(void)!store_plan_move(world_store(w), row->id, PLAN_PROPOSED, PLAN_VOID, STR_NONE,
		S("not_recorded"), &late);
	return fail_record(c, why);
}

static bool add(struct world *w, const struct generation *g, struct call *c, struct plan_row *row,
	struct err *err)
{
	struct plan *p = c->change->plan;
	struct id id;

	id_make(&id, clock_wall_us());
	p->id = row->id = arena_fmt(c->arena, "pl_%.*s", ID_BYTES, id.c);
	if (!store_now_us(world_store(w), &p->made_us, err))
		return false;
	p->expires_us = p->made_us + approval_lives_us(p->need);
	return plan_body_seal(w, c->arena, p, &row->body, err) &&
	       store_plan_add(world_store(w), row, approval_lives_us(p->need),
		       g->config->limits.pending_plans, err);
}

bool plans_keep(struct world *w, const struct generation *g, struct call *c)
{
	struct change *change = c->change;
	struct plan_row row;
	struct err err;

	if (change->plan->need == APPROVAL_NONE)
		return true;
	row = row_of(g, c);
	/* twice: another process may have added it in between */
	for (int i = 0; i < 2; i++) {
		enum found found = find(w, c, &row, &err);

		if (found == FOUND)
			return true;
		if (found == FOUND_FAILED)
			return fail(c, &err);
		if (add(w, g, c, &row, &err)) {
			take(w, change, &row);
			crash_point("plan_added");
			return audit_plan(world_audit(w), c, &err) || take_back(w, c, &row, &err);
		}
		if (err.code != E_EXISTS)
			break;
	}
	change->plan->id = STR_NONE;
	return refuse_add(w, c, g, &err);
}

/* --- applying --- */

static bool decider_lost(const struct generation *g, const struct plan_row *row)
{
	const struct approver_given given = { .credential = row->decided_credential,
		.subject = row->decided_by,
		.tenant = row->tenant,
		.grant = row->grant };

	/* the client's yes is its own principal's, whose call this is */
	return row->state == PLAN_APPROVED && !str_eq(row->channel, S("client")) &&
	       !approver_still_counts(g->identity, &given);
}

static bool steps_unchanged(const struct change *change, const struct plan *p)
{
	if (p->step_count != change->step_count)
		return false;
	for (size_t i = 0; i < p->step_count; i++)
		if (!sha256_eq(&p->steps[i].definition, &change->steps[i].entry->digest))
			return false;
	return true;
}

static bool refuse(struct call *c, enum fault_code code, const char *reason, const char *text)
{
	return call_fault(c, code, reason, arena_str(c->arena, str_c(text)));
}

/* Outside all wrong tokens are the same; the log says which. */
static bool check_token(struct world *w, struct call *c, const struct plan_row *row)
{
	struct str token = c->change->token;
	struct sha256 hmac;
	struct secret key;
	struct err err;
	bool reads;

	if (!row->token_until_us && !token.n)
		return true;
	if (!token.n)
		return refuse(c, REQUIRES_CONFIRMATION, "confirmation_token",
			"approved, and the token is asked for");
	if (!world_key(w, S("confirmation"), &key, &err))
		return fail(c, &err);
	reads = approval_token_hmac(secret_bytes(&key), row, token, &hmac);
	secret_wipe(&key);
	/* what is not of the form of one costs a try, too */
	if (!reads)
		random_bytes(&hmac, sizeof hmac);
	if (store_plan_use_token(world_store(w), row->id, &hmac, &err)) {
		crash_point("token_used");
		return true;
	}
	if (err.code != E_DENIED && err.code != E_EXISTS)
		return fail(c, &err);
	return refuse(c, CONFIRMATION_INVALID, "confirmation_token", err.text);
}

static bool get_row(
	struct world *w, struct call *c, struct str id, struct plan_row *row, bool *there_out)
{
	struct err err;

	*there_out = store_plan_get(world_store(w), c->arena, id, row, &err);
	return *there_out || err.code == E_NOT_FOUND || fail(c, &err);
}

static struct apply_finding judge(
	const struct generation *g, const struct call *c, const struct plan_row *row)
{
	const struct apply_ask ask = { .who = c->who,
		.tool = c->entry->name,
		.environment = str_c(environment_name(g->config->environment)),
		.arguments = &c->change->arguments,
		.definition = &c->entry->digest,
		.decider_lost = row && decider_lost(g, row) };

	return approval_apply(row, &ask);
}

bool plans_load(struct world *w, const struct generation *g, struct call *c, enum apply *apply_out,
	struct kept *out)
{
	struct apply_finding found;
	struct err err;
	bool there;

	if (!get_row(w, c, c->change->plan_id, &out->row, &there))
		return false;
	found = judge(g, c, there ? &out->row : NULL);
	if (found.apply == APPLY_REFUSED && found.code != REQUIRES_CONFIRMATION)
		return refuse(c, found.code, found.reason, "");
	if (!plan_body_open(w, c->arena, &out->row, &out->plan, &err))
		return fail(c, &err);
	*apply_out = found.apply;
	if (found.apply == APPLY_REFUSED) {
		c->fault.details_json = plans_details(
			c->arena, &out->plan, world_plan_url(w, g->config, c->arena, out->plan.id));
		return refuse(c, found.code, found.reason, "");
	}
	if (found.apply != APPLY_NOW)
		return true;
	if (!steps_unchanged(c->change, &out->plan))
		return refuse(c, CONFIRMATION_INVALID, "tool_changed", "");
	return check_token(w, c, &out->row);
}

static bool is_this_call(const struct call *c, const struct plan_row *row)
{
	return row->state == PLAN_APPROVED && row->token_until_us &&
	       str_eq(row->issuer, c->who->issuer) && str_eq(row->tenant, c->who->tenant) &&
	       str_eq(row->agent, c->who->agent) && str_eq(row->tool, c->entry->name) &&
	       sha256_eq(&row->arguments, &c->change->arguments);
}

bool plans_find_token(struct world *w, struct call *c)
{
	struct plan_row *rows;
	struct err err;
	size_t count;

	if (!store_plan_list(world_store(w), c->arena, PLANS_RECENT, c->who->subject,
		    PLANS_LIST_MAX, &rows, &count, &err))
		return fail(c, &err);
	for (size_t i = 0; i < count; i++)
		if (is_this_call(c, &rows[i])) {
			c->change->plan_id = rows[i].id;
			return true;
		}
	return refuse(c, CONFIRMATION_INVALID, "confirmation_token",
		"no approved plan of this call asks for a token");
}

/* --- the client's yes --- */

static bool may_answer(
	const struct generation *g, struct call *c, const struct plan_row *row, bool yes)
{
	struct apply_finding found = judge(g, c, row);

	if (found.apply != APPLY_REFUSED)
		return refuse(c, CONFIRMATION_INVALID, "decided", "");
	if (found.code != REQUIRES_CONFIRMATION)
		return refuse(c, found.code, found.reason, "");
	bug_on(!row); /* what is not there waits for nobody */
	if (!yes)
		return true; /* who asked for it wants it no more */
	if (!str_eq(row->need, str_c(approval_level_name(APPROVAL_CLIENT))) ||
		c->who->kind != PRINCIPAL_HUMAN)
		return refuse(c, REQUIRES_CONFIRMATION, "pending",
			"the client's yes is not what it needs");
	return true;
}

static bool take_answer(struct world *w, struct call *c, const struct plan_row *row, bool yes)
{
	const struct decision said = {
		.yes = yes, .channel = S("client"), .shown = row->digest, .peer = c->origin.peer
	};
	const struct plan_decision d = { .yes = yes,
		.by = c->who->subject,
		.credential = c->who->credential,
		.channel = said.channel,
		.shown = said.shown };
	struct err err, late;

	if (!plan_note_decision(w, row, c->who, &said, false, &err))
		return fail_record(c, &err);
	if (store_plan_decide(world_store(w), row, &d, &err))
		return true;
	if (!plan_note_not_taken(w, c->arena, row, c->who, str_c(err.text), &late))
		return fail_record(c, &late);
	return err.code == E_EXISTS ? refuse(c, CONFIRMATION_INVALID, "decided", err.text)
				    : fail(c, &err);
}

bool plans_answer(struct world *w, const struct generation *g, struct call *c, struct str id,
	bool yes, struct kept *out)
{
	struct err err;
	bool there;

	if (!get_row(w, c, id, &out->row, &there) ||
		!may_answer(g, c, there ? &out->row : NULL, yes) ||
		!take_answer(w, c, &out->row, yes))
		return false;
	if (!get_row(w, c, id, &out->row, &there))
		return false;
	return plan_body_open(w, c->arena, &out->row, &out->plan, &err) || fail(c, &err);
}

/* --- telling --- */

struct str plans_details(struct arena *a, const struct plan *p, struct str approval_url)
{
	struct buf details, at;
	struct jw j;

	buf_in(&at, a, 64);
	clock_write_rfc3339(&at, p->expires_us);
	buf_in(&details, a, DETAILS_MAX);
	jw_init(&j, &details);
	jw_object(&j);
	jw_put_str(&j, S("plan_id"), p->id);
	jw_put_str(&j, S("approval"), str_c(approval_level_name(p->need)));
	if (p->grant.n)
		jw_put_str(&j, S("grant"), p->grant);
	jw_put_str(&j, S("expires_at"), buf_str(&at));
	if (approval_url.n)
		jw_put_str(&j, S("url"), approval_url);
	jw_put_str(&j, S("command"), arena_fmt(a, "postern approve CONFIG %.*s", STR_ARG(p->id)));
	jw_object_end(&j);
	return buf_ok(&details) ? buf_str(&details) : STR_NONE;
}

/* --- what became of it --- */

static bool move_from_any(struct world *w, struct str id, const enum plan_state *from, size_t count,
	enum plan_state to, struct str ledger_id, struct str why, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (store_plan_move(world_store(w), id, from[i], to, ledger_id, why, err))
			return true;
		if (err->code != E_EXISTS)
			return false;
	}
	return false;
}

/* Who comes second finds it told already. */
static bool is_told(struct world *w, struct str id, enum plan_state to, const struct err *failed)
{
	enum plan_state state;
	struct err err;

	return failed->code == E_EXISTS && store_plan_state(world_store(w), id, &state, &err) &&
	       state == to;
}

bool plans_applied(struct world *w, struct str id, struct str ledger_id, struct err *err)
{
	static const enum plan_state from[] = { PLAN_APPROVED, PLAN_UNKNOWN, PLAN_VOID };
	struct err why;

	if (move_from_any(w, id, from, ARRAY_LEN(from), PLAN_APPLIED, ledger_id, STR_NONE, &why) ||
		is_told(w, id, PLAN_APPLIED, &why))
		return true;
	*err = why;
	return false;
}

static bool note_voided(struct world *w, struct str id, struct str why, struct err *err)
{
	struct plan_row row;
	struct arena a;
	bool ok;

	arena_init(&a, (size_t)64 << 20);
	ok = store_plan_get(world_store(w), &a, id, &row, err) &&
	     plan_note_voided(w, &a, &row, why, err);
	arena_done(&a);
	return ok;
}

bool plans_void(struct world *w, struct str id, struct str why, struct err *err)
{
	static const enum plan_state from[] = { PLAN_APPROVED, PLAN_UNKNOWN, PLAN_PROPOSED };
	struct err failed;

	if (move_from_any(w, id, from, ARRAY_LEN(from), PLAN_VOID, STR_NONE, why, &failed)) {
		crash_point("plan_voided");
		return note_voided(w, id, why, err);
	}
	if (is_told(w, id, PLAN_VOID, &failed))
		return true;
	*err = failed;
	return false;
}

bool plans_unknown(struct world *w, struct str id, struct err *err)
{
	struct err failed;

	if (store_plan_move(
		    world_store(w), id, PLAN_APPROVED, PLAN_UNKNOWN, STR_NONE, STR_NONE, &failed) ||
		is_told(w, id, PLAN_UNKNOWN, &failed))
		return true;
	*err = failed;
	return false;
}
