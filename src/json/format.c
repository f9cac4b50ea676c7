/* format - see format.h.
 *
 * Every check reads the whole text from left to right, once; none copies.  What the RFCs leave to
 * other tables (IDNA, Punycode, time-zone names) is not guessed at. */
#include "json/format.h"

#include "base/err.h"
#include "base/scan.h"
#include "json/format_uri.h"
#include "json/pattern.h"

#include <string.h>

static bool digit(char c)
{
	return ascii_is_digit(c);
}

static bool hex_digit(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* Exactly n digits. */
static bool read_digits(struct scan *s, size_t n, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		int c = scan_peek(s);

		if (c < '0' || c > '9')
			return false;
		*out = *out * 10 + (unsigned)(c - '0');
		scan_skip(s, 1);
	}
	return true;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool read_date(struct scan *s)
{
	unsigned year, month, day;

	return read_digits(s, 4, &year) && scan_char(s, '-') && read_digits(s, 2, &month) &&
	       scan_char(s, '-') && read_digits(s, 2, &day) && month >= 1 && month <= 12 &&
	       day >= 1 && day <= days_in(year, month);
}

/* *minutes_out: east of UTC. */
static bool read_offset(struct scan *s, int *minutes_out)
{
	unsigned hour, minute;
	bool west;

	*minutes_out = 0;
	if (scan_char(s, 'Z') || scan_char(s, 'z'))
		return true;
	west = scan_char(s, '-');
	if (!west && !scan_char(s, '+'))
		return false;
	if (!read_digits(s, 2, &hour) || !scan_char(s, ':') || !read_digits(s, 2, &minute) ||
		hour > 23 || minute > 59)
		return false;
	*minutes_out = (int)(hour * 60 + minute) * (west ? -1 : 1);
	return true;
}

static bool read_time(struct scan *s)
{
	unsigned hour, minute, second;
	int offset, utc;

	if (!read_digits(s, 2, &hour) || !scan_char(s, ':') || !read_digits(s, 2, &minute) ||
		!scan_char(s, ':') || !read_digits(s, 2, &second))
		return false;
	if (scan_char(s, '.') && scan_while(s, digit).n == 0)
		return false;
	if (!read_offset(s, &offset) || hour > 23 || minute > 59 || second > 60)
		return false;
	utc = ((int)(hour * 60 + minute) - offset + 2 * 1440) % 1440;
	return second < 60 || utc == 23 * 60 + 59; /* leap seconds end a day of UTC */
}

static bool is_date(struct str text)
{
	struct scan s = scan_of(text);

	return read_date(&s) && scan_end(&s);
}

static bool is_time(struct str text)
{
	struct scan s = scan_of(text);

	return read_time(&s) && scan_end(&s);
}

static bool is_date_time(struct str text)
{
	struct scan s = scan_of(text);

	return read_date(&s) && (scan_char(&s, 'T') || scan_char(&s, 't')) && read_time(&s) &&
	       scan_end(&s);
}

/* A run of elements whose units follow one another in `units` without a gap ("YMD": 1Y2M, 2M3D, but
 * not 1Y3D), as the grammar of appendix A nests them. */
static bool read_elements(struct scan *s, const char *units)
{
	const char *last = NULL;

	while (scan_peek(s) >= '0' && scan_peek(s) <= '9') {
		const char *unit;

		(void)scan_while(s, digit);
		unit = scan_peek(s) > 0 ? strchr(units, scan_peek(s)) : NULL;
		if (!unit || (last && unit != last + 1))
			return false;
		scan_skip(s, 1);
		last = unit;
	}
	return last != NULL;
}

static bool is_duration(struct str text)
{
	struct scan s = scan_of(text), weeks;

	if (!scan_char(&s, 'P'))
		return false;
	weeks = s;
	if (read_elements(&weeks, "W") && scan_end(&weeks))
		return true;
	if (scan_peek(&s) != 'T' && !read_elements(&s, "YMD"))
		return false;
	if (scan_char(&s, 'T') && !read_elements(&s, "HMS"))
		return false;
	return scan_end(&s);
}

static bool is_uuid(struct str s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : !hex_digit(s.p[i]))
			return false;
	return true;
}

