/* pipeline - everything that can happen to a call, in order.
 *
 *   kill         is anything it belongs to paused?                PAUSED
 *   errors       too many mistakes lately?                        RATE_LIMITED
 *   permission   may this principal use it at all?                PERMISSION_DENIED
 *   schema       do the arguments fit?  defaults, canonical text  VALIDATION_ERROR
 *   state        are the answers to a question of this very call? VALIDATION_ERROR
 *   cursor       is the page cursor ours, for them and for this?  VALIDATION_ERROR
 *   change       a mutating tool: preview, run, or apply a plan?  VALIDATION_ERROR
 *   approval     on whose yes?  whose plan is it, is it decided?  CONFIRMATION_INVALID, …
 *   limits       how often lately, how many at a time?            RATE_LIMITED, BUSY
 *   warrant      all guards said yes: here is the proof
 *   intent       about to change something: that goes to the log  AUDIT_UNAVAILABLE
 *   execute      the source does it, within the deadline          UPSTREAM_*, NOT_FOUND, BUSY, …
 *                (a change asks gate.c right before it commits)   CONFLICT, UNDECLARED_EFFECT, …
 *   propose      not committed: keep the plan, ask for a yes      REQUIRES_CONFIRMATION
 *   render       what may be shown of it: masks, declared form    RESULT_TOO_LARGE, INTERNAL
 *
 * A step that says no ends the walk.  Then, whatever happened, the outcome is recorded; only a
 * durable record yields the receipt without which no reply is written.  What was committed and
 * cannot be recorded is OUTCOME_UNKNOWN, and the process stops serving.  A new rule is a new row.
 */
#include "serve/pipeline.h"

#include "base/clock.h"
#include "base/planted.h"
#include "plan/change.h"
#include "plan/past.h"
#include "render/render.h"
#include "serve/gate.h"
#include "serve/log.h"
#include "serve/propose.h"
#include "serve/settle.h"
#include "serve/together.h"
#include "store/plans.h"

#include <stdatomic.h>

/* What a fault's reply may take when the call itself has used up its memory. */
#define SPARE_BYTES ((size_t)4 << 20)

/* In the list before it is judged: an order that comes between the two still finds it. */
static bool step_kill(struct run *r)
{
	struct watch *w = world_watch(r->world);
	struct kill_finding found = { .cause = KILL_BY_DOUBT };
	struct log_text why;
	struct err err;

	if (watch_start(w, &err)) {
		r->watched.call = r->call;
		watch_enter(w, &r->watched);
		found = watch_judge_call(w, r->call);
	} else {
		log_error("kill_state_unknown", "error=%s", log_value(&why, str_c(err.text)));
	}
	return guard_kill(r->call, &found, false) == VERDICT_PASS;
}

static bool step_errors(struct run *r)
{
	return guard_errors(world_limits(r->world), r->generation->config, r->call) == VERDICT_PASS;
}

static bool step_permission(struct run *r)
{
	return guard_permission(r->call) == VERDICT_PASS;
}

static bool step_schema(struct run *r)
{
	if (guard_schema(r->call) == VERDICT_PASS)
		return true;
	changes_explain(&r->generation->changes, r->call, clock_mono_ms());
	return false;
}

/* The seal is over the arguments with their defaults: the schema step made them. */
static bool opens_state(struct run *r)
{
	struct call *c = r->call;

	if (!r->request || !r->request->request_state.n)
		return true;
	return mcp_state_open(c->arena, world_seal_of(r->world),
		str_n(c->who->binding.b, SHA256_BYTES), r->request, c->entry->name,
		&c->arguments_digest, c->wall_us, &c->state_plain_in);
}

static bool step_state(struct run *r)
{
	return guard_state(r->call, opens_state(r)) == VERDICT_PASS;
}

static bool step_cursor(struct run *r)
{
	return guard_cursor(r->generation->guard, r->call) == VERDICT_PASS;
}

/* Preview, the real thing, or a plan that was approved? */
static bool step_change(struct run *r)
{
	struct call *c = r->call;
	struct err err;

	if (c->entry->action.kind == ACTION_LEDGER) {
		c->past = arena_new(c->arena, struct past);
		c->past->seal = world_seal_of(r->world);
		c->past->catalog = r->generation->catalog;
	}
	if (!c->entry->write && c->entry->action.kind != ACTION_TOGETHER)
		return true;
	if (!change_split(c, r->generation->catalog) || !together_check(r))
		return false;
	settle_once(r->world);
	r->gate = (struct gate){ .open = gate_open, .ctx = r };
	c->change->gate = &r->gate;
	c->change->seal = world_seal_of(r->world);
	c->change->catalog = r->generation->catalog->digest;
	if (store_now_us(world_store(r->world), &c->change->now_us, &err))
		return true;
	return call_fault(c, UPSTREAM_UNAVAILABLE, "store", arena_str(c->arena, str_c(err.text)));
}

static bool step_approval(struct run *r)
{
	return guard_approval(r->call, !r->call->change || propose_find(r)) == VERDICT_PASS;
}

