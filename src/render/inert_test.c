/* What a hostile value may hold, and how it is shown; how text is cut for a terminal. */
#include "base/test.h"
#include "base/utf8.h"
#include "render/inert.h"

#include <stdio.h>

/* U+27E8, U+27E9 */
#define O "\xe2\x9f\xa8"
#define C "\xe2\x9f\xa9"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)8 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void what_is_not_seen_stands_as_an_escape(void **state)
{
	static const struct {
		struct str raw;
		const char *shown;
	} cases[] = {
		{ STR_INIT(""), "" },
		{ STR_INIT("Jane Doe, 48,000 (ctr_1)"), "Jane Doe, 48,000 (ctr_1)" },
		{ STR_INIT("M\xc3\xbcller \xe5\xb1\xb1\xe7\x94\xb0 \xf0\x9f\x99\x82"),
			"M\xc3\xbcller \xe5\xb1\xb1\xe7\x94\xb0 \xf0\x9f\x99\x82" },
		{ STR_INIT("a\nb\r\tc\0d"),
			"a" O "U+000A" C "b" O "U+000D" C O "U+0009" C "c" O "U+0000" C "d" },
		{ STR_INIT("\x1b[31mred"), O "U+001B" C "[31mred" },
		{ STR_INIT("\x7f\xc2\x9b"), O "U+007F" C O "U+009B" C },
		{ STR_INIT("pay \xe2\x80\xae"
			   "gpj.exe"),
			"pay " O "U+202E" C "gpj.exe" },
		{ STR_INIT("\xe2\x81\xa6x\xe2\x81\xa9"), O "U+2066" C "x" O "U+2069" C },
		{ STR_INIT("a\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f"
			   "b"),
			"a" O "U+061C" C O "U+200E" C O "U+200F" C "b" },
		{ STR_INIT("pay\xe2\x80\x8bpal\xe2\x80\x8d\xef\xbb\xbf"),
			"pay" O "U+200B" C "pal" O "U+200D" C O "U+FEFF" C },
		{ STR_INIT("ok\xf3\xa0\x81\x81\xf3\xa0\x81\xbf"),
			"ok" O "U+E0041" C O "U+E007F" C },
		{ STR_INIT("\xe2\x9d\xa4\xef\xb8\x8f"), "\xe2\x9d\xa4" O "U+FE0F" C },
		{ STR_INIT("a\xc2\xadz\xe3\x85\xa4\xe2\xa0\x80"),
			"a" O "U+00AD" C "z" O "U+3164" C O "U+2800" C },
		{ STR_INIT("1\xc2\xa0"
			   "000\xe2\x80\xa8x"),
			"1" O "U+00A0" C "000" O "U+2028" C "x" },
		{ STR_INIT("\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf"),
			O "U+E000" C O "U+FFFF" C O "U+10FFFF" C },
		{ STR_INIT(" a"), O "U+0020" C "a" },
		{ STR_INIT("a "), "a" O "U+0020" C },
		{ STR_INIT(" "), O "U+0020" C },
		{ STR_INIT("a  b   c"), "a " O "U+0020" C "b " O "U+0020" C O "U+0020" C "c" },
		{ STR_INIT("\xff\xc3(\xed\xa0\x80"),
			O "xFF" C O "xC3" C "(" O "xED" C O "xA0" C O "x80" C },
		{ STR_INIT("e\xcc\x81"), "e\xcc\x81" },
		{ STR_INIT("e\xcc\x81\xcc\x81\xcc\x81"), "e\xcc\x81\xcc\x81" O "U+0301" C },
		{ STR_INIT("\xcc\x81 \xcc\x81\n\xcc\x81"),
			O "U+0301" C " " O "U+0301" C O "U+000A" C O "U+0301" C },
		/* what looks like an escape is none */
		{ STR_INIT(O "U+202E" C), O "U+27E8" C "U+202E" C },
		{ STR_INIT("\xe2\x8c\xa9U+202E\xe2\x8c\xaa"), O "U+2329" C "U+202E\xe2\x8c\xaa" },
		{ STR_INIT("\xe2\x9f"), O "xE2" C O "x9F" C },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str shown = inert_text(&arena, cases[i].raw);

		if (!str_eq(shown, str_c(cases[i].shown)))
			fail_msg("case %zu: %.*s", i, STR_ARG(shown));
	}
}

