/* store - API keys in a SQLite file.  See store.h.
 *
 * One table, WITHOUT ROWID, keyed by the public id; application_id names the file as ours and
 * user_version its schema.  WAL, so that `postern key` and several servers work side by side.
 *
 * Invariants: 1. the file is made by the first write only.  2. a file that is not ours, or of
 * another version, is never changed.  3. secrets never come here, only their SHA-256.  4. the lock
 * is held for one statement; a busy file is waited for at most BUSY_MS. */
#include "store/store.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x70737472 /* "pstr" */
#define SCHEMA_VERSION 1
#define BUSY_MS 2000
#define USED_EVERY_US (60 * 1000000LL)
#define PATH_MAX_BYTES 4096
#define ROW_MAX_BYTES 8192 /* of text in a row */

enum query { KEY_ADD, KEY_GET, KEY_LIST, KEY_REVOKE, KEY_USED, QUERY_COUNT };

#define COLUMNS                                                                                    \
	"id, hash, subject, kind, tenant, agent, environment, label, roles, created_us, "          \
	"expires_us, revoked_us, used_us"

static const char *const queries[QUERY_COUNT] = {
	[KEY_ADD] = "INSERT INTO api_keys (" COLUMNS ") "
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[KEY_GET] = "SELECT " COLUMNS " FROM api_keys WHERE id = ?1",
	[KEY_LIST] = "SELECT " COLUMNS " FROM api_keys ORDER BY created_us, id",
	[KEY_REVOKE] = "UPDATE api_keys SET revoked_us = ?2 WHERE id = ?1 AND revoked_us = 0",
	[KEY_USED] = "UPDATE api_keys SET used_us = ?2 WHERE id = ?1 AND used_us < ?3",
};

static const char schema[] =
	"CREATE TABLE api_keys ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" hash BLOB NOT NULL CHECK (length(hash) = 32),"
	" subject TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('human', 'agent', 'service')),"
	" tenant TEXT NOT NULL, agent TEXT NOT NULL, environment TEXT NOT NULL,"
	" label TEXT NOT NULL, roles TEXT NOT NULL,"
	" created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"
	" revoked_us INTEGER NOT NULL, used_us INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID";

struct store {
	pthread_mutex_t lock;
	char *file;
	sqlite3 *db; /* NULL: not open */
	sqlite3_stmt *statements[QUERY_COUNT];
	dev_t device; /* of the file that is open */
	ino_t inode;
};

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
	for (int i = 0; i < QUERY_COUNT; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	bug_on(sqlite3_close(s->db) != SQLITE_OK);
	s->db = NULL;
}

void store_free(struct store **s)
{
	if (!*s)
		return;
	close_file(*s);
	pthread_mutex_destroy(&(*s)->lock);
	heap_free((*s)->file);
	heap_free(*s);
	*s = NULL;
}

static bool fail(const struct store *s, int rc, struct err *err)
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

static bool run(struct store *s, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || fail(s, rc, err);
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
	return rc == SQLITE_ROW || fail(s, rc, err);
}

enum state { STATE_OURS, STATE_EMPTY };

