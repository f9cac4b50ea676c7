/* lite_open - a connection, with everything closed that its statements do not need.
 *
 * Invariants: 1. one for reading is read-only three times over: the open flag, query_only, and the
 * authorizer.  2. no statement can attach, load, or set anything: the authorizer refuses it, and
 * the limits and switches would.  3. no wait is without an end: progress and busy handlers look at
 * deadline and cancellation; where the statement is a stranger's (lite_prepare_once), no step
 * between two looks takes long: cells are small, and what turns without end inside is refused.  4.
 * no memory map: a file that is cut short must be an error, not a signal.  5. one for writing tells
 * its capture of every row from the first statement on, never makes a file, and keeps what it
 * changes in memory until COMMIT, so that the connection beside it can read what was there before.
 */
#include "sql/capture_inside.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define OPS_BETWEEN_LOOKS 2000 /* virtual machine steps, some 50 us */
#define OPS_OF_STRANGERS 8
#define BUSY_MS 2000 /* the longest wait for a lock without a deadline */
#define BUSY_NAP_MS 2
#define TRIGGER_DEPTH 32 /* triggers and cascades within each other */
#define CELL_MAX_BYTES (8 << 20)
#define CELL_OF_STRANGERS (64 << 10) /* instr and replace are quadratic */
#define SQL_MAX_BYTES (256 << 10) /* the longest catalog statement, wrapped for a page */

/* Once COMMIT was sent nothing stops it. */
static bool is_stopped(struct lite *l)
{
	if (l->committing)
		return false;
	if (l->cancelled && l->cancelled(l->ctx))
		l->stopped = E_CANCELLED;
	else if (l->deadline_ms && clock_mono_ms() >= l->deadline_ms)
		l->stopped = E_TIMEOUT;
	return l->stopped != E_NONE;
}

static int on_progress(void *ctx)
{
	return is_stopped(ctx);
}

static int on_busy(void *ctx, int count)
{
	struct timespec nap = { .tv_nsec = BUSY_NAP_MS * 1000000L };

	if (is_stopped(ctx) || count >= BUSY_MS / BUSY_NAP_MS)
		return 0;
	nanosleep(&nap, NULL);
	return 1;
}

/* printf('%.*c', 2147483647, 'x') turns for half a minute, and looks at no limit meanwhile. */
static bool never_ends(int action, const char *function)
{
	return action == SQLITE_FUNCTION && function &&
	       (sqlite3_stricmp(function, "printf") == 0 ||
		       sqlite3_stricmp(function, "format") == 0);
}

void lite_distrust(struct lite *l, bool on)
{
	l->stranger = on;
	sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, on ? CELL_OF_STRANGERS : CELL_MAX_BYTES);
	sqlite3_progress_handler(l->db, on ? OPS_OF_STRANGERS : OPS_BETWEEN_LOOKS, on_progress, l);
}

/* What a statement for writing may do beyond its list: what triggers and virtual tables do, all of
 * which the capture shows. */
static bool is_captured(const struct lite *l, int action, const char *name, const char *via)
{
	if (!l->capture)
		return false;
	return action == SQLITE_FUNCTION || tables_is_trigger(l->capture->tables, via) ||
	       tables_is_shadow(l->capture->tables, name);
}

static bool is_allowed(
	const struct lite *l, int action, const char *name, const char *detail, const char *via)
{
	bool writes = l->capture && access_is_write(action, name);

	if (l->stranger && never_ends(action, detail))
		return false;
	if (!writes && !access_is_read(action, name, detail))
		return false;
	if (l->capture && access_is_ours(name))
		return false;
	if (l->recording)
		return access_add(l->recording, action, name, detail);
	if (!l->held)
		return false;
	return access_has(l->held, action, name, detail, via) || is_captured(l, action, name, via);
}

