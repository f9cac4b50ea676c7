/* settle - see settle.h. */
#include "serve/settle.h"

#include "base/clock.h"
#include "serve/log.h"
#include "serve/plans.h"
#include "serve/reconcile.h"

/* The ledger has the truth; a copy that is behind is mended when the plan is shown to us again. */
static void note_plan(struct run *r, const struct change *ch)
{
	struct str id = ch->approved->id;
	struct log_text why;
	struct err err;
	bool ok;

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

	if (!ch || (ch->end == CHANGE_NOT && !ch->replayed))
		return;
	if (ch->approved)
		note_plan(r, ch);
	if (ch->end == CHANGE_UNKNOWN)
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

bool settle_look(void *world, struct arena *a, struct str tool, const struct id *call,
	bool *committed_out, struct str *ledger_out, struct err *err)
{
	struct generation *g = world_hold(world);
	bool ok;

	(void)tool;
	ok = backends_committed(g->backends, a, id_str(call), committed_out, ledger_out, err);
	world_drop(world, g);
	return ok;
}
