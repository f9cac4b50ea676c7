/* lite_write - the transaction of a connection for writing.
 *
 * Invariants: 1. a transaction in which a statement failed is rolled back, whatever is asked.  2.
 * COMMIT is the only way to keep anything, is not cancelled once it was sent, and what became of it
 * is either known or called uncertain. */
#include "sql/capture_inside.h"

#include "base/clock.h"

struct lite_pool *lite_pool_new_writing(struct str file, unsigned statement_count)
{
	return lite_pool_make(file, 1, statement_count, true);
}

static bool has_moved(sqlite3 *db)
{
	int moved = 0;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved != 0;
}

/* Both connections are of the file that has its name now. */
static bool is_in_place(struct lite *l, struct err *err)
{
	if (!has_moved(l->db) && !has_moved(l->was))
		return true;
	l->broken = true;
	return err_set(err, E_UNAVAILABLE, "%s: the file was replaced", l->pool->file);
}

/* How many commits of others the connection beside has seen. */
static bool read_version(struct lite *l, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	bool ok = sqlite3_prepare_v2(l->was, "PRAGMA data_version", -1, &s, NULL) == SQLITE_OK &&
		  sqlite3_step(s) == SQLITE_ROW;

	if (ok)
		*out = sqlite3_column_int64(s, 0);
	return sqlite3_finalize(s) == SQLITE_OK && ok;
}

bool lite_begin_write(struct lite *l, struct err *err)
{
	bug_on(!l->capture || l->in_transaction || l->running);
	l->denied_action = 0;
	if (!lite_step_own(l, l->begin, err))
		return false;
	l->in_transaction = true;
	if (!capture_begin(l->capture))
		lite_fail(l, sqlite3_errcode(l->db), err);
	else if (!read_version(l, &l->version))
		lite_fail_on(l, l->was, sqlite3_errcode(l->was), err);
	else if (is_in_place(l, err))
		return true;
	lite_rollback(l);
	return false;
}

bool lite_constraints_hold(struct lite *l)
{
	int open = 0, most = 0;

	return sqlite3_db_status(l->db, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &most, 0) ==
		       SQLITE_OK &&
	       !open;
}

/* COMMIT failed.  Not done for certain: SQLite says that the transaction is still there; our own
 * hook refused; the disk was full and nobody has committed since.  After an I/O error what is on
 * disk may yet count, whatever SQLite rolled back. */
static bool is_undone(struct lite *l, int rc)
{
	int64_t version;

	if (!sqlite3_get_autocommit(l->db) || rc == SQLITE_CONSTRAINT_COMMITHOOK)
		return true;
	return (rc & 0xff) == SQLITE_FULL && read_version(l, &version) && version == l->version;
}

static bool commit_failed(struct lite *l, int rc, struct err *err)
{
	bool undone = is_undone(l, rc);

	lite_fail(l, rc, err);
	lite_rollback(l);
	if (undone)
		return false;
	l->broken = true;
	err->code = E_UNCERTAIN;
	return err_while(err, "COMMIT");
}

bool lite_commit(struct lite *l, struct err *err)
{
	int rc;

	bug_on(!l->capture || !l->in_transaction || l->running);
	l->denied_action = 0;
	if (l->spoiled || !capture_is_seen(l->capture)) {
		err_set(err, E_CONTRACT,
			l->spoiled ? "a statement of the transaction failed"
				   : "there are changes that nobody has looked at");
		lite_rollback(l);
		return false;
	}
	if (!is_in_place(l, err)) {
		lite_rollback(l);
		return false;
	}
	l->own = l->committing = true;
	sqlite3_step(l->commit);
	rc = sqlite3_reset(l->commit);
	l->own = l->committing = false;
	if (rc != SQLITE_OK)
		return commit_failed(l, rc, err);
	l->in_transaction = false;
	capture_forget(l->capture);
	return true;
}

struct lite_stmt *lite_prepare_own(struct lite *l, const char *sql, struct err *err)
{
	struct lite_stmt *s = &l->once;
	int rc;

	bug_on(s->s);
	l->denied_action = 0;
	l->own = true;
	rc = sqlite3_prepare_v2(l->db, sql, -1, &s->s, NULL);
	l->own = false;
	s->l = l;
	s->own = true;
	s->allowed = NULL;
	if (rc == SQLITE_OK && s->s)
		return s;
	lite_fail(l, rc, err);
	lite_end_once(s);
	return NULL;
}

void lite_bind_blob(struct lite_stmt *s, unsigned index, struct str bytes)
{
	sqlite3_bind_blob64(s->s, (int)index, bytes.p ? bytes.p : "", bytes.n, SQLITE_STATIC);
}
