/* number_test - numbers by value: integers, order, equality, hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "json/json.h"

#define NINES "99999999999999999999999999999999999999999999999999999999" /* 56 */
#define DIGITS_64 "1234567890123456789012345678901234567890123456789012345678901234"

static void parse(struct arena *a, struct str text, struct json *out)
{
	struct json_error error;

	if (!json_parse(a, text, out, &error))
		fail_msg("%s: %s", text.p, json_fault_name(error.fault));
}

static void integers_are_known_whatever_their_form(void **state)
{
	static const struct {
		struct str lexeme;
		const char *digits; /* NULL: not an integer, or too long */
	} cases[] = {
		{ STR_INIT("5"), "5" }, { STR_INIT("-5"), "-5" }, { STR_INIT("0"), "0" },
		{ STR_INIT("-0"), "0" }, { STR_INIT("-0.0e5"), "0" },
		{ STR_INIT("0e99999999999999999999"), "0" }, { STR_INIT("5.0"), "5" },
		{ STR_INIT("50e-1"), "5" }, { STR_INIT("-0.5E+1"), "-5" },
		{ STR_INIT("1e3"), "1000" }, { STR_INIT("1.2345e2"), NULL },
		{ STR_INIT("1.2345e4"), "12345" },
		{ STR_INIT("9007199254740993"), "9007199254740993" },
		{ STR_INIT("123456789012345678901234567890"), "123456789012345678901234567890" },
		{ STR_INIT("5.5"), NULL }, { STR_INIT("-1e-1"), NULL },
		{ STR_INIT("1e-400"), NULL }, { STR_INIT(DIGITS_64), DIGITS_64 },
		{ STR_INIT(DIGITS_64 "5"), NULL },
		{ STR_INIT("1e63"),
			"1000000000000000000000000000000000000000000000000000000000000000" },
		{ STR_INIT("1e64"), NULL }, { STR_INIT("1e400"), NULL },
		{ STR_INIT("1e99999999999999999999"), NULL },
		{ STR_INIT("1e-99999999999999999999"), NULL },
		{ STR_INIT("1e18446744073709551616"), NULL }, /* 2^64 is not 0 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str out = STR_NONE;
		struct arena a;

		arena_init(&a, 1 << 20);
		if (json_integer(&a, cases[i].lexeme, &out) != (cases[i].digits != NULL) ||
			!str_eq(out, str_c(cases[i].digits)))
			fail_msg("%s gives %.*s", cases[i].lexeme.p, STR_ARG(out));
		arena_done(&a);
	}
}

static void numbers_are_ordered_by_value(void **state)
{
	/* groups ascend; within a group all are equal */
	static const struct {
		unsigned group;
		struct str lexeme;
	} cases[] = {
		{ 0, STR_INIT("-1e" NINES) },
		{ 1, STR_INIT("-1e99999999999999999999") },
		{ 2, STR_INIT("-1e400") },
		{ 3, STR_INIT("-123456789012345678901234567890") },
		{ 4, STR_INIT("-5.5") },
		{ 5, STR_INIT("-5") },
		{ 5, STR_INIT("-50e-1") },
		{ 6, STR_INIT("-1e-400") },
		{ 7, STR_INIT("0") },
		{ 7, STR_INIT("-0") },
		{ 7, STR_INIT("0.000e" NINES) },
		{ 7, STR_INIT("-0e-" NINES) },
		{ 8, STR_INIT("1e-" NINES) },
		{ 9, STR_INIT("10e-" NINES) },
		{ 10, STR_INIT("1e-1000000000000001") },
		{ 11, STR_INIT("1e-1000000000000000") },
		{ 12, STR_INIT("1e-400") },
		{ 13, STR_INIT("0.1") },
		{ 13, STR_INIT("1e-1") },
		{ 13, STR_INIT("0.0010E+2") },
		{ 14, STR_INIT("0.1000000000000000000000000000000000000001") },
		{ 15, STR_INIT("9") },
		{ 16, STR_INIT("10") },
		{ 16, STR_INIT("1e1") },
		{ 16, STR_INIT("10.0") },
		{ 17, STR_INIT("10.5") },
		{ 18, STR_INIT("9007199254740992") },
		{ 19, STR_INIT("9007199254740993") },
		{ 19, STR_INIT("9007199254740.993e3") },
		{ 20, STR_INIT("999999999999999999") },
		{ 21, STR_INIT("1000000000000000000") },
		{ 21, STR_INIT("1e18") },
		{ 22, STR_INIT("18446744073709551616") },
		{ 23, STR_INIT("1e400") },
		{ 23, STR_INIT("10e399") },
		{ 24, STR_INIT("1e1000000000000000") },
		{ 25, STR_INIT("1e1000000000000001") },
		{ 25, STR_INIT("0.01e1000000000000003") },
		{ 26, STR_INIT("1e999999999999999999") },
		{ 27, STR_INIT("1e1000000000000000000") },
		{ 27, STR_INIT("10e999999999999999999") },
		{ 28, STR_INIT("0.1e" NINES) },
		{ 29, STR_INIT("1e" NINES) },
		{ 30, STR_INIT("11e" NINES) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
			int wanted = (cases[i].group > cases[k].group) -
				     (cases[i].group < cases[k].group);
			int order = json_number_cmp(cases[i].lexeme, cases[k].lexeme);
			struct json x = { .kind = JSON_NUMBER, .text = cases[i].lexeme };
			struct json y = { .kind = JSON_NUMBER, .text = cases[k].lexeme };

			if (order != wanted)
				fail_msg("%s and %s: %d", cases[i].lexeme.p, cases[k].lexeme.p,
					order);
			if (json_equal(&x, &y) != !wanted ||
				(json_hash(&x) == json_hash(&y)) != !wanted)
				fail_msg("%s and %s: hash", cases[i].lexeme.p, cases[k].lexeme.p);
		}
}

static void random_decimals_are_ordered_as_scaled_integers_are(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		int64_t value[2];
		char text[2][64];

		for (int i = 0; i < 2; i++) {
			int places;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			value[i] = (int64_t)(seed >> 33) % 20001 - 10000;
			places = (int)(seed >> 60) % 4;
			snprintf(text[i], sizeof text[i], "%s%lld.%0*lldE%+d",
				value[i] < 0 ? "-" : "", llabs(value[i]) / 1000, 3,
				llabs(value[i]) % 1000, places);
			for (int k = 0; k < places; k++)
				value[i] *= 10;
		}
		assert_int_equal(json_number_cmp(str_c(text[0]), str_c(text[1])),
			(value[0] > value[1]) - (value[0] < value[1]));
	}
}

static void equality_and_hashes_agree(void **state)
{
	/* same letter: equal; else different */
	static const struct {
		char group;
		struct str text;
	} cases[] = {
		{ 'a', STR_INIT("null") },
		{ 'b', STR_INIT("true") },
		{ 'c', STR_INIT("false") },
		{ 'd', STR_INIT("0") },
		{ 'd', STR_INIT("-0.0") },
		{ 'e', STR_INIT("\"\"") },
		{ 'f', STR_INIT("\"0\"") },
		{ 'g', STR_INIT("\"\xc3\xa4\"") },
		{ 'g', STR_INIT("\"\\u00e4\"") },
		{ 'h', STR_INIT("[]") },
		{ 'i', STR_INIT("{}") },
		{ 'j', STR_INIT("[1,2]") },
		{ 'j', STR_INIT("[ 1.0, 20e-1 ]") },
		{ 'k', STR_INIT("[2,1]") },
		{ 'l', STR_INIT("[[1],2]") },
		{ 'm', STR_INIT("[[1,2]]") },
		{ 'n', STR_INIT("{\"a\":1,\"b\":[{\"c\":null,\"d\":0}]}") },
		{ 'n', STR_INIT("{\"b\":[{\"d\":0,\"c\":null}],\"\\u0061\":1e0}") },
		{ 'o', STR_INIT("{\"a\":[{\"c\":null,\"d\":0}],\"b\":1}") },
		{ 'p', STR_INIT("{\"a\":1,\"c\":[{\"c\":null,\"d\":0}]}") },
		{ 'q', STR_INIT("{\"a\":1}") },
		{ 'r', STR_INIT("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
				"\"i\":9}") },
		{ 'r', STR_INIT("{\"i\":9,\"h\":8,\"g\":7,\"f\":6,\"e\":5,\"d\":4,\"c\":3,\"b\":2,"
				"\"a\":1}") },
		{ 's', STR_INIT("{\"i\":9,\"h\":8,\"g\":7,\"f\":6,\"e\":5,\"d\":4,\"c\":3,\"b\":1,"
				"\"a\":2}") },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
			bool wanted = cases[i].group == cases[k].group;
			struct json x, y;

			parse(&a, cases[i].text, &x);
			parse(&a, cases[k].text, &y);
			if (json_equal(&x, &y) != wanted ||
				(json_hash(&x) == json_hash(&y)) != wanted)
				fail_msg("%s and %s", cases[i].text.p, cases[k].text.p);
		}
	arena_done(&a);
}

#define MANY 40 /* more than are searched one by one */

/* The members k0, k1 and so on with their numbers, from the first or from the last. */
static void parse_many(struct arena *a, bool backwards, struct json *out)
{
	struct buf text;

	buf_in(&text, a, 1 << 16);
	for (int i = 0; i < MANY; i++) {
		int k = backwards ? MANY - 1 - i : i;

		buf_fmt(&text, "%s\"k%d\":%d", i ? "," : "{", k, k);
	}
	buf_char(&text, '}');
	parse(a, buf_str(&text), out);
}

static void large_objects_are_equal_in_any_order(void **state)
{
	struct json forwards, backwards;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	parse_many(&a, false, &forwards);
	parse_many(&a, true, &backwards);
	assert_true(forwards.indexed && backwards.indexed);
	assert_true(json_equal(&forwards, &backwards));
	assert_true(json_hash(&forwards) == json_hash(&backwards));
	arena_done(&a);
}

static void an_object_made_by_hand_equals_the_one_that_was_read(void **state)
{
	struct json_member members[MANY];
	struct json read, hand = { .kind = JSON_OBJECT, .members = members, .count = MANY };
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	parse_many(&a, false, &read);
	for (int i = 0; i < MANY; i++)
		members[i] = read.members[MANY - 1 - i];
	assert_true(json_equal(&read, &hand) && json_equal(&hand, &read));
	assert_true(json_hash(&read) == json_hash(&hand));
	assert_ptr_equal(json_get(&hand, S("k0")), &members[MANY - 1].value);
	members[0].name = S("z");
	assert_false(json_equal(&read, &hand) || json_equal(&hand, &read));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_known_whatever_their_form),
		cmocka_unit_test(numbers_are_ordered_by_value),
		cmocka_unit_test(random_decimals_are_ordered_as_scaled_integers_are),
		cmocka_unit_test(equality_and_hashes_agree),
		cmocka_unit_test(large_objects_are_equal_in_any_order),
		cmocka_unit_test(an_object_made_by_hand_equals_the_one_that_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
