/* approver - see approver.h.
 *
 * Invariants: 1. who comes out decides on plans and was refused by identity_verify, and the other
 * way round: principal.approver says which.  2. a fixed principal is nobody here.  3. exactly one
 * credential decides, as in identity.c. */
#include "identity/approver.h"

#include "identity/inside.h"

#define ARENA_BYTES ((size_t)256 << 10)

static enum identity_verdict verify(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out)
{
	if (shown->identity.n)
		return proxy_verify(i, shown, at, out);
	if (shown->signature.n)
		return IDENTITY_USE;
	if (shown->bearer.n)
		return key_verify_approver(i, shown->bearer, at, out);
	if (shown->certificate.sha256.n)
		return certificate_verify(i, &shown->certificate, out);
	return IDENTITY_MISSING;
}

/* A person who decides on plans, or nobody. */
static enum identity_verdict hand_out(struct known *k, struct arena *a, struct principal *out)
{
	if (!k->principal.approver || k->principal.kind != PRINCIPAL_HUMAN) {
		known_drop(k);
		return IDENTITY_USE;
	}
	known_hand_out(k, a, out);
	return IDENTITY_OK;
}

enum identity_verdict approver_verify(struct identity *i, struct arena *a,
	const struct credential_shown *shown, int64_t wall_us, uint64_t boot_ms,
	struct principal *out)
{
	struct moment at = { .wall_us = wall_us, .boot_ms = boot_ms };
	enum identity_verdict verdict;
	struct known *k = NULL;

	if (shown->malformed)
		return IDENTITY_MALFORMED;
	if (shown->certificate.sha256.n && wall_us >= shown->certificate.ends_us)
		return IDENTITY_EXPIRED;
	verdict = verify(i, shown, at, &k);
	return verdict == IDENTITY_OK ? hand_out(k, a, out) : verdict;
}

enum identity_verdict approver_again(
	struct identity *i, struct arena *a, struct str id, int64_t wall_us, struct principal *out)
{
	struct known *k = NULL;
	enum identity_verdict verdict =
		key_again_approver(i, id, (struct moment){ .wall_us = wall_us }, &k);

	return verdict == IDENTITY_OK ? hand_out(k, a, out) : verdict;
}

/* --- whether it still counts --- */

static bool role_grants(const struct config *config, struct str name, struct str grant)
{
	const struct role_config *role = config_role(config, name);

	return role && is_listed(role->grants, role->grant_count, grant);
}

static bool roles_grant(
	const struct config *config, const struct str *roles, size_t count, struct str grant)
{
	for (size_t k = 0; k < count; k++)
		if (role_grants(config, roles[k], grant))
			return true;
	return !grant.n;
}

/* Of the certificate only its beginning is kept: a row for the same person vouches for it. */
static bool certificate_counts(const struct config *config, const struct approver_given *g)
{
	for (size_t k = 0; k < config->certificate_count; k++) {
		const struct certificate_config *row = &config->certificates[k];

		if (row->approver && str_eq(row->subject, g->subject) &&
			str_eq(row->tenant, g->tenant) &&
			roles_grant(config, row->roles, row->role_count, g->grant))
			return true;
	}
	return false;
}

/* Which of its roles the proxy gave is not kept: those it may give vouch. */
static bool proxy_counts(
	const struct config *config, struct str name, const struct approver_given *g)
{
	for (size_t k = 0; k < config->proxy_count; k++) {
		const struct proxy_config *row = &config->proxies[k];

		if (row->approver && str_eq(row->name, name) &&
			roles_grant(config, row->roles, row->role_count, g->grant))
			return true;
	}
	return false;
}

/* Past its end it counts: it was good when the yes was given. */
static bool key_counts(struct identity *i, struct arena *a, const struct approver_given *g)
{
	struct principal p;
	struct key_row row;
	struct err err;

	if (!store_key_get(i->store, a, g->credential, &row, &err) || row.revoked_us ||
		!principal_of_key(i->config, a, &row, &p))
		return false;
	return p.approver && str_eq(p.subject, g->subject) && str_eq(p.tenant, g->tenant) &&
	       (!g->grant.n || principal_granted(&p, g->grant));
}

bool approver_still_counts(struct identity *i, const struct approver_given *given)
{
	const struct str proxy = S("proxy:");
	struct arena a;
	bool counts;

	if (str_starts(given->credential, S("cert:")))
		return certificate_counts(i->config, given);
	if (str_starts(given->credential, proxy))
		return proxy_counts(i->config, str_from(given->credential, proxy.n), given);
	arena_init(&a, ARENA_BYTES);
	counts = key_counts(i, &a, given);
	arena_done(&a);
	return counts;
}
