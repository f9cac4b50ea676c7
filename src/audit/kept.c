/* kept - see kept.h.
 *
 * Invariant: every value of a row leaves through protect_cell. */
#include "audit/kept.h"

#include "audit/record.h"

static bool same(const struct cell *a, const struct cell *b)
{
	return a->kind == b->kind && str_eq(a->text, b->text);
}

enum which { EVERY, KEYS, CHANGED };

static bool wanted(const struct effect *e, size_t column, enum which which)
{
	switch (which) {
	case KEYS:
		return e->table->columns[column].key;
	case CHANGED:
		return !e->before || !same(&e->before[column], &e->after[column]);
	case EVERY:
		break;
	}
	return true;
}

static void put_cells(const struct protector *p, const struct effect *e, const struct cell *cells,
	enum which which, struct jw *w)
{
	jw_object(w);
	for (size_t i = 0; i < e->table->column_count; i++) {
		if (!wanted(e, i, which))
			continue;
		jw_name(w, e->table->columns[i].name);
		protect_cell(p, &e->table->columns[i], &cells[i], w);
	}
	jw_object_end(w);
}

static void put_row(const struct protector *p, const struct effect *e, struct jw *w)
{
	jw_object(w);
	jw_put_str(w, S("t"), e->table->name);
	jw_put_str(w, S("op"), str_c(effect_operation_name(e->operation)));
	jw_name(w, S("key"));
	put_cells(p, e, e->before ? e->before : e->after, KEYS, w);
	if (e->before) {
		jw_name(w, S("before"));
		put_cells(p, e, e->before, EVERY, w);
	}
	if (e->after) {
		jw_name(w, S("after"));
		put_cells(p, e, e->after, CHANGED, w);
	}
	jw_object_end(w);
}

static bool varies(const struct effect_column *column)
{
	return column->varies;
}

static void put_columns(const struct effect_table *t, struct str name,
	bool (*want)(const struct effect_column *column), struct jw *w)
{
	jw_name(w, name);
	jw_array(w);
	for (size_t i = 0; i < t->column_count; i++)
		if (want(&t->columns[i]))
			jw_str(w, t->columns[i].name);
	jw_array_end(w);
}

static void put_table(const struct touched *t, struct jw *w)
{
	jw_object(w);
	jw_put_str(w, S("t"), t->table->name);
	jw_put_u64(w, S("insert"), t->inserted);
	jw_put_u64(w, S("update"), t->updated);
	jw_put_u64(w, S("delete"), t->deleted);
	put_columns(t->table, S("volatile"), varies, w);
	put_columns(t->table, S("protected"), protect_hides, w);
	jw_object_end(w);
}

static void put_effects(const struct protector *p, const struct effects *es, struct jw *w)
{
	jw_name(w, S("rows"));
	jw_array(w);
	for (size_t i = 0; i < es->count; i++)
		put_row(p, &es->list[i], w);
	jw_array_end(w);
	jw_name(w, S("tables"));
	jw_array(w);
	for (size_t i = 0; i < es->touched_count; i++)
		put_table(&es->touched[i], w);
	jw_array_end(w);
}

static void put_tool(const struct plan_step *s, struct jw *w)
{
	struct buf text;

	buf_init(&text, 512);
	buf_add(&text, str_sub(s->tool, 0, 256));
	buf_char(&text, '@');
	buf_u64(&text, s->version);
	jw_put_str(w, S("tool"), buf_str(&text));
	buf_done(&text);
	record_put_digest(w, S("td"), &s->definition);
}

static void put_step(const struct call *c, size_t at, const struct protector *p, struct jw *w)
{
	const struct change *ch = c->change;

	jw_object(w);
	put_tool(&ch->plan->steps[at], w);
	if (ch->step_count > 1 && at < ch->step_count) {
		struct call step = change_step_call(c, &ch->steps[at]);

		protect_arguments(p, &step, false, w);
	}
	put_effects(p, &ch->plan->steps[at].effects, w);
	jw_object_end(w);
}

void kept_put_sums(const struct plan *p, struct jw *w)
{
	if (!p->sum_count)
		return;
	jw_name(w, S("sums"));
	jw_array(w);
	for (size_t i = 0; i < p->sum_count; i++) {
		jw_object(w);
		jw_put_str(w, S("name"), p->sums[i].name);
		jw_put_str(w, S("net"), p->sums[i].net);
		jw_put_str(w, S("gross"), p->sums[i].gross);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_all(const struct call *c, const struct protector *p, struct buf *out)
{
	const struct plan *plan = c->change->plan;
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	jw_name(&w, S("steps"));
	jw_array(&w);
	for (size_t i = 0; i < plan->step_count; i++)
		put_step(c, i, p, &w);
	jw_array_end(&w);
	kept_put_sums(plan, &w);
	jw_put_str(&w, S("need"), str_c(approval_level_name(plan->need)));
	jw_put_str(&w, S("grant"), plan->grant);
	jw_put_str(&w, S("because"), plan->because);
	jw_object_end(&w);
}

void kept_init(struct kept *k, const struct call *c, const struct protector *p)
{
	*k = (struct kept){ .blob = NULL };
	if (!c->change || !c->change->plan)
		return;
	buf_init(&k->text, BLOB_MAX_BYTES);
	write_all(c, p, &k->text);
	if (!buf_ok(&k->text)) {
		k->lost = true;
		buf_done(&k->text);
	} else if (k->text.n > KEPT_INLINE_BYTES) {
		k->blob = blob_new(&k->text);
	}
}

void kept_done(struct kept *k)
{
	buf_done(&k->text);
	blob_free(&k->blob);
}

static void put_blob(const struct blob *b, struct jw *w)
{
	jw_object(w);
	record_put_digest(w, S("blob"), &b->digest);
	jw_put_u64(w, S("bytes"), b->text.n);
	jw_object_end(w);
}

void kept_put(const struct kept *k, struct jw *w)
{
	if (k->blob) {
		jw_name(w, S("effects"));
		put_blob(k->blob, w);
	} else if (k->lost) {
		jw_put_raw(w, S("effects"), S("{\"lost\":true}"));
	} else if (k->text.n) {
		jw_put_raw(w, S("effects"), buf_str(&k->text));
	}
}
