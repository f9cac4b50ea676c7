/* tables - see tables.h. */
#include "sql/tables.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 10000

struct tables {
	bool known;
	int64_t version; /* of the schema */
	struct table *list;
	size_t count;
	struct map by_name, triggers;
	bool have_virtual;
};

static const char version_sql[] = "PRAGMA main.schema_version";
static const char tables_sql[] =
	"SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' "
	"AND type IN ('table', 'virtual', 'shadow') AND substr(name, 1, 7) <> 'sqlite_'";
/* hidden 2: a generated column that is not stored */
static const char key_sql[] =
	"SELECT x.cid, EXISTS (SELECT 1 FROM pragma_table_xinfo(?1) AS g WHERE g.hidden = 2 "
	"AND g.cid < x.cid) FROM pragma_table_xinfo(?1) AS x WHERE x.pk > 0 ORDER BY x.pk";
static const char triggers_sql[] =
	"SELECT DISTINCT lower(name) FROM sqlite_schema WHERE type = 'trigger' "
	"AND lower(name) NOT IN (SELECT lower(name) FROM sqlite_schema WHERE type = 'view')";

struct tables *tables_new(void)
{
	struct tables *t = heap_new(struct tables);

	map_init(&t->by_name);
	map_init(&t->triggers);
	return t;
}

static void clear(struct tables *t, void (*forget)(struct table_read **r))
{
	for (size_t i = 0; i < t->count; i++) {
		forget(&t->list[i].read);
		heap_free(t->list[i].name);
		free(t->list[i].key);
	}
	free(t->list);
	map_done(&t->by_name);
	map_done(&t->triggers);
	*t = (struct tables){ 0 };
	map_init(&t->by_name);
	map_init(&t->triggers);
}

void tables_free(struct tables **t, void (*forget)(struct table_read **r))
{
	if (!*t)
		return;
	clear(*t, forget);
	heap_free(*t);
	*t = NULL;
}

static struct str text_of(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_text(s, column);

	return str_n(p, p ? (size_t)sqlite3_column_bytes(s, column) : 0);
}

static bool add_table(struct tables *t, sqlite3_stmt *s)
{
	struct str name = text_of(s, 0);
	struct table *list, *one;

	if (t->count == TABLES_MAX)
		return false;
	list = realloc(t->list, (t->count + 1) * sizeof *list);
	if (!list)
		return false;
	t->list = list;
	one = &list[t->count++];
	*one = (struct table){ .name = heap_alloc(name.n + 1),
		.shadow = str_eq(text_of(s, 1), S("shadow")),
		.virtual = str_eq(text_of(s, 1), S("virtual")),
		.without_rowid = sqlite3_column_int(s, 2) != 0 };
	if (name.n)
		memcpy(one->name, name.p, name.n);
	t->have_virtual |= one->virtual;
	return true;
}

static bool add_trigger(struct tables *t, sqlite3_stmt *s)
{
	return map_add(&t->triggers, text_of(s, 0), t);
}

static bool read_all(struct tables *t, sqlite3 *db, const char *sql,
	bool (*add)(struct tables *t, sqlite3_stmt *s))
{
	sqlite3_stmt *s = NULL;
	bool ok = sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK;

	while (ok && sqlite3_step(s) == SQLITE_ROW)
		ok = add(t, s);
	return sqlite3_finalize(s) == SQLITE_OK && ok;
}

static bool read_key(struct table *t, sqlite3_stmt *s)
{
	bool ok = true;

	sqlite3_bind_text(s, 1, t->name, -1, SQLITE_STATIC);
	while (ok && sqlite3_step(s) == SQLITE_ROW) {
		int *key = realloc(t->key, (t->key_count + 1) * sizeof *key);

		ok = key != NULL;
		if (!ok)
			break;
		t->key = key;
		key[t->key_count++] = sqlite3_column_int(s, 0);
		t->unclear |= sqlite3_column_int(s, 1) != 0;
	}
	return sqlite3_reset(s) == SQLITE_OK && ok;
}

static bool read_keys(struct tables *t, sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	bool ok = sqlite3_prepare_v2(db, key_sql, -1, &s, NULL) == SQLITE_OK;

	for (size_t i = 0; i < t->count && ok; i++)
		if (t->list[i].without_rowid)
			ok = read_key(&t->list[i], s);
	return sqlite3_finalize(s) == SQLITE_OK && ok;
}

/* SQLite's rule: the name of the virtual table, '_', and something. */
static struct table *owner_of(const struct tables *t, const struct table *shadow)
{
	struct str name = str_c(shadow->name);

	for (size_t i = 0; i < t->count; i++) {
		struct str owner = str_c(t->list[i].name);

		if (t->list[i].virtual && name.n > owner.n && name.p[owner.n] == '_' &&
			str_eq_ci(str_sub(name, 0, owner.n), owner))
			return &t->list[i];
	}
	return NULL;
}

static bool link_tables(struct tables *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct table *owner = t->list[i].shadow ? owner_of(t, &t->list[i]) : NULL;

		t->list[i].shadow_of = owner;
		if (owner)
			owner->backed = true;
		if (!map_add(&t->by_name, str_c(t->list[i].name), &t->list[i]))
			return false;
	}
	return true;
}

static bool read_version(sqlite3 *db, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	bool ok = sqlite3_prepare_v2(db, version_sql, -1, &s, NULL) == SQLITE_OK &&
		  sqlite3_step(s) == SQLITE_ROW;

	if (ok)
		*out = sqlite3_column_int64(s, 0);
	return sqlite3_finalize(s) == SQLITE_OK && ok;
}

bool tables_refresh(struct tables *t, sqlite3 *db, void (*forget)(struct table_read **r))
{
	int64_t version;

	if (!read_version(db, &version))
		return false;
	if (t->known && t->version == version)
		return true;
	clear(t, forget);
	t->version = version;
	/* the triggers first: they are rows, so that SQLite looks whether it knows the schema */
	t->known = read_all(t, db, triggers_sql, add_trigger) &&
		   read_all(t, db, tables_sql, add_table) && read_keys(t, db) && link_tables(t);
	return t->known;
}

struct table *tables_get(const struct tables *t, const char *name)
{
	return map_get(&t->by_name, str_c(name));
}

bool tables_have_virtual(const struct tables *t)
{
	return t->have_virtual;
}

bool tables_are_backed(const struct tables *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].virtual && !t->list[i].backed)
			return false;
	return t->have_virtual;
}

bool tables_is_trigger(const struct tables *t, const char *name)
{
	char lower[256];
	size_t n = 0;

	for (; name && name[n] && n < sizeof lower; n++)
		lower[n] = ascii_lower(name[n]);
	return n && n < sizeof lower && map_get(&t->triggers, str_n(lower, n));
}

bool tables_is_shadow(const struct tables *t, const char *name)
{
	const struct table *table = name ? tables_get(t, name) : NULL;

	return table && table->shadow;
}
