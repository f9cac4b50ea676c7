/* line - whether bytes are a line of the log; see journal.h for its form.  Pure. */
#pragma once
#include "base/str.h"

struct line {
	uint64_t index;
	struct str time; /* as it stands: 27 characters that sort as time does */
	struct str event; /* capitals and '_' */
};

/* s: without LF.  False: its form, its crc, or it is not one JSON object. */
bool line_read(struct str s, struct line *out) must_check;
/* Only the time, at its place, unchecked otherwise; STR_NONE: it is not there. */
struct str line_time(struct str s);
