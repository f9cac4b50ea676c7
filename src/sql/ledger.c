/* ledger - see ledger.h.
 *
 * Invariants: 1. nothing here updates or deletes.  2. a table is made whole, with its triggers, or
 * not at all. */
#include "sql/ledger.h"

#include "sql/inside.h"

#include <string.h>

#define LEDGER_BUSY_MS 5000
#define SUMS_MAX 100000

static const char *const make_sql[] = {
	"CREATE TABLE IF NOT EXISTS postern_ledger (id TEXT PRIMARY KEY NOT NULL, "
	"call_id TEXT UNIQUE NOT NULL, plan_id TEXT UNIQUE, tool TEXT NOT NULL, "
	"tool_digest BLOB NOT NULL CHECK (length(tool_digest) = 32), "
	"catalog_digest BLOB NOT NULL CHECK (length(catalog_digest) = 32), "
	"plan_digest BLOB NOT NULL CHECK (length(plan_digest) = 32), "
	"who BLOB NOT NULL CHECK (length(who) = 32), "
	"tenant BLOB NOT NULL CHECK (length(tenant) = 32), "
	"idem BLOB CHECK (length(idem) = 32), "
	"arguments BLOB NOT NULL CHECK (length(arguments) = 32), intent TEXT NOT NULL, "
	"effects_sealed BLOB NOT NULL, result_sealed BLOB NOT NULL, rows INTEGER NOT NULL, "
	"committed_us INTEGER NOT NULL) STRICT",
	"CREATE INDEX IF NOT EXISTS postern_ledger_of_who ON postern_ledger "
	"(who, tool, committed_us)",
	"CREATE INDEX IF NOT EXISTS postern_ledger_of_tenant ON postern_ledger "
	"(tenant, tool, committed_us)",
	"CREATE INDEX IF NOT EXISTS postern_ledger_of_idem ON postern_ledger "
	"(idem, committed_us) WHERE idem IS NOT NULL",
	"CREATE TABLE IF NOT EXISTS postern_ledger_rows (ledger_id TEXT NOT NULL, "
	"table_name TEXT NOT NULL, key BLOB NOT NULL CHECK (length(key) = 32), "
	"operation TEXT NOT NULL CHECK (operation IN ('insert', 'update', 'delete'))) STRICT",
	"CREATE INDEX IF NOT EXISTS postern_ledger_rows_of_key ON postern_ledger_rows "
	"(table_name, key)",
	"CREATE INDEX IF NOT EXISTS postern_ledger_rows_of_id ON postern_ledger_rows (ledger_id)",
	"CREATE TABLE IF NOT EXISTS postern_ledger_sums (ledger_id TEXT NOT NULL, "
	"name TEXT NOT NULL, net TEXT NOT NULL, gross TEXT NOT NULL, "
	"PRIMARY KEY (ledger_id, name)) STRICT, WITHOUT ROWID",
};
static const char *const tables[] = { "postern_ledger", "postern_ledger_rows",
	"postern_ledger_sums" };

static const char add_row_sql[] =
	"INSERT INTO main.postern_ledger (id, call_id, plan_id, tool, tool_digest, catalog_digest, "
	"plan_digest, who, tenant, idem, arguments, intent, effects_sealed, result_sealed, rows, "
	"committed_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
	"?16)";
static const char add_change_sql[] =
	"INSERT INTO main.postern_ledger_rows (ledger_id, table_name, key, operation) "
	"VALUES (?1, ?2, ?3, ?4)";
static const char add_sum_sql[] = "INSERT INTO main.postern_ledger_sums "
				  "(ledger_id, name, net, gross) VALUES (?1, ?2, ?3, ?4)";

#define COLUMNS                                                                                    \
	"SELECT l.id, l.call_id, l.plan_id, l.tool, l.tool_digest, l.catalog_digest, "             \
	"l.plan_digest, l.who, l.tenant, l.idem, l.arguments, l.intent, l.effects_sealed, "        \
	"l.result_sealed, l.rows, l.committed_us FROM main.postern_ledger AS l "

static bool run(sqlite3 *db, const char *sql, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       err_set(err, E_IO, "the ledger cannot be made: %s", sqlite3_errmsg(db));
}

