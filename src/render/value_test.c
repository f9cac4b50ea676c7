/* Every column type against every kind of cell. */
#include "base/test.h"
#include "render/value.h"

#include <string.h>

#define TYPES (COLUMN_BYTES + 1)

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

/* NULL: refused. */
static const char *written(enum column_type type, bool nullable, struct cell cell)
{
	struct column column = { .name = S("c"), .type = type, .nullable = nullable };
	const char *why = NULL;
	struct buf out;
	struct jw w;

	buf_in(&out, &arena, (size_t)16 << 20);
	jw_init(&w, &out);
	if (!value_write(&w, &arena, &column, &cell, &why)) {
		assert_non_null(why);
		return NULL;
	}
	assert_true(buf_ok(&out));
	return arena_cstr(&arena, buf_str(&out));
}

static void assert_written(const char *got, const char *expected, size_t row, unsigned type)
{
	bool same = got && expected ? strcmp(got, expected) == 0 : got == expected;

	if (!same)
		fail_msg("case %zu type %u: %s is not %s", row, type, got ? got : "(refused)",
			expected ? expected : "(refused)");
}

#define CELL(k, t)                                                                                 \
	{                                                                                          \
		k, STR_INIT(t)                                                                     \
	}

static void every_type_takes_what_fits_and_refuses_the_rest(void **state)
{
	/* by type: string integer int64 number decimal boolean date date-time json bytes */
	static const struct {
		struct cell cell;
		const char *expected[TYPES];
	} cases[] = {
		{ CELL(CELL_INTEGER, "0"),
			{ NULL, "0", "\"0\"", "0", "\"0\"", "false", NULL, NULL, NULL, NULL } },
		{ CELL(CELL_INTEGER, "1"),
			{ NULL, "1", "\"1\"", "1", "\"1\"", "true", NULL, NULL, NULL, NULL } },
		{ CELL(CELL_INTEGER, "-7"),
			{ NULL, "-7", "\"-7\"", "-7", "\"-7\"", NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_INTEGER, "9007199254740991"),
			{ NULL, "9007199254740991", "\"9007199254740991\"", "9007199254740991",
				"\"9007199254740991\"", NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_INTEGER, "9007199254740993"),
			{ NULL, NULL, "\"9007199254740993\"", NULL, "\"9007199254740993\"", NULL,
				NULL, NULL, NULL, NULL } },
		{ CELL(CELL_INTEGER, "-9223372036854775808"),
			{ NULL, NULL, "\"-9223372036854775808\"", NULL, "\"-9223372036854775808\"",
				NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_REAL, "0.1"),
			{ NULL, NULL, NULL, "0.1", "\"0.1\"", NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_REAL, "1.0"),
			{ NULL, NULL, NULL, "1.0", "\"1.0\"", NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_REAL, "1e300"),
			{ NULL, NULL, NULL, "1e300", NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_REAL, "Inf"), { 0 } },
		{ CELL(CELL_REAL, "-Inf"), { 0 } },
		{ CELL(CELL_REAL, "nan"), { 0 } },
		{ CELL(CELL_TEXT, ""),
			{ "\"\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "a\"\\\n\xc3\xa9"),
			{ "\"a\\\"\\\\\\n\xc3\xa9\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
				NULL, NULL } },
		{ CELL(CELL_TEXT, "a\0b"), { 0 } },
		{ CELL(CELL_TEXT, "\xff"), { 0 } },
		{ CELL(CELL_TEXT, "\xed\xa0\x80"), { 0 } },
		{ CELL(CELL_TEXT, "1"),
			{ "\"1\"", NULL, NULL, NULL, "\"1\"", NULL, NULL, NULL, "1", NULL } },
		{ CELL(CELL_TEXT, "true"),
			{ "\"true\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, "true", NULL } },
		{ CELL(CELL_TEXT, "0.1000000000000000055"),
			{ "\"0.1000000000000000055\"", NULL, NULL, NULL,
				"\"0.1000000000000000055\"", NULL, NULL, NULL,
				"0.1000000000000000055", NULL } },
		{ CELL(CELL_TEXT, "-0.50"), { "\"-0.50\"", NULL, NULL, NULL, "\"-0.50\"", NULL,
						    NULL, NULL, "-0.50", NULL } },
		{ CELL(CELL_TEXT, "1."),
			{ "\"1.\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, ".5"),
			{ "\".5\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "1.2.3"),
			{ "\"1.2.3\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "-"),
			{ "\"-\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "1,5"),
			{ "\"1,5\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "2026-02-29"), { "\"2026-02-29\"", NULL, NULL, NULL, NULL, NULL,
							 NULL, NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "2028-02-29"), { "\"2028-02-29\"", NULL, NULL, NULL, NULL, NULL,
							 "\"2028-02-29\"", NULL, NULL, NULL } },
		{ CELL(CELL_TEXT, "2026-11-21T03:07:11Z"),
			{ "\"2026-11-21T03:07:11Z\"", NULL, NULL, NULL, NULL, NULL, NULL,
				"\"2026-11-21T03:07:11Z\"", NULL, NULL } },
		{ CELL(CELL_TEXT, "2026-11-21 03:07:11"),
			{ "\"2026-11-21 03:07:11\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
				NULL } },
		{ CELL(CELL_TEXT, "[ 1.10, {\"a\": null} ]"),
			{ "\"[ 1.10, {\\\"a\\\": null} ]\"", NULL, NULL, NULL, NULL, NULL, NULL,
				NULL, "[1.10,{\"a\":null}]", NULL } },
		{ CELL(CELL_TEXT, "{\"a\":1,\"a\":2}"),
			{ "\"{\\\"a\\\":1,\\\"a\\\":2}\"", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
				NULL, NULL } },
		{ CELL(CELL_BLOB, ""),
			{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "\"\"" } },
		{ CELL(CELL_BLOB, "\0\xff\x10"),
			{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "\"AP8Q\"" } },
		{ CELL(CELL_BLOB, "12"),
			{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "\"MTI=\"" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (unsigned type = 0; type < TYPES; type++)
			for (unsigned nullable = 0; nullable < 2; nullable++)
				assert_written(
					written((enum column_type)type, nullable, cases[i].cell),
					cases[i].expected[type], i, type);
}

static void null_is_written_only_where_it_was_declared(void **state)
{
	(void)state;
	for (unsigned type = 0; type < TYPES; type++) {
		struct cell null = { .kind = CELL_NULL };

		assert_written(written((enum column_type)type, true, null), "null", 0, type);
		assert_written(written((enum column_type)type, false, null), NULL, 0, type);
	}
}

/* What is said of a value that does not fit goes to a log: the value does not. */
static void the_reason_does_not_hold_the_value(void **state)
{
	(void)state;
	for (unsigned type = 0; type < TYPES; type++)
		for (unsigned kind = CELL_NULL; kind <= CELL_BLOB; kind++) {
			struct column column = { .name = S("c"), .type = (enum column_type)type };
			struct cell cell = { .kind = (enum cell_kind)kind,
				.text = S("SECRET\xff") };
			const char *why = NULL;
			struct buf out;
			struct jw w;

			buf_in(&out, &arena, 4096);
			jw_init(&w, &out);
			if (!value_write(&w, &arena, &column, &cell, &why))
				assert_null(strstr(why, "SECRET"));
		}
}

static void content_is_the_text_or_the_bytes_of_its_column(void **state)
{
	static const struct {
		enum column_type type;
		struct cell cell;
		const char *content; /* NULL: refused */
	} cases[] = {
		{ COLUMN_STRING, CELL(CELL_TEXT, "hello"), "hello" },
		{ COLUMN_STRING, CELL(CELL_TEXT, ""), "" },
		{ COLUMN_STRING, CELL(CELL_TEXT, "\xff"), NULL },
		{ COLUMN_STRING, CELL(CELL_TEXT, "a\0"), NULL },
		{ COLUMN_STRING, CELL(CELL_BLOB, "hello"), NULL },
		{ COLUMN_STRING, CELL(CELL_INTEGER, "5"), NULL },
		{ COLUMN_STRING, CELL(CELL_NULL, ""), NULL },
		{ COLUMN_BYTES, CELL(CELL_BLOB, "\xff"), "\xff" },
		{ COLUMN_BYTES, CELL(CELL_TEXT, "hello"), NULL },
		{ COLUMN_BYTES, CELL(CELL_NULL, ""), NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct column column = { .name = S("c"), .type = cases[i].type };
		const char *why = NULL;
		struct str out;
		bool ok = value_content(&column, &cases[i].cell, &out, &why);

		assert_int_equal(ok, cases[i].content != NULL);
		if (ok)
			assert_str(out, cases[i].content);
		else
			assert_non_null(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_takes_what_fits_and_refuses_the_rest),
		cmocka_unit_test(null_is_written_only_where_it_was_declared),
		cmocka_unit_test(the_reason_does_not_hold_the_value),
		cmocka_unit_test(content_is_the_text_or_the_bytes_of_its_column),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
