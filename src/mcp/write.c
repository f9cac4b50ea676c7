/* write - see write.h.  Lists are in list.c, listen's messages in listen.c, questions in ask.c. */
#include "mcp/write.h"

#include "mcp/adapt.h"
#include "mcp/refuse.h"
#include "mcp/reply.h"

void mcp_write_error(struct buf *out, const struct mcp_refusal *why)
{
	struct jw w;

	jw_init(&w, out);
	jw_object(&w);
	jw_put_str(&w, S("jsonrpc"), S("2.0"));
	if (why->id.n) /* never null: the schema of no revision allows it */
		jw_put_raw(&w, S("id"), why->id);
	jw_name(&w, S("error"));
	jw_object(&w);
	jw_put_i64(&w, S("code"), why->code);
	jw_put_str(&w, S("message"), why->message);
	if (why->data_json.n)
		jw_put_raw(&w, S("data"), why->data_json);
	jw_object_end(&w);
	jw_object_end(&w);
}

void mcp_write_call_error(
	struct buf *out, const struct mcp_refusal *why, const struct receipt *receipt)
{
	bug_on(!receipt);
	mcp_write_error(out, why);
}

void mcp_write_empty(struct buf *out, const struct mcp_request *r)
{
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	jw_object_end(&w); /* no _meta: {} exactly is what clients count on */
	jw_object_end(&w);
}

/* --- opening --- */

static void write_capability(struct jw *w, struct str name, bool list_changed, bool subscribe)
{
	jw_name(w, name);
	jw_object(w);
	if (list_changed)
		jw_put_bool(w, S("listChanged"), true);
	if (subscribe)
		jw_put_bool(w, S("subscribe"), true);
	jw_object_end(w);
}

static void write_capabilities(
	struct jw *w, const struct mcp_server_info *s, enum mcp_revision revision)
{
	jw_name(w, S("capabilities"));
	jw_object(w);
	if (s->tools)
		write_capability(w, S("tools"), true, false);
	if (s->resources)
		write_capability(w, S("resources"), true, true);
	if (s->prompts)
		write_capability(w, S("prompts"), true, false);
	if (s->completions && revision >= MCP_2025_03_26)
		write_capability(w, S("completions"), false, false);
	if (s->logging)
		write_capability(w, S("logging"), false, false);
	jw_object_end(w);
}

void mcp_write_discover(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r)
{
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	jw_name(&w, S("supportedVersions"));
	jw_array(&w);
	for (unsigned i = 0; i < MCP_REVISIONS; i++)
		if (mcp_revision_info((enum mcp_revision)i)->modern)
			jw_str(&w, mcp_revision_info((enum mcp_revision)i)->name);
	jw_array_end(&w);
	write_capabilities(&w, s, r->revision);
	if (s->instructions.n)
		jw_put_str(&w, S("instructions"), s->instructions);
	reply_cacheable(&w, r, REPLY_DISCOVER_MS, true);
	reply_end(&w, s, r, STR_NONE);
}

void mcp_write_initialize(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r)
{
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	jw_put_str(&w, S("protocolVersion"), mcp_revision_info(r->revision)->name);
	write_capabilities(&w, s, r->revision);
	jw_name(&w, S("serverInfo"));
	reply_server(&w, s, r->revision);
	if (s->instructions.n)
		jw_put_str(&w, S("instructions"), s->instructions);
	reply_end(&w, s, r, STR_NONE);
}

/* --- results of calls --- */

/* The members of an object's text, without its braces: results may be large and are not parsed. */
static struct str inside(struct str object)
{
	bug_on(object.n < 2 || object.p[0] != '{' || object.p[object.n - 1] != '}');
	return str_sub(object, 1, object.n - 2);
}

static void write_call_result(struct buf *out, const struct mcp_server_info *s,
	const struct mcp_request *r, struct str result_json, bool mock)
{
	struct str members = inside(mcp_adapt_result(out->arena, r, result_json));
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	if (members.n) {
		if (r->modern)
			buf_char(out, ',');
		buf_add(out, members);
		if (!r->modern && mock)
			buf_char(out, ','); /* w does not know of the members */
	}
	if (r->method == MCP_RESOURCES_READ)
		reply_cacheable(&w, r, 0, false);
	reply_end_marked(&w, s, r, STR_NONE, mock);
}

void mcp_write_result(struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str result_json, bool mock, const struct receipt *receipt)
{
	bug_on(!receipt);
	write_call_result(out, s, r, result_json, mock);
}

void mcp_write_audit_unavailable(struct buf *out, const struct mcp_server_info *s,
	const struct mcp_request *r, struct str result_json)
{
	write_call_result(out, s, r, result_json, false);
}

void mcp_write_no_completion(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r)
{
	struct jw w;

	reply_begin(&w, out, r, S("complete"));
	jw_put_raw(&w, S("completion"), S("{\"values\":[],\"total\":0,\"hasMore\":false}"));
	reply_end(&w, s, r, STR_NONE);
}

/* --- notifications --- */

void mcp_write_progress(struct buf *out, const struct mcp_request *r, uint64_t n, uint64_t total,
	struct str message)
{
	struct jw w;

	note_begin(&w, out, S("notifications/progress"));
	jw_put_raw(&w, S("progressToken"), r->progress_token);
	jw_put_u64(&w, S("progress"), n);
	if (total)
		jw_put_u64(&w, S("total"), total);
	if (message.n && mcp_revision_info(r->revision)->progress_message)
		jw_put_str(&w, S("message"), message);
	note_end(&w, STR_NONE);
}

void mcp_write_log(struct buf *out, struct str level, struct str text)
{
	struct jw w;

	note_begin(&w, out, S("notifications/message"));
	jw_put_str(&w, S("level"), level);
	jw_put_str(&w, S("data"), text);
	note_end(&w, STR_NONE);
}

/* RFC 5424's names, least severe first; 0: not one of them. */
static unsigned severity(struct str level)
{
	static const struct str names[] = { STR_INIT("debug"), STR_INIT("info"), STR_INIT("notice"),
		STR_INIT("warning"), STR_INIT("error"), STR_INIT("critical"), STR_INIT("alert"),
		STR_INIT("emergency") };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(names[i], level))
			return i + 1;
	return 0;
}

bool mcp_log_level_passes(struct str level, struct str least)
{
	return severity(least) && severity(level) >= severity(least);
}

void mcp_write_changed(struct buf *out, struct str what, struct str subscription)
{
	struct buf method;
	struct jw w;

	buf_init(&method, 128);
	buf_lit(&method, "notifications/");
	buf_add(&method, what);
	buf_lit(&method, "/list_changed");
	note_begin(&w, out, buf_str(&method));
	note_end(&w, subscription);
	buf_done(&method);
}

void mcp_write_updated(struct buf *out, struct str uri, struct str subscription)
{
	struct jw w;

	note_begin(&w, out, S("notifications/resources/updated"));
	jw_put_str(&w, S("uri"), uri);
	note_end(&w, subscription);
}
