/* load_complete - `complete`: what an argument of a prompt or template may become.
 *
 * A completion is an entry of its own, "OWNER/ARGUMENT": asked for, permitted, limited and recorded
 * like a call.  Its inputs are `value` (what was typed so far) and the owner's other arguments. */
#include "catalog/load.h"

static void add_inputs(struct entry_load *el, const struct entry_load *owner, struct str argument)
{
	struct input *value =
		input_add(el, S("value"), S("{\"type\":\"string\",\"maxLength\":256}"));

	value->protect = PROTECT_HMAC;
	for (size_t i = 0; i < owner->e->input_count; i++) {
		struct input *in;

		if (str_eq(owner->inputs[i].name, argument) || owner->inputs[i].added)
			continue;
		in = input_add(
			el, owner->inputs[i].name, S("{\"type\":\"string\",\"maxLength\":4096}"));
		if (!in)
			return;
		in->required = false;
		in->protect = owner->inputs[i].protect;
	}
}

static void load_values(struct entry_load *el)
{
	size_t count;

	el->e->action.kind = ACTION_VALUES;
	el->e->action.values = read_strs(&el->r, "values", &count);
	el->e->action.value_count = count;
	el->e->source = NULL;
}

static void load_query(struct entry_load *el, const struct yaml *node)
{
	struct part *part = arena_new(el->a, struct part);
	struct column *column = arena_new(el->a, struct column);
	struct sqltext text;

	el->e->action.kind = ACTION_READ;
	el->e->action.parts = part;
	el->e->action.part_count = 1;
	column->name = S("value");
	mask_load(el, &el->r, column);
	part->columns = column;
	part->column_count = 1;
	part->shape = SHAPE_MANY;
	part->rows = COMPLETION_ROWS;
	if (!el->e->source || el->e->source->kind != SOURCE_SQLITE)
		entry_refuse(el, node, "source.kind", S("complete: read without a sqlite source"),
			S("add 'source:' here or at the entry"));
	if (statement_load(el, node, &part->statement, &text) && !el->used[0])
		entry_warn(el, node, "input.unused", S("the statement does not bind :value"),
			S("compare with it: … LIKE :value || '%'"));
}

const struct entry *completion_load(
	struct entry_load *owner, struct str argument, const struct yaml *node)
{
	struct entry *e = arena_new(owner->a, struct entry);
	struct entry_load el = { .l = owner->l, .a = owner->a, .f = owner->f, .e = e };
	struct yaml_entry *yaml = arena_new(owner->a, struct yaml_entry);
	const struct yaml *read, *values;

	*yaml = (struct yaml_entry){ .name = arena_fmt(el.a, "%.*s/%.*s", STR_ARG(owner->e->name),
					     STR_ARG(argument)),
		.at = node->at,
		.value = *node };
	el.yaml = yaml;
	el.findings_before = el.f->count;
	el.inputs = arena_array(el.a, struct input, INPUTS_MAX);
	el.used = arena_array(el.a, bool, INPUTS_MAX);
	el.open_context = true;
	reader_init(&el.r, el.a, el.f, node,
		arena_cstr(el.a, arena_fmt(el.a, "completion %.*s", STR_ARG(yaml->name))));
	if (!el.r.map)
		return NULL;
	*e = (struct entry){ .kind = ENTRY_COMPLETION,
		.name = yaml->name,
		.version = owner->e->version,
		.description = owner->e->description,
		.owner = owner->e->owner,
		.purpose = owner->e->purpose,
		.runbook = owner->e->runbook,
		.source = owner->e->source,
		.toolsets = owner->e->toolsets,
		.inputs = el.inputs,
		.bytes = BYTES_DEFAULT,
		.at = node->at };
	e->timeout_ms = MIN(owner->l->config->limits.tool_ms, (uint32_t)COMPLETION_MS);
	entry_source(&el);
	e->requires = read_str(&el.r, "requires", owner->e->requires);
	if (read_has(&el.r, "requires"))
		entry_grant(&el);
	add_inputs(&el, owner, argument);
	read = read_node(&el.r, "read");
	values = read_node(&el.r, "values");
	if (input_find(owner, S("value")) >= 0)
		entry_refuse(&el, node, "complete.value",
			S("an argument of the entry is called value"),
			S("rename it: a completion's statement binds :value, what was typed so "
			  "far"));
	if (!read == !values)
		entry_refuse(&el, node, "complete.kind",
			S("a completion has either read or values"),
			S("write 'read: SELECT …' of one column, or 'values: […]'"));
	else if (read)
		load_query(&el, read);
	else
		load_values(&el);
	input_schema_finish(&el);
	entry_end(&el);
	return e;
}
