/* ledger_read - what was changed before, from the ledger of a source, as rows of the columns that
 * catalog/load_ledger.c declares; the effects themselves are for render (plan/past.h).
 *
 * Invariants: 1. a change that was made for another tenant is not there.  2. of the changes of a
 * record, only what happened to that record is told.  3. what does not open, or is not what its
 * digest says, is a failure, and nothing is shown. */
#include "backend/inside.h"
#include "backend/ledger_seal.h"
#include "plan/past.h"
#include "sql/ledger.h"

#include "base/clock.h"

#include <string.h>

struct telling {
	struct call *c;
	const struct ledger_ask *what;
	struct lite *lite;
	struct ledger_record record; /* of `table`; its tenant holds for one change, too */
};

static struct cell text_cell(struct str text)
{
	return (struct cell){ .kind = CELL_TEXT, .text = text };
}

static struct cell maybe_cell(struct str text)
{
	return text.n ? text_cell(text) : (struct cell){ 0 };
}

static struct cell time_cell(struct arena *a, int64_t us)
{
	struct buf text;

	buf_in(&text, a, 64);
	clock_write_rfc3339(&text, us);
	return text_cell(buf_str(&text));
}

static struct str tools_of(struct arena *a, const struct plan *p)
{
	struct buf text;

	buf_in(&text, a, (size_t)64 << 10);
	for (size_t i = 0; i < p->step_count; i++)
		buf_fmt(&text, "%s%.*s@%u", i ? ", " : "", STR_ARG(p->steps[i].tool),
			p->steps[i].version);
	return buf_str(&text);
}

/* --- effects --- */

static bool is_of_record(const struct telling *t, const struct effect *e)
{
	const struct cell *const rows[] = { e->before, e->after };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sha256 key;

		if (!rows[i])
			continue;
		ledger_hmac_effect(t->c->past->seal, t->c->arena, e, rows[i], &key);
		if (sha256_eq(&key, &t->record.key))
			return true;
	}
	return false;
}

static void keep_record(const struct telling *t, struct past_change *change)
{
	for (size_t i = 0; i < change->plan.step_count; i++) {
		struct effects *es = &change->plan.steps[i].effects;
		size_t kept = 0;

		for (size_t k = 0; k < es->count; k++)
			if (is_of_record(t, &es->list[k]))
				es->list[kept++] = es->list[k];
		change->left_out += es->count - kept;
		es->count = kept;
	}
}

static bool open_plan(struct telling *t, const struct ledger_row *row, struct plan *out)
{
	struct arena *a = t->c->arena;
	struct str text;
	struct err err;

	if (!ledger_unseal(t->c->past->seal, a, row->id, "effects", row->effects, &text))
		return call_fault(t->c, INTERNAL, "ledger",
			S("the ledger's row was sealed with another key, or was changed"));
	if (!plan_read(a, text, out, &err))
		return call_fault(t->c, INTERNAL, "ledger", arena_str(a, str_c(err.text)));
	if (plan_intact(out, a) && sha256_eq(&out->digest, &row->plan_digest))
		return true;
	return call_fault(
		t->c, INTERNAL, "ledger", S("the ledger's row is not what its digest says"));
}

/* In the order of the columns; sums, effects and what is left out come when they are shown. */
static void fill_row(struct telling *t, const struct ledger_row *row, const struct plan *p)
{
	struct rows *rows = &t->c->rows[0];
	struct cell *cells = rows_add(rows, t->c->arena);
	const struct cell values[] = {
		text_cell(row->id),
		text_cell(row->call_id),
		maybe_cell(row->plan_id),
		time_cell(t->c->arena, row->committed_us),
		text_cell(tools_of(t->c->arena, p)),
		text_cell(p->who.subject),
		maybe_cell(p->who.agent),
		{ CELL_INTEGER, arena_fmt(t->c->arena, "%llu", (unsigned long long)row->rows) },
		{ 0 },
		{ 0 },
		{ 0 },
		maybe_cell(p->request),
		maybe_cell(p->reason),
	};

	bug_on(rows->part->column_count > ARRAY_LEN(values));
	for (size_t i = 0; i < rows->part->column_count; i++)
		cells[i] = values[i];
}

