/* schema_build - turns the keywords of one subschema into checks.
 *
 * The table `keywords` at the end is the order in which a value is checked: cheap refusals first,
 * then what enters the value, then what applies other schemas to it, and last the unevaluated
 * keywords, which need the marks of all before them.  A keyword whose value has the wrong shape is
 * refused here (the metaschema is not consulted); an unknown keyword means nothing, as core says.
 */
#include "json/schema_build.h"

#include <stdlib.h>
#include <string.h>

#define FEW_VALUES 12

struct check *build_check(struct building *b, enum check_op op, unsigned kinds)
{
	struct check *k = &b->check[b->count++];

	*k = (struct check){ .op = op, .kinds = kinds, .keyword = b->keyword };
	return k;
}

bool build_wrong(struct building *b, const char *wanted)
{
	return schema_refuse(b->c, b->n, "%.*s is not %s", STR_ARG(b->keyword), wanted);
}

bool build_child(struct building *b, const struct json *source, struct schema_node **out)
{
	*out = schema_node_of(b->c, source);
	return *out || build_wrong(b, "made of schemas");
}

static bool child_list(struct building *b, const struct json *v, struct node_list *out)
{
	if (v->kind != JSON_ARRAY || v->count == 0)
		return build_wrong(b, "an array of schemas");
	out->node = arena_array(b->c->a, struct schema_node *, v->count);
	out->count = v->count;
	for (uint32_t i = 0; i < v->count; i++)
		if (!build_child(b, &v->items[i], &out->node[i]))
			return false;
	return true;
}

static bool compile_ref(struct building *b)
{
	struct reference *r = arena_new(b->c->a, struct reference);
	bool dynamic = str_eq(b->keyword, S("$dynamicRef"));
	struct str anchor;

	if (b->v->kind != JSON_STRING || b->v->text.n > SCHEMA_MAX_URI)
		return build_wrong(b, "a string, or it is too long");
	r->node = schema_resolve(b->c, b->n, b->v->text, &anchor);
	if (!r->node)
		return false;
	if (dynamic && anchor.n && map_get(&r->node->resource->dynamic_anchors, anchor) == r->node)
		r->dynamic_name = anchor;
	build_check(b, r->dynamic_name.n ? CHECK_DYNAMIC_REF : CHECK_REF, KIND_ANY)->reference = r;
	return true;
}

static unsigned type_bit(struct str name)
{
	static const struct {
		struct str name;
		unsigned bit;
	} types[] = {
		{ STR_INIT("null"), KIND_BIT(JSON_NULL) },
		{ STR_INIT("boolean"), KIND_BIT(JSON_BOOL) },
		{ STR_INIT("number"), KIND_BIT(JSON_NUMBER) },
		{ STR_INIT("integer"), KIND_INTEGER },
		{ STR_INIT("string"), KIND_BIT(JSON_STRING) },
		{ STR_INIT("array"), KIND_BIT(JSON_ARRAY) },
		{ STR_INIT("object"), KIND_BIT(JSON_OBJECT) },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(name, types[i].name))
			return types[i].bit;
	return 0;
}

static bool compile_type(struct building *b)
{
	const struct json *list = b->v->kind == JSON_ARRAY ? b->v->items : b->v;
	uint32_t count = b->v->kind == JSON_ARRAY ? b->v->count : 1;
	unsigned bits = 0;

	for (uint32_t i = 0; i < count; i++) {
		unsigned bit = list[i].kind == JSON_STRING ? type_bit(list[i].text) : 0;

		if (!bit || (bits & bit))
			return build_wrong(b, "a type, or an array of different types");
		bits |= bit;
	}
	if (!bits)
		return build_wrong(b, "a type, or an array of different types");
	build_check(b, CHECK_TYPE, KIND_ANY)->types = bits;
	return true;
}

