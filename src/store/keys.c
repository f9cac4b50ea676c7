/* keys - API keys in the store.  See keys.h. */
#include "store/keys.h"

#include "store/inside.h"

#include <string.h>

#define ROW_MAX_BYTES 8192 /* of text in a row */
#define REASON_MAX_BYTES 256 /* so that a revoked key's row can still be read */

#define COLUMNS                                                                                    \
	"id, hash, subject, kind, tenant, agent, environment, label, roles, created_us, "          \
	"expires_us, revoked_us, used_us, sealed, reason, "                                        \
	"approver"

static const char key_add[] =
	"INSERT INTO api_keys (" COLUMNS ") "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
static const char key_get[] = "SELECT " COLUMNS " FROM api_keys WHERE id = ?1";
static const char key_list[] = "SELECT " COLUMNS " FROM api_keys ORDER BY created_us, id";
static const char key_expiring[] = "SELECT count(*) FROM api_keys "
				   "WHERE revoked_us = 0 AND expires_us > ?1 AND expires_us <= ?2";
static const char key_revoke[] =
	"UPDATE api_keys SET revoked_us = ?2, reason = ?3 WHERE id = ?1 AND revoked_us = 0";
static const char key_used[] = "UPDATE api_keys SET used_us = ?2 WHERE id = ?1 AND used_us < ?3";

/* Text goes to `space`, which does not grow: an arena may jump, and we hold the lock. */
static bool read_row(
	const struct store *s, sqlite3_stmt *q, char *space, struct key_row *out, struct err *err)
{
	struct buf text = { .p = space, .cap = ROW_MAX_BYTES, .limit = ROW_MAX_BYTES };

	*out = (struct key_row){
		.id = store_text(q, 0, &text),
		.subject = store_text(q, 2, &text),
		.kind = store_text(q, 3, &text),
		.tenant = store_text(q, 4, &text),
		.agent = store_text(q, 5, &text),
		.environment = store_text(q, 6, &text),
		.label = store_text(q, 7, &text),
		.roles = store_text(q, 8, &text),
		.created_us = sqlite3_column_int64(q, 9),
		.expires_us = sqlite3_column_int64(q, 10),
		.revoked_us = sqlite3_column_int64(q, 11),
		.used_us = sqlite3_column_int64(q, 12),
		.sealed = store_text(q, 13, &text),
		.reason = store_text(q, 14, &text),
		.approver = sqlite3_column_int(q, 15) != 0,
	};
	if (sqlite3_column_bytes(q, 1) != SHA256_BYTES || !buf_ok(&text))
		return err_set(err, E_INVALID, "store %s: a key has not the form of one", s->file);
	memcpy(out->hash.b, sqlite3_column_blob(q, 1), SHA256_BYTES);
	return true;
}

bool store_key_add(struct store *s, const struct key_row *row, struct err *err)
{
	const struct str text[] = { row->subject, row->kind, row->tenant, row->agent,
		row->environment, row->label, row->roles };
	const int64_t number[] = { row->created_us, row->expires_us, row->revoked_us,
		row->used_us };
	sqlite3_stmt *q = NULL;
	size_t bytes = row->id.n + row->sealed.n + row->reason.n;
	int changed;
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		bytes += text[i].n;
	if (bytes > ROW_MAX_BYTES - REASON_MAX_BYTES)
		return err_set(err, E_LIMIT, "a key has %zu bytes of text, more than %d", bytes,
			ROW_MAX_BYTES - REASON_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && (q = store_query(s, key_add, err)) != NULL;
	if (ok) {
		store_bind(q, 1, row->id);
		sqlite3_bind_blob(q, 2, row->hash.b, SHA256_BYTES, SQLITE_STATIC);
		for (int i = 0; i < (int)ARRAY_LEN(text); i++)
			store_bind(q, 3 + i, text[i]);
		for (int i = 0; i < (int)ARRAY_LEN(number); i++)
			sqlite3_bind_int64(q, 10 + i, number[i]);
		store_bind(q, 14, row->sealed);
		store_bind(q, 15, row->reason);
		sqlite3_bind_int(q, 16, row->approver);
		ok = store_change(s, q, &changed, err);
	}
	store_end(q);
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
	ok = store_ready(s, false, err);
	if (ok && s->db && (q = store_query(s, key_get, err)) == NULL)
		ok = false;
	if (q) {
		store_bind(q, 1, id);
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			ok = read_row(s, q, space, out, err);
		else if (rc == SQLITE_DONE)
			ok = err_set(err, E_NOT_FOUND, "no key %.*s", STR_ARG(id));
		else
			ok = store_fail(s, rc, err);
	} else if (ok) {
		ok = err_set(err, E_NOT_FOUND, "no key %.*s: there are no keys yet", STR_ARG(id));
	}
	store_end(q);
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
		return store_fail(s, rc, err);
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
	ok = store_ready(s, false, err);
	if (ok && !s->db) {
		*rows_out = NULL;
		*count_out = 0;
	} else if (ok) {
		q = store_query(s, key_list, err);
		ok = q && read_rows(s, q, a, rows_out, count_out, err);
	}
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool count_expiring(
	struct store *s, int64_t after_us, int64_t until_us, unsigned *count_out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, key_expiring, err);
	int rc;

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, after_us);
	sqlite3_bind_int64(q, 2, until_us);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*count_out = (unsigned)sqlite3_column_int(q, 0);
	store_end(q);
	return rc == SQLITE_ROW || store_fail(s, rc, err);
}

bool store_key_expiring(
	struct store *s, int64_t after_us, int64_t until_us, unsigned *count_out, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && s->db)
		ok = count_expiring(s, after_us, until_us, count_out, err);
	else if (ok)
		*count_out = 0;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool revoke_key(
	struct store *s, struct str id, struct str reason, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q, *there;
	int changed = 0;
	bool ok;

	if (!s->db)
		return err_set(err, E_NOT_FOUND, "no key %.*s: there are no keys yet", STR_ARG(id));
	q = store_query(s, key_revoke, err);
	there = q ? store_query(s, key_get, err) : NULL;
	if (!there)
		return false;
	store_bind(q, 1, id);
	sqlite3_bind_int64(q, 2, wall_us);
	store_bind(q, 3, reason);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	if (!ok || changed)
		return ok;
	/* revoking twice is no mistake: the first time stays */
	store_bind(there, 1, id);
	ok = sqlite3_step(there) == SQLITE_ROW;
	store_end(there);
	return ok || err_set(err, E_NOT_FOUND, "no key %.*s", STR_ARG(id));
}

bool store_key_revoke(
	struct store *s, struct str id, struct str reason, int64_t wall_us, struct err *err)
{
	bool ok;

	if (reason.n > REASON_MAX_BYTES)
		return err_set(err, E_LIMIT, "a reason has at most %d bytes", REASON_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err) && revoke_key(s, id, reason, wall_us, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool note_use(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q = store_query(s, key_used, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	store_bind(q, 1, id);
	sqlite3_bind_int64(q, 2, wall_us);
	sqlite3_bind_int64(q, 3, wall_us - STORE_USED_EVERY_US);
	sqlite3_busy_timeout(s->db, 0); /* not worth a wait */
	ok = store_change(s, q, &changed, err);
	sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	store_end(q);
	return ok;
}

bool store_key_used(struct store *s, struct str id, int64_t wall_us, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err) && (!s->db || note_use(s, id, wall_us, err));
	pthread_mutex_unlock(&s->lock);
	return ok;
}
