/* Every mask against usual and odd values; that nothing hidden changes what is shown; that rows are
 * masked for those who do not hold the grant, and for them only. */
#include "base/test.h"
#include "base/utf8.h"
#include "render/mask.h"

#include <string.h>

#define KEY S("0123456789abcdef0123456789abcdef")
#define R MASK_REDACTED

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)32 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct str masked(enum mask_kind kind, struct str text)
{
	struct mask mask = { .kind = kind };
	struct cell cell = { CELL_TEXT, text };

	return mask_text(&mask, KEY, &arena, &cell);
}

static void each_mask_has_its_form_and_redacts_the_rest(void **state)
{
	static const struct {
		enum mask_kind kind;
		struct str text;
		const char *shown;
	} cases[] = {
		{ MASK_EMAIL, STR_INIT("jane.doe@acme.com"), "j***@acme.com" },
		{ MASK_EMAIL, STR_INIT("j@acme.com"), "j***@acme.com" },
		{ MASK_EMAIL, STR_INIT("\xc3\xa9mile@acme.fr"), "\xc3\xa9***@acme.fr" },
		{ MASK_EMAIL,
			STR_INIT("jane@b\xc3\xbc"
				 "cher.example"),
			"j***@b\xc3\xbc"
			"cher.example" },
		{ MASK_EMAIL, STR_INIT(""), R }, { MASK_EMAIL, STR_INIT("jane"), R },
		{ MASK_EMAIL, STR_INIT("@acme.com"), R }, { MASK_EMAIL, STR_INIT("jane@"), R },
		{ MASK_EMAIL, STR_INIT("jane@acme.com, joe@acme.com"), R },
		{ MASK_EMAIL, STR_INIT("\"a@b\"@acme.com"), R },
		{ MASK_EMAIL, STR_INIT("jane@acme.com\n"), R },
		{ MASK_EMAIL, STR_INIT("jane\0x@acme.com"), R },
		{ MASK_EMAIL, STR_INIT("jane@acme.com secret"), R },
		{ MASK_EMAIL, STR_INIT("\xff@acme.com"), R },
		{ MASK_PHONE, STR_INIT("+49 30 1234567"), "***67" },
		{ MASK_PHONE, STR_INIT("(030) 123-45.6/7"), "***67" },
		{ MASK_PHONE, STR_INIT("1234567"), "***67" }, { MASK_PHONE, STR_INIT("123456"), R },
		{ MASK_PHONE, STR_INIT("110"), R }, { MASK_PHONE, STR_INIT(""), R },
		{ MASK_PHONE, STR_INIT("call 0301234567"), R },
		{ MASK_PHONE, STR_INIT("\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7"),
			R },
		{ MASK_LAST4, STR_INIT("4111 1111 1111 1234"), "***1234" },
		{ MASK_LAST4, STR_INIT("DE89-3704-0044-0532-0130-00"), "***3000" },
		{ MASK_LAST4, STR_INIT("12345678"), "***5678" },
		{ MASK_LAST4, STR_INIT("1234567"), R }, { MASK_LAST4, STR_INIT("12 34 - 567"), R },
		{ MASK_LAST4,
			STR_INIT(
				"\xc3\xa1\xc3\xa2\xc3\xa3\xc3\xa4\xc3\xa5\xc3\xa6\xc3\xa7\xc3\xa8"),
			"***\xc3\xa5\xc3\xa6\xc3\xa7\xc3\xa8" },
		{ MASK_LAST4, STR_INIT("1234567\t8"), R },
		{ MASK_INITIALS, STR_INIT("Jane Doe"), "J.D." },
		{ MASK_INITIALS, STR_INIT("  jane   van der doe "), "j.v.d." },
		{ MASK_INITIALS, STR_INIT("\xc3\x89mile Zola"), "\xc3\x89.Z." },
		{ MASK_INITIALS, STR_INIT("\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e"),
			"\xe7\x8e\x8b." },
		{ MASK_INITIALS, STR_INIT("J"), R }, { MASK_INITIALS, STR_INIT("J D"), R },
		{ MASK_INITIALS, STR_INIT("12 34"), R }, { MASK_INITIALS, STR_INIT("   "), R },
		{ MASK_REDACT, STR_INIT("anything"), R }, { MASK_REDACT, STR_INIT(""), R },
		{ MASK_NONE, STR_INIT("anything"), R }, /* a mask without a kind shows nothing */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (!str_eq(masked(cases[i].kind, cases[i].text), str_c(cases[i].shown)))
			fail_msg("case %zu: %.*s is not %s", i,
				STR_ARG(masked(cases[i].kind, cases[i].text)), cases[i].shown);
}

static void buckets_hold_the_value_and_nothing_nearer(void **state)
{
	static const struct {
		struct mask mask;
		enum cell_kind kind;
		struct str text;
		const char *shown;
	} cases[] = {
#define SIZE(n) { .kind = MASK_BUCKET, .size = (n) }
#define PERIOD(b)                                                                                  \
	{                                                                                          \
		.kind = MASK_BUCKET, .bucket = (b)                                                 \
	}
		{ SIZE(1000), CELL_INTEGER, STR_INIT("12345"), "12000..13000" },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("12000"), "12000..13000" },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("0"), "0..1000" },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("-1"), "-1000..0" },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("-1000"), "-1000..0" },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("9223372036854775807"), R },
		{ SIZE(1000), CELL_INTEGER, STR_INIT("-9223372036854775808"), R },
		{ SIZE(10), CELL_TEXT, STR_INIT("19.99"), "10..20" },
		{ SIZE(10), CELL_REAL, STR_INIT("-0.5"), "-10..0" },
		{ SIZE(10), CELL_TEXT, STR_INIT("-10.5"), "-20..-10" },
		{ SIZE(10), CELL_TEXT, STR_INIT("-10.0"), "-10..0" },
		{ SIZE(10), CELL_REAL, STR_INIT("1e300"), R },
		{ SIZE(10), CELL_TEXT, STR_INIT("12x"), R },
		{ SIZE(10), CELL_TEXT, STR_INIT("1.x"), R },
		{ SIZE(10), CELL_TEXT, STR_INIT("1."), R },
		{ SIZE(10), CELL_TEXT, STR_INIT(""), R },
		{ SIZE(10), CELL_BLOB, STR_INIT("12"), R },
		{ PERIOD(BUCKET_MONTH), CELL_TEXT, STR_INIT("1984-02-29"), "1984-02" },
		{ PERIOD(BUCKET_YEAR), CELL_TEXT, STR_INIT("1984-02-29"), "1984" },
		{ PERIOD(BUCKET_DAY), CELL_TEXT, STR_INIT("1984-02-29T03:04:05Z"), "1984-02-29" },
		{ PERIOD(BUCKET_MONTH), CELL_TEXT, STR_INIT("1984-02-29T03:04:05+02:00"),
			"1984-02" },
		{ PERIOD(BUCKET_YEAR), CELL_TEXT, STR_INIT("1985-02-29"), R },
		{ PERIOD(BUCKET_YEAR), CELL_TEXT, STR_INIT("in 1984"), R },
		{ PERIOD(BUCKET_YEAR), CELL_INTEGER, STR_INIT("1984"), R },
		{ PERIOD(BUCKET_YEAR), CELL_TEXT, STR_INIT("\xff"), R },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cell cell = { cases[i].kind, cases[i].text };
		struct str got = mask_text(&cases[i].mask, KEY, &arena, &cell);

		if (!str_eq(got, str_c(cases[i].shown)))
			fail_msg("case %zu: %.*s is not %s", i, STR_ARG(got), cases[i].shown);
	}
}

