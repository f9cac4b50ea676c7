/* hub - who is to be told that something changed: open subscriptions/listen streams (modern) and
 * GET streams and pipes of legacy sessions.  Bounded per principal and in all.  Thread-safe. */
#pragma once
#include "mcp/write.h"
#include "serve/exchange.h"
#include "serve/owners.h"
#include "serve/sessions.h"

struct hub;

struct hub *hub_new(struct sessions *sessions, unsigned most, unsigned most_per_principal);
void hub_free(struct hub **h);

enum hub_verdict { HUB_OK, HUB_FULL, HUB_TAKEN };

struct hub_owner hub_owner_of(const struct principal *who);

struct hub_listener {
	struct hub_owner owner;
	bool modern;
	struct mcp_filter filter; /* modern: what it asked for and may have */
	struct str subscription; /* modern: raw JSON id of the listen request */
	struct str scope; /* stdio: names the pipe, for cancellation; else empty */
	struct str nonce; /* legacy: the session; one stream each */
	struct str end_message; /* modern: what ends it well, or empty */
};

/* Everything in l is copied; more than 128 KiB of it is HUB_FULL.  first: a message to send before
 * any other, or empty; it is sent after the place is taken.  Parks x. */
enum hub_verdict hub_add(
	struct hub *h, const struct hub_listener *l, struct exchange *x, struct str first);
unsigned hub_count(struct hub *h); /* open now */
void hub_changed(struct hub *h, struct str what); /* "tools", "prompts", "resources" */
void hub_updated(struct hub *h, struct str uri);
/* stdio: notifications/cancelled names the id of a listen request. */
void hub_cancel(struct hub *h, struct str scope, struct str subscription);
void hub_end_session(struct hub *h, struct str nonce);
/* Ends every stream whose owner may not have one any more: asked once for each owner, and not under
 * the lock. */
void hub_review(
	struct hub *h, bool (*may_stay)(void *ctx, const struct hub_owner *owner), void *ctx);
void hub_end_all(struct hub *h); /* at shutdown: every stream gets its end */
