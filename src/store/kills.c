/* kills - see kills.h.
 *
 * Invariants: 1. orders are added and lifted, never removed or rewritten.  2. a list is whole or an
 * error: who judges by it must not see half. */
#include "store/kills.h"

#include "store/inside.h"

#include <string.h>

#define ROW_MAX_BYTES 16384 /* of everything in a row */
#define TEXT_MAX_BYTES 4096 /* of what is set, and of what lifts it */
#define ROWS_MAX (2 * KILLS_MAX) /* those in force come first */

static const char kill_add[] =
	"INSERT INTO kills (kind, name, reason, set_by, since_us, until_us, drill, lifted_us,"
	" lifted_by, lift_reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', '')";
static const char kill_lift[] = "UPDATE kills SET lifted_us = ?3, lifted_by = ?4, lift_reason = ?5 "
				"WHERE kind = ?1 AND name = ?2 AND lifted_us = 0";
static const char kill_lift_one[] =
	"UPDATE kills SET lifted_us = ?3, lifted_by = ?4, lift_reason = ?5 "
	"WHERE id = ?1 AND lifted_us = 0";
#define SELECT                                                                                     \
	"SELECT id, kind, name, reason, set_by, since_us, until_us, drill, lifted_us, lifted_by,"  \
	" lift_reason FROM kills "
static const char kill_list[] =
	SELECT "WHERE (lifted_us = 0 OR lifted_us > ?1) AND (until_us = 0 OR until_us > ?1) "
	       "ORDER BY lifted_us != 0, id DESC LIMIT ?2";
static const char kill_get[] = SELECT "WHERE id = ?1";
static const char version[] = "PRAGMA user_version";

