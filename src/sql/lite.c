/* lite - statements on a borrowed connection.  See lite.h.
 *
 * Invariants: 1. the first prepare of a serial in a pool records what it touches; what was recorded
 * is never added to, and every later prepare, also the one SQLite does itself after a schema
 * change, is held to it.  2. nothing is prepared that is not a single statement; nothing but reads,
 * unless the connection is for writing.  3. one statement of a connection is open at a time. */
#include "sql/inside.h"
#include "sql/capture_inside.h"
#include "sql/real.h"

#include <string.h>

static const struct access_list *allowed_of(struct lite_pool *p, unsigned serial)
{
	const struct access_list *list;

	pthread_mutex_lock(&p->lock);
	list = p->allowed[serial];
	pthread_mutex_unlock(&p->lock);
	return list;
}

/* Another connection may have recorded the same serial meanwhile: the first list stays. */
static const struct access_list *publish(
	struct lite_pool *p, unsigned serial, struct access_list *list)
{
	const struct access_list *first;

	pthread_mutex_lock(&p->lock);
	if (!p->allowed[serial])
		p->allowed[serial] = list;
	first = p->allowed[serial];
	pthread_mutex_unlock(&p->lock);
	return first;
}

/* Only white space, semicolons and comments may follow the statement. */
static bool is_blank(struct lite *l, const char *tail)
{
	while (*tail) {
		sqlite3_stmt *more = NULL;
		const char *from = tail;
		int rc = sqlite3_prepare_v2(l->db, tail, -1, &more, &tail);

		sqlite3_finalize(more);
		if (rc != SQLITE_OK || more || tail == from)
			return false;
	}
	return true;
}

static sqlite3_stmt *compile(struct lite *l, const char *sql, bool may_write, struct err *err)
{
	sqlite3_stmt *s = NULL;
	const char *tail = sql;
	int rc;

	l->denied_action = 0;
	rc = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &tail);
	if (rc != SQLITE_OK) {
		lite_fail(l, rc, err);
		return NULL;
	}
	if (!s || !is_blank(l, tail))
		err_set(err, E_CONTRACT,
			s ? "there is more than one statement" : "there is no statement");
	else if ((!may_write && !sqlite3_stmt_readonly(s)) || sqlite3_stmt_isexplain(s))
		err_set(err, E_DENIED, "the statement is not a read");
	else
		return s;
	sqlite3_finalize(s);
	return NULL;
}

static sqlite3_stmt *compile_held(
	struct lite *l, const char *sql, const struct access_list *held, struct err *err)
{
	sqlite3_stmt *s;

	l->held = held;
	s = compile(l, sql, l->pool->writing, err);
	l->held = NULL;
	return s;
}

/* The first time: what it touches becomes what it may touch. */
static sqlite3_stmt *compile_recorded(struct lite *l, const char *sql, unsigned serial,
	const struct access_list **allowed_out, struct err *err)
{
	struct access_list *list = access_new();
	sqlite3_stmt *s;
	bool complete;

	l->recording = list;
	s = compile(l, sql, l->pool->writing, err);
	l->recording = NULL;
	/* VACUUM, say, of which the authorizer is not told */
	if (s && !sqlite3_stmt_readonly(s) && !access_writes(list)) {
		err_set(err, E_DENIED, "the statement changes more than rows");
		sqlite3_finalize(s);
		s = NULL;
	}
	if (!s) {
		access_free(&list);
		return NULL;
	}
	l->own = true;
	complete = access_add_shadows(list, l->db);
	l->own = false;
	*allowed_out = complete ? publish(l->pool, serial, list) : NULL;
	if (*allowed_out == list)
		return s;
	if (*allowed_out && access_within(list, *allowed_out)) {
		access_free(&list);
		return s;
	}
	err_set(err, E_DENIED, "the statement touches more than when it was first prepared");
	access_free(&list);
	sqlite3_finalize(s);
	return NULL;
}

struct lite_stmt *lite_prepare_once(struct lite *l, struct str sql, struct err *err)
{
	struct lite_stmt *s = &l->once;
	char *text = heap_alloc(sql.n + 1);
	bool complete = false;

	bug_on(s->s);
	memcpy(text, sql.p, sql.n);
	lite_distrust(l, true);
	l->once_list = l->recording = access_new();
	s->s = compile(l, text, false, err);
	l->recording = NULL;
	heap_free(text);
	l->own = true;
	if (s->s)
		complete = access_add_shadows(l->once_list, l->db);
	l->own = false;
	s->l = l;
	s->allowed = l->once_list;
	if (complete)
		return s;
	if (s->s)
		err_set(err, E_UNAVAILABLE, "the schema could not be read");
	lite_end_once(s);
	return NULL;
}

void lite_end_once(struct lite_stmt *s)
{
	if (s->s)
		lite_end(s);
	sqlite3_finalize(s->s);
	s->s = NULL;
	s->own = false;
	access_free(&s->l->once_list);
	lite_distrust(s->l, false);
}

struct str lite_denied(const struct lite *l)
{
	return l->denied_action ? str_c(l->denied_table) : STR_NONE;
}

struct str lite_words(const struct lite *l)
{
	return str_c(sqlite3_errmsg(l->db));
}

struct lite_stmt *lite_prepare(struct lite *l, unsigned serial, struct str sql, struct err *err)
{
	const struct access_list *allowed;
	struct lite_stmt *s;
	char *text;

	bug_on(serial >= l->pool->statement_count);
	s = &l->statements[serial];
	if (s->s)
		return s;
	if (l->capture && !l->in_transaction && !capture_know(l->capture)) {
		lite_fail(l, sqlite3_errcode(l->db), err);
		return NULL;
	}
	text = heap_alloc(sql.n + 1);
	memcpy(text, sql.p, sql.n);
	allowed = allowed_of(l->pool, serial);
	if (allowed)
		s->s = compile_held(l, text, allowed, err);
	else
		s->s = compile_recorded(l, text, serial, &allowed, err);
	heap_free(text);
	s->l = l;
	s->allowed = allowed;
	return s->s ? s : NULL;
}

