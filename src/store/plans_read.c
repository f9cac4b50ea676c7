/* plans_read - plans as they stand in the store.  See plans.h.
 *
 * Invariants: 1. nothing is taken from an arena under the lock: it may jump.  2. whatever is read
 * is judged by the clock in the same breath: an approved plan past its end is never seen as
 * approved. */
#include "store/plans_inside.h"

#include "base/planted.h"

#include <string.h>

#define AT(member) offsetof(struct plan_row, member)

const size_t plan_texts[PLAN_TEXTS] = { AT(id), AT(tool), AT(source), AT(issuer), AT(subject),
	AT(tenant), AT(agent), AT(credential), AT(environment), AT(need), AT(grant), AT(decided_by),
	AT(decided_credential), AT(channel), AT(note), AT(escalation_note), AT(ledger_id),
	AT(why) };
const size_t plan_digests[PLAN_DIGESTS] = { AT(digest), AT(arguments), AT(definition), AT(catalog),
	AT(shown), AT(token) };
const size_t plan_times[PLAN_TIMES] = { AT(made_us), AT(expires_us), AT(decided_us),
	AT(escalated_us), AT(token_until_us) };

#define SELECT "SELECT " PLAN_COLUMNS
#define OPEN "expires_us > ?1 AND state "

static const char plan_size[] = "SELECT length(body) FROM plans WHERE id = ?1";
static const char plan_get[] = SELECT ", body FROM plans WHERE id = ?1";
static const char plan_find[] =
	SELECT " FROM plans WHERE " OPEN "IN ('proposed', 'approved') AND issuer = ?2 AND "
	       "subject = ?3 AND tenant = ?4 AND agent = ?5 AND environment = ?6 AND digest = ?7 "
	       "ORDER BY state, made_us DESC LIMIT 1";
static const char *const plan_list[] = {
	[PLANS_WAITING] = SELECT " FROM plans WHERE " OPEN "= 'proposed' AND (?2 = '' OR "
				 "subject = ?2) ORDER BY made_us DESC, id DESC LIMIT ?3",
	[PLANS_RECENT] = SELECT " FROM plans WHERE ?1 >= 0 AND (?2 = '' OR subject = ?2) "
				"ORDER BY made_us DESC, id DESC LIMIT ?3",
};

static const char *const names[] = {
	[PLAN_PROPOSED] = "proposed",
	[PLAN_APPROVED] = "approved",
	[PLAN_DECLINED] = "declined",
	[PLAN_APPLIED] = "applied",
	[PLAN_VOID] = "void",
	[PLAN_EXPIRED] = "expired",
	[PLAN_UNKNOWN] = "unknown",
};

const char *plan_state_name(enum plan_state s)
{
	return names[s];
}

bool plan_state_read(struct str name, enum plan_state *out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (i != PLAN_EXPIRED && str_eq(name, str_c(names[i]))) {
			*out = (enum plan_state)i;
			return true;
		}
	return false;
}

enum plan_state plan_state_now(enum plan_state stored, int64_t expires_us, int64_t now_us)
{
	bool ends = stored == PLAN_PROPOSED || stored == PLAN_APPROVED;

	if (planted(PLANTED_EXPIRY_IGNORED))
		return stored;
	return ends && now_us >= expires_us ? PLAN_EXPIRED : stored;
}

static bool read_digest(sqlite3_stmt *q, int column, struct sha256 *out)
{
	if (sqlite3_column_bytes(q, column) != SHA256_BYTES)
		return false;
	memcpy(out->b, sqlite3_column_blob(q, column), SHA256_BYTES);
	return true;
}

/* All but the body.  Text goes to `space`, which does not grow. */
static bool read_row(struct store *s, sqlite3_stmt *q, int64_t now_us, struct buf *space,
	struct plan_row *out, struct err *err)
{
	bool ok = true;
	int column = 0;
	struct str state;

	*out = (struct plan_row){ 0 };
	for (size_t i = 0; i < PLAN_TEXTS; i++)
		*(struct str *)((char *)out + plan_texts[i]) = store_text(q, column++, space);
	for (size_t i = 0; i < PLAN_DIGESTS; i++)
		ok &= read_digest(q, column++, (struct sha256 *)((char *)out + plan_digests[i]));
	for (size_t i = 0; i < PLAN_TIMES; i++)
		*(int64_t *)((char *)out + plan_times[i]) = sqlite3_column_int64(q, column++);
	out->token_tries = (unsigned)sqlite3_column_int(q, PLAN_TRIES_AT);
	state = str_n(sqlite3_column_text(q, PLAN_STATE_AT),
		(size_t)sqlite3_column_bytes(q, PLAN_STATE_AT));
	if (!ok || !buf_ok(space) || !plan_state_read(state, &out->state))
		return err_set(err, E_INVALID, "store %s: a plan has not the form of one", s->file);
	out->state = plan_state_now(out->state, out->expires_us, now_us);
	return true;
}

static struct buf space_in(struct arena *a, size_t bytes)
{
	return (struct buf){ .p = arena_alloc(a, bytes), .cap = bytes, .limit = bytes };
}

/* Ready, and what time it is; true with s->db NULL: there is nothing yet. */
static bool enter(struct store *s, int64_t *now_out, struct err *err)
{
	struct store_moment moment;
	int64_t at_ms = 0;

	if (!store_ready(s, false, err))
		return false;
	if (!s->db)
		return true;
	store_clock_moment(s, &moment);
	if (!store_clock_look(s, &moment, &at_ms, err))
		return false;
	*now_out = at_ms * 1000;
	return true;
}

static bool no_plan(struct str id, struct err *err)
{
	return err_set(err, E_NOT_FOUND, "there is no plan %.*s", STR_ARG(id));
}

