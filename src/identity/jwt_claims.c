/* jwt_claims - see jwt_claims.h.
 *
 * Invariants: 1. texts are compared byte by byte: no case, no prefix, no trailing slash.  2. a
 * claim of another type than expected refuses the token; it is never read as something near.  3.
 * what is absent grants nothing. */
#include "identity/jwt_claims.h"

#include "base/digest.h"
#include "identity/inside.h"

#define SECOND_US INT64_C(1000000)
#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */
#define ID_MAX 128

/* A NumericDate: seconds, perhaps with a fraction, which is cut off; no exponent. */
static bool read_date(const struct json *v, int64_t *us_out)
{
	struct str whole, fraction;
	int64_t seconds;

	if (!json_is(v, JSON_NUMBER))
		return false;
	if (!str_cut(v->text, '.', &whole, &fraction))
		whole = v->text;
	for (size_t i = 0; i < v->text.n; i++)
		if (!ascii_is_digit(v->text.p[i]) && v->text.p[i] != '.')
			return false;
	if (!str_to_i64(whole, &seconds) || seconds > LAST_SECOND)
		return false;
	*us_out = seconds * SECOND_US;
	return true;
}

static enum identity_verdict judge_times(const struct jwt_config *c, const struct json *claims,
	int64_t wall_us, int64_t *expires_us_out)
{
	const struct json *nbf = json_get(claims, S("nbf")), *iat = json_get(claims, S("iat"));
	int64_t skew_us = (int64_t)c->clock_skew_ms * 1000, at, expires;

	if (!read_date(json_get(claims, S("exp")), &expires))
		return IDENTITY_CLAIM;
	if (nbf && !read_date(nbf, &at))
		return IDENTITY_CLAIM;
	if (nbf && (at > wall_us + skew_us || at > expires))
		return IDENTITY_NOT_YET;
	if (iat && !read_date(iat, &at))
		return IDENTITY_CLAIM;
	if (iat && at > wall_us + skew_us)
		return IDENTITY_NOT_YET;
	if (wall_us >= expires + skew_us)
		return IDENTITY_EXPIRED;
	*expires_us_out = expires;
	return IDENTITY_OK;
}

static bool is_audience(const struct jwt_config *c, const struct json *v)
{
	for (size_t i = 0; v->kind == JSON_STRING && i < c->audience_count; i++)
		if (str_eq(v->text, c->audiences[i]))
			return true;
	return false;
}

static bool judge_audience(const struct jwt_config *c, const struct json *aud)
{
	bool found = false;

	if (!aud || aud->kind != JSON_ARRAY)
		return aud && is_audience(c, aud);
	for (uint32_t i = 0; i < aud->count; i++) {
		if (aud->items[i].kind != JSON_STRING)
			return false;
		found |= is_audience(c, &aud->items[i]);
	}
	return found;
}

/* RFC 7515 section 4.1.9: a media type, whose "application/" may be left out. */
static struct str short_type(struct str typ)
{
	struct str prefix = S("application/");

	return str_eq_ci(str_sub(typ, 0, prefix.n), prefix) ? str_from(typ, prefix.n) : typ;
}

enum identity_verdict jwt_claims_judge(const struct jwt_config *c, const struct jwt *token,
	int64_t wall_us, int64_t *expires_us_out)
{
	if (c->typ.n && !str_eq_ci(short_type(token->typ), short_type(c->typ)))
		return IDENTITY_TYP;
	if (!judge_audience(c, json_get(&token->claims, S("aud"))))
		return IDENTITY_AUDIENCE;
	return judge_times(c, &token->claims, wall_us, expires_us_out);
}

/* --- who --- */

static bool take_name(struct arena *a, const struct json *v, struct str *out)
{
	if (!json_is(v, JSON_STRING) || !v->text.n || !principal_name_ok(v->text))
		return false;
	*out = arena_str(a, v->text);
	return true;
}

/* The software: a text, or an actor (RFC 8693 section 4.1), of whom it is the subject. */
static bool take_agent(
	const struct jwt_config *c, struct arena *a, const struct json *claims, struct str *out)
{
	const struct json *v = c->claim_agent.n ? json_get(claims, c->claim_agent) : NULL;

	if (!v)
		return true;
	if (v->kind == JSON_OBJECT)
		v = json_get(v, S("sub"));
	return take_name(a, v, out);
}

static bool take_tenant(
	const struct jwt_config *c, struct arena *a, const struct json *claims, struct str *out)
{
	*out = c->tenant;
	return !c->claim_tenant.n || take_name(a, json_get(claims, c->claim_tenant), out);
}

