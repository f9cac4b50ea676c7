/* shown - see shown.h.
 *
 * Invariants: 1. at most one of a token, a key's signature and a proxy's identity comes out; else
 * malformed is set.  2. an identity without a signature, and the other way round, is malformed,
 * whether or not a proxy is configured.  3. what is there but empty is malformed, not absent. */
#include "identity/shown.h"

#define SIGNED "Postern-HMAC-SHA256"

/* RFC 9110 section 11.4: scheme, a space, credentials; RFC 6750 section 2.1 for Bearer. */
static bool read_authorization(struct str value, struct credential_shown *out)
{
	struct str scheme, rest;

	if (!str_cut(value, ' ', &scheme, &rest))
		return false;
	rest = str_trim(rest);
	if (str_eq_ci(scheme, S("Bearer")))
		out->bearer = rest;
	else if (str_eq_ci(scheme, S(SIGNED)))
		out->signature = rest;
	return out->bearer.n || out->signature.n;
}

/* Both headers of a proxy, once each, and no Authorization. */
static bool read_proxy(const struct credential_headers *h, struct credential_shown *out)
{
	if (h->identity.count != 1 || h->signature.count != 1 || h->authorization.count)
		return false;
	out->identity = h->identity.value;
	out->signature = h->signature.value;
	return out->identity.n && out->signature.n;
}

void shown_read(const struct credential_headers *h, struct credential_shown *out)
{
	bool ok = true;

	if (h->identity.count || h->signature.count)
		ok = read_proxy(h, out);
	else if (h->authorization.count)
		ok = h->authorization.count == 1 && read_authorization(h->authorization.value, out);
	if (!ok)
		out->bearer = out->signature = out->identity = STR_NONE;
	out->malformed = !ok;
}
