/* judge - is everything that happened declared? (effect.h)
 *
 * What no rule allows comes first: it is worse than a number of rows, and may be its cause. */
#include "plan/effect.h"

static struct effect_finding finding(enum effect_verdict verdict, const struct effect *e)
{
	return (struct effect_finding){
		.verdict = verdict, .table = e->table->name, .operation = e->operation
	};
}

bool cell_same(const struct cell *a, const struct cell *b)
{
	return a->kind == b->kind && str_eq(a->text, b->text);
}

/* A column that an update changed and its rule does not name; none: the table's column_count. */
static size_t strange_column(const struct effect *e, const struct effect_rule *rule)
{
	size_t i = 0;

	for (; i < e->table->column_count; i++)
		if (!cell_same(&e->before[i], &e->after[i]) &&
			!names_hold(rule->update, e->table->columns[i].name))
			break;
	return i;
}

static struct effect_finding judge_effect(const struct effect *e, const struct write *w)
{
	const struct effect_rule *rule = write_rule(w, e->table->name);
	struct effect_finding f;
	size_t column;

	if (!rule)
		return finding(EFFECTS_TABLE, e);
	if (!(rule->operations & e->operation))
		return finding(EFFECTS_OPERATION, e);
	if (e->operation != EFFECT_UPDATE)
		return finding(EFFECTS_DECLARED, e);
	column = strange_column(e, rule);
	if (column == e->table->column_count)
		return finding(EFFECTS_DECLARED, e);
	f = finding(EFFECTS_COLUMN, e);
	f.column = e->table->columns[column].name;
	return f;
}

static uint64_t rows_of(const struct effects *es, struct str table)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < es->count; i++)
		rows += str_eq(es->list[i].table->name, table);
	return rows;
}

static struct effect_finding judge_rows(const struct effects *es, const struct effect_rule *rule)
{
	struct effect_finding f = { .table = rule->table, .rows = rows_of(es, rule->table) };

	if (f.rows > rule->rows_max)
		f.verdict = EFFECTS_MORE;
	else if (f.rows < rule->rows_min)
		f.verdict = f.rows ? EFFECTS_FEWER : EFFECTS_NONE;
	return f;
}

struct effect_finding effects_judge(const struct effects *es, const struct write *w)
{
	struct effect_finding f;

	for (size_t i = 0; i < es->count; i++) {
		f = judge_effect(&es->list[i], w);
		if (f.verdict != EFFECTS_DECLARED) {
			f.rows = rows_of(es, f.table);
			return f;
		}
	}
	for (size_t i = 0; i < w->rule_count; i++) {
		f = judge_rows(es, &w->rules[i]);
		if (f.verdict != EFFECTS_DECLARED)
			return f;
	}
	return (struct effect_finding){ EFFECTS_DECLARED };
}