bool lite_facts(struct lite_stmt *s, struct arena *a, struct lite_facts *out, struct err *err)
{
	size_t count = (size_t)sqlite3_column_count(s->s);
	struct str *names = arena_array(a, struct str, count);
	struct str *types = arena_array(a, struct str, count);

	for (size_t i = 0; i < count; i++) {
		const char *name = sqlite3_column_name(s->s, (int)i);

		if (!name)
			return lite_fail(s->l, SQLITE_NOMEM, err);
		names[i] = arena_str(a, str_c(name));
		types[i] = arena_str(a, str_c(sqlite3_column_decltype(s->s, (int)i)));
	}
	/* lite_prepare refuses more than one */
	*out = (struct lite_facts){ .readonly = sqlite3_stmt_readonly(s->s) != 0,
		.single = true,
		.columns = names,
		.declared_types = types,
		.column_count = count };
	return true;
}

bool lite_step_own(struct lite *l, sqlite3_stmt *s, struct err *err)
{
	int rc;

	l->own = true;
	sqlite3_step(s);
	rc = sqlite3_reset(s);
	l->own = false;
	return rc == SQLITE_OK || lite_fail(l, rc, err);
}

bool lite_begin(struct lite *l, struct err *err)
{
	bug_on(l->in_transaction || l->capture);
	l->in_transaction = lite_step_own(l, l->begin, err);
	return l->in_transaction;
}

void lite_rollback(struct lite *l)
{
	struct err err;

	if (!l->in_transaction)
		return;
	l->in_transaction = l->spoiled = false;
	if (l->capture)
		capture_forget(l->capture);
	/* an error may have ended the transaction already */
	if (!sqlite3_get_autocommit(l->db) && !lite_step_own(l, l->rollback, &err))
		l->broken = true;
}

void lite_bind_null(struct lite_stmt *s, unsigned index)
{
	sqlite3_bind_null(s->s, (int)index);
}

void lite_bind_text(struct lite_stmt *s, unsigned index, struct str text)
{
	sqlite3_bind_text64(
		s->s, (int)index, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

void lite_bind_i64(struct lite_stmt *s, unsigned index, int64_t n)
{
	sqlite3_bind_int64(s->s, (int)index, n);
}

void lite_bind_real(struct lite_stmt *s, unsigned index, double n)
{
	sqlite3_bind_double(s->s, (int)index, n);
}

void lite_limits(struct lite *l, uint64_t deadline_mono_ms, bool (*cancelled)(void *ctx), void *ctx)
{
	l->deadline_ms = deadline_mono_ms;
	l->cancelled = cancelled;
	l->ctx = ctx;
	l->stopped = E_NONE;
}

enum lite_step lite_step(struct lite_stmt *s, struct err *err)
{
	struct lite *l = s->l;
	int rc;

	if (!s->open) {
		bug_on(l->running);
		l->running = s;
		l->denied_action = 0;
		s->open = true;
	}
	l->held = s->allowed;
	l->own = s->own;
	rc = sqlite3_step(s->s);
	l->held = NULL;
	l->own = false;
	if (rc == SQLITE_ROW)
		return LITE_ROW;
	if (rc == SQLITE_DONE)
		return LITE_DONE;
	l->spoiled = l->in_transaction;
	lite_fail(l, rc, err);
	return LITE_FAILED;
}

bool lite_is_broken(const struct lite *l)
{
	return l->broken;
}

void lite_end(struct lite_stmt *s)
{
	sqlite3_reset(s->s);
	sqlite3_clear_bindings(s->s);
	if (s->l->running == s)
		s->l->running = NULL;
	s->open = false;
}

struct str lite_integer(struct arena *a, int64_t n)
{
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	char text[24], *p = text + sizeof text;

	do {
		*--p = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (n < 0)
		*--p = '-';
	return arena_str(a, str_n(p, (size_t)(text + sizeof text - p)));
}

enum lite_type lite_column(
	struct lite_stmt *s, unsigned column, struct arena *a, struct str *text_out)
{
	int i = (int)column;
	const void *p;

	switch (sqlite3_column_type(s->s, i)) {
	case SQLITE_INTEGER:
		*text_out = lite_integer(a, sqlite3_column_int64(s->s, i));
		return LITE_INTEGER;
	case SQLITE_FLOAT:
		*text_out = real_lexeme(a, sqlite3_column_double(s->s, i));
		return LITE_REAL;
	case SQLITE_TEXT:
		p = sqlite3_column_text(s->s, i);
		*text_out = arena_str(a, str_n(p, (size_t)sqlite3_column_bytes(s->s, i)));
		return LITE_TEXT;
	case SQLITE_BLOB:
		p = sqlite3_column_blob(s->s, i);
		*text_out = arena_str(a, str_n(p, (size_t)sqlite3_column_bytes(s->s, i)));
		return LITE_BLOB;
	default:
		*text_out = STR_NONE;
		return LITE_NULL;
	}
}

const char *lite_constraint(const struct lite *l)
{
	int rc = sqlite3_extended_errcode(l->db);

	if ((rc & 0xff) != SQLITE_CONSTRAINT)
		return NULL;
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return "unique";
	case SQLITE_CONSTRAINT_NOTNULL:
		return "not_null";
	case SQLITE_CONSTRAINT_CHECK:
		return "check";
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return "foreign_key";
	case SQLITE_CONSTRAINT_DATATYPE:
		return "datatype";
	default:
		return "trigger";
	}
}
