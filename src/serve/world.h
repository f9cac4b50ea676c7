/* world - what a serving process knows: a configuration with all that was built from it.
 *
 * A generation is immutable and counted: a call holds the one it began with, a reload makes the
 * next. The store, the audit log and the sealing key outlive generations.  Thread-safe. */
#pragma once
#include "audit/audit.h"
#include "backend/backend.h"
#include "base/seal.h"
#include "guard/limits.h"
#include "identity/identity.h"
#include "mcp/names.h"
#include "mcp/write.h"
#include "serve/changes.h"
#include "serve/metrics.h"
#include "serve/watch.h"

struct generation {
	struct arena arena;
	const struct config *config;
	struct catalog *catalog;
	struct jwt_verifier *jwt; /* NULL: no issuer of access tokens is configured */
	struct identity *identity;
	struct backends *backends;
	struct guard *guard;
	struct changes changes; /* since the generation before */
	struct mcp_server_info info;
	struct map meters; /* of its entries (metrics.h) */
	unsigned holders; /* under the world's lock */
};

struct world;

struct world_options {
	struct str config_file;
	struct str listen, instance; /* overrides, or empty */
	bool read_only; /* refuse whatever mutates, whatever the file says */
	struct str log_level; /* one that log_level_find knows, or empty */
	size_t memory; /* most of a generation; 0: 256 MiB.  Less in tests */
};

/* Loads and lints; touches no database and makes no file.  NULL: findings tell why. */
struct world *world_open(const struct world_options *options, struct findings *f);
/* Loads again and asks every source; NULL: findings tell why.  The listening address is the one of
 * the start.  The new one is in force with world_replace, or gone with world_discard. */
struct generation *world_prepare(struct world *w, struct findings *f);
void world_replace(struct world *w, struct generation *next);
void world_discard(struct world *w, struct generation *next);
void world_close(struct world **w);

struct generation *world_hold(struct world *w);
void world_drop(struct world *w, struct generation *g);
/* Held until the arena is reset or done, whatever ends the call: what is given to arena_defer later
 * is closed before.  To be asked for before anything of the generation is used. */
struct generation *world_hold_in(struct world *w, struct arena *a);

/* After the START record: from now on changes of the issuers' keys are logged and recorded, first
 * those that are in force. */
void world_tell_keys(struct world *w);

struct store *world_store(struct world *w);
struct audit *world_audit(struct world *w);
struct reconcile *world_reconcile(struct world *w);
_Atomic bool *world_settled(struct world *w); /* what was open was looked up (settle.h) */
struct watch *world_watch(struct world *w); /* sleeps until watch_start */
struct metrics *world_metrics(struct world *w);
int64_t world_started_us(const struct world *w);
struct limits *world_limits(struct world *w);

/* The port of the approval pages that this process serves; 0: it serves none. */
void world_set_approvals_port(struct world *w, uint16_t port);
/* Where a person decides on this plan, to tell them; empty: nowhere but in the terminal. */
struct str world_plan_url(
	struct world *w, const struct config *config, struct arena *a, struct str plan);

/* The key under cursors, sessions and request state: made beside the audit keys by the first
 * process that needs one, the same for all of them, so that a restart loses nothing. */
bool world_seal(struct world *w, struct err *err) must_check;
const struct seal *world_seal_of(struct world *w);

/* A key of its own under this name, made beside the others by whoever comes first. */
bool world_key(struct world *w, struct str name, struct secret *out, struct err *err) must_check;

/* The key of the mask `hash`, made beside the others by the first call that shows one; empty when
 * the catalog has no such mask, or when the key cannot be had: then such values are redacted. */
struct str world_mask_key(struct world *w, const struct generation *g);
