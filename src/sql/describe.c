/* describe - see describe.h.
 *
 * What a statement touches is what the authorizer is told while it is prepared once more; with it
 * come the triggers that it may set off, and what foreign keys do.
 *
 * Invariants: 1. nothing is stepped but reads of the schema.  2. no arena is asked from within
 * SQLite, nor while a statement of ours is open: running out of it is a jump. */
#include "sql/describe.h"

#include "sql/capture_inside.h"

#include <stdlib.h>
#include <string.h>

#define TOLD_MAX 4096

struct told {
	int action;
	char *table, *column, *trigger; /* "" for none */
	bool idle; /* writes what is there already */
};

struct touched {
	struct told *list;
	size_t count;
	bool over;
};

static char *copy(const char *text)
{
	size_t n = text ? strlen(text) : 0;
	char *p = heap_alloc(n + 1);

	if (n)
		memcpy(p, text, n);
	return p;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b ? b : "") == 0;
}

static bool is_told(const struct touched *t, int action, const char *table, const char *column,
	const char *trigger)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct told *x = &t->list[i];

		if (x->action == action && same(x->table, table) && same(x->column, column) &&
			same(x->trigger, trigger))
			return true;
	}
	return false;
}

void touched_add(
	struct touched *t, int action, const char *table, const char *column, const char *trigger)
{
	struct told *list;

	if (!access_is_write(action, table) || t->over ||
		is_told(t, action, table, column, trigger))
		return;
	list = t->count < TOLD_MAX ? realloc(t->list, (t->count + 1) * sizeof *list) : NULL;
	t->over = !list;
	if (!list)
		return;
	t->list = list;
	list[t->count++] = (struct told){ action, copy(table), copy(column), copy(trigger), false };
}

static void touched_close(void *what)
{
	struct touched *t = what;

	for (size_t i = 0; i < t->count; i++) {
		heap_free(t->list[i].table);
		heap_free(t->list[i].column);
		heap_free(t->list[i].trigger);
	}
	free(t->list);
	heap_free(t);
}

static enum capture_operation operation_of(int action)
{
	if (action == SQLITE_INSERT)
		return CAPTURE_INSERT;
	return action == SQLITE_UPDATE ? CAPTURE_UPDATE : CAPTURE_DELETE;
}

/* The first thing told is what the statement itself does; of the rest what no trigger does belongs
 * to it when it is of the same table, as in ON CONFLICT DO UPDATE.  What a row that refers to
 * itself is given by ON UPDATE counts as the statement's own. */
static bool is_cascade(const struct told *first, const struct told *x)
{
	if (x->trigger[0])
		return false;
	return sqlite3_stricmp(x->table, first->table) != 0 ||
	       (first->action == SQLITE_DELETE && x->action != SQLITE_DELETE);
}

/* Does the statement take the row away that is referred to, or give this column of it a value? */
static bool moves(const struct touched *t, const char *table, const char *column)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct told *x = &t->list[i];

		if (sqlite3_stricmp(x->table, table) == 0 &&
			(x->action == SQLITE_DELETE || !column ||
				sqlite3_stricmp(x->column, column) == 0 ||
				sqlite3_stricmp(x->column, "rowid") == 0))
			return true;
	}
	return false;
}

static const char referred_sql[] = "SELECT \"table\", \"to\" FROM pragma_foreign_key_list(?1) "
				   "WHERE \"from\" = ?2 COLLATE NOCASE";

/* ON UPDATE of a key of several columns writes all of them, also those that stay as they are. */
static bool find_idle(struct lite *l, const struct touched *t, struct told *x, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(l->db, referred_sql, -1, &s, NULL);

	x->idle = true;
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(s, 1, x->table, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 2, x->column, -1, SQLITE_STATIC);
		while ((rc = sqlite3_step(s)) == SQLITE_ROW)
			if (moves(t, (const char *)sqlite3_column_text(s, 0),
				    (const char *)sqlite3_column_text(s, 1)))
				x->idle = false;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE || lite_fail(l, rc, err);
}

static bool find_all_idle(struct lite *l, struct touched *t, struct err *err)
{
	bool ok = true;

	l->own = true;
	for (size_t i = 0; i < t->count && ok; i++)
		if (t->list[i].action == SQLITE_UPDATE && is_cascade(&t->list[0], &t->list[i]))
			ok = find_idle(l, t, &t->list[i], err);
	l->own = false;
	return ok;
}

static struct described_touch *touches_of(
	const struct capture *c, const struct touched *t, struct arena *a, size_t *count_out)
{
	struct described_touch *out = arena_array(a, struct described_touch, t->count + 1);
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct told *x = &t->list[i];
		const struct table *table = tables_get(c->tables, x->table);

		if (x->idle)
			continue;
		out[n++] = (struct described_touch){ .operation = operation_of(x->action),
			.table = arena_str(a, str_c(x->table)),
			.column = arena_str(a, str_c(x->column)),
			.trigger = arena_str(a, str_c(x->trigger)),
			.cascade = is_cascade(&t->list[0], x),
			.is_virtual = table && table->virtual };
	}
	*count_out = n;
	return out;
}

