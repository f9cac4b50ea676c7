/* capture - every row a transaction changed, by triggers and cascades, too.
 *
 * SQLite's preupdate hook says which rows; it is on from the moment a connection for writing is
 * opened, before any statement is prepared, so that it is called for every row, also where a whole
 * table is emptied.  What stood in them is read from the database, before and after, so all columns
 * are there as a SELECT gives them: generated ones, those added later, with their defaults.
 *
 * Changes of one row are folded into one: inserted then updated is inserted; updated twice is
 * updated once; inserted then deleted, and updated back to what it was, is nothing.  A row is known
 * by the bytes of its primary key, or by its rowid where there is none or a part of it is NULL; a
 * key that changes is a delete and an insert, and a row that REPLACE puts in the place of one of
 * the same key is an update.
 *
 * Rows of virtual tables are not seen.  Those of full-text search show as changes of the tables
 * that it keeps its index in (shadow_of); what such a row holds depends on everything else that is
 * indexed.  AUTOINCREMENT's own table counts as no change.
 *
 * A statement that fails spoils the transaction: nothing can be captured and nothing committed any
 * more, also where SQLite keeps a part (OR FAIL).  One thread. */
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
/* The changes since the transaction began, or since the last capture_take; in the arena.  E_DENIED:
 * a table whose rows cannot be told apart, by name: one that hides its rowid, or one without rowid
 * that has a generated column before its key.  E_LIMIT: more rows or bytes than max_rows, max_bytes
 * (of both images), or than the capture itself holds: 100,000 rows, 64 MiB of changed pages; a
 * statement that passes these is stopped.  E_CONTRACT: a statement failed, or SQLite's own count
 * and what it told do not agree. */
bool capture_take(struct lite *l, struct arena *a, size_t max_rows, size_t max_bytes,
	struct capture_list *out, struct err *err) must_check;
