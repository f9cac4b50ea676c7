/* schema_build_object - turns the keywords about objects into checks: properties,
 * patternProperties, additionalProperties and required become one, which needs one pass over the
 * members. */
#include "json/schema_build.h"

#define FEW_ROWS 8 /* up to here a search in order is quicker than a hash */

/* Rows for the members that are arrays (names) or, with schemas, for those that are not. */
static bool dependent_rules(struct building *b, bool schemas, bool mixed)
{
	struct dependent_rules *d = arena_new(b->c->a, struct dependent_rules);

	if (b->v->kind != JSON_OBJECT)
		return build_wrong(b, "an object");
	d->rows = arena_array(b->c->a, struct dependent_row, b->v->count);
	for (uint32_t i = 0; i < b->v->count; i++) {
		const struct json_member *m = &b->v->members[i];
		struct dependent_row *row = &d->rows[d->count];

		if (mixed && schemas == (m->value.kind == JSON_ARRAY))
			continue;
		row->name = m->name;
		row->required = &m->value;
		if (schemas ? !build_child(b, &m->value, &row->node)
			    : !build_name_list(b, &m->value))
			return false;
		d->count++;
	}
	if (d->count)
		build_check(b, schemas ? CHECK_DEPENDENT_SCHEMAS : CHECK_DEPENDENT_REQUIRED,
			KIND_BIT(JSON_OBJECT))
			->dependent = d;
	return true;
}

bool build_dependent_required(struct building *b)
{
	return dependent_rules(b, false, false);
}

bool build_dependent_schemas(struct building *b)
{
	return dependent_rules(b, true, false);
}

bool build_dependencies(struct building *b)
{
	return dependent_rules(b, false, true) && dependent_rules(b, true, true);
}

static bool add_rows(struct building *b, struct object_rules *o, const struct json *properties)
{
	b->keyword = S("properties");
	if (properties->kind != JSON_OBJECT)
		return build_wrong(b, "an object of schemas");
	for (uint32_t i = 0; i < properties->count; i++) {
		struct property_row *row = &o->rows[o->row_count++];

		row->name = properties->members[i].name;
		if (!build_child(b, &properties->members[i].value, &row->node))
			return false;
	}
	return true;
}

static void index_rows(struct building *b, struct object_rules *o, uint32_t most)
{
	uint32_t slots = 16;

	if (most <= FEW_ROWS)
		return;
	while (slots < 2 * most)
		slots *= 2;
	o->slots = arena_array(b->c->a, uint32_t, slots);
	o->slot_mask = slots - 1;
}

/* The slot that a name has, or would have. */
static uint32_t *slot_of(const struct object_rules *o, struct str name)
{
	uint32_t i = (uint32_t)siphash_of(name) & o->slot_mask;

	while (o->slots[i] && !str_eq(o->rows[o->slots[i] - 1].name, name))
		i = (i + 1) & o->slot_mask;
	return &o->slots[i];
}

static struct property_row *row_of(const struct object_rules *o, struct str name)
{
	if (o->slots) {
		uint32_t at = *slot_of(o, name);

		return at ? &o->rows[at - 1] : NULL;
	}
	for (uint32_t i = 0; i < o->row_count; i++)
		if (str_eq(o->rows[i].name, name))
			return &o->rows[i];
	return NULL;
}

static void index_row(const struct object_rules *o, uint32_t i)
{
	if (o->slots)
		*slot_of(o, o->rows[i].name) = i + 1;
}

static bool add_required(struct building *b, struct object_rules *o, const struct json *required)
{
	b->keyword = S("required");
	if (!build_name_list(b, required))
		return false;
	for (uint32_t i = 0; i < required->count; i++) {
		struct property_row *row = row_of(o, required->items[i].text);

		if (!row) {
			bug_on(!o->rows);
			row = &o->rows[o->row_count];
			row->name = required->items[i].text;
			index_row(o, o->row_count++);
		}
		o->required_count += !row->required;
		row->required = true;
	}
	return true;
}

static bool add_patterns(struct building *b, struct object_rules *o, const struct json *patterns)
{
	b->keyword = S("patternProperties");
	if (patterns->kind != JSON_OBJECT)
		return build_wrong(b, "an object of schemas");
	o->patterns = arena_array(b->c->a, struct pattern_row, patterns->count);
	for (uint32_t i = 0; i < patterns->count; i++) {
		struct pattern_row *row = &o->patterns[o->pattern_count++];

		row->pattern = build_pattern(b, patterns->members[i].name);
		if (!row->pattern || !build_child(b, &patterns->members[i].value, &row->node))
			return false;
	}
	return true;
}

/* Four keywords of two vocabularies in one pass over the members; called for each of the four, it
 * works at the first. */
bool build_object(struct building *b)
{
	const struct json *properties = schema_keyword(b->n, S("properties"), VOCAB_APPLICATOR);
	const struct json *patterns =
		schema_keyword(b->n, S("patternProperties"), VOCAB_APPLICATOR);
	const struct json *more = schema_keyword(b->n, S("additionalProperties"), VOCAB_APPLICATOR);
	const struct json *required = schema_keyword(b->n, S("required"), VOCAB_VALIDATION);
	struct object_rules *o;
	uint32_t most;

	if (b->count && b->check[b->count - 1].op == CHECK_OBJECT)
		return true;
	o = arena_new(b->c->a, struct object_rules);
	most = (properties ? properties->count : 0) + (required ? required->count : 0);
	o->rows = arena_array(b->c->a, struct property_row, most);
	if (properties && !add_rows(b, o, properties))
		return false;
	index_rows(b, o, most);
	for (uint32_t i = 0; i < o->row_count; i++)
		index_row(o, i);
	if (required && !add_required(b, o, required))
		return false;
	if (patterns && !add_patterns(b, o, patterns))
		return false;
	b->keyword = S("additionalProperties");
	if (more && !build_child(b, more, &o->additional))
		return false;
	build_check(b, CHECK_OBJECT, KIND_BIT(JSON_OBJECT))->object = o;
	return true;
}
