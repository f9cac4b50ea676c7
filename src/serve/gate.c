/* gate - see gate.h. */
#include "serve/gate.h"

#include "base/planted.h"
#include "plan/change.h"
#include "render/change.h"
#include "serve/together.h"

static bool not_stopped(struct run *r, struct call *c)
{
	struct kill_finding found = watch_judge_call(world_watch(r->world), c);

	if (found.cause != KILL_BY_NOTHING)
		return guard_kill(c, &found, true) == VERDICT_PASS;
	if (!call_cancelled(c))
		return true;
	return call_fault(c, UPSTREAM_TIMEOUT, "cancelled", STR_NONE);
}

static bool same_generation(struct run *r, struct call *c)
{
	struct generation *now = world_hold(r->world);
	bool same = now == r->generation;

	world_drop(r->world, now);
	if (same)
		return true;
	call_fault(c, CONFLICT, "reloaded", S("the configuration was replaced while it ran"));
	c->fault.retry_after_ms = 100;
	return false;
}

static bool recorded(struct run *r, struct call *c)
{
	struct err err;

	if (planted(PLANTED_INTENT_NOT_AWAITED))
		return true;
	if (r->intent && audit_intent_durable(r->intent, &c->change->intent, &err))
		return true;
	call_fault(c, AUDIT_UNAVAILABLE, "not_recorded",
		r->intent ? arena_str(c->arena, str_c(err.text)) : STR_NONE);
	c->fault.retry_after_ms = 1000;
	return false;
}

bool gate_open(void *run, struct call *c)
{
	struct run *r = run;

	return change_render_answer(c, world_mask_key(r->world, r->generation)) && recorded(r, c) &&
	       not_stopped(r, c) && together_not_stopped(r) && same_generation(r, c);
}
