/* jwt_claims - what a token says, held against what the operator said: RFC 7519 section 4, RFC
 * 9068.
 *
 * Pure.  Call it with the claims of a token whose signature was verified. */
#pragma once
#include "identity/jwt_read.h"
#include "identity/principal.h"

#define JWT_ROLES_MAX 256
#define JWT_SCOPES_MAX 256

/* Is the token for this server, and is it time?  *expires_us_out: its exp. */
enum identity_verdict jwt_claims_judge(const struct jwt_config *c, const struct jwt *token,
	int64_t wall_us, int64_t *expires_us_out);

/* Who it is for, without grants and binding.  Its text is in the arena.  *x5t_s256_out: hex of the
 * certificate that the token is bound to (RFC 8705 section 3.1), or empty. */
enum identity_verdict jwt_claims_principal(const struct config *config, const struct jwt_config *c,
	struct arena *a, const struct jwt *token, struct principal *out, struct str *x5t_s256_out);
