/* verdict - see verdict.h. */
#include "identity/verdict.h"

const char *identity_verdict_name(enum identity_verdict v)
{
	static const char *const names[] = {
		[IDENTITY_OK] = "ok",
		[IDENTITY_MISSING] = "missing",
		[IDENTITY_MALFORMED] = "malformed",
		[IDENTITY_LOCATION] = "location",
		[IDENTITY_UNKNOWN] = "unknown",
		[IDENTITY_EXPIRED] = "expired",
		[IDENTITY_REVOKED] = "revoked",
		[IDENTITY_ENVIRONMENT] = "environment",
		[IDENTITY_UNAVAILABLE] = "unavailable",
		[IDENTITY_USE] = "use",
		[IDENTITY_SIGNATURE] = "signature",
		[IDENTITY_TIME] = "time",
		[IDENTITY_REPLAY] = "replay",
		[IDENTITY_CROWDED] = "crowded",
		[IDENTITY_CLAIMS] = "claims",
		[IDENTITY_CERTIFICATE] = "certificate",
		[IDENTITY_BINDING] = "binding",
		[IDENTITY_APPROVER] = "approver",
		[IDENTITY_SIZE] = "size",
		[IDENTITY_ENCODING] = "encoding",
		[IDENTITY_DUPLICATE] = "duplicate_claim",
		[IDENTITY_HEADER] = "header",
		[IDENTITY_ALG] = "alg",
		[IDENTITY_TYP] = "typ",
		[IDENTITY_KEY] = "unknown_key",
		[IDENTITY_ISSUER] = "iss",
		[IDENTITY_AUDIENCE] = "aud",
		[IDENTITY_NOT_YET] = "nbf",
		[IDENTITY_CLAIM] = "claim",
		[IDENTITY_SUBJECT] = "subject",
		[IDENTITY_TENANT] = "tenant",
		[IDENTITY_ROLES] = "role_claim",
	};

	return names[v];
}

bool identity_verdict_forbids(enum identity_verdict v)
{
	return v == IDENTITY_SUBJECT || v == IDENTITY_TENANT || v == IDENTITY_ROLES;
}

bool identity_verdict_is_guess(enum identity_verdict v)
{
	return v != IDENTITY_OK && v != IDENTITY_MISSING && v != IDENTITY_UNAVAILABLE &&
	       v != IDENTITY_REPLAY && v != IDENTITY_CROWDED && !identity_verdict_forbids(v);
}