static bool compile_const(struct building *b)
{
	build_check(b, CHECK_CONST, KIND_ANY)->value = b->v;
	return true;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct enum_hash *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool compile_enum(struct building *b)
{
	struct enum_rules *e = arena_new(b->c->a, struct enum_rules);

	if (b->v->kind != JSON_ARRAY)
		return build_wrong(b, "an array");
	e->values = b->v;
	if (b->v->count > FEW_VALUES) {
		e->hashes = arena_array(b->c->a, struct enum_hash, b->v->count);
		for (uint32_t i = 0; i < b->v->count; i++)
			e->hashes[i] = (struct enum_hash){ json_hash(&b->v->items[i]), i };
		qsort(e->hashes, b->v->count, sizeof e->hashes[0], compare_hashes);
	}
	build_check(b, CHECK_ENUM, KIND_ANY)->choice = e;
	return true;
}

static struct number_rules *number_rules(struct building *b)
{
	struct number_rules *n = arena_new(b->c->a, struct number_rules);

	n->lexeme = b->v->text;
	n->is_small = lexeme_small(n->lexeme, &n->small);
	decimal_of(n->lexeme, &n->decimal);
	return n;
}

static bool compile_bound(struct building *b)
{
	static const struct {
		struct str name;
		enum check_op op;
	} bounds[] = {
		{ STR_INIT("minimum"), CHECK_MINIMUM },
		{ STR_INIT("maximum"), CHECK_MAXIMUM },
		{ STR_INIT("exclusiveMinimum"), CHECK_ABOVE },
		{ STR_INIT("exclusiveMaximum"), CHECK_BELOW },
	};

	if (b->v->kind != JSON_NUMBER)
		return build_wrong(b, "a number");
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (str_eq(b->keyword, bounds[i].name))
			build_check(b, bounds[i].op, KIND_BIT(JSON_NUMBER))->number =
				number_rules(b);
	return true;
}

static bool compile_multiple(struct building *b)
{
	struct number_rules *n;

	if (b->v->kind != JSON_NUMBER)
		return build_wrong(b, "a number");
	n = number_rules(b);
	if (n->decimal.count == 0 || n->decimal.negative ||
		n->decimal.exponent <= -DECIMAL_MAX_EXPONENT / 2 ||
		n->decimal.exponent >= DECIMAL_MAX_EXPONENT / 2)
		return build_wrong(b, "a number above 0, of a size that can be divided by");
	build_check(b, CHECK_MULTIPLE, KIND_BIT(JSON_NUMBER))->number = n;
	return true;
}

/* A count that is larger than any value can be is as good as UINT64_MAX. */
static bool read_count(struct building *b, const struct json *v, uint64_t *out)
{
	struct decimal d;

	if (v->kind != JSON_NUMBER)
		return build_wrong(b, "a whole number of 0 or more");
	decimal_of(v->text, &d);
	if (!decimal_is_integer(&d) || d.negative)
		return build_wrong(b, "a whole number of 0 or more");
	if (!decimal_to_u64(&d, out))
		*out = UINT64_MAX;
	return true;
}

static bool compile_count(struct building *b)
{
	static const struct {
		struct str name;
		enum check_op op;
		enum json_kind kind;
	} counts[] = {
		{ STR_INIT("minLength"), CHECK_MIN_LENGTH, JSON_STRING },
		{ STR_INIT("maxLength"), CHECK_MAX_LENGTH, JSON_STRING },
		{ STR_INIT("minItems"), CHECK_MIN_ITEMS, JSON_ARRAY },
		{ STR_INIT("maxItems"), CHECK_MAX_ITEMS, JSON_ARRAY },
		{ STR_INIT("minProperties"), CHECK_MIN_PROPERTIES, JSON_OBJECT },
		{ STR_INIT("maxProperties"), CHECK_MAX_PROPERTIES, JSON_OBJECT },
	};
	uint64_t count = 0;

	if (!read_count(b, b->v, &count))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (str_eq(b->keyword, counts[i].name))
			build_check(b, counts[i].op, KIND_BIT(counts[i].kind))->count = count;
	return true;
}

struct pattern *build_pattern(struct building *b, struct str source)
{
	struct owned_pattern *o = arena_new(b->c->a, struct owned_pattern);
	struct err why = { 0 };

	o->pattern = pattern_new(source, b->c->options->linear_patterns, &why);
	if (!o->pattern) {
		schema_refuse(b->c, b->n, "%s", why.text);
		return NULL;
	}
	o->next = b->c->schema->patterns;
	b->c->schema->patterns = o;
	return o->pattern;
}

static bool compile_pattern(struct building *b)
{
	struct pattern *p;
	struct check *k;

	if (b->v->kind != JSON_STRING)
		return build_wrong(b, "a string");
	p = build_pattern(b, b->v->text);
	if (!p)
		return false;
	k = build_check(b, CHECK_PATTERN, KIND_BIT(JSON_STRING));
	k->pattern = p;
	k->source = b->v->text;
	return true;
}

static bool compile_format(struct building *b)
{
	bool asserted = b->c->options->assert_formats ||
			(b->n->resource->vocabularies & VOCAB_FORMAT_ASSERT);
	format_check *format;
	struct check *k;

	if (b->v->kind != JSON_STRING)
		return build_wrong(b, "a string");
	format = asserted ? format_find(b->v->text) : NULL;
	if (!format)
		return true;
	k = build_check(b, CHECK_FORMAT, KIND_BIT(JSON_STRING));
	k->format = format;
	k->format_name = b->v->text;
	return true;
}

static bool compile_unique(struct building *b)
{
	if (b->v->kind != JSON_BOOL)
		return build_wrong(b, "a boolean");
	if (b->v->truth)
		build_check(b, CHECK_UNIQUE, KIND_BIT(JSON_ARRAY));
	return true;
}

bool build_name_list(struct building *b, const struct json *v)
{
	if (v->kind != JSON_ARRAY)
		return build_wrong(b, "an array of names");
	for (uint32_t i = 0; i < v->count; i++)
		if (v->items[i].kind != JSON_STRING)
			return build_wrong(b, "an array of names");
	return true;
}

static bool compile_array(struct building *b)
{
	const struct json *prefix = schema_keyword(b->n, S("prefixItems"), VOCAB_APPLICATOR);
	const struct json *rest = schema_keyword(b->n, S("items"), VOCAB_APPLICATOR);
	struct array_rules *r;

	if (b->count && b->check[b->count - 1].op == CHECK_ARRAY)
		return true;
	r = arena_new(b->c->a, struct array_rules);
	b->keyword = S("prefixItems");
	if (prefix && !child_list(b, prefix, &r->prefix))
		return false;
	b->keyword = S("items");
	if (rest && !build_child(b, rest, &r->rest))
		return false;
	build_check(b, CHECK_ARRAY, KIND_BIT(JSON_ARRAY))->array = r;
	return true;
}

static bool compile_contains(struct building *b)
{
	struct contains_rules *r = arena_new(b->c->a, struct contains_rules);
	const struct json *least = schema_keyword(b->n, S("minContains"), VOCAB_VALIDATION);
	const struct json *most = schema_keyword(b->n, S("maxContains"), VOCAB_VALIDATION);

	r->least = 1;
	r->most = UINT64_MAX;
	r->has_least = least != NULL;
	r->bounded = most != NULL;
	if (!build_child(b, b->v, &r->node) || (least && !read_count(b, least, &r->least)) ||
		(most && !read_count(b, most, &r->most)))
		return false;
	build_check(b, CHECK_CONTAINS, KIND_BIT(JSON_ARRAY))->contains = r;
	return true;
}

static bool compile_branches(struct building *b)
{
	enum check_op op = str_eq(b->keyword, S("allOf"))   ? CHECK_ALL_OF
			   : str_eq(b->keyword, S("anyOf")) ? CHECK_ANY_OF
							    : CHECK_ONE_OF;
	struct node_list list;

	if (!child_list(b, b->v, &list))
		return false;
	build_check(b, op, KIND_ANY)->nodes = list;
	return true;
}

static bool compile_if(struct building *b)
{
	struct branch_rules *r = arena_new(b->c->a, struct branch_rules);
	const struct json *yes = schema_keyword(b->n, S("then"), VOCAB_APPLICATOR);
	const struct json *no = schema_keyword(b->n, S("else"), VOCAB_APPLICATOR);

	if (!build_child(b, b->v, &r->test) || (yes && !build_child(b, yes, &r->yes)) ||
		(no && !build_child(b, no, &r->no)))
		return false;
	build_check(b, CHECK_IF, KIND_ANY)->branch = r;
	return true;
}

/* Keywords that are one schema and nothing else. */
static bool compile_one(struct building *b)
{
	static const struct {
		struct str name;
		enum check_op op;
		unsigned kinds;
	} ones[] = {
		{ STR_INIT("not"), CHECK_NOT, KIND_ANY },
		{ STR_INIT("propertyNames"), CHECK_PROPERTY_NAMES, KIND_BIT(JSON_OBJECT) },
		{ STR_INIT("unevaluatedItems"), CHECK_UNEVALUATED_ITEMS, KIND_BIT(JSON_ARRAY) },
		{ STR_INIT("unevaluatedProperties"), CHECK_UNEVALUATED_PROPERTIES,
			KIND_BIT(JSON_OBJECT) },
	};
	struct schema_node *node;

	if (!build_child(b, b->v, &node))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ones); i++)
		if (str_eq(b->keyword, ones[i].name))
			build_check(b, ones[i].op, ones[i].kinds)->node = node;
	b->n->tracks |= str_starts(b->keyword, S("unevaluated"));
	return true;
}