static int on_access(void *ctx, int action, const char *name, const char *detail,
	const char *schema, const char *via)
{
	struct lite *l = ctx;

	(void)schema;
	if (l->touched)
		touched_add(l->touched, action, name, detail, via);
	if (l->own || is_allowed(l, action, name, detail, via))
		return SQLITE_OK;
	l->denied_action = action;
	snprintf(l->denied_table, sizeof l->denied_table, "%s",
		name && (action == SQLITE_READ || access_is_write(action, name)) ? name : "");
	snprintf(l->denied_name, sizeof l->denied_name, "%s%s%s", name ? name : "",
		name && detail ? "." : "", detail ? detail : "");
	return SQLITE_DENY;
}

static void set_limits(sqlite3 *db, bool writing)
{
	const struct {
		int id, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, CELL_MAX_BYTES },
		{ SQLITE_LIMIT_SQL_LENGTH, SQL_MAX_BYTES },
		{ SQLITE_LIMIT_EXPR_DEPTH, 200 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 64 },
		{ SQLITE_LIMIT_VDBE_OP, 1000000 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 4096 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 256 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, writing ? TRIGGER_DEPTH : 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	const struct {
		int id, value;
	} switches[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, writing },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, writing },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		sqlite3_limit(db, limits[i].id, limits[i].value);
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		bug_on(sqlite3_db_config(db, switches[i].id, switches[i].value, NULL) != SQLITE_OK);
}

static enum err_code code_of(const struct lite *l, int rc)
{
	static const struct {
		int rc;
		enum err_code code;
	} table[] = {
		{ SQLITE_CORRUPT, E_INVALID },
		{ SQLITE_NOTADB, E_INVALID },
		{ SQLITE_ERROR, E_INVALID },
		{ SQLITE_SCHEMA, E_INVALID },
		{ SQLITE_MISMATCH, E_INVALID },
		{ SQLITE_CONSTRAINT, E_INVALID },
		{ SQLITE_RANGE, E_INVALID },
		{ SQLITE_AUTH, E_DENIED },
		{ SQLITE_PERM, E_DENIED },
		{ SQLITE_BUSY, E_BUSY },
		{ SQLITE_LOCKED, E_BUSY },
		{ SQLITE_PROTOCOL, E_BUSY },
		{ SQLITE_TOOBIG, E_LIMIT },
		{ SQLITE_INTERRUPT, E_CANCELLED },
	};

	if (l->stopped != E_NONE && (rc == SQLITE_INTERRUPT || rc == SQLITE_BUSY))
		return l->stopped;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].rc == rc)
			return table[i].code;
	return E_UNAVAILABLE;
}

bool lite_fail_on(struct lite *l, sqlite3 *db, int rc, struct err *err)
{
	enum err_code code = code_of(l, rc & 0xff);

	rc &= 0xff;
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_IOERR ||
		rc == SQLITE_CANTOPEN || rc == SQLITE_NOMEM)
		l->broken = true;
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return err_set(err, code, "%s is not a database, or it is damaged: %s",
			l->pool->file, sqlite3_errmsg(db));
	/* A function that was refused is told as an ordinary error.  The connection may know an old
	 * schema and would not look again: it is closed. */
	if (l->denied_action && (rc == SQLITE_AUTH || rc == SQLITE_ERROR)) {
		l->broken = true;
		return err_set(err, E_DENIED, "the statement may not touch %s here (action %d)",
			l->denied_name, l->denied_action);
	}
	if (code == E_TIMEOUT)
		return err_set(err, code, "%s: the statement ran past its deadline", l->pool->file);
	if (code == E_CANCELLED)
		return err_set(err, code, "%s: the statement was cancelled", l->pool->file);
	if (l->stopped == E_LIMIT && code == E_LIMIT)
		return err_set(err, code, "%s: the statements change more than may be looked at",
			l->pool->file);
	return err_set(err, code, "%s: %s", l->pool->file, sqlite3_errmsg(db));
}

bool lite_fail(struct lite *l, int rc, struct err *err)
{
	return lite_fail_on(l, l->db, rc, err);
}

bool lite_run_own(struct lite *l, const char *sql, struct err *err)
{
	bool own = l->own;
	int rc;

	l->own = true;
	rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);
	l->own = own;
	return rc == SQLITE_OK || lite_fail(l, rc, err);
}

