/* What the lexer takes for a parameter, and what it says of a statement. */
#include "catalog/sqltext.h"

#include <string.h>

#include "base/arena_fixture.h"

#include "base/buf.h"

static void parameters_are_found_outside_quotes_and_comments_only(void **state)
{
	static const struct {
		const char *text, *sql, *names;
	} table[] = {
		{ "SELECT :a", "SELECT ?1", "a" },
		{ "SELECT :a, :b, :a", "SELECT ?1, ?2, ?1", "a b" },
		{ "SELECT :principal.tenant", "SELECT ?1", "principal.tenant" },
		{ "SELECT :a.b.c||:a", "SELECT ?1||?2", "a.b.c a" },
		{ "SELECT :a.1", "SELECT ?1.1", "a" },
		{ "SELECT ':a', \":b\", `:c`, [:d], :e", "SELECT ':a', \":b\", `:c`, [:d], ?1",
			"e" },
		{ "SELECT 'it''s :a', :b", "SELECT 'it''s :a', ?1", "b" },
		{ "SELECT '\\', :b", "SELECT '\\', ?1", "b" },
		{ "SELECT 1 -- :a\n, :b", "SELECT 1 -- :a\n, ?1", "b" },
		{ "SELECT 1 -- :a", "SELECT 1 -- :a", "" },
		{ "SELECT /* :a /* :b */ :c */ :d", "SELECT /* :a /* :b */ :c */ ?1", "d" },
		{ "SELECT x::text, :y::int", "SELECT x::text, ?1::int", "y" },
		{ "SELECT $tag$ :a $$ :b $tag$, :c", "SELECT $tag$ :a $$ :b $tag$, ?1", "c" },
		{ "SELECT $$ :a $$", "SELECT $$ :a $$", "" },
		{ "SELECT a[1:2], :b", "SELECT a[1:2], ?1", "b" },
		{ "SELECT a$1, :b", "SELECT a$1, ?1", "b" },
		{ "SELECT 5:a", "SELECT 5?1", "a" },
		{ "SELECT '\xc3\xa9', :b", "SELECT '\xc3\xa9', ?1", "b" },
		{ "  SELECT 1 ; -- end", "SELECT 1   -- end", "" },
		{ ";SELECT 1;;", "SELECT 1", "" },
		{ "SELECT 1; SELECT 2", "SELECT 1; SELECT 2", "" },
		{ "SELECT a - -1, b / 2", "SELECT a - -1, b / 2", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct sqltext t;
		struct err err = { 0 };
		struct buf names;

		if (!sqltext_read(*state, str_c(table[i].text), &t, &err))
			fail_msg("%s: %s", table[i].text, err.text);
		buf_in(&names, *state, 4096);
		for (size_t k = 0; k < t.name_count; k++)
			buf_fmt(&names, k ? " %.*s" : "%.*s", STR_ARG(t.names[k]));
		assert_string_equal(arena_cstr(*state, t.sql), table[i].sql);
		assert_string_equal(arena_cstr(*state, buf_str(&names)), table[i].names);
	}
}

static void what_is_no_sql_of_ours_is_refused(void **state)
{
	static const char *const table[] = { "SELECT 'open", "SELECT \"open", "SELECT `open",
		"SELECT [open", "SELECT /* open", "SELECT /* /* */", "SELECT $$ open",
		"SELECT $t$ $$", "SELECT ?", "SELECT ?1", "SELECT @a", "SELECT $a", "SELECT $1",
		"SELECT #a", "SELECT :", "SELECT :1", "SELECT : a", "SELECT :a$b",
		"SELECT :\xc3\xa9", "SELECT :a\xc3\xa9", "SELECT {{a}}", "SELECT {a}",
		"SELECT \x01", "SELECT a\\b", "SELECT '\xff'", "SELECT \xed\xa0\x80" };
	struct err err = { 0 };
	struct sqltext t;
	struct buf many;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (sqltext_read(*state, str_c(table[i]), &t, &err))
			fail_msg("%s", table[i]);
	assert_false(sqltext_read(*state, str_n("SELECT \0", 8), &t, &err));
	assert_false(sqltext_read(*state, str_n("SELECT '\0'", 10), &t, &err));
	assert_false(sqltext_read(*state, str_n("SELECT 1 --\0", 12), &t, &err));
	buf_in(&many, *state, 1 << 20);
	for (unsigned i = 0; i < SQLTEXT_MAX_BYTES; i++)
		buf_char(&many, ' ');
	assert_true(sqltext_read(*state, buf_str(&many), &t, &err));
	buf_char(&many, ' ');
	assert_false(sqltext_read(*state, buf_str(&many), &t, &err));
	buf_clear(&many);
	for (unsigned i = 0; i < SQLTEXT_MAX_PARAMS; i++)
		buf_fmt(&many, ":a%u ", i);
	assert_true(sqltext_read(*state, buf_str(&many), &t, &err));
	buf_lit(&many, ":b");
	assert_false(sqltext_read(*state, buf_str(&many), &t, &err));
	assert_int_equal(err.code, E_LIMIT);
}

static void stars_in_result_lists_are_seen(void **state)
{
	static const struct {
		const char *text;
		bool star;
	} table[] = {
		{ "SELECT * FROM t", true },
		{ "select\n* FROM t", true },
		{ "SELECT DISTINCT * FROM t", true },
		{ "SELECT ALL * FROM t", true },
		{ "SELECT t.* FROM t", true },
		{ "SELECT a, * FROM t", true },
		{ "SELECT a,/**/* FROM t", true },
		{ "SELECT a FROM (SELECT * FROM t)", true },
		{ "SELECT count(*) FROM t", false },
		{ "SELECT count( * ) FROM t", false },
		{ "SELECT a * b FROM t", false },
		{ "SELECT 2 * :a", false },
		{ "SELECT (a) * 2", false },
		{ "SELECT '*'", false },
		{ "SELECT 1 -- *", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };
		struct sqltext t;

		assert_true(sqltext_read(*state, str_c(table[i].text), &t, &err));
		if (t.star != table[i].star)
			fail_msg("%s", table[i].text);
	}
}

static void limits_and_orders_of_the_outermost_level_are_seen(void **state)
{
	static const struct {
		const char *text;
		enum sqltext_limit limit;
		uint64_t rows;
		bool order, offset;
	} table[] = {
		{ "SELECT 1", SQLTEXT_NO_LIMIT, 0, false, false },
		{ "SELECT 1 LIMIT 5", SQLTEXT_LIMIT_NUMBER, 5, false, false },
		{ "SELECT 1 limit 5;", SQLTEXT_LIMIT_NUMBER, 5, false, false },
		{ "SELECT 1 ORDER BY a LIMIT 5 -- x", SQLTEXT_LIMIT_NUMBER, 5, true, false },
		{ "SELECT 1 LIMIT 5 OFFSET 10", SQLTEXT_LIMIT_NUMBER, 5, false, true },
		{ "SELECT 1 LIMIT :n", SQLTEXT_LIMIT_PARAM, 0, false, false },
		{ "SELECT 1 LIMIT :n OFFSET :m", SQLTEXT_LIMIT_PARAM, 0, false, true },
		{ "SELECT 1 LIMIT :n + 1", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT (5)", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT -1", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT 5, 10", SQLTEXT_LIMIT_OTHER, 5, false, false },
		{ "SELECT 1 LIMIT 5 * 10", SQLTEXT_LIMIT_OTHER, 5, false, false },
		{ "SELECT 1 LIMIT 1e9", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT 0x7fffffff", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT '5'", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 LIMIT", SQLTEXT_LIMIT_OTHER, 0, false, false },
		{ "SELECT 1 FROM (SELECT 2 LIMIT 3)", SQLTEXT_NO_LIMIT, 0, false, false },
		{ "SELECT row_number() OVER (ORDER BY a)", SQLTEXT_NO_LIMIT, 0, false, false },
		{ "SELECT \"limit\" FROM t -- LIMIT 3", SQLTEXT_NO_LIMIT, 0, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };
		struct sqltext t;

		assert_true(sqltext_read(*state, str_c(table[i].text), &t, &err));
		if (t.limit != table[i].limit || t.order_by != table[i].order ||
			t.offset != table[i].offset ||
			(table[i].limit == SQLTEXT_LIMIT_NUMBER && t.limit_rows != table[i].rows))
			fail_msg("%s", table[i].text);
	}
}

static void first_words_statements_and_sorting_parameters_are_seen(void **state)
{
	static const struct {
		const char *text, *first, *ordered_by, *dialect;
		unsigned statements;
	} table[] = {
		{ "select 1", "SELECT", "", NULL, 1 },
		{ "-- c\n  With x AS (SELECT 1) SELECT 2", "WITH", "", NULL, 1 },
		{ "DELETE FROM t", "DELETE", "", NULL, 1 },
		{ "(SELECT 1)", "", "", NULL, 1 },
		{ "", "", "", NULL, 0 },
		{ " ; -- only a comment", "", "", NULL, 0 },
		{ "SELECT 1; DROP TABLE t", "SELECT", "", NULL, 2 },
		{ "SELECT ';'", "SELECT", "", NULL, 1 },
		{ "SELECT 1 ORDER BY :c", "SELECT", "c", NULL, 1 },
		{ "SELECT 1 ORDER BY a, :c DESC", "SELECT", "c", NULL, 1 },
		{ "SELECT 1 GROUP BY :c", "SELECT", "c", NULL, 1 },
		{ "SELECT 1 ORDER BY CASE :c WHEN 'a' THEN a END", "SELECT", "", NULL, 1 },
		{ "SELECT 1 ORDER BY a LIMIT :c", "SELECT", "", NULL, 1 },
		{ "SELECT 1 ORDER BY f(a, :c)", "SELECT", "", NULL, 1 },
		{ "SELECT $$a$$", "SELECT", "", "a dollar quote", 1 },
		{ "SELECT /* /* */ */ 1", "SELECT", "", "a comment in a comment", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };
		struct sqltext t;

		assert_true(sqltext_read(*state, str_c(table[i].text), &t, &err));
		assert_string_equal(arena_cstr(*state, t.first_word), table[i].first);
		assert_string_equal(arena_cstr(*state, t.ordered_by), table[i].ordered_by);
		assert_int_equal(t.statements, table[i].statements);
		assert_int_equal(!t.dialect, !table[i].dialect);
		if (t.dialect)
			assert_string_equal(t.dialect, table[i].dialect);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(parameters_are_found_outside_quotes_and_comments_only),
		WITH_ARENA(what_is_no_sql_of_ours_is_refused),
		WITH_ARENA(stars_in_result_lists_are_seen),
		WITH_ARENA(limits_and_orders_of_the_outermost_level_are_seen),
		WITH_ARENA(first_words_statements_and_sorting_parameters_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
