/* http_write - replies: their heads, and sending them.
 *
 * Invariants: 1. every reply says how long it is, and what it may not be taken for (nosniff,
 * no-store).
 * 2. no value can end its line: control characters become '?'. */
#include "transport/http_inside.h"

#include <string.h>
#include <time.h>

static const struct {
	int status;
	struct str line;
} statuses[] = {
	{ 200, STR_INIT("HTTP/1.1 200 OK\r\n") },
	{ 202, STR_INIT("HTTP/1.1 202 Accepted\r\n") },
	{ 204, STR_INIT("HTTP/1.1 204 No Content\r\n") },
	{ 302, STR_INIT("HTTP/1.1 302 Found\r\n") },
	{ 303, STR_INIT("HTTP/1.1 303 See Other\r\n") },
	{ 304, STR_INIT("HTTP/1.1 304 Not Modified\r\n") },
	{ 400, STR_INIT("HTTP/1.1 400 Bad Request\r\n") },
	{ 401, STR_INIT("HTTP/1.1 401 Unauthorized\r\n") },
	{ 403, STR_INIT("HTTP/1.1 403 Forbidden\r\n") },
	{ 404, STR_INIT("HTTP/1.1 404 Not Found\r\n") },
	{ 405, STR_INIT("HTTP/1.1 405 Method Not Allowed\r\n") },
	{ 406, STR_INIT("HTTP/1.1 406 Not Acceptable\r\n") },
	{ 408, STR_INIT("HTTP/1.1 408 Request Timeout\r\n") },
	{ 409, STR_INIT("HTTP/1.1 409 Conflict\r\n") },
	{ 413, STR_INIT("HTTP/1.1 413 Content Too Large\r\n") },
	{ 414, STR_INIT("HTTP/1.1 414 URI Too Long\r\n") },
	{ 415, STR_INIT("HTTP/1.1 415 Unsupported Media Type\r\n") },
	{ 417, STR_INIT("HTTP/1.1 417 Expectation Failed\r\n") },
	{ 429, STR_INIT("HTTP/1.1 429 Too Many Requests\r\n") },
	{ 431, STR_INIT("HTTP/1.1 431 Request Header Fields Too Large\r\n") },
	{ 500, STR_INIT("HTTP/1.1 500 Internal Server Error\r\n") },
	{ 501, STR_INIT("HTTP/1.1 501 Not Implemented\r\n") },
	{ 503, STR_INIT("HTTP/1.1 503 Service Unavailable\r\n") },
	{ 505, STR_INIT("HTTP/1.1 505 HTTP Version Not Supported\r\n") },
};

static void write_status(struct buf *out, int status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].status == status) {
			buf_add(out, statuses[i].line);
			return;
		}
	}
	bug_on(status < 200 || status > 599);
	buf_fmt(out, "HTTP/1.1 %d \r\n", status); /* the phrase may be empty */
}

static void put_digits(char *to, int value)
{
	to[0] = (char)('0' + value / 10 % 10);
	to[1] = (char)('0' + value % 10);
}

/* IMF-fixdate (RFC 9110 section 5.6.7). */
static void write_date(char *to, time_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char form[] = "Date: ___, __ ___ ____ __:__:__ GMT\r\n";
	struct tm tm;

	bug_on(!gmtime_r(&now, &tm));
	for (size_t i = 0; i < sizeof form - 1; i++)
		to[i] = form[i];
	for (int i = 0; i < 3; i++) {
		to[6 + i] = days[tm.tm_wday * 3 + i];
		to[14 + i] = months[tm.tm_mon * 3 + i];
	}
	put_digits(to + 11, tm.tm_mday);
	put_digits(to + 18, (tm.tm_year + 1900) / 100);
	put_digits(to + 20, tm.tm_year % 100);
	put_digits(to + 23, tm.tm_hour);
	put_digits(to + 26, tm.tm_min);
	put_digits(to + 29, tm.tm_sec);
}

#define DATE_LINE_BYTES 37

static void add_date(struct buf *out)
{
	static _Thread_local time_t second;
	static _Thread_local char line[DATE_LINE_BYTES];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != second || !second) {
		second = now.tv_sec;
		write_date(line, second);
	}
	buf_add(out, str_n(line, DATE_LINE_BYTES));
}

