/* message_fuzz - any bytes as headers and a message, and what it names in a small catalog.
 *
 * Input: lines "HEADER=value" (version, method, name, session, stdio, doubled, and param=NAME:VALUE
 * for Mcp-Param-NAME), an empty line, the message.  "session=live" stands for a session of the
 * fixed key.  Properties: what is served has an id that reads back as the same value and a method
 * of its era; what is refused has a code of the known set, and both the refusal and the reply are
 * one line of JSON.  What is found is not hidden, its arguments are an object, and a mirrored
 * argument has one header; what is hidden is refused as what does not exist is, to the byte.
 *
 * covers: src/mcp/message.c src/mcp/envelope.c src/mcp/header.c src/mcp/meta.c src/mcp/method.c
 * covers: src/mcp/names.c src/mcp/refuse.c src/mcp/session.c */
#include "mcp/message.h"

#include "base/scan.h"
#include "mcp/names_fixture.h"
#include "mcp/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "an entirely fixed key of 32 byte"
#define ARENA_BYTES ((size_t)64 << 20)
#define NOW_US ((int64_t)1790000000 * 1000000)
#define PARAMS 4

struct input_of_fuzz {
	struct mcp_headers headers;
	struct mcp_param_header params[PARAMS];
	struct mcp_session session;
	struct str session_id;
};

static void check_reply(struct arena *a, const struct buf *out, struct str id)
{
	struct json_error error;
	struct json message, wanted;
	const struct json *got;

	bug_on(!buf_ok(out) || str_has(buf_str(out), '\n'));
	bug_on(!json_parse(a, buf_str(out), &message, &error));
	got = json_get(&message, S("id"));
	bug_on(!got != !id.n);
	bug_on(got && (!json_parse(a, id, &wanted, &error) || !json_equal(got, &wanted)));
}

static void check_refusal(struct arena *a, const struct mcp_refusal *why)
{
	static const int codes[] = { -32700, -32600, -32601, -32602, -32020, -32022, -32002 };
	bool known = false;
	struct buf out;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		known = known || codes[i] == why->code;
	bug_on(!known || !why->reason || !why->message.n);
	bug_on(why->http_status != 200 && why->http_status != 400 && why->http_status != 404);
	buf_in(&out, a, (size_t)1 << 16);
	mcp_write_error(&out, why);
	check_reply(a, &out, why->id);
}

static void check_served(struct arena *a, const struct mcp_request *r)
{
	struct buf out;

	bug_on(r->modern != mcp_revision_info(r->revision)->modern);
	bug_on(r->kind == MCP_NOTIFICATION ? r->id.n > 0 : !r->id.n);
	if (r->kind != MCP_REQUEST)
		return;
	bug_on(r->method == MCP_UNKNOWN || r->method >= MCP_NOTE_INITIALIZED);
	bug_on(r->input_responses && r->input_responses->kind != JSON_OBJECT);
	bug_on(!r->modern && !r->session.on && r->method != MCP_PING);
	buf_in(&out, a, (size_t)1 << 16);
	mcp_write_empty(&out, r);
	check_reply(a, &out, r->id);
}

/* --- what it names --- */

static bool names_something(enum mcp_method method)
{
	return method == MCP_TOOLS_CALL || method == MCP_PROMPTS_GET ||
	       method == MCP_RESOURCES_READ || method == MCP_COMPLETE;
}

static bool nothing_visible(void *ctx, const struct entry *e)
{
	(void)ctx;
	(void)e;
	return false;
}

/* The kinds are there, but nothing of them. */
static void check_hidden(struct arena *a, const struct world *w, const struct mcp_request *r,
	const struct mcp_headers *h)
{
	const struct catalog nothing = { .tool_count = 1, .prompt_count = 1, .resource_count = 1 };
	struct mcp_refusal hidden, absent;
	struct mcp_target out;

	bug_on(mcp_target(a, &w->catalog, r, h, nothing_visible, NULL, &out, &hidden));
	bug_on(mcp_target(a, &nothing, r, h, visible, NULL, &out, &absent));
	bug_on(hidden.code != absent.code || hidden.http_status != absent.http_status);
	bug_on(!str_eq(hidden.message, absent.message) ||
		!str_eq(hidden.data_json, absent.data_json));
}

