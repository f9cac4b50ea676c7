/* plan_write - a plan as one JSON object that keeps everything a page shows, and back (plan.h).
 *
 *   {"kept":"postern-kept-plan-1", "id":…, …, "who":{…},
 *    "steps":[{"tool":…, "version":n, "definition":…, "arguments":"canonical JSON",
 *      "tables":[{"name":…, "inserted":n, "updated":n, "deleted":n, "columns":[{"name":…, …}]}],
 *      "effects":[{"table":n, "operation":…, "statement":n, "before":[cell…]|null, "after":…}]}],
 *    "sums":[{"name":…, "net":…, "gross":…}], …}
 *
 * Cells and texts are those of cell.h; plan_read.c reads it. */
#include "json/write.h"
#include "plan/cell.h"
#include "plan/plan.h"
#include "plan/plan_kept.h"

static void put_text(struct jw *w, const char *name, struct str text)
{
	jw_put_raw(w, str_c(name), STR_NONE); /* what text_write adds stands behind it */
	text_write(w->out, text);
}

static void put_flag(struct jw *w, const char *name, bool truth)
{
	if (truth)
		jw_put_bool(w, str_c(name), true);
}

static void put_optional(struct jw *w, const char *name, struct str text)
{
	if (text.n)
		put_text(w, name, text);
}

static void put_digest(struct jw *w, const char *name, const struct sha256 *d)
{
	jw_put_raw(w, str_c(name), S("\""));
	sha256_write(w->out, d);
	buf_char(w->out, '"');
}

static void put_mask(struct jw *w, const struct mask *m)
{
	if (m->kind == MASK_NONE)
		return;
	jw_name(w, S("mask"));
	if (m->kind != MASK_BUCKET)
		jw_str(w, str_c(kept_masks[m->kind]));
	else if (m->bucket != BUCKET_SIZE)
		jw_str(w, str_c(kept_periods[m->bucket]));
	else
		jw_u64(w, m->size);
}

static void write_column(struct jw *w, const struct effect_column *c)
{
	jw_object(w);
	put_text(w, "name", c->name);
	put_flag(w, "key", c->key);
	put_flag(w, "varies", c->varies);
	put_flag(w, "shown", c->shown);
	put_mask(w, &c->mask);
	put_optional(w, "unmask", c->unmask);
	if (c->data_class != CLASS_NONE)
		jw_put_str(w, S("class"), str_c(data_class_name(c->data_class)));
	put_optional(w, "refers", c->refers);
	jw_object_end(w);
}

static void write_table(struct jw *w, const struct touched *t)
{
	jw_object(w);
	put_text(w, "name", t->table->name);
	jw_put_u64(w, S("inserted"), t->inserted);
	jw_put_u64(w, S("updated"), t->updated);
	jw_put_u64(w, S("deleted"), t->deleted);
	jw_name(w, S("columns"));
	jw_array(w);
	for (size_t i = 0; i < t->table->column_count; i++)
		write_column(w, &t->table->columns[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void put_side(
	struct jw *w, const char *name, const struct cell *cells, const struct effect_table *t)
{
	jw_name(w, str_c(name));
	if (!cells) {
		jw_null(w);
		return;
	}
	jw_array(w);
	for (size_t i = 0; i < t->column_count; i++) {
		jw_raw(w, STR_NONE);
		cell_write(w->out, &cells[i]);
	}
	jw_array_end(w);
}

static size_t table_at(const struct effects *es, struct str name)
{
	size_t i = 0;

	while (i < es->touched_count && !str_eq(es->touched[i].table->name, name))
		i++;
	bug_on(i == es->touched_count); /* effects_order was not called */
	return i;
}

static void write_effect(struct jw *w, const struct effects *es, const struct effect *e)
{
	jw_object(w);
	jw_put_u64(w, S("table"), table_at(es, e->table->name));
	jw_put_str(w, S("operation"), str_c(effect_operation_name(e->operation)));
	jw_put_u64(w, S("statement"), e->statement);
	put_side(w, "before", e->before, e->table);
	put_side(w, "after", e->after, e->table);
	jw_object_end(w);
}

static void write_step(struct jw *w, const struct plan_step *s)
{
	jw_object(w);
	put_text(w, "tool", s->tool);
	jw_put_u64(w, S("version"), s->version);
	put_digest(w, "definition", &s->definition);
	put_text(w, "arguments", s->arguments);
	jw_name(w, S("tables"));
	jw_array(w);
	for (size_t i = 0; i < s->effects.touched_count; i++)
		write_table(w, &s->effects.touched[i]);
	jw_array_end(w);
	jw_name(w, S("effects"));
	jw_array(w);
	for (size_t i = 0; i < s->effects.count; i++)
		write_effect(w, &s->effects, &s->effects.list[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void put_who(struct jw *w, const struct plan_who *who)
{
	jw_name(w, S("who"));
	jw_object(w);
	put_text(w, "issuer", who->issuer);
	put_text(w, "subject", who->subject);
	put_text(w, "tenant", who->tenant);
	put_text(w, "agent", who->agent);
	put_text(w, "credential", who->credential);
	jw_put_str(w, S("kind"), str_c(principal_kind_name(who->kind)));
	jw_object_end(w);
}

static void put_sums(struct jw *w, const struct plan *p)
{
	jw_name(w, S("sums"));
	jw_array(w);
	for (size_t i = 0; i < p->sum_count; i++) {
		jw_object(w);
		put_text(w, "name", p->sums[i].name);
		put_text(w, "net", p->sums[i].net);
		put_text(w, "gross", p->sums[i].gross);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void put_where(struct jw *w, const struct plan *p)
{
	jw_put_str(w, S("kept"), KEPT_FORMAT);
	put_text(w, "id", p->id);
	put_text(w, "deployment", p->deployment);
	put_text(w, "environment", p->environment);
	put_text(w, "source", p->source);
	put_text(w, "database", p->database);
	put_text(w, "role", p->role);
}

void plan_write(const struct plan *p, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	put_where(&w, p);
	put_who(&w, &p->who);
	jw_name(&w, S("steps"));
	jw_array(&w);
	for (size_t i = 0; i < p->step_count; i++)
		write_step(&w, &p->steps[i]);
	jw_array_end(&w);
	put_sums(&w, p);
	jw_put_u64(&w, S("rows"), p->rows);
	put_digest(&w, "digest", &p->digest);
	jw_put_str(&w, S("need"), str_c(approval_level_name(p->need)));
	put_text(&w, "grant", p->grant);
	put_text(&w, "because", p->because);
	put_text(&w, "request", p->request);
	put_text(&w, "reason", p->reason);
	jw_put_i64(&w, S("made_us"), p->made_us);
	jw_put_i64(&w, S("expires_us"), p->expires_us);
	jw_object_end(&w);
}
