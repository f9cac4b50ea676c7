/* input_lint - what an agent must not be able to send: text without end, any JSON at all, SQL.
 *
 * Bounded text has maxLength, an enum or const, a format of fixed length, or a pattern that is
 * anchored at both ends and repeats nothing without a bound.  Also here: x-mcp-header, whose
 * mistakes would make conforming clients drop the tool. */
#include "catalog/load.h"

#include <string.h>

struct look {
	struct entry_load *el;
	const struct yaml *at;
	struct str name; /* of the input */
};

static void refuse(const struct look *k, const char *code, const char *what, const char *remedy)
{
	entry_refuse(k->el, k->at, code,
		arena_fmt(k->el->a, "input %.*s %s", STR_ARG(k->name), what), str_c(remedy));
}

static bool has_type(const struct json *schema, struct str type)
{
	const struct json *t = json_get(schema, S("type"));

	if (json_is(t, JSON_STRING))
		return str_eq(t->text, type);
	for (uint32_t i = 0; json_is(t, JSON_ARRAY) && i < t->count; i++)
		if (json_is(&t->items[i], JSON_STRING) && str_eq(t->items[i].text, type))
			return true;
	return false;
}

/* No '*', '+' or '{n,}' outside a class, and anchors at both ends without an alternative between.
 */
static bool pattern_bounded(struct str p)
{
	bool class = false;

	if (p.n < 2 || p.p[0] != '^' || p.p[p.n - 1] != '$' || p.p[p.n - 2] == '\\')
		return false;
	for (size_t i = 1; i + 1 < p.n; i++) {
		char c = p.p[i];

		if (c == '\\')
			i++;
		else if (c == '[')
			class = true;
		else if (c == ']')
			class = false;
		else if (!class &&
			 (c == '*' || c == '+' || c == '|' || (c == ',' && p.p[i + 1] == '}')))
			return false;
	}
	return true;
}

static bool format_bounded(struct str format)
{
	static const char *const known[] = { "date", "date-time", "time", "uuid", "ipv4", "ipv6" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(format, str_c(known[i])))
			return true;
	return false;
}

static void look_at(const struct look *k, const struct json *schema);

static void look_at_object(const struct look *k, const struct json *schema)
{
	const struct json *properties = json_get(schema, S("properties"));
	const struct json *more = json_get(schema, S("additionalProperties"));
	const struct json *rest = json_get(schema, S("unevaluatedProperties"));
	bool closed = (json_is(more, JSON_BOOL) && !more->truth) ||
		      (json_is(rest, JSON_BOOL) && !rest->truth);

	if (!json_is(properties, JSON_OBJECT) || !closed)
		refuse(k, "input.open_object", "takes an object with any fields",
			"declare 'properties' and 'additionalProperties: false'");
	for (uint32_t i = 0; json_is(properties, JSON_OBJECT) && i < properties->count; i++)
		look_at(k, &properties->members[i].value);
}

static void look_at_array(const struct look *k, const struct json *schema)
{
	const struct json *items = json_get(schema, S("items"));

	if (!json_get(schema, S("maxItems")))
		refuse(k, "input.unbounded", "is a list of any length", "add 'maxItems'");
	if (items)
		look_at(k, items);
	else
		refuse(k, "input.any", "is a list of anything", "add 'items'");
}

/* Without a type of its own a schema is as good as the alternatives it lists. */
static void look_at_untyped(const struct look *k, const struct json *schema)
{
	static const char *const lists[] = { "oneOf", "anyOf", "allOf" };
	bool found = json_get(schema, S("$ref")) != NULL;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json *list = json_get(schema, str_c(lists[i]));

		found = found || list;
		for (uint32_t n = 0; json_is(list, JSON_ARRAY) && n < list->count; n++)
			look_at(k, &list->items[n]);
	}
	if (!found)
		refuse(k, "input.any", "takes any JSON value", "add 'type'");
}

static void look_at(const struct look *k, const struct json *schema)
{
	if (json_get(schema, S("enum")) || json_get(schema, S("const")))
		return;
	if (!json_get(schema, S("type"))) {
		look_at_untyped(k, schema);
		return;
	}
	if (has_type(schema, S("string")) && !json_get(schema, S("maxLength")) &&
		!format_bounded(json_get_str(schema, S("format"))) &&
		!pattern_bounded(json_get_str(schema, S("pattern"))))
		refuse(k, "input.unbounded", "is text of any length",
			"add 'maxLength', or a pattern with ^, $ and bounded repeats");
	if (has_type(schema, S("array")))
		look_at_array(k, schema);
	if (has_type(schema, S("object")))
		look_at_object(k, schema);
}

