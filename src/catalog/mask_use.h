/* mask_use - does a statement sort by a masked column?
 *
 * Reads tokens, not grammar: behind ORDER BY, at any depth and up to the end of the clause, a name
 * equal to a masked column's, or the number of one.  A column that is masked under another name
 * (email AS contact … ORDER BY email) is not seen; the manual says so. */
#pragma once
#include "catalog/catalog.h"

/* The first such column, or NULL. */
const struct column *mask_ordered_by(
	struct str sql, const struct column *columns, size_t column_count);
