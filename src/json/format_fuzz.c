/* format_fuzz - input: any text, given to every format.
 *
 * Properties: addresses agree with inet_pton; a date-time is a date, a T and a time; what is a URI
 * is also a reference and an IRI; no control character and no line end is accepted by a format of
 * one line; a relative pointer is digits and a pointer or '#'; every format has a hint. */
#include <arpa/inet.h>
#include <string.h>

#include "base/utf8.h"
#include "json/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fits(struct str format, struct str s)
{
	return format_find(format)(s);
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
			return true;
	return false;
}

static void check_addresses(struct str s)
{
	char text[80] = { 0 }, out[sizeof(struct in6_addr)];

	if (s.n >= sizeof text || str_has(s, '\0') || s.n == 0)
		return;
	memcpy(text, s.p, s.n);
	bug_on(fits(S("ipv4"), s) != (inet_pton(AF_INET, text, out) == 1));
	bug_on(fits(S("ipv6"), s) != (inet_pton(AF_INET6, text, out) == 1));
}

static void check_times(struct str s)
{
	bool both = s.n > 11 && fits(S("date"), str_sub(s, 0, 10)) && ascii_lower(s.p[10]) == 't' &&
		    fits(S("time"), str_from(s, 11));

	bug_on(fits(S("date-time"), s) != both);
}

static void check_references(struct str s)
{
	if (fits(S("uri"), s))
		bug_on(!fits(S("uri-reference"), s) || !fits(S("iri"), s));
	if (fits(S("iri"), s) || fits(S("uri-reference"), s))
		bug_on(!fits(S("iri-reference"), s));
	if (fits(S("hostname"), s))
		bug_on(!fits(S("uri-reference"), s));
}

static void check_pointers(struct str s)
{
	bool relative = fits(S("relative-json-pointer"), s);
	size_t digits = 0;

	while (digits < s.n && ascii_is_digit(s.p[digits]))
		digits++;
	if (relative)
		bug_on(!digits || (!str_eq(str_from(s, digits), S("#")) &&
					  !fits(S("json-pointer"), str_from(s, digits))));
	else if (digits == 1)
		bug_on(fits(S("json-pointer"), str_from(s, 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str lines[] = { STR_INIT("date-time"), STR_INIT("date"),
		STR_INIT("time"), STR_INIT("duration"), STR_INIT("uuid"), STR_INIT("email"),
		STR_INIT("idn-email"), STR_INIT("hostname"), STR_INIT("ipv4"), STR_INIT("ipv6"),
		STR_INIT("uri"), STR_INIT("uri-reference"), STR_INIT("iri"),
		STR_INIT("iri-reference"), STR_INIT("uri-template") };
	struct str s = str_n(data, size);

	if (!utf8_valid(s))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		bug_on(fits(lines[i], s) && has_control(s));
		bug_on(!format_hint(lines[i]).n);
	}
	bug_on(!format_find(s) != !format_hint(s).n);
	check_pointers(s);
	(void)fits(S("regex"), s);
	check_addresses(s);
	check_times(s);
	check_references(s);
	return 0;
}