static void hashes_compare_and_need_the_key(void **state)
{
	struct mask mask = { .kind = MASK_HASH };
	struct cell five = { CELL_INTEGER, S("5") }, text = { CELL_TEXT, S("5") };
	struct cell other = { CELL_TEXT, S("6") }, blob = { CELL_BLOB, S("\xff\0") };
	struct str a = mask_text(&mask, KEY, &arena, &five);

	(void)state;
	assert_int_equal(a.n, 16);
	assert_true(str_eq(a, mask_text(&mask, KEY, &arena, &text)));
	assert_false(str_eq(a, mask_text(&mask, KEY, &arena, &other)));
	assert_false(str_eq(a, mask_text(&mask, S("another key"), &arena, &five)));
	assert_int_equal(mask_text(&mask, KEY, &arena, &blob).n, 16);
	assert_str(mask_text(&mask, STR_NONE, &arena, &five), R);
}

/* Whatever stands in the hidden places, the shown text is the same, byte for byte. */
static void what_is_hidden_changes_nothing(void **state)
{
	static const struct {
		enum mask_kind kind;
		const char *text;
		size_t from, to; /* hidden */
	} cases[] = {
		{ MASK_EMAIL, "jane.doe@acme.com", 1, 8 },
		{ MASK_PHONE, "0301234567", 0, 8 },
		{ MASK_LAST4, "411111111234", 0, 8 },
		{ MASK_INITIALS, "Jane", 1, 4 },
	};
	static const struct str fill[] = { STR_INIT("0"), STR_INIT("9"), STR_INIT("7") };
	struct str first[ARRAY_LEN(cases)] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t k = 0; k < ARRAY_LEN(fill); k++)
			for (size_t times = 1; times < 40; times += 13) {
				struct buf text;
				struct str s = str_c(cases[i].text), shown;

				buf_in(&text, &arena, 4096);
				buf_add(&text, str_sub(s, 0, cases[i].from));
				for (size_t n = 0; n < times * 8; n++)
					buf_add(&text, fill[k]);
				buf_add(&text, str_from(s, cases[i].to));
				shown = masked(cases[i].kind, buf_str(&text));
				if (!first[i].p)
					first[i] = shown;
				assert_true(str_eq(shown, first[i]));
				assert_false(str_eq(shown, S(R)));
			}
}

