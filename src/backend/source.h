/* source - what stands behind one source of the configuration: its connections, and how many calls
 * may be in it at a time.
 *
 * Thread-safe.  A visit is one call's stay in a source; it ends by visit_end, or with the call's
 * arena when the call ended by a jump. */
#pragma once
#include "base/arena.h"
#include "config/config.h"
#include "sql/lite.h"

#include <pthread.h>

struct source {
	const struct source_config *config;
	struct lite_pool *pool; /* SQLite; else NULL */
	struct lite_pool *writers; /* SQLite, when something in the catalog changes it; else NULL */
	int root; /* FILES: descriptor of the root directory, -1 until first needed */
	pthread_mutex_t lock;
	pthread_cond_t left; /* a visit ended */
	unsigned inside, most;
};

/* writes: some entry changes it; without one no connection for writing exists. */
void source_init(struct source *s, const struct source_config *config, unsigned statement_count,
	bool writes);
void source_done(struct source *s);

struct visit {
	struct source *source;
	struct lite *lite; /* borrowed, or NULL */
};

/* Waits for a free place at most wait_ms (E_BUSY).  The visit lives in the arena. */
struct visit *visit_begin(struct source *s, struct arena *a, uint32_t wait_ms, struct err *err);
/* Borrows a connection for the rest of the visit. */
struct lite *visit_lite(struct visit *v, uint32_t wait_ms, struct err *err);
/* The same, one that may change the database. */
struct lite *visit_writer(struct visit *v, uint32_t wait_ms, struct err *err);
void visit_end(struct visit *v); /* a second time does nothing */

/* The root directory of a FILES source, opened once.  -1: err tells why. */
int source_root(struct source *s, struct err *err);
