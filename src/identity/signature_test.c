#include "identity/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define NONCE "0123456789abcdef"
#define LONG_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void only_the_one_form_is_read(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE, true },
		{ "key=a,time=1,nonce=" NONCE ",signature=" SIGNATURE, true },
		{ "key=a.b-c_D9,  time=999999999999,\tnonce=" LONG_64 ", signature=" SIGNATURE,
			true },
		{ "key=" LONG_64 ", time=1, nonce=" NONCE ", signature=" SIGNATURE, true },
		{ "", false },
		{ "key=, time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=" LONG_64 "x, time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a b, time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=\"a\", time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "KEY=a, time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "time=1, key=a, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=0, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=01, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=-1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=1.5, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=1000000000000, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=0123456789abcde, signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=" LONG_64 "x, signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=0123456789abcd=f, signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=" NONCE ", signature=", false },
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE "A", false },
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE "=", false },
		/* the last character carries two bits that must be zero */
		{ "key=a, time=1, nonce=" NONCE
		  ", signature=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
			false },
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE ",", false },
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE ", more=1", false },
		{ "key=a, key=b, time=1, nonce=" NONCE ", signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=" NONCE, false },
		{ "key=a time=1 nonce=" NONCE " signature=" SIGNATURE, false },
		{ "key=a, time=1, nonce=" NONCE ", signature=" SIGNATURE "\n", false },
	};
	struct signature s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (signature_read(str_c(table[i].text), &s) != table[i].ok)
			fail_msg("%s", table[i].text);
}

/* The MAC was computed by another implementation over the lines of signature.h. */
static void a_known_request_has_a_known_signature(void **state)
{
	static const struct credential_shown shown = {
		.request = { .method = STR_INIT("POST"),
			.path = STR_INIT("/mcp"),
			.query = STR_INIT("a=1"),
			.body = STR_INIT("{\"jsonrpc\":\"2.0\"}") },
		.identity = STR_INIT("eyJzdWJqZWN0IjoiYWRhIn0"),
	};
	static const char expected[] =
		"b1faa01a0dfa1db9c450ee052202ea05ce8bce8ab2e20f40a67c9ad25506a681";
	struct signature s;
	struct sha256 mac;
	char space[64];
	struct buf hex = { .p = space, .cap = sizeof space, .limit = sizeof space };

	(void)state;
	assert_true(signature_read(
		S("key=gate, time=1790000000, nonce=" NONCE ", signature=" SIGNATURE), &s));
	assert_int_equal(s.time_s, 1790000000);
	signature_of(S("0123456789abcdef0123456789abcdef"), &s, &shown, &mac);
	hex_write(&hex, str_n(mac.b, SHA256_BYTES));
	assert_true(str_eq(buf_str(&hex), str_c(expected)));
	assert_false(signature_fits(S("0123456789abcdef0123456789abcdef"), &s, &shown));
	s.mac = mac;
	assert_true(signature_fits(S("0123456789abcdef0123456789abcdef"), &s, &shown));
}

static void everything_that_is_signed_counts(void **state)
{
	struct signature s = { .key = S("gate"), .time = S("1790000000"), .nonce = S(NONCE) };
	struct credential_shown shown = { .request = { S("POST"), S("/mcp"), S("a=1"), S("body") },
		.identity = S("eyJ9") };
	struct str *const parts[] = { &s.key, &s.time, &s.nonce, &shown.request.method,
		&shown.request.path, &shown.request.query, &shown.request.body, &shown.identity };
	struct str secret = S("secret");

	(void)state;
	signature_of(secret, &s, &shown, &s.mac);
	assert_true(signature_fits(secret, &s, &shown));
	assert_false(signature_fits(S("Secret"), &s, &shown));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct str was = *parts[i];

		*parts[i] = S("other");
		if (signature_fits(secret, &s, &shown))
			fail_msg("part %zu does not count", i);
		*parts[i] = was;
	}
	assert_true(signature_fits(secret, &s, &shown));
}

static void time_counts_both_ways(void **state)
{
	static const struct {
		int64_t apart_ms;
		bool fresh;
	} table[] = { { 0, true }, { 30000, true }, { -30000, true }, { 30001, false },
		{ -30001, false }, { INT64_C(1) << 40, false } };
	struct signature s = { .time_s = 1790000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (signature_fresh(&s, (s.time_s * 1000 + table[i].apart_ms) * 1000, 30000) !=
			table[i].fresh)
			fail_msg("%lld ms", (long long)table[i].apart_ms);
	s.time_s = INT64_C(999999999999);
	assert_false(signature_fresh(&s, 0, 30000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_one_form_is_read),
		cmocka_unit_test(a_known_request_has_a_known_signature),
		cmocka_unit_test(everything_that_is_signed_counts),
		cmocka_unit_test(time_counts_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
