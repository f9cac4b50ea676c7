/* ready - can this process serve a call now?  For load balancers and whoever looks at night.
 *
 * Every check is a row of a table in ready.c.  What they say is kept for READY_MS, and one thread
 * at a time looks: a disk that hangs keeps one thread, the others say what they know and how old it
 * is; past READY_STALE_MS that is "no".  Thread-safe. */
#pragma once
#include "base/buf.h"

#define READY_MS 1000
#define READY_STALE_MS 10000
#define READY_CHECKS_MAX 16

struct ready;
struct world;

struct ready *ready_new(struct world *w);
void ready_free(struct ready **r);

struct ready_check {
	const char *name;
	bool ok;
	char why[160]; /* empty when ok; of our own words, fit for whoever may read the metrics */
};

struct ready_state {
	bool ok;
	struct ready_check checks[READY_CHECKS_MAX];
	size_t count;
};
void ready_look(struct ready *r, uint64_t mono_ms, struct ready_state *out);
/* {"status":"ready"|"not ready","checks":{"audit":"ok",…}} */
void ready_write(const struct ready_state *s, struct buf *out);
