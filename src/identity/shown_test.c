#include "identity/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void one_credential_comes_out_or_none(void **state)
{
	static const struct {
		const char *authorization, *identity, *signature; /* NULL: not there */
		size_t doubled; /* bit: authorization, identity, signature */
		const char *bearer, *signed_with, *named;
		bool malformed;
	} table[] = {
		{ NULL, NULL, NULL, 0, "", "", "", false },
		{ "Bearer x", NULL, NULL, 0, "x", "", "", false },
		{ "bEARER  x ", NULL, NULL, 0, "x", "", "", false },
		{ "Postern-HMAC-SHA256 key=a", NULL, NULL, 0, "", "key=a", "", false },
		{ NULL, "i", "s", 0, "", "s", "i", false },
		{ "", NULL, NULL, 0, "", "", "", true },
		{ "Bearer", NULL, NULL, 0, "", "", "", true },
		{ "Bearer ", NULL, NULL, 0, "", "", "", true },
		{ "Basic eDp4", NULL, NULL, 0, "", "", "", true },
		{ "Bearer x", NULL, NULL, 1, "", "", "", true },
		{ "Bearer x", "i", "s", 0, "", "", "", true },
		{ "Postern-HMAC-SHA256 key=a", "i", "s", 0, "", "", "", true },
		{ "Bearer x", "i", NULL, 0, "", "", "", true },
		{ "Bearer x", NULL, "s", 0, "", "", "", true },
		{ NULL, "i", NULL, 0, "", "", "", true },
		{ NULL, NULL, "s", 0, "", "", "", true },
		{ NULL, "", "s", 0, "", "", "", true },
		{ NULL, "i", "", 0, "", "", "", true },
		{ NULL, "i", "s", 2, "", "", "", true },
		{ NULL, "i", "s", 4, "", "", "", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *const values[] = { table[i].authorization, table[i].identity,
			table[i].signature };
		struct credential_header h[3];
		struct credential_shown out = { .malformed = false };

		for (size_t k = 0; k < 3; k++)
			h[k] = (struct credential_header){ str_c(values[k]),
				!values[k]                     ? 0
				: table[i].doubled & (1u << k) ? 2
							       : 1 };
		shown_read(&(struct credential_headers){ h[0], h[1], h[2] }, &out);
		if (out.malformed != table[i].malformed ||
			!str_eq(out.bearer, str_c(table[i].bearer)) ||
			!str_eq(out.signature, str_c(table[i].signed_with)) ||
			!str_eq(out.identity, str_c(table[i].named)))
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_credential_comes_out_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
