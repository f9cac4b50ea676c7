/* http_head - see http_head.h.
 *
 * Invariants: 1. whatever RFC 9112 lets a recipient tolerate is refused: two readers of the same
 * bytes must not differ.  2. framing is decided here, once, from the whole header block.  3.
 * nothing is decoded, folded or repaired. */
#include "transport/http_head.h"

#define CHUNK_DIGITS_MAX 8
#define LENGTH_DIGITS_MAX 18

enum { TOKEN = 1, TARGET = 2, NAME = 4, HEX = 8 };

/* What is neither letter nor digit. */
static const unsigned char mark[128] = {
	['-'] = TOKEN | TARGET | NAME,
	['.'] = TOKEN | TARGET | NAME,
	['_'] = TOKEN | TARGET | NAME,
	['~'] = TOKEN | TARGET | NAME,
	['!'] = TOKEN | TARGET,
	['$'] = TOKEN | TARGET,
	['&'] = TOKEN | TARGET,
	['\''] = TOKEN | TARGET,
	['*'] = TOKEN | TARGET,
	['+'] = TOKEN | TARGET,
	['('] = TARGET,
	[')'] = TARGET,
	[','] = TARGET,
	[';'] = TARGET,
	['='] = TARGET,
	[':'] = TARGET,
	['@'] = TARGET,
	['/'] = TARGET,
	['#'] = TOKEN,
	['%'] = TOKEN,
	['^'] = TOKEN,
	['`'] = TOKEN,
	['|'] = TOKEN,
};

static bool is(char c, unsigned what)
{
	unsigned char byte = (unsigned char)c, lower = byte | 0x20;

	if (byte >= '0' && byte <= '9')
		return true;
	if (lower >= 'a' && lower <= 'z')
		return what != HEX || lower <= 'f';
	return byte < sizeof mark && (mark[byte] & what);
}

static bool all_are(struct str s, unsigned what)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i], what))
			return false;
	return true;
}

static bool refuse(struct http_refusal *why, int status, const char *reason, const char *message)
{
	*why = (struct http_refusal){ status, reason, message };
	return false;
}

bool http_is_token(struct str s)
{
	return s.n && all_are(s, TOKEN);
}

bool http_field_read(struct str line, struct http_header *out)
{
	if (!str_cut(line, ':', &out->name, &out->value) || !http_is_token(out->name))
		return false;
	out->value = str_trim(out->value);
	return true;
}

/* --- the request line --- */

/* pchar, "/" and percent-encoded bytes; '?' only in the query. */
static bool is_target(struct str s, bool query)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			if (s.n - i < 3 || !is(s.p[i + 1], HEX) || !is(s.p[i + 2], HEX))
				return false;
			i += 2;
		} else if (!is(s.p[i], TARGET) && !(query && s.p[i] == '?')) {
			return false;
		}
	}
	return true;
}

static bool read_origin_form(struct str target, struct http_request *out)
{
	if (!str_cut(target, '?', &out->path, &out->query)) {
		out->path = target;
		out->query = STR_NONE;
	}
	return str_starts(out->path, S("/")) && is_target(out->path, false) &&
	       is_target(out->query, true);
}

/* "http://authority/path?query" (RFC 9112 section 3.2.2). */
static bool read_absolute_form(struct str target, struct http_request *out, struct str *authority)
{
	size_t colon = str_find(target, 0, ':'), end;
	struct str scheme = str_sub(target, 0, colon), rest = str_from(target, colon);

	if (!str_eq_ci(scheme, S("http")) && !str_eq_ci(scheme, S("https")))
		return false;
	if (!str_starts(rest, S("://")))
		return false;
	rest = str_from(rest, 3);
	for (end = 0; end < rest.n && rest.p[end] != '/' && rest.p[end] != '?'; end++)
		;
	*authority = str_sub(rest, 0, end);
	rest = str_from(rest, end);
	if (!rest.n) {
		out->path = S("/");
		out->query = STR_NONE;
		return authority->n > 0;
	}
	return authority->n > 0 && read_origin_form(rest, out);
}

