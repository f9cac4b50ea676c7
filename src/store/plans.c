/* plans - plans and the decisions on them.  See plans.h.
 *
 * Invariants: 1. every change is one transaction that takes the write lock first, ticks the store's
 * clock and judges by it: two processes never both win, and no clock that steps gives more time.
 * 2. what changes a state names the state it comes from.  3. a wrong token costs a try, whatever
 * else goes wrong then. */
#include "store/plans_inside.h"

#include "base/planted.h"

#include <string.h>

#define OPEN "state = 'proposed' AND expires_us > ?2"

static const char plan_add[] =
	"INSERT INTO plans (" PLAN_COLUMNS ", body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	" ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,"
	" ?27, ?28, ?29, ?30, ?31, ?32)";
static const char plan_count[] =
	"SELECT count(*) FROM plans WHERE state = 'proposed' AND expires_us > ?1 AND issuer = ?2 "
	"AND subject = ?3 AND tenant = ?4";
static const char plan_same[] =
	"SELECT count(*) FROM plans WHERE state IN ('proposed', 'approved') AND expires_us > ?1 "
	"AND issuer = ?2 AND subject = ?3 AND tenant = ?4 AND agent = ?5 AND environment = ?6 AND "
	"digest = ?7";
static const char plan_state[] = "SELECT state, expires_us FROM plans WHERE id = ?1";
static const char plan_decide[] =
	"UPDATE plans SET state = ?3, decided_by = ?4, decided_credential = ?5, channel = ?6,"
	" note = ?7, shown = ?8, decided_us = ?2, token = ?11, token_tries = ?12,"
	" token_until_us = ?13 WHERE id = ?1 AND need = ?9 AND "
	"grant_name = ?10 AND " OPEN;
static const char plan_escalate[] =
	"UPDATE plans SET need = ?3, grant_name = ?4, escalation_note = ?5, escalated_us = ?2,"
	" expires_us = max(expires_us, ?6) WHERE id = ?1 AND escalated_us = 0 AND " OPEN;
static const char plan_token_get[] = "SELECT token, token_tries, token_until_us FROM plans "
				     "WHERE id = ?1 AND state = 'approved' AND expires_us > ?2";
static const char plan_token_used[] =
	"UPDATE plans SET token = zeroblob(32), token_tries = 0, token_until_us = 0 WHERE id = ?1";
static const char plan_token_missed[] =
	"UPDATE plans SET token_tries = token_tries - 1 WHERE id = ?1 AND token_tries > 0";
static const char plan_move[] = "UPDATE plans SET state = ?3, ledger_id = ?4, why = ?5 "
				"WHERE id = ?1 AND state = ?2";
static const char plan_void_tool[] =
	"UPDATE plans SET state = 'void', why = 'tool_changed' "
	"WHERE state IN ('proposed', 'approved') AND tool = ?1 AND definition != ?2";

/* --- one transaction --- */

/* Locks; what follows ends with leave, whatever is returned. */
static bool enter(struct store *s, bool making, int64_t *now_out, struct err *err)
{
	struct store_moment moment;
	int64_t at_ms;

	pthread_mutex_lock(&s->lock);
	if (!store_ready(s, making, err))
		return false;
	if (!s->db)
		return err_set(err, E_NOT_FOUND, "there are no plans yet");
	store_clock_moment(s, &moment);
	if (!store_run(s, "BEGIN IMMEDIATE", err) || !store_clock_tick(s, &moment, &at_ms, err))
		return false;
	*now_out = at_ms * 1000;
	return true;
}

static bool leave(struct store *s, bool ok, struct err *err)
{
	ok = ok && store_run(s, "COMMIT", err);
	if (s->db && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static bool look_at_state(
	struct store *s, struct str id, int64_t now_us, enum plan_state *out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, plan_state, err);
	bool ok = false;
	int rc;

	if (!q)
		return false;
	store_bind(q, 1, id);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		ok = plan_state_read(
			str_n(sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0)), out);
		*out = plan_state_now(*out, sqlite3_column_int64(q, 1), now_us);
	}
	store_end(q);
	if (rc == SQLITE_DONE)
		return err_set(err, E_NOT_FOUND, "there is no plan %.*s", STR_ARG(id));
	if (rc != SQLITE_ROW)
		return store_fail(s, rc, err);
	return ok || err_set(err, E_INVALID, "store %s: a plan has not the form of one", s->file);
}

