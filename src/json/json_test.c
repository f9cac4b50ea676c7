/* json_test - the reader against cases and the JSONTestSuite (jansson_test.c has the jansson). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "json/json.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define DIGITS_64 "1234567890123456789012345678901234567890123456789012345678901234"

/* Of a copy that ends where its memory ends, so that a byte read too far is seen. */
static bool parse_copy(struct arena *a, struct str text, struct json *out, struct json_error *error)
{
	char *copy = malloc(text.n ? text.n : 1);
	bool good;

	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	arena_defer(a, free, copy);
	good = json_parse(a, str_n(copy, text.n), out, error);
	return good;
}

static enum json_fault fault_of(struct arena *a, struct str text)
{
	struct json v;
	struct json_error error;

	return parse_copy(a, text, &v, &error) ? JSON_OK : error.fault;
}

static struct str repeated(struct arena *a, struct str unit, size_t count)
{
	char *p = arena_alloc(a, unit.n * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(p + i * unit.n, unit.p, unit.n);
	return str_n(p, unit.n * count);
}

static struct str nested(struct arena *a, size_t depth)
{
	return arena_fmt(a, "%.*s%.*s", (int)depth, repeated(a, S("["), depth).p, (int)depth,
		repeated(a, S("]"), depth).p);
}

static void texts_that_are_json_are_read(void **state)
{
	static const struct str cases[] = {
		STR_INIT("null"),
		STR_INIT("true"),
		STR_INIT("false"),
		STR_INIT("0"),
		STR_INIT("-0"),
		STR_INIT("1e400"),
		STR_INIT("-1e400"),
		STR_INIT("1e-400"),
		STR_INIT("9007199254740993"),
		STR_INIT("123456789012345678901234567890"),
		STR_INIT("0.5E+07"),
		STR_INIT("\"\""),
		STR_INIT(" \t\r\n[ ] \n"),
		STR_INIT("{}"),
		STR_INIT("{ \"a\" : [ 1 , { \"b\" : null } ] }"),
		STR_INIT("\"\\u0000\""),
		STR_INIT("\"\x7f\""),
		STR_INIT("\"\\ud83d\\ude00\""),
		STR_INIT("\"\xf0\x9f\x98\x80\""),
		STR_INIT("\"\\/\\b\\f\\n\\r\\t\\\"\\\\\""),
		STR_INIT("{\"a\":1,\"A\":2}"),
		STR_INIT("{\"\":1}"),
		STR_INIT("\"\xef\xbf\xbf\""),
	};
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (fault_of(&a, cases[i]) != JSON_OK)
			fail_msg("%s", cases[i].p);
	arena_done(&a);
}

static void texts_that_are_not_are_refused_with_reason_and_offset(void **state)
{
	static const struct {
		struct str text;
		enum json_fault fault;
		size_t offset;
	} cases[] = {
		{ STR_INIT(""), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("  "), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\xef\xbb\xbf{}"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("{\0}\0"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("\xff\xfe{\0}\0"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("{}{}"), JSON_BAD_TRAILING, 2 },
		{ STR_INIT("{} x"), JSON_BAD_TRAILING, 3 },
		{ STR_INIT("{}\0"), JSON_BAD_TRAILING, 2 },
		{ STR_INIT("NaN"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("Infinity"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("-Infinity"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("+1"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("01"), JSON_BAD_TRAILING, 1 },
		{ STR_INIT("[01]"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("[-01]"), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT(".5"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("1."), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("1.e5"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("1e"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("1e+"), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("-"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("0x10"), JSON_BAD_TRAILING, 1 },
		{ STR_INIT("'a'"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("{'a':1}"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("{a:1}"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("[1,]"), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("[,1]"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("[1 2]"), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("{\"a\":1,}"), JSON_BAD_SYNTAX, 7 },
		{ STR_INIT("{\"a\" 1}"), JSON_BAD_SYNTAX, 5 },
		{ STR_INIT("{\"a\":}"), JSON_BAD_SYNTAX, 5 },
		{ STR_INIT("{\"a\"}"), JSON_BAD_SYNTAX, 4 },
		{ STR_INIT("[1}"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("{\"a\":1]"), JSON_BAD_SYNTAX, 6 },
		{ STR_INIT("[1"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("["), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("{"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("/*x*/1"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("1//x"), JSON_BAD_TRAILING, 1 },
		{ STR_INIT("tru"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("nul"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("True"), JSON_BAD_SYNTAX, 0 },
		{ STR_INIT("\"a"), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\"a\nb\""), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\"a\0b\""), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\"0123456789abcdef\x1f\""), JSON_BAD_SYNTAX, 17 },
		{ STR_INIT("\"\\x41\""), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\"\\"), JSON_BAD_SYNTAX, 1 },
		{ STR_INIT("\"\\\""), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("\"\\u12g4\""), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("\"\\u12\""), JSON_BAD_SYNTAX, 3 },
		{ STR_INIT("\"\\\n\""), JSON_BAD_SYNTAX, 2 },
		{ STR_INIT("\"\\ud800\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\\udc00\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\\udc00\\ud800\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\\ud800\\ud800\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\\ud800\\n\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\\ud800\\u00\""), JSON_BAD_SURROGATE, 3 },
		{ STR_INIT("\"\xc0\x80\""), JSON_BAD_UTF8, 1 },
		{ STR_INIT("\"\xed\xa0\x80\""), JSON_BAD_UTF8, 1 },
		{ STR_INIT("\"\xf4\x90\x80\x80\""), JSON_BAD_UTF8, 1 },
		{ STR_INIT("\"0123456789abcde\xff"
			   "0123456789abcdef\""),
			JSON_BAD_UTF8, 1 },
		{ STR_INIT("\"\xe2\x80\""), JSON_BAD_UTF8, 1 },
		{ STR_INIT("{\"\xff\":1}"), JSON_BAD_UTF8, 2 },
		{ STR_INIT("{\"a\":1,\"a\":2}"), JSON_BAD_DUPLICATE, 11 },
		{ STR_INIT("{\"a\":1,\"\\u0061\":2}"), JSON_BAD_DUPLICATE, 16 },
		{ STR_INIT("{\"a\\u0000b\":1}"), JSON_BAD_NAME, 1 },
		{ STR_INIT("[" DIGITS_64 DIGITS_64 " ]"), JSON_OK, 0 },
		{ STR_INIT("[" DIGITS_64 DIGITS_64 "5]"), JSON_BAD_NUMBER_LENGTH, 1 },
	};
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json v = { .kind = JSON_OBJECT, .count = 77 };
		struct json_error error = { .fault = JSON_OK };

		if (parse_copy(&a, cases[i].text, &v, &error) != (cases[i].fault == JSON_OK) ||
			error.fault != cases[i].fault || error.offset != cases[i].offset)
			fail_msg("%s: %s at %zu", cases[i].text.p, json_fault_name(error.fault),
				error.offset);
		if (cases[i].fault != JSON_OK)
			assert_true(v.count == 77); /* untouched */
	}
	arena_done(&a);
}

static void every_front_of_a_text_is_refused(void **state)
{
	struct str text = S("{\"a\":[1.5e+3,\"\\ud83d\\ude00 \xc3\xa4\",{\"b\":null}],\"c\":true}");
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	assert_true(fault_of(&a, text) == JSON_OK);
	for (size_t n = 0; n < text.n; n++)
		assert_true(fault_of(&a, str_sub(text, 0, n)) != JSON_OK);
	arena_done(&a);
}

static void nesting_ends_at_64(void **state)
{
	struct arena a;
	struct str call;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	assert_true(fault_of(&a, nested(&a, 64)) == JSON_OK);
	assert_true(fault_of(&a, nested(&a, 65)) == JSON_BAD_DEPTH);
	assert_true(fault_of(&a, repeated(&a, S("["), 100000)) == JSON_BAD_DEPTH);
	assert_true(fault_of(&a, repeated(&a, S("{\"a\":"), 100000)) == JSON_BAD_DEPTH);
	call = arena_fmt(
		&a, "{\"method\":\"tools/call\",\"params\":{\"arguments\":%s}}", nested(&a, 65).p);
	assert_true(fault_of(&a, call) == JSON_BAD_DEPTH);
	/* beside each other does not count */
	assert_true(fault_of(&a, arena_fmt(&a, "[%s,%s]", nested(&a, 63).p, nested(&a, 63).p)) ==
		    JSON_OK);
	arena_done(&a);
}

static void a_number_of_a_mebibyte_is_refused_for_its_length(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	assert_true(fault_of(&a, repeated(&a, S("1"), 1 << 20)) == JSON_BAD_NUMBER_LENGTH);
	assert_string_equal(json_fault_name(JSON_BAD_NUMBER_LENGTH), "number_length");
	arena_done(&a);
}

static void the_tree_says_what_the_text_says(void **state)
{
	struct str text =
		S(" {\"n\" : -1.50e2 ,\"s\":\"a\\u00e4\\ud83d\\ude00\\n\",\"p\":\"plain\","
		  "\"l\":[ true , null,[]],\"o\":{ } } ");
	struct arena a;
	struct json v;
	struct json_error error;
	const struct json *l;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	assert_true(json_parse(&a, text, &v, &error));
	assert_true(v.kind == JSON_OBJECT && v.count == 5);
	assert_true(v.raw.p == text.p + 1 && v.raw.n == text.n - 2);
	assert_true(str_eq(json_get(&v, S("n"))->text, S("-1.50e2")));
	assert_true(str_eq(json_get_str(&v, S("s")), S("a\xc3\xa4\xf0\x9f\x98\x80\n")));
	assert_true(str_eq(json_get(&v, S("s"))->raw, S("\"a\\u00e4\\ud83d\\ude00\\n\"")));
	assert_true(json_get_str(&v, S("p")).p > text.p &&
		    json_get_str(&v, S("p")).p < text.p + text.n);
	l = json_get(&v, S("l"));
	assert_true(l->kind == JSON_ARRAY && l->count == 3);
	assert_true(json_is(&l->items[0], JSON_BOOL) && l->items[0].truth);
	assert_true(json_is(&l->items[1], JSON_NULL) && str_eq(l->items[1].raw, S("null")));
	assert_true(json_is(&l->items[2], JSON_ARRAY) && l->items[2].count == 0);
	assert_true(str_eq(l->raw, S("[ true , null,[]]")));
	assert_true(str_eq(json_get(&v, S("o"))->raw, S("{ }")));
	assert_null(json_get(&v, S("x")));
	assert_null(json_get(l, S("n")));
	assert_null(json_get(NULL, S("n")));
	assert_false(json_is(NULL, JSON_NULL));
	assert_true(json_get_str(&v, S("n")).n == 0);
	arena_done(&a);
}

static struct str many_members(struct arena *a, size_t count, const char *extra)
{
	struct buf text;

	buf_in(&text, a, 8 << 20);
	buf_char(&text, '{');
	for (size_t i = 0; i < count; i++)
		buf_fmt(&text, "%s\"k%zu\":%zu", i ? "," : "", i, i);
	buf_fmt(&text, "%s}", extra);
	return buf_str(&text);
}

static void objects_of_every_size_find_members_and_duplicates(void **state)
{
	struct arena a;

	(void)state;
	for (size_t count = 1; count < 400; count += 1 + count / 8) {
		struct json v;
		struct json_error error;
		struct str text;

		arena_init(&a, ARENA_BYTES);
		text = many_members(&a, count, "");
		assert_true(parse_copy(&a, text, &v, &error));
		assert_true(v.count == count);
		for (size_t i = 0; i < count; i++) {
			const struct json *found = json_get(&v, arena_fmt(&a, "k%zu", i));

			assert_ptr_equal(found, &v.members[i].value);
		}
		assert_null(json_get(&v, S("k")));
		assert_null(json_get(&v, arena_fmt(&a, "k%zu", count)));
		text = many_members(&a, count, arena_fmt(&a, ",\"k%zu\":0", count / 2).p);
		assert_true(fault_of(&a, text) == JSON_BAD_DUPLICATE);
		arena_done(&a);
	}
}

static void more_than_100000_items_are_refused(void **state)
{
	struct arena a;
	struct str items;
	struct buf text;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	items = repeated(&a, S("0,"), JSON_MAX_ITEMS);
	buf_in(&text, &a, 1 << 20);
	buf_char(&text, '[');
	buf_add(&text, str_sub(items, 0, items.n - 1));
	buf_char(&text, ']');
	assert_true(fault_of(&a, buf_str(&text)) == JSON_OK);
	text.n--;
	buf_lit(&text, ",0]");
	assert_true(fault_of(&a, buf_str(&text)) == JSON_BAD_ITEMS);
	arena_done(&a);
}

/* What the header promises about memory, for the worst texts and for a usual one. */
static void memory_stays_within_what_the_header_says(void **state)
{
	static const struct {
		struct str unit;
		size_t times;
	} cases[] = {
		{ STR_INIT("1,"), 24 },
		{ STR_INIT("[],"), 24 },
		{ STR_INIT("[1],"), 24 },
		{ STR_INIT("\"\\n\","), 24 },
		{ STR_INIT("[[[[[[[[[]]]]]]]]],"), 24 },
		{ STR_INIT("{\"\":1},"), 24 },
		{ STR_INIT("{\"id\":1234,\"subject\":\"Cannot log in\",\"status\":\"open\"},"), 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a, texts;
		struct str text;
		struct json v;
		struct json_error error;

		arena_init(&texts, ARENA_BYTES);
		arena_init(&a, ARENA_BYTES);
		text = arena_fmt(&texts, "[%s0]", repeated(&texts, cases[i].unit, 5000).p);
		assert_true(json_parse(&a, text, &v, &error));
		if (a.used > cases[i].times * text.n + 256)
			fail_msg("%s: %zu for %zu", cases[i].unit.p, a.used, text.n);
		arena_done(&a);
		arena_done(&texts);
	}
}

/* The sanitizer says whether the stack on the heap was freed. */
static void an_arena_that_is_too_small_ends_the_parse_and_leaks_nothing(void **state)
{
	static size_t limit;
	static unsigned escaped, read; /* static: they live through the jump */
	struct arena texts;
	struct str text;

	(void)state;
	arena_init(&texts, ARENA_BYTES);
	text = arena_fmt(&texts, "[%s0]", repeated(&texts, S("[1,2],"), 600).p);
	for (limit = 16; limit < (size_t)1 << 18; limit += limit / 4) {
		struct arena a;
		struct json v;
		struct json_error error;
		jmp_buf place;

		arena_init(&a, limit);
		if (arena_catch(&a, &place)) {
			escaped++;
		} else {
			assert_true(json_parse(&a, text, &v, &error));
			read++;
		}
		arena_uncatch(&a);
		arena_done(&a);
	}
	assert_true(escaped > 10 && read > 1);
	arena_done(&texts);
}

/* --- JSONTestSuite --- */

/* Valid, and refused here on purpose: names that are the same, a NUL in a name. */
static bool refused_on_purpose(const char *name)
{
	static const char *const names[] = { "y_object_duplicated_key.json",
		"y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void check_suite_file(const char *directory, const char *name)
{
	struct arena a;
	struct str text;
	struct err err;
	enum json_fault fault;
	bool wanted = name[0] == 'y' && !refused_on_purpose(name);

	arena_init(&a, ARENA_BYTES);
	if (!file_read(&a, arena_fmt(&a, "%s/%s", directory, name), 1 << 20, &text, &err))
		fail_msg("%s", err.text);
	fault = fault_of(&a, text);
	if (name[0] != 'i' && (fault == JSON_OK) != wanted)
		fail_msg("%s: %s", name, json_fault_name(fault));
	arena_done(&a);
}

static void the_json_test_suite_agrees(void **state)
{
	const char *directory = getenv("POSTERN_JSONTESTSUITE");
	DIR *dir = directory ? opendir(directory) : NULL;
	struct dirent *entry;
	unsigned count[3] = { 0 };

	(void)state;
	if (!dir) {
		print_message("SKIPPED: JSONTestSuite not present\n");
		skip();
	}
	while ((entry = readdir(dir)) != NULL) {
		const char *kind = strchr("yni", entry->d_name[0]);

		if (!kind || !*kind || entry->d_name[1] != '_')
			continue;
		check_suite_file(directory, entry->d_name);
		count[kind - "yni"]++;
	}
	closedir(dir);
	print_message("JSONTestSuite: %u y_, %u n_, %u i_\n", count[0], count[1], count[2]);
	assert_true(count[0] >= 90 && count[1] >= 180 && count[2] >= 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_that_are_json_are_read),
		cmocka_unit_test(texts_that_are_not_are_refused_with_reason_and_offset),
		cmocka_unit_test(every_front_of_a_text_is_refused),
		cmocka_unit_test(nesting_ends_at_64),
		cmocka_unit_test(a_number_of_a_mebibyte_is_refused_for_its_length),
		cmocka_unit_test(the_tree_says_what_the_text_says),
		cmocka_unit_test(objects_of_every_size_find_members_and_duplicates),
		cmocka_unit_test(more_than_100000_items_are_refused),
		cmocka_unit_test(memory_stays_within_what_the_header_says),
		cmocka_unit_test(an_arena_that_is_too_small_ends_the_parse_and_leaks_nothing),
		cmocka_unit_test(the_json_test_suite_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