static bool is_word_in(struct str text, const char *word)
{
	struct str w = str_c(word);

	for (size_t i = 0; i + w.n <= text.n; i++) {
		bool from = i == 0 || !ascii_is_alnum(text.p[i - 1]);
		bool to = i + w.n == text.n || !ascii_is_alnum(text.p[i + w.n]);

		if (from && to && str_eq_ci(str_sub(text, i, w.n), w))
			return true;
	}
	return false;
}

/* An enum is a choice among the author's own words, whatever it is called. */
static void look_for_sql(const struct look *k, const struct json *schema)
{
	static const char *const names[] = { "where", "where_clause", "having", "order_by",
		"group_by", "table", "table_name", "column", "column_name", "select", "predicate" };
	bool sql = is_word_in(k->name, "sql") ||
		   is_word_in(json_get_str(schema, S("description")), "sql") ||
		   is_word_in(json_get_str(schema, S("title")), "sql") ||
		   is_word_in(json_get_str(schema, S("format")), "sql") ||
		   is_word_in(json_get_str(schema, S("contentMediaType")), "sql");

	if (json_get(schema, S("enum")) || json_get(schema, S("const")))
		return;
	for (size_t i = 0; has_type(schema, S("string")) && i < ARRAY_LEN(names); i++)
		sql = sql || str_eq_ci(k->name, str_c(names[i]));
	if (sql)
		refuse(k, "input.sql", "seems to carry SQL or the name of a table or column",
			"give it an enum of the choices, or write one tool for each; agents send "
			"values, never SQL");
}

/* Does any schema below speak of this type (or name this format)? */
static bool mentions(const struct json *v, struct str key, struct str word)
{
	if (json_is(v, JSON_OBJECT)) {
		for (uint32_t i = 0; i < v->count; i++) {
			const struct json *m = &v->members[i].value;

			if (str_eq(v->members[i].name, key) && json_is(m, JSON_STRING) &&
				str_eq(m->text, word))
				return true;
			if (str_eq(v->members[i].name, key) && has_type(v, word))
				return true;
			if (mentions(m, key, word))
				return true;
		}
	}
	if (json_is(v, JSON_ARRAY))
		for (uint32_t i = 0; i < v->count; i++)
			if (mentions(&v->items[i], key, word))
				return true;
	return false;
}

static bool header_below(const struct json *v)
{
	if (json_is(v, JSON_OBJECT))
		for (uint32_t i = 0; i < v->count; i++)
			if (str_eq(v->members[i].name, S("x-mcp-header")) ||
				header_below(&v->members[i].value))
				return true;
	if (json_is(v, JSON_ARRAY))
		for (uint32_t i = 0; i < v->count; i++)
			if (header_below(&v->items[i]))
				return true;
	return false;
}

static bool token_fits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && !str_has(S("!#$%&'*+-.^_`|~"), s.p[i]))
			return false;
	return s.n > 0 && s.n <= 64;
}

static void check_header(const struct look *k, struct input *in, const struct json *schema)
{
	const struct json *h = json_get(schema, S("x-mcp-header"));
	struct str type = json_get_str(schema, S("type"));

	for (uint32_t i = 0; json_is(schema, JSON_OBJECT) && i < schema->count; i++)
		if (header_below(&schema->members[i].value))
			refuse(k, "input.header", "has an x-mcp-header below its top",
				"mark whole arguments only");
	if (!h)
		return;
	if (!json_is(h, JSON_STRING) || !token_fits(h->text)) {
		refuse(k, "input.header", "has an x-mcp-header that is no header name",
			"use letters, digits and hyphens, as in 'Region'");
		return;
	}
	if (!str_eq(type, S("string")) && !str_eq(type, S("integer")) &&
		!str_eq(type, S("boolean")))
		refuse(k, "input.header", "has an x-mcp-header and another type",
			"only a string, an integer or a boolean can be mirrored");
	for (size_t i = 0; i < k->el->e->input_count; i++)
		if (&k->el->inputs[i] != in && str_eq_ci(k->el->inputs[i].header, h->text))
			refuse(k, "input.header", "shares its x-mcp-header with another input",
				"give each its own, without regard to case");
	in->header = h->text;
}

void input_lint(
	struct entry_load *el, const struct yaml *at, struct input *in, const struct json *schema)
{
	struct look k = { .el = el, .at = at, .name = in->name };
	bool scripted = el->e->source && el->e->source->kind == SOURCE_SCRIPTED;

	in->integer =
		mentions(schema, S("type"), S("integer")) || json_get(schema, S("$ref")) != NULL;
	in->int64 = mentions(schema, S("format"), S("int64"));
	check_header(&k, in, schema);
	if (scripted) /* nothing receives it */
		return;
	look_at(&k, schema);
	look_for_sql(&k, schema);
}