static bool add(struct telling *t, const struct ledger_row *row)
{
	struct past *past = t->c->past;
	struct past_change *change = &past->list[past->count];

	if (!open_plan(t, row, &change->plan))
		return false;
	if (t->what->table.n)
		keep_record(t, change);
	past->count++;
	fill_row(t, row, &change->plan);
	return true;
}

/* --- finding --- */

/* By its own id, its plan's or its call's. */
static bool find_one(struct telling *t)
{
	struct str id = json_get_str(&t->c->arguments, t->what->id);
	struct arena *a = t->c->arena;
	struct ledger_row row;
	bool found = false, ok;
	struct err err;

	if (str_starts(id, S("ch_")))
		ok = ledger_by_id(t->lite, a, id, &found, &row, &err);
	else if (str_starts(id, S("pl_")))
		ok = ledger_by_plan(t->lite, a, id, &found, &row, &err);
	else
		ok = ledger_by_call(t->lite, a, id, &found, &row, &err);
	if (!ok)
		return source_fault(t->c, &err);
	if (!found || !sha256_eq(&row.tenant, &t->record.tenant))
		return call_fault(t->c, NOT_FOUND, "", STR_NONE);
	return add(t, &row);
}

/* The value as the database's own text: integers without a point or an exponent. */
static struct str key_value(struct call *c, struct str input)
{
	const struct json *v = json_get(&c->arguments, input);
	struct str digits;

	if (json_is(v, JSON_NUMBER) && json_integer(c->arena, v->text, &digits))
		return digits;
	return json_is(v, JSON_STRING) ? v->text : STR_NONE;
}

static void name_record(struct telling *t)
{
	const struct ledger_ask *what = t->what;
	struct ledger_key *key = arena_array(t->c->arena, struct ledger_key, what->key_count + 1);

	for (size_t i = 0; i < what->key_count; i++)
		key[i] = (struct ledger_key){ what->key[i].column,
			key_value(t->c, what->key[i].input) };
	t->record.table = ledger_table(t->c->arena, what->table);
	ledger_hmac_record(
		t->c->past->seal, t->c->arena, what->table, key, what->key_count, &t->record.key);
}

static bool find_all(struct telling *t)
{
	struct rows *rows = &t->c->rows[0];
	struct ledger_row *list;
	struct err err;
	size_t count;

	name_record(t);
	if (!ledger_list_for_key(t->lite, t->c->arena, &t->record, (size_t)rows->part->rows + 1,
		    &list, &count, &err))
		return source_fault(t->c, &err);
	rows->more = count > rows->part->rows;
	for (size_t i = 0; i < MIN(count, (size_t)rows->part->rows); i++)
		if (!add(t, &list[i]))
			return false;
	return true;
}

static bool tell(struct telling *t)
{
	struct call *c = t->c;
	const struct part *part = &c->entry->action.parts[0];

	lite_limits(t->lite, c->deadline_ms, call_cancelled, c);
	c->rows = arena_new(c->arena, struct rows);
	rows_init(&c->rows[0], part);
	c->past->list = arena_array(c->arena, struct past_change, (size_t)part->rows + 1);
	ledger_hmac_tenant(c->past->seal, c->who->tenant, &t->record.tenant);
	return t->what->id.n ? find_one(t) : find_all(t);
}

bool run_ledger(struct source *s, struct call *c)
{
	struct telling t = { .c = c, .what = c->entry->action.ledger };
	struct visit *v;
	struct err err;
	bool ok;

	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	t.lite = v ? visit_lite(v, wait_left_ms(c), &err) : NULL;
	ok = t.lite ? tell(&t) : source_fault(c, &err);
	if (v)
		visit_end(v);
	return ok && call_done(c, CONTENT_ROWS);
}
