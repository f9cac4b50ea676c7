/* store - the SQLite file behind the store.  See store.h; the groups of functions on it stand in
 * files of their own (inside.h).
 *
 * application_id names the file as ours and user_version its schema (schema.c).  WAL, so that the
 * command line and several servers work side by side.
 *
 * Invariants: 1. the file is made by the first write only.  2. a file that is not ours, or of a
 * later version, is never changed; an earlier one is brought to ours in one transaction.
 * 3. no secret comes here in clear: the SHA-256 of keys that are sent, signing keys sealed.  4. the
 * lock is held for one statement; a busy file is waited for at most STORE_BUSY_MS.  5. the file
 * that was opened is the store for as long as this process lives: another one in its place may know
 * nothing of a revoked key or a kill order.  It stays open, so that no other gets its inode, and so
 * that SQLite does not tidy up beside a file that is not ours. */
#include "store/inside.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x70737472 /* "pstr" */
#define PATH_MAX_BYTES 4096

struct store *store_new(struct str sqlite_file)
{
	struct store *s = heap_new(struct store);

	bug_on(!sqlite_file.n || sqlite_file.n > PATH_MAX_BYTES);
	s->file = heap_alloc(sqlite_file.n + 1);
	memcpy(s->file, sqlite_file.p, sqlite_file.n);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void close_file(struct store *s)
{
	for (size_t i = 0; i < s->statement_count; i++)
		sqlite3_finalize(s->statements[i].prepared);
	s->statement_count = 0;
	bug_on(sqlite3_close(s->db) != SQLITE_OK);
	s->db = NULL;
}

bool store_fail(const struct store *s, int rc, struct err *err)
{
	enum err_code code = E_UNAVAILABLE;

	rc &= 0xff;
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		code = E_BUSY;
	else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR)
		code = E_INVALID;
	else if (rc == SQLITE_CONSTRAINT)
		code = E_EXISTS;
	else if (rc == SQLITE_READONLY || rc == SQLITE_PERM)
		code = E_DENIED;
	return err_set(err, code, "store %s: %s", s->file, sqlite3_errmsg(s->db));
}

bool store_run(struct store *s, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || store_fail(s, rc, err);
}

static bool read_number(struct store *s, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc == SQLITE_ROW || store_fail(s, rc, err);
}

