/* together - `apply_together`: several changes as one, which every deployment has whose catalog
 * holds two tools with a write on one source.
 *
 * Each step is a tool of the catalog with its own arguments; what it may do, what it needs and what
 * it is held to is said there.  Here stand only the form of the call and for whom it is: whoever
 * may use one of those tools. */
#include "catalog/load_write.h"

static bool is_twice(const struct catalog_load *l, size_t i)
{
	for (size_t k = 0; k < l->tools.count; k++)
		if (k != i && l->tools.list[k]->write &&
			l->tools.list[k]->source == l->tools.list[i]->source)
			return true;
	return false;
}

/* The grants of tools that can be a step. */
static struct names grants_of(const struct catalog_load *l)
{
	struct str *list = arena_array(l->a, struct str, l->tools.count + 1);
	struct names grants = { .list = list };

	for (size_t i = 0; i < l->tools.count; i++) {
		if (!l->tools.list[i]->write || !is_twice(l, i))
			continue;
		list[grants.count++] = l->tools.list[i]->requires;
	}
	return grants;
}

static void add_inputs(struct entry_load *el)
{
	struct write_load wl = { .el = el };
	struct input *steps, *reason;

	steps = input_add(el, S("steps"),
		S("{\"type\":\"array\",\"minItems\":2,\"maxItems\":20,\"items\":{\"type\":"
		  "\"object\",\"properties\":{\"tool\":{\"type\":\"string\",\"maxLength\":128},"
		  "\"arguments\":{\"type\":\"object\"}},\"required\":[\"tool\",\"arguments\"],"
		  "\"additionalProperties\":false},\"description\":\"tools that change the same "
		  "source, in order, each with its own arguments\"}"));
	reason = input_add(el, S("reason"),
		S("{\"type\":\"string\",\"minLength\":1,\"maxLength\":1000,\"description\":"
		  "\"why these belong together\"}"));
	steps->required = reason->required = true;
	steps->protect = PROTECT_HMAC;
	reason->protect = PROTECT_ENCRYPT;
	write_inputs_add(&wl);
}

void together_load(struct catalog_load *l)
{
	struct names grants = grants_of(l);
	struct yaml_entry *yaml = arena_new(l->a, struct yaml_entry);
	struct entry *e = arena_new(l->a, struct entry);
	struct entry_load el = { .l = l, .a = l->a, .f = l->f, .e = e, .yaml = yaml };

	if (!grants.count)
		return;
	yaml->name = S(TOGETHER_NAME);
	yaml->at.file = l->config->file;
	reader_init(&el.r, l->a, l->f, NULL, "a tool of the server");
	el.inputs = arena_array(l->a, struct input, INPUTS_MAX);
	el.used = arena_array(l->a, bool, INPUTS_MAX);
	e->inputs = el.inputs;
	*e = (struct entry){ .kind = ENTRY_TOOL,
		.name = yaml->name,
		.version = 1,
		.title = S("Several changes as one"),
		.description =
			S("Previews several changes as one plan, or applies it: all of them or "
			  "none, with one approval. Use it when corrections belong together."),
		.owner = l->config->owner,
		.purpose = S("changes that belong together"),
		.inputs = el.inputs,
		.any_of = grants,
		.mutates = true,
		.action = { .kind = ACTION_TOGETHER },
		.timeout_ms = l->config->limits.tool_ms,
		.bytes = TOGETHER_BYTES,
		.at = yaml->at };
	add_inputs(&el);
	input_schema_finish(&el);
	output_schema_make(&el);
	annotations_make(&el);
	list_json_make(&el);
	sha256_of(e->list_json, &e->digest);
	entries_add(l, &l->tools, e);
}
