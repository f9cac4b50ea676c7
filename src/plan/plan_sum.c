/* plan_sum - what a plan adds up to (plan.h).
 *
 * A NULL counts as 0: a row that is made or taken away changes a sum by all it holds.  Impacts of
 * one name in several steps are one sum. */
#include "base/err.h"
#include "plan/plan.h"
#include "plan/sum.h"

#include <stdlib.h>

struct summing {
	struct str name;
	struct sum net, gross;
};

static bool add_up(
	struct sum *to, const struct sum *more, const struct impact_rule *rule, struct err *err)
{
	if (sum_add(to, more))
		return true;
	return err_set(err, E_LIMIT, "impact %.*s has too many digits", STR_ARG(rule->name));
}

/* NULL: no such side. */
static bool read_cell(const struct cell *cell, struct sum *out)
{
	*out = (struct sum){ 0 };
	if (!cell || cell->kind == CELL_NULL)
		return true;
	return (cell->kind == CELL_INTEGER || cell->kind == CELL_TEXT) && sum_read(cell->text, out);
}

static bool find_column(const struct effect *e, const struct impact_rule *rule, size_t *out)
{
	for (size_t i = 0; i < e->table->column_count; i++)
		if (str_eq(e->table->columns[i].name, rule->column)) {
			*out = i;
			return !e->table->columns[i].varies;
		}
	return false;
}

static bool sum_effect(
	struct summing *s, const struct effect *e, const struct impact_rule *rule, struct err *err)
{
	struct sum before, after, change;
	size_t column;

	if (!find_column(e, rule, &column))
		return err_set(err, E_CONTRACT,
			"impact %.*s: %.*s has no column %.*s that can be summed",
			STR_ARG(rule->name), STR_ARG(rule->table), STR_ARG(rule->column));
	if (!read_cell(e->before ? &e->before[column] : NULL, &before) ||
		!read_cell(e->after ? &e->after[column] : NULL, &after))
		return err_set(err, E_CONTRACT,
			"impact %.*s: a value of %.*s.%.*s is no exact number", STR_ARG(rule->name),
			STR_ARG(rule->table), STR_ARG(rule->column));
	change = sum_minus(before);
	if (!add_up(&change, &after, rule, err) || !add_up(&s->net, &change, rule, err))
		return false;
	change = sum_size(change);
	return add_up(&s->gross, &change, rule, err);
}

static struct summing *summing_of(struct summing *all, size_t *count, struct str name)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(all[i].name, name))
			return &all[i];
	all[*count] = (struct summing){ .name = name };
	return &all[(*count)++];
}

static bool sum_impact(struct summing *s, const struct effects *es, const struct impact_rule *rule,
	struct err *err)
{
	for (size_t i = 0; i < es->count; i++)
		if (str_eq(es->list[i].table->name, rule->table) &&
			!sum_effect(s, &es->list[i], rule, err))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct summing *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static bool keep(
	struct plan *p, struct arena *a, struct summing *all, size_t count, struct err *err)
{
	struct plan_sum *sums = arena_array(a, struct plan_sum, count + 1);

	qsort(all, count, sizeof *all, by_name);
	for (size_t i = 0; i < count; i++) {
		sums[i].name = all[i].name;
		if (!sum_text(&all[i].net, a, &sums[i].net) ||
			!sum_text(&all[i].gross, a, &sums[i].gross))
			return err_set(err, E_LIMIT, "impact %.*s has more than %d digits",
				STR_ARG(all[i].name), SUM_DIGITS);
	}
	p->sums = sums;
	p->sum_count = count;
	p->rows = 0;
	for (size_t i = 0; i < p->step_count; i++)
		p->rows += p->steps[i].effects.count;
	return true;
}

bool plan_sum_up(
	struct plan *p, struct arena *a, const struct write *const *writes, struct err *err)
{
	struct summing *all;
	size_t most = 1, count = 0;

	for (size_t i = 0; i < p->step_count; i++)
		most += writes[i]->impact_count;
	all = arena_array(a, struct summing, most);
	for (size_t i = 0; i < p->step_count; i++)
		for (size_t k = 0; k < writes[i]->impact_count; k++) {
			const struct impact_rule *rule = &writes[i]->impacts[k];
			struct summing *s = summing_of(all, &count, rule->name);

			if (!sum_impact(s, &p->steps[i].effects, rule, err))
				return false;
		}
	return keep(p, a, all, count, err);
}
