/* value - one cell as the JSON value its column declares, or a contract fault. */
#pragma once
#include "json/write.h"
#include "plan/rows.h"

/* False: the cell does not fit the column; *why_out says how, without its value. */
bool value_write(struct jw *w, struct arena *scratch, const struct column *column,
	const struct cell *cell, const char **why_out) must_check;
/* The cell of a string or bytes column as it is, for a resource that is this value. */
bool value_content(const struct column *column, const struct cell *cell, struct str *out,
	const char **why_out) must_check;
