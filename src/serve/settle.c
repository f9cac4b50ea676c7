/* settle - see settle.h. */
#include "serve/settle.h"

#include "base/planted.h"
#include "serve/log.h"
#include "serve/plans.h"
#include "serve/reconcile.h"

#include <stdatomic.h>

/* The ledger has the truth; a copy that is behind is mended when the plan is shown to us again. */
void settle_plan(struct run *r)
{
	const struct change *ch = r->call->change;
	struct log_text why;
	struct err err;
	struct str id;
	bool ok;

	if (!ch || !ch->approved || (ch->end == CHANGE_NOT && !ch->replayed))
		return;
	id = ch->approved->id;
	if (ch->end == CHANGE_UNKNOWN)
		ok = plans_unknown(r->world, id, &err);
	else
		ok = plans_applied(r->world, id, ch->ledger_id, &err);
	if (!ok)
		log_warn("plan_not_marked", "plan=%.*s error=%s", STR_ARG(id),
			log_value(&why, str_c(err.text)));
}

void settle_call(struct run *r)
{
	const struct change *ch = r->call->change;

	if (ch && ch->end == CHANGE_UNKNOWN)
		reconcile_note(world_reconcile(r->world), r->call);
}

void settle_open(struct world *w)
{
	struct reconciled found;
	struct log_text why;
	struct err err;

	if (!reconcile_run(world_reconcile(w), &found, &err)) {
		log_error("not_reconciled", "error=%s", log_value(&why, str_c(err.text)));
		return;
	}
	if (found.committed || found.not_committed)
		log_info("reconciled", "committed=%u not_committed=%u", found.committed,
			found.not_committed);
	if (found.unknown)
		log_warn("outcome_unknown", "calls=%u error=%s", found.unknown,
			log_value(&why, str_c(found.why.text)));
	if (found.rotten)
		log_error("audit_lines_rotten", "lines=%u note=\"a change may be among them\"",
			found.rotten);
}

void settle_once(struct world *w)
{
	if (!atomic_exchange(world_settled(w), true))
		settle_open(w);
}

/* A tool that is not there any more may have changed a source that is not, either: that no ledger
 * here has it says nothing then. */
static bool knows(const struct generation *g, struct str tool, struct err *err)
{
	const struct entry *e;
	struct str name, version;

	if (!str_cut(tool, '@', &name, &version))
		name = tool;
	e = map_get(&g->catalog->tools_by_name, name);
	return (e && e->mutates) ||
	       err_set(err, E_UNAVAILABLE, "no tool %.*s is in the catalog", STR_ARG(name));
}

bool settle_look(void *world, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err)
{
	struct generation *g = world_hold(world);
	struct backend_committed found;
	bool ok;

	ok = backends_committed(g->backends, a, id_str(call), &found, err) &&
	     (found.found || knows(g, tool, err));
	world_drop(world, g);
	if (!ok)
		return false;
	*committed_out = found.found;
	*ledger_out = found.ledger;
	if (found.plan.n && !plans_applied(world, found.plan, found.ledger, err))
		return false;
	crash_point("reconcile_marked");
	return true;
}