/* All characters there are, of the sparse planes every 251st: each is shown as it is, or as its own
 * escape. */
static void each_character_is_shown_or_escaped_and_no_two_alike(void **state)
{
	size_t escaped = 0;

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x20000 ? 1 : 251) {
		char raw_bytes[8], expected[32];
		struct buf raw;
		struct str shown;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		arena_reset(&arena);
		raw = (struct buf){ .p = raw_bytes,
			.cap = sizeof raw_bytes,
			.limit = sizeof raw_bytes,
			.arena = &arena };
		buf_char(&raw, 'a');
		utf8_write(&raw, c);
		buf_char(&raw, 'a');
		shown = inert_text(&arena, buf_str(&raw));
		if (str_eq(shown, buf_str(&raw)))
			continue;
		snprintf(expected, sizeof expected, "a" O "U+%04X" C "a", (unsigned)c);
		assert_str(shown, expected);
		escaped++;
	}
	/* private use, and far the most of the sparse planes */
	assert_true(escaped > 6400 + 0xd0000 / 251 && escaped < 7000 + 0xd0000 / 251);
}

static void each_form_has_nothing_that_its_reader_acts_on(void **state)
{
	static const struct {
		struct str raw;
		const char *code, *html;
	} cases[] = {
		{ STR_INIT("<script>alert('x')</script>"),
			O "U+003C" C "script>alert('x')" O "U+003C" C "/script>",
			"&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
		{ STR_INIT("a|b`c\\d"), "a" O "U+007C" C "b" O "U+0060" C "c" O "U+005C" C "d",
			"a|b`c\\d" },
		{ STR_INIT("[click](http://evil.example)"), "[click](http://evil.example)",
			"[click](http://evil.example)" },
		{ STR_INIT("&amp; \"q\""), "&amp; \"q\"", "&amp;amp; &quot;q&quot;" },
		{ STR_INIT("x\n# y"), "x" O "U+000A" C "# y", "x" O "U+000A" C "# y" },
		{ STR_INIT("\xff<"), O "xFF" C O "U+003C" C, O "xFF" C "&lt;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf code, html, dressed;

		buf_in(&code, &arena, 4096);
		buf_in(&html, &arena, 4096);
		buf_in(&dressed, &arena, 4096);
		inert_write(&code, cases[i].raw, INERT_CODE);
		inert_write(&html, cases[i].raw, INERT_HTML);
		inert_dress(&dressed, inert_text(&arena, cases[i].raw), INERT_HTML);
		assert_str(buf_str(&code), cases[i].code);
		assert_str(buf_str(&html), cases[i].html);
		assert_str(buf_str(&dressed), cases[i].html);
	}
}

static void widths_are_those_of_a_terminal(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xe5\xb1\xb1\xe7\x94\xb0", 4 },
		{ "e\xcc\x81", 1 },
		{ "\xf0\x9f\x99\x82", 2 },
		{ O "U+202E" C, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(inert_width(str_c(cases[i].text)), cases[i].width);
}

static void lines_end_behind_spaces_and_never_inside_an_escape(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		const char *front;
	} cases[] = {
		{ "", 10, "" },
		{ "abc", 10, "abc" },
		{ "abc", 3, "abc" },
		{ "abcd", 3, "abc" },
		{ "the wrong entity", 10, "the wrong " },
		{ "the wrong entity", 9, "the wrong" },
		{ "a bcdefghijkl", 10, "a bcdefghi" },
		{ "abcde" O "U+202E" C "x", 8, "abcde" },
		{ O "U+202E" C "x", 3, O "U+202E" C },
		{ "\xe5\xb1\xb1\xe7\x94\xb0", 3, "\xe5\xb1\xb1" },
		{ "\xe5\xb1\xb1\xe7\x94\xb0", 1, "\xe5\xb1\xb1" },
		{ "ae\xcc\x81x", 2, "ae\xcc\x81" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text = str_c(cases[i].text);

		assert_str(str_sub(text, 0, inert_fit(text, cases[i].width)), cases[i].front);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_not_seen_stands_as_an_escape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_character_is_shown_or_escaped_and_no_two_alike, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_form_has_nothing_that_its_reader_acts_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(widths_are_those_of_a_terminal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			lines_end_behind_spaces_and_never_inside_an_escape, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