static bool read_state(struct store *s, enum state *out, struct err *err)
{
	int64_t application, version, tables;

	if (!read_number(s, "PRAGMA application_id", &application, err) ||
		!read_number(s, "PRAGMA user_version", &version, err) ||
		!read_number(s, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	if (!application && !version && !tables) {
		*out = STATE_EMPTY;
		return true;
	}
	if (application != APPLICATION_ID)
		return err_set(err, E_INVALID,
			"store %s is a database of something else: name another file in "
			"store.sqlite",
			s->file);
	if (version != SCHEMA_VERSION)
		return err_set(err, E_INVALID,
			"store %s has schema version %lld, this postern works with %d: use the "
			"postern that wrote it, or name another file",
			s->file, (long long)version, SCHEMA_VERSION);
	*out = STATE_OURS;
	return true;
}

/* One transaction, or another process's making of the tables would be seen half. */
static bool look_at_state(struct store *s, enum state *out, struct err *err)
{
	bool ok = run(s, "BEGIN", err) && read_state(s, out, err);

	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

/* Two processes may come here at once: the second finds the tables made. */
static bool make_tables(struct store *s, struct err *err)
{
	enum state state = STATE_OURS;
	bool ok;

	if (!run(s, "BEGIN IMMEDIATE", err))
		return false;
	ok = read_state(s, &state, err);
	if (ok && state == STATE_EMPTY)
		ok = run(s, schema, err) &&
		     run(s, "PRAGMA application_id = 1886614642; PRAGMA user_version = 1", err);
	if (ok)
		return run(s, "COMMIT", err);
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

_Static_assert(APPLICATION_ID == 1886614642 && SCHEMA_VERSION == 1, "as make_tables writes them");

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
		return fail(s, rc, err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return run(s, "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA cache_size = -256",
		err);
}

/* True with s->db NULL: there is nothing yet, and `making` is off. */
static bool open_file(struct store *s, bool making, struct err *err)
{
	enum state state;
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
	ok = check_file(s, &st, err) && open_database(s, err) && look_at_state(s, &state, err);
	if (ok && state == STATE_EMPTY && making)
		ok = run(s, "PRAGMA journal_mode = WAL", err) && make_tables(s, err);
	if (!ok || (state == STATE_EMPTY && !making)) {
		close_file(s);
		return ok;
	}
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return true;
}

/* Under the lock: the file behind the path, which may have been removed or put back meanwhile. */
static bool ready(struct store *s, bool making, struct err *err)
{
	struct stat st;

	if (s->db && (stat(s->file, &st) != 0 || st.st_dev != s->device || st.st_ino != s->inode))
		close_file(s);
	return s->db || open_file(s, making, err);
}

static sqlite3_stmt *query(struct store *s, enum query q, struct err *err)
{
	int rc;

	if (s->statements[q])
		return s->statements[q];
	rc = sqlite3_prepare_v3(
		s->db, queries[q], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[q], NULL);
	if (rc != SQLITE_OK)
		fail(s, rc, err);
	return s->statements[q];
}

static void bind_str(sqlite3_stmt *q, int index, struct str text)
{
	sqlite3_bind_text64(q, index, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static struct str read_str(sqlite3_stmt *q, int column, struct buf *space)
{
	const void *p = sqlite3_column_text(q, column);
	size_t from = space->n;

	buf_add(space, str_n(p, (size_t)sqlite3_column_bytes(q, column)));
	return str_from(buf_str(space), from);
}

/* Text goes to `space`, which does not grow: an arena may jump, and we hold the lock. */
static bool read_row(
	const struct store *s, sqlite3_stmt *q, char *space, struct key_row *out, struct err *err)
{
	struct buf text = { .p = space, .cap = ROW_MAX_BYTES, .limit = ROW_MAX_BYTES };

	*out = (struct key_row){
		.id = read_str(q, 0, &text),
		.subject = read_str(q, 2, &text),
		.kind = read_str(q, 3, &text),
		.tenant = read_str(q, 4, &text),
		.agent = read_str(q, 5, &text),
		.environment = read_str(q, 6, &text),
		.label = read_str(q, 7, &text),
		.roles = read_str(q, 8, &text),
		.created_us = sqlite3_column_int64(q, 9),
		.expires_us = sqlite3_column_int64(q, 10),
		.revoked_us = sqlite3_column_int64(q, 11),
		.used_us = sqlite3_column_int64(q, 12),
	};
	if (sqlite3_column_bytes(q, 1) != SHA256_BYTES || !buf_ok(&text))
		return err_set(err, E_INVALID, "store %s: a key has not the form of one", s->file);
	memcpy(out->hash.b, sqlite3_column_blob(q, 1), SHA256_BYTES);
	return true;
}

static void end(sqlite3_stmt *q)
{
	if (!q)
		return;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

/* Runs a bound statement that changes rows; *changed_out says how many. */
static bool change(struct store *s, sqlite3_stmt *q, int *changed_out, struct err *err)
{
	int rc = sqlite3_step(q);

	if (rc != SQLITE_DONE)
		return fail(s, rc, err);
	*changed_out = sqlite3_changes(s->db);
	return true;
}

bool store_key_add(struct store *s, const struct key_row *row, struct err *err)
{
	const struct str text[] = { row->subject, row->kind, row->tenant, row->agent,
		row->environment, row->label, row->roles };
	const int64_t number[] = { row->created_us, row->expires_us, row->revoked_us,
		row->used_us };
	sqlite3_stmt *q = NULL;
	size_t bytes = row->id.n;
	int changed;
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		bytes += text[i].n;
	if (bytes > ROW_MAX_BYTES)
		return err_set(err, E_LIMIT, "a key has %zu bytes of text, more than %d", bytes,
			ROW_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = ready(s, true, err) && (q = query(s, KEY_ADD, err)) != NULL;
	if (ok) {
		bind_str(q, 1, row->id);
		sqlite3_bind_blob(q, 2, row->hash.b, SHA256_BYTES, SQLITE_STATIC);
		for (int i = 0; i < (int)ARRAY_LEN(text); i++)
			bind_str(q, 3 + i, text[i]);
		for (int i = 0; i < (int)ARRAY_LEN(number); i++)
			sqlite3_bind_int64(q, 10 + i, number[i]);
		ok = change(s, q, &changed, err);
	}
	end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool store_key_get(
	struct store *s, struct arena *a, struct str id, struct key_row *out, struct err *err)
{
	char *space = arena_alloc(a, ROW_MAX_BYTES);
	sqlite3_stmt *q = NULL;
	bool ok;
	int rc;

	pthread_mutex_lock(&s->lock);
	ok = ready(s, false, err);
	if (ok && s->db && (q = query(s, KEY_GET, err)) == NULL)
		ok = false;
	if (q) {
		bind_str(q, 1, id);
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			ok = read_row(s, q, space, out, err);
		else if (rc == SQLITE_DONE)
			ok = err_set(err, E_NOT_FOUND, "no key %.*s", STR_ARG(id));
		else
			ok = fail(s, rc, err);
	} else if (ok) {
		ok = err_set(err, E_NOT_FOUND, "no key %.*s: there are no keys yet", STR_ARG(id));
	}
	end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool read_rows(struct store *s, sqlite3_stmt *q, struct arena *a, struct key_row **rows_out,
	size_t *count_out, struct err *err)
{
	struct key_row *rows = NULL;
	size_t count = 0, cap = 0;
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (count == cap) {
			struct key_row *more =
				arena_array(a, struct key_row, cap = cap ? cap * 2 : 16);

			if (count)
				memcpy(more, rows, count * sizeof *rows);
			rows = more;
		}
		if (!read_row(s, q, arena_alloc(a, ROW_MAX_BYTES), &rows[count++], err))
			return false;
	}
	if (rc != SQLITE_DONE)
		return fail(s, rc, err);
	*rows_out = rows;
	*count_out = count;
	return true;
}

bool store_key_list(struct store *s, struct arena *a, struct key_row **rows_out, size_t *count_out,
	struct err *err)
{
	sqlite3_stmt *q = NULL;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = ready(s, false, err);
	if (ok && !s->db) {
		*rows_out = NULL;
		*count_out = 0;
	} else if (ok) {
		q = query(s, KEY_LIST, err);
		ok = q && read_rows(s, q, a, rows_out, count_out, err);
	}
	end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool revoke_key(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q, *there;
	int changed = 0;
	bool ok;

	if (!s->db)
		return err_set(err, E_NOT_FOUND, "no key %.*s: there are no keys yet", STR_ARG(id));
	q = query(s, KEY_REVOKE, err);
	there = q ? query(s, KEY_GET, err) : NULL;
	if (!there)
		return false;
	bind_str(q, 1, id);
	sqlite3_bind_int64(q, 2, wall_us);
	ok = change(s, q, &changed, err);
	end(q);
	if (!ok || changed)
		return ok;
	/* revoking twice is no mistake: the first time stays */
	bind_str(there, 1, id);
	ok = sqlite3_step(there) == SQLITE_ROW;
	end(there);
	return ok || err_set(err, E_NOT_FOUND, "no key %.*s", STR_ARG(id));
}

bool store_key_revoke(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = ready(s, false, err) && revoke_key(s, id, wall_us, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool note_use(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q = query(s, KEY_USED, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	bind_str(q, 1, id);
	sqlite3_bind_int64(q, 2, wall_us);
	sqlite3_bind_int64(q, 3, wall_us - USED_EVERY_US);
	sqlite3_busy_timeout(s->db, 0); /* not worth a wait */
	ok = change(s, q, &changed, err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	end(q);
	return ok;
}

bool store_key_used(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = ready(s, false, err) && (!s->db || note_use(s, id, wall_us, err));
	pthread_mutex_unlock(&s->lock);
	return ok;
}