static bool fix(sqlite3 *db, const char *table, const char *operation, struct err *err)
{
	char sql[256];

	sqlite3_snprintf(sizeof sql, sql,
		"CREATE TRIGGER IF NOT EXISTS %s_no_%s BEFORE %s ON %s BEGIN "
		"SELECT RAISE(ABORT, 'the ledger is only appended to'); END",
		table, operation, operation, table);
	return run(db, sql, err);
}

static bool make(sqlite3 *db, struct err *err)
{
	if (!run(db, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(make_sql); i++)
		if (!run(db, make_sql[i], err))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!fix(db, tables[i], "update", err) || !fix(db, tables[i], "delete", err))
			return false;
	return run(db, "COMMIT", err);
}

bool ledger_install(struct str file, struct err *err)
{
	char *name = heap_alloc(file.n + 1);
	sqlite3 *db = NULL;
	bool ok;

	memcpy(name, file.p, file.n);
	ok = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	     SQLITE_OK;
	if (!ok)
		err_set(err, E_UNAVAILABLE, "%s: %s", name, sqlite3_errmsg(db));
	if (ok) {
		sqlite3_busy_timeout(db, LEDGER_BUSY_MS);
		ok = make(db, err);
	}
	sqlite3_close(db); /* rolls back what was not committed */
	heap_free(name);
	return ok;
}

static bool count_tables(struct lite *l, int64_t *out, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l,
		"SELECT count(*) FROM main.sqlite_schema WHERE name IN ('postern_ledger', "
		"'postern_ledger_rows', 'postern_ledger_sums')",
		err);
	bool ok = s && lite_step(s, err) == LITE_ROW;

	if (ok)
		*out = sqlite3_column_int64(s->s, 0);
	if (s)
		lite_end_once(s);
	return ok;
}

bool ledger_exists(struct lite *l, bool *out, struct err *err)
{
	static const char *const statements[] = { add_row_sql, add_change_sql, add_sum_sql };
	int64_t count;

	if (!count_tables(l, &count, err))
		return false;
	*out = count == (int64_t)ARRAY_LEN(tables);
	if (count && !*out)
		return err_set(err, E_INVALID, "a table of the ledger is missing");
	for (size_t i = 0; i < ARRAY_LEN(statements) && *out; i++) {
		struct lite_stmt *s = lite_prepare_own(l, statements[i], err);

		if (!s)
			return err_while(err, "%s is not postern's", tables[i]);
		lite_end_once(s);
	}
	return true;
}

static bool done(struct lite_stmt *s, struct err *err)
{
	bool ok = lite_step(s, err) == LITE_DONE;
	int rc = sqlite3_extended_errcode(s->l->db);

	lite_end_once(s);
	if (!ok && (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY))
		err->code = E_EXISTS;
	return ok;
}

static void bind_digest(struct lite_stmt *s, unsigned index, const struct sha256 *d)
{
	lite_bind_blob(s, index, str_n(d->b, sizeof d->b));
}

static bool add_row(struct lite *l, const struct ledger_row *row, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, add_row_sql, err);

	if (!s)
		return false;
	lite_bind_text(s, 1, row->id);
	lite_bind_text(s, 2, row->call_id);
	if (row->plan_id.n)
		lite_bind_text(s, 3, row->plan_id);
	lite_bind_text(s, 4, row->tool);
	bind_digest(s, 5, &row->tool_digest);
	bind_digest(s, 6, &row->catalog_digest);
	bind_digest(s, 7, &row->plan_digest);
	bind_digest(s, 8, &row->who);
	bind_digest(s, 9, &row->tenant);
	if (row->has_idem)
		bind_digest(s, 10, &row->idem);
	bind_digest(s, 11, &row->arguments);
	lite_bind_text(s, 12, row->intent);
	lite_bind_blob(s, 13, row->effects);
	lite_bind_blob(s, 14, row->result);
	lite_bind_i64(s, 15, (int64_t)row->rows);
	lite_bind_i64(s, 16, row->committed_us);
	return done(s, err);
}

static bool add_change(
	struct lite *l, struct str id, const struct ledger_change *change, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, add_change_sql, err);

	if (!s)
		return false;
	lite_bind_text(s, 1, id);
	lite_bind_text(s, 2, change->table);
	bind_digest(s, 3, &change->key);
	lite_bind_text(s, 4, change->operation);
	return done(s, err);
}

