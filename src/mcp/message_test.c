/* message_test - the ladder, row by row, and what a message must look like to be on it. */
#include "mcp/message_fixture.h"

#include <string.h>

#include "mcp/write.h"

/* code 0: served; then method, and whether modern. */
struct row {
	const char *what, *body;
	const char *version, *method, *name; /* headers; NULL: absent */
	enum which session;
	bool doubled;
	int status, code;
	const char *reason;
	bool no_id; /* the refusal has no id; else it is 7 */
	enum mcp_method served;
	bool modern;
	bool stdio;
};

static void set(struct str *out, bool *given, const char *value)
{
	*given = value != NULL;
	*out = str_c(value);
}

static void walk(struct world *w, const struct row *row)
{
	struct mcp_context m = context(w);
	struct mcp_headers h = { .http = !row->stdio, .doubled = row->doubled };
	struct mcp_request r;
	struct mcp_refusal why = { 0 };
	struct json message;
	bool batch = false, ok;

	set(&h.version, &h.version_given, row->version);
	set(&h.method, &h.method_given, row->method);
	set(&h.name, &h.name_given, row->name);
	h.session = row->stdio ? STR_NONE : w->ids[row->session];
	h.session_given = !row->stdio && row->session != NONE;
	if (row->stdio)
		m.stdio_session = &w->sessions[row->session];
	ok = mcp_parse(&w->arena, str_c(row->body), !row->stdio, &message, &batch, &why) &&
	     !batch && mcp_read(&w->arena, &m, &h, &message, &r, &why);
	if (ok != !row->code || (!ok && why.code != row->code))
		fail_msg("%s: served=%d code=%d reason=%s message=%.*s", row->what, ok, why.code,
			why.reason ? why.reason : "-", STR_ARG(why.message));
	if (ok) {
		if (r.method != row->served || r.modern != row->modern)
			fail_msg("%s: method %d modern %d", row->what, (int)r.method, r.modern);
		return;
	}
	if (why.http_status != row->status || strcmp(why.reason, row->reason) != 0)
		fail_msg("%s: status %d reason %s", row->what, why.http_status, why.reason);
	if (!str_eq(why.id, row->no_id ? STR_NONE : S("7")))
		fail_msg("%s: id %.*s", row->what, STR_ARG(why.id));
}

static void walk_all(void **state, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		walk(*state, &rows[i]);
}

