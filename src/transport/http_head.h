/* http_head - what a request line and its header fields mean.  For http_parse.c only; the lines are
 * known to end in CRLF and to hold neither other control characters nor bare CR or LF. */
#pragma once
#include "transport/http_parse.h"

struct http_framing {
	bool chunked, expects;
	uint64_t length; /* Content-Length, or 0 */
};

bool http_is_token(struct str s); /* RFC 9110 section 5.6.2 */

/* "name: value", without its CRLF. */
bool http_field_read(struct str line, struct http_header *out);
/* "POST /mcp HTTP/1.1", without its CRLF; fills in method, path, query and minor_1.  In
 * absolute-form *authority_out is what must be equal to Host, else empty. */
bool http_line_read(struct str line, struct http_request *out, struct str *authority_out,
	struct http_refusal *why);
/* Judges all fields together; fills in host and keep_alive. */
bool http_fields_judge(struct http_request *r, struct str authority, struct http_framing *out,
	struct http_refusal *why);
/* chunk-size with its extensions (RFC 9112 section 7.1), without its CRLF; at most 8 digits. */
bool http_chunk_read(struct str line, uint64_t *size_out);