/* Names nobody here knows are no mistake: the issuer serves others, too. */
static bool take_roles(const struct jwt_config *c, const struct config *config, struct arena *a,
	const struct json *claims, struct principal *out)
{
	const struct json *v = c->claim_roles.n ? json_get(claims, c->claim_roles) : NULL;
	struct str *roles;
	size_t count = 0;

	if (v && (v->kind != JSON_ARRAY || v->count > JWT_ROLES_MAX))
		return false;
	roles = arena_array(a, struct str, c->role_count + (v ? v->count : 0) + 1);
	for (size_t i = 0; i < c->role_count; i++)
		roles[count++] = c->roles[i];
	for (uint32_t i = 0; v && i < v->count; i++) {
		const struct json *role = &v->items[i];
		const struct role_config *known;

		if (role->kind != JSON_STRING)
			return false;
		known = config_role(config, role->text);
		if (known && !is_listed(roles, count, known->name))
			roles[count++] = known->name;
	}
	out->roles = roles;
	out->role_count = count;
	return true;
}

/* RFC 6749 section 3.3: %x21 / %x23-5B / %x5D-7E, so that a challenge can quote it. */
static bool is_scope_char(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool add_scopes(struct arena *a, struct str list, struct str *scopes, size_t *count)
{
	while (list.n) {
		struct str head, tail = STR_NONE;

		if (!str_cut(list, ' ', &head, &tail))
			head = list;
		list = tail;
		if (!head.n)
			continue;
		for (size_t i = 0; i < head.n; i++)
			if (!is_scope_char(head.p[i]))
				return false;
		if (*count == JWT_SCOPES_MAX)
			return false;
		scopes[(*count)++] = arena_str(a, head);
	}
	return true;
}

/* "scope" as RFC 9068 has it; "scp", text or list, as some issuers write it. */
static bool take_scopes(struct arena *a, const struct json *claims, struct principal *out)
{
	const struct json *scope = json_get(claims, S("scope")), *scp = json_get(claims, S("scp"));
	const struct json *v = scope ? scope : scp;
	struct str *scopes = arena_array(a, struct str, JWT_SCOPES_MAX);

	out->scoped = true;
	out->scopes = scopes;
	if (!v)
		return true;
	if (v->kind == JSON_STRING)
		return add_scopes(a, v->text, scopes, &out->scope_count);
	if (v->kind != JSON_ARRAY)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (v->items[i].kind != JSON_STRING ||
			!add_scopes(a, v->items[i].text, scopes, &out->scope_count))
			return false;
	return true;
}

/* How records name the token: by its jti, or by a digest; never by itself. */
static struct str name_credential(struct arena *a, const struct jwt *token)
{
	struct str jti = json_get_str(&token->claims, S("jti"));
	struct sha256 digest;
	struct buf hex;

	if (jti.n && jti.n <= ID_MAX && principal_name_ok(jti))
		return arena_fmt(a, "jwt:%.*s", STR_ARG(jti));
	sha256_of(token->signed_text, &digest);
	buf_in(&hex, a, 64);
	buf_lit(&hex, "jwt:#");
	hex_write(&hex, str_n(digest.b, 8));
	return buf_str(&hex);
}

static bool take_binding(struct arena *a, const struct json *claims, struct str *out)
{
	const struct json *cnf = json_get(claims, S("cnf"));
	struct buf bytes, hex;

	*out = STR_NONE;
	if (!cnf)
		return true;
	buf_in(&bytes, a, SHA256_BYTES);
	/* bound to something else, a key of DPoP: then this is not how it may be shown */
	if (!base64url_read(json_get_str(cnf, S("x5t#S256")), &bytes) || bytes.n != SHA256_BYTES ||
		cnf->count != 1)
		return false;
	buf_in(&hex, a, 2 * SHA256_BYTES);
	hex_write(&hex, buf_str(&bytes));
	*out = buf_str(&hex);
	return true;
}

enum identity_verdict jwt_claims_principal(const struct config *config, const struct jwt_config *c,
	struct arena *a, const struct jwt *token, struct principal *out, struct str *x5t_s256_out)
{
	const struct json *claims = &token->claims;
	enum principal_kind kind;

	bug_on(!principal_kind_read(c->kind, &kind));
	*out = (struct principal){ .kind = kind,
		.credential_kind = CREDENTIAL_JWT,
		.issuer = c->issuer,
		.environment = str_c(environment_name(config->environment)) };
	if (!take_binding(a, claims, x5t_s256_out) || (c->narrow && !take_scopes(a, claims, out)))
		return IDENTITY_CLAIM;
	if (!take_name(a, json_get(claims, c->claim_subject), &out->subject) ||
		!take_agent(c, a, claims, &out->agent))
		return IDENTITY_SUBJECT;
	if (!take_tenant(c, a, claims, &out->tenant))
		return IDENTITY_TENANT;
	if (!take_roles(c, config, a, claims, out))
		return IDENTITY_ROLES;
	out->credential = name_credential(a, token);
	return IDENTITY_OK;
}
