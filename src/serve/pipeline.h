/* pipeline - everything that can happen to a call, in order.  Start reading here. */
#pragma once
#include "plan/change.h"
#include "serve/world.h"

struct run {
	struct world *world;
	struct generation *generation;
	struct call *call;
	const struct mcp_request *request; /* NULL: not from a client */
	bool structured; /* the client's revision knows structuredContent */
	const struct receipt *receipt; /* NULL at the end: the call could not be recorded */
	const struct warrant *warrant;
	struct watched watched; /* while it runs */
	struct gate gate; /* of a change */
	struct call *steps; /* of apply_together: each as a call of its own */
	struct intent *intent; /* live: its CALL_INTENT record */
};

/* Runs the call to its end.  Afterwards call->result_json is what may be sent (but for CALL_ASKS
 * and for faults of anything that is not a tool), and only if receipt is there: without one nothing
 * of the outcome may leave, and the fault is AUDIT_UNAVAILABLE. */
void pipeline_run(struct run *r);