static bool local_char(char c)
{
	return ascii_is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool wide_local_char(char c)
{
	return local_char(c) || (c & 0x80);
}

/* "..." of RFC 5321: printable ASCII, quote and backslash behind a backslash. */
static bool read_quoted(struct scan *s, bool wide)
{
	while (!scan_end(s) && scan_peek(s) != '"') {
		if (scan_char(s, '\\') && scan_end(s))
			return false;
		if (scan_peek(s) < 32 || scan_peek(s) == 127 || (scan_peek(s) > 127 && !wide))
			return false;
		scan_skip(s, 1);
	}
	return scan_char(s, '"');
}

static bool read_local(struct scan *s, bool wide)
{
	const char *start = s->at;

	if (scan_char(s, '"')) {
		if (!read_quoted(s, wide))
			return false;
	} else {
		do
			if (scan_while(s, wide ? wide_local_char : local_char).n == 0)
				return false;
		while (scan_char(s, '.'));
	}
	return s->at - start <= 64;
}

static bool host_labels(struct str s, bool wide)
{
	size_t label = 0;

	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i <= s.n; i++) {
		if (i == s.n || s.p[i] == '.') {
			if (label == 0 || label > 63 || s.p[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!ascii_is_alnum(s.p[i]) && !(wide && (s.p[i] & 0x80)) &&
			(s.p[i] != '-' || label == 0))
			return false;
		label++;
	}
	return true;
}

static bool is_hostname(struct str s)
{
	return host_labels(s, false);
}

static bool mail_domain(struct str s, bool wide)
{
	if (!str_starts(s, S("[")))
		return host_labels(s, wide);
	if (!str_ends(s, S("]")))
		return false;
	s = str_sub(s, 1, s.n - 2);
	if (str_eq_ci(str_sub(s, 0, 5), S("IPv6:")))
		return format_ipv6(str_from(s, 5));
	return format_ipv4(s);
}

static bool is_mailbox(struct str text, bool wide)
{
	struct scan s = scan_of(text);

	return read_local(&s, wide) && scan_char(&s, '@') && mail_domain(scan_rest(&s), wide);
}

static bool is_email(struct str s)
{
	return is_mailbox(s, false);
}

static bool is_idn_email(struct str s)
{
	return is_mailbox(s, true);
}

static bool is_json_pointer(struct str s)
{
	if (s.n > 0 && s.p[0] != '/')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' && (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return true;
}

static bool is_relative_json_pointer(struct str text)
{
	struct scan s = scan_of(text);
	struct str up = scan_while(&s, digit), rest = scan_rest(&s);

	if (up.n == 0 || (up.n > 1 && up.p[0] == '0'))
		return false;
	return str_eq(rest, S("#")) || is_json_pointer(rest);
}

static bool is_regex(struct str s)
{
	struct err why;
	struct pattern *p = pattern_new(s, false, &why);

	if (!p)
		return false;
	pattern_free(&p);
	return true;
}

static const struct {
	struct str name;
	format_check *check;
	struct str hint;
} formats[] = {
	{ STR_INIT("date-time"), is_date_time,
		STR_INIT("date and time with offset, like 2026-01-31T09:30:00Z") },
	{ STR_INIT("date"), is_date, STR_INIT("date, like 2026-01-31") },
	{ STR_INIT("time"), is_time, STR_INIT("time with offset, like 09:30:00Z") },
	{ STR_INIT("duration"), is_duration, STR_INIT("ISO 8601 duration, like P1DT12H") },
	{ STR_INIT("uuid"), is_uuid, STR_INIT("UUID, like 123e4567-e89b-12d3-a456-426614174000") },
	{ STR_INIT("email"), is_email, STR_INIT("e-mail address, like name@example.com") },
	{ STR_INIT("idn-email"), is_idn_email, STR_INIT("e-mail address, like name@example.com") },
	{ STR_INIT("hostname"), is_hostname, STR_INIT("host name, like www.example.com") },
	{ STR_INIT("ipv4"), format_ipv4, STR_INIT("IPv4 address, like 192.0.2.1") },
	{ STR_INIT("ipv6"), format_ipv6, STR_INIT("IPv6 address, like 2001:db8::1") },
	{ STR_INIT("uri"), format_uri, STR_INIT("URI, like https://example.com/path") },
	{ STR_INIT("uri-reference"), format_uri_reference,
		STR_INIT("URI or relative reference, like /path?key=value") },
	{ STR_INIT("iri"), format_iri, STR_INIT("IRI, like https://example.com/path") },
	{ STR_INIT("iri-reference"), format_iri_reference,
		STR_INIT("IRI or relative reference, like /path?key=value") },
	{ STR_INIT("uri-template"), format_uri_template,
		STR_INIT("URI template, like https://example.com/{id}") },
	{ STR_INIT("json-pointer"), is_json_pointer, STR_INIT("JSON pointer, like /items/0") },
	{ STR_INIT("relative-json-pointer"), is_relative_json_pointer,
		STR_INIT("relative JSON pointer, like 1/name") },
	{ STR_INIT("regex"), is_regex, STR_INIT("regular expression of ECMA-262") },
};

format_check *format_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (str_eq(name, formats[i].name))
			return formats[i].check;
	return NULL;
}

struct str format_hint(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (str_eq(name, formats[i].name))
			return formats[i].hint;
	return STR_NONE;
}
