/* http_parse - see http_parse.h.
 *
 *   REQUEST_LINE → FIELDS ┬→ BODY ─────────────────────────────────────────┬→ DONE
 *                         ├→ CHUNK_SIZE → CHUNK_DATA → CHUNK_END → (again)  │
 *                         │      └ size 0 → TRAILERS ──────────────────────┤
 *                         └→ (no body) ────────────────────────────────────┘
 *
 * Invariants: 1. bytes are judged one after the other, a line when its LF is there, limits before
 * syntax: so the way they were split changes nothing.  2. a size is compared with its limit before
 * a byte behind it is waited for.  3. chunk data moves down over the framing before it, never up.
 * 4. after a refusal nothing more is read. */
#include "transport/http_head.h"

#include <string.h>

#define CHUNK_LINE_MAX ((size_t)256)

struct str http_header_get(const struct http_request *r, struct str name, size_t *count_out)
{
	struct str first = STR_NONE;
	size_t count = 0;

	for (size_t i = 0; i < r->header_count; i++)
		if (str_eq_ci(r->headers[i].name, name) && count++ == 0)
			first = r->headers[i].value;
	if (count_out)
		*count_out = count;
	return first;
}

void http_parse_begin(
	struct http_parser *p, const struct http_limits *limits, struct http_header *headers)
{
	*p = (struct http_parser){ .limits = limits, .headers = headers };
}

static bool refuse(struct http_parser *p, int status, const char *reason, const char *message)
{
	p->why = (struct http_refusal){ status, reason, message };
	return false;
}

/* --- lines --- */

enum line { LINE_MORE, LINE_WHOLE, LINE_LONG, LINE_BAD };

