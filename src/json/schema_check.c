/* schema_check - applies nodes to values: the budget, the dynamic scope, the marks.
 *
 * Invariants:
 * 1. Every node costs a step, and a check that walks a value costs in proportion to it.
 * 2. Once `exhausted`, nothing counts as fitting: schema_eval returns false and the caller of the
 *    whole run looks at the flag, so that "not" cannot turn a limit into a yes.
 * 3. Marks: a node with an unevaluated keyword has marks of its own, which it hands up only when it
 *    fits; branches that may fail without failing their node mark a copy (schema_eval_quiet). */
#include "json/schema_run.h"

#include <string.h>

static check_fn *const table[CHECK_COUNT] = {
	[CHECK_REF] = check_ref,
	[CHECK_DYNAMIC_REF] = check_dynamic_ref,
	[CHECK_TYPE] = check_type,
	[CHECK_CONST] = check_const,
	[CHECK_ENUM] = check_enum,
	[CHECK_MINIMUM] = check_bound,
	[CHECK_MAXIMUM] = check_bound,
	[CHECK_ABOVE] = check_bound,
	[CHECK_BELOW] = check_bound,
	[CHECK_MULTIPLE] = check_multiple,
	[CHECK_MIN_LENGTH] = check_length,
	[CHECK_MAX_LENGTH] = check_length,
	[CHECK_PATTERN] = check_pattern,
	[CHECK_FORMAT] = check_format,
	[CHECK_MIN_ITEMS] = check_item_count,
	[CHECK_MAX_ITEMS] = check_item_count,
	[CHECK_UNIQUE] = check_unique,
	[CHECK_MIN_PROPERTIES] = check_member_count,
	[CHECK_MAX_PROPERTIES] = check_member_count,
	[CHECK_DEPENDENT_REQUIRED] = check_dependent_required,
	[CHECK_OBJECT] = check_object,
	[CHECK_PROPERTY_NAMES] = check_property_names,
	[CHECK_ARRAY] = check_array,
	[CHECK_CONTAINS] = check_contains,
	[CHECK_ALL_OF] = check_all_of,
	[CHECK_ANY_OF] = check_any_of,
	[CHECK_ONE_OF] = check_one_of,
	[CHECK_NOT] = check_not,
	[CHECK_IF] = check_if,
	[CHECK_DEPENDENT_SCHEMAS] = check_dependent_schemas,
	[CHECK_UNEVALUATED_ITEMS] = check_unevaluated_items,
	[CHECK_UNEVALUATED_PROPERTIES] = check_unevaluated_properties,
};

static size_t words_of(const struct json *value)
{
	return value->kind < JSON_ARRAY || value->count <= 64 ? 0 : (value->count + 63) / 64;
}

void seen_init(struct run *r, struct seen *s, const struct json *value)
{
	size_t words = words_of(value);

	*s = (struct seen){ 0 };
	if (words && schema_step(r, words))
		s->bits = arena_array(r->scratch, uint64_t, words);
}

void seen_add(struct seen *s, size_t i)
{
	if (s->bits)
		s->bits[i / 64] |= (uint64_t)1 << (i % 64);
	else if (i < 64)
		s->few |= (uint64_t)1 << i;
}

bool seen_has(const struct seen *s, size_t i)
{
	if (s->bits)
		return s->bits[i / 64] >> (i % 64) & 1;
	return i < 64 && (s->few >> i & 1);
}

void seen_merge(struct seen *into, const struct seen *from, const struct json *value)
{
	into->few |= from->few;
	for (size_t i = 0; into->bits && from->bits && i < words_of(value); i++)
		into->bits[i] |= from->bits[i];
}

bool schema_step(struct run *r, size_t n)
{
	if (n > r->steps) {
		r->steps = 0;
		r->exhausted = true;
		return false;
	}
	r->steps -= n;
	return !r->exhausted;
}

bool schema_match(struct run *r, const struct pattern *p, struct str s)
{
	enum pattern_verdict verdict;

	if (!schema_step(r, 8 + s.n / 16))
		return false;
	verdict = pattern_try(p, s);
	if (verdict == PATTERN_LIMIT)
		r->exhausted = true;
	return verdict == PATTERN_YES;
}

static bool run_checks(struct run *r, const struct schema_node *n, const struct place *p)
{
	unsigned kind = KIND_BIT(p->value->kind);
	bool fits = true;

	for (uint32_t i = 0; i < n->check_count; i++) {
		const struct check *c = &n->checks[i];

		if (!(c->kinds & kind) || table[c->op](r, c, p))
			continue;
		fits = false;
		/* what follows a wrong type would only repeat it */
		if (c->op == CHECK_TYPE || schema_enough(r))
			break;
	}
	return fits;
}

static bool eval_tracking(struct run *r, const struct schema_node *n, const struct place *p)
{
	struct place own = *p;
	struct seen seen;
	bool fits;

	seen_init(r, &seen, p->value);
	if (r->exhausted)
		return false;
	own.seen = &seen;
	fits = run_checks(r, n, &own);
	if (fits && p->seen)
		seen_merge(p->seen, &seen, p->value);
	return fits;
}

bool schema_eval(struct run *r, const struct schema_node *n, const struct place *p)
{
	struct scope inner = { .up = r->scope, .resource = n->resource };
	const struct scope *outer = r->scope;
	bool fits;

	if (n->verdict == NODE_ALWAYS)
		return true;
	if (n->verdict == NODE_NEVER)
		return fault_str(r, p, S("false"), S("nothing: no value is allowed here"));
	if (r->frames == SCHEMA_MAX_FRAMES)
		r->exhausted = true;
	if (!schema_step(r, 1))
		return false;
	r->frames++;
	if (n->resource != outer->resource)
		r->scope = &inner;
	fits = n->tracks ? eval_tracking(r, n, p) : run_checks(r, n, p);
	r->scope = outer;
	r->frames--;
	return fits && !r->exhausted;
}

bool schema_eval_quiet(
	struct run *r, const struct schema_node *n, const struct place *p, struct seen *seen)
{
	struct schema_faults *faults = r->faults;
	struct place own = *p;
	bool fits;

	own.seen = seen;
	r->faults = NULL;
	fits = schema_eval(r, n, &own);
	r->faults = faults;
	return fits;
}
