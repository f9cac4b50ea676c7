/* load_tool - one entry of `tools`. */
#include "catalog/fault.h"
#include "catalog/load.h"
#include "catalog/write.h"
#include "json/write.h"

static void load_suggestions(struct entry_load *el)
{
	struct suggestion *list = arena_array(el->a, struct suggestion, FAULT_COUNT);
	struct reader r;

	reader_init(&r, el->a, el->f, read_node(&el->r, "suggest"),
		arena_cstr(el->a, arena_fmt(el->a, "%s suggest", el->r.what)));
	for (enum fault_code code = VALIDATION_ERROR; code < FAULT_COUNT; code++) {
		const char *name = fault_info(code)->name;
		struct str text = read_str(&r, name, STR_NONE);

		if (text.n)
			list[el->e->suggestion_count++] = (struct suggestion){ str_c(name), text };
	}
	reader_done(&r);
	el->e->suggestions = list;
}

/* A plan applies once, and a key is one call; a write with neither does it again. */
static bool may_be_repeated(const struct write *w)
{
	return !w || w->approval != APPROVAL_NONE || w->idempotency_key.n;
}

/* A read changes nothing, an append destroys nothing; all reach nothing but their source. */
void annotations_make(struct entry_load *el)
{
	const struct write *write = el->e->write;
	struct buf out;
	struct jw w;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	if (el->e->title.n)
		jw_put_str(&w, S("title"), el->e->title);
	jw_put_bool(&w, S("readOnlyHint"), !write);
	jw_put_bool(&w, S("destructiveHint"), write && write->class == WRITE_CHANGE);
	jw_put_bool(&w, S("idempotentHint"), may_be_repeated(write));
	jw_put_bool(&w, S("openWorldHint"), false);
	jw_object_end(&w);
	el->e->annotations = buf_str(&out);
}

/* Exactly one of the keys that say what a tool runs; a mock alone stands in for a read. */
static void check_action(struct entry_load *el)
{
	static const char *const kinds[] = { "read", "write", "ledger", "script", "raw_sql" };
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		count += read_has(&el->r, kinds[i]);
	if (count > 1)
		entry_refuse(el, NULL, "tool.action",
			S("more than one of read, write, ledger, script and raw_sql is there"),
			S("keep one of them"));
	else if (!count && !read_has(&el->r, "mock"))
		entry_refuse(el, NULL, "tool.action", S("nothing to run"),
			S("add 'read:' with a statement"));
}

static void load_action(struct entry_load *el)
{
	check_action(el);
	if (read_has(&el->r, "script"))
		script_load(el, NULL);
	raw_load(el);
	if (read_has(&el->r, "write"))
		write_load(el);
	else if (read_has(&el->r, "ledger"))
		ledger_load(el);
	else
		read_load(el);
	if (el->e->action.kind == ACTION_SCRIPT || el->e->action.kind == ACTION_RAW) {
		(void)read_node(&el->r, "page");
		(void)read_node(&el->r, "returns");
	}
	if (!read_has(&el->r, "script"))
		(void)read_node(&el->r, "script");
	mock_load(el);
	visible_load(el);
}

void tool_load(struct catalog_load *l, const struct yaml_entry *yaml)
{
	struct entry_load el;

	if (!entry_begin(&el, l, yaml, ENTRY_TOOL))
		return;
	inputs_load(&el);
	load_action(&el);
	load_suggestions(&el);
	input_schema_finish(&el);
	output_schema_make(&el);
	annotations_make(&el);
	entry_unused(&el);
	list_json_make(&el);
	entry_end(&el);
	entries_add(l, &l->tools, el.e);
}
