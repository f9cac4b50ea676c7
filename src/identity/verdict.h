/* verdict - what became of a credential.  The names are for the record: a caller is told only that
 * the credential is not valid. */
#pragma once
#include "base/def.h"

enum identity_verdict {
	IDENTITY_OK,
	IDENTITY_MISSING, /* no credential */
	IDENTITY_MALFORMED, /* not the form of a credential, or more than one */
	IDENTITY_LOCATION, /* a credential where none may stand: in the URL */
	IDENTITY_UNKNOWN, /* no such key, or not its secret */
	IDENTITY_EXPIRED,
	IDENTITY_REVOKED,
	IDENTITY_ENVIRONMENT, /* made for another environment */
	IDENTITY_UNAVAILABLE, /* the store, a secret's file or the issuer's keys cannot be asked */

	/* of signed requests and certificates */
	IDENTITY_USE, /* not for this: a signing key sent as a token, a caller's that decides, … */
	IDENTITY_SIGNATURE, /* not that of this request or token */
	IDENTITY_TIME, /* signed too long ago, or too far ahead */
	IDENTITY_REPLAY, /* this very request came before */
	IDENTITY_CROWDED, /* too many signed requests to know a replay */
	IDENTITY_CLAIMS, /* a proxy's identity says what it must not, or not what it must */
	IDENTITY_CERTIFICATE, /* no row of the configuration is for this certificate, or two are */
	IDENTITY_BINDING, /* the token is bound to another certificate */

	IDENTITY_APPROVER, /* made for deciding on plans, and shown on the wire */

	/* of access tokens */
	IDENTITY_SIZE, /* more than 8 KiB */
	IDENTITY_ENCODING, /* base64url or JSON that is not strict */
	IDENTITY_DUPLICATE, /* a member twice */
	IDENTITY_HEADER, /* the header asks for what it may not */
	IDENTITY_ALG, /* not an algorithm this issuer may use */
	IDENTITY_TYP, /* another kind of token */
	IDENTITY_KEY, /* the issuer has no such key */
	IDENTITY_ISSUER,
	IDENTITY_AUDIENCE,
	IDENTITY_NOT_YET, /* nbf or iat lie ahead */
	IDENTITY_CLAIM, /* a registered claim is missing or of another type */

	/* known to the issuer, but not somebody here: refused with 403 */
	IDENTITY_SUBJECT,
	IDENTITY_TENANT,
	IDENTITY_ROLES,
};
const char *identity_verdict_name(enum identity_verdict v);
/* The credential is genuine, and names nobody this server can serve. */
bool identity_verdict_forbids(enum identity_verdict v);
/* It may have been a try to find a credential out: a wrong one.  Not that none was sent, which is
 * how a client asks what is needed; nor what cannot be told, nor a genuine one that is no use here.
 */
bool identity_verdict_is_guess(enum identity_verdict v);
