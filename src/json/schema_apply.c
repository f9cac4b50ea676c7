/* schema_apply - the checks that apply other schemas to the same value.
 *
 * Branches that must fit mark where the node marks; branches that may fail mark a copy, merged when
 * they fit.  When a caller collects marks no branch is left out, even where the outcome is known.
 */
#include "json/schema_run.h"

#include <string.h>

bool check_ref(struct run *r, const struct check *c, const struct place *p)
{
	return schema_eval(r, c->reference->node, p);
}

/* The outermost resource of the dynamic scope that has the anchor decides (core, 8.2.3.2). */
bool check_dynamic_ref(struct run *r, const struct check *c, const struct place *p)
{
	const struct schema_node *n = c->reference->node;

	for (const struct scope *s = r->scope; s; s = s->up) {
		const struct schema_node *found =
			s->resource->dynamic_anchors.count
				? map_get(&s->resource->dynamic_anchors, c->reference->dynamic_name)
				: NULL;

		if (!schema_step(r, 1))
			return false;
		n = found ? found : n;
	}
	return schema_eval(r, n, p);
}

bool check_all_of(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = true;

	for (uint32_t i = 0; i < c->nodes.count; i++) {
		if (schema_eval(r, c->nodes.node[i], p))
			continue;
		fits = false;
		if (schema_enough(r))
			break;
	}
	return fits;
}

/* One branch, marking for the node only when it fits. */
static bool try_branch(struct run *r, const struct schema_node *n, const struct place *p)
{
	struct seen seen;

	if (!p->seen)
		return schema_eval_quiet(r, n, p, NULL);
	seen_init(r, &seen, p->value);
	if (r->exhausted || !schema_eval_quiet(r, n, p, &seen))
		return false;
	seen_merge(p->seen, &seen, p->value);
	return true;
}

/* How far a branch is from fitting: what tells branches apart (type, const, enum) weighs more. */
static size_t distance(const struct schema_faults *f)
{
	size_t sum = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct str k = f->list[i].keyword;

		sum += str_eq(k, S("const")) || str_eq(k, S("enum")) ? 20 : 1;
		sum += str_eq(k, S("type")) ? 40 : 0;
	}
	return sum;
}

/* Adds the faults of the nearest branch: with those mended the value would fit. */
static void explain_nearest(struct run *r, const struct check *c, const struct place *p)
{
	struct schema_faults *all = r->faults, *best = NULL;

	for (uint32_t i = 0; i < c->nodes.count && !r->exhausted; i++) {
		struct schema_faults *f = arena_new(r->scratch, struct schema_faults);
		struct place own = *p;

		if (!schema_step(r, sizeof *f / 8))
			return;
		own.seen = NULL;
		r->faults = f;
		(void)schema_eval(r, c->nodes.node[i], &own);
		r->faults = all;
		if (!best || distance(f) < distance(best))
			best = f;
	}
	for (size_t i = 0; best && i < best->count && all->count < SCHEMA_MAX_FAULTS; i++)
		all->list[all->count++] = best->list[i];
}

static bool no_branch_fits(struct run *r, const struct check *c, const struct place *p)
{
	struct buf text;
	bool simple = true;

	if (!r->faults)
		return false;
	buf_in(&text, r->scratch, 400);
	for (uint32_t i = 0; i < c->nodes.count && simple; i++) {
		struct str one = schema_describe(r->scratch, c->nodes.node[i]);

		simple = one.n > 0 && buf_ok(&text);
		buf_fmt(&text, "%s%.*s", i ? " or " : "", STR_ARG(one));
	}
	simple = simple && buf_ok(&text);
	if (simple)
		fault_str(r, p, c->keyword, buf_str(&text));
	else
		fault_add(r, p, c->keyword,
			"one of %u forms; the nearest one wants:", c->nodes.count);
	if (!simple || p->value->kind >= JSON_ARRAY)
		explain_nearest(r, c, p);
	return false;
}

bool check_any_of(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = false;

	for (uint32_t i = 0; i < c->nodes.count && (!fits || p->seen); i++)
		if (try_branch(r, c->nodes.node[i], p))
			fits = true;
	return fits || no_branch_fits(r, c, p);
}

bool check_one_of(struct run *r, const struct check *c, const struct place *p)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->nodes.count && count < 2 && !r->exhausted; i++)
		count += try_branch(r, c->nodes.node[i], p);
	if (count == 1)
		return true;
	if (count == 0)
		return no_branch_fits(r, c, p);
	return fault_add(
		r, p, c->keyword, "exactly one of %u forms; this fits two", c->nodes.count);
}

bool check_not(struct run *r, const struct check *c, const struct place *p)
{
	struct str what;

	if (!schema_eval_quiet(r, c->node, p, NULL))
		return true;
	if (!r->faults)
		return false;
	what = schema_describe(r->scratch, c->node);
	return fault_add(r, p, c->keyword, "anything but %.*s",
		STR_ARG(what.n ? what : S("what the schema excludes")));
}

bool check_if(struct run *r, const struct check *c, const struct place *p)
{
	const struct branch_rules *b = c->branch;
	const struct schema_node *then = try_branch(r, b->test, p) ? b->yes : b->no;

	if (r->exhausted)
		return false;
	return !then || schema_eval(r, then, p);
}

bool check_dependent_schemas(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = true;

	for (uint32_t i = 0; i < c->dependent->count; i++) {
		const struct dependent_row *row = &c->dependent->rows[i];

		if (!schema_step(r, 1 + p->value->count / 32))
			return false;
		if (!json_get(p->value, row->name) || schema_eval(r, row->node, p))
			continue;
		fits = false;
		if (schema_enough(r))
			break;
	}
	return fits;
}
