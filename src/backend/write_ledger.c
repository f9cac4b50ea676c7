/* write_ledger - what a write keeps in the ledger of its source, and what it reads there first.
 *
 * What names somebody or something is an HMAC there, the effects and the answer are sealed
 * (ledger_seal.h).  An idempotency key is the caller's own, or what the tool makes of its
 * arguments; the caller's replaces the tool's, and a plan's id both.
 *
 * Invariants: 1. the capture is on while the row is written, and nothing but the ledger's own
 * tables may have been touched then: a trigger on the ledger rolls back.  2. a plan's id is in the
 * ledger once, whatever the store says. */
#include "backend/write.h"

#include "backend/ledger_seal.h"
#include "base/planted.h"
#include "json/write.h"
#include "plan/threshold.h"
#include "sql/ledger.h"

#define SEALED_MAX ((size_t)24 << 20)
#define IDEMPOTENCY_US (INT64_C(24) * 3600 * 1000000) /* how long a caller's own key holds */

/* --- idempotency --- */

/* Those that the tool's key names: "{a}:{b}" filled alone is one text for "x:" and "y", "x" and
 * ":y". */
static struct str named_arguments(struct call *c, struct str key)
{
	struct json named = { .kind = JSON_OBJECT };
	struct json_member *members =
		arena_array(c->arena, struct json_member, (size_t)c->arguments.count + 1);
	struct buf text;

	for (uint32_t i = 0; i < c->arguments.count; i++) {
		struct str name = c->arguments.members[i].name;
		struct str place = arena_fmt(c->arena, "{%.*s}", STR_ARG(name));

		if (str_find_str(key, 0, place) < key.n)
			members[named.count++] = c->arguments.members[i];
	}
	named.members = members;
	buf_in(&text, c->arena, SEALED_MAX);
	json_canonical(&text, c->arena, &named);
	return buf_str(&text);
}

/* False: the call has none. */
static bool idem_of(const struct writing *w, struct sha256 *out, int64_t *within_us_out)
{
	const struct principal *p = w->c->who;
	struct str parts[] = { S("ledger-key"), p->tenant, p->issuer, p->subject, w->c->entry->name,
		S("caller"), w->change->idempotency_key, STR_NONE };
	const struct write *write = w->c->entry->write;

	*within_us_out = IDEMPOTENCY_US;
	if (!w->change->idempotency_key.n) {
		if (!write || !write->idempotency_key.n)
			return false;
		parts[5] = S("tool");
		parts[6] = args_fill(w->c, write->idempotency_key, false);
		parts[7] = named_arguments(w->c, write->idempotency_key);
		*within_us_out = (int64_t)write->idempotency_ms * 1000;
	}
	ledger_hmac(w->change->seal, parts, ARRAY_LEN(parts), out);
	return true;
}

/* The first answer, if what is asked for now is what was asked for then. */
static bool take_row(struct writing *w, const struct ledger_row *row)
{
	struct change *ch = w->change;

	if (!sha256_eq(&row->arguments, &ch->arguments))
		return call_fault(w->c, CONFLICT, "idempotency_key",
			S("the key was used with other arguments"));
	ch->ledger_id = row->id;
	return ledger_unseal(ch->seal, w->c->arena, row->id, "result", row->result, &ch->answer) ||
	       call_fault(w->c, INTERNAL, "ledger",
		       S("the ledger's row was sealed with another key, or was changed"));
}

/* An approved plan is its own key.  A caller's key beside it must be new: one that stands for
 * another change would give that one's answer, and call the plan applied. */
static bool look_for_key(struct writing *w, bool *found_out, struct ledger_row *row)
{
	struct change *ch = w->change;
	struct sha256 idem;
	int64_t within_us;
	struct err err;

	if (planted(PLANTED_KEY_IGNORED) || (ch->approved && !ch->idempotency_key.n) ||
		!idem_of(w, &idem, &within_us))
		return true;
	if (!ledger_by_idem(
		    w->lite, w->c->arena, &idem, ch->now_us - within_us, found_out, row, &err))
		return write_fault(w, &err);
	if (!*found_out || !ch->approved)
		return true;
	return call_fault(w->c, CONFLICT, "idempotency_key",
		S("the key was used for another change than this plan's"));
}

bool ledger_look(struct writing *w, bool *found_out)
{
	struct change *ch = w->change;
	struct ledger_row row;
	struct err err;

	*found_out = false;
	if (ch->approved && !planted(PLANTED_PLAN_NOT_CONSUMED) &&
		!ledger_by_plan(w->lite, w->c->arena, ch->approved->id, found_out, &row, &err))
		return write_fault(w, &err);
	if (!*found_out && !look_for_key(w, found_out, &row))
		return false;
	return !*found_out || take_row(w, &row);
}

/* --- thresholds --- */

static bool add_up(
	struct writing *w, const struct ledger_sum *sums, size_t count, struct threshold_past *out)
{
	struct err err;

	for (size_t i = 0; i < count; i++)
		if (!threshold_past_add(out, sums[i].net, sums[i].gross, w->c->arena, &err))
			return call_fault(
				w->c, INTERNAL, "ledger", arena_str(w->c->arena, str_c(err.text)));
	return true;
}

bool ledger_past(struct writing *w, const struct entry *e, const struct threshold *t,
	struct threshold_past *out)
{
	struct ledger_since since = { .of = LEDGER_OF_WHO,
		.tool = e->name,
		.name = t->impact,
		.since_us = w->change->now_us - (int64_t)t->window_ms * 1000 };
	struct ledger_sum *sums;
	size_t count;
	struct err err;

