#include "identity/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "abcdefgh2345"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void only_the_one_form_is_read(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{ "pstn_dev_" ID "_" SECRET, true },
		{ "pstn_stg_" ID "_" SECRET, true },
		{ "pstn_prd_" ID "_" SECRET, true },
		{ "psgn_dev_" ID "_" SECRET, true },
		{ "psap_prd_" ID "_" SECRET, true },
		{ "psgm_dev_" ID "_" SECRET, false },
		{ "", false },
		{ "pstn_", false },
		{ "pstn_dev_" ID "_", false },
		{ "PSTN_dev_" ID "_" SECRET, false },
		{ "pstn_DEV_" ID "_" SECRET, false },
		{ "pstn_tst_" ID "_" SECRET, false },
		{ "pstn-dev_" ID "_" SECRET, false },
		{ "pstn_dev-" ID "_" SECRET, false },
		{ "pstn_dev_" ID "-" SECRET, false },
		{ "pstn_dev_Abcdefgh2345_" SECRET, false },
		{ "pstn_dev_abcdefgh0189_" SECRET, false },
		{ "pstn_dev_abcdefgh234_" SECRET, false },
		{ "pstn_dev_" ID "_" SECRET "A", false },
		{ " pstn_dev_" ID "_" SECRET, false },
		{ "pstn_dev_" ID "_" SECRET "\n", false },
		/* the last character carries two bits that must be zero */
		{ "pstn_dev_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", false },
		{ "pstn_dev_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=", false },
		{ "pstn_dev_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd+/8", false },
		{ "pstn_dev_" ID "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH 8", false },
	};
	uint8_t bytes[32];
	struct sha256 hash;
	struct token t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (token_read(str_c(table[i].text), &t) != table[i].ok)
			fail_msg("%s", table[i].text);
	for (uint8_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	sha256_of(str_n(bytes, sizeof bytes), &hash);
	assert_true(token_read(S("pstn_prd_" ID "_" SECRET), &t));
	assert_int_equal(t.environment, ENV_PRODUCTION);
	assert_true(str_eq(t.id, S(ID)));
	assert_true(sha256_eq(&t.hash, &hash));
}

static void a_nul_inside_is_no_end(void **state)
{
	char text[TOKEN_BYTES + 1] = "pstn_dev_" ID "_" SECRET;
	struct token t;

	(void)state;
	text[40] = 0;
	assert_false(token_read(str_n(text, TOKEN_BYTES), &t));
}

static void what_is_written_is_read(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (int i = 0; i < 200; i++) {
		struct buf id, text;
		uint8_t secret[32];
		struct token t;

		random_bytes(secret, sizeof secret);
		buf_in(&id, &a, TOKEN_ID_BYTES);
		token_make_id(&id);
		buf_in(&text, &a, TOKEN_BYTES);
		t = (struct token){ .environment = ENV_STAGING,
			.use = (enum token_use)(i % 3),
			.id = buf_str(&id) };
		token_write(&text, &t, str_n(secret, sizeof secret));
		assert_true(buf_ok(&text) && text.n == TOKEN_BYTES);
		assert_true(token_read(buf_str(&text), &t));
		assert_true(str_eq(t.id, buf_str(&id)));
		assert_int_equal(t.use, i % 3);
		arena_reset(&a);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_one_form_is_read),
		cmocka_unit_test(a_nul_inside_is_no_end),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
