/* format_test - the accepted forms of each format; the official suite's cases run in
 * schema_suite_test, here is what it leaves open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "json/format.h"

static void each_format_accepts_its_own_form_and_no_other(void **state)
{
	static const struct {
		struct str format, text;
		bool fits;
	} cases[] = {
		{ STR_INIT("uuid"), STR_INIT("123e4567-e89b-12d3-a456-426614174000"), true },
		{ STR_INIT("uuid"), STR_INIT("123E4567-E89B-12D3-A456-426614174000"), true },
		{ STR_INIT("uuid"), STR_INIT("00000000-0000-0000-0000-000000000000"), true },
		{ STR_INIT("uuid"), STR_INIT("{123e4567-e89b-12d3-a456-426614174000}"), false },
		{ STR_INIT("uuid"), STR_INIT("urn:uuid:123e4567-e89b-12d3-a456-426614174000"),
			false },
		{ STR_INIT("uuid"), STR_INIT("123e4567-e89b-12d3-a456-42661417400"), false },
		{ STR_INIT("uuid"), STR_INIT("123e4567-e89b-12d3-a456-426614174000\n"), false },
		{ STR_INIT("date"), STR_INIT("2026-02-28"), true },
		{ STR_INIT("date"), STR_INIT("2026-02-30"), false },
		{ STR_INIT("date"), STR_INIT("2000-02-29"), true },
		{ STR_INIT("date"), STR_INIT("1900-02-29"), false },
		{ STR_INIT("date"), STR_INIT("2026-00-10"), false },
		{ STR_INIT("date"), STR_INIT("2026-01-00"), false },
		{ STR_INIT("date"), STR_INIT("10000-01-01"), false },
		{ STR_INIT("date-time"), STR_INIT("2026-01-31T09:30:00Z"), true },
		{ STR_INIT("date-time"), STR_INIT("2026-01-31T09:30:00"), false },
		{ STR_INIT("date-time"), STR_INIT("2026-01-31 09:30:00Z"), false },
		{ STR_INIT("date-time"), STR_INIT("2016-12-31T23:59:60Z"), true },
		{ STR_INIT("date-time"), STR_INIT("2016-12-31T12:59:60Z"), false },
		{ STR_INIT("date-time"), STR_INIT("10000-01-01T00:00:00Z"), false },
		{ STR_INIT("date-time"), STR_INIT("2026-01-31T09:30:00.Z"), false },
		{ STR_INIT("date-time"), STR_INIT("2026-01-31T09:30:00Z\r\n"), false },
		{ STR_INIT("time"), STR_INIT("23:59:60+00:00"), true },
		{ STR_INIT("time"), STR_INIT("09:30Z"), false },
		{ STR_INIT("duration"), STR_INIT("P1DT12H"), true },
		{ STR_INIT("duration"), STR_INIT("P1Y3D"), false },
		{ STR_INIT("duration"), STR_INIT("PT1H3S"), false },
		{ STR_INIT("duration"), STR_INIT("P1DT"), false },
		{ STR_INIT("email"), STR_INIT("name@example.com"), true },
		{ STR_INIT("email"), STR_INIT("name@example.com\r\nBcc: a@b.c"), false },
		{ STR_INIT("email"), STR_INIT("\"a\r\nb\"@example.com"), false },
		{ STR_INIT("email"), STR_INIT("Name <name@example.com>"), false },
		{ STR_INIT("email"), STR_INIT("a@b@example.com"), false },
		{ STR_INIT("email"), STR_INIT("@example.com"), false },
		{ STR_INIT("email"), STR_INIT("name@"), false },
		{ STR_INIT("email"), STR_INIT("n\u00e4me@example.com"), false },
		{ STR_INIT("idn-email"), STR_INIT("n\u00e4me@ex\u00e4mple.com"), true },
		{ STR_INIT("hostname"), STR_INIT("a"), true },
		{ STR_INIT("hostname"), STR_INIT(""), false },
		{ STR_INIT("hostname"), STR_INIT("a..b"), false },
		{ STR_INIT("hostname"), STR_INIT("a.b."), false },
		{ STR_INIT("hostname"), STR_INIT("a-.b"), false },
		{ STR_INIT("ipv4"), STR_INIT("192.0.2.1"), true },
		{ STR_INIT("ipv4"), STR_INIT("192.0.2.01"), false },
		{ STR_INIT("ipv4"), STR_INIT("192.0.2.1 "), false },
		{ STR_INIT("ipv6"), STR_INIT("2001:db8::1"), true },
		{ STR_INIT("ipv6"), STR_INIT("1:2:3:4:5:6:7::"), true },
		{ STR_INIT("ipv6"), STR_INIT("1:2:3:4:5:6:7:8::"), false },
		{ STR_INIT("ipv6"), STR_INIT("fe80::1%eth0"), false },
		{ STR_INIT("uri"), STR_INIT("https://example.com/path?q=1#f"), true },
		{ STR_INIT("uri"), STR_INIT("https://example.com:8443/"), true },
		{ STR_INIT("uri"), STR_INIT("https://user:pw@[2001:db8::1]:443/"), true },
		{ STR_INIT("uri"), STR_INIT("https://[2001:db8::g]/"), false },
		{ STR_INIT("uri"), STR_INIT("https://[v1.x]/"), true },
		{ STR_INIT("uri"), STR_INIT("javascript:alert(1)"), false },
		{ STR_INIT("uri"), STR_INIT("JavaScript:alert(1)"), false },
		{ STR_INIT("uri"), STR_INIT("vbscript:x"), false },
		{ STR_INIT("uri"), STR_INIT("java\tscript:alert(1)"), false },
		{ STR_INIT("uri"), STR_INIT("https://example.com/%zz"), false },
		{ STR_INIT("uri"), STR_INIT("https://example.com/a b"), false },
		{ STR_INIT("uri"), STR_INIT("https://example.com/\n"), false },
		{ STR_INIT("uri"), STR_INIT("https://ex\u00e4mple.com/"), false },
		{ STR_INIT("iri"), STR_INIT("https://ex\u00e4mple.com/"), true },
		{ STR_INIT("iri"), STR_INIT("https://example.com/\ue000"), false },
		{ STR_INIT("uri-reference"), STR_INIT("javascript:alert(1)"), false },
		{ STR_INIT("uri-reference"), STR_INIT("a:b/c"), true },
		{ STR_INIT("uri-reference"), STR_INIT("1a:b/c"), false },
		{ STR_INIT("uri-reference"), STR_INIT("./1a:b/c"), true },
		{ STR_INIT("uri-template"), STR_INIT("/{+path}{?a,b*,c:3}"), true },
		{ STR_INIT("uri-template"), STR_INIT("/{}"), false },
		{ STR_INIT("uri-template"), STR_INIT("/{a:0}"), false },
		{ STR_INIT("uri-template"), STR_INIT("/{a%2}"), false },
		{ STR_INIT("uri-template"), STR_INIT("/a}"), false },
		{ STR_INIT("json-pointer"), STR_INIT("/a~1b/0"), true },
		{ STR_INIT("json-pointer"), STR_INIT("/a~b"), false },
		{ STR_INIT("relative-json-pointer"), STR_INIT("1/name"), true },
		{ STR_INIT("relative-json-pointer"), STR_INIT("01"), false },
		{ STR_INIT("regex"), STR_INIT("^[a-z]+$"), true },
		{ STR_INIT("regex"), STR_INIT("^\\S(|(.|\\n)*\\S)\\Z"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		format_check *check = format_find(cases[i].format);

		assert_non_null(check);
		if (check(cases[i].text) != cases[i].fits)
			fail_msg("%s: %s", cases[i].format.p, cases[i].text.p);
	}
}

static void a_nul_byte_fits_no_format(void **state)
{
	static const struct str formats[] = { STR_INIT("date"), STR_INIT("date-time"),
		STR_INIT("time"), STR_INIT("duration"), STR_INIT("uuid"), STR_INIT("email"),
		STR_INIT("idn-email"), STR_INIT("hostname"), STR_INIT("ipv4"), STR_INIT("ipv6"),
		STR_INIT("uri"), STR_INIT("uri-reference"), STR_INIT("iri"),
		STR_INIT("iri-reference"), STR_INIT("uri-template"),
		STR_INIT("relative-json-pointer") };
	static const char *const starts[] = { "", "a", "1", "a@b", "http://a", "P1D", "{a", "::" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		for (size_t k = 0; k < ARRAY_LEN(starts); k++) {
			char text[16] = { 0 };

			memcpy(text, starts[k], strlen(starts[k]));
			assert_false(format_find(formats[i])(str_n(text, strlen(text) + 1)));
		}
}

static void only_known_formats_are_found_and_each_has_a_hint(void **state)
{
	(void)state;
	assert_null(format_find(S("idn-hostname")));
	assert_null(format_find(S("Date")));
	assert_null(format_find(S("")));
	assert_true(str_eq(format_hint(S("date")), S("date, like 2026-01-31")));
	assert_true(format_hint(S("color")).n == 0);
}

static void hosts_and_local_parts_have_their_limits(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 60; i < sizeof text; i += 61)
		text[i] = '.';
	assert_true(format_find(S("hostname"))(str_n(text, 253)));
	assert_false(format_find(S("hostname"))(str_n(text, 254)));
	memset(text, 'a', sizeof text);
	memcpy(text + 64, "@b.c", 4);
	assert_true(format_find(S("email"))(str_n(text, 68)));
	text[64] = 'a';
	memcpy(text + 65, "@b.c", 4);
	assert_false(format_find(S("email"))(str_n(text, 69)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_accepts_its_own_form_and_no_other),
		cmocka_unit_test(a_nul_byte_fits_no_format),
		cmocka_unit_test(only_known_formats_are_found_and_each_has_a_hint),
		cmocka_unit_test(hosts_and_local_parts_have_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
