/* capture - every row a transaction changed, as SQLite's preupdate hook tells it: by triggers and
 * cascades, too.
 *
 * On from the moment a connection for writing is opened, before any statement is prepared: so that
 * SQLite calls it for every row, also where a whole table is emptied.  Changes of one row are
 * folded into one: inserted then updated is inserted; updated twice is updated once; inserted then
 * deleted, and updated back to what it was, is nothing.  A row is known by its primary key, or by
 * its rowid where there is none; a key that changes is a delete and an insert.
 *
 * Refused (E_DENIED): rows of virtual tables, of tables without rowid whose key may be NULL, and of
 * sqlite_ tables other than sqlite_sequence, which counts as no change.  One thread. */
#pragma once
#include "sql/lite.h"

enum capture_operation { CAPTURE_INSERT, CAPTURE_UPDATE, CAPTURE_DELETE };

struct capture_key_of {
	struct str column, table; /* a foreign key: which table's key the column holds */
};

struct capture_table {
	struct str name;
	struct str shadow_of; /* the virtual table that keeps its index in it, or empty */
	const struct str *columns; /* all, also generated ones, in the table's order */
	size_t column_count;
	const unsigned *key; /* indices of the primary key's columns; none: the rowid */
	size_t key_count;
	bool generated_key; /* INTEGER PRIMARY KEY: the database makes it */
	const struct capture_key_of *foreign;
	size_t foreign_count;
};

struct lite_value {
	enum lite_type type;
	struct str text; /* as lite_column gives it */
};

struct capture_change {
	const struct capture_table *table;
	enum capture_operation operation;
	unsigned statement; /* capture_mark's number when the row was first touched */
	const struct lite_value *before, *after; /* column_count each; NULL where there is none */
};

struct capture_list {
	struct capture_change *changes; /* in the order of first touch */
	size_t count;
};

/* What follows belongs to statement `number`. */
void capture_mark(struct lite *l, unsigned number);
/* The changes since the transaction began, or since the last capture_take; in the arena.  E_DENIED
 * as above; E_LIMIT: more rows or bytes than max_rows, max_bytes. */
bool capture_take(struct lite *l, struct arena *a, size_t max_rows, size_t max_bytes,
	struct capture_list *out, struct err *err) must_check;
