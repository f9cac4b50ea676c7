/* settle - see settle.h. */
#include "serve/settle.h"

#include "base/planted.h"
#include "plan/change.h"
#include "serve/log.h"
#include "serve/plans.h"
#include "serve/reconcile.h"

static bool tell(struct world *w, const struct change *ch, struct err *err)
{
	if (ch->end == CHANGE_UNKNOWN)
		return plans_unknown(w, ch->approved->id, err);
	return plans_applied(w, ch->approved->id, ch->ledger_id, err);
}

void settle_plan(struct run *r)
{
	const struct change *ch = r->call->change;
	struct log_text why;
	struct err err;

	if (!ch || !ch->approved || (ch->end == CHANGE_NOT && !ch->replayed))
		return;
	if (!tell(r->world, ch, &err))
		log_error("plan_not_settled", "plan=%.*s error=%s", STR_ARG(ch->approved->id),
			log_value(&why, str_c(err.text)));
	crash_point("plan_marked");
}

static struct str name_of(struct str tool)
{
	return str_sub(tool, 0, str_find(tool, 0, '@'));
}

static bool look(void *ctx, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err)
{
	struct world *w = ctx;
	struct generation *g = world_hold(w);
	struct backend_committed found;
	bool ok = backends_committed(g->backends, a, name_of(tool), id_str(call), &found, err);

	world_drop(w, g);
	*committed_out = ok && found.found;
	if (!*committed_out)
		return ok;
	*ledger_out = found.ledger;
	if (found.plan.n && !plans_applied(w, found.plan, found.ledger, err))
		return false;
	crash_point("reconcile_marked");
	return true;
}

bool settle_leftovers(struct world *w, struct err *err)
{
	struct generation *g = world_hold(w);
	struct reconcile *r = reconcile_new(world_audit(w), g->config->audit_directory, look, w);
	struct reconciled sum;
	struct log_text why;
	bool ok = reconcile_run(r, &sum, err);

	world_drop(w, g);
	reconcile_free(&r);
	if (ok && sum.committed + sum.not_committed)
		log_info("reconciled", "committed=%u not_committed=%u", sum.committed,
			sum.not_committed);
	if (ok && sum.unknown)
		log_error("not_reconciled", "changes=%u error=%s", sum.unknown,
			log_value(&why, str_c(sum.why.text)));
	return ok;
}
