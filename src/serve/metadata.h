/* metadata - how a client without a token finds out where to get one: RFC 9728, RFC 6750.
 *
 * Exists only where access tokens are configured; needs no credential.  Pure. */
#pragma once
#include "catalog/catalog.h"
#include "config/config.h"

#define METADATA_PATH "/.well-known/oauth-protected-resource"
#define METADATA_ENDPOINT_PATH METADATA_PATH "/mcp" /* RFC 9728 section 3.1 */

struct metadata {
	const struct config *config;
	const struct catalog *catalog;
	struct str host; /* of the request; one that the server answers to */
};

bool metadata_offered(const struct config *c);
/* The document. */
struct str metadata_document(const struct metadata *m, struct arena *a);

enum challenge { CHALLENGE_NO_TOKEN, CHALLENGE_BAD_TOKEN, CHALLENGE_SCOPE };
/* The value of WWW-Authenticate.  scopes: those a token needs, with blanks between; may be empty.
 */
struct str metadata_challenge(
	const struct metadata *m, struct arena *a, enum challenge why, struct str scopes);
