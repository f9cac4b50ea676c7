/* envelope - see envelope.h.
 *
 * Invariants: 1. why->id is the id of the message, or empty when it has none that may be echoed.
 * 2. a message that is two kinds at once, or none, is refused.  3. what is echoed of an id is its
 * own text, at most ENVELOPE_ID_MAX bytes. */
#include "mcp/envelope.h"

#include "mcp/meta.h"
#include "mcp/refuse.h"

static bool invalid(struct mcp_refusal *why, const char *reason, struct str message)
{
	return mcp_refuse(why, 400, RPC_INVALID, reason, message);
}

static bool read_id(const struct json *message, struct mcp_request *out, struct mcp_refusal *why)
{
	const struct json *id = json_get(message, S("id"));

	if (!id)
		return true;
	if (!mcp_meta_is_token(id) || id->raw.n > ENVELOPE_ID_MAX)
		return invalid(
			why, "bad_id", S("id must be a string or an integer of at most 256 bytes"));
	out->id = id->raw;
	return true;
}

static bool read_response(
	const struct json *message, struct mcp_request *out, struct mcp_refusal *why)
{
	const struct json *result = json_get(message, S("result"));
	const struct json *error = json_get(message, S("error"));

	out->kind = MCP_RESPONSE;
	if (!result && !error)
		return invalid(
			why, "message", S("the message has no method, no result and no error"));
	if (result && error)
		return invalid(why, "message", S("a response has a result or an error, not both"));
	if (!out->id.n)
		return invalid(why, "bad_id", S("a response needs the id of its request"));
	out->result = result;
	return true;
}

static bool read_method(const struct json *message, const struct json *method,
	struct mcp_request *out, bool *params_bad_out, struct mcp_refusal *why)
{
	const struct json *params = json_get(message, S("params"));

	if (method->kind != JSON_STRING)
		return invalid(why, "message", S("method must be a string"));
	out->method_name = method->text;
	if (json_get(message, S("result")) || json_get(message, S("error")))
		return invalid(why, "message", S("a message has a method or a result, not both"));
	if (!out->id.n && !str_starts(method->text, S("notifications/")))
		return invalid(why, "bad_id", S("this method needs an id"));
	out->kind = out->id.n ? MCP_REQUEST : MCP_NOTIFICATION;
	*params_bad_out = params && params->kind != JSON_OBJECT;
	if (params && !*params_bad_out)
		out->params = *params;
	return true;
}

bool mcp_envelope_read(const struct json *message, struct mcp_request *out, bool *params_bad_out,
	struct mcp_refusal *why)
{
	static const struct str known[] = { STR_INIT("jsonrpc"), STR_INIT("id"), STR_INIT("method"),
		STR_INIT("params"), STR_INIT("result"), STR_INIT("error") };
	const struct json *method = json_get(message, S("method"));
	struct str folded;

	*params_bad_out = false;
	if (message->kind != JSON_OBJECT)
		return invalid(why, "message", S("a message is a JSON object"));
	if (json_folds(message, known, ARRAY_LEN(known), &folded))
		return invalid(why, "duplicate",
			S("a member of the message differs from a known one only in case"));
	if (!read_id(message, out, why))
		return false;
	if (method)
		why->id = out->id; /* a response's id names one of our requests: not echoed */
	if (!str_eq(json_get_str(message, S("jsonrpc")), S("2.0")))
		return invalid(why, "jsonrpc", S("jsonrpc must be \"2.0\""));
	if (!method)
		return read_response(message, out, why);
	return read_method(message, method, out, params_bad_out, why);
}
