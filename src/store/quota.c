/* quota - see quota.h.
 *
 * Invariants: 1. one transaction reads the clock and the counts, judges all asks and writes them;
 * BEGIN IMMEDIATE, so no two of them see the same count.  2. when anything fails, nothing was
 * taken. */
#include "store/quota.h"

#include "store/inside.h"

static const char takes_get[] =
	"SELECT at_ms, count FROM quota_takes WHERE key = ?1 AND at_ms > ?2 ORDER BY at_ms DESC";
static const char takes_add[] =
	"INSERT INTO quota_takes (key, at_ms, until_ms, count) VALUES (?1, ?2, ?3, 1) "
	"ON CONFLICT (key, at_ms) DO UPDATE SET count = count + 1";
static const char takes_forget[] = "DELETE FROM quota_takes WHERE until_ms <= ?1";

static bool done(struct store *s, sqlite3_stmt *q, struct err *err)
{
	int changed;
	bool ok = q && store_change(s, q, &changed, err);

	store_end(q);
	return ok;
}

/* *wait_ms_out: 0 when there is room.  Newest first: the one that is `most` back must run out. */
static bool judge(struct store *s, const struct quota_ask *ask, int64_t at_ms,
	uint32_t *wait_ms_out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, takes_get, err);
	int64_t count = 0;
	int rc;

	*wait_ms_out = 0;
	if (!q)
		return false;
	sqlite3_bind_blob(q, 1, ask->key, sizeof ask->key, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, at_ms - ask->window_ms);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && count < ask->most) {
		count += sqlite3_column_int64(q, 1);
		if (count >= ask->most)
			*wait_ms_out =
				(uint32_t)(sqlite3_column_int64(q, 0) + ask->window_ms - at_ms);
	}
	store_end(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || store_fail(s, rc, err);
}

static bool add(struct store *s, const struct quota_ask *ask, int64_t at_ms, struct err *err)
{
	sqlite3_stmt *q = store_query(s, takes_add, err);

	if (!q)
		return false;
	sqlite3_bind_blob(q, 1, ask->key, sizeof ask->key, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, at_ms);
	sqlite3_bind_int64(q, 3, at_ms + ask->window_ms);
	return done(s, q, err);
}

static bool forget(struct store *s, int64_t at_ms, struct err *err)
{
	sqlite3_stmt *q = store_query(s, takes_forget, err);

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, at_ms);
	return done(s, q, err);
}

static bool take(struct store *s, const struct quota_ask *asks, size_t count,
	const struct store_moment *now, struct quota_answer *out, struct err *err)
{
	int64_t at_ms;

	*out = (struct quota_answer){ .taken = true };
	if (!store_clock_tick(s, now, &at_ms, err) || !forget(s, at_ms, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t wait_ms;

		if (!judge(s, &asks[i], at_ms, &wait_ms, err))
			return false;
		if (wait_ms && (out->taken || wait_ms > out->wait_ms))
			*out = (struct quota_answer){ false, i, wait_ms };
	}
	for (size_t i = 0; out->taken && i < count; i++)
		if (!add(s, &asks[i], at_ms, err))
			return false;
	return true;
}

bool store_quota_take(struct store *s, const struct quota_ask *asks, size_t count,
	const struct store_moment *now, struct quota_answer *out, struct err *err)
{
	struct quota_answer answer;
	bool ok;

	bug_on(count > QUOTA_ASKS_MOST);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && store_run(s, "BEGIN IMMEDIATE", err);
	if (ok) {
		ok = take(s, asks, count, now, &answer, err) && store_run(s, "COMMIT", err);
		if (!ok)
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	pthread_mutex_unlock(&s->lock);
	if (ok)
		*out = answer;
	return ok;
}
