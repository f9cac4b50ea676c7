/* jwt_read - the text of an access token taken apart: RFC 7515 compact form, RFC 7519 claims.
 *
 * Nothing here has been verified: a token that reads well may be anybody's.  Refused before any
 * signature is looked at: more than JWT_MAX_BYTES, other than three parts, base64url that is not
 * strict, JSON that is not strict, duplicate members, a header that points to keys or asks for
 * extensions (RFC 8725 section 3), an algorithm that is not one of ours. */
#pragma once
#include "config/config.h"
#include "identity/verdict.h"
#include "json/json.h"

#define JWT_MAX_BYTES ((size_t)8 << 10)
#define JWT_KID_MAX 256

struct jwt {
	enum jwt_algorithm algorithm;
	struct str kid; /* empty: none */
	struct str typ; /* empty: none */
	struct json claims; /* an object */
	struct str signed_text; /* header.payload, as it stood */
	struct str signature; /* decoded */
};

/* IDENTITY_OK, or why not.  *out points into the token and the arena. */
enum identity_verdict jwt_read(struct arena *a, struct str token, struct jwt *out);

const char *jwt_algorithm_name(enum jwt_algorithm a); /* "RS256" */