static bool read_version(struct store *s, int64_t *out, struct err *err)
{
	int64_t application = 0, version = 0, tables = 0;

	if (!read_number(s, "PRAGMA application_id", &application, err) ||
		!read_number(s, "PRAGMA user_version", &version, err) ||
		!read_number(s, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	*out = version;
	if (!application && !version && !tables)
		return true;
	if (application != APPLICATION_ID)
		return err_set(err, E_INVALID,
			"store %s is a database of something else: name another file in "
			"store.sqlite",
			s->file);
	if (version < 1 || version > store_schema_version)
		return err_set(err, E_INVALID,
			"store %s has schema version %lld, this postern works with %d: use the "
			"postern that wrote it, or name another file",
			s->file, (long long)version, store_schema_version);
	return true;
}

/* 0: empty.  One transaction, or another process's making of the tables would be seen half. */
static bool look_at_version(struct store *s, int64_t *out, struct err *err)
{
	bool ok = store_run(s, "BEGIN", err) && read_version(s, out, err);

	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

static bool run_steps(struct store *s, int64_t from, struct err *err)
{
	char mark[96];

	for (int64_t i = from; i < store_schema_version; i++)
		if (!store_run(s, store_schema[i], err))
			return err_while(err, "schema step %lld", (long long)i + 1);
	snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		APPLICATION_ID, store_schema_version);
	return store_run(s, mark, err);
}

/* Two processes may come here at once: the second finds the tables made. */
static bool make_tables(struct store *s, struct err *err)
{
	int64_t version;
	bool ok;

	if (!store_run(s, "BEGIN IMMEDIATE", err))
		return false;
	ok = read_version(s, &version, err) &&
	     (version == store_schema_version || run_steps(s, version, err));
	if (ok && store_run(s, "COMMIT", err))
		return true;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

static bool check_file(const struct store *s, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, E_INVALID, "store %s is not a regular file", s->file);
	if (st->st_mode & 077)
		return err_set(err, E_DENIED,
			"store %s has mode %03o; group and others must have no access: chmod 600",
			s->file, (unsigned)(st->st_mode & 0777));
	return true;
}

/* The file, empty, in a private directory. */
static bool make_file(const struct store *s, struct err *err)
{
	const char *slash = strrchr(s->file, '/');
	struct arena a;
	bool ok = true;
	int fd;

	arena_init(&a, (size_t)64 << 10);
	if (slash && slash != s->file)
		ok = dir_private(&a, str_n(s->file, (size_t)(slash - s->file)), err);
	arena_done(&a);
	if (!ok)
		return err_while(err, "store");
	fd = open(s->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, E_IO, "store %s cannot be made", s->file);
	close(fd);
	return true;
}

static bool open_database(struct store *s, struct err *err)
{
	int rc = sqlite3_open_v2(s->file, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
			SQLITE_OPEN_EXRESCODE,
		NULL);

	if (rc != SQLITE_OK)
		return store_fail(s, rc, err);
	sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return store_run(s,
		"PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA cache_size = -256", err);
}

/* False: there is none, as in a file that is in no WAL mode. */
static bool look_at_journal(const struct store *s, struct store_inode *out)
{
	char name[PATH_MAX_BYTES + sizeof "-wal"];
	struct stat st;

	snprintf(name, sizeof name, "%s-wal", s->file);
	*out = (struct store_inode){ 0 };
	if (stat(name, &st) != 0)
		return false;
	*out = (struct store_inode){ st.st_dev, st.st_ino };
	return true;
}

/* True with s->db NULL: there is nothing yet, and `making` is off. */
static bool open_file(struct store *s, bool making, struct err *err)
{
	int64_t version;
	struct stat st;
	bool ok;

	if (stat(s->file, &st) != 0 && errno != ENOENT)
		return err_errno(err, E_UNAVAILABLE, "store %s", s->file);
	if (stat(s->file, &st) != 0) {
		if (!making)
			return true;
		if (!make_file(s, err))
			return false;
		if (stat(s->file, &st) != 0)
			return err_errno(err, E_UNAVAILABLE, "store %s", s->file);
	}
	ok = check_file(s, &st, err) && open_database(s, err) && look_at_version(s, &version, err);
	if (ok && !version && making)
		ok = store_run(s, "PRAGMA journal_mode = WAL", err);
	if (ok && version < store_schema_version && (version || making))
		ok = make_tables(s, err);
	if (!ok || (!version && !making)) {
		close_file(s);
		return ok;
	}
	s->file_is = (struct store_inode){ st.st_dev, st.st_ino };
	(void)look_at_journal(s, &s->journal_is);
	return true;
}

static bool is_inode(const struct store_inode *known, const struct stat *st)
{
	return known->device == st->st_dev && known->inode == st->st_ino;
}

static bool not_ours(const struct store *s, const char *what, struct err *err)
{
	return err_set(err, E_CONTRACT,
		"store %s: %s was removed or replaced while it was in use: put it back, or stop "
		"every postern that uses it and start again",
		s->file, what);
}

/* What is at the path now is what was opened. */
static bool still_ours(const struct store *s, struct err *err)
{
	struct store_inode journal;
	struct stat st;

	if (stat(s->file, &st) != 0)
		return err_set(err, E_UNAVAILABLE,
			"store %s is gone: put it back, or start again without it", s->file);
	if (!is_inode(&s->file_is, &st))
		return not_ours(s, "the file", err);
	if (!s->journal_is.inode)
		return true;
	return (look_at_journal(s, &journal) && journal.device == s->journal_is.device &&
		       journal.inode == s->journal_is.inode) ||
	       not_ours(s, "its journal (-wal)", err);
}

bool store_ready(struct store *s, bool making, struct err *err)
{
	return s->db ? still_ours(s, err) : open_file(s, making, err);
}

void store_free(struct store **s)
{
	struct err err;

	if (!*s)
		return;
	if ((*s)->db && !still_ours(*s, &err)) /* or SQLite would remove the other file's journal */
		sqlite3_db_config((*s)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	close_file(*s);
	pthread_mutex_destroy(&(*s)->lock);
	heap_free((*s)->file);
	heap_free(*s);
	*s = NULL;
}

sqlite3_stmt *store_query(struct store *s, const char *sql, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int rc;

	for (size_t i = 0; i < s->statement_count; i++)
		if (s->statements[i].sql == sql)
			return s->statements[i].prepared;
	bug_on(s->statement_count == STORE_STATEMENTS_MAX);
	rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);
	if (rc != SQLITE_OK) {
		store_fail(s, rc, err);
		return NULL;
	}
	s->statements[s->statement_count].sql = sql;
	s->statements[s->statement_count++].prepared = q;
	return q;
}

void store_bind(sqlite3_stmt *q, int index, struct str text)
{
	sqlite3_bind_text64(q, index, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

struct str store_text(sqlite3_stmt *q, int column, struct buf *space)
{
	const void *p = sqlite3_column_text(q, column);
	size_t from = space->n;

	buf_add(space, str_n(p, (size_t)sqlite3_column_bytes(q, column)));
	return str_from(buf_str(space), from);
}

struct str store_text_in(struct arena *a, sqlite3_stmt *q, int column)
{
	const void *p = sqlite3_column_text(q, column);

	return arena_str(a, str_n(p, (size_t)sqlite3_column_bytes(q, column)));
}

size_t store_row_bytes(sqlite3_stmt *q)
{
	size_t bytes = 0;

	for (int i = 0; i < sqlite3_column_count(q); i++)
		bytes += (size_t)sqlite3_column_bytes(q, i);
	return bytes;
}

void store_end(sqlite3_stmt *q)
{
	if (!q)
		return;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

bool store_change(struct store *s, sqlite3_stmt *q, int *changed_out, struct err *err)
{
	int rc = sqlite3_step(q);

	if (rc != SQLITE_DONE)
		return store_fail(s, rc, err);
	*changed_out = sqlite3_changes(s->db);
	return true;
}
