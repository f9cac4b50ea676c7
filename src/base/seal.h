/* seal - a text that only this deployment can make and read again: cursors, request state, session
 * ids.  AES-256-GCM (NIST SP 800-38D), random 96-bit nonce, base64url.
 *
 * `purpose` and `bound` are authenticated, not stored: a text opens only with the same purpose
 * (what it is for) and the same bound bytes (whom and what it is for).  Thread-safe. */
#pragma once
#include "base/digest.h"
#include "base/err.h"

struct seal {
	struct secret key; /* 32 bytes */
};

bool seal_init(struct seal *s, struct str key_32_bytes) must_check;
void seal_done(struct seal *s);

void seal_write(const struct seal *s, struct str purpose, struct str bound, struct str plain,
	struct buf *out);
/* False: not made by this key for this purpose and these bytes.  Nothing is added to out then. */
bool seal_read(const struct seal *s, struct str purpose, struct str bound, struct str text,
	struct buf *out) must_check;