static bool read_target(struct str target, struct http_request *out, struct str *authority_out,
	struct http_refusal *why)
{
	if (str_eq(out->method, S("CONNECT")))
		return refuse(why, 405, "method", "CONNECT is not served: this is no proxy");
	if (str_eq(target, S("*")) && str_eq(out->method, S("OPTIONS"))) {
		out->path = target;
		out->query = STR_NONE;
		return true;
	}
	if (str_starts(target, S("/")) ? read_origin_form(target, out)
				       : read_absolute_form(target, out, authority_out))
		return true;
	return refuse(why, 400, "target",
		"the request target is neither a path nor an http URL in RFC 3986 characters");
}

static bool read_version(struct str version, bool *minor_1_out, struct http_refusal *why)
{
	struct str digits = str_from(version, 5);

	if (version.n != 8 || !str_starts(version, S("HTTP/")) || !ascii_is_digit(digits.p[0]) ||
		digits.p[1] != '.' || !ascii_is_digit(digits.p[2]))
		return refuse(why, 400, "request_line",
			"the request line is not: METHOD target HTTP/1.1");
	*minor_1_out = digits.p[2] == '1';
	if (digits.p[0] != '1' || (digits.p[2] != '0' && digits.p[2] != '1'))
		return refuse(why, 505, "version", "only HTTP/1.1 and HTTP/1.0 are spoken here");
	return true;
}

bool http_line_read(struct str line, struct http_request *out, struct str *authority_out,
	struct http_refusal *why)
{
	struct str rest, target, version;

	*authority_out = STR_NONE;
	if (!str_cut(line, ' ', &out->method, &rest) || !http_is_token(out->method) ||
		!str_cut(rest, ' ', &target, &version))
		return refuse(why, 400, "request_line",
			"the request line is not: METHOD target HTTP/1.1");
	return read_version(version, &out->minor_1, why) &&
	       read_target(target, out, authority_out, why);
}

/* --- the fields together --- */

static bool is_port(struct str s)
{
	uint64_t port;

	return s.n <= 5 && str_to_u64(s, &port) && port > 0 && port <= UINT16_MAX;
}

static bool is_ipv6(struct str s)
{
	if (s.n < 2)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i], HEX) && s.p[i] != ':' && s.p[i] != '.')
			return false;
	return true;
}

/* uri-host [ ":" port ], of unreserved characters or an IPv6 address in brackets. */
static bool is_host(struct str s)
{
	struct str name = s, port = STR_NONE, behind;

	if (str_starts(s, S("["))) {
		if (!str_cut(str_from(s, 1), ']', &name, &behind) || !is_ipv6(name))
			return false;
		return !behind.n || (behind.p[0] == ':' && is_port(str_from(behind, 1)));
	}
	if (str_cut(s, ':', &name, &port) && !is_port(port))
		return false;
	return name.n && all_are(name, NAME);
}

static bool judge_host(struct http_request *r, struct str authority, struct http_refusal *why)
{
	size_t count;

	r->host = http_header_get(r, S("Host"), &count);
	if (count != 1)
		return refuse(why, 400, "host", "exactly one Host header is needed");
	if (!is_host(r->host))
		return refuse(why, 400, "host", "the Host header is not a host name and port");
	if (authority.n && !str_eq_ci(authority, r->host))
		return refuse(why, 400, "host",
			"the URL in the request line names another host "
			"than the Host header");
	return true;
}

