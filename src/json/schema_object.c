/* schema_object - the checks of objects: one pass over the members for the four usual keywords.
 *
 * Names are unique (the parser refuses others), so counting the required ones that were met is
 * enough to know whether one is missing. */
#include "json/schema_run.h"

static struct place member_place(const struct place *p, uint32_t i)
{
	const struct json_member *m = &p->value->members[i];

	return (struct place){ .value = &m->value, .up = p, .name = &m->name };
}

bool check_member_count(struct run *r, const struct check *c, const struct place *p)
{
	bool least = c->op == CHECK_MIN_PROPERTIES;

	if (least ? p->value->count >= c->count : p->value->count <= c->count)
		return true;
	return fault_add(r, p, c->keyword, "at %s %llu propert%s", least ? "least" : "most",
		(unsigned long long)c->count, c->count == 1 ? "y" : "ies");
}

bool check_dependent_required(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = true;

	for (uint32_t i = 0; i < c->dependent->count; i++) {
		const struct dependent_row *row = &c->dependent->rows[i];

		if (!schema_step(r, 1 + p->value->count / 32))
			return false;
		if (!json_get(p->value, row->name))
			continue;
		for (uint32_t k = 0; k < row->required->count; k++) {
			struct str name = row->required->items[k].text;

			if (!schema_step(r, 1 + p->value->count / 32))
				return false;
			if (json_get(p->value, name))
				continue;
			fits = fault_add(r, p, c->keyword,
				"the property %.*s, because %.*s is there", STR_ARG(name),
				STR_ARG(row->name));
			if (schema_enough(r))
				return false;
		}
	}
	return fits;
}

/* Agents mostly send members in the schema's order: `next` is where the last one was found, plus
 * one. */
static const struct property_row *find_row(
	const struct object_rules *o, struct str name, uint32_t *next)
{
	uint32_t at = *next;

	if (o->slots) {
		for (uint32_t i = (uint32_t)siphash_of(name) & o->slot_mask; o->slots[i];
			i = (i + 1) & o->slot_mask)
			if (str_eq(o->rows[o->slots[i] - 1].name, name))
				return &o->rows[o->slots[i] - 1];
		return NULL;
	}
	for (uint32_t i = 0; i < o->row_count; i++, at++) {
		if (at >= o->row_count)
			at = 0;
		if (str_eq(o->rows[at].name, name)) {
			*next = at + 1;
			return &o->rows[at];
		}
	}
	return NULL;
}

static bool check_additional(
	struct run *r, const struct object_rules *o, const struct place *member)
{
	if (o->additional->verdict != NODE_NEVER)
		return schema_eval(r, o->additional, member);
	if (!r->faults)
		return false;
	return fault_str(r, member, S("additionalProperties"), rows_describe(r->scratch, o));
}

/* Sets *known when a keyword other than additionalProperties speaks of the member. */
static bool check_patterns(
	struct run *r, const struct object_rules *o, const struct place *member, bool *known)
{
	bool fits = true;

	for (uint32_t i = 0; i < o->pattern_count && !r->exhausted; i++) {
		if (!schema_match(r, o->patterns[i].pattern, *member->name))
			continue;
		*known = true;
		if (!schema_eval(r, o->patterns[i].node, member))
			fits = false;
	}
	return fits && !r->exhausted;
}

/* Something required is not there: what, for those who want to know. */
static bool check_missing(struct run *r, const struct object_rules *o, const struct place *p)
{
	uint32_t next = 0;
	bool *there;

	if (!r->faults || !schema_step(r, (o->row_count + p->value->count) / 8))
		return false;
	there = arena_array(r->scratch, bool, o->row_count);
	for (uint32_t i = 0; i < p->value->count; i++) {
		const struct property_row *row = find_row(o, p->value->members[i].name, &next);

		if (row)
			there[row - o->rows] = true;
	}
	for (uint32_t i = 0; i < o->row_count && !schema_enough(r); i++) {
		struct str what = STR_NONE;

		if (!o->rows[i].required || there[i])
			continue;
		if (o->rows[i].node)
			what = schema_describe(r->scratch, o->rows[i].node);
		fault_add(r, p, S("required"), "the property %.*s%s%.*s%s",
			STR_ARG(o->rows[i].name), what.n ? " (" : "", STR_ARG(what),
			what.n ? ")" : "");
	}
	return false;
}

bool check_object(struct run *r, const struct check *c, const struct place *p)
{
	const struct object_rules *o = c->object;
	uint32_t next = 0, met = 0;
	bool fits = true;

	for (uint32_t i = 0; i < p->value->count && (fits || !schema_enough(r)); i++) {
		struct place member = member_place(p, i);
		const struct property_row *row = find_row(o, *member.name, &next);
		bool known = row && row->node;

		met += row && row->required;
		if (!schema_step(r, 1 + member.name->n / 64))
			return false;
		if (known && !schema_eval(r, row->node, &member))
			fits = false;
		if (o->pattern_count && !check_patterns(r, o, &member, &known))
			fits = false;
		if (!known && o->additional) {
			known = true;
			if (!check_additional(r, o, &member))
				fits = false;
		}
		if (known && p->seen)
			seen_add(p->seen, i);
	}
	if (met < o->required_count && (fits || !schema_enough(r)))
		return check_missing(r, o, p);
	return fits;
}

bool check_property_names(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = true;

	for (uint32_t i = 0; i < p->value->count && (fits || !schema_enough(r)); i++) {
		const struct json_member *m = &p->value->members[i];
		struct json name = { .kind = JSON_STRING, .raw = m->name, .text = m->name };
		struct place place = { .value = &name, .up = p, .name = &m->name, .is_name = true };

		if (!schema_step(r, 1) || !schema_eval(r, c->node, &place))
			fits = false;
	}
	return fits;
}

bool check_unevaluated_properties(struct run *r, const struct check *c, const struct place *p)
{
	bool fits = schema_step(r, p->value->count / 16);

	for (uint32_t i = 0; i < p->value->count && (fits || !schema_enough(r)); i++) {
		struct place member = member_place(p, i);

		if (seen_has(p->seen, i))
			continue;
		if (c->node->verdict == NODE_NEVER)
			fits = fault_str(r, &member, c->keyword, S("no such property"));
		else if (!schema_eval(r, c->node, &member))
			fits = false;
		seen_add(p->seen, i);
	}
	return fits;
}
