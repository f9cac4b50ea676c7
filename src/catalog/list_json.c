/* list_json - an entry as tools/list, resources/list, resources/templates/list and prompts/list
 * show it: once for 2025-06-18 and later, once for the revisions before, which know neither title
 * nor outputSchema nor _meta. */
#include "catalog/load.h"
#include "json/write.h"

static void write_tool(struct jw *w, const struct entry *e, bool modern)
{
	jw_put_str(w, S("name"), e->name);
	if (modern && e->title.n)
		jw_put_str(w, S("title"), e->title);
	jw_put_str(w, S("description"), e->description);
	jw_put_raw(w, S("inputSchema"), e->input_schema);
	if (modern && e->output_schema.n)
		jw_put_raw(w, S("outputSchema"), e->output_schema);
	jw_put_raw(w, S("annotations"), e->annotations);
}

static void write_resource(struct jw *w, const struct entry *e, bool modern)
{
	jw_put_str(w, e->uri_is_template ? S("uriTemplate") : S("uri"), e->uri);
	jw_put_str(w, S("name"), e->name);
	if (modern && e->title.n)
		jw_put_str(w, S("title"), e->title);
	jw_put_str(w, S("description"), e->description);
	jw_put_str(w, S("mimeType"), e->mime_type);
}

static void write_argument(struct jw *w, struct arena *a, const struct input *in)
{
	struct json_error error;
	struct json schema;
	struct str description = STR_NONE;

	if (json_parse(a, in->schema_json, &schema, &error))
		description = json_get_str(&schema, S("description"));
	jw_object(w);
	jw_put_str(w, S("name"), in->name);
	if (description.n)
		jw_put_str(w, S("description"), description);
	jw_put_bool(w, S("required"), in->required);
	jw_object_end(w);
}

static void write_prompt(struct jw *w, struct arena *a, const struct entry *e, bool modern)
{
	jw_put_str(w, S("name"), e->name);
	if (modern && e->title.n)
		jw_put_str(w, S("title"), e->title);
	jw_put_str(w, S("description"), e->description);
	if (!e->input_count)
		return;
	jw_name(w, S("arguments"));
	jw_array(w);
	for (size_t i = 0; i < e->input_count; i++)
		write_argument(w, a, &e->inputs[i]);
	jw_array_end(w);
}

static struct str write_entry(struct entry_load *el, bool modern)
{
	const struct entry *e = el->e;
	struct buf out;
	struct jw w;

	buf_in(&out, el->a, JSON_MAX_BYTES * 4);
	jw_init(&w, &out);
	jw_object(&w);
	if (e->kind == ENTRY_TOOL)
		write_tool(&w, e, modern);
	else if (e->kind == ENTRY_RESOURCE)
		write_resource(&w, e, modern);
	else
		write_prompt(&w, el->a, e, modern);
	if (modern && e->meta.n)
		jw_put_raw(&w, S("_meta"), e->meta);
	jw_object_end(&w);
	return buf_str(&out);
}

void list_json_make(struct entry_load *el)
{
	if (!el->e->input_schema.n) /* refused already */
		return;
	el->e->list_json = write_entry(el, true);
	el->e->list_json_old = write_entry(el, false);
}
