/* pattern_test - ECMA-262 patterns: what matches, what is refused, and that bad ones end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "json/pattern.h"

static struct pattern *compiled(struct str source)
{
	struct err err = { 0 };
	struct pattern *p = pattern_new(source, false, &err);

	if (!p)
		fail_msg("%.*s: %s", STR_ARG(source), err.text);
	return p;
}

static void patterns_match_as_ecma_262_says(void **state)
{
	static const struct {
		struct str pattern, text;
		bool matches;
	} cases[] = {
		{ STR_INIT("a"), STR_INIT("xay"), true },
		{ STR_INIT(""), STR_INIT(""), true },
		{ STR_INIT("^abc$"), STR_INIT("abc"), true },
		{ STR_INIT("^abc$"), STR_INIT("abc\n"), false },
		{ STR_INIT("^cust_[A-Z0-9]{12}$"), STR_INIT("cust_ABCDEFGHIJKL"), true },
		{ STR_INIT("^cust_[A-Z0-9]{12}$"), STR_INIT("cust_ABCDEFGHIJKL\n"), false },
		{ STR_INIT("^cust_[A-Z0-9]{12}$"), STR_INIT("cust_ABCDEFGHIJKL\u2028"), false },
		{ STR_INIT("^cust_[A-Z0-9]{12}$"), STR_INIT("cust_ABCDEFGHIJK１"), false },
		{ STR_INIT("^cust_[A-Z0-9]{12}$"), STR_INIT("cust_ABCDEFGHIJKLM"), false },
		{ STR_INIT("^\\d$"), STR_INIT("７"), false },
		{ STR_INIT("^\\w+$"), STR_INIT("Az_9"), true },
		{ STR_INIT("^\\w+$"), STR_INIT("é"), false },
		{ STR_INIT("^\\W$"), STR_INIT("é"), true },
		{ STR_INIT("^\\s$"), STR_INIT("\u00a0"), true },
		{ STR_INIT("^\\S+$"), STR_INIT("a\u2003b"), false },
		{ STR_INIT("^[^\\s]+$"), STR_INIT("a\u2028b"), false },
		{ STR_INIT("^[\\S]$"), STR_INIT("\u2029"), false },
		{ STR_INIT("^[\\S ]+$"), STR_INIT("a b"), true },
		{ STR_INIT("^.$"), STR_INIT("\n"), false },
		{ STR_INIT("^.$"), STR_INIT("\r"), false },
		{ STR_INIT("^.$"), STR_INIT("\u2028"), false },
		{ STR_INIT("^.$"), STR_INIT("\v"), true },
		{ STR_INIT("^.$"), STR_INIT("🐲"), true },
		{ STR_INIT("^[🐲-🐴]$"), STR_INIT("🐳"), true },
		{ STR_INIT("^\\ud83d\\udc32$"), STR_INIT("🐲"), true },
		{ STR_INIT("^\\u{1f432}$"), STR_INIT("🐲"), true },
		{ STR_INIT("^\\u00e9\\x41\\cJ\\0?$"), STR_INIT("éA\n"), true },
		{ STR_INIT("^[\\b\\-\\]a-c^]+$"), STR_INIT("\b-]b^"), true },
		{ STR_INIT("^[a-]$"), STR_INIT("-"), true },
		{ STR_INIT("^[\\w-]+$"), STR_INIT("a-b"), true },
		{ STR_INIT("^[[:alpha:]$"), STR_INIT("l"), true }, /* a class of [ : a l p h */
		{ STR_INIT("[]"), STR_INIT("a"), false },
		{ STR_INIT("^[^]$"), STR_INIT("\n"), true },
		{ STR_INIT("^a{2,3}?$"), STR_INIT("aaa"), true },
		{ STR_INIT("^a{2,}$"), STR_INIT("a"), false },
		{ STR_INIT("^(?:a|b)+$"), STR_INIT("abba"), true },
		{ STR_INIT("^(?<x>a)\\k<x>$"), STR_INIT("aa"), true },
		{ STR_INIT("^(a)\\1$"), STR_INIT("ab"), false },
		{ STR_INIT("^(?:(a)|b)\\1$"), STR_INIT("b"), true }, /* a group that took no part */
		{ STR_INIT("^(?=a)a(?!b)"), STR_INIT("ac"), true },
		{ STR_INIT("(?<=\\$)\\d"), STR_INIT("$5"), true },
		{ STR_INIT("\\bfoo\\b"), STR_INIT("a foo b"), true },
		{ STR_INIT("\\p{Letter}cole"), STR_INIT("École"), true },
		{ STR_INIT("^\\p{Lu}\\P{Lu}$"), STR_INIT("Éa"), true },
		{ STR_INIT("^\\p{Script=Greek}+$"), STR_INIT("αβ"), true },
		{ STR_INIT("^\\p{gc=Decimal_Number}$"), STR_INIT("৪"), true },
		{ STR_INIT("^[\\p{Alphabetic}]$"), STR_INIT("٠"), false },
		{ STR_INIT("#not a comment"), STR_INIT("#not a comment"), true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pattern *p = compiled(cases[i].pattern);

		if ((pattern_try(p, cases[i].text) == PATTERN_YES) != cases[i].matches)
			fail_msg("%s on %s", cases[i].pattern.p, cases[i].text.p);
		pattern_free(&p);
		assert_null(p);
	}
}

