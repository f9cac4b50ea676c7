/* capture - which rows a transaction touched.  See capture.h; what stood in them is capture_read.c.
 *
 * The hook is told of a row before it changes and may ask the database nothing, so it only notes
 * which row it is.
 *
 * Invariants: 1. what cannot be noted (a table nobody knows, too many rows) is noted as such, and
 * capture_take refuses.  2. nothing commits but by lite_commit, and not while there is a row that
 * no capture_take has given away.  3. the hook neither allocates without a bound nor fails
 * loudly. */
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "sql/capture_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOUCHED_MAX 100000
#define KEYS_MAX_BYTES ((size_t)16 << 20)
#define PAGES_MAX_BYTES (64 << 20) /* of the database, changed and held in memory */

static void give_up(struct capture *c)
{
	c->over = true;
	c->l->stopped = E_LIMIT;
	sqlite3_interrupt(c->l->db);
}

static void lose(struct capture *c, const char *table)
{
	if (!c->lost[0])
		snprintf(c->lost, sizeof c->lost, "%s", table);
}

static void add_bytes(struct buf *out, const void *p, size_t n)
{
	buf_add(out, str_n(p, n));
}

static void add_text(struct buf *out, const void *p, int bytes)
{
	uint32_t n = (uint32_t)bytes;

	add_bytes(out, &n, sizeof n);
	add_bytes(out, p, n);
}

static void add_integer(struct buf *out, int64_t n)
{
	buf_char(out, SQLITE_INTEGER);
	add_bytes(out, &n, sizeof n);
}

void image_add(struct buf *out, sqlite3_value *v, bool alike)
{
	int type = sqlite3_value_type(v);
	const void *p;
	double real;

	if (type == SQLITE_INTEGER) {
		add_integer(out, sqlite3_value_int64(v));
		return;
	}
	real = type == SQLITE_FLOAT ? sqlite3_value_double(v) : 0;
	if (type == SQLITE_FLOAT && alike && fabs(real) < 9e18 && real == (double)(int64_t)real) {
		add_integer(out, (int64_t)real);
		return;
	}
	buf_char(out, (char)type);
	if (type == SQLITE_FLOAT)
		add_bytes(out, &real, sizeof real);
	if (type != SQLITE_TEXT && type != SQLITE_BLOB)
		return;
	p = type == SQLITE_TEXT ? (const void *)sqlite3_value_text(v) : sqlite3_value_blob(v);
	add_text(out, p, sqlite3_value_bytes(v));
}

static void *grown(void *list, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *p = realloc(list, more * size);

	if (p) {
		memset((char *)p + *cap * size, 0, (more - *cap) * size);
		*cap = more;
	}
	return p;
}

static bool make_room(struct capture *c)
{
	if (c->keys.count == c->touch_cap) {
		struct touch *touches = grown(c->touches, &c->touch_cap, sizeof *touches);

		if (!touches)
			return false;
		c->touches = touches;
	}
	if (c->fresh_count == c->fresh_cap) {
		size_t *fresh = grown(c->fresh, &c->fresh_cap, sizeof *fresh);

		if (!fresh)
			return false;
		c->fresh = fresh;
	}
	return true;
}

/* The row that c->scratch names is about to be there (is) or not; it was, or was not. */
static void note(struct capture *c, struct table *table, int64_t rowid, bool was, bool is)
{
	struct touch *touch;
	size_t number;
	bool added;

	if (!buf_ok(&c->scratch) || !make_room(c) ||
		!keyset_add(&c->keys, buf_str(&c->scratch), &number, &added)) {
		give_up(c);
		return;
	}
	touch = &c->touches[number];
	if (added)
		*touch = (struct touch){ .table = table, .rowid = rowid };
	if (touch->batch != c->batch) {
		touch->batch = c->batch;
		touch->was = was;
		touch->statement = c->statement;
		c->fresh[c->fresh_count++] = number;
	}
	touch->is = is;
}

static void start_key(struct capture *c, const struct table *table)
{
	buf_clear(&c->scratch);
	add_bytes(&c->scratch, &table, sizeof table);
}

static void note_rowid(struct capture *c, struct table *table, int64_t rowid, bool was, bool is)
{
	start_key(c, table);
	add_bytes(&c->scratch, &rowid, sizeof rowid);
	note(c, table, rowid, was, is);
}

