/* message - from JSON text and a few header facts to a request of one revision, or a refusal.
 *
 * The order of the tests is the ladder of the specification for a server of both eras: nothing here
 * looks at who is asking or at the catalog.  Pure; everything lives in the arena. */
#pragma once
#include "base/arena.h"
#include "base/seal.h"
#include "json/json.h"
#include "mcp/revision.h"

/* Header fields of an HTTP message that mean something to MCP; http = false on stdio (all empty).
 */
struct mcp_headers {
	bool http;
	struct str version; /* MCP-Protocol-Version */
	struct str method, name; /* Mcp-Method, Mcp-Name, undecoded */
	struct str session; /* Mcp-Session-Id */
	bool version_given, method_given, name_given, session_given;
	bool doubled; /* one of them, or an Mcp-Param-*, came twice */
	const struct mcp_param_header {
		struct str name, value; /* name behind "Mcp-Param-" */
	} * params;
	size_t param_count;
};

enum mcp_method {
	MCP_UNKNOWN,
	MCP_INITIALIZE,
	MCP_PING,
	MCP_DISCOVER,
	MCP_TOOLS_LIST,
	MCP_TOOLS_CALL,
	MCP_RESOURCES_LIST,
	MCP_TEMPLATES_LIST,
	MCP_RESOURCES_READ,
	MCP_RESOURCES_SUBSCRIBE,
	MCP_RESOURCES_UNSUBSCRIBE,
	MCP_PROMPTS_LIST,
	MCP_PROMPTS_GET,
	MCP_COMPLETE,
	MCP_LISTEN,
	MCP_SET_LEVEL,
	MCP_NOTE_INITIALIZED,
	MCP_NOTE_CANCELLED,
	MCP_NOTE_OTHER, /* any other notification: accepted and ignored */
};

enum mcp_kind { MCP_REQUEST, MCP_NOTIFICATION, MCP_RESPONSE };

/* What a client declared, on this request (modern) or in initialize (legacy). */
struct mcp_capabilities {
	bool elicitation_form, elicitation_url, sampling, roots, extensions_ui;
};

/* A legacy session: sealed into its id, so it costs no memory. */
struct mcp_session {
	bool on;
	enum mcp_revision revision;
	struct mcp_capabilities can;
	struct str client_name, client_version; /* at most 64 bytes each are kept */
	int64_t issued_us;
	struct str nonce; /* 16 bytes, hex: names the session in memory-held tables */
};

struct mcp_request {
	enum mcp_kind kind;
	enum mcp_revision revision;
	bool modern;
	enum mcp_method method;
	struct str method_name;
	struct str id; /* raw JSON of the id; empty: none */
	struct json params; /* an object; empty when there were none */
	struct mcp_capabilities can;
	struct str client_name, client_version;
	struct str progress_token; /* raw JSON; empty: none */
	struct str log_level; /* modern: from _meta; empty: none */
	struct str trace_id; /* of a valid traceparent */
	const struct json *input_responses; /* an object; NULL: none given */
	struct str request_state; /* sealed, as given */
	struct mcp_session session; /* legacy */
	/* MCP_INITIALIZE */
	struct str wanted_version;
	/* MCP_RESPONSE */
	const struct json *result; /* NULL: it was an error */
};

/* Why a message is not served; becomes one JSON-RPC error (or none, for a notification). */
struct mcp_refusal {
	int http_status;
	int code; /* -32700 … */
	const char *reason; /* "depth", "batch", "bad_id", "header_mismatch", …: for the record */
	struct str message;
	struct str data_json; /* or empty */
	struct str id; /* raw JSON, or empty: left out */
};

/* Session as known by other means: on stdio the process's own (after initialize), NULL before.
 * On HTTP legacy requests carry it in headers->session, opened with seal and bound to `binding`
 * (the principal); `ended` says whether a session is over before its time. */
struct mcp_context {
	const struct seal *seal;
	struct str binding;
	const struct mcp_session *stdio_session;
	bool (*ended)(void *ctx, const struct mcp_session *session);
	void *ctx;
	int64_t wall_us;
};

/* text → one message (not a batch).  False: refused; *out then holds what had been read so far
 * (kind, method_name, id), for the record.  initialize on stdio does not need m->seal.  An id must
 * be a string or an integer written in plain digits, at most 256 bytes as sent. */
bool mcp_read(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	const struct json *message, struct mcp_request *out, struct mcp_refusal *why) must_check;

/* The JSON text itself: parse errors as refusals (-32700 with data.reason).  *batch_out: it is an
 * array; whether one may be served is mcp_batch_allowed's to say (2025-03-26 session or, on HTTP
 * without a session header, MCP-Protocol-Version 2025-03-26). */
bool mcp_parse(struct arena *a, struct str text, bool http, struct json *out, bool *batch_out,
	struct mcp_refusal *why) must_check;
bool mcp_batch_allowed(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	const struct json *batch, struct mcp_refusal *why) must_check;

/* The id of the session that an initialize opened (mcp_request.session): visible ASCII, sealed,
 * bound to m->binding, good for MCP_SESSION_DAYS. */
#define MCP_SESSION_DAYS 30
struct str mcp_session_make(
	struct arena *a, const struct mcp_context *m, struct mcp_session *session);
/* False: not one of ours, of another principal, or expired.  Does not ask m->ended. */
bool mcp_session_open(struct arena *a, const struct mcp_context *m, struct str id,
	struct mcp_session *out) must_check;
