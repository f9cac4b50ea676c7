/* identity - see identity.h.
 *
 * Which kind of credential it is; each kind has a file: keys, proxy, certificate.
 *
 * Invariants: 1. exactly one credential decides: a token, a signature or a proxy's identity, and a
 * certificate only where none of them is.  2. what was shown in two ways, or half, is refused even
 * where it would not be needed.  3. nothing comes in over a
 * connection whose certificate is over, whatever is shown beside it: TLS looked at its end once.
 * 4. what decides on plans calls nothing.  5. any doubt is not IDENTITY_OK. */
#include "identity/identity.h"

#include "identity/inside.h"

static struct known *make_fixed(const struct config *config)
{
	const struct fixed_principal *f = config->fixed;
	struct known *k = known_new();
	struct principal *p = &k->principal;

	*p = (struct principal){ .subject = f->subject,
		.kind = PRINCIPAL_SERVICE,
		.tenant = f->tenant,
		.agent = f->agent,
		.credential_kind = CREDENTIAL_FIXED,
		.credential = S("fixed"),
		.environment = str_c(environment_name(config->environment)),
		.roles = f->roles,
		.role_count = f->role_count };
	principal_finish(config, &k->arena, p);
	return k;
}

static struct secret_file *watch(const struct secret_config *secret)
{
	return secret->file.n ? secret_file_new(secret->file) : NULL;
}

struct identity *identity_new(const struct config *config, struct store *store,
	const struct seal *seal, struct jwt_verifier *jwt)
{
	struct identity *i = heap_new(struct identity);

	i->config = config;
	i->store = store;
	i->seal = seal;
	i->jwt = jwt;
	i->cache = known_cache_new();
	if (config->fixed)
		i->fixed = make_fixed(config);
	i->proxies = heap_alloc((config->proxy_count + 1) * sizeof *i->proxies);
	for (size_t k = 0; k < config->proxy_count; k++)
		i->proxies[k] = (struct proxy_keys){ watch(&config->proxies[k].key),
			watch(&config->proxies[k].next) };
	return i;
}

void identity_free(struct identity **i)
{
	if (!*i)
		return;
	for (size_t k = 0; k < (*i)->config->proxy_count; k++) {
		secret_file_free(&(*i)->proxies[k].key);
		secret_file_free(&(*i)->proxies[k].next);
	}
	heap_free((*i)->proxies);
	known_drop((*i)->fixed);
	known_cache_free(&(*i)->cache);
	heap_free(*i);
	*i = NULL;
}

static struct str copy(struct arena *a, struct str s)
{
	return s.n ? arena_str(a, s) : STR_NONE;
}

struct known *known_make(const struct config *config, const struct principal *from)
{
	struct known *k;
	struct principal *p;
	struct str *roles;

	if (!from->subject.n || !principal_name_ok(from->subject) ||
		!principal_name_ok(from->tenant) || !principal_name_ok(from->agent))
		return NULL;
	k = known_new();
	p = &k->principal;
	*p = *from;
	p->subject = copy(&k->arena, from->subject);
	p->tenant = copy(&k->arena, from->tenant);
	p->agent = copy(&k->arena, from->agent);
	p->credential = copy(&k->arena, from->credential);
	p->issuer = copy(&k->arena, from->issuer);
	p->environment = copy(&k->arena, from->environment);
	roles = arena_array(&k->arena, struct str, from->role_count + 1);
	for (size_t i = 0; i < from->role_count; i++)
		roles[i] = copy(&k->arena, from->roles[i]);
	p->roles = roles;
	principal_finish(config, &k->arena, p);
	return k;
}

static enum identity_verdict verify_jwt(
	struct identity *i, struct str token, struct moment at, struct known **out)
{
	enum identity_verdict verdict;
	int64_t expires_us = 0;
	struct sha256 digest;
	struct known *k;

	sha256_of(token, &digest);
	*out = known_get(i->cache, &digest, at.wall_us, at.boot_ms);
	if (*out)
		return IDENTITY_OK;
	k = known_new();
	verdict = jwt_verify(i->jwt, &k->arena, token, at.wall_us, at.boot_ms, &k->principal,
		&expires_us, &k->bound);
	if (verdict != IDENTITY_OK) {
		known_drop(k);
		return verdict;
	}
	k->principal.expires_us = expires_us;
	known_put(i->cache, &digest, at.boot_ms, k);
	*out = k;
	return IDENTITY_OK;
}

static bool is_key(struct str token)
{
	return str_starts(token, S("pstn_")) || str_starts(token, S("psgn_")) ||
	       str_starts(token, S("psap_"));
}

static enum identity_verdict verify_bearer(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out)
{
	enum identity_verdict verdict = IDENTITY_UNKNOWN;

