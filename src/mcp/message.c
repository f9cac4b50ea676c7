/* message - see message.h.
 *
 * The ladder, for a request that came over HTTP (stdio has no headers and skips what compares
 * them). CLAIM: params._meta names a protocol version.
 *
 *   not a JSON-RPC message                                        400 -32600
 *   CLAIM: envelope malformed 400 -32602; header names another version 400 -32020; version not
 *          served 400 -32022; version, method or name header missing or different 400 -32020;
 *          no such method 404 -32601                              else modern
 *   no CLAIM, initialize: modern header 400 -32020                else the legacy handshake
 *   no CLAIM, modern header                                       400 -32602, never legacy
 *   no CLAIM                                                      legacy: by session
 *
 * Invariants: 1. the body alone makes a request modern, never a header, and no header makes an
 * enveloped request legacy.  2. a legacy request is served only in a live session of this
 * principal. */
#include "mcp/message.h"

#include "json/write.h"
#include "mcp/envelope.h"
#include "mcp/header.h"
#include "mcp/meta.h"
#include "mcp/method.h"
#include "mcp/refuse.h"
#include "mcp/session.h"

#define SMALL_TEXT ((size_t)4096)
#define STATE_MAX ((size_t)1 << 20)

/* One message on its way down the ladder. */
struct reading {
	struct arena *a;
	const struct mcp_context *m;
	const struct mcp_headers *h;
	struct mcp_request *out;
	struct mcp_refusal *why;
	bool params_bad;
	struct str version; /* MCP-Protocol-Version, trimmed; empty: none */
};

/* --- the text --- */

bool mcp_parse(struct arena *a, struct str text, bool http, struct json *out, bool *batch_out,
	struct mcp_refusal *why)
{
	struct json_error error;

	if (json_parse(a, text, out, &error)) {
		*batch_out = out->kind == JSON_ARRAY;
		return true;
	}
	*why = (struct mcp_refusal){ 0 };
	why->data_json = arena_fmt(a, "{\"reason\":\"%s\",\"offset\":%zu}",
		json_fault_name(error.fault), error.offset);
	return mcp_refuse(why, 400, RPC_PARSE, json_fault_name(error.fault),
		http ? S("the body is not one JSON value that is accepted here")
		     : S("the line is not one JSON value that is accepted here"));
}

/* --- batches --- */

static bool is_for_itself(const struct json *message)
{
	return mcp_meta_claim(json_get(message, S("params"))) ||
	       str_eq(json_get_str(message, S("method")), S("initialize"));
}

static bool batch_revision(struct arena *a, const struct mcp_context *m,
	const struct mcp_headers *h, enum mcp_revision *out, struct mcp_refusal *why)
{
	struct mcp_session session = { 0 };

	if (h->http && mcp_version_is_modern(str_trim(h->version)))
		return mcp_refuse(why, 400, RPC_INVALID, "batch",
			S("this protocol version has no batches; send one message at a time"));
	if (!h->http && m->stdio_session)
		session = *m->stdio_session;
	else if (h->http && h->session_given && !mcp_session_of(a, m, h, &session, why))
		return false;
	else if (h->http && !h->session_given)
		session.on = mcp_revision_find(str_trim(h->version), &session.revision);
	*out = session.revision;
	return session.on ||
	       mcp_refuse(why, 400, RPC_INVALID, "batch", S("send one message at a time"));
}

bool mcp_batch_allowed(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	const struct json *batch, struct mcp_refusal *why)
{
	enum mcp_revision revision = MCP_2024_11_05;

	*why = (struct mcp_refusal){ 0 };
	if (!batch->count)
		return mcp_refuse(why, 400, RPC_INVALID, "batch", S("an empty batch asks nothing"));
	if (!batch_revision(a, m, h, &revision, why))
		return false;
	if (!mcp_revision_info(revision)->batches)
		return mcp_refuse(why, 400, RPC_INVALID, "batch",
			S("this protocol version has no batches; send one message at a time"));
	for (uint32_t i = 0; i < batch->count; i++)
		if (is_for_itself(&batch->items[i]))
			return mcp_refuse(why, 400, RPC_INVALID, "batch",
				S("initialize and requests of 2026-07-28 do not go into a batch"));
	return true;
}

/* --- modern --- */

static bool header_mismatch(struct reading *r, struct str message)
{
	return mcp_refuse(r->why, 400, RPC_HEADER, "header_mismatch", message);
}

static bool refuse_version(struct reading *r)
{
	struct buf data;
	struct jw w;

	buf_in(&data, r->a, SMALL_TEXT);
	jw_init(&w, &data);
	jw_object(&w);
	jw_name(&w, S("supported"));
	jw_array(&w);
	jw_str(&w, mcp_revision_info(MCP_2026_07_28)->name);
	jw_array_end(&w);
	jw_put_str(&w, S("requested"), mcp_say_name(r->a, STR_NONE, r->out->wanted_version));
	jw_object_end(&w);
	r->why->data_json = buf_str(&data);
	return mcp_refuse(r->why, 400, RPC_VERSION, "protocol_version",
		S("this protocol version is not served"));
}

