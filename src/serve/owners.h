/* owners - who has streams open, and with which credential: each once, held by its streams.
 *
 * An owner stays while anybody holds it, so one can walk along them and let the others change.  Not
 * locked: by the hub. */
#pragma once
#include "base/digest.h"
#include "identity/principal.h"

/* Who opened it, and with which credential. */
struct hub_owner {
	struct sha256 binding; /* of the principal */
	struct str subject, tenant, agent, issuer, credential;
	enum credential_kind kind;
	int64_t expires_us; /* of the credential; 0: never */
};

#define OWNERS_CHAINS 256

struct owner {
	struct owner *newer, *older, *same_hash;
	unsigned holders;
	struct hub_owner is; /* its texts stand behind it */
	char texts[];
};

struct owners {
	struct owner *newest, *oldest, *chains[OWNERS_CHAINS];
};

/* One more hold on it, which is a new one when it was not there. */
struct owner *owners_hold(struct owners *o, const struct hub_owner *who);
void owners_drop(struct owners *o, struct owner *w);
/* The one that came before it, or with NULL the newest, held; drops `at`.  NULL: there is none. */
struct owner *owners_next(struct owners *o, struct owner *at);