bool store_kill_set(struct store *s, const struct kill_row *row, int64_t *id_out, struct err *err)
{
	const struct str text[] = { row->kind, row->name, row->reason, row->by };
	sqlite3_stmt *q = NULL;
	size_t bytes = 0;
	int changed;
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		bytes += text[i].n;
	if (bytes > TEXT_MAX_BYTES)
		return err_set(err, E_LIMIT, "a kill order has %zu bytes of text, more than %d",
			bytes, TEXT_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && (q = store_query(s, kill_add, err)) != NULL;
	if (ok) {
		for (int i = 0; i < (int)ARRAY_LEN(text); i++)
			store_bind(q, 1 + i, text[i]);
		sqlite3_bind_int64(q, 5, row->since_us);
		sqlite3_bind_int64(q, 6, row->until_us);
		sqlite3_bind_int(q, 7, row->drill);
		ok = store_change(s, q, &changed, err);
	}
	if (ok)
		*id_out = sqlite3_last_insert_rowid(s->db);
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

struct lifting {
	struct str kind, name; /* or */
	int64_t id;
	struct str by, reason;
	int64_t wall_us;
};

static bool lift(struct store *s, const struct lifting *l, unsigned *count_out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, l->id ? kill_lift_one : kill_lift, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	if (l->id) {
		sqlite3_bind_int64(q, 1, l->id);
	} else {
		store_bind(q, 1, l->kind);
		store_bind(q, 2, l->name);
	}
	sqlite3_bind_int64(q, 3, l->wall_us);
	store_bind(q, 4, l->by);
	store_bind(q, 5, l->reason);
	ok = store_change(s, q, &changed, err);
	if (ok)
		*count_out = (unsigned)changed;
	store_end(q);
	return ok;
}

static bool lift_locked(
	struct store *s, const struct lifting *l, unsigned *count_out, struct err *err)
{
	bool ok;

	if (l->by.n + l->reason.n > TEXT_MAX_BYTES)
		return err_set(err, E_LIMIT, "a reason has more than %d bytes", TEXT_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && !s->db)
		*count_out = 0;
	else if (ok)
		ok = lift(s, l, count_out, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool store_kill_lift(struct store *s, struct str kind, struct str name, struct str by,
	struct str reason, int64_t wall_us, unsigned *count_out, struct err *err)
{
	const struct lifting l = {
		.kind = kind, .name = name, .by = by, .reason = reason, .wall_us = wall_us
	};

	return lift_locked(s, &l, count_out, err);
}

bool store_kill_lift_one(struct store *s, int64_t id, struct str by, struct str reason,
	int64_t wall_us, unsigned *count_out, struct err *err)
{
	const struct lifting l = { .id = id, .by = by, .reason = reason, .wall_us = wall_us };

	return lift_locked(s, &l, count_out, err);
}

static bool read_row(const struct store *s, sqlite3_stmt *q, struct arena *a, struct kill_row *out,
	struct err *err)
{
	if (store_row_bytes(q) > ROW_MAX_BYTES)
		return err_set(
			err, E_INVALID, "store %s: a kill order has not the form of one", s->file);
	*out = (struct kill_row){
		.id = sqlite3_column_int64(q, 0),
		.kind = store_text_in(a, q, 1),
		.name = store_text_in(a, q, 2),
		.reason = store_text_in(a, q, 3),
		.by = store_text_in(a, q, 4),
		.since_us = sqlite3_column_int64(q, 5),
		.until_us = sqlite3_column_int64(q, 6),
		.drill = sqlite3_column_int(q, 7) != 0,
		.lifted_us = sqlite3_column_int64(q, 8),
		.lifted_by = store_text_in(a, q, 9),
		.lift_reason = store_text_in(a, q, 10),
	};
	return true;
}

static bool read_rows(struct store *s, sqlite3_stmt *q, struct arena *a, struct kill_row **rows_out,
	size_t *count_out, struct err *err)
{
	struct kill_row *rows = NULL;
	size_t count = 0, cap = 0, open = 0;
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (count == cap) {
			struct kill_row *more =
				arena_array(a, struct kill_row, cap = cap ? cap * 2 : 16);

			if (count)
				memcpy(more, rows, count * sizeof *rows);
			rows = more;
		}
		if (!read_row(s, q, a, &rows[count], err))
			return false;
		open += !rows[count++].lifted_us;
	}
	if (rc != SQLITE_DONE)
		return store_fail(s, rc, err);
	if (open > KILLS_MAX)
		return err_set(err, E_LIMIT, "store %s has more than %d kill orders in force",
			s->file, KILLS_MAX);
	*rows_out = rows;
	*count_out = count;
	return true;
}

/* Another process may have brought the file to a later version since it was opened. */
static bool same_version(struct store *s, struct err *err)
{
	sqlite3_stmt *q = store_query(s, version, err);
	int rc, found = 0;

	if (!q)
		return false;
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		found = sqlite3_column_int(q, 0);
	store_end(q);
	if (rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	return found == store_schema_version ||
	       err_set(err, E_INVALID,
		       "store %s has schema version %d, this postern works with %d: restart it as "
		       "the postern that wrote it",
		       s->file, found, store_schema_version);
}

static bool list(struct store *s, struct arena *a, int64_t after_us, struct kill_row **rows_out,
	size_t *count_out, struct err *err)
{
	sqlite3_stmt *q;
	bool ok;

	sqlite3_db_release_memory(s->db); /* pages that were read before: they may have rotted */
	if (!same_version(s, err) || (q = store_query(s, kill_list, err)) == NULL)
		return false;
	sqlite3_bind_int64(q, 1, after_us);
	sqlite3_bind_int(q, 2, ROWS_MAX);
	ok = read_rows(s, q, a, rows_out, count_out, err);
	store_end(q);
	return ok;
}

bool store_kill_list(struct store *s, struct arena *a, int64_t after_us, struct kill_row **rows_out,
	size_t *count_out, bool *there_out, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && !s->db) {
		*rows_out = NULL;
		*count_out = 0;
		*there_out = false;
	} else if (ok) {
		ok = list(s, a, after_us, rows_out, count_out, err);
		if (ok)
			*there_out = true;
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool get(struct store *s, struct arena *a, int64_t id, struct kill_row *out, bool *found_out,
	struct err *err)
{
	sqlite3_stmt *q = store_query(s, kill_get, err);
	bool ok = q != NULL;
	int rc;

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, id);
	rc = sqlite3_step(q);
	*found_out = rc == SQLITE_ROW;
	if (*found_out)
		ok = read_row(s, q, a, out, err);
	else if (rc != SQLITE_DONE)
		ok = store_fail(s, rc, err);
	store_end(q);
	return ok;
}

bool store_kill_get(struct store *s, struct arena *a, int64_t id, struct kill_row *out,
	bool *found_out, struct err *err)
{
	bool ok;

	*found_out = false;
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err) && (!s->db || get(s, a, id, out, found_out, err));
	pthread_mutex_unlock(&s->lock);
	return ok;
}
