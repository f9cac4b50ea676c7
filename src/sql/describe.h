/* describe - what a database says of its tables, and of what a statement would do to them, before
 * anything runs.
 *
 * On connections for writing, outside of a transaction; nothing is changed.  Text is in the arena.
 * One thread. */
#pragma once
#include "sql/capture.h"

struct described_touch {
	enum capture_operation operation;
	struct str table;
	struct str column; /* CAPTURE_UPDATE: one touch for each */
	struct str trigger; /* which one does it; empty: none */
	bool cascade; /* no trigger, but what a foreign key does with rows that refer to a row */
	bool is_virtual; /* the table: its rows are not captured */
};

/* Of a statement that was prepared; also what it may do only in some rows.  E_LIMIT: more than can
 * be told. */
bool describe_touches(struct lite_stmt *s, struct arena *a, struct described_touch **out,
	size_t *count_out, struct err *err) must_check;

struct described_table {
	bool is_virtual;
	bool backed; /* virtual: keeps what it knows in tables that are captured */
	struct names columns; /* also those that SELECT * does not give */
	struct names key; /* columns of the primary key; none: rows have a rowid alone */
	struct str lost; /* why its rows cannot be told apart; empty: they can */
};
bool describe_table(struct lite *l, struct arena *a, struct str name, bool *found_out,
	struct described_table *out, struct err *err) must_check;
/* The names of all tables. */
bool describe_names(struct lite *l, struct arena *a, struct names *out, struct err *err) must_check;
