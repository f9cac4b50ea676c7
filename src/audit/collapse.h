/* collapse - counts refusals that repeat, so that noise can neither fill the log nor slow it.
 *
 * The first of (event, reason, who) is to be recorded; those that follow are counted; once a second
 * the count is given out as one record.  Past COLLAPSE_SLOTS different ones within a second the
 * rest is counted by event alone.  Not locked. */
#pragma once
#include "audit/audit.h"

#define COLLAPSE_SLOTS 128
#define COLLAPSE_OTHERS 4 /* more slots, for what found none */

struct collapse_slot {
	uint64_t key; /* 0: free */
	uint64_t opened_ns; /* of the second that runs */
	uint64_t count; /* not given out yet */
	char *body; /* heap: members that say what is repeated */
	size_t body_bytes;
};

struct collapse {
	struct collapse_slot slots[COLLAPSE_SLOTS + COLLAPSE_OTHERS];
	uint64_t next_ns; /* nothing is due before; 0: nothing is counted */
};

uint64_t collapse_key(const struct audit_refusal *r);
/* True: record it, it is the first.  False: it was counted. */
bool collapse_first(
	struct collapse *c, const struct audit_refusal *r, uint64_t key, uint64_t now_ns);
/* The first could not be recorded: the next one is the first again. */
void collapse_forget(struct collapse *c, uint64_t key);
/* Adds the bodies that are due (or all), each with LF, to out. */
void collapse_flush(struct collapse *c, uint64_t now_ns, bool all, struct buf *out);
void collapse_done(struct collapse *c);
