/* load_resource - one entry of `resources`: a fixed URI or a template; text, blob, file or rows. */
#include "base/utf8.h"
#include "catalog/load.h"
#include "catalog/uri_template.h"

#define PATH_MAX_BYTES 1024

/* Variables that `input` does not declare are bounded text. */
static void add_variables(struct entry_load *el, const struct uri_template *t)
{
	for (size_t i = 0; i < t->var_count; i++) {
		bool query = t->vars[i].kind == URI_VAR_QUERY;
		struct input *in;

		if (input_find(el, t->vars[i].name) >= 0)
			continue;
		in = input_add(el, t->vars[i].name,
			t->vars[i].kind == URI_VAR_REST
				? S("{\"type\":\"string\",\"maxLength\":1024}")
				: S("{\"type\":\"string\",\"maxLength\":256}"));
		if (in)
			in->required = !query;
	}
}

static void check_variables(struct entry_load *el, const struct uri_template *t)
{
	for (size_t i = 0; i < el->e->input_count; i++) {
		bool found = false;

		for (size_t k = 0; t && k < t->var_count; k++)
			found = found || str_eq(t->vars[k].name, el->inputs[i].name);
		if (!found)
			entry_refuse(el, entry_node(el, "input"), "uri.variable",
				arena_fmt(el->a, "input %.*s is no variable of the URI",
					STR_ARG(el->inputs[i].name)),
				S("put it into uri_template as {name} or {?name}, or remove it"));
	}
}

static void load_template(struct entry_load *el, const struct yaml *node, struct str text)
{
	struct uri_template *t = arena_new(el->a, struct uri_template);
	struct err err;

	if (!uri_template_read(el->a, text, t, &err)) {
		entry_refuse(el, node, "uri.template",
			arena_fmt(el->a, "uri_template has %s", err.text),
			S("use {name} for one path segment, {+name} for the rest of the path, "
			  "{?a,b} for the query"));
		return;
	}
	if (!t->var_count)
		entry_refuse(el, node, "uri.template", S("uri_template has no variable"),
			S("call the key 'uri'"));
	el->e->uri_is_template = true;
	el->e->uri_template = t;
	add_variables(el, t);
	check_variables(el, t);
}

static void load_uri(struct entry_load *el)
{
	struct str uri = read_str(&el->r, "uri", STR_NONE);
	struct str text = read_str(&el->r, "uri_template", STR_NONE);

	if (!uri.n == !text.n) {
		entry_refuse(el, NULL, "uri.missing",
			S("a resource has either uri or uri_template"),
			S("add one, remove the other"));
		return;
	}
	el->e->uri = uri.n ? uri : text;
	if (text.n) {
		load_template(el, entry_node(el, "uri_template"), text);
		return;
	}
	if (!uri_fits(uri))
		entry_refuse(el, entry_node(el, "uri"), "uri.form",
			arena_fmt(el->a, "'%.*s' is not an absolute URI", STR_ARG(uri)),
			uri_is_template(uri) ? S("call the key 'uri_template'")
					     : S("begin with a scheme, as in records://policy; "
						 "percent-encode other characters"));
	check_variables(el, NULL);
}

static void load_blob(struct entry_load *el, struct str text)
{
	struct buf bytes;

	buf_in(&bytes, el->a, BYTES_MAX);
	if (!base64_read(text, &bytes))
		entry_refuse(el, entry_node(el, "blob"), "resource.blob",
			S("blob is not base64 (RFC 4648, padded, no white space)"),
			S("encode the bytes with 'base64 -w0'"));
	el->e->action = (struct action){ .kind = ACTION_TEXT, .text = text, .blob = true };
}

/* The path is opened beneath the root when it is asked for; here only its form. */
static void load_file(struct entry_load *el, struct str path)
{
	const struct yaml *node = entry_node(el, "file");

	el->e->action = (struct action){ .kind = ACTION_FILE, .text = path };
	el->e->action.blob = read_bool(&el->r, "binary", false);
	if (!el->e->source || el->e->source->kind != SOURCE_FILES)
		entry_refuse(el, node, "source.kind", S("file without a source of kind files"),
			S("name a source that has 'files: {root: …}'"));
	if (path.p[0] == '/' || path.n > PATH_MAX_BYTES || str_starts(path, S("../")) ||
		str_find_str(path, 0, S("/../")) < path.n || str_ends(path, S("/..")))
		entry_refuse(el, node, "resource.file",
			arena_fmt(el->a, "'%.*s' is not a path below the root", STR_ARG(path)),
			S("write it relative to the source's root, without '..'"));
	text_check(el, node);
}

