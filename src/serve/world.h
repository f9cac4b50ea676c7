/* world - what a serving process knows: a configuration with all that was built from it.
 *
 * A generation is immutable and counted: a call holds the one it began with, a reload makes the
 * next. The store, the audit log and the sealing key outlive generations.  Thread-safe. */
#pragma once
#include "audit/audit.h"
#include "backend/backend.h"
#include "base/seal.h"
#include "identity/identity.h"
#include "mcp/names.h"
#include "mcp/write.h"
#include "serve/watch.h"

struct generation {
	struct arena arena;
	const struct config *config;
	struct catalog *catalog;
	struct identity *identity;
	struct backends *backends;
	struct guard *guard;
	struct mcp_server_info info;
	unsigned holders; /* under the world's lock */
};

struct world;

struct world_options {
	struct str config_file;
	struct str listen, instance; /* overrides, or empty */
};

/* Loads and lints; touches no database and makes no file.  NULL: findings tell why. */
struct world *world_open(const struct world_options *options, struct findings *f);
/* Loads again and asks every source; on any error the old generation stays.  The listening address
 * is the one of the start.  True: the new one is in force. */
bool world_reload(struct world *w, struct findings *f) must_check;
void world_close(struct world **w);

struct generation *world_hold(struct world *w);
void world_drop(struct world *w, struct generation *g);

struct store *world_store(struct world *w);
struct audit *world_audit(struct world *w);
struct watch *world_watch(struct world *w); /* sleeps until watch_start */

/* The key under cursors, sessions and request state: made beside the audit keys by the first
 * process that needs one, the same for all of them, so that a restart loses nothing. */
bool world_seal(struct world *w, struct err *err) must_check;
const struct seal *world_seal_of(struct world *w);
