/* tables - what the schema of a database says: which tables there are and how their rows are known.
 *
 * Read anew when the schema is another one; between two such times every name and pointer stays.
 * One thread. */
#pragma once
#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>

struct table {
	char *name;
	bool without_rowid, shadow, virtual;
	bool backed; /* virtual: has shadow tables */
	bool unclear; /* SQLite tells the keys of its rows in a way that cannot be relied on */
	int *key; /* without rowid: the columns of its key, by their place in the table */
	size_t key_count;
	struct table *shadow_of; /* the virtual table that a shadow table belongs to */
	struct table_read *read; /* made when a row is first read; see capture_read.c */
};

struct tables;

/* `forget`, here and below, is given what stands in `read` of every table. */
struct tables *tables_new(void);
void tables_free(struct tables **t, void (*forget)(struct table_read **r));

/* Reads the schema when it is not the one that is known. */
bool tables_refresh(
	struct tables *t, sqlite3 *db, void (*forget)(struct table_read **r)) must_check;
struct table *tables_get(const struct tables *t, const char *name); /* NULL: there is none */
bool tables_have_virtual(const struct tables *t);
/* There are virtual tables, and each keeps what it knows in tables of this file. */
bool tables_are_backed(const struct tables *t);
/* Neither knows NULL. */
bool tables_is_trigger(const struct tables *t, const char *name);
bool tables_is_shadow(const struct tables *t, const char *name);
