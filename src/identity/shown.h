/* shown - what a caller showed to prove who it is, before anything of it was believed.
 *
 * A request shows exactly one of: a bearer token, a signature of a signing key, an identity signed
 * by a proxy.  A client certificate may stand beside each of them, and alone.  Anything doubled,
 * mixed or of another form is malformed: never is one of two credentials chosen. */
#pragma once
#include "base/str.h"

enum certificate_name_kind { CERTIFICATE_URI, CERTIFICATE_DNS, CERTIFICATE_EMAIL };

struct certificate_name {
	enum certificate_name_kind kind;
	struct str text;
};

/* Of a certificate whose chain was verified; sha256 empty: there is none. */
struct certificate_shown {
	struct str sha256; /* of the DER, 64 hex digits */
	struct str subject; /* RFC 4514 */
	const struct certificate_name *names; /* of subjectAltName */
	size_t name_count;
	int64_t ends_us; /* its notAfter: a connection may live longer */
};

/* What a signature covers. */
struct request_shown {
	struct str method, path, query, body; /* the target as it stood, undecoded */
};

struct credential_shown {
	struct str bearer; /* behind "Bearer " */
	struct str signature; /* behind "Postern-HMAC-SHA256 ", or Postern-Signature */
	struct str identity; /* Postern-Identity */
	bool malformed;
	struct certificate_shown certificate;
	struct request_shown request;
};

/* The headers of a request that matter here; count: how many of that name there were. */
struct credential_header {
	struct str value;
	size_t count;
};
struct credential_headers {
	struct credential_header authorization, identity, signature;
};

/* Fills in bearer, signature, identity and malformed. */
void shown_read(const struct credential_headers *headers, struct credential_shown *out);
