/* jwt - whose access tokens are believed, and what their claims mean.
 *
 * Invariants: 1. nothing that widens has a default: issuer, audience, key set and algorithms are
 * said by the operator.  2. two issuers are never told apart by anything but their exact text.
 * 3. keys come over TLS, from a file, or, in development, from this machine. */
#include "config/load.h"

#define ISSUERS_MAX 16
#define AUDIENCES_MAX 32
#define SCOPES_MAX 32
#define SECOND_MS 1000u
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (24 * 60 * MINUTE_MS)

struct issuer_load {
	struct config_load *l;
	struct reader r;
	struct jwt_config *o;
};

static void refuse(struct issuer_load *x, const char *key, const char *code, struct str what,
	struct str remedy)
{
	config_refuse(x->l, x->r.map, key, code, what, remedy);
}

static void load_issuer_name(struct issuer_load *x)
{
	struct jwt_config *o = x->o;
	struct str rest;
	bool plain;

	o->issuer = read_str_required(&x->r, "issuer");
	if (o->issuer.n && (!config_url_fits(o->issuer, &plain, &rest) || str_has(rest, '?')))
		refuse(x, "issuer", "config.url",
			arena_fmt(x->l->a, "issuer '%.*s' is not an https address",
				STR_ARG(o->issuer)),
			S("write it exactly as the claim 'iss' of its tokens; http:// for a "
			  "loopback host only"));
}

/* One text or a list of them. */
static void load_audience(struct issuer_load *x)
{
	const struct yaml *node = read_node(&x->r, "audience");
	struct jwt_config *o = x->o;

	if (node && node->kind == YAML_LIST) {
		o->audiences = read_strs(&x->r, "audience", &o->audience_count);
	} else if (node) {
		struct str *one = arena_new(x->l->a, struct str);

		*one = read_text(&x->r, "audience", node);
		o->audiences = one;
		o->audience_count = one->n > 0;
	}
	if (x->r.map && (!node || (node->kind == YAML_LIST && !o->audience_count)))
		refuse(x, "audience", "config.missing", S("identity.jwt: no audience is named"),
			S("add 'audience:' with what 'aud' of a token for this server says"));
	if (o->audience_count > AUDIENCES_MAX)
		refuse(x, "audience", "config.range", S("more than 32 audiences"),
			S("name those of this server only"));
}

static void load_key_set(struct issuer_load *x)
{
	const struct config *c = x->l->c;
	struct jwt_config *o = x->o;
	struct str text = read_str_required(&x->r, "jwks"), rest;
	bool plain = false;

	o->jwks_ca = config_path(x->l, read_str(&x->r, "jwks_ca", STR_NONE));
	if (str_find_str(text, 0, S("://")) == text.n) {
		o->jwks_is_file = true;
		o->jwks = config_path(x->l, text);
		if (o->jwks_ca.n)
			refuse(x, "jwks_ca", "config.url", S("jwks_ca beside a key set in a file"),
				S("remove it: no connection is made"));
		return;
	}
	o->jwks = text;
	if (!config_url_fits(text, &plain, &rest) || (plain && c->environment != ENV_DEVELOPMENT))
		refuse(x, "jwks", "config.url",
			arena_fmt(
				x->l->a, "key set '%.*s' cannot be fetched safely", STR_ARG(text)),
			S("write an https address or the path of a file; http:// is for a "
			  "loopback host in development"));
}

static void load_algorithms(struct issuer_load *x)
{
	static const struct {
		struct str name;
		enum jwt_algorithm algorithm;
	} known[] = {
		{ STR_INIT("RS256"), JWT_RS256 },
		{ STR_INIT("ES256"), JWT_ES256 },
		{ STR_INIT("EdDSA"), JWT_EDDSA },
	};
	size_t count;
	const struct str *names = read_strs(&x->r, "algorithms", &count);

	if (x->r.map && !count)
		refuse(x, "algorithms", "config.missing",
			S("identity.jwt: no algorithm is allowed"),
			S("add 'algorithms:' with those its tokens are signed with, of RS256, "
			  "ES256 and EdDSA"));
	for (size_t i = 0; i < count; i++) {
		unsigned before = x->o->algorithms;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			if (str_eq(names[i], known[k].name))
				x->o->algorithms |= known[k].algorithm;
		if (x->o->algorithms == before)
			refuse(x, "algorithms", "config.choice",
				arena_fmt(x->l->a, "algorithm '%.*s' is unknown or named twice",
					STR_ARG(names[i])),
				S("use each of RS256, ES256 and EdDSA at most once"));
	}
}

static void load_claims(struct issuer_load *x)
{
	struct jwt_config *o = x->o;
	struct reader r;

	reader_init(&r, x->l->a, x->l->f, read_node(&x->r, "claims"), "identity.jwt.claims");
	o->claim_subject = read_str(&r, "subject", S("sub"));
	o->claim_tenant = read_str(&r, "tenant", STR_NONE);
	o->claim_roles = read_str(&r, "roles", STR_NONE);
	o->claim_agent = read_str(&r, "agent", S("azp"));
	reader_done(&r);
	if (!o->claim_subject.n)
		refuse(x, "claims", "config.empty",
			S("identity.jwt.claims.subject is empty: every call needs a subject"),
			S("name the claim, or leave it out for 'sub'"));
}

