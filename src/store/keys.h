/* keys - API keys in the store: what is kept of each, never the key itself. */
#pragma once
#include "base/digest.h"
#include "store/store.h"

#define STORE_USED_EVERY_US (60 * 1000000LL) /* a use within it of the last is not written */

struct key_row {
	struct str id; /* public part, in records */
	struct sha256 hash; /* of the 32 secret bytes */
	struct str subject, kind, tenant, agent, environment, label;
	struct str roles; /* comma-separated */
	int64_t created_us, expires_us; /* 0: never */
	int64_t revoked_us; /* 0: not */
	int64_t used_us; /* 0: never; kept to the minute */
	struct str sealed; /* of a signing key: its secret, sealed; empty: a key that is sent */
	struct str reason; /* why it was revoked */
	bool approver; /* it decides on plans, and calls nothing */
};

bool store_key_add(struct store *s, const struct key_row *row, struct err *err) must_check;
/* E_NOT_FOUND when there is none.  Text in the arena. */
bool store_key_get(struct store *s, struct arena *a, struct str id, struct key_row *out,
	struct err *err) must_check;
/* In order of creation.  For the terminal: the arena must not have an arena_catch. */
bool store_key_list(struct store *s, struct arena *a, struct key_row **rows_out, size_t *count_out,
	struct err *err) must_check;
/* How many keys, not revoked, expire after after_us and not after until_us. */
bool store_key_expiring(struct store *s, int64_t after_us, int64_t until_us, unsigned *count_out,
	struct err *err) must_check;
/* Once and for all: a second time keeps the first time and reason.  reason: may be empty. */
bool store_key_revoke(struct store *s, struct str id, struct str reason, int64_t wall_us,
	struct err *err) must_check;
bool store_key_used(struct store *s, struct str id, int64_t wall_us, struct err *err) must_check;