/* The middle third of a value is in no masked form of it; nor is anything but text without control
 * characters. */
static void the_middle_of_a_value_is_nowhere(void **state)
{
	static const char *const values[] = { "jane.roe.of.acme@example.com", "+49 30 98765432 10",
		"4012 8888 8888 1881 0", "Wolfeschlegelsteinhausen Bergerdorff", "1984-02-29",
		"1234567890123456", "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e\xe5\xb0\x8f\xe6\x98\x8e",
		"\x01\x02\x03\x04\x05\x06\x07\x08\x09" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		for (unsigned kind = MASK_EMAIL; kind <= MASK_REDACT; kind++) {
			struct str s = str_c(values[i]), middle = str_sub(s, s.n / 3, s.n / 3);
			struct str shown = masked((enum mask_kind)kind, s);

			/* the middle of the address ends before its domain */
			if (kind == MASK_EMAIL && str_has(s, '@'))
				middle = str_sub(s, 3, 8);
			assert_int_equal(str_find_str(shown, 0, middle), shown.n);
			assert_true(utf8_valid(shown));
			for (size_t k = 0; k < shown.n; k++)
				assert_true((unsigned char)shown.p[k] >= 0x20);
		}
}

static void rows_are_masked_for_those_without_the_grant(void **state)
{
	static const struct column columns[] = {
		{ .name = STR_INIT("id"), .type = COLUMN_INTEGER },
		{ .name = STR_INIT("mail"),
			.mask = { .kind = MASK_EMAIL },
			.unmask = STR_INIT("see.mail"),
			.nullable = true },
		{ .name = STR_INIT("pin"), .mask = { .kind = MASK_REDACT } },
	};
	static const struct part part = { .columns = columns, .column_count = 3, .rows = 10 };
	const struct str held[] = { STR_INIT("see.mail") };
	struct principal with = { .grants = held, .grant_count = 1 }, without = { 0 };
	const struct {
		const struct principal *who;
		const char *mail;
	} cases[] = { { &with, "jane@acme.com" }, { &without, "j***@acme.com" },
		{ NULL, "j***@acme.com" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry entry = { .action = { .parts = &part, .part_count = 1 } };
		struct rows rows;
		struct call call = {
			.arena = &arena, .entry = &entry, .who = cases[i].who, .rows = &rows
		};
		struct cell *cells;

		rows_init(&rows, &part);
		cells = rows_add(&rows, &arena);
		cells[0] = (struct cell){ CELL_INTEGER, S("1") };
		cells[1] = (struct cell){ CELL_TEXT, S("jane@acme.com") };
		cells[2] = (struct cell){ CELL_TEXT, S("4711") };
		cells = rows_add(&rows, &arena);
		cells[2] = (struct cell){ CELL_TEXT, S("4712") };
		mask_rows(&call, KEY);
		mask_rows(&call, KEY); /* a second time does nothing */
		assert_str(rows.cells[0].text, "1");
		assert_str(rows.cells[1].text, cases[i].mail);
		assert_str(rows.cells[2].text, R);
		assert_int_equal(rows.cells[4].kind, CELL_NULL);
		assert_str(rows.cells[5].text, R);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mask_has_its_form_and_redacts_the_rest),
		cmocka_unit_test(buckets_hold_the_value_and_nothing_nearer),
		cmocka_unit_test(hashes_compare_and_need_the_key),
		cmocka_unit_test(what_is_hidden_changes_nothing),
		cmocka_unit_test(the_middle_of_a_value_is_nowhere),
		cmocka_unit_test(rows_are_masked_for_those_without_the_grant),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
