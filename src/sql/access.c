/* access - see access.h.
 *
 * Invariants: 1. what is not a read is refused before any list is asked.  2. "*" as detail stands
 * for every column, and is added only for tables that back a virtual table of the list.  3. names
 * are compared without regard to ASCII case, as SQLite does. */
#include "sql/access.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESS_MAX 4096

struct access {
	int action;
	char *name, *detail; /* "" for none */
};

struct access_list {
	struct access *list;
	size_t count, cap;
};

struct access_list *access_new(void)
{
	return heap_new(struct access_list);
}

void access_free(struct access_list **l)
{
	if (!*l)
		return;
	for (size_t i = 0; i < (*l)->count; i++) {
		heap_free((*l)->list[i].name);
		heap_free((*l)->list[i].detail);
	}
	free((*l)->list);
	heap_free(*l);
	*l = NULL;
}

static bool same(const char *a, const char *b)
{
	return sqlite3_stricmp(a, b ? b : "") == 0;
}

/* Functions that reach outside the database, here or in builds with more of them. */
static bool is_harmful_function(const char *name)
{
	static const char *const names[] = { "load_extension", "readfile", "writefile", "edit",
		"fts3_tokenizer", "lsdir", "fsdir", "zipfile", "sqlar_compress", "sqlar_uncompress",
		"sha3_query", "shell_add_schema", "shell_module_schema", "shell_putsnl", "usleep" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (same(names[i], name))
			return true;
	return false;
}

/* Tables that SQLite makes up: about its own workings, and pragmas in another dress. */
static bool is_inner_table(const char *name)
{
	static const char *const names[] = { "dbstat", "sqlite_dbpage", "sqlite_stmt", "bytecode",
		"tables_used" };

	if (sqlite3_strnicmp(name, "pragma_", 7) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (same(names[i], name))
			return true;
	return false;
}

bool access_is_read(int action, const char *name, const char *detail)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return true;
	case SQLITE_READ:
		return !is_inner_table(name);
	case SQLITE_FUNCTION:
		return !is_harmful_function(detail);
	case SQLITE_PRAGMA:
		/* full-text search asks this one itself, to know whether its cache is stale */
		return same("data_version", name) && !detail;
	case SQLITE_UPDATE:
		/* A virtual table declares its columns through the parser of CREATE TABLE, which
		 * asks this.  A statement that means it is not read-only, and refused for that. */
		return same("sqlite_master", name);
	default:
		return false;
	}
}

bool access_is_write(int action, const char *name)
{
	if (action != SQLITE_INSERT && action != SQLITE_UPDATE && action != SQLITE_DELETE)
		return false;
	return sqlite3_strnicmp(name, "sqlite_", 7) != 0;
}

bool access_is_ours(const char *name)
{
	return name && sqlite3_strnicmp(name, "postern_", 8) == 0;
}

static const struct access *find(
	const struct access_list *l, int action, const char *name, const char *detail)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i].action == action && same(l->list[i].name, name) &&
			same(l->list[i].detail, detail))
			return &l->list[i];
	return NULL;
}

static char *copy(const char *text)
{
	size_t n = text ? strlen(text) : 0;
	char *p = heap_alloc(n + 1);

	if (n)
		memcpy(p, text, n);
	return p;
}

bool access_add(struct access_list *l, int action, const char *name, const char *detail)
{
	if (find(l, action, name, detail))
		return true;
	if (l->count == ACCESS_MAX)
		return false;
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct access *list = realloc(l->list, cap * sizeof *list);

		if (!list)
			return false;
		l->list = list;
		l->cap = cap;
	}
	l->list[l->count++] = (struct access){ action, copy(name), copy(detail) };
	return true;
}

bool access_has(const struct access_list *l, int action, const char *name, const char *detail,
	const char *via)
{
	if (action != SQLITE_READ && action != SQLITE_FUNCTION)
		return access_is_read(action, name, detail) || find(l, action, name, detail);
	if (find(l, action, name, detail))
		return true;
	if (action != SQLITE_READ)
		return false;
	if (same("sqlite_master", name) && same("ROWID", detail))
		return true; /* a virtual table's declaration again; tells nothing */
	return find(l, action, name, "*") || (via && find(l, action, via, "*"));
}

bool access_writes(const struct access_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (access_is_write(l->list[i].action, l->list[i].name))
			return true;
	return false;
}

bool access_within(const struct access_list *part, const struct access_list *whole)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct access *x = &part->list[i];

		if (!access_has(whole, x->action, x->name, x->detail, NULL))
			return false;
	}
	return true;
}

static bool add_table(struct access_list *l, const char *name)
{
	return access_add(l, SQLITE_READ, name, "*");
}

/* The value of the option content=… in the definition of a full-text table: what it indexes without
 * holding a copy.  False: there is none. */
static bool content_option(struct str sql, char *out, size_t size)
{
	static const char quotes[] = "'\"`[";
	size_t at = 0;

	while ((at = str_find_str(sql, at, S("content"))) < sql.n) {
		struct str rest = str_trim(str_from(sql, at + 7));
		size_t n = 0;
		char stop = 0;

		at += 7;
		if (!rest.n || rest.p[0] != '=')
			continue;
		rest = str_trim(str_from(rest, 1));
		if (rest.n && strchr(quotes, rest.p[0])) {
			stop = rest.p[0];
			if (stop == '[')
				stop = ']';
			rest = str_from(rest, 1);
		}
		while (n < rest.n &&
			(stop ? rest.p[n] != stop : ascii_is_alnum(rest.p[n]) || rest.p[n] == '_'))
			n++;
		if (!n || n >= size)
			return false;
		memcpy(out, rest.p, n);
		out[n] = 0;
		return true;
	}
	return false;
}

static bool add_content_table(struct access_list *l, sqlite3 *db, const char *table)
{
	sqlite3_stmt *s = NULL;
	bool ok = true;
	char name[256];

	if (sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1, &s, NULL) !=
		SQLITE_OK)
		return false;
	sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(s, 0);

		if (sql && content_option(str_c(sql), name, sizeof name))
			ok = add_table(l, name);
	}
	sqlite3_finalize(s);
	return ok;
}

/* Shadow tables of TABLE are named TABLE_something, and SQLite knows that they are. */
static bool add_shadow_tables(struct access_list *l, sqlite3 *db, const char *table)
{
	static const char sql[] =
		"SELECT s.name FROM pragma_table_list AS s JOIN pragma_table_list AS v "
		"WHERE v.schema = 'main' AND v.type = 'virtual' AND v.name = ?1 COLLATE NOCASE "
		"AND s.schema = 'main' AND s.type = 'shadow' "
		"AND substr(s.name, 1, length(v.name) + 1) = v.name || '_' COLLATE NOCASE";
	bool ok = true, found = false;
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
	while (ok && sqlite3_step(s) == SQLITE_ROW) {
		found = true;
		ok = add_table(l, (const char *)sqlite3_column_text(s, 0));
	}
	ok = sqlite3_finalize(s) == SQLITE_OK && ok;
	return ok && (!found || add_content_table(l, db, table));
}

bool access_add_shadows(struct access_list *l, sqlite3 *db)
{
	size_t count = l->count;

	for (size_t i = 0; i < count; i++) {
		bool seen = l->list[i].action != SQLITE_READ || !l->list[i].name[0];

		for (size_t k = 0; k < i && !seen; k++)
			seen = l->list[k].action == SQLITE_READ &&
			       same(l->list[k].name, l->list[i].name);
		if (!seen && !add_shadow_tables(l, db, l->list[i].name))
			return false;
	}
	return true;
}
