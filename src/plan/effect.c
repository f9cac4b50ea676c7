/* effect - see effect.h.
 *
 * The order is by content, and where content says nothing, by what was touched first:
 *   1. the table's name
 *   2. the key, without the columns that the database fills in an insert
 *   3. the operation: insert, update, delete
 *   4. all columns before, then all after, without those that vary
 *   5. the statement, then the order in which the rows were touched
 * It is made twice: at first all fresh keys of a table are alike; then those that others refer to
 * have the number which that order gave them.  NULL, integers by value, reals, texts, blobs by
 * bytes, fresh keys: in this order. */
#include "plan/effect.h"

#include "plan/fresh.h"

#include <stdlib.h>
#include <string.h>

static void take_rule(struct effect_column *c, const struct effect_rule *rule)
{
	c->key = names_hold(rule->key, c->name);
	c->varies = names_hold(rule->varies, c->name);
	for (size_t i = 0; i < rule->column_count; i++) {
		const struct column *shown = &rule->columns[i];

		if (!str_eq(shown->name, c->name))
			continue;
		c->shown = true;
		c->mask = shown->mask;
		c->unmask = shown->unmask;
		c->data_class = shown->data_class;
	}
	for (size_t i = 0; i < rule->refer_count; i++)
		if (str_eq(rule->refers[i].column, c->name))
			c->refers = rule->refers[i].table;
}

const struct effect_table *effect_table_make(struct arena *a, struct str name,
	const struct str *columns, size_t column_count, const struct effect_rule *rule)
{
	struct effect_column *made = arena_array(a, struct effect_column, column_count + 1);
	struct effect_table *t = arena_new(a, struct effect_table);

	for (size_t i = 0; i < column_count; i++) {
		made[i].name = columns[i];
		if (rule)
			take_rule(&made[i], rule);
	}
	*t = (struct effect_table){ name, made, column_count, rule };
	return t;
}

struct effect *effects_add(struct effects *es, struct arena *a)
{
	if (es->count == es->cap) {
		size_t cap = es->cap ? es->cap * 2 : 8;
		struct effect *list = arena_array(a, struct effect, cap);

		if (es->count)
			memcpy(list, es->list, es->count * sizeof *list);
		es->list = list;
		es->cap = cap;
	}
	es->list[es->count] = (struct effect){ 0 };
	return &es->list[es->count++];
}

const char *effect_operation_name(enum effect_operation o)
{
	switch (o) {
	case EFFECT_INSERT:
		return "insert";
	case EFFECT_UPDATE:
		return "update";
	case EFFECT_DELETE:
		return "delete";
	}
	bug("an operation without a name");
}

/* --- order --- */

struct ranked {
	struct effect e;
	size_t touched; /* its place among the effects as they came */
};

struct ordering {
	const struct fresh_set *set;
	bool numbered; /* else all fresh keys of a table are alike */
};

static int size_cmp(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int cell_cmp(const struct cell *a, const struct cell *b)
{
	int64_t x, y;

	if (a->kind != b->kind)
		return size_cmp(a->kind, b->kind);
	if (a->kind == CELL_INTEGER && str_to_i64(a->text, &x) && str_to_i64(b->text, &y))
		return (x > y) - (x < y);
	return str_cmp(a->text, b->text);
}

/* What the order sees of one cell. */
struct seen {
	unsigned rank; /* as it is, fresh, varies, generated */
	unsigned number; /* of a fresh key */
	const struct cell *cell; /* as it is */
};

static struct seen see(
	const struct ordering *o, const struct effect *e, enum side side, size_t column)
{
	const struct fresh *fresh = NULL;
	enum form form = cell_form(o->set, e, 0, side, column, &fresh);
	struct seen seen = { .rank = form };

	if (side == SIDE_AFTER && effect_generates(e, column))
		seen.rank = FORM_VARIES + 1;
	else if (form == FORM_FRESH)
		seen.number = o->numbered ? fresh->number : 0;
	else if (form == FORM_AS_IS)
		seen.cell = side == SIDE_BEFORE ? &e->before[column] : &e->after[column];
	return seen;
}

static int seen_cmp(struct seen a, struct seen b)
{
	if (a.rank != b.rank)
		return size_cmp(a.rank, b.rank);
	return a.cell ? cell_cmp(a.cell, b.cell) : size_cmp(a.number, b.number);
}

/* The side by which a row is known. */
static enum side key_side(const struct effect *e)
{
	return e->before ? SIDE_BEFORE : SIDE_AFTER;
}

static int key_cmp(const struct ordering *o, const struct effect *a, const struct effect *b)
{
	int order = 0;

	for (size_t i = 0; !order && i < a->table->column_count; i++)
		if (a->table->columns[i].key)
			order = seen_cmp(see(o, a, key_side(a), i), see(o, b, key_side(b), i));
	return order;
}

/* Of effects with the same operation. */
static int side_cmp(
	const struct ordering *o, const struct effect *a, const struct effect *b, enum side side)
{
	int order = 0;

	if (side == SIDE_BEFORE ? !a->before : !a->after)
		return 0;
	for (size_t i = 0; !order && i < a->table->column_count; i++)
		order = seen_cmp(see(o, a, side, i), see(o, b, side, i));
	return order;
}

static int ranked_cmp(const void *va, const void *vb, void *vo)
{
	const struct ranked *ra = va, *rb = vb;
	const struct effect *a = &ra->e, *b = &rb->e;
	const struct ordering *o = vo;
	int order = str_cmp(a->table->name, b->table->name);

	if (!order)
		order = key_cmp(o, a, b);
	if (!order)
		order = size_cmp(a->operation, b->operation);
	if (!order)
		order = side_cmp(o, a, b, SIDE_BEFORE);
	if (!order)
		order = side_cmp(o, a, b, SIDE_AFTER);
	if (!order)
		order = size_cmp(a->statement, b->statement);
	return order ? order : size_cmp(ra->touched, rb->touched);
}

static void sort(struct effects *es, struct arena *scratch, struct ordering *o)
{
	struct ranked *all = arena_array(scratch, struct ranked, es->count);

	for (size_t i = 0; i < es->count; i++)
		all[i] = (struct ranked){ es->list[i], i };
	qsort_r(all, es->count, sizeof *all, ranked_cmp, o);
	for (size_t i = 0; i < es->count; i++)
		es->list[i] = all[i].e;
}

static void count_touched(struct effects *es, struct arena *a)
{
	struct touched *t = NULL;

	es->touched = arena_array(a, struct touched, es->count + 1);
	es->touched_count = 0;
	for (size_t i = 0; i < es->count; i++) {
		const struct effect *e = &es->list[i];

		if (!t || !str_eq(t->table->name, e->table->name)) {
			t = &es->touched[es->touched_count++];
			t->table = e->table;
		}
		t->inserted += e->operation == EFFECT_INSERT;
		t->updated += e->operation == EFFECT_UPDATE;
		t->deleted += e->operation == EFFECT_DELETE;
	}
}

void effects_order(struct effects *es, struct arena *a)
{
	struct effects numbering = *es;
	struct fresh_set set;
	struct ordering o = { .set = &set };

	fresh_init(&set, a);
	fresh_take(&set, es, 0);
	numbering.list = arena_array(a, struct effect, es->count + 1);
	if (es->count)
		memcpy(numbering.list, es->list, es->count * sizeof *es->list);
	sort(&numbering, a, &o);
	fresh_init(&set, a);
	fresh_take(&set, &numbering, 0);
	o.numbered = true;
	sort(es, a, &o);
	count_touched(es, a);
}
