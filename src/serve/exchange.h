/* exchange - one message being answered, whatever carries it.
 *
 * A front (http_front, stdio_front) makes one for each message; answer.c speaks to it.  One thread
 * until exchange_park, which makes a counted exchange that any thread may send on. */
#pragma once
#include "base/str.h"

struct exchange;

struct exchange_ops {
	/* The one answer.  json empty: nothing but the status (202).  session: value of
	 * Mcp-Session-Id on the reply, or empty.  After messages went out, it is the last of the
	 * stream. */
	void (*reply)(struct exchange *x, int status, struct str json, struct str session);
	/* A message before the answer; the first one turns the exchange into a stream.  False:
	 * gone. */
	bool (*send)(struct exchange *x, struct str json);
	/* The caller has hung up. */
	bool (*gone)(struct exchange *x);
	/* Keeps the stream open past this thread's work: a heap exchange with one reference.  No
	 * reply is given on x any more.  on_gone(ctx, token) comes at most once, from any thread,
	 * perhaps while the holder ends the exchange itself: ctx must outlive all streams, token
	 * names the holder.  NULL: it cannot. */
	struct exchange *(*park)(struct exchange *x, void (*on_gone)(void *ctx, uint64_t token),
		void *ctx, uint64_t token);
	/* Ends the stream though the call goes on: its answer is for a client that comes back. */
	void (*cut)(struct exchange *x);
	void (*free)(struct exchange *x); /* parked ones, at the last drop */
};

/* What the reply says of limits, as HTTP field values; empty: nothing. */
struct exchange_limits {
	struct str policy, state, retry_after;
};

struct exchange {
	const struct exchange_ops *ops;
	struct exchange_limits limits;
	bool http;
	struct str session; /* nonce of the session whose streams may be resumed (2025-11-25), or
			       empty */
	_Atomic unsigned holders; /* of a parked one */
};

static inline void exchange_hold(struct exchange *x)
{
	x->holders++;
}
static inline void exchange_drop(struct exchange *x)
{
	if (--x->holders == 0)
		x->ops->free(x);
}