static bool names(const struct http_header *headers, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_ci(headers[i].name, name))
			return true;
	return false;
}

static void add_headers(struct buf *out, const struct http_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str value = headers[i].value;

		bug_on(!headers[i].name.n);
		buf_add(out, headers[i].name);
		buf_lit(out, ": ");
		for (size_t j = 0; j < value.n; j++) {
			unsigned char c = (unsigned char)value.p[j];

			buf_char(out, c < ' ' || c == 0x7f ? '?' : (char)c);
		}
		buf_lit(out, "\r\n");
	}
}

static void add_connection(struct buf *out, const struct http_conn *c)
{
	if (c->closing)
		buf_lit(out, "Connection: close\r\n");
	else if (!c->minor_1)
		buf_lit(out, "Connection: keep-alive\r\n");
}

void http_write_head(struct buf *out, const struct http_conn *c, const struct http_reply *reply)
{
	const struct http_header *headers = reply->headers;
	size_t count = reply->header_count;

	write_status(out, reply->status);
	add_date(out);
	if (reply->content_type.n) {
		buf_lit(out, "Content-Type: ");
		buf_add(out, reply->content_type);
		buf_lit(out, "\r\nX-Content-Type-Options: nosniff\r\n");
	} else {
		buf_lit(out, "X-Content-Type-Options: nosniff\r\n");
	}
	if (!names(headers, count, S("Cache-Control")))
		buf_lit(out, "Cache-Control: no-store\r\n");
	add_headers(out, headers, count);
	add_connection(out, c);
	if (reply->status != 204 && reply->status != 304) {
		buf_lit(out, "Content-Length: ");
		buf_u64(out, reply->content_type.n ? reply->body.n : 0);
		buf_lit(out, "\r\n");
	}
	buf_lit(out, "\r\n");
}

void http_write_stream_head(struct buf *out, const struct http_conn *c,
	const struct http_header *headers, size_t header_count)
{
	write_status(out, 200);
	add_date(out);
	buf_lit(out, "Content-Type: text/event-stream\r\nX-Content-Type-Options: nosniff\r\n"
		     "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n");
	add_headers(out, headers, header_count);
	add_connection(out, c);
	if (c->minor_1)
		buf_lit(out, "Transfer-Encoding: chunked\r\n");
	buf_lit(out, "\r\n");
}

void http_write_refusal(struct buf *out, const struct http_refusal *why)
{
	buf_lit(out, "{\"error\":\"");
	buf_add(out, str_c(why->reason));
	buf_lit(out, "\",\"message\":\"");
	buf_add(out, str_c(why->message));
	buf_lit(out, "\"}\n");
}

/* --- sending --- */

/* Sends head and body at once; what the socket does not take is kept in c->rest. */
static void send_reply(struct http_conn *c, struct buf *head, struct str body)
{
	struct iovec pieces[2] = { { 0 } };
	enum http_io io;
	size_t sent;

	if (c->ssl && body.n && body.n < HTTP_READ_MOST) {
		buf_add(head, body); /* one record, one segment */
		body = STR_NONE;
	}
	if (!buf_ok(head)) {
		c->failed = true;
		return;
	}
	pieces[0] = (struct iovec){ .iov_base = head->p, .iov_len = head->n };
	pieces[1] = (struct iovec){ .iov_len = body.n };
	memcpy(&pieces[1].iov_base, &body.p, sizeof body.p); /* sendmsg only reads it */
	io = http_io_write(c, pieces, 2, &sent);
	if (io == IO_FAILED || io == IO_END) {
		c->failed = true;
		return;
	}
	if (io == IO_OK)
		return;
	buf_init(&c->rest, SIZE_MAX / 4);
	buf_add(&c->rest, str_from(buf_str(head), sent));
	buf_add(&c->rest, str_from(body, sent - MIN(sent, head->n)));
	c->failed = !buf_ok(&c->rest);
}

void http_reply(struct http_conn *c, const struct http_reply *reply)
{
	struct buf *head = &c->lane->out;

	bug_on(c->answered);
	c->answered = true;
	if (reply->close || c->server->stopping)
		c->closing = true;
	buf_clear(head);
	http_write_head(head, c, reply);
	send_reply(c, head,
		c->head || !reply->content_type.n || reply->status == 204 ? STR_NONE : reply->body);
}
