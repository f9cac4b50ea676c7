/* marker - what a database says of itself: which environment it belongs to, and whether what it
 * holds was made up.
 *
 * One row of a table called postern_marker, written once by `postern install` on a connection of
 * its own; everything else here only reads. */
#pragma once
#include "sql/lite.h"

struct marker {
	bool found;
	struct str environment, deployment; /* as written; may be of no environment we know */
	bool synthetic;
	/* 32 hex digits, made once and never again: which database this is, wherever it is moved
	 * to; empty: it was marked before there was such a thing.  Not read by marker_install. */
	struct str identity;
};

/* out->found is false when there is no such table.  E_INVALID: there is one that postern did not
 * write, or it has no row, or several. */
bool marker_read(struct lite *l, struct arena *a, struct marker *out, struct err *err) must_check;
/* Is it this environment's? */
bool marker_is(const struct marker *m, enum environment e);

/* Writes it, or writes it again.  E_EXISTS: the marker of another environment is there, and stays.
 * installed_at: RFC 3339. */
bool marker_install(struct str file, const struct marker *m, struct str installed_at,
	struct err *err) must_check;
