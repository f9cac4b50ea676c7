/* meta - see meta.h.
 *
 * clientInfo and the trace are the client's own words: kept for the record, never decided upon. */
#include "mcp/meta.h"

#include "mcp/refuse.h"
#include "mcp/write.h"

const struct json *mcp_meta_claim(const struct json *params)
{
	return json_get(json_get(params, S("_meta")), S(META_VERSION));
}

bool mcp_meta_unambiguous(const struct json *params, struct mcp_refusal *why)
{
	static const struct str in_params[] = { STR_INIT("_meta"), STR_INIT("name"),
		STR_INIT("arguments"), STR_INIT("uri"), STR_INIT("cursor"), STR_INIT("ref"),
		STR_INIT("argument"), STR_INIT("context"), STR_INIT("inputResponses"),
		STR_INIT("requestState"), STR_INIT("level"), STR_INIT("requestId"),
		STR_INIT("notifications"), STR_INIT("protocolVersion"), STR_INIT("capabilities"),
		STR_INIT("clientInfo") };
	static const struct str in_meta[] = { STR_INIT(META_VERSION), STR_INIT(META_CAPABILITIES),
		STR_INIT(META_CLIENT), STR_INIT(META_LOG_LEVEL), STR_INIT("progressToken"),
		STR_INIT("traceparent") };
	struct str name;

	if (json_folds(params, in_params, ARRAY_LEN(in_params), &name))
		return mcp_refuse(why, 400, RPC_INVALID, "duplicate",
			S("a member of params differs from a known one only in case"));
	if (json_folds(json_get(params, S("_meta")), in_meta, ARRAY_LEN(in_meta), &name))
		return mcp_refuse(why, 400, RPC_INVALID, "duplicate",
			S("a member of params._meta differs from a known one only in case"));
	return true;
}

bool mcp_meta_is_token(const struct json *v)
{
	struct str digits;

	if (!v || v->kind != JSON_NUMBER)
		return json_is(v, JSON_STRING);
	digits = str_from(v->text, str_starts(v->text, S("-")) ? 1 : 0);
	for (size_t i = 0; i < digits.n; i++)
		if (!ascii_is_digit(digits.p[i]))
			return false;
	return true;
}

static bool is_lower_hex(struct str s, bool *all_zero_out)
{
	*all_zero_out = true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
			return false;
		*all_zero_out = *all_zero_out && c == '0';
	}
	return true;
}

/* W3C Trace Context, section 3.2: version-traceid-parentid-flags; later versions may add to it. */
static struct str trace_id_of(struct str traceparent)
{
	struct str version = str_sub(traceparent, 0, 2), trace = str_sub(traceparent, 3, 32);
	struct str parent = str_sub(traceparent, 36, 16), flags = str_sub(traceparent, 53, 2);
	bool zero_version, zero_trace, zero_parent, zero_flags;

	if (traceparent.n < 55 || traceparent.p[2] != '-' || traceparent.p[35] != '-' ||
		traceparent.p[52] != '-' || !is_lower_hex(version, &zero_version) ||
		!is_lower_hex(trace, &zero_trace) || !is_lower_hex(parent, &zero_parent) ||
		!is_lower_hex(flags, &zero_flags) || zero_trace || zero_parent ||
		str_eq(version, S("ff")))
		return STR_NONE;
	if (traceparent.n > 55 && (zero_version || traceparent.p[55] != '-'))
		return STR_NONE;
	return trace;
}

/* A capability is declared by an object; `elicitation: {}` means form only, in both eras. */
static void read_capabilities(const struct json *said, struct mcp_capabilities *out)
{
	const struct json *elicitation = json_get(said, S("elicitation"));
	const struct json *form = json_get(elicitation, S("form"));
	const struct json *url = json_get(elicitation, S("url"));
	const struct json *extensions = json_get(said, S("extensions"));

	*out = (struct mcp_capabilities){
		.elicitation_form =
			json_is(elicitation, JSON_OBJECT) && (json_is(form, JSON_OBJECT) || !url),
		.elicitation_url = json_is(url, JSON_OBJECT),
		.sampling = json_is(json_get(said, S("sampling")), JSON_OBJECT),
		.roots = json_is(json_get(said, S("roots")), JSON_OBJECT),
		.extensions_ui =
			json_is(json_get(extensions, S("io.modelcontextprotocol/ui")), JSON_OBJECT),
	};
}