static void syntax_that_ecma_262_does_not_know_is_refused(void **state)
{
	static const struct str cases[] = {
		STR_INIT("\\Qa\\E"),
		STR_INIT("(?i)a"),
		STR_INIT("(?i:a)"),
		STR_INIT("a\\Z"),
		STR_INIT("\\Aa"),
		STR_INIT("\\z"),
		STR_INIT("\\G"),
		STR_INIT("\\K"),
		STR_INIT("a++"),
		STR_INIT("a*+"),
		STR_INIT("a?+"),
		STR_INIT("a{2}+"),
		STR_INIT("(?>a)"),
		STR_INIT("(?|a)"),
		STR_INIT("(?#c)"),
		STR_INIT("(?P<n>a)"),
		STR_INIT("(?'n'a)"),
		STR_INIT("(?R)"),
		STR_INIT("(?1)"),
		STR_INIT("(*UCP)a"),
		STR_INIT("(*ACCEPT)"),
		STR_INIT("\\h"),
		STR_INIT("\\H"),
		STR_INIT("\\R"),
		STR_INIT("\\X"),
		STR_INIT("\\C"),
		STR_INIT("\\N"),
		STR_INIT("\\a"),
		STR_INIT("\\e"),
		STR_INIT("\\o{101}"),
		STR_INIT("\\g1"),
		STR_INIT("\\x{41}"),
		STR_INIT("\\x4"),
		STR_INIT("\\u12"),
		STR_INIT("\\u{110000}"),
		STR_INIT("\\ud83d"),
		STR_INIT("\\udc32"),
		STR_INIT("\\01"),
		STR_INIT("\\c1"),
		STR_INIT("\\pL"),
		STR_INIT("\\p{Xan}"),
		STR_INIT("\\p{L&}"),
		STR_INIT("\\p{^Lu}"),
		STR_INIT("\\p{Greek}"),
		STR_INIT("\\p{Nope}"),
		STR_INIT("\\@"),
		STR_INIT("\\_"),
		STR_INIT("\\-"),
		STR_INIT("["),
		STR_INIT("[a"),
		STR_INIT("[b-a]"),
		STR_INIT("[\\d-z]"),
		STR_INIT("[a-\\d]"),
		STR_INIT("]"),
		STR_INIT("}"),
		STR_INIT("{"),
		STR_INIT("a{"),
		STR_INIT("a{,3}"),
		STR_INIT("a{3,2}"),
		STR_INIT("a{65536}"),
		STR_INIT("*a"),
		STR_INIT("a**"),
		STR_INIT("^*"),
		STR_INIT("(?=a)*"),
		STR_INIT("("),
		STR_INIT(")"),
		STR_INIT("(a"),
		STR_INIT("\\"),
		STR_INIT("\\1"),
		STR_INIT("(a)\\2"),
		STR_INIT("\\k<a>"),
		STR_INIT("(?<a>x)\\k"),
		STR_INIT("(?<1>a)"),
		STR_INIT("(?<a>x)(?<a>y)"),
		STR_INIT("a\xff"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		struct pattern *p = pattern_new(cases[i], false, &err);

		if (p)
			fail_msg("accepted: %s", cases[i].p);
		assert_true(err.code == E_INVALID || err.code == E_LIMIT);
		assert_true(err.text[0]);
	}
}

static void linear_patterns_have_neither_look_around_nor_back_references(void **state)
{
	static const struct {
		struct str source;
		bool linear;
	} cases[] = {
		{ STR_INIT("(?=a)"), false },
		{ STR_INIT("(?!a)"), false },
		{ STR_INIT("(?<=a)"), false },
		{ STR_INIT("(?<!a)"), false },
		{ STR_INIT("(a)\\1"), false },
		{ STR_INIT("(?<n>a)\\k<n>"), false },
		{ STR_INIT("(?<n>a)(?:b|\\bc)$"), true },
		{ STR_INIT("^(a+)+$"), true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		struct pattern *p = pattern_new(cases[i].source, true, &err), *q;

		if (!!p != cases[i].linear)
			fail_msg("%s", cases[i].source.p);
		q = compiled(cases[i].source); /* all of them are well formed */
		pattern_free(&q);
		pattern_free(&p);
	}
}

static void a_pattern_that_backtracks_without_end_is_never_a_match(void **state)
{
	struct str texts[] = {
		S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
		S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	};
	struct pattern *p = compiled(S("^(a+)+$"));
	struct timespec from, to;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(pattern_try(p, texts[0]), PATTERN_LIMIT);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 2);
	assert_int_equal(pattern_try(p, texts[1]), PATTERN_YES);
	pattern_free(&p);
}

static void long_texts_outgrow_the_small_stack_of_the_jit_and_still_match(void **state)
{
	struct pattern *p = compiled(S("^(?:a|b)*$"));
	static char text[16000];

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(pattern_try(p, str_n(text, sizeof text)), PATTERN_YES);
	text[sizeof text - 1] = 'c';
	assert_int_not_equal(pattern_try(p, str_n(text, sizeof text)), PATTERN_YES);
	pattern_free(&p);
}

static void patterns_that_are_too_large_or_too_deep_are_refused(void **state)
{
	static char text[PATTERN_MAX_BYTES + 1];
	struct err err = { 0 };

	(void)state;
	memset(text, 'a', sizeof text);
	assert_null(pattern_new(str_n(text, sizeof text), false, &err));
	assert_int_equal(err.code, E_LIMIT);
	memset(text, '(', 100);
	memset(text + 100, ')', 100);
	assert_null(pattern_new(str_n(text, 200), false, &err));
	assert_null(pattern_new(S("(?:(?:(?:ab){999}){999}){999}"), false, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_ecma_262_says),
		cmocka_unit_test(syntax_that_ecma_262_does_not_know_is_refused),
		cmocka_unit_test(linear_patterns_have_neither_look_around_nor_back_references),
		cmocka_unit_test(a_pattern_that_backtracks_without_end_is_never_a_match),
		cmocka_unit_test(long_texts_outgrow_the_small_stack_of_the_jit_and_still_match),
		cmocka_unit_test(patterns_that_are_too_large_or_too_deep_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
