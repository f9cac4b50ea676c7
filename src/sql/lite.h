/* lite - SQLite connections for reading and for writing, and the pools that lend them.
 *
 * Opened read-only, query_only, defensive, untrusted schema, no extensions, no ATTACH, no PRAGMA
 * from statements.  A statement may touch only the columns and functions it touched when it was
 * first prepared at load (its allow-list, enforced by the authorizer); one statement per string.
 * The progress handler enforces deadline and cancellation. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"

struct lite_pool;
struct lite; /* a borrowed connection: one thread */
struct lite_stmt; /* a prepared statement of that connection, cached by serial */

/* statement_count: serials of statements are below it. */
struct lite_pool *lite_pool_new(struct str file, unsigned size, unsigned statement_count);
void lite_pool_free(struct lite_pool **p);

/* Borrows, waiting at most wait_ms (E_BUSY), opening one when needed (E_UNAVAILABLE, E_INVALID). */
struct lite *lite_take(struct lite_pool *p, uint32_t wait_ms, struct err *err);
void lite_give(struct lite *l);

/* What a statement is, from the database itself. */
struct lite_facts {
	bool readonly, single;
	const struct str *columns, *declared_types;
	size_t column_count;
};
/* Prepares (or finds in the cache) statement `serial`.  E_DENIED: it is not a read (nor, on a
 * connection for writing, a change of rows), or reaches beyond its allow-list; E_CONTRACT: more
 * than one statement, or none; E_INVALID: the database refuses it (the text is the database's own).
 */
struct lite_stmt *lite_prepare(struct lite *l, unsigned serial, struct str sql, struct err *err);
/* Prepares a statement that is in no catalog, once: it may read whatever a read may but cells of
 * more than 256 KiB, may not call printf, and nothing is kept of it.  Failures as of lite_prepare;
 * ends with lite_end_once. */
struct lite_stmt *lite_prepare_once(struct lite *l, struct str sql, struct err *err);
void lite_end_once(struct lite_stmt *s);
/* The database's own words for the last failure, without the file's name; until the next call. */
struct str lite_words(const struct lite *l);
/* After E_DENIED: the table that the statement reaches and may not; empty: it was something else.
 * Until the next call. */
struct str lite_denied(const struct lite *l);
bool lite_facts(
	struct lite_stmt *s, struct arena *a, struct lite_facts *out, struct err *err) must_check;

/* Between these two, all statements of the connection see one state of the database. */
bool lite_begin(struct lite *l, struct err *err) must_check;
void lite_rollback(struct lite *l);

void lite_bind_null(struct lite_stmt *s, unsigned index); /* index from 1 */
void lite_bind_text(
	struct lite_stmt *s, unsigned index, struct str text); /* must live until lite_end */
void lite_bind_i64(struct lite_stmt *s, unsigned index, int64_t n);
void lite_bind_real(struct lite_stmt *s, unsigned index, double n);

/* Deadline and cancellation for the statements that follow, until lite_end. */
void lite_limits(
	struct lite *l, uint64_t deadline_mono_ms, bool (*cancelled)(void *ctx), void *ctx);

enum lite_step { LITE_ROW, LITE_DONE, LITE_FAILED };
/* LITE_FAILED: E_TIMEOUT, E_CANCELLED, E_BUSY (locked), E_LIMIT (a cell over 8 MiB, or more changes
 * than the capture holds), E_UNAVAILABLE (I/O), E_DENIED (beyond the allow-list), E_INVALID
 * (damaged, a constraint, or an error of the values).  Within lite_begin_write all that is left
 * then is to roll back. */
enum lite_step lite_step(struct lite_stmt *s, struct err *err);
/* The last failure was not the fault of the values that were bound: the file is damaged, cannot be
 * read, or its schema is another one.  Such a connection is closed when given back. */
bool lite_is_broken(const struct lite *l);
/* Which kind of constraint the last failure broke: "unique", "not_null", "check", "foreign_key",
 * "datatype", or "trigger" (RAISE); NULL: none. */
const char *lite_constraint(const struct lite *l);
void lite_end(struct lite_stmt *s); /* reset and clear bindings; columns are gone */

enum lite_type { LITE_NULL, LITE_INTEGER, LITE_REAL, LITE_TEXT, LITE_BLOB };
/* INTEGER and REAL as lexemes (REAL: shortest that reads back the same; NaN and infinity are
 * E_CONTRACT at the caller), valid until the next step: copied into the arena. */
enum lite_type lite_column(
	struct lite_stmt *s, unsigned column, struct arena *a, struct str *text_out);

/* Connections for writing: at most one at a time is lent, so that nobody in this process waits for
 * a lock inside the database.  The file must be there (E_UNAVAILABLE) and writable (E_DENIED).
 * Triggers and foreign keys are on, also the triggers of rows that REPLACE deletes; a commit is
 * synced whole; the journal is the file's own.  Changes are captured (capture.h).
 *
 * A statement may read, insert, update and delete rows.  The authorizer holds it to what it touched
 * when it was first prepared, which includes foreign keys, but for what triggers and virtual tables
 * do with rows: that the capture shows.  A foreign key added later is refused (lite_denied names
 * its table).  No statement, trigger or view touches a table called postern_…, but those prepared
 * with lite_prepare_own.  lite_begin is for reading only. */
struct lite_pool *lite_pool_new_writing(struct str file, unsigned statement_count);

/* BEGIN IMMEDIATE: from here on nobody else changes the database.  E_BUSY: somebody does.
 * Statements outside of it can read, and change nothing. */
bool lite_begin_write(struct lite *l, struct err *err) must_check;
/* False: a deferred foreign key is not fulfilled, and COMMIT would fail. */
bool lite_constraints_hold(struct lite *l);
/* COMMIT, which neither deadline nor cancellation stops.  All that was changed must have been given
 * away by capture_take.  True: it is there.  E_UNCERTAIN: nobody knows, ask the ledger on another
 * connection; this one is closed when given back.  Anything else: rolled back, nothing is there,
 * for certain: E_BUSY (somebody reads, and the file has no WAL), E_INVALID (a deferred foreign
 * key), E_UNAVAILABLE (the disk is full, the file was replaced), E_CONTRACT (a statement failed, or
 * nobody looked at what it changed). */
bool lite_commit(struct lite *l, struct err *err) must_check;
/* A statement of the server's own, such as the ledger's: never from a catalog.  One at a time, and
 * not beside lite_prepare_once; ends with lite_end_once.  On connections for reading, too. */
struct lite_stmt *lite_prepare_own(struct lite *l, const char *sql, struct err *err);
/* What ?index of a statement is bound to, as bytes. */
void lite_bind_blob(struct lite_stmt *s, unsigned index, struct str bytes); /* until lite_end */
