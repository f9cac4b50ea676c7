#include "base/test.h"
#include "base/utf8.h"
#include "identity/principal.h"

#include <string.h>

static void names_that_people_have_are_names(void **state)
{
	static const char *const names[] = { "", "ada", "ada@acme.example", "Ada Lovelace",
		"O'Neil", "Zo\xc3\xab", "\xc5\x81ukasz", "Nguy\xe1\xbb\x85n",
		"\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xe5\xb1\xb1\xe7\x94\xb0", "\xea\xb9\x80",
		"\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", "spiffe://acme/desk",
		"auth0|5f7c8ec7c33c6c004bbafe82" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!principal_name_ok(str_c(names[i])))
			fail_msg("%s is a name", names[i]);
}

static bool is_name_with(uint32_t c)
{
	char space[16];
	struct buf text = { .p = space, .cap = sizeof space, .limit = sizeof space };

	buf_lit(&text, "a");
	utf8_write(&text, c);
	buf_lit(&text, "a");
	return principal_name_ok(buf_str(&text));
}

static void what_looks_like_another_name_is_none(void **state)
{
	static const uint32_t bad[] = { 0, '\t', '\n', 0x7f, 0x85, 0xad, 0x34f, 0x61c, 0x115f,
		0x1160, 0x17b4, 0x180b, 0x180e, 0x200b, 0x200d, 0x200e, 0x2028, 0x2029, 0x202a,
		0x202e, 0x2060, 0x2061, 0x2064, 0x2066, 0x2069, 0x206f, 0x2800, 0x3164, 0xfe00,
		0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffe, 0xffff, 0x1bca0, 0x1d173, 0x1fffe, 0xe0001,
		0xe0061, 0xe007f, 0xe0100, 0xe01ef, 0xe0fff,
		0x10ffff, /* and what has another spelling: */
		0x300, 0x301, 0x308, 0x345, 0x37e, 0x1100, 0x1161, 0x1f71, 0x1fef, 0x2126, 0x212a,
		0x212b, 0x3099, 0xf900, 0x2f800 };
	static const uint32_t good[] = { ' ', '~', 0xa0, 0xac, 0xae, 0x2ff, 0x370, 0x61b, 0x61d,
		0x10ff, 0x1200, 0x200a, 0x2010, 0x2027, 0x202f, 0x205f, 0x2070, 0x27ff, 0x2801,
		0x3163, 0x3165, 0xac00, 0xd7a3, 0xfdff, 0xfe10, 0xfefe, 0xff9f, 0xffa1, 0xfffd,
		0x1f600, 0xdfff0, 0xe1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (is_name_with(bad[i]))
			fail_msg("U+%04X stands in a name", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!is_name_with(good[i]))
			fail_msg("U+%04X stands in no name", good[i]);
}

static void what_is_too_long_or_no_text_is_no_name(void **state)
{
	char name[258];

	(void)state;
	memset(name, 'a', sizeof name);
	assert_true(principal_name_ok(str_n(name, 256)));
	assert_false(principal_name_ok(str_n(name, 257)));
	assert_false(principal_name_ok(S("a\xff")));
	assert_false(principal_name_ok(S("a\xc0\xaf")));
	assert_false(principal_name_ok(S("a\xed\xa0\x80")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_people_have_are_names),
		cmocka_unit_test(what_looks_like_another_name_is_none),
		cmocka_unit_test(what_is_too_long_or_no_text_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
