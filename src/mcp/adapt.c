/* adapt - see adapt.h.
 *
 * Clients of the early revisions take a block type they do not know for a malformed result.  Only
 * results that name such a type are parsed. */
#include "mcp/adapt.h"

#include "json/write.h"

static bool is_unknown(const struct json *block, const struct mcp_revision_info *info)
{
	struct str type = json_get_str(block, S("type"));

	return (str_eq(type, S("audio")) && !info->audio) ||
	       (str_eq(type, S("resource_link")) && !info->structured);
}

static bool has_unknown(const struct mcp_request *r, struct str text)
{
	const struct mcp_revision_info *info = mcp_revision_info(r->revision);

	return (r->method == MCP_TOOLS_CALL || r->method == MCP_PROMPTS_GET) &&
	       ((!info->audio && str_find_str(text, 0, S("\"audio\"")) < text.n) ||
		       (!info->structured &&
			       str_find_str(text, 0, S("\"resource_link\"")) < text.n));
}

static void write_block(struct arena *a, struct jw *w, const struct json *block,
	const struct mcp_revision_info *info)
{
	struct str uri = json_get_str(block, S("uri")), name = json_get_str(block, S("name"));

	if (!is_unknown(block, info)) {
		jw_json(w, block);
		return;
	}
	jw_object(w);
	jw_put_str(w, S("type"), S("text"));
	if (uri.n)
		jw_put_str(w, S("text"), arena_fmt(a, "%.*s: %.*s", STR_ARG(name), STR_ARG(uri)));
	else
		jw_put_str(w, S("text"),
			S("(audio is left out: this protocol version does not carry it)"));
	jw_object_end(w);
}

static void write_message(struct arena *a, struct jw *w, const struct json *message,
	const struct mcp_revision_info *info)
{
	jw_object(w);
	for (uint32_t i = 0; i < message->count; i++) {
		jw_name(w, message->members[i].name);
		if (str_eq(message->members[i].name, S("content")))
			write_block(a, w, &message->members[i].value, info);
		else
			jw_json(w, &message->members[i].value);
	}
	jw_object_end(w);
}

static void write_list(
	struct arena *a, struct jw *w, const struct json *list, const struct mcp_request *r)
{
	const struct mcp_revision_info *info = mcp_revision_info(r->revision);

	jw_array(w);
	for (uint32_t i = 0; i < list->count; i++)
		if (r->method == MCP_PROMPTS_GET && list->items[i].kind == JSON_OBJECT)
			write_message(a, w, &list->items[i], info);
		else
			write_block(a, w, &list->items[i], info);
	jw_array_end(w);
}

struct str mcp_adapt_result(struct arena *a, const struct mcp_request *r, struct str result_json)
{
	struct str list = r->method == MCP_PROMPTS_GET ? S("messages") : S("content");
	struct json_error error;
	struct json result;
	struct buf out;
	struct jw w;

	if (!a || !has_unknown(r, result_json) || !json_parse(a, result_json, &result, &error) ||
		result.kind != JSON_OBJECT)
		return result_json;
	buf_in(&out, a, 2 * result_json.n + 4096);
	jw_init(&w, &out);
	jw_object(&w);
	for (uint32_t i = 0; i < result.count; i++) {
		const struct json *value = &result.members[i].value;

		jw_name(&w, result.members[i].name);
		if (str_eq(result.members[i].name, list) && value->kind == JSON_ARRAY)
			write_list(a, &w, value, r);
		else
			jw_json(&w, value);
	}
	jw_object_end(&w);
	return buf_ok(&out) ? buf_str(&out) : result_json;
}
