/* tell - what is remembered of calls, of refusals and of the process: bodies made, queued, waited
 * for; see audit.h. */
#include "audit/inside.h"

#include "base/planted.h"

#include <string.h>

#include "base/clock.h"
#include "plan/change.h"

#define USUAL_BYTES 1024 /* a call's record is mostly shorter */

uint64_t receipt_index(const struct receipt *r)
{
	return r->index;
}

static bool append(struct audit *a, const struct what *what, uint64_t *index_out, struct err *err)
{
	struct ticket t;

	return audit_queue(a, what, &t, err) && audit_await(a, &t, index_out, err);
}

/* The call's arena may be used up: then there is no receipt, and no jump either. */
static struct receipt *receipt_new(struct arena *arena, struct err *err)
{
	jmp_buf *escape = arena->escape;
	struct receipt *r = NULL;
	jmp_buf place;

	if (!arena_catch(arena, &place))
		r = arena_new(arena, struct receipt);
	else
		err_set(err, E_LIMIT, "the call's memory is used up");
	arena->escape = escape;
	return r;
}

/* Is it the first such refusal of this second?  Else it is counted now. */
static bool is_first(struct audit *a, const struct audit_refusal *r, uint64_t key)
{
	uint64_t due;
	bool first;

	pthread_mutex_lock(&a->lock);
	due = a->collapse.next_ns;
	first = collapse_first(&a->collapse, r, key, clock_mono_ns());
	if (!due)
		pthread_cond_signal(&a->work); /* there is a second to wait for now */
	pthread_mutex_unlock(&a->lock);
	return first;
}

static void forget_first(struct audit *a, uint64_t key)
{
	pthread_mutex_lock(&a->lock);
	collapse_forget(&a->collapse, key);
	pthread_mutex_unlock(&a->lock);
}

/* Who keeps on calling over a limit costs a count, not a record each. */
static struct audit_refusal over_limit(const struct call *c)
{
	return (struct audit_refusal){ .event = record_call_event(c),
		.reason = c->fault.reason,
		.subject = c->who ? c->who->subject : STR_NONE,
		.credential = c->who ? c->who->credential : STR_NONE,
		.agent = c->who ? c->who->agent : STR_NONE,
		.peer = c->origin.peer,
		.era = c->origin.era,
		.target = c->entry ? str_sub(c->entry->name, 0, 128) : STR_NONE };
}

/* Of a call with an intent the outcome is owed; but when the intent was not durable in time nothing
 * was done, and there is no time left to wait in. */
static bool append_outcome(
	struct audit *a, struct intent *i, struct what *what, uint64_t *index_out, struct err *err)
{
	struct ticket t;

	what->use = intent_is_durable(i) ? SEGMENT_OWED : SEGMENT_PLAIN;
	if (!audit_queue(a, what, &t, err))
		return false;
	if (intent_given_up_ns(i))
		t.deadline_ns = intent_given_up_ns(i);
	return audit_await(a, &t, index_out, err);
}

static bool record_outcome(
	struct audit *a, const struct call *c, struct receipt *receipt, struct err *err)
{
	struct intent *intent = c->change ? c->change->queued : NULL;
	struct what what = { .event = record_call_event(c),
		.call = &c->id,
		.closes = intent && c->change->end != CHANGE_UNKNOWN };
	struct kept effects;
	struct buf body;
	bool ok;

	kept_init(&effects, c, &a->protector);
	if (effects.lost && !intent)
		return err_set(err, E_LIMIT, "the effects are more than can be kept");
	buf_init(&body, RECORD_MAX_BYTES);
	(void)buf_space(&body, USUAL_BYTES); /* grown once */
	record_call(&body, c, &a->protector, &effects);
	what.body = buf_str(&body);
	what.blob = effects.blob;
	effects.blob = NULL;
	ok = intent ? append_outcome(a, intent, &what, &receipt->index, err)
		    : append(a, &what, &receipt->index, err);
	kept_done(&effects);
	buf_done(&body);
	return ok;
}

