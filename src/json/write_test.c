/* write_test - the writer: structure, escapes, copies of parsed values, canonical text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "json/write.h"

#define BYTES ((size_t)1 << 20)

static void expect(struct buf *out, const char *wanted)
{
	if (!buf_ok(out) || !str_eq(buf_str(out), str_c(wanted)))
		fail_msg("%.*s instead of %s", STR_ARG(buf_str(out)), wanted);
	buf_clear(out);
}

static void commas_and_colons_are_placed(void **state)
{
	struct buf out;
	struct jw w;

	(void)state;
	buf_init(&out, BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("s"), S("a\"b"));
	jw_put_u64(&w, S("u"), UINT64_MAX);
	jw_put_i64(&w, S("i"), INT64_MIN);
	jw_put_bool(&w, S("t"), true);
	jw_put_raw(&w, S("r"), S("[1.50]"));
	jw_name(&w, S("l"));
	jw_array(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_object(&w);
	jw_object_end(&w);
	jw_null(&w);
	jw_bool(&w, false);
	jw_str(&w, S(""));
	jw_array_end(&w);
	jw_name(&w, S("\n"));
	jw_u64(&w, 0);
	jw_object_end(&w);
	expect(&out, "{\"s\":\"a\\\"b\",\"u\":18446744073709551615,\"i\":-9223372036854775808,"
		     "\"t\":true,\"r\":[1.50],\"l\":[[],{},null,false,\"\"],\"\\n\":0}");
	jw_init(&w, &out);
	jw_str(&w, STR_NONE);
	expect(&out, "\"\"");
	buf_done(&out);
}

static void sixty_four_levels_may_be_open(void **state)
{
	struct arena a;
	struct buf out;
	struct jw w;
	struct json v;
	struct json_error error;

	(void)state;
	arena_init(&a, BYTES);
	buf_in(&out, &a, BYTES);
	jw_init(&w, &out);
	for (int i = 0; i < 64; i++) {
		jw_array(&w);
		jw_u64(&w, 1);
	}
	for (int i = 0; i < 64; i++) {
		jw_array_end(&w);
		if (i < 63)
			jw_u64(&w, 2);
	}
	assert_true(json_parse(&a, buf_str(&out), &v, &error));
	for (const struct json *at = &v; at; at = at->count == 3 ? &at->items[1] : NULL) {
		assert_true(at->kind == JSON_ARRAY && (at->count == 3 || at->count == 1));
		assert_true(str_eq(at->items[0].raw, S("1")));
		assert_true(at->count == 1 || str_eq(at->items[2].raw, S("2")));
	}
	/* the deepest value that can be read may stand in the deepest place */
	buf_clear(&out);
	for (int i = 0; i < 63; i++)
		jw_array(&w);
	jw_json(&w, &v);
	assert_true(buf_ok(&out));
	arena_done(&a);
}

static void strings_are_escaped_as_little_as_may_be(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR_INIT(""), "" },
		{ STR_INIT("plain / text \x7f"), "plain / text \x7f" },
		{ STR_INIT("\"\\"), "\\\"\\\\" },
		{ STR_INIT("\b\f\n\r\t"), "\\b\\f\\n\\r\\t" },
		{ STR_INIT("\0\x01\x1f"), "\\u0000\\u0001\\u001f" },
		{ STR_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
			"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ STR_INIT("a\xe2\x80\xa8z\xe2\x80\xa9"), "a\\u2028z\\u2029" },
		{ STR_INIT("\xe2\x80\xa7\xe2\x80\xaa"), "\xe2\x80\xa7\xe2\x80\xaa" },
		{ STR_INIT("0123456789abcdef\n\xc3\xa4"), "0123456789abcdef\\n\xc3\xa4" },
		{ STR_INIT("\xff"), "\xef\xbf\xbd" },
		{ STR_INIT("a\xc3"), "a\xef\xbf\xbd" },
		{ STR_INIT("\xc3\"\xe2\x80"), "\xef\xbf\xbd\\\"\xef\xbf\xbd\xef\xbf\xbd" },
		{ STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ STR_INIT("\xff\xc3\xa4\n\xe2\x80\xa8\x80"),
			"\xef\xbf\xbd\xc3\xa4\\n\\u2028\xef\xbf\xbd" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, BYTES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_escape(&out, cases[i].in);
		expect(&out, cases[i].out);
	}
	json_escape_canonical(&out, S("\xe2\x80\xa8\n\x7f"));
	expect(&out, "\xe2\x80\xa8\\n\x7f");
	buf_done(&out);
}

/* Every byte that is special, at every place around the width of the scan. */
static void every_string_comes_back_as_it_went(void **state)
{
	static const struct str special[] = { STR_INIT("\""), STR_INIT("\\"), STR_INIT("\x1f"),
		STR_INIT("\0"), STR_INIT("\x7f"), STR_INIT("\xc3\xa4"), STR_INIT("\xe2\x80\xa9"),
		STR_INIT("\xf0\x9f\x98\x80") };
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)16 << 20);
	for (size_t n = 0; n < 40; n++)
		for (size_t i = 0; i < ARRAY_LEN(special) * (n + 1); i++) {
			struct str in = special[i % ARRAY_LEN(special)];
			size_t at = i / ARRAY_LEN(special);
			struct buf text, out;
			struct jw w;
			struct json v;
			struct json_error error;

			buf_in(&text, &a, 100);
			for (size_t k = 0; k < at; k++)
				buf_char(&text, 'x');
			buf_add(&text, in);
			for (size_t k = at; k < n; k++)
				buf_char(&text, 'y');
			buf_in(&out, &a, 300);
			jw_init(&w, &out);
			jw_str(&w, buf_str(&text));
			assert_true(json_parse(&a, buf_str(&out), &v, &error));
			assert_true(str_eq(v.text, buf_str(&text)));
			arena_reset(&a);
		}
	arena_done(&a);
}

