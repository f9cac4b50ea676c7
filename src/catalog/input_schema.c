/* input_schema - the schema that is published for an entry's arguments, compiled and tried on its
 * own defaults.
 *
 * The shorthand becomes
 * {"type":"object","properties":{…},"required":[…],"additionalProperties":false}; a whole schema is
 * published as its author wrote it, and what the server adds comes behind its properties.  An
 * integer without format int64 is refused beyond ±(2^53-1) by the guard; the published text is left
 * as it was written. */
#include "catalog/load.h"
#include "json/write.h"

static void keep(struct catalog_load *l, struct schema *s)
{
	struct catalog *c = l->c;
	struct schema **grown;

	if (c->schema_count == l->schema_cap) {
		l->schema_cap = l->schema_cap ? l->schema_cap * 2 : 64;
		grown = arena_array(l->a, struct schema *, l->schema_cap);
		for (size_t i = 0; i < c->schema_count; i++)
			grown[i] = c->schemas[i];
		c->schemas = grown;
	}
	c->schemas[c->schema_count++] = s;
}

const struct schema *schema_of(
	struct entry_load *el, const struct yaml *at, struct str json_text, const char *what)
{
	struct schema_options options = { .assert_formats = true, .linear_patterns = true };
	struct json *root = arena_new(el->a, struct json);
	struct json_error error;
	struct schema *s;
	struct err err;

	if (!json_parse(el->a, json_text, root, &error)) {
		entry_refuse(el, at, "schema.json",
			arena_fmt(el->a, "%s is not JSON that we accept (%s)", what,
				json_fault_name(error.fault)),
			S("correct the value"));
		return NULL;
	}
	s = schema_compile(el->a, root, &options, &err);
	if (!s) {
		entry_refuse(el, at, "schema.invalid", arena_fmt(el->a, "%s: %s", what, err.text),
			S("correct the schema"));
		return NULL;
	}
	keep(el->l, s);
	return s;
}

static struct str write_shorthand(const struct entry_load *el)
{
	const struct entry *e = el->e;
	bool required = false;
	struct buf out;
	struct jw w;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("type"), S("object"));
	if (e->input_count) {
		jw_name(&w, S("properties"));
		jw_object(&w);
		for (size_t i = 0; i < e->input_count; i++) {
			jw_put_raw(&w, e->inputs[i].name, e->inputs[i].schema_json);
			required = required || e->inputs[i].required;
		}
		jw_object_end(&w);
	}
	if (required) {
		jw_name(&w, S("required"));
		jw_array(&w);
		for (size_t i = 0; i < e->input_count; i++)
			if (e->inputs[i].required)
				jw_str(&w, e->inputs[i].name);
		jw_array_end(&w);
	}
	jw_name(&w, S("additionalProperties"));
	if (el->open_context)
		jw_raw(&w, S("{\"type\":\"string\"}"));
	else
		jw_bool(&w, false);
	jw_object_end(&w);
	return buf_str(&out);
}

/* The author's text with the server's own arguments behind those of `properties`. */
static struct str write_whole(const struct entry_load *el)
{
	const struct entry *e = el->e;
	struct json_error error;
	struct json root;
	struct buf out;
	struct jw w;

	if (!json_parse(el->a, e->input_schema, &root, &error) || !json_is(&root, JSON_OBJECT))
		return e->input_schema;
	buf_in(&out, el->a, JSON_MAX_BYTES * 2);
	jw_init(&w, &out);
	jw_object(&w);
	for (uint32_t i = 0; i < root.count; i++) {
		const struct json_member *m = &root.members[i];

		if (!str_eq(m->name, S("properties")))
			jw_put_raw(&w, m->name, m->value.raw);
	}
	jw_name(&w, S("properties"));
	jw_object(&w);
	for (size_t i = 0; i < e->input_count; i++)
		jw_put_raw(&w, e->inputs[i].name, e->inputs[i].schema_json);
	jw_object_end(&w);
	jw_object_end(&w);
	return buf_str(&out);
}

static bool adds_any(const struct entry *e)
{
	for (size_t i = 0; i < e->input_count; i++)
		if (e->inputs[i].added)
			return true;
	return false;
}

/* The default against the argument's own schema (a $ref into the whole schema is left to the call).
 */
static void check_default(struct entry_load *el, const struct input *in)
{
	struct schema_options options = { .assert_formats = true, .linear_patterns = true };
	struct schema_faults faults = { 0 };
	struct json_error error;
	struct json schema, value;
	struct schema *s;
	struct err err;

	if (!json_parse(el->a, in->default_json, &value, &error)) {
		entry_refuse(el, NULL, "input.default",
			arena_fmt(el->a, "the default of %.*s is not JSON that we accept",
				STR_ARG(in->name)),
			S("correct it"));
		return;
	}
	if (!json_parse(el->a, in->schema_json, &schema, &error))
		return;
	s = schema_compile(el->a, &schema, &options, &err);
	if (!s)
		return;
	if (!schema_check(s, el->a, &value, &faults))
		entry_refuse(el, NULL, "input.default",
			arena_fmt(el->a, "the default of %.*s does not fit its own schema: %.*s",
				STR_ARG(in->name),
				STR_ARG(faults.count ? faults.list[0].expected : S("refused"))),
			S("correct the default or the schema"));
	schema_done(s);
}

void input_schema_finish(struct entry_load *el)
{
	struct entry *e = el->e;

	if (!el->whole_schema)
		e->input_schema = write_shorthand(el);
	else if (e->input_schema.n && adds_any(e))
		e->input_schema = write_whole(el);
	if (!e->input_schema.n)
		return;
	e->schema = schema_of(el, NULL, e->input_schema, "the input schema");
	for (size_t i = 0; i < e->input_count; i++)
		if (e->inputs[i].default_json.n)
			check_default(el, &e->inputs[i]);
}