static bool is_text_or_absent(const struct json *o, struct str name)
{
	const struct json *v = json_get(o, name);

	return !v || v->kind == JSON_STRING;
}

static bool read_client(const struct json *info, struct mcp_request *out)
{
	if (!info)
		return true;
	if (info->kind != JSON_OBJECT || !is_text_or_absent(info, S("name")) ||
		!is_text_or_absent(info, S("version")))
		return false;
	out->client_name = json_get_str(info, S("name"));
	out->client_version = json_get_str(info, S("version"));
	return true;
}

void mcp_meta_read_legacy(const struct json *params, struct mcp_request *out)
{
	const struct json *meta = json_get(params, S("_meta"));
	const struct json *token = json_get(meta, S("progressToken"));

	if (mcp_meta_is_token(token))
		out->progress_token = token->raw;
	out->trace_id = trace_id_of(json_get_str(meta, S("traceparent")));
}

bool mcp_meta_read(const struct json *params, struct mcp_request *out, struct mcp_refusal *why)
{
	const struct json *meta = json_get(params, S("_meta"));
	const struct json *version = json_get(meta, S(META_VERSION));
	const struct json *can = json_get(meta, S(META_CAPABILITIES));
	const struct json *token = json_get(meta, S("progressToken"));
	const struct json *level = json_get(meta, S(META_LOG_LEVEL));

	if (!json_is(version, JSON_STRING))
		return mcp_refuse(why, 400, RPC_PARAMS, "meta",
			S("params._meta[\"" META_VERSION "\"] must be a string"));
	if (!json_is(can, JSON_OBJECT))
		return mcp_refuse(why, 400, RPC_PARAMS, "meta",
			S("params._meta[\"" META_CAPABILITIES "\"] must be an object"));
	if (!read_client(json_get(meta, S(META_CLIENT)), out))
		return mcp_refuse(why, 400, RPC_PARAMS, "meta",
			S("params._meta[\"" META_CLIENT
			  "\"] must be an object whose name and version are strings"));
	if (level && (level->kind != JSON_STRING || !mcp_log_level_passes(level->text, S("debug"))))
		return mcp_refuse(why, 400, RPC_PARAMS, "meta",
			S("params._meta[\"" META_LOG_LEVEL "\"] is not a log level"));
	if (token && !mcp_meta_is_token(token))
		return mcp_refuse(why, 400, RPC_PARAMS, "meta",
			S("params._meta.progressToken must be a string or an integer"));
	read_capabilities(can, &out->can);
	out->log_level = level ? level->text : STR_NONE;
	out->wanted_version = version->text;
	mcp_meta_read_legacy(params, out);
	return true;
}

bool mcp_meta_read_initialize(
	const struct json *params, struct mcp_request *out, struct mcp_refusal *why)
{
	const struct json *version = json_get(params, S("protocolVersion"));
	const struct json *can = json_get(params, S("capabilities"));

	if (!json_is(version, JSON_STRING))
		return mcp_refuse(why, 400, RPC_PARAMS, "params",
			S("params.protocolVersion must be a string"));
	if (can && can->kind != JSON_OBJECT)
		return mcp_refuse(
			why, 400, RPC_PARAMS, "params", S("params.capabilities must be an object"));
	if (!read_client(json_get(params, S("clientInfo")), out))
		return mcp_refuse(why, 400, RPC_PARAMS, "params",
			S("params.clientInfo must be an object whose name and version are "
			  "strings"));
	read_capabilities(can, &out->can);
	out->wanted_version = version->text;
	return true;
}
