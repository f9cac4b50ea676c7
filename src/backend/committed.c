/* committed - was a call's change committed?  The ledgers of all sources are asked; one that is
 * changed here and has no ledger can say nothing. */
#include "backend/inside.h"

#include "sql/ledger.h"

#define WAIT_MS 2000

static bool ask_ledger(struct source *s, struct lite *l, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	struct ledger_row row;
	bool there;

	if (!ledger_exists(l, &there, err))
		return false;
	if (!there)
		return !s->writers || err_set(err, E_UNAVAILABLE, "it has no ledger");
	if (!ledger_by_call(l, a, call_id, &out->found, &row, err))
		return false;
	if (out->found)
		*out = (struct backend_committed){ true, row.id, row.plan_id };
	return true;
}

static bool ask_source(struct source *s, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	struct visit *v = visit_begin(s, a, WAIT_MS, err);
	struct lite *l = v ? visit_lite(v, WAIT_MS, err) : NULL;
	bool ok = l && ask_ledger(s, l, a, call_id, out, err);

	if (v)
		visit_end(v);
	return ok;
}

bool backends_committed(struct backends *b, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	struct err one;
	bool all = true;

	*out = (struct backend_committed){ .found = false };
	for (size_t i = 0; i < b->config->source_count; i++) {
		struct source *s = &b->sources[i];

		if (s->config->kind != SOURCE_SQLITE)
			continue;
		if (!ask_source(s, a, call_id, out, &one)) {
			*err = one;
			err_while(err, "source %.*s", STR_ARG(s->config->name));
			all = false;
		} else if (out->found) {
			return true;
		}
	}
	return all;
}