static bool name_header_agrees(struct reading *r)
{
	struct str member = mcp_method_mirrored(mcp_method_find(r->out->method_name, true));
	const struct json *name = json_get(&r->out->params, member);

	if (!member.n)
		return true;
	if (!name && !r->h->name_given)
		return true; /* the body is wrong by itself: -32602 says so better */
	return name && r->h->name_given && mcp_header_mirrors(r->a, r->h->name, name);
}

static bool check_mirrors(struct reading *r)
{
	struct str text;

	if (!r->h->http)
		return true;
	if (r->h->doubled)
		return header_mismatch(r, S("an MCP header was sent more than once"));
	if (!r->h->version_given)
		return header_mismatch(r, S("the header MCP-Protocol-Version is missing"));
	if (!r->h->method_given || !mcp_header_text(r->a, r->h->method, &text) ||
		!str_eq(str_trim(r->h->method), r->out->method_name))
		return header_mismatch(
			r, S("the header Mcp-Method does not say what the body says"));
	if (!name_header_agrees(r))
		return header_mismatch(r, S("the header Mcp-Name does not say what the body says"));
	return true;
}

static bool no_method(struct reading *r, int status)
{
	return mcp_refuse(r->why, status, RPC_NO_METHOD, "method",
		mcp_say_name(r->a, S("there is no method "), r->out->method_name));
}

/* Answers to what was asked before (input requests); only these methods may have been asked. */
static bool read_answers(struct reading *r)
{
	struct mcp_request *out = r->out;
	const struct json *answers = json_get(&out->params, S("inputResponses"));
	const struct json *state = json_get(&out->params, S("requestState"));

	if (out->method != MCP_TOOLS_CALL && out->method != MCP_PROMPTS_GET &&
		out->method != MCP_RESOURCES_READ)
		return true;
	if (answers && answers->kind != JSON_OBJECT)
		return mcp_refuse(r->why, 200, RPC_PARAMS, "input_responses",
			S("params.inputResponses must be an object"));
	/* an empty state is one that we never gave: refused here, since empty means none further on
	 */
	if (state && (state->kind != JSON_STRING || !state->text.n || state->text.n > STATE_MAX))
		return mcp_refuse(r->why, 200, RPC_PARAMS, "request_state",
			S("params.requestState must be the string that came with the questions"));
	out->input_responses = answers;
	out->request_state = state ? state->text : STR_NONE;
	return true;
}

static bool read_modern(struct reading *r)
{
	struct mcp_request *out = r->out;

	out->modern = true;
	out->revision = MCP_2026_07_28;
	if (!mcp_meta_unambiguous(&out->params, r->why) ||
		!mcp_meta_read(&out->params, out, r->why))
		return false;
	if (r->h->http && r->h->version_given && !str_eq(r->version, out->wanted_version))
		return header_mismatch(
			r, S("the header MCP-Protocol-Version does not say what the body says"));
	if (!str_eq(out->wanted_version, mcp_revision_info(MCP_2026_07_28)->name))
		return refuse_version(r);
	if (!check_mirrors(r))
		return false;
	out->method = mcp_method_find(out->method_name, true);
	if (out->method == MCP_UNKNOWN)
		return no_method(r, 404);
	return read_answers(r);
}

static bool refuse_unclaimed(struct reading *r)
{
	bool without = r->params_bad || !r->out->params.count;

	return mcp_refuse(r->why, 400, RPC_PARAMS, without ? "params" : "meta",
		S("a request of 2026-07-28 is an object params whose _meta holds \"" META_VERSION
		  "\" and \"" META_CAPABILITIES "\""));
}

/* --- legacy --- */

static bool in_a_session(struct reading *r)
{
	struct mcp_session ignored;
	struct mcp_refusal unheard;

	if (!r->h->http)
		return r->m->stdio_session && r->m->stdio_session->on;
	return r->h->session_given && mcp_session_of(r->a, r->m, r->h, &ignored, &unheard);
}