static bool prepare_own(struct lite *l, const char *sql, sqlite3_stmt **out, struct err *err)
{
	int rc;

	l->own = true;
	rc = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	l->own = false;
	return rc == SQLITE_OK || lite_fail(l, rc, err);
}

static const char reading_sql[] = "PRAGMA query_only = 1; PRAGMA mmap_size = 0; "
				  "PRAGMA cache_size = -1024; PRAGMA cell_size_check = 1; "
				  "PRAGMA schema_version";
/* EXTRA: a commit is still there after the power went, in every journal mode.  REPLACE fires the
 * triggers of what it deletes. */
static const char writing_sql[] = "PRAGMA mmap_size = 0; PRAGMA cache_size = -1024; "
				  "PRAGMA cell_size_check = 1; PRAGMA cache_spill = 0; "
				  "PRAGMA synchronous = EXTRA; PRAGMA recursive_triggers = 1; "
				  "PRAGMA schema_version";

static void set_handlers(struct lite *l, sqlite3 *db, bool writing)
{
	sqlite3_extended_result_codes(db, 1);
	set_limits(db, writing);
	sqlite3_busy_handler(db, on_busy, l);
	sqlite3_progress_handler(db, OPS_BETWEEN_LOOKS, on_progress, l);
}

/* The last statement reads the header, so that a file that is no database is found here. */
static bool set_up(struct lite *l, struct err *err)
{
	bool writing = l->pool->writing;

	if (writing)
		l->capture = capture_new(l);
	set_handlers(l, l->db, writing);
	sqlite3_set_authorizer(l->db, on_access, l);
	return lite_run_own(l, writing ? writing_sql : reading_sql, err) &&
	       prepare_own(l, writing ? "BEGIN IMMEDIATE" : "BEGIN", &l->begin, err) &&
	       prepare_own(l, "ROLLBACK", &l->rollback, err);
}

static bool open_file(struct lite *l, sqlite3 **db, bool writing, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    (writing ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	int rc = sqlite3_open_v2(l->pool->file, db, flags, NULL);

	if (rc != SQLITE_OK)
		return lite_fail_on(l, *db, rc, err);
	return !writing || !sqlite3_db_readonly(*db, "main") ||
	       err_set(err, E_DENIED, "%s: may not be written", l->pool->file);
}

/* What a connection for writing has besides: the other one, and a capture that knows the tables. */
static bool set_up_writing(struct lite *l, struct err *err)
{
	if (!l->pool->writing)
		return true;
	if (!open_file(l, &l->was, false, err) || !prepare_own(l, "COMMIT", &l->commit, err))
		return false;
	set_handlers(l, l->was, false);
	return sqlite3_exec(l->was, reading_sql, NULL, NULL, NULL) == SQLITE_OK ||
	       lite_fail_on(l, l->was, sqlite3_errcode(l->was), err);
}

struct lite *lite_open(struct lite_pool *p, uint64_t epoch, struct err *err)
{
	struct lite *l = heap_new(struct lite);

	l->pool = p;
	l->epoch = epoch;
	l->statements = heap_alloc(MAX(p->statement_count, 1u) * sizeof *l->statements);
	if (open_file(l, &l->db, p->writing, err) && set_up(l, err) && set_up_writing(l, err))
		return l;
	lite_close(l);
	return NULL;
}

void lite_close(struct lite *l)
{
	for (unsigned i = 0; i < l->pool->statement_count; i++)
		sqlite3_finalize(l->statements[i].s);
	sqlite3_finalize(l->once.s);
	access_free(&l->once_list);
	sqlite3_finalize(l->begin);
	sqlite3_finalize(l->rollback);
	sqlite3_finalize(l->commit);
	capture_free(&l->capture);
	bug_on(sqlite3_close(l->was) != SQLITE_OK);
	bug_on(sqlite3_close(l->db) != SQLITE_OK);
	heap_free(l->statements);
	heap_free(l);
}