static bool is_limited(const struct call *c)
{
	return c->end == CALL_FAULT && c->fault.code == RATE_LIMITED &&
	       !(c->change && c->change->queued);
}

/* Something was done by this call and stays, or may stay. */
static bool stands(const struct call *c)
{
	return c->change && !c->change->replayed && c->change->end != CHANGE_NOT;
}

const struct receipt *audit_call(struct audit *a, const struct call *c, struct err *err)
{
	struct intent *intent = c->change ? c->change->queued : NULL;
	struct receipt *receipt = intent ? intent_receipt(intent) : receipt_new(c->arena, err);
	struct audit_refusal refusal = over_limit(c);
	uint64_t key = is_limited(c) ? collapse_key(&refusal) : 0;

	if (!receipt || !audit_start(a, err))
		return NULL;
	if (intent && planted(PLANTED_OUTCOME_LOST))
		return receipt;
	if (!intent && atomic_load(&a->shut)) {
		err_set(err, E_UNAVAILABLE, "the audit log is sealed");
		return NULL;
	}
	if (key && audit_healthy(a) && !is_first(a, &refusal, key))
		return receipt;
	if (record_outcome(a, c, receipt, err))
		return receipt;
	if (key)
		forget_first(a, key);
	if (stands(c))
		audit_shut(a, &c->id);
	return NULL;
}

bool audit_event(struct audit *a, const char *event, struct str fields_json, struct err *err)
{
	struct what what = { .event = event };
	struct buf body;
	uint64_t index;
	bool ok;

	if (!audit_start(a, err))
		return false;
	buf_init(&body, RECORD_MAX_BYTES);
	ok = record_event(&body, event, fields_json, err);
	what.body = buf_str(&body);
	ok = ok && append(a, &what, &index, err);
	buf_done(&body);
	return ok;
}

static bool append_body(struct audit *a, struct what *what, struct buf *body, struct err *err)
{
	uint64_t index;
	bool ok;

	bug_on(!buf_ok(body));
	what->body = buf_str(body);
	ok = append(a, what, &index, err);
	buf_done(body);
	return ok;
}

bool audit_plan(struct audit *a, const struct call *c, struct err *err)
{
	struct what what = { .event = "PLAN", .call = &c->id };
	struct buf body;

	if (!audit_start(a, err))
		return false;
	buf_init(&body, RECORD_MAX_BYTES);
	record_plan(&body, c);
	return append_body(a, &what, &body, err);
}

bool audit_decide(struct audit *a, const struct audit_decision *d, struct err *err)
{
	struct what what = { .event = "APPROVAL" };
	struct buf body;

	if (!audit_start(a, err))
		return false;
	buf_init(&body, RECORD_MAX_BYTES);
	record_decision(&body, d);
	return append_body(a, &what, &body, err);
}

bool audit_settle(struct audit *a, const struct audit_settled *s, struct err *err)
{
	struct what what = {
		.event = "RECONCILE", .call = &s->call, .closes = s->end != SETTLED_UNKNOWN
	};
	struct buf body;

	if (!audit_start(a, err))
		return false;
	buf_init(&body, RECORD_MAX_BYTES);
	record_settled(&body, s);
	return append_body(a, &what, &body, err);
}

static bool refuse_first(struct audit *a, const struct audit_refusal *r, struct err *err)
{
	struct what what = { .event = r->event };
	struct buf body;
	uint64_t index;
	bool ok;

	buf_init(&body, RECORD_MAX_BYTES);
	record_refusal(&body, r);
	what.body = buf_str(&body);
	ok = append(a, &what, &index, err);
	buf_done(&body);
	return ok;
}

bool audit_refuse(struct audit *a, const struct audit_refusal *r, struct err *err)
{
	uint64_t key = collapse_key(r);

	if (!audit_start(a, err))
		return false;
	if (!audit_healthy(a))
		return err_set(err, E_UNAVAILABLE, "the audit log is sealed");
	if (!is_first(a, r, key) || refuse_first(a, r, err))
		return true;
	forget_first(a, key);
	return false;
}