static void check_mirrors(
	const struct mcp_target *t, const struct mcp_request *r, const struct mcp_headers *h)
{
	for (size_t i = 0; i < t->entry->input_count; i++) {
		const struct input *input = &t->entry->inputs[i];
		const struct json *v = json_get(&t->arguments, input->name);
		size_t count = 0;

		for (size_t k = 0; k < h->param_count; k++)
			count += str_eq_ci(h->params[k].name, input->header);
		if (h->http && r->modern && input->header.n)
			bug_on(count != (v && v->kind != JSON_NULL));
	}
}

static void check_named(
	struct arena *a, struct world *w, const struct mcp_request *r, const struct mcp_headers *h)
{
	struct mcp_refusal why;
	struct mcp_target out;

	check_hidden(a, w, r, h);
	if (!mcp_target(a, &w->catalog, r, h, visible, w, &out, &why)) {
		check_refusal(a, &why);
		return;
	}
	bug_on(out.arguments.kind != JSON_OBJECT);
	bug_on(!out.entry && r->method != MCP_COMPLETE);
	bug_on(out.entry && !visible(w, out.entry));
	if (r->method == MCP_TOOLS_CALL)
		check_mirrors(&out, r, h);
}

static void read_header(struct input_of_fuzz *f, struct str name, struct str value)
{
	struct mcp_headers *h = &f->headers;

	if (str_eq(name, S("version"))) {
		h->version = value;
		h->version_given = true;
	} else if (str_eq(name, S("method"))) {
		h->method = value;
		h->method_given = true;
	} else if (str_eq(name, S("name"))) {
		h->name = value;
		h->name_given = true;
	} else if (str_eq(name, S("session"))) {
		h->session = str_eq(value, S("live")) ? f->session_id : value;
		h->session_given = true;
	} else if (str_eq(name, S("stdio"))) {
		h->http = false;
		f->session.on = str_eq(value, S("live"));
	} else if (str_eq(name, S("doubled"))) {
		h->doubled = true;
	} else if (str_eq(name, S("param")) && h->param_count < PARAMS) {
		struct mcp_param_header *p = &f->params[h->param_count++];

		(void)str_cut(value, ':', &p->name, &p->value);
		h->params = f->params;
	}
}

static struct str read_headers(struct input_of_fuzz *f, struct str text)
{
	struct scan s = scan_of(text);
	struct str line, name, value;

	while (scan_until(&s, '\n', &line) && line.n)
		if (str_cut(line, '=', &name, &value))
			read_header(f, name, value);
	return scan_rest(&s);
}

static void make_session(struct arena *a, const struct mcp_context *m, struct input_of_fuzz *f)
{
	f->session = (struct mcp_session){ .on = true,
		.revision = MCP_2025_03_26,
		.issued_us = NOW_US,
		.nonce = S("000102030405060708090a0b0c0d0e0f") };
	f->session_id = mcp_session_make(a, m, &f->session);
}

static void run(struct arena *a, const struct mcp_context *m, struct world *w,
	struct input_of_fuzz *f, struct str text)
{
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message;
	uint32_t count = 1;
	bool batch;

	if (!mcp_parse(a, text, f->headers.http, &message, &batch, &why)) {
		check_refusal(a, &why);
		return;
	}
	if (batch) {
		if (!mcp_batch_allowed(a, m, &f->headers, &message, &why)) {
			check_refusal(a, &why);
			return;
		}
		count = MIN(message.count, 20u);
	}
	for (uint32_t i = 0; i < count; i++)
		if (mcp_read(a, m, &f->headers, batch ? &message.items[i] : &message, &r, &why)) {
			check_served(a, &r);
			if (names_something(r.method))
				check_named(a, w, &r, &f->headers);
		} else {
			check_refusal(a, &why);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_of_fuzz f = { .headers.http = true };
	struct seal seal;
	struct mcp_context m = {
		.seal = &seal, .binding = S("b"), .stdio_session = &f.session, .wall_us = NOW_US
	};
	struct world w;
	struct arena a;

	if (size > (size_t)64 << 10)
		return 0;
	world_init(&w);
	w.hidden = &other_tool;
	bug_on(!seal_init(&seal, S(KEY)));
	arena_init(&a, ARENA_BYTES);
	make_session(&a, &m, &f);
	run(&a, &m, &w, &f, read_headers(&f, str_n(data, size)));
	arena_done(&a);
	world_done(&w);
	seal_done(&seal);
	return 0;
}
