/* load_prompt - one entry of `prompts`: arguments (text, as the protocol has it) and messages. */
#include "catalog/load.h"
#include "json/write.h"

static void load_argument(struct entry_load *el, const struct yaml_entry *yaml)
{
	const char *what = arena_cstr(
		el->a, arena_fmt(el->a, "%s argument %.*s", el->r.what, STR_ARG(yaml->name)));
	struct str description;
	struct input *in;
	struct reader r;
	struct buf out;
	struct jw w;

	reader_init(&r, el->a, el->f, &yaml->value, what);
	description = read_str(&r, "description", STR_NONE);
	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("type"), S("string"));
	jw_put_u64(&w, S("maxLength"), read_u64(&r, "maxLength", 4096, 1, 65536));
	if (description.n)
		jw_put_str(&w, S("description"), description);
	jw_object_end(&w);
	in = input_add(el, yaml->name, buf_str(&out));
	if (in)
		in->required = read_bool(&r, "required", false);
	if (in)
		input_protect(el, in, &r, "audit");
	(void)read_node(&r, "complete");
	reader_done(&r);
	input_check_name(el, &yaml->value, yaml->name);
}

static void load_completions(struct entry_load *el, const struct yaml *arguments)
{
	const struct entry **by_input =
		arena_array(el->a, const struct entry *, el->e->input_count + 1);

	for (size_t i = 0; i < el->e->input_count; i++) {
		struct str name = el->inputs[i].name;
		const struct yaml *node = yaml_get(yaml_get(arguments, name), S("complete"));

		if (node)
			by_input[i] = completion_load(el, name, node);
	}
	el->e->completions = by_input;
}

static void load_messages(struct entry_load *el, const struct yaml *list)
{
	const struct str *texts;
	size_t count;
	struct buf out;
	struct jw w;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_array(&w);
	texts = messages_load(el, list, &count);
	for (size_t i = 0; i < count; i++)
		if (texts[i].n)
			jw_raw(&w, texts[i]);
	jw_array_end(&w);
	el->e->action = (struct action){ .kind = ACTION_MESSAGES, .text = buf_str(&out) };
}

void prompt_load(struct catalog_load *l, const struct yaml_entry *yaml)
{
	const struct yaml *arguments, *messages;
	struct entry_load el;

	if (!entry_begin(&el, l, yaml, ENTRY_PROMPT))
		return;
	arguments = read_map(&el.r, "arguments");
	for (size_t i = 0; arguments && i < arguments->count; i++)
		load_argument(&el, &arguments->entries[i]);
	messages = read_list(&el.r, "messages");
	if (!read_has(&el.r, "messages"))
		entry_refuse(&el, NULL, "prompt.message", S("messages is missing"),
			S("add 'messages: [{role: user, text: …}]'"));
	if (read_has(&el.r, "script"))
		script_load(&el, messages);
	else if (messages)
		load_messages(&el, messages);
	(void)read_node(&el.r, "script");
	input_schema_finish(&el);
	load_completions(&el, arguments);
	entry_unused(&el);
	list_json_make(&el);
	entry_end(&el);
	entries_add(l, &l->prompts, el.e);
}
