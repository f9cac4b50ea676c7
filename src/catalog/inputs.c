/* inputs - `input` (the shorthand: name → schema fields) and `input_schema` (a whole JSON Schema).
 *
 * The shorthand adds three keys to JSON Schema's: `optional`, `audit`, and a `default` that makes
 * the argument optional.  Keywords are checked by name, since a misspelt maxLength would be no
 * limit. */
#include "catalog/load.h"
#include "json/write.h"

static const char *const keywords[] = { "type", "title", "description", "default", "examples",
	"enum", "const", "deprecated", "pattern", "minLength", "maxLength", "format", "minimum",
	"maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items", "prefixItems",
	"minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains",
	"properties", "required", "additionalProperties", "patternProperties", "propertyNames",
	"minProperties", "maxProperties", "dependentRequired", "dependentSchemas",
	"unevaluatedItems", "unevaluatedProperties", "oneOf", "anyOf", "allOf", "not", "if", "then",
	"else", "contentEncoding", "contentMediaType", "$comment", "x-mcp-header" };

int input_find(const struct entry_load *el, struct str name)
{
	for (size_t i = 0; i < el->e->input_count; i++)
		if (str_eq(el->inputs[i].name, name))
			return (int)i;
	return -1;
}

/* What tells who and why stays readable to those who hold the key: never a mere digest. */
static bool is_reason(struct str name)
{
	return str_eq(name, S("reason")) || str_eq(name, S("request"));
}

struct input *input_add(struct entry_load *el, struct str name, struct str schema_json)
{
	struct input *in = &el->inputs[el->e->input_count];

	if (el->e->input_count == INPUTS_MAX) {
		entry_refuse(el, NULL, "input.count", S("more than 128 inputs"),
			S("join some of them into an object"));
		return NULL;
	}
	el->e->input_count++;
	*in = (struct input){ .name = name, .schema_json = schema_json, .required = true };
	in->protect = is_reason(name) ? PROTECT_ENCRYPT : PROTECT_HMAC;
	return in;
}

void input_protect(struct entry_load *el, struct input *in, struct reader *r, const char *key)
{
	static const char *const names[] = { "hmac", "clear", "encrypt", "drop", NULL };
	int choice = read_choice(r, key, names, -1);

	if (choice < 0)
		return;
	if (choice == PROTECT_HMAC && is_reason(in->name)) {
		entry_refuse(el, yaml_get(r->map, str_c(key)), "input.audit",
			arena_fmt(el->a, "%.*s would be kept as a digest that nobody can read",
				STR_ARG(in->name)),
			S("write encrypt, clear or drop"));
		return;
	}
	in->protect = (enum protect)choice;
}

static void check_nested(struct entry_load *el, const struct yaml *map, const char *what);

static void check_keywords(struct entry_load *el, const struct yaml *node, const char *what)
{
	struct reader r;

	reader_init(&r, el->a, el->f, node, what);
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		(void)read_node(&r, keywords[i]);
	reader_done(&r);
	check_nested(el, node, what);
}

/* What stands below an input: items, and each of properties. */
static void check_nested(struct entry_load *el, const struct yaml *map, const char *what)
{
	const struct yaml *items = yaml_get(map, S("items"));
	const struct yaml *properties = yaml_get(map, S("properties"));

	if (items && items->kind == YAML_MAP)
		check_keywords(el, items, what);
	for (size_t i = 0; properties && properties->kind == YAML_MAP && i < properties->count; i++)
		check_keywords(el, &properties->entries[i].value, what);
}

/* The map without the keys that are ours. */
static struct str schema_text(struct entry_load *el, const struct yaml *map)
{
	bool first = true;
	struct buf out, name;
	struct jw w;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	buf_char(&out, '{');
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_entry *e = &map->entries[i];

		if (str_eq(e->name, S("optional")) || str_eq(e->name, S("audit")))
			continue;
		if (!first)
			buf_char(&out, ',');
		first = false;
		buf_in(&name, el->a, JSON_MAX_BYTES);
		jw_init(&w, &name);
		jw_str(&w, e->name);
		buf_add(&out, buf_str(&name));
		buf_char(&out, ':');
		yaml_to_json(&e->value, &out);
	}
	buf_char(&out, '}');
	return buf_str(&out);
}

static struct str json_of(struct entry_load *el, const struct yaml *node)
{
	struct buf out;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	yaml_to_json(node, &out);
	return buf_str(&out);
}

static bool parse(struct entry_load *el, const struct yaml *at, struct str text, struct json *out)
{
	struct json_error error;

	if (json_parse(el->a, text, out, &error))
		return true;
	entry_refuse(el, at, "schema.json",
		arena_fmt(el->a, "the schema is not JSON that we accept (%s at byte %zu)",
			json_fault_name(error.fault), error.offset),
		S("correct the value"));
	return false;
}

static bool input_name_fits(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	return name.n && name.n <= 64 && !ascii_is_digit(name.p[0]);
}