static bool body_size(struct store *s, struct str id, size_t *bytes_out, struct err *err)
{
	sqlite3_stmt *q;
	int rc;

	if (!store_ready(s, false, err))
		return false;
	if (!s->db)
		return no_plan(id, err);
	q = store_query(s, plan_size, err);
	if (!q)
		return false;
	store_bind(q, 1, id);
	rc = sqlite3_step(q);
	*bytes_out = rc == SQLITE_ROW ? (size_t)sqlite3_column_int64(q, 0) : 0;
	store_end(q);
	if (rc == SQLITE_ROW)
		return *bytes_out <= PLAN_BODY_MAX ||
		       err_set(err, E_INVALID, "store %s: a plan is too large", s->file);
	return rc == SQLITE_DONE ? no_plan(id, err) : store_fail(s, rc, err);
}

static bool get(struct store *s, struct str id, struct buf *text, struct buf *body,
	struct plan_row *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int64_t now_us = 0;
	bool ok;
	int rc;

	if (!enter(s, &now_us, err))
		return false;
	if (!s->db)
		return no_plan(id, err);
	q = store_query(s, plan_get, err);
	if (!q)
		return false;
	store_bind(q, 1, id);
	rc = sqlite3_step(q);
	ok = rc == SQLITE_ROW && read_row(s, q, now_us, text, out, err);
	if (ok)
		out->body = store_text(q, PLAN_BODY_AT, body);
	store_end(q);
	if (rc == SQLITE_DONE)
		return no_plan(id, err);
	if (rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	return ok && (buf_ok(body) || err_set(err, E_INVALID, "store %s: a plan changed", s->file));
}

bool store_plan_get(
	struct store *s, struct arena *a, struct str id, struct plan_row *out, struct err *err)
{
	struct buf text = space_in(a, PLAN_TEXT_MAX), body;
	size_t bytes = 0;
	bool ok;

	/* a body never changes: what is asked first fits later */
	pthread_mutex_lock(&s->lock);
	ok = body_size(s, id, &bytes, err);
	pthread_mutex_unlock(&s->lock);
	if (!ok)
		return false;
	body = space_in(a, bytes + 1);
	pthread_mutex_lock(&s->lock);
	ok = get(s, id, &text, &body, out, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

/* One row of a search.  ?1 is the time. */
struct search {
	const char *sql;
	struct str text[6];
	int text_count;
	const struct sha256 *digest; /* behind them */
};

static bool search(struct store *s, const struct search *what, struct buf *text,
	struct plan_row *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int64_t now_us = 0;
	bool ok;
	int rc;

	if (!enter(s, &now_us, err))
		return false;
	if (!s->db)
		return no_plan(S("of that kind"), err);
	q = store_query(s, what->sql, err);
	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, now_us);
	for (int i = 0; i < what->text_count; i++)
		store_bind(q, 2 + i, what->text[i]);
	sqlite3_bind_blob(q, 2 + what->text_count, what->digest->b, SHA256_BYTES, SQLITE_STATIC);
	rc = sqlite3_step(q);
	ok = rc == SQLITE_ROW && read_row(s, q, now_us, text, out, err);
	store_end(q);
	if (rc == SQLITE_DONE)
		return no_plan(S("of that kind"), err);
	return rc == SQLITE_ROW ? ok : store_fail(s, rc, err);
}

static bool search_locked(struct store *s, struct arena *a, const struct search *what,
	struct plan_row *out, struct err *err)
{
	struct buf text = space_in(a, PLAN_TEXT_MAX);
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = search(s, what, &text, out, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool store_plan_find(struct store *s, struct arena *a, const struct plan_row *like,
	struct plan_row *out, struct err *err)
{
	const struct search what = { .sql = plan_find,
		.text = { like->issuer, like->subject, like->tenant, like->agent,
			like->environment },
		.text_count = 5,
		.digest = &like->digest };

	return search_locked(s, a, &what, out, err);
}

struct list {
	struct buf *text;
	struct plan_row *rows;
	size_t count, most;
};

static bool read_rows(
	struct store *s, sqlite3_stmt *q, int64_t now_us, struct list *l, struct err *err)
{
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW && l->count < l->most)
		if (!read_row(s, q, now_us, l->text, &l->rows[l->count++], err))
			return false;
	return rc == SQLITE_DONE || rc == SQLITE_ROW || store_fail(s, rc, err);
}

static bool list(struct store *s, enum plans_which which, struct str subject, struct list *l,
	struct err *err)
{
	sqlite3_stmt *q = NULL;
	int64_t now_us = 0;
	bool ok;

	if (!enter(s, &now_us, err))
		return false;
	if (!s->db)
		return true;
	q = store_query(s, plan_list[which], err);
	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, now_us);
	store_bind(q, 2, subject);
	sqlite3_bind_int64(q, 3, (int64_t)l->most);
	ok = read_rows(s, q, now_us, l, err);
	store_end(q);
	return ok;
}

bool store_plan_list(struct store *s, struct arena *a, enum plans_which which, struct str subject,
	size_t most, struct plan_row **rows_out, size_t *count_out, struct err *err)
{
	struct list l = { .most = MIN(most, (size_t)PLANS_LIST_MAX) };
	struct buf text = space_in(a, (l.most + 1) * PLAN_TEXT_MAX);
	bool ok;

	l.rows = arena_array(a, struct plan_row, l.most + 1);
	l.text = &text;
	pthread_mutex_lock(&s->lock);
	ok = list(s, which, subject, &l, err);
	pthread_mutex_unlock(&s->lock);
	if (ok) {
		*rows_out = l.rows;
		*count_out = l.count;
	}
	return ok;
}
