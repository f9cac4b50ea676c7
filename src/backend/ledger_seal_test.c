/* What stands in the ledger in place of names. */
#include "backend/ledger_seal.h"

#include "plan/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct seal seal, other;

static int set_up(void **state)
{
	uint8_t key[32] = { 1 };

	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	assert_true(seal_init(&seal, str_n(key, sizeof key)));
	key[0] = 2;
	assert_true(seal_init(&other, str_n(key, sizeof key)));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	seal_done(&seal);
	seal_done(&other);
	arena_done(&arena);
	return 0;
}

static struct sha256 record(
	const char *table, const char *c1, const char *v1, const char *c2, const char *v2)
{
	struct ledger_key key[] = { { str_c(c1), str_c(v1) }, { str_c(c2), str_c(v2) } };
	struct sha256 out;

	ledger_hmac_record(&seal, &arena, str_c(table), key, *c2 ? 2 : 1, &out);
	return out;
}

static bool same(struct sha256 a, struct sha256 b)
{
	return sha256_eq(&a, &b);
}

static void a_record_is_one_however_it_is_named(void **state)
{
	struct sha256 one = record("lines", "contract", "c1", "nr", "7");

	(void)state;
	assert_true(same(one, record("lines", "nr", "7", "contract", "c1")));
	assert_true(same(one, record("Lines", "NR", "7", "Contract", "c1")));
	assert_false(same(one, record("lines", "contract", "C1", "nr", "7")));
	assert_false(same(one, record("lines", "contract", "7", "nr", "c1")));
	assert_false(same(one, record("line", "contract", "c1", "nr", "7")));
	assert_false(same(one, record("lines", "contract", "c1", "", "")));
	/* no part runs into the next */
	assert_false(same(record("t", "a", "bc", "", ""), record("t", "ab", "c", "", "")));
	assert_false(same(record("t", "a", "1:b", "", ""), record("t", "a", "1", "b", "")));
}

static void an_effect_is_of_the_record_its_key_names(void **state)
{
	static const struct str columns[] = { STR_INIT("note"), STR_INIT("Id") };
	static const struct str key[] = { STR_INIT("Id") };
	const struct effect_rule rule = { .table = S("Items"), .key = { key, 1 } };
	const struct cell row[] = { { CELL_TEXT, S("n") }, { CELL_INTEGER, S("7") } };
	struct effect e = { .before = row };
	struct sha256 got;

	(void)state;
	e.table = effect_table_make(&arena, S("Items"), columns, 2, &rule);
	ledger_hmac_effect(&seal, &arena, &e, row, &got);
	assert_true(same(got, record("items", "id", "7", "", "")));
}

static void who_and_tenant_are_told_apart(void **state)
{
	struct principal ada = { .subject = S("ada"), .tenant = S("acme") };
	struct principal eve = { .subject = S("acmeada") };
	struct sha256 a, b;

	(void)state;
	ledger_hmac_who(&seal, &ada, &a);
	ledger_hmac_who(&seal, &eve, &b);
	assert_false(same(a, b));
	ledger_hmac_who(&other, &ada, &b);
	assert_false(same(a, b));
	ledger_hmac_tenant(&seal, S(""), &a);
	ledger_hmac_tenant(&seal, S("acme"), &b);
	assert_false(same(a, b));
}

static void what_is_sealed_opens_in_its_own_place_alone(void **state)
{
	struct str text = ledger_seal(&seal, &arena, S("ch_1"), "effects", S("{}")), out;

	(void)state;
	assert_true(ledger_unseal(&seal, &arena, S("ch_1"), "effects", text, &out));
	assert_true(str_eq(out, S("{}")));
	assert_false(ledger_unseal(&seal, &arena, S("ch_2"), "effects", text, &out));
	assert_false(ledger_unseal(&seal, &arena, S("ch_1"), "result", text, &out));
	assert_false(ledger_unseal(&other, &arena, S("ch_1"), "effects", text, &out));
	assert_false(ledger_unseal(
		&seal, &arena, S("ch_1"), "effects", str_sub(text, 0, text.n - 1), &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_one_however_it_is_named),
		cmocka_unit_test(an_effect_is_of_the_record_its_key_names),
		cmocka_unit_test(who_and_tenant_are_told_apart),
		cmocka_unit_test(what_is_sealed_opens_in_its_own_place_alone),
	};

	return cmocka_run_group_tests_name("ledger_seal", tests, set_up, tear_down);
}
