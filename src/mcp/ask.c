/* ask - questions to the person behind the client: as part of a result (modern), as a request of
 * the server's (legacy), and whether an answer fits (write.h).
 *
 * The params of a question are written once, by whoever asks, and adapted here to the revision:
 * `mode` is left out where it does not exist, `elicitationId` is there only in 2025-11-25. */
#include "mcp/reply.h"

#define ELICIT "elicitation/create"
#define PARAMS_MAX ((size_t)1 << 20)
#define NODES_MAX ((size_t)256 << 20)

static bool is_url_mode(const struct json *params)
{
	return str_eq(json_get_str(params, S("mode")), S("url"));
}

static bool left_out(struct str name, const struct mcp_revision_info *info)
{
	return (str_eq(name, S("mode")) && !info->elicitation_mode) ||
	       (str_eq(name, S("elicitationId")) && !info->elicitation_id);
}

static void write_elicitation(struct jw *w, const struct json *params, struct str id,
	const struct mcp_revision_info *info)
{
	jw_object(w);
	for (uint32_t i = 0; i < params->count; i++)
		if (!left_out(params->members[i].name, info))
			jw_put_raw(w, params->members[i].name, params->members[i].value.raw);
	if (info->elicitation_id && is_url_mode(params) && !json_get(params, S("elicitationId")) &&
		id.n)
		jw_put_raw(w, S("elicitationId"), id);
	jw_object_end(w);
}

/* id: raw JSON of the request's id, for want of another name; empty when it has none. */
static void write_params(struct jw *w, enum mcp_revision revision, struct str method,
	struct str params_json, struct str id)
{
	struct json_error error;
	struct json params;
	struct arena own;

	jw_name(w, S("params"));
	arena_init(&own, NODES_MAX);
	if (str_eq(method, S(ELICIT)) && params_json.n <= PARAMS_MAX &&
		json_parse(&own, params_json, &params, &error) && params.kind == JSON_OBJECT)
		write_elicitation(w, &params, id, mcp_revision_info(revision));
	else
		jw_raw(w, params_json.n ? params_json : S("{}"));
	arena_done(&own);
}

void mcp_write_input_required(struct buf *out, const struct mcp_server_info *s,
	const struct mcp_request *r, const struct str *keys, const struct str *methods,
	const struct str *params_json, size_t count, struct str state,
	const struct receipt *receipt)
{
	struct jw w;

	bug_on(!receipt || !r->modern || (!count && !state.n));
	reply_begin(&w, out, r, S("input_required"));
	if (count) {
		jw_name(&w, S("inputRequests"));
		jw_object(&w);
		for (size_t i = 0; i < count; i++) {
			jw_name(&w, keys[i]);
			jw_object(&w);
			jw_put_str(&w, S("method"), methods[i]);
			write_params(&w, r->revision, methods[i], params_json[i], STR_NONE);
			jw_object_end(&w);
		}
		jw_object_end(&w);
	}
	if (state.n)
		jw_put_str(&w, S("requestState"), state);
	reply_end(&w, s, r, STR_NONE);
}

void mcp_write_request(struct buf *out, struct str id, enum mcp_revision revision,
	struct str method, struct str params_json, const struct receipt *receipt)
{
	struct jw w;

	bug_on(!receipt);
	jw_init(&w, out);
	jw_object(&w);
	jw_put_str(&w, S("jsonrpc"), S("2.0"));
	jw_put_raw(&w, S("id"), id);
	jw_put_str(&w, S("method"), method);
	write_params(&w, revision, method, params_json, id);
	jw_object_end(&w);
}

static bool content_fits(
	struct arena *a, const struct json *schema_json, const struct json *content)
{
	static const struct json nothing = { .kind = JSON_OBJECT, .raw = STR_INIT("{}") };
	struct schema_options options = { .assert_formats = true, .linear_patterns = true };
	struct schema *schema;
	struct err err;
	bool fits;

	if (!content)
		content = &nothing; /* a form without fields to fill in */
	if (content->kind != JSON_OBJECT || json_has_nul(content))
		return false;
	schema = schema_compile(a, schema_json, &options, &err);
	if (!schema)
		return false;
	fits = schema_check(schema, a, content, NULL);
	schema_done(schema);
	return fits;
}

bool mcp_answer_fits(
	struct arena *a, struct str method, struct str params_json, const struct json *answer)
{
	struct str action = json_get_str(answer, S("action"));
	const struct json *schema_json;
	struct json_error error;
	struct json params;

	if (!json_is(answer, JSON_OBJECT))
		return false;
	if (!str_eq(method, S(ELICIT)))
		return true;
	if (str_eq(action, S("decline")) || str_eq(action, S("cancel")))
		return true;
	if (!str_eq(action, S("accept")) || !json_parse(a, params_json, &params, &error))
		return false;
	if (is_url_mode(&params))
		return true; /* the page was opened: that is all it says */
	schema_json = json_get(&params, S("requestedSchema"));
	return schema_json && content_fits(a, schema_json, json_get(answer, S("content")));
}
