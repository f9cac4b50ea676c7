/* past - changes that were committed, as the ledger of their source has them: call->past of a tool
 * that tells of them.  In the call's arena; one thread. */
#pragma once
#include "base/seal.h"
#include "plan/plan.h"

struct past_change {
	struct plan plan; /* as it was committed; its effects are those that are told */
	uint64_t left_out; /* effects of the change that are none of the record's */
};

struct catalog;

struct past {
	const struct seal *seal; /* of what the ledger keeps; handed in by serve */
	const struct catalog *catalog; /* today's: what it masks is masked; handed in by serve */
	struct past_change *list; /* one for each of call->rows[0] */
	size_t count;
};
