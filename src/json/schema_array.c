/* schema_array - the checks of arrays. */
#include "json/schema_run.h"

static struct place item_place(const struct place *p, size_t i)
{
	return (struct place){ .value = &p->value->items[i], .up = p, .index = i };
}

bool check_item_count(struct run *r, const struct check *c, const struct place *p)
{
	bool least = c->op == CHECK_MIN_ITEMS;

	if (least ? p->value->count >= c->count : p->value->count <= c->count)
		return true;
	return fault_add(r, p, c->keyword, "at %s %llu item%s", least ? "least" : "most",
		(unsigned long long)c->count, c->count == 1 ? "" : "s");
}

static bool unequal(struct run *r, const struct place *p, size_t i, size_t k)
{
	return fault_add(r, p, S("uniqueItems"),
		"items that all differ; number %zu equals number %zu (from 0)", k, i);
}

/* Linear: equal items meet under one keyed hash, and only those are compared. */
bool check_unique(struct run *r, const struct check *c, const struct place *p)
{
	const struct json *v = p->value;
	size_t slots = 4;
	uint32_t *slot;
	uint64_t *hash;

	(void)c;
	if (v->count < 2)
		return true;
	if (!schema_step(r, v->count + v->raw.n / 16))
		return false;
	while (slots < (size_t)v->count * 2)
		slots *= 2;
	slot = arena_array(r->scratch, uint32_t, slots);
	hash = arena_array(r->scratch, uint64_t, v->count);
	for (uint32_t i = 0; i < v->count; i++) {
		size_t at;

		hash[i] = json_hash(&v->items[i]);
		for (at = hash[i] & (slots - 1); slot[at]; at = (at + 1) & (slots - 1))
			if (hash[slot[at] - 1] == hash[i] &&
				json_equal(&v->items[slot[at] - 1], &v->items[i]))
				return unequal(r, p, slot[at] - 1, i);
		slot[at] = i + 1;
	}
	return true;
}

/* The item past an ending is told as a count, which says more than "nothing". */
static bool check_rest(struct run *r, const struct array_rules *a, const struct place *p, size_t i)
{
	struct place item = item_place(p, i);

	bug_on(!a->rest);
	if (a->rest->verdict == NODE_NEVER)
		return fault_add(r, &item, S("items"), "no such item: at most %u item%s",
			a->prefix.count, a->prefix.count == 1 ? "" : "s");
	return schema_eval(r, a->rest, &item);
}

bool check_array(struct run *r, const struct check *c, const struct place *p)
{
	const struct array_rules *a = c->array;
	uint32_t count = a->rest ? p->value->count : MIN(p->value->count, a->prefix.count);
	bool fits = true;

	if (p->seen && !schema_step(r, p->value->count / 32))
		return false;
	if (a->rest && a->rest->verdict == NODE_ALWAYS)
		count = MIN(count, a->prefix.count);
	for (uint32_t i = 0; i < count && (fits || !schema_enough(r)); i++) {
		struct place item = item_place(p, i);

		if (i < a->prefix.count ? !schema_eval(r, a->prefix.node[i], &item)
					: !check_rest(r, a, p, i))
			fits = false;
	}
	count = a->rest ? p->value->count : count;
	for (uint32_t i = 0; p->seen && i < count; i++)
		seen_add(p->seen, i);
	return fits;
}

static bool contains_fault(struct run *r, const struct check *c, const struct place *p, bool few)
{
	const struct contains_rules *k = c->contains;
	uint64_t count = few ? k->least : k->most;
	struct str what = schema_describe(r->scratch, k->node);
	struct str keyword = !few           ? S("maxContains")
			     : k->has_least ? S("minContains")
					    : S("contains");

	return fault_add(r, p, keyword, "at %s %llu item%s%.*s", few ? "least" : "most",
		(unsigned long long)count,
		count == 1 ? " that fits its schema: " : "s that fit its schema: ",
		STR_ARG(what.n ? what : S("see contains")));
}

bool check_contains(struct run *r, const struct check *c, const struct place *p)
{
	const struct contains_rules *k = c->contains;
	uint64_t found = 0;

	if (!schema_step(r, p->value->count / 16))
		return false;
	for (uint32_t i = 0; i < p->value->count && !r->exhausted; i++) {
		struct place item = item_place(p, i);

		/* once there are enough, and nobody counts or asks for marks, the rest may be
		 * anything */
		if (found >= k->least && !k->bounded && !p->seen)
			break;
		if (!schema_eval_quiet(r, k->node, &item, NULL))
			continue;
		found++;
		if (p->seen)
			seen_add(p->seen, i);
	}
	if (found < k->least)
		return r->faults ? contains_fault(r, c, p, true) : false;
	if (found > k->most)
		return r->faults ? contains_fault(r, c, p, false) : false;
	return true;
}

bool check_unevaluated_items(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = schema_step(r, p->value->count / 16);

	for (uint32_t i = 0; i < p->value->count && (fits || !schema_enough(r)); i++) {
		struct place item = item_place(p, i);

		if (seen_has(p->seen, i))
			continue;
		if (c->node->verdict == NODE_NEVER)
			fits = fault_str(r, &item, c->keyword, S("no such item"));
		else if (!schema_eval(r, c->node, &item))
			fits = false;
		seen_add(p->seen, i);
	}
	return fits;
}