/* Escapes make the text longer than the string: never past the limit, and whole within it. */
static void a_string_that_grows_stays_within_its_buf(void **state)
{
	char text[400], wanted[6 * sizeof text];
	size_t length = 0;

	(void)state;
	for (size_t n = 0; n < sizeof text; n++) {
		bool escaped = n % 16 == 15 || n > 300;
		struct buf out;

		text[n] = escaped ? '\x01' : 'x';
		memcpy(wanted + length, escaped ? "\\u0001" : "x", escaped ? 6 : 1);
		length += escaped ? 6 : 1;
		for (size_t less = 0; less < 2; less++) {
			buf_init(&out, length - less);
			json_escape(&out, str_n(text, n + 1));
			assert_true(buf_ok(&out) == !less && out.n <= length - less);
			assert_true(str_starts(str_n(wanted, length), buf_str(&out)));
			assert_true(less || out.n == length);
			buf_done(&out);
		}
	}
}

static void a_buf_that_is_full_says_so(void **state)
{
	static const struct str text = STR_INIT("{\"a\":[1,\"b\\n\xc3\xa4\"],\"c\":null}");
	struct arena a;
	struct json v;
	struct json_error error;

	(void)state;
	arena_init(&a, BYTES);
	assert_true(json_parse(&a, text, &v, &error));
	for (size_t limit = 0; limit <= text.n; limit++) {
		struct buf out;
		struct jw w;

		buf_init(&out, limit);
		jw_init(&w, &out);
		jw_json(&w, &v);
		assert_true(buf_ok(&out) == (limit == text.n));
		assert_true(out.n <= limit && str_starts(text, buf_str(&out)));
		buf_done(&out);
	}
	arena_done(&a);
}

static void parsed_values_are_written_again(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR_INIT(" [ 1.50 , -0 , 1E400 ] "), "[1.50,-0,1E400]" },
		{ STR_INIT("{ \"b\" : \"\\u00e4\\/\" , \"a\" : { } }"),
			"{\"b\":\"\xc3\xa4/\",\"a\":{}}" },
		{ STR_INIT("[true,false,null,[],\"\"]"), "[true,false,null,[],\"\"]" },
	};
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, BYTES);
	buf_init(&out, BYTES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct jw w;
		struct json v;
		struct json_error error;

		assert_true(json_parse(&a, cases[i].in, &v, &error));
		jw_init(&w, &out);
		jw_json(&w, &v);
		expect(&out, cases[i].out);
	}
	buf_done(&out);
	arena_done(&a);
}

static void canonical_text_is_one_for_all_ways_to_write_a_value(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR_INIT("5"), "\"5\"" },
		{ STR_INIT("5.0"), "\"5\"" },
		{ STR_INIT("-50e-1"), "\"-5\"" },
		{ STR_INIT("-0.0"), "\"0\"" },
		{ STR_INIT("1.50"), "\"1.5\"" },
		{ STR_INIT("0.0015E-2"), "\"0.000015\"" },
		{ STR_INIT("123.456e1"), "\"1234.56\"" },
		{ STR_INIT("9007199254740993"), "\"9007199254740993\"" },
		{ STR_INIT("1e20"), "\"100000000000000000000\"" },
		{ STR_INIT("1.5e400"), "\"15e399\"" },
		{ STR_INIT("150E398"), "\"15e399\"" },
		{ STR_INIT("1e-400"), "\"1e-400\"" },
		{ STR_INIT("-10e99999999999999999999"), "\"-1e100000000000000000000\"" },
		{ STR_INIT("0.01e-99999999999999999999"), "\"1e-100000000000000000001\"" },
		{ STR_INIT("1e64"), "\"1e64\"" },
		{ STR_INIT("{ \"b\" : 1 , \"a\" : [ true , null ] }"),
			"{\"a\":[true,null],\"b\":\"1\"}" },
		{ STR_INIT("{\"ab\":0,\"a\":0,\"\":0,\"B\":0}"),
			"{\"\":\"0\",\"B\":\"0\",\"a\":\"0\",\"ab\":\"0\"}" },
		/* by UTF-16: U+1F600 is D83D DE00 and comes before U+FB33 */
		{ STR_INIT("{\"\\ufb33\":0,\"\\ud83d\\ude00\":0,\"\\u20ac\":0,\"\\u0080\":0,\"1\":"
			   "0,\"\\r\":0}"),
			"{\"\\r\":\"0\",\"1\":\"0\",\"\xc2\x80\":\"0\",\"\xe2\x82\xac\":\"0\","
			"\"\xf0\x9f\x98\x80\":\"0\",\"\xef\xac\xb3\":\"0\"}" },
		{ STR_INIT("\"\\u2028\\u000f\\/\\u0041\""), "\"\xe2\x80\xa8\\u000f/A\"" },
	};
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, BYTES);
	buf_init(&out, BYTES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json v;
		struct json_error error;

		assert_true(json_parse(&a, cases[i].in, &v, &error));
		json_canonical(&out, &a, &v);
		expect(&out, cases[i].out);
	}
	buf_done(&out);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_colons_are_placed),
		cmocka_unit_test(sixty_four_levels_may_be_open),
		cmocka_unit_test(strings_are_escaped_as_little_as_may_be),
		cmocka_unit_test(every_string_comes_back_as_it_went),
		cmocka_unit_test(a_string_that_grows_stays_within_its_buf),
		cmocka_unit_test(a_buf_that_is_full_says_so),
		cmocka_unit_test(parsed_values_are_written_again),
		cmocka_unit_test(canonical_text_is_one_for_all_ways_to_write_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