static bool is_text(unsigned char c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

/* Reads on in the line from p->line, `most` bytes with its CRLF; whole: p->at is behind its LF. */
static enum line read_line(struct http_parser *p, const struct buf *in, size_t most)
{
	const unsigned char *bytes = (const unsigned char *)in->p;

	while (p->at < in->n) {
		unsigned char c = bytes[p->at];
		bool after_cr = p->at > p->line && bytes[p->at - 1] == '\r';

		if (p->at - p->line >= most)
			return LINE_LONG;
		if (after_cr ? c != '\n' : c != '\r' && !is_text(c))
			return LINE_BAD;
		p->at++;
		if (c == '\n')
			return LINE_WHOLE;
	}
	return LINE_MORE;
}

/* The line that is whole, without its CRLF; the next one begins. */
static struct str take_line(struct http_parser *p, const struct buf *in)
{
	struct str line = str_n(in->p + p->line, p->at - p->line - 2);

	p->line = p->at;
	return line;
}

static bool step_request_line(struct http_parser *p, const struct buf *in, bool *more_out)
{
	struct str line, authority;

	switch (read_line(p, in, p->limits->request_line)) {
	case LINE_MORE:
		*more_out = true;
		return true;
	case LINE_LONG:
		return refuse(p, 414, "header_limits", "the request line is too long");
	case LINE_BAD:
		return refuse(p, 400, "request_line",
			"a control character, bare CR or bare LF in the request line");
	case LINE_WHOLE:
		break;
	}
	line = take_line(p, in);
	if (!line.n && p->head == 0) {
		p->head = p->line; /* RFC 9112 section 2.2: one stray CRLF is passed over */
		return true;
	}
	p->fields = p->line;
	p->phase = HTTP_FIELDS;
	return http_line_read(line, &p->request, &authority, &p->why);
}

/* One line of fields or trailers; *line_out is empty at the end of them. */
static bool read_section(
	struct http_parser *p, const struct buf *in, bool *more_out, struct str *line_out)
{
	size_t begin = p->line;
	struct http_header field;

	switch (read_line(p, in, p->limits->header_bytes - p->section_bytes)) {
	case LINE_MORE:
		*more_out = true;
		return true;
	case LINE_LONG:
		return refuse(p, 431, "header_limits", "the header fields are too long");
	case LINE_BAD:
		return refuse(p, 400, "header_syntax",
			"a control character, bare CR or bare LF in a header field");
	case LINE_WHOLE:
		break;
	}
	*line_out = take_line(p, in);
	p->section_bytes += p->line - begin;
	if (!line_out->n)
		return true;
	if (++p->section_count > p->limits->header_count)
		return refuse(p, 431, "header_limits", "too many header fields");
	if (!http_field_read(*line_out, &field))
		return refuse(p, 400, "header_syntax",
			"a header field is not: token, colon, value, on one line");
	return true;
}

/* --- the head --- */

/* Points request at the lines, read before and found well, where they lie now. */
static void fill_in(struct http_parser *p, const struct buf *in, struct str *authority_out)
{
	struct str rest = str_n(in->p + p->fields, p->body - p->fields);
	struct http_refusal none;
	bool ok = http_line_read(
		str_n(in->p + p->head, p->fields - p->head - 2), &p->request, authority_out, &none);

	for (size_t i = 0; i < p->request.header_count; i++) {
		size_t end = str_find(rest, 0, '\n');

		ok = ok && http_field_read(str_sub(rest, 0, end - 1), &p->headers[i]);
		rest = str_from(rest, end + 1);
	}
	bug_on(!ok);
	p->base = (uintptr_t)in->p;
}

static bool end_of_fields(struct http_parser *p, const struct buf *in)
{
	struct http_framing framing;
	struct str authority;

	p->body = p->at;
	p->request.headers = p->headers;
	p->request.header_count = p->section_count;
	fill_in(p, in, &authority);
	if (!http_fields_judge(&p->request, authority, &framing, &p->why))
		return false;
	if (framing.length > p->limits->body)
		return refuse(p, 413, "too_large", "the body is too large");
	p->expects = framing.expects && (framing.chunked || framing.length);
	p->left = (size_t)framing.length;
	p->phase = framing.chunked ? HTTP_CHUNK_SIZE : HTTP_BODY;
	return true;
}

static bool step_fields(struct http_parser *p, const struct buf *in, bool *more_out)
{
	struct str line = STR_NONE;

	if (!read_section(p, in, more_out, &line))
		return false;
	return *more_out || line.n || end_of_fields(p, in);
}

/* --- the body --- */

static bool step_body(struct http_parser *p, const struct buf *in, bool *more_out)
{
	size_t here = MIN(p->left, in->n - p->at);

	p->at += here;
	p->body_n += here;
	p->left -= here;
	if (p->left)
		*more_out = true;
	else
		p->phase = HTTP_DONE;
	return true;
}

static bool bad_chunk(struct http_parser *p)
{
	return refuse(
		p, 400, "chunk", "the chunked body is not framed as RFC 9112 section 7.1 says");
}

static bool step_chunk_size(struct http_parser *p, const struct buf *in, bool *more_out)
{
	enum line line = read_line(p, in, CHUNK_LINE_MAX);
	uint64_t size;

	if (line == LINE_MORE) {
		*more_out = true;
		return true;
	}
	if (line != LINE_WHOLE || !http_chunk_read(take_line(p, in), &size))
		return bad_chunk(p);
	if (size > p->limits->body - p->body_n)
		return refuse(p, 413, "too_large", "the body is too large");
	p->left = (size_t)size;
	p->phase = size ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
	p->section_bytes = p->section_count = 0; /* the trailers' from here on */
	return true;
}

static bool step_chunk_data(struct http_parser *p, const struct buf *in, bool *more_out)
{
	size_t here = MIN(p->left, in->n - p->at);

	if (here)
		memmove(in->p + p->body + p->body_n, in->p + p->at, here);
	p->at += here;
	p->line = p->at;
	p->body_n += here;
	p->left -= here;
	if (p->left)
		*more_out = true;
	else
		p->phase = HTTP_CHUNK_END;
	return true;
}

static bool step_chunk_end(struct http_parser *p, const struct buf *in, bool *more_out)
{
	switch (read_line(p, in, 2)) {
	case LINE_MORE:
		*more_out = true;
		/* read_line has seen text where CRLF must stand: do not wait for its end */
		return p->at == p->line || in->p[p->line] == '\r' || bad_chunk(p);
	case LINE_WHOLE:
		take_line(p, in);
		p->phase = HTTP_CHUNK_SIZE;
		return true;
	case LINE_LONG:
	case LINE_BAD:
		break;
	}
	return bad_chunk(p);
}

static bool step_trailers(struct http_parser *p, const struct buf *in, bool *more_out)
{
	struct str line = STR_NONE;

	if (!read_section(p, in, more_out, &line))
		return false;
	if (!*more_out && !line.n)
		p->phase = HTTP_DONE;
	return true;
}

/* Takes the framing between the body so far and what was not read yet out of the buf. */
static void close_gap(struct http_parser *p, struct buf *in)
{
	size_t to = p->body + p->body_n, gap = p->line - to;

	if (p->phase < HTTP_CHUNK_SIZE || p->phase > HTTP_TRAILERS || !gap)
		return;
	memmove(in->p + to, in->p + p->line, in->n - p->line);
	in->n -= gap;
	p->line -= gap;
	p->at -= gap;
}

static bool (*const steps[])(struct http_parser *p, const struct buf *in, bool *more_out) = {
	[HTTP_REQUEST_LINE] = step_request_line,
	[HTTP_FIELDS] = step_fields,
	[HTTP_BODY] = step_body,
	[HTTP_CHUNK_SIZE] = step_chunk_size,
	[HTTP_CHUNK_DATA] = step_chunk_data,
	[HTTP_CHUNK_END] = step_chunk_end,
	[HTTP_TRAILERS] = step_trailers,
};

enum http_parse_state http_parse(
	struct http_parser *p, struct buf *in, struct http_refusal *why_out)
{
	bool more = false;

	while (p->phase < HTTP_DONE && !more)
		if (!steps[p->phase](p, in, &more))
			p->phase = HTTP_BROKEN;
	if (p->phase == HTTP_BROKEN) {
		*why_out = p->why;
		return HTTP_REFUSED;
	}
	if (more) {
		close_gap(p, in);
		return HTTP_MORE;
	}
	if (p->base != (uintptr_t)in->p) {
		struct str authority;

		fill_in(p, in, &authority);
		p->request.host = http_header_get(&p->request, S("Host"), NULL);
	}
	p->request.body = str_n(in->p + p->body, p->body_n);
	return HTTP_READY;
}

size_t http_parse_missing(const struct http_parser *p, const struct buf *in)
{
	if (p->phase != HTTP_BODY && p->phase != HTTP_CHUNK_DATA)
		return 1;
	return p->left - MIN(p->left, in->n - p->at) + (p->phase == HTTP_CHUNK_DATA ? 2 : 0);
}

bool http_parse_continue(struct http_parser *p, const struct buf *in)
{
	bool say = p->expects && p->phase > HTTP_FIELDS && p->at == in->n && !p->body_n;

	if (p->phase > HTTP_FIELDS)
		p->expects = false;
	return say;
}

void http_parse_next(struct http_parser *p, struct buf *in)
{
	bug_on(p->phase != HTTP_DONE);
	if (p->at < in->n)
		memmove(in->p, in->p + p->at, in->n - p->at);
	in->n -= p->at;
	http_parse_begin(p, p->limits, p->headers);
}