static void record_security(struct run *r, struct str fields)
{
	struct log_text why;
	struct err err;

	if (!audit_event(world_audit(r->world), "SECURITY", fields, &err))
		log_error("audit_unavailable", "event=SECURITY error=%s",
			log_value(&why, str_c(err.text)));
}

/* Once for each time: the log and the record say that limits are judged without their counts. */
static void tell_trouble(struct run *r)
{
	struct log_text why;
	struct err trouble;

	if (limits_anew(world_limits(r->world))) {
		log_warn("limits_anew", "note=\"the file of counts had been removed: all limits "
					"began anew\"");
		record_security(r, S("\"reason\":\"limits_removed\""));
	}
	if (!limits_trouble(world_limits(r->world), &trouble))
		return;
	log_error("limits_unavailable", "error=%s", log_value(&why, str_c(trouble.text)));
	record_security(r, S("\"reason\":\"rate_store\""));
}

static bool step_limits(struct run *r)
{
	bool passed = guard_limits(world_limits(r->world), r->generation->config, r->call) ==
			      VERDICT_PASS &&
		      together_limits(r);

	tell_trouble(r);
	return passed;
}

static bool step_warrant(struct run *r)
{
	r->warrant = guard_warrant(r->call);
	return true;
}

/* On its way to the disk while the statements run; gate.c waits for it. */
static bool step_intent(struct run *r)
{
	struct call *c = r->call;
	struct err err;

	if (!c->change || !c->change->live)
		return true;
	r->intent = audit_intent(world_audit(r->world), c, &err);
	crash_point("intent_queued");
	if (r->intent)
		return true;
	call_fault(c, AUDIT_UNAVAILABLE, "not_recorded", arena_str(c->arena, str_c(err.text)));
	c->fault.retry_after_ms = 1000;
	return false;
}

static bool was_sent(const struct call *c)
{
	return c->change && c->change->end != CHANGE_NOT;
}

static bool step_execute(struct run *r)
{
	bool ran = backend_run(r->generation->backends, r->warrant);

	/* what an order met while it ran is not shown, even if it got to its end first; but what
	 * was committed is told */
	if (!was_sent(r->call) && atomic_load_explicit(&r->call->killed, memory_order_acquire))
		return guard_kill(r->call, &r->watched.found, true) == VERDICT_PASS;
	return ran;
}

static bool step_propose(struct run *r)
{
	return !r->call->change || was_sent(r->call) || propose(r);
}

static bool step_render(struct run *r)
{
	struct call *c = r->call;
	struct str next = STR_NONE;

	if (c->end == CALL_ASKS)
		return true;
	if (c->content == CONTENT_ROWS)
		next = guard_cursor_make(r->generation->guard, c, &c->rows[0]);
	return render_call(c, world_mask_key(r->world, r->generation), r->structured, next);
}

static const struct {
	const char *name;
	bool (*run)(struct run *r);
} steps[] = {
	{ "kill", step_kill },
	{ "errors", step_errors },
	{ "permission", step_permission },
	{ "schema", step_schema },
	{ "state", step_state },
	{ "cursor", step_cursor },
	{ "change", step_change },
	{ "approval", step_approval },
	{ "limits", step_limits },
	{ "warrant", step_warrant },
	{ "intent", step_intent },
	{ "execute", step_execute },
	{ "propose", step_propose },
	{ "render", step_render },
};

static const char *walk(struct run *r)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (!steps[i].run(r))
			return steps[i].name;
	return NULL;
}

static void log_fault(const struct call *c, const char *step)
{
	struct log_text rpc, name, owner, why;

	if (!c->fault.operator_text.n)
		return;
	log_warn("call_failed", "call=%.*s rpc=%s entry=%s owner=%s step=%s code=%s error=%s",
		ID_BYTES, c->id.c, log_value(&rpc, c->origin.rpc_id),
		log_value(&name, c->entry->name), log_value(&owner, c->entry->owner), step,
		fault_info(c->fault.code)->name, log_value(&why, c->fault.operator_text));
}

/* False: the arena's limit was hit, and the step with it.  *stopped_at: the step that said no. */
static bool walk_within_memory(struct run *r, const char **stopped_at)
{
	struct arena *own = r->call->arena;
	jmp_buf *outer = own->escape;
	jmp_buf place;

	if (arena_catch(own, &place)) {
		own->escape = outer;
		return false;
	}
	*stopped_at = walk(r);
	own->escape = outer; /* for the reply, which is written in the same arena */
	return true;
}

/* The fault without what the catalog and the step have to say about it: this fits into the block
 * that a reset keeps. */
static void tell_briefly(struct run *r, struct arena *spare)
{
	struct call brief = *r->call;

	arena_reset(spare);
	brief.entry = NULL;
	brief.fault.details_json = STR_NONE;
	render_fault(&brief, r->structured);
	r->call->result_json = brief.result_json;
	r->call->result_digest = brief.result_digest;
	r->call->result_rows = 0;
}

