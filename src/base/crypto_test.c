#include "base/test.h"

#include "base/id.h"
#include "base/seal.h"
#include "base/utf8.h"

#include <string.h>

static void digests_fit_the_published_vectors(void **state)
{
	struct sha256 d;
	struct buf hex;

	(void)state;
	buf_init(&hex, 200);
	sha256_of(S("abc"), &d); /* FIPS 180-4 */
	hex_write(&hex, str_n(d.b, 32));
	assert_str(
		buf_str(&hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	buf_clear(&hex);
	hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), &d); /* RFC 4231, case 2 */
	hex_write(&hex, str_n(d.b, 32));
	assert_str(
		buf_str(&hex), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	buf_done(&hex);
	assert_int_equal(crc32c(S("123456789")), 0xe3069283u); /* RFC 3720 */
}

static void base64_is_strict(void **state)
{
	static const struct {
		const char *text;
		bool url, ok;
	} table[] = {
		{ "", false, true },
		{ "Zg==", false, true },
		{ "Zm8=", false, true },
		{ "Zm9v", false, true },
		{ "Zg", false, false }, /* padding left out */
		{ "Zh==", false, false }, /* bits behind the last byte */
		{ "Zg=", false, false },
		{ "Z===", false, false },
		{ "Zm9v\n", false, false },
		{ "Zm-v", false, false },
		{ "!!!!", false, false },
		{ "Zg", true, true },
		{ "Zg==", true, false },
		{ "Zm-_", true, true },
		{ "Zm+/", true, false },
		{ "Z", true, false },
		{ "Zh", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf out;
		bool ok;

		buf_init(&out, 100);
		ok = table[i].url ? base64url_read(str_c(table[i].text), &out)
				  : base64_read(str_c(table[i].text), &out);
		assert_int_equal(ok, table[i].ok);
		buf_done(&out);
	}
}

static void what_base64_writes_it_reads(void **state)
{
	uint8_t bytes[64];
	struct buf text, back;

	(void)state;
	buf_init(&text, 200);
	buf_init(&back, 200);
	for (size_t n = 0; n < sizeof bytes; n++) {
		random_bytes(bytes, n);
		buf_clear(&text);
		buf_clear(&back);
		base64_write(&text, str_n(bytes, n));
		assert_true(base64_read(buf_str(&text), &back));
		assert_true(str_eq(buf_str(&back), str_n(bytes, n)));
	}
	buf_done(&text);
	buf_done(&back);
}

static void a_seal_opens_only_whole_and_for_its_purpose(void **state)
{
	struct seal s, other;
	struct buf text, out;

	(void)state;
	assert_true(seal_init(&s, S("a key of thirty-two bytes, one..")));
	assert_true(seal_init(&other, S("a key of thirty-two bytes, two..")));
	buf_init(&text, 1000);
	buf_init(&out, 1000);
	seal_write(&s, S("page"), S("alice"), S("row 7"), &text);
	assert_true(seal_read(&s, S("page"), S("alice"), buf_str(&text), &out));
	assert_str(buf_str(&out), "row 7");
	buf_clear(&out);
	assert_false(seal_read(&s, S("page"), S("bob"), buf_str(&text), &out));
	assert_false(seal_read(&s, S("pag"), S("ealice"), buf_str(&text), &out));
	assert_false(seal_read(&other, S("page"), S("alice"), buf_str(&text), &out));
	assert_false(seal_read(&s, S("page"), S("alice"), STR_NONE, &out));
	for (size_t i = 0; i < text.n; i++) {
		char kept = text.p[i];

		text.p[i] = kept == 'A' ? 'B' : 'A';
		assert_false(seal_read(&s, S("page"), S("alice"), buf_str(&text), &out));
		text.p[i] = kept;
	}
	assert_int_equal(out.n, 0);
	buf_done(&text);
	buf_done(&out);
	seal_done(&s);
	seal_done(&other);
}

static void only_well_formed_utf8_is_valid(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{ "plain ascii and more of it", true },
		{ "\xc3\xa9", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xc0\x80", false }, /* overlong */
		{ "\xe0\x80\xaf", false }, /* overlong */
		{ "\xed\xa0\x80", false }, /* surrogate */
		{ "\xf4\x90\x80\x80", false }, /* past U+10FFFF */
		{ "\xff", false },
		{ "\x80", false },
		{ "abc\xe2\x82", false },
		{ "12345678\xc3", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(utf8_valid(str_c(table[i].text)), table[i].ok);
	assert_int_equal(utf8_count(S("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
	assert_str(utf8_prefix(S("a\xc3\xa9z"), 2), "a");
}

static void ids_sort_by_time_and_differ(void **state)
{
	struct id a, b, c;

	(void)state;
	id_make(&a, 1000000);
	id_make(&b, 1000000);
	id_make(&c, 2000000);
	assert_true(memcmp(&a, &b, sizeof a) != 0);
	assert_true(str_cmp(id_str(&a), id_str(&c)) < 0);
	assert_true(str_cmp(id_str(&b), id_str(&c)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_fit_the_published_vectors),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(what_base64_writes_it_reads),
		cmocka_unit_test(a_seal_opens_only_whole_and_for_its_purpose),
		cmocka_unit_test(only_well_formed_utf8_is_valid),
		cmocka_unit_test(ids_sort_by_time_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