	if (t->per == OVER_TENANT) {
		since.of = LEDGER_OF_TENANT;
		ledger_hmac_tenant(w->change->seal, w->c->who->tenant, &since.whose);
	} else {
		ledger_hmac_who(w->change->seal, w->c->who, &since.whose);
	}
	for (int i = 0; i < 2; i++) {
		if (!ledger_sums_since(w->lite, w->c->arena, &since, &sums, &count, &err))
			return write_fault(w, &err);
		if (!add_up(w, sums, count, out))
			return false;
		/* what was done as one of several is under their common name: all of it counts */
		since.tool = S(TOGETHER_NAME);
	}
	return true;
}

/* --- the row --- */

void ledger_name(struct writing *w)
{
	struct id *id = arena_new(w->c->arena, struct id);

	id_make(id, w->change->now_us);
	w->change->ledger_id = arena_fmt(w->c->arena, "ch_%.*s", ID_BYTES, id->c);
}

static void add_record(const struct writing *w, const struct effect *e, const struct cell *row,
	struct ledger_change *list, size_t *n)
{
	struct ledger_change *out = &list[*n];

	if (!row)
		return;
	out->table = ledger_table(w->c->arena, e->table->name);
	out->operation = str_c(effect_operation_name(e->operation));
	ledger_hmac_effect(w->change->seal, w->c->arena, e, row, &out->key);
	if (row == e->before || !e->before || !sha256_eq(&list[*n - 1].key, &out->key))
		++*n;
}

/* By which all changes of one record are found: one whose key changes is two. */
static struct ledger_change *changes_of(const struct writing *w, size_t *count_out)
{
	const struct plan *p = w->change->plan;
	struct ledger_change *list =
		arena_array(w->c->arena, struct ledger_change, (size_t)p->rows * 2 + 1);
	size_t n = 0;

	for (size_t s = 0; s < p->step_count; s++)
		for (size_t i = 0; i < p->steps[s].effects.count; i++) {
			const struct effect *e = &p->steps[s].effects.list[i];

			bug_on(n >= p->rows * 2);
			add_record(w, e, e->before, list, &n);
			add_record(w, e, e->after, list, &n);
		}
	*count_out = n;
	return list;
}

static struct ledger_sum *sums_of(const struct writing *w)
{
	const struct plan *p = w->change->plan;
	struct ledger_sum *sums = arena_array(w->c->arena, struct ledger_sum, p->sum_count + 1);

	for (size_t i = 0; i < p->sum_count; i++)
		sums[i] = (struct ledger_sum){ p->sums[i].name, p->sums[i].net, p->sums[i].gross };
	return sums;
}

static void describe(struct writing *w, struct ledger_row *row)
{
	struct change *ch = w->change;
	struct buf document;
	int64_t within_us;

	*row = (struct ledger_row){ .id = ch->ledger_id,
		.call_id = id_str(&w->c->id),
		.plan_id = ch->approved && !planted(PLANTED_PLAN_NOT_CONSUMED) ? ch->approved->id
									       : STR_NONE,
		.tool = w->c->entry->name,
		.tool_digest = w->c->entry->digest,
		.catalog_digest = ch->catalog,
		.plan_digest = ch->plan->digest,
		.arguments = ch->arguments,
		.intent = ch->intent,
		.rows = ch->plan->rows,
		.committed_us = ch->now_us };
	ledger_hmac_who(ch->seal, w->c->who, &row->who);
	ledger_hmac_tenant(ch->seal, w->c->who->tenant, &row->tenant);
	row->has_idem = idem_of(w, &row->idem, &within_us);
	buf_in(&document, w->c->arena, SEALED_MAX);
	plan_write(ch->plan, &document);
	if (buf_ok(&document))
		row->effects =
			ledger_seal(ch->seal, w->c->arena, row->id, "effects", buf_str(&document));
	row->result = ledger_seal(ch->seal, w->c->arena, row->id, "result", ch->answer);
}

/* A trigger on the ledger's own tables would be behind everybody's back. */
static bool only_ledger(struct writing *w)
{
	struct capture_list list;
	struct err err;

	if (!capture_take(w->lite, w->c->arena, SIZE_MAX, SIZE_MAX, &list, &err))
		return write_fault(w, &err);
	for (size_t i = 0; i < list.count; i++)
		if (!str_starts(list.changes[i].table->name, S("postern_ledger"))) {
			struct effect_finding found = { .verdict = EFFECTS_TABLE,
				.table = list.changes[i].table->name,
				.rows = 1 };

			return effects_fault(w->c, &found);
		}
	return true;
}

bool ledger_keep(struct writing *w)
{
	struct ledger_change *changes;
	struct ledger_row row;
	size_t change_count;
	struct err err;

	if (planted(PLANTED_LEDGER_LEFT_OUT))
		return true;
	describe(w, &row);
	if (!row.effects.n || !row.result.n)
		return call_fault(w->c, RESULT_TOO_LARGE, "ledger",
			S("the change is too large for the ledger"));
	changes = changes_of(w, &change_count);
	if (!ledger_add(w->lite, &row, changes, change_count, sums_of(w),
		    w->change->plan->sum_count, &err)) {
		if (err.code == E_EXISTS)
			return call_fault(w->c, CONFLICT, "plan_used",
				arena_str(w->c->arena, str_c(err.text)));
		return call_fault(w->c, AUDIT_UNAVAILABLE, "ledger_failed",
			arena_str(w->c->arena, str_c(err.text)));
	}
	crash_point("ledger");
	return only_ledger(w);
}
