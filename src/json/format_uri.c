/* format_uri - addresses, after the grammars of RFC 3986, RFC 3987, RFC 4291 and RFC 6570. */
#include "json/format_uri.h"

#include "base/scan.h"
#include "base/utf8.h"

#include <string.h>

static bool digit(char c)
{
	return ascii_is_digit(c);
}

static bool hex_digit(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

bool format_ipv4(struct str text)
{
	struct scan s = scan_of(text);

	for (int i = 0; i < 4; i++) {
		struct str part;
		uint64_t value;

		if (i > 0 && !scan_char(&s, '.'))
			return false;
		part = scan_while(&s, digit);
		if (part.n > 3 || !str_to_u64(part, &value) || value > 255 ||
			(part.n > 1 && part.p[0] == '0'))
			return false;
	}
	return scan_end(&s);
}

/* Groups of four hex digits; "::" once; the last 32 bits may be an IPv4 address. */
bool format_ipv6(struct str text)
{
	struct scan s = scan_of(text);
	unsigned groups = 0;
	bool gap = scan_lit(&s, S("::"));

	while (!scan_end(&s)) {
		struct str rest = str_n(s.at, scan_left(&s)), part = scan_while(&s, hex_digit);

		if (scan_peek(&s) == '.') {
			groups += 2;
			return format_ipv4(rest) && (gap ? groups < 8 : groups == 8);
		}
		if (part.n == 0 || part.n > 4 || ++groups > 8)
			return false;
		if (scan_end(&s))
			break;
		if (!scan_char(&s, ':') || scan_end(&s))
			return false;
		if (scan_char(&s, ':')) {
			if (gap)
				return false;
			gap = true;
		}
	}
	return gap ? groups < 8 : groups == 8;
}

/* RFC 3987 ucschar; characters of private use are left out, in queries too. */
static bool wide_char(uint32_t c)
{
	if (c < 0xA0 || (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFDD0 && c <= 0xFDEF) ||
		(c >= 0xFFF0 && c <= 0xFFFF))
		return false;
	return (c & 0xFFFF) < 0xFFFE && c < 0xF0000 && !(c >= 0xE0000 && c < 0xE1000);
}

/* All of s is unreserved, sub-delims, %XX, one of `more`, or (wide) beyond ASCII. */
static bool made_of(struct str s, const char *more, bool wide)
{
	size_t bytes;

	for (size_t i = 0; i < s.n; i += bytes) {
		char c = s.p[i];

		bytes = 1;
		if (c & 0x80) {
			if (!wide || !wide_char(utf8_first(str_from(s, i), &bytes)))
				return false;
		} else if (c == '%') {
			if (s.n - i < 3 || !hex_digit(s.p[i + 1]) || !hex_digit(s.p[i + 2]))
				return false;
			bytes = 3;
		} else if (!ascii_is_alnum(c) && (!c || !strchr("-._~!$&'()*+,;=", c)) &&
			   (!c || !strchr(more, c))) {
			return false;
		}
	}
	return true;
}

static bool is_ip_literal(struct str s)
{
	size_t dot;

	if (s.n < 2 || s.p[s.n - 1] != ']')
		return false;
	s = str_sub(s, 1, s.n - 2);
	if (s.n == 0 || ascii_lower(s.p[0]) != 'v')
		return format_ipv6(s);
	dot = str_find(s, 1, '.');
	for (size_t i = 1; i < dot; i++)
		if (!hex_digit(s.p[i]))
			return false;
	return dot > 1 && dot + 1 < s.n && !str_has(s, '%') &&
	       made_of(str_from(s, dot + 1), ":", false);
}

static bool is_authority(struct str s, bool wide)
{
	size_t at = s.n, colon;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	if (at > 0 && !made_of(str_sub(s, 0, at - 1), ":", wide))
		return false;
	s = str_from(s, at);
	colon = s.n;
	while (colon > 0 && ascii_is_digit(s.p[colon - 1]))
		colon--;
	if (colon > 0 && s.p[colon - 1] == ':')
		s = str_sub(s, 0, colon - 1);
	return str_starts(s, S("[")) ? is_ip_literal(s) : made_of(s, "", wide);
}

/* The scheme before the first ':', when what stands there is one. */
static bool cut_scheme(struct str *s, struct str *scheme_out)
{
	struct str head, tail;

	if (!str_cut(*s, ':', &head, &tail) || head.n == 0 || !ascii_is_alpha(head.p[0]))
		return false;
	for (size_t i = 0; i < head.n; i++)
		if (!ascii_is_alnum(head.p[i]) && (!head.p[i] || !strchr("+-.", head.p[i])))
			return false;
	*s = tail;
	*scheme_out = head;
	return true;
}

static bool is_hierarchy(struct str s, bool wide, bool has_scheme)
{
	size_t end;

	if (str_starts(s, S("//"))) {
		end = str_find(s, 2, '/');
		return is_authority(str_sub(s, 2, end - 2), wide) &&
		       made_of(str_from(s, end), ":@/", wide);
	}
	/* without a scheme, a colon in the first segment would read as one */
	if (!has_scheme && str_has(str_sub(s, 0, str_find(s, 0, '/')), ':'))
		return false;
	return made_of(s, ":@/", wide);
}

static bool is_reference(struct str s, bool wide, bool needs_scheme)
{
	struct str scheme = STR_NONE, fragment, query;
	size_t hash = str_find(s, 0, '#'), mark;

	fragment = str_from(s, hash + 1);
	s = str_sub(s, 0, hash);
	mark = str_find(s, 0, '?');
	query = str_from(s, mark + 1);
	s = str_sub(s, 0, mark);
	if (!cut_scheme(&s, &scheme) && needs_scheme)
		return false;
	if (str_eq_ci(scheme, S("javascript")) || str_eq_ci(scheme, S("vbscript")))
		return false;
	return is_hierarchy(s, wide, scheme.n > 0) && made_of(query, ":@/?", wide) &&
	       made_of(fragment, ":@/?", wide);
}

bool format_uri(struct str s)
{
	return is_reference(s, false, true);
}

bool format_uri_reference(struct str s)
{
	return is_reference(s, false, false);
}

bool format_iri(struct str s)
{
	return is_reference(s, true, true);
}

bool format_iri_reference(struct str s)
{
	return is_reference(s, true, false);
}

static bool variable_char(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

static bool read_variable(struct scan *s)
{
	do {
		bool escaped = false;

		while (scan_char(s, '%')) {
			for (int i = 0; i < 2; i++, scan_skip(s, 1))
				if (scan_peek(s) < 0 || !hex_digit((char)scan_peek(s)))
					return false;
			escaped = true;
		}
		if (scan_while(s, variable_char).n == 0 && !escaped)
			return false;
	} while (scan_char(s, '.') || scan_peek(s) == '%');
	if (scan_char(s, ':')) {
		struct str most = scan_while(s, digit);

		return most.n >= 1 && most.n <= 4 && most.p[0] != '0';
	}
	(void)scan_char(s, '*');
	return true;
}

/* After "{". */
static bool read_expression(struct scan *s)
{
	if (scan_peek(s) > 0 && strchr("+#./;?&", scan_peek(s)))
		scan_skip(s, 1);
	do
		if (!read_variable(s))
			return false;
	while (scan_char(s, ','));
	return scan_char(s, '}');
}

bool format_uri_template(struct str text)
{
	struct scan s = scan_of(text);

	while (!scan_end(&s)) {
		int c = scan_peek(&s);

		scan_skip(&s, 1);
		if (c == '{') {
			if (!read_expression(&s))
				return false;
		} else if (c <= 32 || c == 127 || strchr("\"'<>\\^`|}", c)) {
			return false;
		} else if (c == '%') {
			for (int i = 0; i < 2; i++, scan_skip(&s, 1))
				if (scan_peek(&s) < 0 || !hex_digit((char)scan_peek(&s)))
					return false;
		}
	}
	return true;
}