/* Why a conditional update met nothing.  Always false. */
static bool tell_state(struct store *s, struct str id, int64_t now_us, struct err *err)
{
	enum plan_state state = PLAN_VOID;

	return look_at_state(s, id, now_us, &state, err) &&
	       err_set(err, E_EXISTS, "plan %.*s is %s, or was escalated meanwhile", STR_ARG(id),
		       plan_state_name(state));
}

bool store_plan_state(struct store *s, struct str id, enum plan_state *out, struct err *err)
{
	enum plan_state state = PLAN_VOID;
	int64_t now_us;
	bool ok = enter(s, false, &now_us, err) && look_at_state(s, id, now_us, &state, err);

	ok = leave(s, ok, err);
	if (ok)
		*out = state;
	return ok;
}

/* Runs a bound update of one row and ends it. */
static bool update_one(
	struct store *s, sqlite3_stmt *q, struct str id, int64_t now_us, struct err *err)
{
	int changed = 0;
	bool ok = store_change(s, q, &changed, err);

	store_end(q);
	return ok && (changed || tell_state(s, id, now_us, err));
}

static void bind_digest(sqlite3_stmt *q, int index, const struct sha256 *d)
{
	sqlite3_bind_blob(q, index, d->b, SHA256_BYTES, SQLITE_STATIC);
}

static bool text_fits(struct err *err, size_t bytes, const char *what)
{
	return bytes <= PLAN_NOTE_MAX ||
	       err_set(err, E_LIMIT, "%s has %zu bytes, more than %d", what, bytes, PLAN_NOTE_MAX);
}

/* --- adding --- */

static bool row_fits(const struct plan_row *row, struct err *err)
{
	size_t bytes = 0;

	for (size_t i = 0; i < PLAN_TEXTS; i++)
		bytes += ((const struct str *)((const char *)row + plan_texts[i]))->n;
	if (bytes > PLAN_TEXT_MAX - PLAN_TEXT_ADDED || row->body.n > PLAN_BODY_MAX)
		return err_set(err, E_INVALID, "a plan of %zu bytes is too large to be kept",
			bytes + row->body.n);
	return true;
}

static bool count_of(struct store *s, const char *sql, const struct plan_row *row, int64_t now_us,
	int64_t *out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, sql, err);
	int rc;

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, now_us);
	store_bind(q, 2, row->issuer);
	store_bind(q, 3, row->subject);
	store_bind(q, 4, row->tenant);
	if (sql == plan_same) {
		store_bind(q, 5, row->agent);
		store_bind(q, 6, row->environment);
		bind_digest(q, 7, &row->digest);
	}
	rc = sqlite3_step(q);
	*out = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	store_end(q);
	return rc == SQLITE_ROW || store_fail(s, rc, err);
}

static bool insert(struct store *s, const struct plan_row *row, struct err *err)
{
	sqlite3_stmt *q = store_query(s, plan_add, err);
	int at = 1, changed;
	bool ok;

	if (!q)
		return false;
	for (size_t i = 0; i < PLAN_TEXTS; i++)
		store_bind(q, at++, *(const struct str *)((const char *)row + plan_texts[i]));
	for (size_t i = 0; i < PLAN_DIGESTS; i++)
		bind_digest(q, at++, (const struct sha256 *)((const char *)row + plan_digests[i]));
	for (size_t i = 0; i < PLAN_TIMES; i++)
		sqlite3_bind_int64(q, at++, *(const int64_t *)((const char *)row + plan_times[i]));
	sqlite3_bind_int64(q, at++, row->token_tries);
	store_bind(q, at++, str_c(plan_state_name(row->state)));
	store_bind(q, at, row->body);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	return ok;
}

static bool add(struct store *s, const struct plan_row *row, unsigned most, struct err *err)
{
	int64_t same, open;

	if (!count_of(s, plan_same, row, row->made_us, &same, err) ||
		!count_of(s, plan_count, row, row->made_us, &open, err))
		return false;
	if (same)
		return err_set(err, E_EXISTS, "there is a plan like it already");
	if (open >= most)
		return err_set(err, E_LIMIT, "%.*s has %lld open plans already",
			STR_ARG(row->subject), (long long)open);
	return insert(s, row, err);
}

bool store_plan_add(
	struct store *s, struct plan_row *row, int64_t lives_us, unsigned most, struct err *err)
{
	struct plan_row made = *row;
	int64_t now_us;
	bool ok;