static void note_key(struct capture *c, struct table *table, bool old, bool was, bool is)
{
	start_key(c, table);
	for (size_t i = 0; i < table->key_count; i++) {
		sqlite3_value *v = NULL;
		int rc = old ? sqlite3_preupdate_old(c->l->db, table->key[i], &v)
			     : sqlite3_preupdate_new(c->l->db, table->key[i], &v);

		if (rc != SQLITE_OK || !v) {
			lose(c, table->name);
			return;
		}
		image_add(&c->scratch, v, true);
	}
	note(c, table, 0, was, is);
}

static void check_memory(struct capture *c)
{
	int used = 0, most = 0;

	sqlite3_db_status(c->l->db, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0);
	if (used > PAGES_MAX_BYTES)
		give_up(c);
}

/* An update that moves a row is its end in one place and its beginning in another. */
static void on_change(void *ctx, sqlite3 *db, int operation, const char *schema, const char *name,
	sqlite3_int64 old_rowid, sqlite3_int64 new_rowid)
{
	struct capture *c = ctx;
	struct table *table = tables_get(c->tables, name);
	bool was = operation != SQLITE_INSERT, is = operation != SQLITE_DELETE;

	(void)db;
	c->told++;
	check_memory(c);
	if (!table || table->unclear || strcmp(schema, "main") != 0) {
		lose(c, name);
		return;
	}
	c->shadows |= table->shadow;
	if (table->without_rowid) {
		if (was)
			note_key(c, table, true, true, false);
		if (is)
			note_key(c, table, false, false, true);
		return;
	}
	if (was && is && old_rowid == new_rowid) {
		note_rowid(c, table, old_rowid, true, true);
		return;
	}
	if (was)
		note_rowid(c, table, old_rowid, true, false);
	if (is)
		note_rowid(c, table, new_rowid, false, true);
}

static int on_commit(void *ctx)
{
	const struct capture *c = ctx;

	return !c->l->committing || !capture_is_seen(c);
}

struct capture *capture_new(struct lite *l)
{
	struct capture *c = heap_new(struct capture);

	c->l = l;
	c->tables = tables_new();
	keyset_init(&c->keys, TOUCHED_MAX, KEYS_MAX_BYTES);
	keyset_init(&c->rows, (size_t)2 * TOUCHED_MAX, SIZE_MAX / 4);
	buf_init(&c->scratch, KEYS_MAX_BYTES);
	sqlite3_preupdate_hook(l->db, on_change, c);
	sqlite3_commit_hook(l->db, on_commit, c);
	return c;
}

void capture_free(struct capture **capture)
{
	struct capture *c = *capture;

	if (!c)
		return;
	capture_forget(c);
	tables_free(&c->tables, table_read_free);
	heap_free(c);
	*capture = NULL;
}

/* SQLite 3.40 takes full-text search in a trigger for unsafe; later ones do not.  Where every
 * virtual table is of that kind it may be used: what else trust would open, the authorizer shuts.
 */
static void set_trust(struct capture *c, bool trusted)
{
	bug_on(sqlite3_db_config(c->l->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, trusted, NULL) !=
		SQLITE_OK);
}

bool capture_know(struct capture *c)
{
	bool ok;

	c->l->own = true;
	ok = tables_refresh(c->tables, c->l->db, table_read_free);
	c->l->own = false;
	set_trust(c, ok && tables_are_backed(c->tables));
	return ok;
}

bool capture_begin(struct capture *c)
{
	c->batch = 1;
	c->counted = sqlite3_total_changes64(c->l->db);
	return capture_know(c);
}

void capture_forget(struct capture *c)
{
	for (size_t i = 0; i < c->keys.count; i++) {
		free((void *)(uintptr_t)c->touches[i].before.p);
		free((void *)(uintptr_t)c->touches[i].after.p);
		free((void *)(uintptr_t)c->touches[i].last.p);
	}
	keyset_done(&c->keys);
	keyset_done(&c->rows);
	buf_done(&c->scratch);
	free(c->touches);
	free(c->fresh);
	free(c->changes);
	c->touches = NULL;
	c->fresh = NULL;
	c->changes = NULL;
	c->touch_cap = c->fresh_cap = c->fresh_count = c->change_cap = 0;
	c->over = c->shadows = false;
	c->lost[0] = 0;
	c->told = 0;
	c->statement = 0;
}

bool capture_is_seen(const struct capture *c)
{
	return !c->fresh_count && !c->over && !c->lost[0];
}

void capture_mark(struct lite *l, unsigned number)
{
	bug_on(!l->capture);
	l->capture->statement = number;
}