void input_check_name(struct entry_load *el, const struct yaml *at, struct str name)
{
	if (!input_name_fits(name))
		entry_refuse(el, at, "input.name",
			arena_fmt(el->a, "input '%.*s' is not a name", STR_ARG(name)),
			S("use letters, digits and _, and no digit in front: statements bind it as "
			  ":name"));
}

static void load_one(struct entry_load *el, const struct yaml_entry *yaml)
{
	const char *what = arena_cstr(
		el->a, arena_fmt(el->a, "%s input %.*s", el->r.what, STR_ARG(yaml->name)));
	const struct yaml *fallback;
	struct json schema;
	struct input *in;
	struct reader r;

	reader_init(&r, el->a, el->f, &yaml->value, what);
	input_check_name(el, &yaml->value, yaml->name);
	in = r.map ? input_add(el, yaml->name, schema_text(el, r.map)) : NULL;
	if (!in)
		return;
	in->required = !read_bool(&r, "optional", false);
	input_protect(el, in, &r, "audit");
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (!str_eq(str_c(keywords[i]), S("default")))
			(void)read_node(&r, keywords[i]);
	fallback = read_node(&r, "default");
	if (fallback) {
		in->required = false;
		in->default_json = json_of(el, fallback);
	}
	reader_done(&r);
	check_nested(el, r.map, what);
	if (parse(el, &yaml->value, in->schema_json, &schema))
		input_lint(el, &yaml->value, in, &schema);
}

static bool closed(const struct json *schema)
{
	const struct json *more = json_get(schema, S("additionalProperties"));
	const struct json *rest = json_get(schema, S("unevaluatedProperties"));

	return (json_is(more, JSON_BOOL) && !more->truth) ||
	       (json_is(rest, JSON_BOOL) && !rest->truth);
}

static bool requires_name(const struct json *schema, struct str name)
{
	const struct json *list = json_get(schema, S("required"));

	for (uint32_t i = 0; json_is(list, JSON_ARRAY) && i < list->count; i++)
		if (json_is(&list->items[i], JSON_STRING) && str_eq(list->items[i].text, name))
			return true;
	return false;
}

static void load_property(struct entry_load *el, const struct yaml *node, const struct json *root,
	const struct json_member *m)
{
	const struct json *fallback = json_get(&m->value, S("default"));
	struct input *in = input_add(el, m->name, m->value.raw);

	input_check_name(el, node, m->name);
	if (!in)
		return;
	in->required = requires_name(root, m->name);
	if (fallback && !in->required)
		in->default_json = fallback->raw;
	input_lint(el, node, in, &m->value);
}

/* YAML, or a string that is JSON text; either way its order and keywords reach the client. */
static void load_whole(struct entry_load *el, const struct yaml *node)
{
	bool text = node->kind == YAML_SCALAR && yaml_core(node) == YAML_TEXT;
	const struct json *properties;
	struct json given, root;
	struct buf compact;
	struct jw w;

	el->whole_schema = true;
	if (!parse(el, node, text ? node->text : json_of(el, node), &given))
		return;
	buf_in(&compact, el->a, JSON_MAX_BYTES);
	jw_init(&w, &compact);
	jw_json(&w, &given);
	el->e->input_schema = buf_str(&compact);
	if (!parse(el, node, el->e->input_schema, &root))
		return;
	if (!str_eq(json_get_str(&root, S("type")), S("object")))
		entry_refuse(el, node, "schema.root", S("the root of input_schema is no object"),
			S("write 'type: object' at its root"));
	if (!closed(&root))
		entry_refuse(el, node, "input.open_object",
			S("input_schema lets unknown fields pass"),
			S("add 'additionalProperties: false' at its root"));
	properties = json_get(&root, S("properties"));
	for (uint32_t i = 0; json_is(properties, JSON_OBJECT) && i < properties->count; i++)
		load_property(el, node, &root, &properties->members[i]);
}

/* `audit` beside the inputs: name → clear | hmac | encrypt | drop. */
static void load_audit(struct entry_load *el)
{
	struct reader r;

	reader_init(&r, el->a, el->f, read_node(&el->r, "audit"),
		arena_cstr(el->a, arena_fmt(el->a, "%s audit", el->r.what)));
	for (size_t i = 0; i < el->e->input_count; i++)
		input_protect(el, &el->inputs[i], &r, arena_cstr(el->a, el->inputs[i].name));
	reader_done(&r);
}

void inputs_load(struct entry_load *el)
{
	const struct yaml *map = read_map(&el->r, "input");
	const struct yaml *whole = read_node(&el->r, "input_schema");

	if (map && whole)
		entry_refuse(el, whole, "input.both", S("both input and input_schema are there"),
			S("keep one of them"));
	else if (whole)
		load_whole(el, whole);
	for (size_t i = 0; map && i < map->count; i++)
		load_one(el, &map->entries[i]);
	load_audit(el);
}