static const struct {
	struct str name;
	unsigned vocabulary;
	bool (*compile)(struct building *b);
} keywords[] = {
	{ STR_INIT("type"), VOCAB_VALIDATION, compile_type },
	{ STR_INIT("const"), VOCAB_VALIDATION, compile_const },
	{ STR_INIT("enum"), VOCAB_VALIDATION, compile_enum },
	{ STR_INIT("minimum"), VOCAB_VALIDATION, compile_bound },
	{ STR_INIT("maximum"), VOCAB_VALIDATION, compile_bound },
	{ STR_INIT("exclusiveMinimum"), VOCAB_VALIDATION, compile_bound },
	{ STR_INIT("exclusiveMaximum"), VOCAB_VALIDATION, compile_bound },
	{ STR_INIT("multipleOf"), VOCAB_VALIDATION, compile_multiple },
	{ STR_INIT("minLength"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("maxLength"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("pattern"), VOCAB_VALIDATION, compile_pattern },
	{ STR_INIT("format"), VOCAB_FORMAT | VOCAB_FORMAT_ASSERT, compile_format },
	{ STR_INIT("minItems"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("maxItems"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("uniqueItems"), VOCAB_VALIDATION, compile_unique },
	{ STR_INIT("minProperties"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("maxProperties"), VOCAB_VALIDATION, compile_count },
	{ STR_INIT("dependentRequired"), VOCAB_VALIDATION, build_dependent_required },
	{ STR_INIT("properties"), VOCAB_APPLICATOR, build_object },
	{ STR_INIT("required"), VOCAB_VALIDATION, build_object },
	{ STR_INIT("patternProperties"), VOCAB_APPLICATOR, build_object },
	{ STR_INIT("additionalProperties"), VOCAB_APPLICATOR, build_object },
	{ STR_INIT("propertyNames"), VOCAB_APPLICATOR, compile_one },
	{ STR_INIT("prefixItems"), VOCAB_APPLICATOR, compile_array },
	{ STR_INIT("items"), VOCAB_APPLICATOR, compile_array },
	{ STR_INIT("contains"), VOCAB_APPLICATOR, compile_contains },
	{ STR_INIT("$ref"), VOCAB_CORE, compile_ref },
	{ STR_INIT("$dynamicRef"), VOCAB_CORE, compile_ref },
	{ STR_INIT("allOf"), VOCAB_APPLICATOR, compile_branches },
	{ STR_INIT("anyOf"), VOCAB_APPLICATOR, compile_branches },
	{ STR_INIT("oneOf"), VOCAB_APPLICATOR, compile_branches },
	{ STR_INIT("not"), VOCAB_APPLICATOR, compile_one },
	{ STR_INIT("if"), VOCAB_APPLICATOR, compile_if },
	{ STR_INIT("dependencies"), VOCAB_APPLICATOR, build_dependencies },
	{ STR_INIT("dependentSchemas"), VOCAB_APPLICATOR, build_dependent_schemas },
	{ STR_INIT("unevaluatedItems"), VOCAB_UNEVALUATED, compile_one },
	{ STR_INIT("unevaluatedProperties"), VOCAB_UNEVALUATED, compile_one },
};

bool schema_compile_node(struct compiler *c, struct schema_node *n)
{
	struct building b = { .c = c, .n = n };

	if (n->verdict != NODE_CHECKED)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		b.keyword = keywords[i].name;
		b.v = schema_keyword(n, b.keyword, keywords[i].vocabulary);
		if (b.v && !keywords[i].compile(&b))
			return false;
	}
	n->check_count = b.count;
	n->checks = arena_array(c->a, struct check, b.count);
	if (b.count)
		memcpy(n->checks, b.check, b.count * sizeof b.check[0]);
	else
		n->verdict = NODE_ALWAYS;
	return true;
}