/* A fault has memory of its own: what there is of the call may have used up the call's.  If it is
 * too much even for that, there is no jump: the call is still to be recorded. */
static void tell_fault(struct run *r, struct arena *spare)
{
	jmp_buf *outer = spare->escape;
	jmp_buf place;

	r->call->arena = spare;
	if (arena_catch(spare, &place))
		tell_briefly(r, spare);
	else
		render_fault(r->call, r->structured);
	spare->escape = outer;
}

static void fail_memory(struct call *c)
{
	c->fault.details_json = STR_NONE;
	if (!c->arena->starved) {
		call_fault(
			c, INTERNAL, "memory", S("the call needed more memory than it may have"));
		return;
	}
	call_fault(c, BUSY, "memory", S("all calls together use the memory they may have"));
	c->fault.retry_after_ms = 1000;
}

static struct str committed_details(struct call *c)
{
	return c->change->end == CHANGE_COMMITTED ? S("{\"committed\":true}")
						  : S("{\"committed\":null}");
}

/* What was sent to the database is never told as not done, whatever went wrong behind it. */
static void fail_untold(struct call *c)
{
	struct str why = c->fault.operator_text;

	if (c->fault.code == OUTCOME_UNKNOWN)
		return;
	call_fault(c, OUTCOME_UNKNOWN,
		c->change->end == CHANGE_COMMITTED ? "answer_lost" : "commit", why);
	c->fault.details_json = committed_details(c);
	c->fault.retry_after_ms = 0;
}

static void run_steps(struct run *r, struct arena *spare)
{
	const char *stopped_at = NULL;
	bool walked = walk_within_memory(r, &stopped_at);

	watch_leave(world_watch(r->world), &r->watched);
	if (!walked) {
		stopped_at = "memory";
		fail_memory(r->call);
	}
	if (stopped_at && was_sent(r->call))
		fail_untold(r->call);
	limits_leave(r->call);
	if (!stopped_at)
		return;
	limits_count_error(world_limits(r->world), r->generation->config, r->call);
	log_fault(r->call, stopped_at);
	tell_fault(r, spare);
}

/* It stands in the database and in no record: the log takes no more calls until somebody has
 * looked. */
static void fail_unlogged(struct run *r)
{
	struct call *c = r->call;

	log_error("outcome_unlogged",
		"call=%.*s entry=%.*s note=\"nothing is served any more: repair "
		"the audit log's disk, then restart\"",
		ID_BYTES, c->id.c, STR_ARG(c->entry->name));
	call_fault(c, OUTCOME_UNKNOWN, "outcome_unlogged", STR_NONE);
}

static void record(struct run *r, struct arena *spare)
{
	struct call *c = r->call;
	struct err err;
	struct log_text why;

	c->ended_ns = clock_mono_ns();
	r->receipt = audit_call(world_audit(r->world), c, &err);
	if (r->receipt)
		return;
	log_error("audit_unavailable", "call=%.*s error=%s", ID_BYTES, c->id.c,
		log_value(&why, str_c(err.text)));
	if (was_sent(c))
		fail_unlogged(r);
	else
		call_fault(c, AUDIT_UNAVAILABLE, "not_recorded", STR_NONE);
	c->fault.details_json = was_sent(c) ? committed_details(c) : STR_NONE;
	c->fault.retry_after_ms = was_sent(c) ? 0 : 1000;
	tell_fault(r, spare);
}

/* At debug, every call; its argument values only where the configuration, which allows that in
 * development alone, says so. */
static void log_call(const struct run *r)
{
	const struct call *c = r->call;
	struct log_text rpc, name, arguments;

	if (!log_passes(LOG_DEBUG))
		return;
	log_debug("call", "call=%.*s rpc=%s entry=%s code=%s us=%llu recorded=%s%s%s", ID_BYTES,
		c->id.c, log_value(&rpc, c->origin.rpc_id), log_value(&name, c->entry->name),
		fault_info(c->fault.code)->name,
		(unsigned long long)(c->ended_ns - MIN(c->started_ns, c->ended_ns)) / 1000,
		r->receipt ? "yes" : "no",
		r->generation->config->log.arguments ? " arguments=" : "",
		r->generation->config->log.arguments ? log_value(&arguments, c->arguments_canonical)
						     : "");
}

static void close_arena(void *a)
{
	arena_done(a);
}

void pipeline_run(struct run *r)
{
	struct arena *own = r->call->arena;
	struct arena *spare = arena_new(own, struct arena);

	arena_init(spare, SPARE_BYTES);
	spare->escape = own->escape; /* whoever catches the one catches the other */
	arena_defer(own, close_arena, spare);
	(void)arena_alloc(spare, 1); /* the block that tell_briefly counts on */
	metrics_call_begin(world_metrics(r->world));
	run_steps(r, spare);
	settle_plan(r);
	crash_point("plan_marked");
	record(r, spare);
	crash_point("outcome");
	settle_call(r);
	metrics_call_end(world_metrics(r->world), &r->generation->meters, r->call);
	log_call(r);
}
