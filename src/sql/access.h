/* access - what a statement touches, as SQLite's authorizer tells it: tables, columns, functions.
 *
 * Recorded when a statement is first prepared, fixed from then on.  Not locked: a list belongs to
 * one thread until it is published, and is only read afterwards. */
#pragma once
#include "base/def.h"

#include <sqlite3.h>

struct access_list;

struct access_list *access_new(void);
void access_free(struct access_list **l);

/* May any statement for reading do this?  `name` and `detail` are the authorizer's third and fourth
 * arguments, either may be NULL. */
bool access_is_read(int action, const char *name, const char *detail);
/* May a statement for writing do this, beside what a read may?  Rows of ordinary tables alone. */
bool access_is_write(int action, const char *name);
/* Is it a table of postern's own? */
bool access_is_ours(const char *name);
/* Adds one access.  False: more than a statement may have. */
bool access_add(struct access_list *l, int action, const char *name, const char *detail) must_check;
/* Is it in the list?  `via` is the view through which it is reached, or NULL. */
bool access_has(const struct access_list *l, int action, const char *name, const char *detail,
	const char *via);
/* Is there anything in it that changes rows? */
bool access_writes(const struct access_list *l);
/* Every access of `part` is in `whole`. */
bool access_within(const struct access_list *part, const struct access_list *whole);
/* Virtual tables (full-text search) read tables of their own while they are stepped: adds those
 * that belong to the virtual tables in the list.  False: the schema could not be read. */
bool access_add_shadows(struct access_list *l, sqlite3 *db) must_check;
