/* listen - subscriptions/listen: what was asked for, what is honoured, and its end (write.h). */
#include "mcp/refuse.h"
#include "mcp/reply.h"

#define URIS_MAX 1000

static bool bad(const struct mcp_request *r, struct mcp_refusal *why, struct str message)
{
	*why = (struct mcp_refusal){ .id = r->id };
	return mcp_refuse(why, 200, RPC_PARAMS, "params", message);
}

static bool read_wish(const struct json *asked, struct str name, bool *out)
{
	const struct json *v = json_get(asked, name);

	if (v && v->kind != JSON_BOOL)
		return false;
	*out = v && v->truth;
	return true;
}

static bool read_uris(struct arena *a, const struct json *asked, struct mcp_filter *out)
{
	const struct json *list = json_get(asked, S("resourceSubscriptions"));
	struct str *uris;

	if (!list)
		return true;
	if (list->kind != JSON_ARRAY || list->count > URIS_MAX)
		return false;
	uris = arena_array(a, struct str, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].kind != JSON_STRING)
			return false;
		uris[i] = list->items[i].text;
	}
	out->uris = uris;
	out->uri_count = list->count;
	return true;
}

bool mcp_read_filter(struct arena *a, const struct mcp_request *r, struct mcp_filter *out,
	struct mcp_refusal *why)
{
	const struct json *asked = json_get(&r->params, S("notifications"));
	struct mcp_filter filter = { 0 };

	if (!json_is(asked, JSON_OBJECT))
		return bad(r, why, S("params.notifications must be an object"));
	if (!read_wish(asked, S("toolsListChanged"), &filter.tools) ||
		!read_wish(asked, S("promptsListChanged"), &filter.prompts) ||
		!read_wish(asked, S("resourcesListChanged"), &filter.resources))
		return bad(r, why,
			S("the members of params.notifications that end in ListChanged "
			  "must be true or false"));
	if (!read_uris(a, asked, &filter))
		return bad(r, why,
			S("params.notifications.resourceSubscriptions must be an array of "
			  "at most 1000 strings"));
	*out = filter;
	return true;
}

void mcp_write_acknowledged(
	struct buf *out, const struct mcp_request *r, const struct mcp_filter *honoured)
{
	struct jw w;

	note_begin(&w, out, S("notifications/subscriptions/acknowledged"));
	jw_name(&w, S("notifications"));
	jw_object(&w);
	if (honoured->tools)
		jw_put_bool(&w, S("toolsListChanged"), true);
	if (honoured->prompts)
		jw_put_bool(&w, S("promptsListChanged"), true);
	if (honoured->resources)
		jw_put_bool(&w, S("resourcesListChanged"), true);
	if (honoured->uri_count) {
		jw_name(&w, S("resourceSubscriptions"));
		jw_array(&w);
		for (size_t i = 0; i < honoured->uri_count; i++)
			jw_str(&w, honoured->uris[i]);
		jw_array_end(&w);
	}
	jw_object_end(&w);
	note_end(&w, r->id);
}

void mcp_write_listen_end(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r)
{
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	reply_end(&w, s, r, r->id);
}
