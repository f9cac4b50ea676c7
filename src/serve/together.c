/* together - see together.h. */
#include "serve/together.h"

#include "guard/limits.h"

static bool is_together(const struct call *c)
{
	return c->entry->action.kind == ACTION_TOGETHER;
}

/* The step's fault is the call's; its number comes first in the details. */
static bool fail_step(struct call *c, const struct call *step, size_t i)
{
	struct str more = step->fault.details_json;

	c->end = step->end;
	c->fault = step->fault;
	c->fault.details_json = arena_fmt(c->arena, "{\"step\":%zu%s%.*s%s", i + 1,
		more.n > 2 ? "," : "", (int)(more.n > 2 ? more.n - 1 : 0),
		more.n > 2 ? more.p + 1 : "", more.n > 2 ? "" : "}");
	return false;
}

/* A tool that is not there for this caller is no other than one that is not there. */
static bool is_there(struct call *step)
{
	if (permission_exists(step->who, step->entry))
		return true;
	return call_fault(
		step, VALIDATION_ERROR, "step", S("a step names no tool that changes something"));
}

static bool is_plain(struct call *step)
{
	for (uint32_t i = 0; i < step->arguments_sent->count; i++) {
		const struct input *in =
			entry_input(step->entry, step->arguments_sent->members[i].name);

		if (in && in->added)
			return call_fault(step, VALIDATION_ERROR, "step",
				S("a step has an argument that belongs to the whole"));
	}
	return true;
}

static bool not_killed(struct run *r, struct call *step, bool running)
{
	struct kill_finding found = watch_judge_call(world_watch(r->world), step);

	return guard_kill(step, &found, running) == VERDICT_PASS;
}

bool together_check(struct run *r)
{
	struct call *c = r->call;
	struct change *ch = c->change;

	if (!is_together(c))
		return true;
	r->steps = arena_array(c->arena, struct call, ch->step_count);
	for (size_t i = 0; i < ch->step_count; i++) {
		struct call *step = &r->steps[i];

		*step = change_step_call(c, &ch->steps[i]);
		step->arguments_sent = &ch->steps[i].arguments;
		step->held = NULL;
		if (!is_there(step) || !is_plain(step) || !not_killed(r, step, false) ||
			guard_permission(step) != VERDICT_PASS ||
			guard_schema(step) != VERDICT_PASS)
			return fail_step(c, step, i);
		ch->steps[i].arguments = step->arguments;
		ch->steps[i].canonical = step->arguments_canonical;
	}
	return true;
}

bool together_limits(struct run *r)
{
	struct call *c = r->call;

	for (size_t i = 0; is_together(c) && i < c->change->step_count; i++) {
		r->steps[i].held = i ? r->steps[i - 1].held : NULL;
		if (guard_limits(world_limits(r->world), r->generation->config, &r->steps[i]) !=
			VERDICT_PASS)
			return fail_step(c, &r->steps[i], i);
	}
	return true;
}

bool together_not_stopped(struct run *r)
{
	struct call *c = r->call;

	for (size_t i = 0; is_together(c) && i < c->change->step_count; i++)
		if (!not_killed(r, &r->steps[i], true))
			return fail_step(c, &r->steps[i], i);
	return true;
}