bool describe_touches(struct lite_stmt *s, struct arena *a, struct described_touch **out,
	size_t *count_out, struct err *err)
{
	struct touched *t = heap_new(struct touched);
	struct lite *l = s->l;
	sqlite3_stmt *again = NULL;
	int rc;

	bug_on(!l->capture || l->in_transaction);
	arena_defer(a, touched_close, t);
	l->denied_action = 0;
	l->held = s->allowed;
	l->touched = t;
	rc = sqlite3_prepare_v2(l->db, sqlite3_sql(s->s), -1, &again, NULL);
	l->touched = NULL;
	l->held = NULL;
	sqlite3_finalize(again);
	if (rc != SQLITE_OK)
		return lite_fail(l, rc, err);
	if (t->over)
		return err_set(err, E_LIMIT, "the statement touches more than %d things", TOLD_MAX);
	if (!find_all_idle(l, t, err))
		return false;
	*out = touches_of(l->capture, t, a, count_out);
	return true;
}

/* --- tables --- */

static const char names_sql[] =
	"SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
	"AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
static const char columns_sql[] = "SELECT name FROM pragma_table_xinfo(?1) ORDER BY cid";
static const char key_sql[] = "SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk";

struct heap_names {
	char **list;
	size_t count;
};

static void names_close(void *ctx)
{
	struct heap_names *n = ctx;

	for (size_t i = 0; i < n->count; i++)
		heap_free(n->list[i]);
	free(n->list);
	heap_free(n);
}

static bool add_name(struct heap_names *n, const char *name)
{
	char **list = realloc(n->list, (n->count + 1) * sizeof *list);

	if (!list)
		return false;
	n->list = list;
	list[n->count++] = copy(name);
	return true;
}

static bool fetch_names(
	struct lite *l, const char *sql, struct str of, struct heap_names *n, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(l->db, sql, -1, &s, NULL);
	bool added = true;

	if (rc == SQLITE_OK && of.n)
		rc = sqlite3_bind_text64(s, 1, of.p, of.n, SQLITE_STATIC, SQLITE_UTF8);
	if (rc == SQLITE_OK)
		while (added && (rc = sqlite3_step(s)) == SQLITE_ROW)
			added = add_name(n, (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return rc == SQLITE_DONE || lite_fail(l, added ? rc : SQLITE_NOMEM, err);
}

static bool read_names(struct lite *l, struct arena *a, const char *sql, struct str of,
	struct names *out, struct err *err)
{
	struct heap_names *n = heap_new(struct heap_names);
	struct str *list;
	bool ok;

	arena_defer(a, names_close, n);
	l->own = true;
	ok = fetch_names(l, sql, of, n, err);
	l->own = false;
	if (!ok)
		return false;
	list = arena_array(a, struct str, n->count + 1);
	for (size_t i = 0; i < n->count; i++)
		list[i] = arena_str(a, str_c(n->list[i]));
	*out = (struct names){ list, n->count };
	return true;
}

static bool know(struct lite *l, struct err *err)
{
	bug_on(!l->capture || l->in_transaction);
	return capture_know(l->capture) || lite_fail(l, sqlite3_errcode(l->db), err);
}

/* Can the capture follow the table's rows?  As in a call, before there is one. */
static void find_lost(struct lite *l, struct arena *a, struct table *t, struct described_table *out)
{
	struct err err;
	bool ok;

	if (t->unclear)
		out->lost = S("it has no rowid, and a generated column before its key");
	if (t->virtual || t->unclear)
		return;
	l->own = true;
	ok = table_read_make(l->capture, t, &err);
	l->own = false;
	if (!ok)
		out->lost = arena_str(a, str_c(err.text));
}

bool describe_table(struct lite *l, struct arena *a, struct str name, bool *found_out,
	struct described_table *out, struct err *err)
{
	struct table *t;

	if (!know(l, err))
		return false;
	t = tables_get(l->capture->tables, arena_cstr(a, name));
	*found_out = t != NULL;
	*out = (struct described_table){ 0 };
	if (!t)
		return true;
	out->is_virtual = t->virtual;
	out->backed = t->backed;
	if (!read_names(l, a, columns_sql, name, &out->columns, err) ||
		!read_names(l, a, key_sql, name, &out->key, err))
		return false;
	find_lost(l, a, t, out);
	return true;
}

bool describe_names(struct lite *l, struct arena *a, struct names *out, struct err *err)
{
	return know(l, err) && read_names(l, a, names_sql, STR_NONE, out, err);
}
