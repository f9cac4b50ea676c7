/* plan_digest - the text under a plan's digest, and the digest (plan.h).
 *
 * doc/plan-format.md has the members.  They are written in the order of RFC 8785 here: no sorting,
 * no tree.  Invariants: 1. two plans have one text only if they do the same, but for the values of
 * fresh keys and of columns that vary.  2. no number is a JSON number.  3. bytes that are not UTF-8
 * are never replaced. */
#include "plan/cell.h"
#include "plan/fresh.h"
#include "plan/plan.h"

static void put_member(struct buf *out, const char *name, struct str value)
{
	buf_fmt(out, "\"%s\":", name);
	text_write(out, value);
}

static void put_count(struct buf *out, const char *name, uint64_t n)
{
	buf_fmt(out, "\"%s\":\"%llu\"", name, (unsigned long long)n);
}

struct digesting {
	const struct fresh_set *set;
	size_t step;
	struct buf *out;
};

static void put_cell(const struct digesting *d, const struct effect *e, enum side side, size_t at)
{
	const struct fresh *fresh;

	switch (cell_form(d->set, e, d->step, side, at, &fresh)) {
	case FORM_AS_IS:
		cell_write(d->out, side == SIDE_BEFORE ? &e->before[at] : &e->after[at]);
		break;
	case FORM_FRESH:
		buf_lit(d->out, "[\"new\",");
		text_write(d->out, fresh->table);
		buf_fmt(d->out, ",\"%u\"]", fresh->number);
		break;
	case FORM_VARIES:
		buf_lit(d->out, "[\"varies\"]");
		break;
	}
}

static void put_side(const struct digesting *d, const struct effect *e, enum side side)
{
	if (side == SIDE_BEFORE ? !e->before : !e->after) {
		buf_lit(d->out, "null");
		return;
	}
	buf_char(d->out, '[');
	for (size_t i = 0; i < e->table->column_count; i++) {
		if (i)
			buf_char(d->out, ',');
		put_cell(d, e, side, i);
	}
	buf_char(d->out, ']');
}

static void put_effect(const struct digesting *d, const struct effect *e)
{
	buf_lit(d->out, "{\"after\":");
	put_side(d, e, SIDE_AFTER);
	buf_lit(d->out, ",\"before\":");
	put_side(d, e, SIDE_BEFORE);
	buf_fmt(d->out, ",\"operation\":\"%s\",", effect_operation_name(e->operation));
	put_member(d->out, "table", e->table->name);
	buf_char(d->out, '}');
}

static void put_touched(struct buf *out, const struct touched *t)
{
	buf_lit(out, "{\"columns\":[");
	for (size_t i = 0; i < t->table->column_count; i++) {
		if (i)
			buf_char(out, ',');
		text_write(out, t->table->columns[i].name);
	}
	buf_lit(out, "],");
	put_count(out, "deleted", t->deleted);
	buf_char(out, ',');
	put_count(out, "inserted", t->inserted);
	buf_char(out, ',');
	put_member(out, "name", t->table->name);
	buf_char(out, ',');
	put_count(out, "updated", t->updated);
	buf_char(out, '}');
}

static void put_step(const struct digesting *d, const struct plan_step *s)
{
	struct buf *out = d->out;

	buf_lit(out, "{\"arguments\":");
	buf_add(out, s->arguments);
	buf_lit(out, ",\"definition\":\"");
	sha256_write(out, &s->definition);
	buf_lit(out, "\",\"effects\":[");
	for (size_t i = 0; i < s->effects.count; i++) {
		if (i)
			buf_char(out, ',');
		put_effect(d, &s->effects.list[i]);
	}
	buf_lit(out, "],\"tables\":[");
	for (size_t i = 0; i < s->effects.touched_count; i++) {
		if (i)
			buf_char(out, ',');
		put_touched(out, &s->effects.touched[i]);
	}
	buf_lit(out, "],");
	put_member(out, "tool", s->tool);
	buf_char(out, ',');
	put_count(out, "version", s->version);
	buf_char(out, '}');
}

static void put_steps(const struct plan *p, struct arena *scratch, struct buf *out)
{
	struct fresh_set set;

	fresh_init(&set, scratch);
	for (size_t i = 0; i < p->step_count; i++) {
		struct digesting d = { &set, i, out };

		fresh_take(&set, &p->steps[i].effects, i);
		if (i)
			buf_char(out, ',');
		put_step(&d, &p->steps[i]);
	}
}

static void put_sum(struct buf *out, const struct plan_sum *s)
{
	buf_char(out, '{');
	put_member(out, "gross", s->gross);
	buf_char(out, ',');
	put_member(out, "name", s->name);
	buf_char(out, ',');
	put_member(out, "net", s->net);
	buf_char(out, '}');
}

static void put_who(struct buf *out, const struct plan_who *who)
{
	buf_lit(out, "{");
	put_member(out, "agent", who->agent);
	buf_char(out, ',');
	put_member(out, "issuer", who->issuer);
	buf_char(out, ',');
	put_member(out, "subject", who->subject);
	buf_char(out, ',');
	put_member(out, "tenant", who->tenant);
	buf_char(out, '}');
}

void plan_canonical(const struct plan *p, struct arena *scratch, struct buf *out)
{
	buf_char(out, '{');
	put_member(out, "database", p->database);
	buf_char(out, ',');
	put_member(out, "deployment", p->deployment);
	buf_char(out, ',');
	put_member(out, "environment", p->environment);
	buf_lit(out, ",\"format\":\"postern-plan-1\",");
	put_member(out, "role", p->role);
	buf_char(out, ',');
	put_count(out, "rows", p->rows);
	buf_char(out, ',');
	put_member(out, "source", p->source);
	buf_lit(out, ",\"steps\":[");
	put_steps(p, scratch, out);
	buf_lit(out, "],\"sums\":[");
	for (size_t i = 0; i < p->sum_count; i++) {
		if (i)
			buf_char(out, ',');
		put_sum(out, &p->sums[i]);
	}
	buf_lit(out, "],\"who\":");
	put_who(out, &p->who);
	buf_char(out, '}');
}

void plan_digest(const struct plan *p, struct arena *scratch, struct sha256 *out)
{
	struct buf text;

	/* no limit but the arena's own: a digest of a part would bind nothing */
	buf_in(&text, scratch, SIZE_MAX / 2);
	plan_canonical(p, scratch, &text);
	bug_on(!buf_ok(&text));
	sha256_of(buf_str(&text), out);
}
