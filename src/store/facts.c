/* facts - see facts.h. */
#include "store/facts.h"

#include "store/inside.h"

static const char fact_known[] = "SELECT 1 FROM facts WHERE what = ?1";
static const char fact_add[] = "INSERT OR IGNORE INTO facts (what, at_us) VALUES (?1, ?2)";

/* Asked first: a start that learns nothing new writes nothing. */
static bool note(
	struct store *s, struct str what, int64_t wall_us, bool *known_out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, fact_known, err);
	int changed = 0, rc;
	bool ok;

	if (!q)
		return false;
	store_bind(q, 1, what);
	rc = sqlite3_step(q);
	store_end(q);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	*known_out = rc == SQLITE_ROW;
	if (*known_out)
		return true;
	q = store_query(s, fact_add, err);
	if (!q)
		return false;
	store_bind(q, 1, what);
	sqlite3_bind_int64(q, 2, wall_us);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	*known_out = ok && !changed; /* another process was first */
	return ok;
}

bool store_fact_note(
	struct store *s, struct str what, int64_t wall_us, bool *known_out, struct err *err)
{
	bool ok;

	*known_out = false;
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err) && (!s->db || note(s, what, wall_us, known_out, err));
	pthread_mutex_unlock(&s->lock);
	return ok;
}
