/* marker - see marker.h.
 *
 * Invariants: 1. the marker of another environment is never written over.  2. what cannot be read
 * as a marker is a failure, not "no marker".  3. the file must be there: nothing is created but the
 * table.  4. the identity of a database, once made, stays. */
#include "sql/marker.h"

#include "base/digest.h"
#include "sql/inside.h"

#include <stdlib.h>
#include <string.h>

#define MARKER_BUSY_MS 5000
#define IDENTITY_BYTES 16

static const char table_sql[] =
	"CREATE TABLE IF NOT EXISTS postern_marker ("
	"only_row INTEGER PRIMARY KEY CHECK (only_row = 1), "
	"environment TEXT NOT NULL, deployment TEXT NOT NULL, "
	"synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)), installed_at TEXT NOT NULL, "
	"identity TEXT)";
static const char alter_sql[] = "ALTER TABLE postern_marker ADD COLUMN identity TEXT";
static const char exists_sql[] = "SELECT 1 FROM sqlite_schema WHERE name = 'postern_marker'";
static const char has_identity_sql[] =
	"SELECT 1 FROM pragma_table_info('postern_marker') WHERE name = 'identity'";
static const char read_sql[] =
	"SELECT environment, deployment, synthetic, identity FROM main.postern_marker LIMIT 2";
static const char read_without_sql[] =
	"SELECT environment, deployment, synthetic, NULL FROM main.postern_marker LIMIT 2";
static const char write_sql[] =
	"INSERT OR REPLACE INTO postern_marker (only_row, environment, deployment, synthetic, "
	"installed_at, identity) VALUES (1, ?1, ?2, ?3, ?4, ?5)";

static struct str text_of(struct arena *a, sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_text(s, column);

	return arena_str(a, str_n(p, (size_t)sqlite3_column_bytes(s, column)));
}

static bool fail(sqlite3 *db, struct err *err)
{
	return err_set(err, E_INVALID, "the marker cannot be read: %s", sqlite3_errmsg(db));
}

static bool has_row(sqlite3 *db, const char *sql, bool *out, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return fail(db, err);
	rc = sqlite3_step(s);
	*out = rc == SQLITE_ROW;
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || fail(db, err);
}

static bool read_row(sqlite3 *db, struct arena *a, struct marker *out, struct err *err)
{
	sqlite3_stmt *s = NULL;
	bool identity;
	int rc;

	if (!has_row(db, has_identity_sql, &identity, err))
		return false;
	if (sqlite3_prepare_v2(db, identity ? read_sql : read_without_sql, -1, &s, NULL) !=
		SQLITE_OK)
		return fail(db, err);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		*out = (struct marker){ .found = true,
			.environment = text_of(a, s, 0),
			.deployment = text_of(a, s, 1),
			.synthetic = sqlite3_column_int(s, 2) == 1,
			.identity = text_of(a, s, 3) };
		rc = sqlite3_step(s);
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_EMPTY;
	}
	sqlite3_finalize(s);
	if (rc == SQLITE_DONE)
		return true;
	return err_set(err, E_INVALID, "the table postern_marker does not have exactly one row");
}

static bool read_marker(sqlite3 *db, struct arena *a, struct marker *out, struct err *err)
{
	bool exists;

	if (!has_row(db, exists_sql, &exists, err))
		return false;
	*out = (struct marker){ 0 };
	return !exists || read_row(db, a, out, err);
}

bool marker_read(struct lite *l, struct arena *a, struct marker *out, struct err *err)
{
	bool ok;

	l->own = true;
	ok = read_marker(l->db, a, out, err);
	l->own = false;
	return ok;
}

bool marker_is(const struct marker *m, enum environment e)
{
	return m->found && str_eq(m->environment, str_c(environment_name(e)));
}

static bool run(sqlite3 *db, const char *sql, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       err_set(err, E_IO, "the marker cannot be written: %s", sqlite3_errmsg(db));
}

static void bind_text(sqlite3_stmt *s, int index, struct str text)
{
	sqlite3_bind_text64(s, index, text.n ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static bool write_row(sqlite3 *db, const struct marker *m, struct str identity,
	struct str installed_at, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, write_sql, -1, &s, NULL);

	if (rc == SQLITE_OK) {
		bind_text(s, 1, m->environment);
		bind_text(s, 2, m->deployment);
		sqlite3_bind_int(s, 3, m->synthetic);
		bind_text(s, 4, installed_at);
		bind_text(s, 5, identity);
		rc = sqlite3_step(s);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ||
	       err_set(err, E_IO, "the marker cannot be written: %s", sqlite3_errmsg(db));
}

/* The table, also where it was made before databases had an identity. */
static bool make_table(sqlite3 *db, struct err *err)
{
	bool identity;

	return run(db, table_sql, err) && has_row(db, has_identity_sql, &identity, err) &&
	       (identity || run(db, alter_sql, err));
}

static struct str make_identity(struct arena *a)
{
	char random[IDENTITY_BYTES];
	struct buf hex;

	random_bytes(random, sizeof random);
	buf_in(&hex, a, 2 * sizeof random);
	hex_write(&hex, str_n(random, sizeof random));
	return buf_str(&hex);
}

static bool install(sqlite3 *db, struct arena *a, const struct marker *m, struct str installed_at,
	struct err *err)
{
	struct marker now;

	if (!run(db, "BEGIN IMMEDIATE", err) || !read_marker(db, a, &now, err))
		return false;
	if (now.found && !str_eq(now.environment, m->environment))
		return err_set(err, E_EXISTS, "it is marked as %.*s of %.*s",
			STR_ARG(now.environment), STR_ARG(now.deployment));
	if (!now.identity.n)
		now.identity = make_identity(a);
	return make_table(db, err) && write_row(db, m, now.identity, installed_at, err) &&
	       run(db, "COMMIT", err);
}

bool marker_install(
	struct str file, const struct marker *m, struct str installed_at, struct err *err)
{
	struct arena a;
	sqlite3 *db;
	bool ok;

	arena_init(&a, (size_t)1 << 20);
	ok = sqlite3_open_v2(arena_cstr(&a, file), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		     NULL) == SQLITE_OK;
	if (!ok)
		err_set(err, E_UNAVAILABLE, "%.*s: %s", STR_ARG(file), sqlite3_errmsg(db));
	if (ok) {
		sqlite3_busy_timeout(db, MARKER_BUSY_MS);
		ok = install(db, &a, m, installed_at, err);
	}
	sqlite3_close(db); /* rolls back what was not committed */
	arena_done(&a);
	return ok;
}
