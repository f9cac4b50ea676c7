/* table_read - how one row of a table is read by what names it: the columns from the schema, and a
 * SELECT of all of them.
 *
 * Invariant: names come from the schema and are quoted; they never come from a caller. */
#include "sql/capture_inside.h"

#include <stdlib.h>
#include <string.h>

#define SELECT_MAX_BYTES ((size_t)256 << 10)

static const char columns_sql[] = "SELECT name, pk FROM pragma_table_xinfo(?1) ORDER BY cid";
/* Does a row if the table has a primary key without an index: the rowid by another name. */
static const char rowid_sql[] =
	"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')";
/* Foreign keys of one column that hold the whole primary key of a table. */
static const char foreign_sql[] =
	"SELECT f.\"from\", t.name FROM pragma_foreign_key_list(?1) AS f "
	"JOIN pragma_table_list AS t ON t.schema = 'main' AND t.name = f.\"table\" COLLATE NOCASE "
	"WHERE (SELECT count(*) FROM pragma_foreign_key_list(?1) AS o WHERE o.id = f.id) = 1 "
	"AND (SELECT count(*) FROM pragma_table_xinfo(t.name) AS p WHERE p.pk > 0) = 1 "
	"AND (f.\"to\" IS NULL OR EXISTS (SELECT 1 FROM pragma_table_xinfo(t.name) AS p "
	"WHERE p.pk = 1 AND p.name = f.\"to\" COLLATE NOCASE)) ORDER BY f.id DESC";

static struct str copy_of(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_text(s, column);
	size_t n = p ? (size_t)sqlite3_column_bytes(s, column) : 0;
	char *to = heap_alloc(n + 1);

	if (n)
		memcpy(to, p, n);
	return str_n(to, n);
}

static void drop(struct str s)
{
	heap_free((void *)(uintptr_t)s.p);
}

/* One more, zeroed; the list is never NULL afterwards. */
static void *with_one_more(const void *list, size_t count, size_t size)
{
	char *more = heap_alloc((count + 1) * size);

	if (count)
		memcpy(more, list, count * size);
	heap_free((void *)(uintptr_t)list);
	return more;
}

static void add_column(struct capture_table *t, sqlite3_stmt *s)
{
	struct str *columns = with_one_more(t->columns, t->column_count, sizeof *columns);
	size_t place = (size_t)sqlite3_column_int(s, 1);

	columns[t->column_count] = copy_of(s, 0);
	t->columns = columns;
	if (place) {
		unsigned *key = heap_alloc(MAX(t->key_count, place) * sizeof *key);

		if (t->key_count)
			memcpy(key, t->key, t->key_count * sizeof *key);
		key[place - 1] = (unsigned)t->column_count;
		heap_free((void *)(uintptr_t)t->key);
		t->key = key;
		t->key_count = MAX(t->key_count, place);
	}
	t->column_count++;
}

static void add_foreign(struct capture_table *t, sqlite3_stmt *s)
{
	struct capture_key_of *foreign =
		with_one_more(t->foreign, t->foreign_count, sizeof *foreign);

	foreign[t->foreign_count++] = (struct capture_key_of){ copy_of(s, 0), copy_of(s, 1) };
	t->foreign = foreign;
}

static void set_generated(struct capture_table *t, sqlite3_stmt *s)
{
	(void)s;
	t->generated_key = t->key_count == 1;
}

static bool for_each(struct capture *c, const char *sql, struct capture_table *t,
	void (*each)(struct capture_table *t, sqlite3_stmt *s), struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(c->l->db, sql, -1, &s, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text64(s, 1, t->name.p, t->name.n, SQLITE_STATIC, SQLITE_UTF8);
		while ((rc = sqlite3_step(s)) == SQLITE_ROW)
			each(t, s);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE || lite_fail(c->l, rc, err);
}

static void add_quoted(struct buf *out, struct str name)
{
	buf_char(out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, name.p[i]);
	}
	buf_char(out, '"');
}

/* A name of the rowid that no column has taken; empty: there is none. */
static struct str rowid_name(const struct capture_table *t)
{
	const struct str names[] = { S("rowid"), S("_rowid_"), S("oid") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t k = 0;

		while (k < t->column_count && !str_eq_ci(t->columns[k], names[i]))
			k++;
		if (k == t->column_count)
			return names[i];
	}
	return t->generated_key ? t->columns[t->key[0]] : STR_NONE;
}

static void write_select(struct buf *out, const struct capture_table *t, bool without_rowid)
{
	buf_lit(out, "SELECT ");
	for (size_t i = 0; i < t->column_count; i++) {
		buf_add(out, i ? S(", ") : S(""));
		add_quoted(out, t->columns[i]);
	}
	buf_lit(out, " FROM main.");
	add_quoted(out, t->name);
	buf_lit(out, " WHERE ");
	if (!without_rowid) {
		add_quoted(out, rowid_name(t));
		buf_lit(out, " = ?1");
	}
	for (size_t i = 0; i < t->key_count && without_rowid; i++) {
		buf_add(out, i ? S(" AND ") : S(""));
		add_quoted(out, t->columns[t->key[i]]);
		buf_fmt(out, " = ?%zu", i + 1);
	}
	buf_char(out, 0);
}

static bool prepare_on(
	struct lite *l, sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return rc == SQLITE_OK || lite_fail_on(l, db, rc, err);
}

static bool prepare_both(
	struct capture *c, struct table_read *r, bool without_rowid, struct err *err)
{
	struct buf sql;
	bool ok;

	if (!without_rowid && !rowid_name(&r->table).n)
		return err_set(err, E_DENIED,
			"table %.*s hides its rowid: its rows cannot be told apart",
			STR_ARG(r->table.name));
	buf_init(&sql, SELECT_MAX_BYTES);
	write_select(&sql, &r->table, without_rowid);
	ok = buf_ok(&sql) ||
	     err_set(err, E_LIMIT, "table %.*s has too many columns", STR_ARG(r->table.name));
	ok = ok && prepare_on(c->l, c->l->db, sql.p, &r->is, err) &&
	     prepare_on(c->l, c->l->was, sql.p, &r->was, err);
	buf_done(&sql);
	return ok;
}

bool table_read_make(struct capture *c, struct table *t, struct err *err)
{
	struct table_read *r;

	if (t->read)
		return true;
	r = heap_new(struct table_read);
	r->table.name = str_c(t->name);
	r->table.shadow_of = t->shadow_of ? str_c(t->shadow_of->name) : STR_NONE;
	if (for_each(c, columns_sql, &r->table, add_column, err) &&
		(t->without_rowid || for_each(c, rowid_sql, &r->table, set_generated, err)) &&
		for_each(c, foreign_sql, &r->table, add_foreign, err) &&
		prepare_both(c, r, t->without_rowid, err)) {
		t->read = r;
		return true;
	}
	table_read_free(&r);
	return false;
}

void table_read_free(struct table_read **read)
{
	struct table_read *r = *read;

	if (!r)
		return;
	for (size_t i = 0; i < r->table.column_count; i++)
		drop(r->table.columns[i]);
	for (size_t i = 0; i < r->table.foreign_count; i++) {
		drop(r->table.foreign[i].column);
		drop(r->table.foreign[i].table);
	}
	heap_free((void *)(uintptr_t)r->table.columns);
	heap_free((void *)(uintptr_t)r->table.key);
	heap_free((void *)(uintptr_t)r->table.foreign);
	sqlite3_finalize(r->was);
	sqlite3_finalize(r->is);
	heap_free(r);
	*read = NULL;
}
