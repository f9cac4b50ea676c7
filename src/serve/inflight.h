/* inflight - the calls that run now, by the scope their ids belong to: a stdio pipe or a legacy
 * session.  So that notifications/cancelled finds its call, and a live id is not used twice.
 * Thread-safe. */
#pragma once
#include "base/str.h"

struct inflight;

struct inflight_call {
	struct inflight_call *next;
	struct str scope, id; /* raw JSON of the id; both must live until inflight_end */
	_Atomic bool cancelled;
};

struct inflight *inflight_new(void);
void inflight_free(struct inflight **i);

/* False: a call with this id runs in this scope already. */
bool inflight_begin(struct inflight *i, struct inflight_call *call) must_check;
void inflight_end(struct inflight *i, struct inflight_call *call); /* may be said again */
void inflight_cancel(struct inflight *i, struct str scope, struct str id);