static bool judge_framing(
	const struct http_request *r, struct http_framing *out, struct http_refusal *why)
{
	size_t lengths, codings;
	struct str length = http_header_get(r, S("Content-Length"), &lengths);
	struct str coding = http_header_get(r, S("Transfer-Encoding"), &codings);

	if (lengths && codings)
		return refuse(why, 400, "cl_te",
			"Content-Length and Transfer-Encoding must not come together");
	if (codings && !r->minor_1)
		return refuse(why, 400, "transfer_encoding", "HTTP/1.0 knows no Transfer-Encoding");
	if (codings > 1)
		return refuse(
			why, 400, "transfer_encoding", "more than one Transfer-Encoding header");
	if (codings && !str_eq_ci(coding, S("chunked")))
		return refuse(why, 501, "transfer_encoding",
			"the only Transfer-Encoding read here is chunked");
	if (lengths > 1)
		return refuse(why, 400, "content_length", "more than one Content-Length header");
	if (lengths && (length.n > LENGTH_DIGITS_MAX || !str_to_u64(length, &out->length)))
		return refuse(why, 400, "content_length",
			"Content-Length is not a plain number of bytes");
	out->chunked = codings > 0;
	return true;
}

static bool judge_expect(
	const struct http_request *r, struct http_framing *out, struct http_refusal *why)
{
	size_t count;
	struct str expect = http_header_get(r, S("Expect"), &count);

	if (count > 1 || (count && !str_eq_ci(expect, S("100-continue"))))
		return refuse(why, 417, "expect", "the only Expect known here is 100-continue");
	out->expects = count && r->minor_1;
	return true;
}

/* RFC 9110 section 7.6.1: a list of options, in one or more fields. */
static bool has_option(const struct http_request *r, struct str option)
{
	for (size_t i = 0; i < r->header_count; i++) {
		struct str rest = r->headers[i].value, one;

		if (!str_eq_ci(r->headers[i].name, S("Connection")))
			continue;
		while (str_cut(rest, ',', &one, &rest))
			if (str_eq_ci(str_trim(one), option))
				return true;
		if (str_eq_ci(str_trim(rest), option))
			return true;
	}
	return false;
}

bool http_fields_judge(struct http_request *r, struct str authority, struct http_framing *out,
	struct http_refusal *why)
{
	size_t encodings;

	*out = (struct http_framing){ 0 };
	if (!judge_host(r, authority, why) || !judge_framing(r, out, why) ||
		!judge_expect(r, out, why))
		return false;
	http_header_get(r, S("Content-Encoding"), &encodings);
	if (encodings)
		return refuse(why, 415, "encoding",
			"bodies are read as they are: send no "
			"Content-Encoding");
	r->keep_alive =
		!has_option(r, S("close")) && (r->minor_1 || has_option(r, S("keep-alive")));
	return true;
}

/* --- chunks --- */

static bool skip_run(struct str *s, unsigned what)
{
	size_t n = 0;

	while (n < s->n && is(s->p[n], what))
		n++;
	*s = str_from(*s, n);
	return n > 0;
}

static bool skip_quoted(struct str *s)
{
	for (size_t i = 1; i < s->n; i++) {
		if (s->p[i] == '"') {
			*s = str_from(*s, i + 1);
			return true;
		}
		if (s->p[i] == '\\')
			i++;
	}
	return false;
}

/* *( ";" token [ "=" ( token / quoted-string ) ] ); no whitespace, which readers disagree about. */
static bool is_extensions(struct str s)
{
	while (s.n) {
		if (s.p[0] != ';')
			return false;
		s = str_from(s, 1);
		if (!skip_run(&s, TOKEN))
			return false;
		if (!s.n || s.p[0] != '=')
			continue;
		s = str_from(s, 1);
		if (s.n && s.p[0] == '"' ? !skip_quoted(&s) : !skip_run(&s, TOKEN))
			return false;
	}
	return true;
}

static unsigned hex_value(char c)
{
	return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a') + 10;
}

bool http_chunk_read(struct str line, uint64_t *size_out)
{
	uint64_t size = 0;
	size_t n = 0;

	while (n < line.n && is(line.p[n], HEX)) {
		if (n == CHUNK_DIGITS_MAX)
			return false;
		size = size << 4 | hex_value(line.p[n++]);
	}
	if (!n || !is_extensions(str_from(line, n)))
		return false;
	*size_out = size;
	return true;
}