	if (!row_fits(row, err))
		return false;
	ok = enter(s, true, &now_us, err);
	if (ok) {
		made.state = PLAN_PROPOSED;
		made.made_us = now_us;
		made.expires_us = now_us + lives_us;
		ok = add(s, &made, most, err);
	}
	ok = leave(s, ok, err);
	if (ok)
		*row = made;
	return ok;
}

/* --- decisions --- */

static bool decide(struct store *s, const struct plan_row *seen, const struct plan_decision *d,
	int64_t now_us, struct err *err)
{
	static const struct sha256 none;
	sqlite3_stmt *q = store_query(s, plan_decide, err);

	if (!q)
		return false;
	store_bind(q, 1, seen->id);
	sqlite3_bind_int64(q, 2, now_us);
	store_bind(q, 3, str_c(plan_state_name(d->yes ? PLAN_APPROVED : PLAN_DECLINED)));
	store_bind(q, 4, d->by);
	store_bind(q, 5, d->credential);
	store_bind(q, 6, d->channel);
	store_bind(q, 7, d->note);
	bind_digest(q, 8, &d->shown);
	store_bind(q, 9, seen->need);
	store_bind(q, 10, seen->grant);
	bind_digest(q, 11, d->token ? d->token : &none);
	sqlite3_bind_int64(q, 12, d->token ? d->token_tries : 0);
	sqlite3_bind_int64(q, 13, d->token ? now_us + d->token_lasts_us : 0);
	return update_one(s, q, seen->id, now_us, err);
}

bool store_plan_decide(struct store *s, const struct plan_row *seen, const struct plan_decision *d,
	struct err *err)
{
	int64_t now_us;
	bool ok;

	if (!text_fits(err, d->note.n, "a note") ||
		!text_fits(err, d->by.n + d->credential.n + d->channel.n, "who decides"))
		return false;
	crash_point("decision_noted");
	ok = enter(s, false, &now_us, err) && decide(s, seen, d, now_us, err);
	ok = leave(s, ok, err);
	crash_point("decision_taken");
	return ok;
}

struct escalation {
	struct str need, grant, note;
	int64_t lives_us;
};

static bool escalate(
	struct store *s, struct str id, const struct escalation *e, int64_t now_us, struct err *err)
{
	sqlite3_stmt *q = store_query(s, plan_escalate, err);

	if (!q)
		return false;
	store_bind(q, 1, id);
	sqlite3_bind_int64(q, 2, now_us);
	store_bind(q, 3, e->need);
	store_bind(q, 4, e->grant);
	store_bind(q, 5, e->note);
	sqlite3_bind_int64(q, 6, now_us + e->lives_us);
	return update_one(s, q, id, now_us, err);
}

bool store_plan_escalate(struct store *s, struct str id, struct str need, struct str grant,
	struct str note, int64_t lives_us, struct err *err)
{
	const struct escalation e = {
		.need = need, .grant = grant, .note = note, .lives_us = lives_us
	};
	int64_t now_us;
	bool ok;

	if (!text_fits(err, note.n, "a note"))
		return false;
	crash_point("escalation_noted");
	ok = enter(s, false, &now_us, err) && escalate(s, id, &e, now_us, err);
	ok = leave(s, ok, err);
	crash_point("escalation_taken");
	return ok;
}

/* --- tokens --- */

enum token_fit { TOKEN_FITS, TOKEN_WRONG, TOKEN_NONE, TOKEN_LATE, TOKEN_NO_TRIES };

static const char *token_why(enum token_fit fit)
{
	static const char *const why[] = {
		[TOKEN_FITS] = "it fits",
		[TOKEN_WRONG] = "it is not that of this plan",
		[TOKEN_NONE] = "none is asked for, or it was used",
		[TOKEN_LATE] = "it is too late for it",
		[TOKEN_NO_TRIES] = "there were too many wrong ones",
	};

	return why[fit];
}

static enum token_fit fit_token(sqlite3_stmt *q, const struct sha256 *hmac, int64_t now_us)
{
	bool fits = sqlite3_column_bytes(q, 0) == SHA256_BYTES;
	struct sha256 kept = { 0 };
	int64_t until_us = sqlite3_column_int64(q, 2);

	if (fits)
		memcpy(kept.b, sqlite3_column_blob(q, 0), SHA256_BYTES);
	fits = sha256_eq(&kept, hmac) && fits;
	if (!until_us)
		return TOKEN_NONE;
	if (now_us >= until_us)
		return TOKEN_LATE;
	if (sqlite3_column_int64(q, 1) <= 0)
		return TOKEN_NO_TRIES;
	return fits ? TOKEN_FITS : TOKEN_WRONG;
}