static void every_row_of_the_ladder_is_answered_as_it_says(void **state)
{
	static const struct row rows[] = {
		{ "3 not JSON", "{", .status = 400, .code = -32700, .reason = "json",
			.no_id = true },
		{ "4 not an object", "7", .status = 400, .code = -32600, .reason = "message",
			.no_id = true },
		{ "4 no JSON-RPC", "{\"id\":7}", .status = 400, .code = -32600, .reason = "jsonrpc",
			.no_id = true },
		{ "5 version of the wrong type", REQUEST("tools/list", META_OF("7", "{}", "")), M,
			.status = 400, .code = -32602, .reason = "meta" },
		{ "5 version null is a claim", REQUEST("tools/list", META_OF("null", "{}", "")),
			.status = 400, .code = -32602, .reason = "meta" },
		{ "5 capabilities missing",
			REQUEST("tools/list", "\"_meta\":{" VERSION_KEY "\"" M "\"}"), M,
			"tools/list", .status = 400, .code = -32602, .reason = "meta" },
		{ "5 capabilities an array", REQUEST("tools/list", META_OF("\"" M "\"", "[]", "")),
			M, "tools/list", .status = 400, .code = -32602, .reason = "meta" },
		{ "5 clientInfo a string",
			REQUEST("tools/list",
				META_OF("\"" M "\"", "{}",
					",\"io.modelcontextprotocol/clientInfo\":\"x\"")),
			M, "tools/list", .status = 400, .code = -32602, .reason = "meta" },
		{ "5 log level unknown",
			REQUEST("tools/list",
				META_OF("\"" M "\"", "{}",
					",\"io.modelcontextprotocol/logLevel\":\"loud\"")),
			M, "tools/list", .status = 400, .code = -32602, .reason = "meta" },
		{ "5 progress token fractional",
			REQUEST("tools/list", META_OF("\"" M "\"", "{}", ",\"progressToken\":1.5")),
			M, "tools/list", .status = 400, .code = -32602, .reason = "meta" },
		{ "6 before 7: header and body differ",
			REQUEST("tools/list", META_OF("\"v999.0.0\"", "{}", "")), M, "tools/list",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "6 header empty", MODERN("tools/list", ""), "", "tools/list", .status = 400,
			.code = -32020, .reason = "header_mismatch" },
		{ "7 version unknown, header the same",
			REQUEST("tools/list", META_OF("\"v999.0.0\"", "{}", "")), "v999.0.0",
			"tools/list", .status = 400, .code = -32022, .reason = "protocol_version" },
		{ "7 a legacy date in the envelope",
			REQUEST("tools/list", META_OF("\"2025-11-25\"", "{}", "")), "2025-11-25",
			"tools/list", .status = 400, .code = -32022, .reason = "protocol_version" },
		{ "8 version header absent", MODERN("tools/list", ""), NULL, "tools/list",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 method header absent", MODERN("tools/list", ""), M, .status = 400,
			.code = -32020, .reason = "header_mismatch" },
		{ "8 method header differs", MODERN("tools/list", ""), M, "tools/call",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 method header in another case", MODERN("tools/list", ""), M, "Tools/List",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 name header absent", MODERN("tools/call", NAME("t")), M, "tools/call",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 name header differs", MODERN("tools/call", NAME("t")), M, "tools/call", "u",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 name header, none in the body", MODERN("tools/call", ""), M, "tools/call", "u",
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 uri header differs", MODERN("resources/read", ",\"uri\":\"a:b\""), M,
			"resources/read", "a:c", .status = 400, .code = -32020,
			.reason = "header_mismatch" },
		{ "8 prompt header differs", MODERN("prompts/get", NAME("p")), M, "prompts/get",
			"P", .status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 a header twice", MODERN("tools/list", ""), M, "tools/list", .doubled = true,
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "8 method unknown", MODERN("unknown/method", ""), M, "unknown/method",
			.status = 404, .code = -32601, .reason = "method" },
		{ "8 method in another case", MODERN("Tools/Call", ""), M, "Tools/Call",
			.status = 404, .code = -32601, .reason = "method" },
		{ "8 initialize in an envelope", MODERN("initialize", ""), M, "initialize",
			.status = 404, .code = -32601, .reason = "method" },
		{ "8 ping in an envelope", MODERN("ping", ""), M, "ping", .status = 404,
			.code = -32601, .reason = "method" },
		{ "8 setLevel in an envelope", MODERN("logging/setLevel", ""), M,
			"logging/setLevel", .status = 404, .code = -32601, .reason = "method" },
		{ "8 subscribe in an envelope", MODERN("resources/subscribe", ""), M,
			"resources/subscribe", .status = 404, .code = -32601, .reason = "method" },
		{ "8 unsubscribe in an envelope", MODERN("resources/unsubscribe", ""), M,
			"resources/unsubscribe", .status = 404, .code = -32601,
			.reason = "method" },
		{ "8 served", MODERN("tools/list", ""), M, "tools/list", .served = MCP_TOOLS_LIST,
			.modern = true },
		{ "8 served, white space around the headers", MODERN("tools/call", NAME("t")),
			" " M "\t", " tools/call ", "  t  ", .served = MCP_TOOLS_CALL,
			.modern = true },
		{ "8 served, name in base64", MODERN("tools/call", NAME("t")), M, "tools/call",
			"=?base64?dA==?=", .served = MCP_TOOLS_CALL, .modern = true },
		{ "8 name in bad base64", MODERN("tools/call", NAME("t")), M, "tools/call",
			"=?base64?dA=?=", .status = 400, .code = -32020,
			.reason = "header_mismatch" },
		{ "8 base64 in capitals is literal", MODERN("tools/call", NAME("t")), M,
			"tools/call", "=?BASE64?dA==?=", .status = 400, .code = -32020,
			.reason = "header_mismatch" },
		{ "8 served, a dead session is no matter", MODERN("server/discover", ""), M,
			"server/discover", .session = ENDED, .served = MCP_DISCOVER,
			.modern = true },
		{ "9 initialize under a modern header",
			REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""), M,
			.status = 400, .code = -32020, .reason = "header_mismatch" },
		{ "9 initialize", REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""),
			.served = MCP_INITIALIZE },
		{ "9 initialize with a legacy header and Mcp-Method",
			REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""), "2025-11-25",
			"anything", .served = MCP_INITIALIZE },
		{ "9 initialize without a version", REQUEST("initialize", ""), .status = 400,
			.code = -32602, .reason = "params" },
		{ "9 initialize again in its session",
			REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""),
			.session = LIVE_11, .status = 400, .code = -32600,
			.reason = "initialized" },
		{ "9 initialize after its session died",
			REQUEST("initialize", "\"protocolVersion\":\"2025-11-25\""),
			.session = ENDED, .served = MCP_INITIALIZE },
		{ "10 modern header, empty params", REQUEST("tools/list", ""), M, "tools/list",
			.status = 400, .code = -32602, .reason = "params" },
		{ "10 modern header, params without _meta", REQUEST("tools/call", "\"name\":\"t\""),
			M, "tools/call", "t", .status = 400, .code = -32602, .reason = "meta" },
		{ "10 modern header in a live session", REQUEST("tools/list", ""), M,
			.session = LIVE_11, .status = 400, .code = -32602, .reason = "params" },
		{ "10 a later date is modern too", REQUEST("tools/list", ""), "2027-01-31",
			.status = 400, .code = -32602, .reason = "params" },
		{ "11 no session", REQUEST("tools/list", ""), "2025-11-25", .status = 400,
			.code = -32600, .reason = "no_session" },
		{ "11 not even a header", REQUEST("ping", ""), .status = 400, .code = -32600,
			.reason = "no_session" },
		{ "11 bad version", REQUEST("ping", ""), "banana", .session = LIVE_11,
			.status = 400, .code = -32600, .reason = "protocol_version" },
		{ "11 another served version than agreed", REQUEST("ping", ""), "2025-06-18",
			.session = LIVE_11, .served = MCP_PING },
		{ "11 ended session", REQUEST("ping", ""), .session = ENDED, .status = 404,
			.code = -32600, .reason = "session" },
		{ "11 expired session", REQUEST("ping", ""), .session = OLD, .status = 404,
			.code = -32600, .reason = "session" },
		{ "11 another's session", REQUEST("ping", ""), .session = STRANGERS, .status = 404,
			.code = -32600, .reason = "session" },
		{ "11 forged session", REQUEST("ping", ""), .session = FORGED, .status = 404,
			.code = -32600, .reason = "session" },
		{ "11 header twice", REQUEST("ping", ""), .session = LIVE_11, .doubled = true,
			.status = 400, .code = -32600, .reason = "header_doubled" },
		{ "11 served without a version header", REQUEST("tools/list", ""),
			.session = LIVE_11, .served = MCP_TOOLS_LIST },
		{ "11 served with it", REQUEST("ping", ""), " 2025-11-25", .session = LIVE_11,
			.served = MCP_PING },
		{ "11 served in 2024-11-05", REQUEST("tools/call", "\"name\":\"t\""),
			.session = LIVE_2024, .served = MCP_TOOLS_CALL },
		{ "11 unknown method in a live session", REQUEST("tools/execute", ""),
			.session = LIVE_11, .status = 200, .code = -32601, .reason = "method" },
		{ "11 a modern method in a live session", REQUEST("server/discover", ""),
			.session = LIVE_11, .status = 200, .code = -32601, .reason = "method" },
	};

	walk_all(state, rows, ARRAY_LEN(rows));
}

