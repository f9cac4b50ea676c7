/* http_parse - one HTTP/1.1 request from bytes (RFC 9112), strictly.
 *
 * Refused with a status and a reason, and the connection must then close: Transfer-Encoding with
 * Content-Length, any coding but exactly "chunked", several or non-digit Content-Length, obs-fold,
 * bare LF or CR, NUL or control characters, space before the colon, non-token names, a version
 * other than 1.0 and 1.1, missing or repeated Host (on 1.0, too), Host with userinfo or path,
 * absolute-form whose authority differs from Host, Transfer-Encoding on 1.0, Content-Encoding,
 * Expect other than 100-continue, CONNECT, a target with anything but RFC 3986 characters.  Upgrade
 * is ignored; one empty line before the request line, too.  Trailers are read, checked and dropped.
 *
 * The caller appends what has arrived to a buf and calls http_parse again; the outcome does not
 * depend on how the bytes were split.  Nothing is allocated here: headers go to the caller's array,
 * a chunked body is put together where it lies, its framing taken out of the buf.  One thread at a
 * time. */
#pragma once
#include "base/buf.h"

struct http_limits {
	size_t request_line; /* 8 KiB with its CRLF; over: 414 */
	size_t header_bytes; /* 16 KiB, for trailers again; over: 431 */
	size_t header_count; /* 100, for trailers again; over: 431 */
	size_t body; /* over: 413, chunked or not, before it is read */
};

struct http_header {
	struct str name, value; /* value OWS-trimmed */
};

struct http_request {
	struct str method;
	struct str path; /* origin-form path, undecoded, without query; "*" for OPTIONS * */
	struct str query; /* behind '?', or empty */
	struct str host; /* Host, lower-cased by nobody: compare with str_eq_ci */
	const struct http_header *headers;
	size_t header_count;
	struct str body;
	bool minor_1; /* HTTP/1.1, not 1.0 */
	bool keep_alive; /* what the client allows */
};

/* First header of that name, case-insensitive; *count_out (may be NULL) says how many there are. */
struct str http_header_get(const struct http_request *r, struct str name, size_t *count_out);

enum http_parse_state { HTTP_MORE, HTTP_READY, HTTP_REFUSED };

struct http_refusal {
	int status; /* 400, 405, 413, 414, 415, 417, 431, 501, 505; http.h adds 408 and 503 */
	const char *reason; /* "cl_te", "transfer_encoding", "chunk", "header_syntax", "host", … */
	const char *message; /* for the client: what was wrong, one line without quotes */
};

enum http_phase {
	HTTP_REQUEST_LINE,
	HTTP_FIELDS,
	HTTP_BODY,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END,
	HTTP_TRAILERS,
	HTTP_DONE,
	HTTP_BROKEN,
};

/* Private to http_parse.c, but for request (read it after HTTP_READY; it points into the buf and
 * the array, and ends with the next change of either). */
struct http_parser {
	struct http_request request;
	const struct http_limits *limits;
	struct http_header *headers; /* limits->header_count of them */
	struct http_refusal why;
	enum http_phase phase;
	size_t at; /* bytes of the buf looked at */
	size_t line; /* where the line being read begins */
	size_t head, fields; /* where the request line and the fields begin */
	size_t section_bytes, section_count; /* of fields or trailers */
	size_t body, body_n; /* where the body begins; what there is of it */
	size_t left; /* bytes of body or chunk still to come */
	uintptr_t base; /* where the buf was when request was filled in */
	bool expects; /* 100-continue, not yet said */
};

/* limits and headers outlive the parser's use. */
void http_parse_begin(
	struct http_parser *p, const struct http_limits *limits, struct http_header *headers);
/* Reads on.  HTTP_MORE: append to `in` and call again.  HTTP_REFUSED: *why_out is set; every
 * further call says the same.  The limits make `in` at most request_line + header_bytes + body +
 * what was appended last. */
enum http_parse_state http_parse(
	struct http_parser *p, struct buf *in, struct http_refusal *why_out);
/* After HTTP_MORE: how many more bytes are needed at least; 1 when that is not known. */
size_t http_parse_missing(const struct http_parser *p, const struct buf *in);
/* After HTTP_MORE: true once when the client waits for "100 Continue". */
bool http_parse_continue(struct http_parser *p, const struct buf *in);
/* After HTTP_READY: takes the request out of `in` (what follows stays) and begins again. */
void http_parse_next(struct http_parser *p, struct buf *in);
