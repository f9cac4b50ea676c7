/* write_approval - what approval a plan needs: the strictest of its tools', of their thresholds
 * with what was done before, and of who asks. */
#include "backend/write.h"

#include "guard/approval.h"
#include "plan/threshold.h"

/* What was done within each threshold's window, as the ledger has it. */
static struct threshold_past *look_back(struct writing *w, const struct entry *e)
{
	const struct write *write = e->write;
	struct threshold_past *past =
		arena_array(w->c->arena, struct threshold_past, write->threshold_count + 1);

	for (size_t i = 0; i < write->threshold_count; i++)
		if (write->thresholds[i].per != OVER_CALL &&
			!ledger_past(w, e, &write->thresholds[i], &past[i]))
			return NULL;
	return past;
}

static bool judge_step(struct writing *w, const struct entry *e, struct approval *all)
{
	struct threshold_past *past = look_back(w, e);
	struct approval one;
	struct err err;

	if (!past)
		return false;
	if (!threshold_judge(w->change->plan, e->write, past, w->c->arena, &one, &err))
		return call_fault(
			w->c, INTERNAL, "impact", arena_str(w->c->arena, str_c(err.text)));
	if (approval_join(all, &one))
		return true;
	return call_fault(w->c, PRECONDITION_FAILED, "approval",
		S("the steps need the yes of holders of two different grants"));
}

bool approval_needed(struct writing *w)
{
	struct plan *p = w->change->plan;
	struct approval all = { .need = APPROVAL_NONE };

	for (size_t i = 0; i < w->change->step_count; i++)
		if (!judge_step(w, w->change->steps[i].entry, &all))
			return false;
	/* of all together: two steps that would be the agent's own yes need one other person */
	approval_raise(w->c->who, &all.need, &all.grant);
	p->need = all.need;
	p->grant = all.grant;
	p->because = all.because;
	return true;
}
