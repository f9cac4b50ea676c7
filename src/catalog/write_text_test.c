/* What statements say of themselves, and what may stand in an expression. */
#include "catalog/write_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

#define assert_str(is, should) assert_string_equal(arena_cstr(&arena, is), should)

static void a_statement_tells_verb_table_and_predicate(void **state)
{
	static const struct {
		const char *sql;
		enum effect_operation verb;
		const char *table, *schema, *conflict;
		bool where, returning, own;
	} table[] = {
		{ "INSERT INTO t (a) VALUES (:a)", EFFECT_INSERT, "t", "", "", 0, 0, 0 },
		{ "insert or ignore into \"t\" (a) SELECT x FROM u WHERE y = :y", EFFECT_INSERT,
			"t", "", "ignore", 0, 0, 0 },
		{ "REPLACE INTO t VALUES (1)", EFFECT_INSERT, "t", "", "", 0, 0, 0 },
		{ "UPDATE t SET a = 1", EFFECT_UPDATE, "t", "", "", 0, 0, 0 },
		{ "UPDATE OR ROLLBACK t SET a = 1", EFFECT_UPDATE, "t", "", "ROLLBACK", 0, 0, 0 },
		{ "UPDATE main.t SET a = 1 WHERE id = :id", EFFECT_UPDATE, "t", "main", "", 1, 0,
			0 },
		{ "UPDATE [t] SET a = (SELECT x FROM u WHERE y = 1)", EFFECT_UPDATE, "t", "", "", 0,
			0, 0 },
		{ "DELETE FROM `t` WHERE id = :id RETURNING id", EFFECT_DELETE, "t", "", "", 1, 1,
			0 },
		{ "DELETE FROM t -- WHERE id = :id", EFFECT_DELETE, "t", "", "", 0, 0, 0 },
		{ "DELETE FROM t /* x */ WHERE 'RETURNING' = id", EFFECT_DELETE, "t", "", "", 1, 0,
			0 },
		{ "WITH x AS (SELECT 1), y (z) AS (DELETE) UPDATE t SET a = 1 WHERE b",
			EFFECT_UPDATE, "t", "", "", 1, 0, 0 },
		{ "WITH x AS (SELECT 1) SELECT 1", 0, "", "", "", 0, 0, 0 },
		{ "SELECT 1", 0, "", "", "", 0, 0, 0 },
		{ "VALUES (1)", 0, "", "", "", 0, 0, 0 },
		{ "DROP TABLE t", 0, "", "", "", 0, 0, 0 },
		{ "DELETE FROM 'postern_ledger' WHERE id = 1", EFFECT_DELETE, "postern_ledger", "",
			"", 1, 0, 1 },
		{ "INSERT INTO t (a) SELECT a FROM Postern_Marker", EFFECT_INSERT, "t", "", "", 0,
			0, 1 },
		{ "INSERT INTO t (a) VALUES ('postern_ledger')", EFFECT_INSERT, "t", "", "", 0, 0,
			0 },
		{ "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE c",
			EFFECT_INSERT, "t", "", "", 0, 0, 0 },
		{ "", 0, "", "", "", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct write_text t = write_text_read(str_c(table[i].sql));

		if (t.verb != table[i].verb || t.where != table[i].where ||
			t.returning != table[i].returning || t.own != table[i].own)
			fail_msg("%s", table[i].sql);
		assert_str(t.table, table[i].table);
		assert_str(t.schema, table[i].schema);
		assert_str(t.conflict, table[i].conflict);
	}
}

static void a_predicate_is_narrow_when_it_binds_a_value_or_names_a_key(void **state)
{
	static const struct str keys[] = { STR_INIT("id"), STR_INIT("line") };
	static const struct {
		const char *sql;
		bool narrow;
	} table[] = {
		{ "DELETE FROM t WHERE id = :id", true },
		{ "DELETE FROM t WHERE a = :a", true },
		{ "DELETE FROM t WHERE \"ID\" IN (SELECT 1)", true },
		{ "DELETE FROM t WHERE 1 = 1", false },
		{ "DELETE FROM t WHERE status = 'id'", false },
		{ "DELETE FROM t WHERE identity = 1 RETURNING id", false },
		{ "DELETE FROM t WHERE (SELECT line FROM u)", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct write_text t = write_text_read(str_c(table[i].sql));

		if (write_text_is_narrow(&t, (struct names){ keys, 2 }) != table[i].narrow)
			fail_msg("%s", table[i].sql);
	}
}

static void an_expression_stays_between_its_parentheses(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} table[] = {
		{ "id = :id", true },
		{ "id = :id AND (status <> 'void' OR t.total > 1.5)", true },
		{ "\"t\".id IN (:a, :b) AND kind NOT IN ('x')", true },
		{ "lower(name) = lower(:name) AND note IS NULL", true },
		{ "", false },
		{ "  ", false },
		{ "id = :id) OR (1", false },
		{ "(id = :id", false },
		{ "id = :id; DELETE FROM t", false },
		{ "id = :id -- and", false },
		{ "id /* x */ = :id", false },
		{ "id IN (SELECT id FROM u)", false },
		{ "EXISTS (VALUES (1))", false },
		{ "id IN u", false },
		{ "id IN json_each(:x)", false },
		{ "id IN", false },
		{ "u.id = :id", false },
		{ "main.t.id = :id", false },
		{ "count(id) > 0", false },
		{ "total = MAX(total)", false },
		{ "total > 5 AND count = 1", true },
		{ "row_number() OVER () = 1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!write_text_expression(str_c(table[i].text), S("t")) != table[i].fits)
			fail_msg("%s", table[i].text);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_tells_verb_table_and_predicate),
		cmocka_unit_test(a_predicate_is_narrow_when_it_binds_a_value_or_names_a_key),
		cmocka_unit_test(an_expression_stays_between_its_parentheses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
