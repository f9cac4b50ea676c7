/* committed - was a call's change committed?  The ledgers of all sources are asked: whatever the
 * catalog says of the tool by now. */
#include "backend/inside.h"

#include "sql/ledger.h"

#define WAIT_MS 2000

static bool ask_ledger(struct lite *l, struct arena *a, struct str call_id, bool *found_out,
	struct str *ledger_out, struct err *err)
{
	struct ledger_row row;
	bool there;

	*found_out = false;
	if (!ledger_exists(l, &there, err))
		return false;
	if (!there)
		return true;
	if (!ledger_by_call(l, a, call_id, found_out, &row, err))
		return false;
	if (*found_out)
		*ledger_out = row.id;
	return true;
}

static bool ask_source(struct source *s, struct arena *a, struct str call_id, bool *found_out,
	struct str *ledger_out, struct err *err)
{
	struct visit *v = visit_begin(s, a, WAIT_MS, err);
	struct lite *l = v ? visit_lite(v, WAIT_MS, err) : NULL;
	bool ok = l && ask_ledger(l, a, call_id, found_out, ledger_out, err);

	if (v)
		visit_end(v);
	return ok;
}

bool backends_committed(struct backends *b, struct arena *a, struct str call_id, bool *found_out,
	struct str *ledger_out, struct err *err)
{
	struct err one;
	bool all = true;

	*found_out = false;
	for (size_t i = 0; i < b->config->source_count; i++) {
		struct source *s = &b->sources[i];

		if (s->config->kind != SOURCE_SQLITE)
			continue;
		if (!ask_source(s, a, call_id, found_out, ledger_out, &one)) {
			*err = one;
			err_while(err, "source %.*s", STR_ARG(s->config->name));
			all = false;
		} else if (*found_out) {
			return true;
		}
	}
	return all;
}
