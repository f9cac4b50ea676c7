/* write_fixture - a database file in a directory of the test's own, a pool that writes to it, and
 * what stands in its tables. */
#pragma once
#include "base/test.h"
#include "sql/capture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIXTURE_STATEMENTS 16

static char write_directory[64], write_file[96];
static struct arena write_arena;
static struct lite_pool *write_pool;

static inline void run_sql(const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(write_file, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row, as another connection sees it; -1: there is no row. */
static inline int64_t ask_sql(const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t n = -1;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(write_file, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

static inline int write_set_up(void **state)
{
	(void)state;
	snprintf(write_directory, sizeof write_directory, "%s/write-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(write_directory));
	snprintf(write_file, sizeof write_file, "%s/a.db", write_directory);
	arena_init(&write_arena, (size_t)256 << 20);
	run_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT)");
	write_pool = lite_pool_new_writing(str_c(write_file), FIXTURE_STATEMENTS);
	return 0;
}

static inline int write_tear_down(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	(void)state;
	lite_pool_free(&write_pool);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", write_file, suffixes[i]);
		unlink(name);
	}
	rmdir(write_directory);
	arena_done(&write_arena);
	return 0;
}

static inline struct lite *take(void)
{
	struct err err;
	struct lite *l = lite_take(write_pool, 1000, &err);

	if (!l)
		fail_msg("%s", err.text);
	return l;
}

static inline struct lite *begin(void)
{
	struct lite *l = take();
	struct err err;

	if (!lite_begin_write(l, &err))
		fail_msg("%s", err.text);
	return l;
}

/* Runs an own statement to its end; LITE_DONE or LITE_FAILED. */
static inline enum lite_step try_own(struct lite *l, const char *sql, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, sql, err);
	enum lite_step step = LITE_FAILED;

	if (!s)
		return LITE_FAILED;
	while ((step = lite_step(s, err)) == LITE_ROW) {
	}
	lite_end_once(s);
	return step;
}

static inline void own(struct lite *l, const char *sql)
{
	struct err err;

	if (try_own(l, sql, &err) != LITE_DONE)
		fail_msg("%s: %s", sql, err.text);
}

static inline struct capture_list captured(struct lite *l)
{
	struct capture_list list;
	struct err err;

	if (!capture_take(l, &write_arena, 100000, (size_t)64 << 20, &list, &err))
		fail_msg("%s", err.text);
	return list;
}

static inline void add_value(struct buf *out, enum lite_type type, struct str text)
{
	static const char letters[] = { [LITE_NULL] = 'n',
		[LITE_INTEGER] = 'i',
		[LITE_REAL] = 'r',
		[LITE_TEXT] = 't',
		[LITE_BLOB] = 'b' };

	buf_char(out, letters[type]);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] > ' ' && text.p[i] < 127)
			buf_char(out, text.p[i]);
		else
			buf_fmt(out, "\\%02x", (unsigned)(uint8_t)text.p[i]);
}

static inline void add_row(struct buf *out, const struct lite_value *values, size_t count)
{
	for (size_t i = 0; values && i < count; i++) {
		buf_add(out, i ? S(" ") : S(""));
		add_value(out, values[i].type, values[i].text);
	}
}

/* A line a change: "update t: i1 tx -> i1 ty". */
static inline struct str told(const struct capture_list *list)
{
	static const char *const words[] = { "insert", "update", "delete" };
	struct buf out;

	buf_in(&out, &write_arena, (size_t)32 << 20);
	for (size_t i = 0; i < list->count; i++) {
		const struct capture_change *x = &list->changes[i];

		buf_fmt(&out, "%s%s %.*s: ", i ? "\n" : "", words[x->operation],
			STR_ARG(x->table->name));
		add_row(&out, x->before, x->table->column_count);
		buf_add(&out, x->before && x->after ? S(" -> ") : S(""));
		add_row(&out, x->after, x->table->column_count);
	}
	return buf_str(&out);
}