static bool read_initialize(struct reading *r)
{
	struct mcp_request *out = r->out;
	enum mcp_revision revision = MCP_2025_11_25;

	out->method = MCP_INITIALIZE;
	if (mcp_version_is_modern(r->version))
		return header_mismatch(
			r, S("initialize opens a session of an earlier protocol version than the "
			     "header MCP-Protocol-Version names"));
	if (r->h->doubled)
		return mcp_refuse(r->why, 400, RPC_INVALID, "header_doubled",
			S("an MCP header was sent more than once"));
	if (r->params_bad)
		return mcp_refuse(r->why, 400, RPC_PARAMS, "params", S("params must be an object"));
	if (in_a_session(r))
		return mcp_refuse(r->why, 400, RPC_INVALID, "initialized",
			S("this session is initialized already"));
	if (!mcp_meta_unambiguous(&out->params, r->why) ||
		!mcp_meta_read_initialize(&out->params, out, r->why))
		return false;
	/* an unknown version is not an error: the client decides whether ours will do */
	if (!mcp_revision_find(out->wanted_version, &revision) ||
		mcp_revision_info(revision)->modern)
		revision = MCP_2025_11_25;
	out->revision = revision;
	mcp_session_begin(r->a, r->m, revision, &out->session);
	out->session.can = out->can;
	out->session.client_name = out->client_name;
	out->session.client_version = out->client_version;
	return true;
}

static bool join_session(struct reading *r)
{
	struct mcp_request *out = r->out;

	if (r->h->http) {
		if (!mcp_session_of(r->a, r->m, r->h, &out->session, r->why))
			return false;
	} else if (in_a_session(r)) {
		out->session = *r->m->stdio_session;
	} else {
		return mcp_refuse(r->why, 400, RPC_INVALID, "not_initialized",
			S("this connection is not initialized: send initialize first"));
	}
	out->revision = out->session.revision;
	out->can = out->session.can;
	out->client_name = out->session.client_name;
	out->client_version = out->session.client_version;
	return true;
}

static bool read_legacy(struct reading *r)
{
	struct mcp_request *out = r->out;

	out->method = mcp_method_find(out->method_name, false);
	if (!r->h->http && out->method == MCP_PING && !in_a_session(r)) {
		out->revision = MCP_2025_11_25;
		return true; /* the one thing that may come before initialize */
	}
	if (!join_session(r))
		return false;
	if (out->method == MCP_UNKNOWN)
		return no_method(r, 200);
	if (r->params_bad)
		return mcp_refuse(r->why, 200, RPC_PARAMS, "params", S("params must be an object"));
	if (!mcp_meta_unambiguous(&out->params, r->why)) {
		r->why->http_status = 200;
		return false;
	}
	mcp_meta_read_legacy(&out->params, out);
	return true;
}

/* --- one message --- */

static bool read_request(struct reading *r)
{
	bool initialize = str_eq(r->out->method_name, S("initialize"));
	bool modern_only = mcp_method_find(r->out->method_name, true) != MCP_UNKNOWN &&
			   mcp_method_find(r->out->method_name, false) == MCP_UNKNOWN;

	if (mcp_meta_claim(&r->out->params))
		return read_modern(r);
	if (initialize)
		return read_initialize(r);
	/* on stdio, what only the modern era has shows the era where a header would */
	if (mcp_version_is_modern(r->version) || (!r->h->http && modern_only && !in_a_session(r)))
		return refuse_unclaimed(r);
	return read_legacy(r);
}

/* A notification of the modern era, or on a pipe before initialize, belongs to no session: there
 * is nothing that "initialized" could open then. */
static bool read_notification(struct reading *r)
{
	struct mcp_request *out = r->out;

	if (r->params_bad)
		return mcp_refuse(r->why, 400, RPC_PARAMS, "params", S("params must be an object"));
	if (!mcp_meta_unambiguous(&out->params, r->why))
		return false;
	out->method = mcp_note_find(out->method_name);
	if (mcp_meta_claim(&out->params) || mcp_version_is_modern(r->version) ||
		(!r->h->http && !in_a_session(r))) {
		out->modern = true;
		out->revision = MCP_2026_07_28;
		if (out->method == MCP_NOTE_INITIALIZED)
			out->method = MCP_NOTE_OTHER;
		return true;
	}
	return join_session(r);
}

static bool read_response(struct reading *r)
{
	bool outside = r->h->http ? mcp_version_is_modern(r->version) || !r->h->session_given
				  : !in_a_session(r);

	if (outside)
		return mcp_refuse(r->why, 400, RPC_INVALID, "response_from_client",
			S("this server asked nothing: responses belong to a session"));
	return join_session(r);
}

bool mcp_read(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	const struct json *message, struct mcp_request *out, struct mcp_refusal *why)
{
	struct reading r = { .a = a, .m = m, .h = h, .out = out, .why = why };

	*out = (struct mcp_request){ 0 };
	*why = (struct mcp_refusal){ 0 };
	if (h->http && h->version_given)
		r.version = str_trim(h->version);
	if (!mcp_envelope_read(message, out, &r.params_bad, why))
		return false;
	if (out->kind == MCP_REQUEST)
		return read_request(&r);
	return out->kind == MCP_NOTIFICATION ? read_notification(&r) : read_response(&r);
}
