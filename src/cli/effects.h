/* effects - the effects of a recorded change, as a person reads them: row by row, what was and what
 * is, values as they stand in the record. */
#pragma once
#include "base/err.h"
#include "json/json.h"

/* effects: the member of the record, whole or naming a blob of the log's directory.  False: the
 * blob cannot be read, or it is none of ours; what could be shown is printed. */
bool effects_print(struct arena *a, struct str directory, const struct json *effects,
	struct err *err) must_check;
