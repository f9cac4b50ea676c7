/* inside - what the files of store share: the one connection, its lock and its statements.  Of
 * store only.
 *
 * A group of functions (keys.c, kills.c, …) locks, asks store_ready, runs its statements and
 * unlocks.  Its tables are a step of the schema (schema.c). */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "store/clock.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#define STORE_BUSY_MS 2000
#define STORE_STATEMENTS_MAX 128

/* Which file it is, whatever its name. */
struct store_inode {
	dev_t device;
	ino_t inode; /* 0: none */
};

struct store {
	pthread_mutex_t lock;
	char *file;
	sqlite3 *db; /* NULL: not open */
	struct {
		const char *sql; /* named by the address of its text */
		sqlite3_stmt *prepared;
	} statements[STORE_STATEMENTS_MAX];
	size_t statement_count;
	struct store_inode file_is, journal_is; /* while db is open: what it opened */
	store_clock_read *clock;
	char boot_id[64]; /* of clock_of_host, once it was asked */
};

/* schema.c: step i brings a file from version i to i + 1; steps that were released never change. */
extern const char *const store_schema[];
extern const int store_schema_version;

/* clock.c: the store's time at this moment, from what was written last; tick writes it, too, and
 * belongs into a transaction.  Both under the lock. */
void store_clock_moment(struct store *s, struct store_moment *out);
bool store_clock_look(struct store *s, const struct store_moment *now, int64_t *at_ms_out,
	struct err *err) must_check;
bool store_clock_tick(struct store *s, const struct store_moment *now, int64_t *at_ms_out,
	struct err *err) must_check;

/* All under the lock.  store_ready: the file behind the path, brought to our schema; true with
 * s->db NULL: there is nothing yet, and `making` is off.  E_CONTRACT: there is another file now
 * than the one that was opened, or its journal is not the one that we read. */
bool store_ready(struct store *s, bool making, struct err *err) must_check;
/* sql: a constant of the program, prepared once.  NULL: err says why. */
sqlite3_stmt *store_query(struct store *s, const char *sql, struct err *err);
/* Runs a bound statement that changes rows; *changed_out says how many. */
bool store_change(struct store *s, sqlite3_stmt *q, int *changed_out, struct err *err) must_check;
void store_end(sqlite3_stmt *q); /* resets it and forgets what was bound; NULL is fine */
bool store_fail(const struct store *s, int rc, struct err *err); /* false */
bool store_run(struct store *s, const char *sql, struct err *err) must_check;

void store_bind(sqlite3_stmt *q, int index, struct str text);
/* Text goes to `space`, which must not grow: an arena may jump, and we hold the lock. */
struct str store_text(sqlite3_stmt *q, int column, struct buf *space);
/* In an arena that does not jump: one without arena_catch. */
struct str store_text_in(struct arena *a, sqlite3_stmt *q, int column);
size_t store_row_bytes(sqlite3_stmt *q); /* of all columns */
