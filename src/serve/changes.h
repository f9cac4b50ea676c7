/* changes - which entries a reload has changed lately, so that a call made from what the client had
 * read before is told so.  Lives in its generation's arena, immutable. */
#pragma once
#include "plan/call.h"

#define CHANGES_MS 600000 /* how long a client may go on with what it read before */

struct entry_change {
	const struct entry *entry; /* as it is now */
	uint64_t at_ms; /* monotonic */
};

struct changes {
	const struct entry_change *list;
	size_t count;
};

/* What is different in `now`, and what of the changes before is still fresh. */
void changes_find(struct changes *out, struct arena *a, const struct catalog *before,
	const struct changes *earlier, const struct catalog *now, uint64_t mono_ms);

/* The call's arguments did not fit: if its entry is among the changed ones, the reason is
 * tool_changed, and details say the version that there is. */
void changes_explain(const struct changes *changes, struct call *c, uint64_t mono_ms);