static void load_content_column(struct entry_load *el)
{
	struct str name = read_str(&el->r, "content", STR_NONE);
	const struct action *action = &el->e->action;
	bool found = false;

	el->e->content_column = name;
	if (!name.n)
		return;
	if (action->kind != ACTION_READ || action->part_count != 1 || action->parts[0].name.n ||
		action->parts[0].shape != SHAPE_ONE) {
		entry_refuse(el, entry_node(el, "content"), "resource.content",
			S("content names a column of a read with shape one"),
			S("use 'read:' with 'shape: one', or remove content"));
		return;
	}
	for (size_t i = 0; i < action->parts[0].column_count; i++) {
		const struct column *c = &action->parts[0].columns[i];

		if (!str_eq(c->name, name))
			continue;
		mask_check_content(el, entry_node(el, "content"), c);
		found = (c->type == COLUMN_STRING || c->type == COLUMN_BYTES) && !c->nullable;
	}
	if (!found)
		entry_refuse(el, entry_node(el, "content"), "resource.content",
			arena_fmt(el->a, "'%.*s' is no declared column of type string or bytes",
				STR_ARG(name)),
			S("name one that is not nullable"));
}

static void load_action(struct entry_load *el)
{
	static const char *const kinds[] = { "text", "blob", "file", "read" };
	struct str text = read_str(&el->r, "text", STR_NONE);
	struct str blob = read_str(&el->r, "blob", STR_NONE);
	struct str file = read_str(&el->r, "file", STR_NONE);
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		count += read_has(&el->r, kinds[i]);
	if (count != 1)
		entry_refuse(el, NULL, "resource.action",
			arena_fmt(el->a,
				"a resource is exactly one of text, blob, file, read; "
				"found %u",
				count),
			S("keep one"));
	if (text.n) {
		el->e->action = (struct action){ .kind = ACTION_TEXT, .text = text };
		text_check(el, entry_node(el, "text"));
	}
	if (blob.n)
		load_blob(el, blob);
	if (file.n)
		load_file(el, file);
	read_load(el);
	if (!read_has(&el->r, "read"))
		(void)read_node(&el->r, "returns");
	if (!read_has(&el->r, "file"))
		(void)read_node(&el->r, "binary");
	if (read_has(&el->r, "page"))
		entry_refuse(el, entry_node(el, "page"), "page.resource",
			S("a resource cannot page"), S("offer a tool for long lists"));
	load_content_column(el);
	mock_load(el);
	visible_load(el);
}

static struct str default_mime(const struct entry *e)
{
	if (e->action.blob)
		return S("application/octet-stream");
	if (e->action.kind == ACTION_READ && !e->content_column.n)
		return S("application/json");
	return S("text/plain");
}

static void load_completions(struct entry_load *el)
{
	const struct entry **by_input =
		arena_array(el->a, const struct entry *, el->e->input_count + 1);
	struct reader r;

	reader_init(&r, el->a, el->f, read_node(&el->r, "complete"),
		arena_cstr(el->a, arena_fmt(el->a, "%s complete", el->r.what)));
	for (size_t i = 0; i < el->e->input_count; i++) {
		struct str name = el->inputs[i].name;
		const struct yaml *node = read_node(&r, arena_cstr(el->a, name));

		if (node)
			by_input[i] = completion_load(el, name, node);
	}
	reader_done(&r);
	el->e->completions = by_input;
}

void resource_load(struct catalog_load *l, const struct yaml_entry *yaml)
{
	struct entry_load el;

	if (!entry_begin(&el, l, yaml, ENTRY_RESOURCE))
		return;
	inputs_load(&el);
	load_uri(&el);
	load_action(&el);
	el.e->mime_type = read_str(&el.r, "mime_type", default_mime(el.e));
	input_schema_finish(&el);
	load_completions(&el);
	entry_unused(&el);
	list_json_make(&el);
	entry_end(&el);
	entries_add(l, el.e->uri_is_template ? &l->templates : &l->resources, el.e);
}
