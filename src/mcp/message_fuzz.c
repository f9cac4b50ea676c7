/* message_fuzz - any bytes as headers and a message.
 *
 * Input: lines "HEADER=value" (version, method, name, param, session, stdio, doubled), an empty
 * line, the message.  "session=live" stands for a session of the fixed key.  Properties: what is
 * served has an id that reads back as the same value and a method of its era; what is refused has a
 * code of the known set, and both the refusal and the reply are one line of JSON. */
#include "mcp/message.h"

#include "base/scan.h"
#include "mcp/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "an entirely fixed key of 32 byte"
#define ARENA_BYTES ((size_t)64 << 20)
#define NOW_US ((int64_t)1790000000 * 1000000)

struct input_of_fuzz {
	struct mcp_headers headers;
	struct mcp_param_header param;
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
	static const int codes[] = { -32700, -32600, -32601, -32602, -32020, -32022 };
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

static void run(
	struct arena *a, const struct mcp_context *m, struct input_of_fuzz *f, struct str text)
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
		if (mcp_read(a, m, &f->headers, batch ? &message.items[i] : &message, &r, &why))
			check_served(a, &r);
		else
			check_refusal(a, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_of_fuzz f = { .headers.http = true };
	struct seal seal;
	struct mcp_context m = {
		.seal = &seal, .binding = S("b"), .stdio_session = &f.session, .wall_us = NOW_US
	};
	struct arena a;

	if (size > (size_t)64 << 10)
		return 0;
	bug_on(!seal_init(&seal, S(KEY)));
	arena_init(&a, ARENA_BYTES);
	make_session(&a, &m, &f);
	run(&a, &m, &f, read_headers(&f, str_n(data, size)));
	arena_done(&a);
	seal_done(&seal);
	return 0;
}
