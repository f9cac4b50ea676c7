/* What the capture says is what a comparison of all tables says, whatever SQLite did. */
#include "sql/write_fixture.h"

static void one(const char *schema, const char *sql, const char *expected)
{
	struct capture_list list;
	struct lite *l;

	run_sql(schema);
	l = begin();
	own(l, sql);
	list = captured(l);
	assert_str(told(&list), expected);
	lite_give(l);
}

static void a_row_is_told_before_and_after(void **state)
{
	(void)state;
	one("INSERT INTO t VALUES (1, 2, 'x'), (2, 3, 'y')", "UPDATE t SET a = 9 WHERE id = 1",
		"update t: i1 i2 tx -> i1 i9 tx");
	one("", "DELETE FROM t", "delete t: i1 i2 tx\ndelete t: i2 i3 ty");
	one("", "INSERT INTO t VALUES (3, x'00ff', NULL)", "insert t: i3 b\\00\\ff n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, write_set_up, write_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_row_is_told_before_and_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