static bool add_sum(struct lite *l, struct str id, const struct ledger_sum *sum, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, add_sum_sql, err);

	if (!s)
		return false;
	lite_bind_text(s, 1, id);
	lite_bind_text(s, 2, sum->name);
	lite_bind_text(s, 3, sum->net);
	lite_bind_text(s, 4, sum->gross);
	return done(s, err);
}

bool ledger_add(struct lite *l, const struct ledger_row *row, const struct ledger_change *changes,
	size_t change_count, const struct ledger_sum *sums, size_t sum_count, struct err *err)
{
	bug_on(!l->capture || !l->in_transaction);
	if (!add_row(l, row, err))
		return err_while(err, "the ledger");
	for (size_t i = 0; i < change_count; i++)
		if (!add_change(l, row->id, &changes[i], err))
			return err_while(err, "the ledger");
	for (size_t i = 0; i < sum_count; i++)
		if (!add_sum(l, row->id, &sums[i], err))
			return err_while(err, "the ledger");
	return true;
}

static struct str bytes_of(struct lite_stmt *s, unsigned column, struct arena *a)
{
	struct str text;

	lite_column(s, column, a, &text);
	return text;
}

static bool digest_of(struct lite_stmt *s, int column, struct sha256 *out)
{
	if (sqlite3_column_bytes(s->s, column) != SHA256_BYTES)
		return false;
	memcpy(out->b, sqlite3_column_blob(s->s, column), SHA256_BYTES);
	return true;
}

static bool read_row(struct lite_stmt *s, struct arena *a, struct ledger_row *out)
{
	*out = (struct ledger_row){ .id = bytes_of(s, 0, a),
		.call_id = bytes_of(s, 1, a),
		.plan_id = bytes_of(s, 2, a),
		.tool = bytes_of(s, 3, a),
		.has_idem = sqlite3_column_type(s->s, 9) != SQLITE_NULL,
		.intent = bytes_of(s, 11, a),
		.effects = bytes_of(s, 12, a),
		.result = bytes_of(s, 13, a),
		.rows = (uint64_t)sqlite3_column_int64(s->s, 14),
		.committed_us = sqlite3_column_int64(s->s, 15) };
	return digest_of(s, 4, &out->tool_digest) && digest_of(s, 5, &out->catalog_digest) &&
	       digest_of(s, 6, &out->plan_digest) && digest_of(s, 7, &out->who) &&
	       digest_of(s, 8, &out->tenant) && (!out->has_idem || digest_of(s, 9, &out->idem)) &&
	       digest_of(s, 10, &out->arguments);
}

/* The rest of the statement's rows, at most `most`; ends it. */
static bool read_rows(struct lite_stmt *s, struct arena *a, size_t most, struct ledger_row *rows,
	size_t *count_out, struct err *err)
{
	enum lite_step step = LITE_ROW;
	size_t count = 0;
	bool ok = true;

	while (ok && count < most && (step = lite_step(s, err)) == LITE_ROW)
		ok = read_row(s, a, &rows[count++]);
	lite_end_once(s);
	if (!ok)
		return err_set(err, E_INVALID, "a row of the ledger is not postern's");
	*count_out = count;
	return step != LITE_FAILED;
}

static bool read_one(struct lite_stmt *s, struct arena *a, bool *found_out, struct ledger_row *out,
	struct err *err)
{
	size_t count;

	if (!read_rows(s, a, 1, out, &count, err))
		return false;
	*found_out = count == 1;
	return true;
}

static bool by_text(struct lite *l, struct arena *a, const char *sql, struct str text,
	bool *found_out, struct ledger_row *out, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, sql, err);

	if (!s)
		return false;
	lite_bind_text(s, 1, text);
	return read_one(s, a, found_out, out, err);
}

bool ledger_by_id(struct lite *l, struct arena *a, struct str id, bool *found_out,
	struct ledger_row *out, struct err *err)
{
	return by_text(l, a, COLUMNS "WHERE l.id = ?1", id, found_out, out, err);
}

