/* capture_inside - what capture.c (which rows were touched) and capture_read.c (what stood in them)
 * share, and what the connection asks of them.
 *
 * An image is a row as bytes: for every value its type and, behind it, 8 bytes of a number, or 4 of
 * a length and the text.  Images are on the heap; no p: there is no such row. */
#pragma once
#include "sql/capture.h"
#include "sql/inside.h"
#include "sql/keyset.h"
#include "sql/tables.h"

/* A row that SQLite told of, by its rowid or its key (in `keys`). */
struct touch {
	struct table *table;
	int64_t rowid;
	unsigned statement;
	uint64_t batch; /* the capture_take that comes next, when it was last touched */
	bool was, is; /* there before, there after, by what was told in this batch */
	bool known; /* an earlier capture_take saw it: `last` is what it saw */
	struct str before, after, last;
};

/* A row of a table by what names it in the list. */
struct change {
	const struct touch *before, *after; /* NULL: none */
	unsigned statement;
};

struct capture {
	struct lite *l;
	struct tables *tables;
	struct keyset keys;
	struct touch *touches; /* by number in keys */
	size_t touch_cap;
	size_t *fresh; /* numbers of this batch, as they came */
	size_t fresh_count, fresh_cap;
	uint64_t batch;
	unsigned statement;
	struct buf scratch;

	bool over; /* more than may be held */
	bool shadows; /* virtual tables changed tables of their own */
	char lost[128]; /* a table whose rows cannot be followed */
	uint64_t told; /* rows, since the transaction began */
	int64_t counted; /* what SQLite had counted when it began */

	/* of capture_take */
	struct keyset rows;
	struct change *changes; /* by number in rows */
	size_t change_cap;
};

struct capture *capture_new(struct lite *l); /* installs the hooks on l->db */
void capture_free(struct capture **c);
/* Outside a transaction: looks whether the schema is still the one that is known. */
bool capture_know(struct capture *c) must_check;
/* The transaction has begun.  False: the schema cannot be read. */
bool capture_begin(struct capture *c) must_check;
void capture_forget(struct capture *c); /* it has ended */
bool capture_is_seen(const struct capture *c); /* capture_take has given everything away */

/* Adds a value to an image.  alike: numbers that SQLite takes for the same key come out the same.
 */
void image_add(struct buf *out, sqlite3_value *v, bool alike);

/* How rows of a table are read: its columns, and a statement on each connection. */
struct table_read {
	struct capture_table table; /* its lists are on the heap */
	sqlite3_stmt *was, *is;
};
/* Makes it when it is not there.  The authorizer lets the capture pass meanwhile. */
bool table_read_make(struct capture *c, struct table *t, struct err *err) must_check;
void table_read_free(struct table_read **r);
