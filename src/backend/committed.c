/* committed - what the ledgers say of a call whose end is not known. */
#include "backend/inside.h"

#include "sql/ledger.h"

static bool look_on(struct lite *l, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	struct ledger_row row;
	bool exists;

	if (!ledger_exists(l, &exists, err))
		return false;
	if (!exists)
		return true;
	if (!ledger_by_call(l, a, call_id, &out->found, &row, err))
		return false;
	if (out->found) {
		out->ledger = row.id;
		out->plan = row.plan_id;
	}
	return true;
}

static bool look_in(struct source *s, struct arena *a, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	struct visit *v = visit_begin(s, a, SOURCE_WAIT_MS, err);
	struct lite *l = v ? visit_lite(v, SOURCE_WAIT_MS, err) : NULL;
	bool ok = l && look_on(l, a, call_id, out, err);

	if (v)
		visit_end(v);
	return ok || err_while(err, "source %.*s", STR_ARG(s->config->name));
}

/* Where the tool writes now; NULL: it is not there any more. */
static const struct source_config *written_by(const struct backends *b, struct str tool)
{
	const struct entry *e = map_get(&b->catalog->tools_by_name, tool);

	return e && e->write ? e->source : NULL;
}

bool backends_committed(struct backends *b, struct arena *a, struct str tool, struct str call_id,
	struct backend_committed *out, struct err *err)
{
	const struct source_config *only = written_by(b, tool);

	*out = (struct backend_committed){ .found = false };
	for (size_t i = 0; i < b->config->source_count && !out->found; i++) {
		struct source *s = &b->sources[i];

		if (s->config->kind != SOURCE_SQLITE || (only && s->config != only))
			continue;
		if (!look_in(s, a, call_id, out, err))
			return false;
	}
	return true;
}
