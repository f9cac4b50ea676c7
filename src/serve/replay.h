/* replay - answers that found their stream cut: kept for a client that comes back for them.
 *
 * On 2025-11-25 every event stream of a POST begins with an event id.  A client that lost the
 * stream asks for what it missed by GET with Last-Event-ID; it gets the answer when it is there, or
 * waits for it on the new stream.  Only the session that made the call gets it, once, and only who
 * comes with the same credential and may do the same as then.
 * Bounded in number, size and time: what is forgotten is an ordinary lost reply.  Thread-safe. */
#pragma once
#include "base/digest.h"
#include "identity/principal.h"
#include "serve/exchange.h"

#define REPLAY_MAX 1024
#define REPLAY_MESSAGE_MAX ((size_t)1 << 20)
#define REPLAY_BYTES ((size_t)64 << 20) /* of all messages together */
#define REPLAY_MS 300000

struct replay;

struct replay *replay_new(void);
void replay_free(struct replay **r);

struct replay_owner {
	struct sha256 rights; /* of the principal: what it was answered with */
	struct str session; /* its nonce */
};
struct replay_owner replay_owner_of(
	const struct principal *who, struct str session, struct arena *a);

/* A stream begins: its event id, in the arena. */
struct str replay_open(
	struct replay *r, struct arena *a, const struct replay_owner *owner, uint64_t mono_ms);
/* It got its answer on the stream itself. */
void replay_close(struct replay *r, struct str id);
/* It did not: the answer, for whoever comes or waits. */
void replay_keep(struct replay *r, struct str id, struct str message);

/* False: no such stream of theirs.  True: x was answered, or parked until the answer is there. */
bool replay_resume(struct replay *r, const struct replay_owner *owner, struct str id,
	struct exchange *x) must_check;
void replay_tick(struct replay *r, uint64_t mono_ms);
