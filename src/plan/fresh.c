/* fresh - see fresh.h. */
#include "plan/fresh.h"

struct fresh_table {
	unsigned count;
	struct map keys[CELL_BLOB + 1]; /* by kind and text: the newest */
};

static void release_map(void *map)
{
	map_done(map);
}

static void release_table(void *what)
{
	struct fresh_table *t = what;

	for (size_t i = 0; i < ARRAY_LEN(t->keys); i++)
		map_done(&t->keys[i]);
}

void fresh_init(struct fresh_set *set, struct arena *a)
{
	set->arena = a;
	set->tables = arena_new(a, struct map);
	map_init(set->tables);
	arena_defer(a, release_map, set->tables);
}

static struct fresh_table *table_of(struct fresh_set *set, struct str name)
{
	struct fresh_table *t = map_get(set->tables, name);

	if (t)
		return t;
	t = arena_new(set->arena, struct fresh_table);
	for (size_t i = 0; i < ARRAY_LEN(t->keys); i++)
		map_init(&t->keys[i]);
	arena_defer(set->arena, release_table, t);
	bug_on(!map_add(set->tables, name, t));
	return t;
}

bool effect_generates(const struct effect *e, size_t column)
{
	const struct effect_column *c = &e->table->columns[column];

	return e->operation == EFFECT_INSERT && c->key && c->varies && !c->refers.n;
}

/* A key twice in one step is one: of the rows of a batch, say. */
static void take_cell(struct fresh_set *set, struct str table, const struct cell *cell, size_t step)
{
	struct fresh_table *t = table_of(set, table);
	struct fresh *newest = map_get(&t->keys[cell->kind], cell->text);
	struct fresh f = { .table = table, .step = step };

	if (newest && newest->step == step)
		return;
	f.number = ++t->count;
	if (!newest) {
		newest = arena_new(set->arena, struct fresh);
		bug_on(!map_add(&t->keys[cell->kind], cell->text, newest));
	} else {
		/* the map keeps its pointer: what stood there moves behind */
		struct fresh *older = arena_new(set->arena, struct fresh);

		*older = *newest;
		f.older = older;
	}
	*newest = f;
}

void fresh_take(struct fresh_set *set, const struct effects *es, size_t step)
{
	for (size_t i = 0; i < es->count; i++) {
		const struct effect *e = &es->list[i];

		for (size_t k = 0; k < e->table->column_count; k++)
			if (effect_generates(e, k) && e->after[k].kind != CELL_NULL)
				take_cell(set, e->table->name, &e->after[k], step);
	}
}

/* Made by one of the first `steps` steps; NULL: by none. */
static const struct fresh *find(
	const struct fresh_set *set, struct str table, const struct cell *cell, size_t steps)
{
	const struct fresh_table *t = map_get(set->tables, table);
	const struct fresh *f;

	if (!t || cell->kind == CELL_NULL)
		return NULL;
	bug_on(cell->kind > CELL_BLOB);
	f = map_get(&t->keys[cell->kind], cell->text);
	while (f && f->step >= steps)
		f = f->older;
	return f;
}

enum form cell_form(const struct fresh_set *set, const struct effect *e, size_t step,
	enum side side, size_t column, const struct fresh **fresh_out)
{
	const struct effect_column *c = &e->table->columns[column];
	const struct cell *cell = side == SIDE_BEFORE ? &e->before[column] : &e->after[column];

	if (!c->refers.n && !(c->key && c->varies))
		return c->varies ? FORM_VARIES : FORM_AS_IS;
	/* what was there before this step was made by earlier ones */
	*fresh_out = find(set, c->refers.n ? c->refers : e->table->name, cell,
		side == SIDE_BEFORE ? step : step + 1);
	return *fresh_out ? FORM_FRESH : FORM_AS_IS;
}