static bool look_at_token(struct store *s, struct str id, const struct sha256 *hmac, int64_t now_us,
	enum token_fit *out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, plan_token_get, err);
	int rc;

	if (!q)
		return false;
	store_bind(q, 1, id);
	sqlite3_bind_int64(q, 2, now_us);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = fit_token(q, hmac, now_us);
	store_end(q);
	if (rc == SQLITE_ROW)
		return true;
	return rc == SQLITE_DONE ? tell_state(s, id, now_us, err) : store_fail(s, rc, err);
}

static bool take_token(struct store *s, struct str id, const struct sha256 *hmac, int64_t now_us,
	enum token_fit *out, struct err *err)
{
	sqlite3_stmt *q;
	int changed;
	bool ok;

	if (!look_at_token(s, id, hmac, now_us, out, err))
		return false;
	if (*out != TOKEN_FITS && *out != TOKEN_WRONG)
		return true;
	if (planted(PLANTED_TOKEN_NOT_CONSUMED))
		return true;
	q = store_query(s, *out == TOKEN_FITS ? plan_token_used : plan_token_missed, err);
	if (!q)
		return false;
	store_bind(q, 1, id);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	return ok;
}

bool store_plan_use_token(
	struct store *s, struct str id, const struct sha256 *hmac, struct err *err)
{
	enum token_fit fit = TOKEN_NONE;
	int64_t now_us;
	bool ok = enter(s, false, &now_us, err) && take_token(s, id, hmac, now_us, &fit, err);

	/* the lost try is kept, too */
	if (!leave(s, ok, err))
		return false;
	return fit == TOKEN_FITS ||
	       err_set(err, E_DENIED, "the token of plan %.*s: %s", STR_ARG(id), token_why(fit));
}

/* --- what became of it --- */

static bool may_move(enum plan_state from, enum plan_state to)
{
	static const unsigned to_of[] = {
		[PLAN_PROPOSED] = 1U << PLAN_VOID,
		[PLAN_APPROVED] = 1U << PLAN_APPLIED | 1U << PLAN_VOID | 1U << PLAN_UNKNOWN,
		[PLAN_UNKNOWN] = 1U << PLAN_APPLIED | 1U << PLAN_VOID,
		[PLAN_VOID] = 1U << PLAN_APPLIED,
	};

	return from < ARRAY_LEN(to_of) && to_of[from] & 1U << to;
}

static bool move(struct store *s, struct str id, enum plan_state from, enum plan_state to,
	struct str ledger_id, struct str why, struct err *err)
{
	sqlite3_stmt *q;
	int64_t now_us;

	if (!enter(s, false, &now_us, err) || !(q = store_query(s, plan_move, err)))
		return false;
	store_bind(q, 1, id);
	store_bind(q, 2, str_c(plan_state_name(from)));
	store_bind(q, 3, str_c(plan_state_name(to)));
	store_bind(q, 4, ledger_id);
	store_bind(q, 5, why);
	return update_one(s, q, id, now_us, err);
}

bool store_plan_move(struct store *s, struct str id, enum plan_state from, enum plan_state to,
	struct str ledger_id, struct str why, struct err *err)
{
	bug_on(!may_move(from, to));
	if (!text_fits(err, ledger_id.n + why.n, "a reason"))
		return false;
	return leave(s, move(s, id, from, to, ledger_id, why, err), err);
}

static bool void_tool(struct store *s, struct str tool, const struct sha256 *definition,
	int *count_out, struct err *err)
{
	sqlite3_stmt *q;
	int64_t now_us;
	bool ok;

	if (!enter(s, false, &now_us, err) || !(q = store_query(s, plan_void_tool, err)))
		return false;
	store_bind(q, 1, tool);
	bind_digest(q, 2, definition);
	ok = store_change(s, q, count_out, err);
	store_end(q);
	return ok;
}

bool store_plan_void_tool(struct store *s, struct str tool, const struct sha256 *definition,
	unsigned *count_out, struct err *err)
{
	int count = 0;
	struct err why;
	bool ok = leave(s, void_tool(s, tool, definition, &count, &why), &why);

	/* no store yet: no plans */
	if (!ok && why.code != E_NOT_FOUND) {
		*err = why;
		return false;
	}
	*count_out = (unsigned)count;
	return true;
}