	if (i->jwt && !is_key(shown->bearer))
		verdict = verify_jwt(i, shown->bearer, at, out);
	else if (i->config->api_keys)
		verdict = key_verify(i, shown->bearer, at, out);
	if (verdict != IDENTITY_OK || !(*out)->bound.n ||
		str_eq((*out)->bound, shown->certificate.sha256))
		return verdict;
	known_drop(*out);
	return IDENTITY_BINDING;
}

static enum identity_verdict verify(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out)
{
	if (shown->identity.n)
		return proxy_verify(i, shown, at, out);
	if (shown->signature.n)
		return i->config->api_keys ? key_verify_signed(i, shown, at, out)
					   : IDENTITY_UNKNOWN;
	if (shown->bearer.n)
		return verify_bearer(i, shown, at, out);
	if (shown->certificate.sha256.n && i->config->certificate_count)
		return certificate_verify(i, &shown->certificate, out);
	return IDENTITY_MISSING;
}

static void end_with(struct principal *p, int64_t ends_us)
{
	if (!p->expires_us || p->expires_us > ends_us)
		p->expires_us = ends_us;
}

enum identity_verdict identity_verify(struct identity *i, struct arena *a,
	const struct credential_shown *shown, int64_t wall_us, uint64_t boot_ms,
	struct principal *out)
{
	struct moment at = { .wall_us = wall_us, .boot_ms = boot_ms };
	enum identity_verdict verdict = IDENTITY_OK;
	struct known *k = NULL;

	if (shown->malformed)
		return IDENTITY_MALFORMED;
	if (shown->certificate.sha256.n && wall_us >= shown->certificate.ends_us)
		return IDENTITY_EXPIRED;
	if (i->fixed && !shown->identity.n)
		*out = i->fixed->principal; /* lives as long as the configuration */
	else
		verdict = verify(i, shown, at, &k);
	if (verdict != IDENTITY_OK)
		return verdict;
	if (k && k->principal.approver) {
		known_drop(k);
		return IDENTITY_APPROVER;
	}
	if (k)
		known_hand_out(k, a, out);
	if (shown->certificate.sha256.n)
		end_with(out, shown->certificate.ends_us);
	return IDENTITY_OK;
}

static bool key_still_good(struct identity *i, struct str id, int64_t wall_us)
{
	struct key_row row;
	struct arena a;
	struct err err;
	bool good;

	if (!i->config->api_keys)
		return false;
	arena_init(&a, (size_t)64 << 10);
	good = store_key_get(i->store, &a, id, &row, &err) && !row.revoked_us && !row.approver &&
	       (!row.expires_us || row.expires_us > wall_us);
	arena_done(&a);
	return good;
}

static bool has_proxy(const struct config *config, struct str name)
{
	for (size_t k = 0; k < config->proxy_count; k++)
		if (!config->proxies[k].approver && str_eq(config->proxies[k].name, name))
			return true;
	return false;
}

static bool has_issuer(const struct config *config, struct str issuer)
{
	for (size_t k = 0; k < config->jwt_count; k++)
		if (str_eq(config->jwt[k].issuer, issuer))
			return true;
	return false;
}

static bool is_held_by(
	const struct held_credential *held, struct str subject, struct str tenant, struct str agent)
{
	return str_eq(held->subject, subject) && str_eq(held->tenant, tenant) &&
	       str_eq(held->agent, agent);
}

/* Of the certificate only its end is kept: a row for the same principal vouches for it. */
static bool has_certificate(const struct config *config, const struct held_credential *held)
{
	for (size_t k = 0; k < config->certificate_count; k++) {
		const struct certificate_config *row = &config->certificates[k];

		if (!row->approver && is_held_by(held, row->subject, row->tenant, row->agent))
			return true;
	}
	return false;
}

static bool is_fixed(const struct config *config, const struct held_credential *held)
{
	const struct fixed_principal *f = config->fixed;

	return f && is_held_by(held, f->subject, f->tenant, f->agent);
}

bool identity_still_good(struct identity *i, const struct held_credential *held, int64_t wall_us)
{
	const struct config *config = i->config;

	if (held->expires_us && wall_us >= held->expires_us)
		return false;
	if (config->tenants_closed && !names_hold(config->tenants, held->tenant))
		return false;
	switch (held->kind) {
	case CREDENTIAL_FIXED:
		return is_fixed(config, held);
	case CREDENTIAL_KEY:
		return key_still_good(i, held->id, wall_us);
	case CREDENTIAL_JWT:
		return has_issuer(config, held->issuer);
	case CREDENTIAL_CERTIFICATE:
		return has_certificate(config, held);
	case CREDENTIAL_PROXY:
		return has_proxy(config, str_from(held->id, sizeof "proxy:" - 1));
	}
	return false;
}