static void load_fixed_parts(struct issuer_load *x)
{
	static const char *const kinds[] = { "human", "agent", "service", NULL };
	struct jwt_config *o = x->o;

	o->roles = read_strs(&x->r, "roles", &o->role_count);
	for (size_t i = 0; i < o->role_count; i++)
		if (!config_role(x->l->c, o->roles[i]))
			refuse(x, "roles", "config.role_unknown",
				arena_fmt(x->l->a, "identity.jwt: no role is called '%.*s'",
					STR_ARG(o->roles[i])),
				S("define it under 'roles'"));
	o->tenant = read_str(&x->r, "tenant", STR_NONE);
	if (o->tenant.n && o->claim_tenant.n)
		refuse(x, "tenant", "config.choice",
			S("identity.jwt: both a fixed tenant and a claim that names one"),
			S("keep one of 'tenant' and 'claims.tenant'"));
	if (!o->claim_tenant.n)
		config_check_tenant(x->l, &x->r, o->tenant);
	if (x->r.map && !o->role_count && !o->claim_roles.n)
		refuse(x, NULL, "config.nobody",
			S("identity.jwt: neither 'roles' nor 'claims.roles': its tokens could do "
			  "nothing"),
			S("name the claim that lists roles, or roles that every token holds"));
	o->kind = str_c(kinds[read_choice(&x->r, "kind", kinds, 0)]);
	config_check_kind(x->l, &x->r, o->kind, o->roles, o->role_count);
}

/* RFC 6749 section 3.3: what a header can quote. */
static bool scope_fits(struct str scope)
{
	for (size_t i = 0; i < scope.n; i++)
		if (scope.p[i] <= ' ' || scope.p[i] >= 0x7f || str_has(S("\"\\"), scope.p[i]))
			return false;
	return scope.n > 0 && scope.n <= 128;
}

static void load_scopes(struct issuer_load *x)
{
	static const char *const uses[] = { "ignore", "narrow", NULL };
	struct jwt_config *o = x->o;

	o->narrow = read_choice(&x->r, "scopes", uses, 0) == 1;
	o->initial_scopes = read_strs(&x->r, "initial_scopes", &o->initial_scope_count);
	if (o->initial_scope_count && !o->narrow)
		refuse(x, "initial_scopes", "config.choice",
			S("identity.jwt.initial_scopes, but scopes do not count"),
			S("add 'scopes: narrow', or remove the key"));
	if (o->initial_scope_count > SCOPES_MAX)
		refuse(x, "initial_scopes", "config.range", S("more than 32 initial scopes"),
			S("name those that most clients need; a client asks for more when it "
			  "must"));
	for (size_t i = 0; i < o->initial_scope_count; i++)
		if (!scope_fits(o->initial_scopes[i]))
			refuse(x, "initial_scopes", "config.name",
				arena_fmt(x->l->a, "'%.*s' is not a scope",
					STR_ARG(o->initial_scopes[i])),
				S("use 1 to 128 printable characters without blanks, quotes and "
				  "backslashes"));
}

static void load_times(struct issuer_load *x)
{
	struct jwt_config *o = x->o;

	o->typ = read_str(&x->r, "typ", STR_NONE);
	o->clock_skew_ms = read_duration_ms(&x->r, "clock_skew", 30 * SECOND_MS, 0, 2 * MINUTE_MS);
	o->max_age_ms = read_duration_ms(&x->r, "max_age", 10 * MINUTE_MS, SECOND_MS, DAY_MS);
	o->max_stale_ms = read_duration_ms(&x->r, "max_stale", 60 * MINUTE_MS, SECOND_MS, DAY_MS);
	if (o->max_stale_ms < o->max_age_ms)
		refuse(x, "max_stale", "config.limits",
			arena_fmt(x->l->a, "max_stale (%u ms) is shorter than max_age (%u ms)",
				o->max_stale_ms, o->max_age_ms),
			S("keys are fetched again after max_age and given up after max_stale"));
}

static void load_issuer(struct config_load *l, const struct yaml *node, struct jwt_config *o)
{
	struct issuer_load x = { .l = l, .o = o };

	reader_init(&x.r, l->a, l->f, node, "identity.jwt");
	o->at = node->at;
	load_issuer_name(&x);
	load_audience(&x);
	load_key_set(&x);
	load_algorithms(&x);
	load_claims(&x);
	load_fixed_parts(&x);
	load_scopes(&x);
	load_times(&x);
	reader_done(&x.r);
}

void config_jwt_load(struct config_load *l, struct reader *identity)
{
	const struct yaml *list = read_list(identity, "jwt");
	struct jwt_config *jwt;

	if (!list)
		return;
	if (!list->count || list->count > ISSUERS_MAX) {
		finding_error(l->f, list->at, "config.range",
			S("identity.jwt lists no issuer, or more than 16"),
			S("list 1 to 16, or remove the key"));
		return;
	}
	jwt = arena_array(l->a, struct jwt_config, list->count);
	for (size_t i = 0; i < list->count; i++) {
		load_issuer(l, &list->items[i], &jwt[i]);
		for (size_t k = 0; k < i; k++)
			if (jwt[i].issuer.n && str_eq(jwt[i].issuer, jwt[k].issuer))
				finding_error(l->f, list->items[i].at, "config.issuer_twice",
					arena_fmt(l->a, "issuer '%.*s' is there already",
						STR_ARG(jwt[i].issuer)),
					S("join the two, or remove one"));
	}
	l->c->jwt = jwt;
	l->c->jwt_count = list->count;
}
