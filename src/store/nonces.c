/* nonces - see nonces.h.
 *
 * Invariants: 1. taken is what the primary key says: two processes that insert the same nonce are
 * told apart by the database.  2. a nonce is kept KEEP_US longer than it must be, so that a clock
 * stepping back by less brings no request back to life.  3. the rows of one signer are bounded; who
 * has no signing key makes no row. */
#include "store/nonces.h"

#include "store/inside.h"

#define KEEP_US (600 * 1000000LL)

static const char nonce_count[] = "SELECT count(*) FROM nonces WHERE signer = ?1 AND until_us > ?2";
static const char nonce_prune[] = "DELETE FROM nonces WHERE until_us < ?1";
static const char nonce_add[] = "INSERT INTO nonces (signer, nonce, until_us) VALUES (?1, ?2, ?3)";

static bool has_room(struct store *s, struct str signer, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q = store_query(s, nonce_count, err);
	int64_t count;
	int rc;

	if (!q)
		return false;
	store_bind(q, 1, signer);
	sqlite3_bind_int64(q, 2, wall_us);
	rc = sqlite3_step(q);
	count = sqlite3_column_int64(q, 0);
	store_end(q);
	if (rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	return count < NONCES_MAX || err_set(err, E_LIMIT, "%.*s signed %lld requests in a window",
					     STR_ARG(signer), (long long)count);
}

static bool prune(struct store *s, int64_t wall_us, struct err *err)
{
	sqlite3_stmt *q = store_query(s, nonce_prune, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, wall_us - KEEP_US);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	return ok;
}

static bool add(
	struct store *s, struct str signer, struct str nonce, int64_t until_us, struct err *err)
{
	sqlite3_stmt *q = store_query(s, nonce_add, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	store_bind(q, 1, signer);
	store_bind(q, 2, nonce);
	sqlite3_bind_int64(q, 3, until_us);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	return ok;
}

static bool take(struct store *s, struct str signer, struct str nonce, int64_t until_us,
	int64_t wall_us, struct err *err)
{
	bool ok = store_run(s, "BEGIN IMMEDIATE", err);

	ok = ok && prune(s, wall_us, err) && has_room(s, signer, wall_us, err) &&
	     add(s, signer, nonce, until_us, err) && store_run(s, "COMMIT", err);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

bool store_nonce_take(struct store *s, struct str signer, struct str nonce, int64_t until_us,
	int64_t wall_us, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && take(s, signer, nonce, until_us, wall_us, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}
