/* header_test - the text behind a header: what is decoded, what is literal, what no header may
 * hold. */
#include "mcp/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_header_is_literal_decoded_or_refused(void **state)
{
	static const struct {
		struct str value;
		const char *text; /* NULL: refused */
	} rows[] = {
		{ STR_INIT("name"), "name" },
		{ STR_INIT(" \t name \t"), "name" },
		{ STR_INIT("two words\tand a tab"), "two words\tand a tab" },
		{ STR_INIT(""), "" },
		{ STR_INIT("=?base64?bmFtZQ==?="), "name" },
		{ STR_INIT("  =?base64?bmFtZQ==?=  "), "name" },
		{ STR_INIT("=?base64?"
			   "?="),
			"" },
		{ STR_INIT("=?base64?bmFtZQ?="), NULL },
		{ STR_INIT("=?base64?bmFtZQ=?="), NULL },
		{ STR_INIT("=?base64?bmFtZR==?="), NULL },
		{ STR_INIT("=?base64?bm FtZQ==?="), NULL },
		{ STR_INIT("=?base64?bmFt-_==?="), NULL },
		{ STR_INIT("=?base64?!!!?="), NULL },
		{ STR_INIT("=?base64?/w==?="), NULL },
		{ STR_INIT("=?base64?7aCA?="), NULL },
		{ STR_INIT("=?BASE64?bmFtZQ==?="), "=?BASE64?bmFtZQ==?=" },
		{ STR_INIT("=?base64?bmFtZQ=="), "=?base64?bmFtZQ==" },
		{ STR_INIT("bmFtZQ==?="), "bmFtZQ==?=" },
		{ STR_INIT("=?base64?="), "=?base64?=" },
		{ STR_INIT("a\x01"), NULL },
		{ STR_INIT("a\x7f"), NULL },
		{ STR_INIT("a\0b"), NULL },
		{ STR_INIT("M\xc3\xbcnchen"), NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = STR_NONE;
		bool ok = mcp_header_text(&a, rows[i].value, &text);

		if (ok != (rows[i].text != NULL) || (ok && !str_eq(text, str_c(rows[i].text))))
			fail_msg("'%.*s': %d '%.*s'", STR_ARG(rows[i].value), ok, STR_ARG(text));
	}
	arena_done(&a);
}

static void a_header_of_8_kib_is_read_and_one_byte_more_is_not(void **state)
{
	struct arena a;
	struct str text, out;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	text = arena_fmt(&a, "%0*d", (int)MCP_HEADER_MAX + 1, 0);
	assert_false(mcp_header_text(&a, text, &out));
	assert_true(mcp_header_text(&a, str_from(text, 1), &out));
	assert_int_equal(out.n, MCP_HEADER_MAX);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_literal_decoded_or_refused),
		cmocka_unit_test(a_header_of_8_kib_is_read_and_one_byte_more_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
