/* Fuzzing of http_parse.  The first byte chooses how the rest is split.  Held: what comes out does
 * not depend on the splitting, and a request that is accepted passes a second, slower reader of its
 * own.  What is missing is never more than what makes the body, and 100 is asked for once.
 *
 * covers: src/transport/http_head.c src/transport/http_parse.c */
#include "transport/http_parse.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS 8
#define INPUT_MOST ((size_t)4096)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = { 256, 512, HEADERS, 128 };

/* --- what came out, as text --- */

static void put(struct buf *out, struct str s)
{
	buf_u64(out, s.n);
	buf_char(out, ':');
	buf_add(out, s);
	buf_char(out, '\n');
}

static void describe(struct buf *out, const struct http_request *r)
{
	put(out, r->method);
	put(out, r->path);
	put(out, r->query);
	put(out, r->host);
	put(out, r->body);
	buf_fmt(out, "%d %d %zu\n", r->minor_1, r->keep_alive, r->header_count);
	for (size_t i = 0; i < r->header_count; i++) {
		put(out, r->headers[i].name);
		put(out, r->headers[i].value);
	}
}

static size_t next_step(uint32_t *seed)
{
	if (*seed == 0)
		return INPUT_MOST; /* all at once */
	*seed = *seed * 1664525 + 1013904223;
	return 1 + (*seed >> 24) % 7 * ((*seed >> 20) % 5); /* often 1 */
}

static void check_waiting(struct http_parser *p, const struct buf *in)
{
	size_t missing = http_parse_missing(p, in);

	bug_on(!missing || missing > limits.body + 2);
	(void)http_parse_continue(p, in);
	bug_on(http_parse_continue(p, in));
}

static void run(struct str input, uint32_t seed, struct buf *out)
{
	struct http_header headers[HEADERS];
	struct http_refusal why;
	struct http_parser p;
	struct buf in;
	enum http_parse_state state = HTTP_MORE;

	buf_init(&in, INPUT_MOST);
	http_parse_begin(&p, &limits, headers);
	while (state != HTTP_REFUSED && input.n) {
		size_t n = MIN(next_step(&seed), input.n);

		buf_add(&in, str_sub(input, 0, n));
		input = str_from(input, n);
		while ((state = http_parse(&p, &in, &why)) == HTTP_READY) {
			describe(out, &p.request);
			http_parse_next(&p, &in);
		}
		if (state == HTTP_MORE)
			check_waiting(&p, &in);
	}
	buf_fmt(out, "%s\n", state == HTTP_REFUSED ? why.reason : "more");
	buf_done(&in);
}

/* --- the second reader: only what it knows well is allowed --- */

static bool has_name(struct str line, const char *name)
{
	return line.n > strlen(name) && line.p[strlen(name)] == ':' &&
	       str_eq_ci(str_sub(line, 0, strlen(name)), str_c(name));
}

static struct str value_of(struct str line)
{
	return str_trim(str_from(line, str_find(line, 0, ':') + 1));
}

struct head {
	size_t hosts, lengths, codings;
	struct str length;
};

static void check_line(struct str line, struct head *h)
{
	size_t colon = str_find(line, 0, ':');

	bug_on(!line.n || colon == 0 || colon == line.n);
	for (size_t i = 0; i < line.n; i++)
		bug_on((unsigned char)line.p[i] < ' ' && line.p[i] != '\t');
	for (size_t i = 0; i < colon; i++)
		bug_on(line.p[i] <= ' ' || line.p[i] >= 0x7f);
	h->hosts += has_name(line, "host");
	h->codings += has_name(line, "transfer-encoding");
	if (has_name(line, "content-length")) {
		h->lengths++;
		h->length = value_of(line);
	}
	bug_on(has_name(line, "transfer-encoding") && !str_eq_ci(value_of(line), S("chunked")));
	bug_on(has_name(line, "content-encoding"));
}

/* Decodes chunks one after the other; checks them against the body. */
static void check_chunks(struct str raw, struct str body)
{
	for (;;) {
		char *end;
		size_t eol = str_find_str(raw, 0, S("\r\n"));
		unsigned long size;

		bug_on(eol == raw.n || !eol);
		size = strtoul(raw.p, &end, 16);
		bug_on(end == raw.p || raw.p[0] == '+' || raw.p[0] == '-' || raw.p[0] == ' ');
		bug_on(end != raw.p + eol && *end != ';');
		raw = str_from(raw, eol + 2);
		if (size == 0)
			break;
		bug_on(size > body.n || !str_eq(str_sub(raw, 0, size), str_sub(body, 0, size)));
		body = str_from(body, size);
		raw = str_from(raw, size);
		bug_on(!str_starts(raw, S("\r\n")));
		raw = str_from(raw, 2);
	}
	bug_on(body.n);
}

static void check_accepted(struct str raw, const struct http_request *r)
{
	struct head h = { 0 };
	size_t end, eol;
	uint64_t n = 0;

	if (str_starts(raw, S("\r\n")))
		raw = str_from(raw, 2);
	end = str_find_str(raw, 0, S("\r\n\r\n"));
	eol = str_find_str(raw, 0, S("\r\n"));
	bug_on(end == raw.n);
	bug_on(!str_ends(str_sub(raw, 0, eol), r->minor_1 ? S(" HTTP/1.1") : S(" HTTP/1.0")));
	for (size_t at = eol + 2; at < end + 2; at = eol + 2) {
		eol = str_find_str(raw, at, S("\r\n"));
		check_line(str_sub(raw, at, eol - at), &h);
	}
	bug_on(h.hosts != 1 || h.lengths > 1 || h.codings > 1 || h.lengths + h.codings > 1);
	bug_on(h.codings && !r->minor_1);
	raw = str_from(raw, end + 4);
	if (h.codings) {
		check_chunks(raw, r->body);
		return;
	}
	bug_on(h.lengths && !str_to_u64(h.length, &n));
	bug_on(r->body.n != n || !str_eq(str_sub(raw, 0, (size_t)n), r->body));
}

static void check_first(struct str input)
{
	struct http_header headers[HEADERS];
	struct http_refusal why;
	struct http_parser p;
	struct buf in;

	buf_init(&in, INPUT_MOST + 1);
	buf_add(&in, input);
	http_parse_begin(&p, &limits, headers);
	if (http_parse(&p, &in, &why) == HTTP_READY) {
		struct arena a;

		arena_init(&a, 2 * INPUT_MOST);
		check_accepted(arena_str(&a, input), &p.request); /* strtoul wants its NUL */
		arena_done(&a);
	}
	buf_done(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, split, bytes;
	struct str input;

	if (size < 2 || size > INPUT_MOST)
		return 0;
	input = str_n(data + 1, size - 1);
	buf_init(&whole, (size_t)1 << 22);
	buf_init(&split, (size_t)1 << 22);
	buf_init(&bytes, (size_t)1 << 22);
	run(input, 0, &whole);
	run(input, data[0] + 1u, &split);
	run(input, data[0] * 977u + 12345u, &bytes);
	bug_on(!str_eq(buf_str(&whole), buf_str(&split)));
	bug_on(!str_eq(buf_str(&whole), buf_str(&bytes)));
	check_first(input);
	buf_done(&whole);
	buf_done(&split);
	buf_done(&bytes);
	return 0;
}
