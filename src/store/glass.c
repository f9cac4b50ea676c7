/* glass - see glass.h.
 *
 * Invariants: 1. a row is approved once and reviewed once, and only after it was approved.  2. who
 * asked never approves, and neither does who gains; who approved or gained never reviews: held
 * here, too, under every caller, and by the subject alone, in whatever tenant.  3. what was asked
 * for a day ago, or was ended, is approved no more. */
#include "store/glass.h"

#include "store/inside.h"

#include <string.h>

#define ROW_MAX_BYTES 16384
#define TEXT_MAX_BYTES 4096

static const char glass_ask[] =
	"INSERT INTO break_glass (subject, grant_name, reason, asked_by, tenant, issuer, "
	"approved_by,"
	" reviewed_by, asked_us, lasts_us, approved_us, until_us, reviewed_us) "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', '', ?7, ?8, 0, 0, 0)";
static const char glass_approve[] =
	"UPDATE break_glass SET approved_by = ?2, approved_us = ?3, until_us = ?3 + lasts_us "
	"WHERE id = ?1 AND approved_us = 0 AND ended_us = 0 AND asked_us > ?3 - 86400000000 "
	"AND asked_by != ?2 AND subject != ?2";
static const char glass_review[] =
	"UPDATE break_glass SET reviewed_by = ?2, reviewed_us = ?3 "
	"WHERE id = ?1 AND approved_us != 0 AND reviewed_us = 0 AND subject != ?2 "
	"AND approved_by != ?2";
static const char glass_end[] =
	"UPDATE break_glass SET ended_by = ?2, ended_us = ?3 "
	"WHERE id = ?1 AND ended_us = 0 AND (approved_us = 0 OR until_us > ?3)";

#define SELECT                                                                                     \
	"SELECT id, subject, grant_name, reason, asked_by, approved_by, reviewed_by, asked_us, "   \
	"lasts_us, approved_us, until_us, reviewed_us, tenant, issuer, ended_by, ended_us "        \
	"FROM break_glass WHERE "

static const char *const glass_list[] = {
	[GLASS_IN_FORCE] = SELECT "approved_us != 0 AND until_us > ?1 ORDER BY id DESC",
	[GLASS_TO_REVIEW] = SELECT "approved_us != 0 AND reviewed_us = 0 AND ?1 >= 0 ORDER BY id",
	[GLASS_ONE] = SELECT "id = ?1",
};

bool store_glass_ask(struct store *s, const struct glass_row *row, int64_t *id_out, struct err *err)
{
	const struct str text[] = { row->subject, row->grant, row->reason, row->asked_by,
		row->tenant, row->issuer };
	sqlite3_stmt *q = NULL;
	size_t bytes = 0;
	int changed;
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		bytes += text[i].n;
	if (bytes > TEXT_MAX_BYTES)
		return err_set(err, E_LIMIT, "it has more than %d bytes of text", TEXT_MAX_BYTES);
	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, true, err) && (q = store_query(s, glass_ask, err)) != NULL;
	if (ok) {
		for (int i = 0; i < (int)ARRAY_LEN(text); i++)
			store_bind(q, 1 + i, text[i]);
		sqlite3_bind_int64(q, 7, row->asked_us);
		sqlite3_bind_int64(q, 8, row->lasts_us);
		ok = store_change(s, q, &changed, err);
	}
	if (ok)
		*id_out = sqlite3_last_insert_rowid(s->db);
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool decide(struct store *s, const char *sql, int64_t id, struct str by, int64_t now_us,
	struct err *err)
{
	sqlite3_stmt *q = NULL;
	int changed = 0;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && s->db && (q = store_query(s, sql, err)) == NULL)
		ok = false;
	if (q) {
		sqlite3_bind_int64(q, 1, id);
		store_bind(q, 2, by);
		sqlite3_bind_int64(q, 3, now_us);
		ok = store_change(s, q, &changed, err);
	}
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok && (changed || err_set(err, E_EXISTS,
					 "request %lld is not there, is not open, or is one that "
					 "%.*s has a part in",
					 (long long)id, STR_ARG(by)));
}

bool store_glass_approve(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err)
{
	return decide(s, glass_approve, id, by, now_us, err);
}

bool store_glass_review(struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err)
{
	return decide(s, glass_review, id, by, now_us, err);
}

bool store_glass_end(struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err)
{
	return decide(s, glass_end, id, by, now_us, err);
}

static bool read_row(const struct store *s, sqlite3_stmt *q, struct arena *a, struct glass_row *out,
	struct err *err)
{
	if (store_row_bytes(q) > ROW_MAX_BYTES)
		return err_set(
			err, E_INVALID, "store %s: a row of break_glass has not its form", s->file);
	*out = (struct glass_row){
		.id = sqlite3_column_int64(q, 0),
		.subject = store_text_in(a, q, 1),
		.grant = store_text_in(a, q, 2),
		.reason = store_text_in(a, q, 3),
		.asked_by = store_text_in(a, q, 4),
		.approved_by = store_text_in(a, q, 5),
		.reviewed_by = store_text_in(a, q, 6),
		.asked_us = sqlite3_column_int64(q, 7),
		.lasts_us = sqlite3_column_int64(q, 8),
		.approved_us = sqlite3_column_int64(q, 9),
		.until_us = sqlite3_column_int64(q, 10),
		.reviewed_us = sqlite3_column_int64(q, 11),
		.tenant = store_text_in(a, q, 12),
		.issuer = store_text_in(a, q, 13),
		.ended_by = store_text_in(a, q, 14),
		.ended_us = sqlite3_column_int64(q, 15),
	};
	return true;
}

static bool read_rows(struct store *s, sqlite3_stmt *q, struct arena *a,
	struct glass_row **rows_out, size_t *count_out, struct err *err)
{
	struct glass_row *rows = arena_array(a, struct glass_row, GLASS_MAX);
	size_t count = 0;
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (count == GLASS_MAX)
			return err_set(err, E_LIMIT,
				"store %s has more than %d rows of break_glass to look at", s->file,
				GLASS_MAX);
		if (!read_row(s, q, a, &rows[count++], err))
			return false;
	}
	if (rc != SQLITE_DONE)
		return store_fail(s, rc, err);
	*rows_out = rows;
	*count_out = count;
	return true;
}

bool store_glass_list(struct store *s, struct arena *a, enum glass_which which, int64_t number,
	struct glass_row **rows_out, size_t *count_out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = store_ready(s, false, err);
	if (ok && !s->db) {
		*rows_out = NULL;
		*count_out = 0;
	} else if (ok) {
		q = store_query(s, glass_list[which], err);
		if (q)
			sqlite3_bind_int64(q, 1, number);
		ok = q && read_rows(s, q, a, rows_out, count_out, err);
	}
	store_end(q);
	pthread_mutex_unlock(&s->lock);
	return ok;
}