bool ledger_by_plan(struct lite *l, struct arena *a, struct str plan_id, bool *found_out,
	struct ledger_row *out, struct err *err)
{
	return by_text(l, a, COLUMNS "WHERE l.plan_id = ?1", plan_id, found_out, out, err);
}

bool ledger_by_call(struct lite *l, struct arena *a, struct str call_id, bool *found_out,
	struct ledger_row *out, struct err *err)
{
	return by_text(l, a, COLUMNS "WHERE l.call_id = ?1", call_id, found_out, out, err);
}

bool ledger_by_idem(struct lite *l, struct arena *a, const struct sha256 *idem, int64_t since_us,
	bool *found_out, struct ledger_row *out, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l,
		COLUMNS "WHERE l.idem = ?1 AND l.committed_us >= ?2 "
			"ORDER BY l.committed_us DESC, l.id DESC LIMIT 1",
		err);

	if (!s)
		return false;
	bind_digest(s, 1, idem);
	lite_bind_i64(s, 2, since_us);
	return read_one(s, a, found_out, out, err);
}

static const char *sums_sql(const struct ledger_since *since)
{
#define SUMS(column)                                                                               \
	"SELECT s.name, s.net, s.gross FROM main.postern_ledger AS l "                             \
	"JOIN main.postern_ledger_sums AS s ON s.ledger_id = l.id AND s.name = ?4 "                \
	"WHERE l." column " = ?1 AND l.tool = ?2 AND l.committed_us >= ?3"
#define ROWS(column)                                                                               \
	"SELECT ?4, CAST(l.rows AS TEXT), CAST(l.rows AS TEXT) FROM main.postern_ledger AS l "     \
	"WHERE l." column " = ?1 AND l.tool = ?2 AND l.committed_us >= ?3"
	bool rows = str_eq(since->name, S("rows"));

	if (since->of == LEDGER_OF_WHO)
		return rows ? ROWS("who") : SUMS("who");
	return rows ? ROWS("tenant") : SUMS("tenant");
}

bool ledger_sums_since(struct lite *l, struct arena *a, const struct ledger_since *since,
	struct ledger_sum **sums_out, size_t *count_out, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l, sums_sql(since), err);
	struct ledger_sum *sums = NULL;
	size_t count = 0, cap = 0;
	enum lite_step step;

	if (!s)
		return false;
	bind_digest(s, 1, &since->whose);
	lite_bind_text(s, 2, since->tool);
	lite_bind_i64(s, 3, since->since_us);
	lite_bind_text(s, 4, since->name);
	while ((step = lite_step(s, err)) == LITE_ROW && count < SUMS_MAX) {
		if (count == cap) {
			struct ledger_sum *more;

			cap = cap ? cap * 2 : 16;
			more = arena_array(a, struct ledger_sum, cap);
			if (count)
				memcpy(more, sums, count * sizeof *sums);
			sums = more;
		}
		sums[count++] = (struct ledger_sum){ bytes_of(s, 0, a), bytes_of(s, 1, a),
			bytes_of(s, 2, a) };
	}
	lite_end_once(s);
	if (step == LITE_ROW)
		return err_set(
			err, E_LIMIT, "the ledger has more than %d changes to add up", SUMS_MAX);
	*sums_out = sums;
	*count_out = count;
	return step == LITE_DONE;
}

bool ledger_list_for_key(struct lite *l, struct arena *a, const struct ledger_record *record,
	size_t most, struct ledger_row **rows_out, size_t *count_out, struct err *err)
{
	struct lite_stmt *s = lite_prepare_own(l,
		COLUMNS "WHERE l.id IN (SELECT r.ledger_id FROM main.postern_ledger_rows AS r "
			"WHERE r.table_name = ?1 AND r.key = ?2) AND l.tenant = ?3 "
			"ORDER BY l.committed_us DESC, l.id DESC LIMIT ?4",
		err);

	if (!s)
		return false;
	lite_bind_text(s, 1, record->table);
	bind_digest(s, 2, &record->key);
	bind_digest(s, 3, &record->tenant);
	lite_bind_i64(s, 4, (int64_t)most);
	*rows_out = arena_array(a, struct ledger_row, most);
	return read_rows(s, a, most, *rows_out, count_out, err);
}
