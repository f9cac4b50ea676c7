/* Which statements sort by a masked column. */
#include "base/test.h"
#include "catalog/mask_use.h"

static void order_by_a_masked_column_is_seen(void **state)
{
	static const struct column columns[] = {
		{ .name = STR_INIT("id") },
		{ .name = STR_INIT("mail"), .mask = { .kind = MASK_EMAIL } },
	};
	static const struct {
		const char *sql;
		bool sorted;
	} cases[] = {
		{ "SELECT id, mail FROM t", false },
		{ "SELECT id, mail FROM t ORDER BY id", false },
		{ "SELECT id, mail FROM t ORDER BY mail", true },
		{ "SELECT id, mail FROM t ORDER BY id, mail DESC", true },
		{ "SELECT id, mail FROM t ORDER BY lower(mail), id", true },
		{ "SELECT id, mail FROM t ORDER BY t.MAIL", true },
		{ "SELECT id, mail FROM t ORDER BY \"mail\"", true },
		{ "SELECT id, mail FROM t ORDER BY [mail]", true },
		{ "SELECT id, mail FROM t order /* by id */ by -- id\n mail", true },
		{ "SELECT id, mail FROM t ORDER BY 2", true },
		{ "SELECT id, mail FROM t ORDER BY 1, 2 DESC", true },
		{ "SELECT id, mail FROM t ORDER BY 1", false },
		{ "SELECT id, mail FROM t ORDER BY id + 2", false },
		{ "SELECT id, mail FROM t ORDER BY id LIMIT 2", false },
		{ "SELECT id, mail FROM t WHERE mail = 'ORDER BY mail' ORDER BY id", false },
		{ "SELECT id, mail FROM (SELECT id, mail FROM t ORDER BY id) WHERE mail <> ''",
			false },
		{ "SELECT id, mail FROM (SELECT id, mail FROM t ORDER BY mail LIMIT 5)", true },
		{ "SELECT row_number() OVER (ORDER BY mail) AS id, mail FROM t", true },
		{ "SELECT id, mail FROM t GROUP BY mail", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if ((mask_ordered_by(str_c(cases[i].sql), columns, 2) != NULL) != cases[i].sorted)
			fail_msg("%s", cases[i].sql);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_by_a_masked_column_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
