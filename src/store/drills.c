/* drills - see drills.h. */
#include "store/drills.h"

#include "store/inside.h"

#define ROW_MAX_BYTES 1024 /* of text in a row */

static const char drill_add[] =
	"INSERT INTO drills (kind, at_us, drilled_by, instances, worked, refused_ms, resumed_ms) "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char drill_last[] =
	"SELECT kind, at_us, drilled_by, instances, worked, refused_ms, resumed_ms FROM drills "
	"WHERE kind = ?1 AND worked >= ?2 ORDER BY at_us DESC LIMIT 1";

bool store_drill_add(struct store *s, const struct drill_row *row, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int changed;
	bool ok;

	if (row->kind.n + row->by.n > ROW_MAX_BYTES)
		return err_set(
			err, E_LIMIT, "a drill has more than %d bytes of text", ROW_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && (q = store_query(s, drill_add, err)) != NULL;
	if (ok) {
		store_bind(q, 1, row->kind);
		sqlite3_bind_int64(q, 2, row->at_us);
		store_bind(q, 3, row->by);
		sqlite3_bind_int64(q, 4, row->instances);
		sqlite3_bind_int(q, 5, row->worked);
		sqlite3_bind_int64(q, 6, row->refused_ms);
		sqlite3_bind_int64(q, 7, row->resumed_ms);
		ok = store_change(s, q, &changed, err);
	}
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool read_last(
	struct store *s, sqlite3_stmt *q, char *space, struct drill_row *out, struct err *err)
{
	struct buf text = { .p = space, .cap = ROW_MAX_BYTES, .limit = ROW_MAX_BYTES };
	int rc = sqlite3_step(q);

	if (rc == SQLITE_DONE) {
		*out = (struct drill_row){ 0 };
		return true;
	}
	if (rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	*out = (struct drill_row){
		.kind = store_text(q, 0, &text),
		.at_us = sqlite3_column_int64(q, 1),
		.by = store_text(q, 2, &text),
		.instances = (uint32_t)sqlite3_column_int64(q, 3),
		.worked = sqlite3_column_int(q, 4) != 0,
		.refused_ms = (uint32_t)sqlite3_column_int64(q, 5),
		.resumed_ms = (uint32_t)sqlite3_column_int64(q, 6),
	};
	return buf_ok(&text) ||
	       err_set(err, E_INVALID, "store %s: a drill has not the form of one", s->file);
}

bool store_drill_last(struct store *s, struct arena *a, struct str kind, bool worked,
	struct drill_row *out, struct err *err)
{
	char *space = arena_alloc(a, ROW_MAX_BYTES);
	sqlite3_stmt *q = NULL;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && !s->db) {
		*out = (struct drill_row){ 0 };
	} else if (ok) {
		q = store_query(s, drill_last, err);
		if (q) {
			store_bind(q, 1, kind);
			sqlite3_bind_int(q, 2, worked);
		}
		ok = q && read_last(s, q, space, out, err);
	}
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}
