/* signature - a request signed with a secret that is never sent.
 *
 *	key=ID, time=SECONDS, nonce=NONCE, signature=BASE64URL
 *
 * in this order.  ID: 1 to 64 of A-Z a-z 0-9 _ . -; SECONDS since 1970, UTC; NONCE: 16 to 64 of
 * A-Z a-z 0-9 _ -, never used twice; the signature is HMAC-SHA-256 (RFC 2104) over these lines,
 * with a line feed between them and none behind the last:
 *
 *	postern-hmac-sha256-v1
 *	ID
 *	METHOD
 *	PATH, and ?QUERY when there is one
 *	SHA-256 of the body, 64 hex digits
 *	SECONDS
 *	NONCE
 *	the value of Postern-Identity, or nothing
 *
 * No field can hold a line feed, so no two requests have the same lines.  Thread-safe. */
#pragma once
#include "base/digest.h"
#include "identity/shown.h"

struct signature {
	struct str key, nonce, time; /* point into the text */
	int64_t time_s;
	struct sha256 mac;
};

/* False: not of this form.  Says nothing of whether it fits. */
bool signature_read(struct str text, struct signature *out) must_check;
/* The MAC of what was shown; s: key, nonce and time. */
void signature_of(struct str secret, const struct signature *s,
	const struct credential_shown *shown, struct sha256 *out);
/* In constant time. */
bool signature_fits(
	struct str secret, const struct signature *s, const struct credential_shown *shown);
/* Signed at most max_ms ago, and at most as far ahead. */
bool signature_fresh(const struct signature *s, int64_t wall_us, uint32_t max_ms);
