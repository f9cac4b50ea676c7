/* store - operational state that all instances share.  SQLite; opened lazily, so that a process
 * that serves no call leaves no trace.  What is in it: keys.h, nonces.h,
 * quota.h, kills.h, drills.h, glass.h, facts.h; windows.h has a file of its own.
 *
 * Thread-safe: one connection behind one lock, calls are short.  A file of an earlier schema is
 * brought to ours when it is opened; a later or foreign one is an error that says what to do; a
 * missing file is made (mode 0600) by the first write and counts as empty for reads.  Once there
 * was one, it is the store: another in its place is refused (E_CONTRACT) until it is back. */
#pragma once
#include "base/err.h"
#include "config/config.h"

struct store;

struct store *store_new(struct str sqlite_file);
void store_free(struct store **s);

/* A 32-byte random key in a file of its own (0600) in a private directory, made by whoever comes
 * first: two processes get the same key. */
bool keyfile_get(
	struct str directory, struct str name, struct secret *out, struct err *err) must_check;
