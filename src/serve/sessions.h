/* sessions - the little that a legacy session needs remembered: that it was ended, its log level,
 * its resource subscriptions.  Everything else is sealed into the session's id.
 *
 * Keyed by the session's nonce; bounded: whose principal remembers most, its longest unused level
 * and subscriptions are forgotten first; an end never is (spent.h).  owner: the binding of the
 * principal whose session it is.  Thread-safe. */
#pragma once
#include "base/buf.h"
#include "serve/spent.h"

#define SESSIONS_MAX 4096
#define SESSION_URIS_MAX 64
#define SESSION_URI_BYTES 1024 /* of one that is watched */

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions **s);

/* issued_us: when its id was made. */
void sessions_end(
	struct sessions *s, const struct sha256 *owner, struct str nonce, int64_t issued_us);
bool sessions_ended(
	struct sessions *s, const struct sha256 *owner, struct str nonce, int64_t issued_us);
void sessions_set_level(
	struct sessions *s, const struct sha256 *owner, struct str nonce, struct str level);
struct str sessions_level(
	struct sessions *s, struct arena *a, struct str nonce); /* empty: not set */
/* False: SESSION_URIS_MAX are there already, or this one is longer than SESSION_URI_BYTES. */
bool sessions_subscribe(struct sessions *s, const struct sha256 *owner, struct str nonce,
	struct str uri) must_check;
void sessions_unsubscribe(struct sessions *s, struct str nonce, struct str uri);
bool sessions_wants(struct sessions *s, struct str nonce, struct str uri);