static void a_message_that_is_not_quite_one_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "id null", WITH_ID("null"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "id 1.5", WITH_ID("1.5"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "id 1e3", WITH_ID("1e3"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "id true", WITH_ID("true"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "id {}", WITH_ID("{}"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "id []", WITH_ID("[]"), M, "tools/list", .status = 400, .code = -32600,
			.reason = "bad_id", .no_id = true },
		{ "no id", "{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\",\"params\":{" META "}}",
			M, "tools/list", .status = 400, .code = -32600, .reason = "bad_id",
			.no_id = true },
		{ "no id on stdio", "{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\"}",
			.stdio = true, .status = 400, .code = -32600, .reason = "bad_id",
			.no_id = true },
		{ "jsonrpc 1.0", "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}",
			.status = 400, .code = -32600, .reason = "jsonrpc" },
		{ "jsonrpc a number", "{\"jsonrpc\":2.0,\"id\":7,\"method\":\"ping\"}",
			.status = 400, .code = -32600, .reason = "jsonrpc" },
		{ "jsonrpc absent", "{\"id\":7,\"method\":\"ping\"}", .status = 400, .code = -32600,
			.reason = "jsonrpc" },
		{ "method a number", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":1}", .status = 400,
			.code = -32600, .reason = "message" },
		{ "method and result",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"result\":{}}",
			.status = 400, .code = -32600, .reason = "message" },
		{ "nothing at all", "{\"jsonrpc\":\"2.0\",\"id\":7}", .status = 400, .code = -32600,
			.reason = "message", .no_id = true },
		{ "Method beside method",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"Method\":\"x\"}",
			.status = 400, .code = -32600, .reason = "duplicate", .no_id = true },
		{ "ID instead of id", "{\"jsonrpc\":\"2.0\",\"ID\":7,\"method\":\"ping\"}",
			.status = 400, .code = -32600, .reason = "duplicate", .no_id = true },
		{ "Name beside name", MODERN("tools/call", NAME("t") ",\"Name\":\"u\""), M,
			"tools/call", "t", .status = 400, .code = -32600, .reason = "duplicate" },
		{ "a folded key of _meta",
			REQUEST("tools/list",
				META_OF("\"" M "\"", "{}",
					",\"io.modelcontextprotocol/ProtocolVersion\":\"x\"")),
			M, "tools/list", .status = 400, .code = -32600, .reason = "duplicate" },
		{ "a folded name in a live session", REQUEST("tools/call", "\"NAME\":\"t\""),
			.session = LIVE_11, .status = 200, .code = -32600, .reason = "duplicate" },
		{ "the same member twice", "{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":8}", .status = 400,
			.code = -32700, .reason = "duplicate", .no_id = true },
		{ "lone surrogate", REQUEST("tools/list", "\"a\":\"\\ud800\""), .status = 400,
			.code = -32700, .reason = "surrogate", .no_id = true },
		{ "byte-order mark", "\xef\xbb\xbf{}", .status = 400, .code = -32700,
			.reason = "json", .no_id = true },
		{ "two values", "{}{}", .status = 400, .code = -32700, .reason = "json",
			.no_id = true },
		{ "params an array, modern header",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":[]}", M,
			"tools/call", "t", .status = 400, .code = -32602, .reason = "params" },
		{ "params null, modern header",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":null}",
			M, "tools/call", "t", .status = 400, .code = -32602, .reason = "params" },
		{ "params absent, modern header",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\"}", M, "tools/call",
			"t", .status = 400, .code = -32602, .reason = "params" },
		{ "params a string in a live session",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":\"\"}",
			.session = LIVE_11, .status = 200, .code = -32602, .reason = "params" },
		{ "params a number on stdio",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":4}",
			.session = LIVE_11, .stdio = true, .status = 200, .code = -32602,
			.reason = "params" },
		{ "inputResponses null", MODERN("tools/call", NAME("t") ",\"inputResponses\":null"),
			M, "tools/call", "t", .status = 200, .code = -32602,
			.reason = "input_responses" },
		{ "requestState a number", MODERN("tools/call", NAME("t") ",\"requestState\":4"), M,
			"tools/call", "t", .status = 200, .code = -32602,
			.reason = "request_state" },
		{ "requestState empty", MODERN("prompts/get", NAME("t") ",\"requestState\":\"\""),
			M, "prompts/get", "t", .status = 200, .code = -32602,
			.reason = "request_state" },
		{ "inputResponses where nothing asks",
			MODERN("tools/list", ",\"inputResponses\":4"), M, "tools/list",
			.served = MCP_TOOLS_LIST, .modern = true },
	};

	walk_all(state, rows, ARRAY_LEN(rows));
}

static void notifications_and_responses_go_where_their_era_has_a_place_for_them(void **state)
{
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"
	static const struct row rows[] = {
		{ "modern note in an envelope", NOTE("notifications/cancelled", "{" META "}"),
			.served = MCP_NOTE_CANCELLED, .modern = true },
		{ "modern note by its header", NOTE("notifications/whatever", "{}"), M,
			.served = MCP_NOTE_OTHER, .modern = true },
		{ "initialized means nothing there", NOTE("notifications/initialized", "{}"), M,
			.served = MCP_NOTE_OTHER, .modern = true },
		{ "legacy note", NOTE("notifications/initialized", "{}"), .session = LIVE_11,
			.served = MCP_NOTE_INITIALIZED },
		{ "legacy note without a session", NOTE("notifications/initialized", "{}"),
			.status = 400, .code = -32600, .reason = "no_session", .no_id = true },
		{ "legacy note of a dead session", NOTE("notifications/initialized", "{}"),
			.session = ENDED, .status = 404, .code = -32600, .reason = "session",
			.no_id = true },
		{ "note with params an array", NOTE("notifications/initialized", "[]"), M,
			.status = 400, .code = -32602, .reason = "params", .no_id = true },
		{ "note on stdio before initialize", NOTE("notifications/initialized", "{}"),
			.stdio = true, .served = MCP_NOTE_OTHER, .modern = true },
		{ "cancel on stdio without a session", NOTE("notifications/cancelled", "{}"),
			.stdio = true, .served = MCP_NOTE_CANCELLED, .modern = true },
		{ "note on stdio after it", NOTE("notifications/initialized", "{}"),
			.session = LIVE_06, .stdio = true, .served = MCP_NOTE_INITIALIZED },
		{ "a note with an id is a request", REQUEST("notifications/initialized", ""),
			.session = LIVE_11, .status = 200, .code = -32601, .reason = "method" },
		{ "response without a session", "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
			.status = 400, .code = -32600, .reason = "response_from_client",
			.no_id = true },
		{ "response on the modern wire", "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", M,
			.session = LIVE_11, .status = 400, .code = -32600,
			.reason = "response_from_client", .no_id = true },
		{ "response on stdio before initialize",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", .stdio = true,
			.status = 400, .code = -32600, .reason = "response_from_client",
			.no_id = true },
		{ "response of a live session",
			"{\"jsonrpc\":\"2.0\",\"id\":\"srv-1\",\"result\":{}}",
			.session = LIVE_11 },
		{ "error of a live session",
			"{\"jsonrpc\":\"2.0\",\"id\":\"srv-1\",\"error\":{\"code\":-1}}",
			.session = LIVE_11 },
		{ "result and error",
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{},\"error\":{\"code\":-1}}",
			.session = LIVE_11, .status = 400, .code = -32600, .reason = "message",
			.no_id = true },
		{ "response without an id", "{\"jsonrpc\":\"2.0\",\"result\":{}}",
			.session = LIVE_11, .status = 400, .code = -32600, .reason = "bad_id",
			.no_id = true },
	};

	walk_all(state, rows, ARRAY_LEN(rows));
}

static void stdio_has_no_headers_and_decides_by_the_message(void **state)
{
	static const struct row rows[] = {
		{ "modern without headers", MODERN("tools/call", NAME("t")), .stdio = true,
			.served = MCP_TOOLS_CALL, .modern = true },
		{ "modern in a pipe that was initialized", MODERN("tools/call", NAME("t")),
			.session = LIVE_11, .stdio = true, .served = MCP_TOOLS_CALL,
			.modern = true },
		{ "modern of an unknown version",
			REQUEST("server/discover", META_OF("\"2031-01-01\"", "{}", "")),
			.stdio = true, .status = 400, .code = -32022,
			.reason = "protocol_version" },
		{ "discover without _meta", REQUEST("server/discover", ""), .stdio = true,
			.status = 400, .code = -32602, .reason = "params" },
		{ "initialize", REQUEST("initialize", "\"protocolVersion\":\"2024-11-05\""),
			.stdio = true, .served = MCP_INITIALIZE },
		{ "initialize twice", REQUEST("initialize", "\"protocolVersion\":\"2024-11-05\""),
			.session = LIVE_2024, .stdio = true, .status = 400, .code = -32600,
			.reason = "initialized" },
		{ "ping before initialize", REQUEST("ping", ""), .stdio = true,
			.served = MCP_PING },
		{ "a call before initialize", REQUEST("tools/call", "\"name\":\"t\""),
			.stdio = true, .status = 400, .code = -32600, .reason = "not_initialized" },
		{ "a call after it", REQUEST("tools/call", "\"name\":\"t\""), .session = LIVE_2024,
			.stdio = true, .served = MCP_TOOLS_CALL },
	};

	walk_all(state, rows, ARRAY_LEN(rows));
}

static void a_strange_name_is_shown_to_128_escaped_bytes(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(false);
	struct str text = arena_fmt(&w->arena,
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\\u0000\\u0001%010000d\",\"params\":{%"
		"s}}",
		0, META);
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message, reply;
	struct json_error error;
	struct buf out;
	bool batch;

	assert_true(mcp_parse(&w->arena, text, false, &message, &batch, &why));
	assert_false(mcp_read(&w->arena, &m, &h, &message, &r, &why));
	assert_int_equal(why.code, -32601);
	buf_in(&out, &w->arena, 4096);
	mcp_write_error(&out, &why);
	assert_in_range(out.n, 128, 256);
	assert_true(json_parse(&w->arena, buf_str(&out), &reply, &error));
}

static void the_refusal_of_a_version_names_those_served(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(false);
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message;
	bool batch;

	assert_true(mcp_parse(&w->arena,
		str_c(REQUEST("server/discover", META_OF("\"v999.0.0\"", "{}", ""))), false,
		&message, &batch, &why));
	assert_false(mcp_read(&w->arena, &m, &h, &message, &r, &why));
	assert_text(why.data_json, "{\"supported\":[\"2026-07-28\"],\"requested\":\"v999.0.0\"}");
}

static void what_is_too_deep_and_a_number_too_long_say_so(void **state)
{
	struct world *w = *state;
	struct mcp_refusal why;
	struct json message;
	struct buf deep;
	bool batch;

	buf_in(&deep, &w->arena, 4096);
	for (int i = 0; i <= JSON_MAX_DEPTH; i++)
		buf_char(&deep, '[');
	for (int i = 0; i <= JSON_MAX_DEPTH; i++)
		buf_char(&deep, ']');
	assert_false(mcp_parse(&w->arena, buf_str(&deep), true, &message, &batch, &why));
	assert_string_equal(why.reason, "depth");
	assert_int_equal(why.http_status, 400);
	assert_true(str_starts(why.data_json, S("{\"reason\":\"depth\",\"offset\":")));
	assert_false(mcp_parse(&w->arena, arena_fmt(&w->arena, "1%0*d", JSON_MAX_NUMBER, 1), true,
		&message, &batch, &why));
	assert_string_equal(why.reason, "number_length");
}

static void batches_are_for_2025_03_26_alone(void **state)
{
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
	static const struct {
		const char *what, *body, *version;
		enum which session;
		bool stdio, ok;
		int status;
	} rows[] = {
		{ "its session", "[" PING "," PING "]", NULL, LIVE_03, false, true, 0 },
		{ "its session on stdio", "[" PING "]", NULL, LIVE_03, true, true, 0 },
		{ "its header without a session", "[" PING "]", "2025-03-26", NONE, false, true,
			0 },
		{ "empty", "[]", NULL, LIVE_03, false, false, 400 },
		{ "empty without anything", "[]", NULL, NONE, false, false, 400 },
		{ "no session", "[" PING "]", NULL, NONE, false, false, 400 },
		{ "stdio before initialize", "[" PING "]", NULL, NONE, true, false, 400 },
		{ "modern header", "[" PING "]", M, NONE, false, false, 400 },
		{ "modern header in its session", "[" PING "]", M, LIVE_03, false, false, 400 },
		{ "2025-06-18", "[" PING "]", NULL, LIVE_06, false, false, 400 },
		{ "2025-11-25 on stdio", "[" PING "]", NULL, LIVE_11, true, false, 400 },
		{ "2024-11-05", "[" PING "]", NULL, LIVE_2024, false, false, 400 },
		{ "a dead session", "[" PING "]", NULL, ENDED, false, false, 404 },
		{ "one modern element", "[" PING "," MODERN("tools/list", "") "]", NULL, LIVE_03,
			false, false, 400 },
		{ "initialize inside", "[" REQUEST("initialize", "") "]", "2025-03-26", NONE, false,
			false, 400 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mcp_context m = context(w);
		struct mcp_headers h = no_headers(!rows[i].stdio);
		struct mcp_refusal why = { 0 };
		struct json message;
		bool batch, ok;

		set(&h.version, &h.version_given, rows[i].version);
		if (rows[i].stdio)
			m.stdio_session = &w->sessions[rows[i].session];
		else
			h.session = w->ids[rows[i].session];
		h.session_given = h.session.n > 0;
		assert_true(
			mcp_parse(&w->arena, str_c(rows[i].body), true, &message, &batch, &why));
		assert_true(batch);
		ok = mcp_batch_allowed(&w->arena, &m, &h, &message, &why);
		if (ok != rows[i].ok ||
			(!ok && (why.code != -32600 || why.http_status != rows[i].status)))
			fail_msg("%s: %d %d %d", rows[i].what, ok, why.code, why.http_status);
	}
}

static void what_was_read_before_a_refusal_is_there_for_the_record(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(true);
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message;
	bool batch;

	assert_true(mcp_parse(&w->arena,
		str_c("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":[]}"), true,
		&message, &batch, &why));
	assert_false(mcp_read(&w->arena, &m, &h, &message, &r, &why));
	assert_int_equal(r.kind, MCP_NOTIFICATION);
	assert_text(r.method_name, "notifications/x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_ladder_is_answered_as_it_says),
		cmocka_unit_test(a_message_that_is_not_quite_one_is_refused),
		cmocka_unit_test(
			notifications_and_responses_go_where_their_era_has_a_place_for_them),
		cmocka_unit_test(stdio_has_no_headers_and_decides_by_the_message),
		cmocka_unit_test(a_strange_name_is_shown_to_128_escaped_bytes),
		cmocka_unit_test(the_refusal_of_a_version_names_those_served),
		cmocka_unit_test(what_is_too_deep_and_a_number_too_long_say_so),
		cmocka_unit_test(batches_are_for_2025_03_26_alone),
		cmocka_unit_test(what_was_read_before_a_refusal_is_there_for_the_record),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
