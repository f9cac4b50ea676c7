/* proxy - an identity that a proxy in front names and signs.
 *
 *	Postern-Identity: base64url of {"subject": …, "tenant": …, "agent": …, "roles": […]}
 *	Postern-Signature: key=NAME, …      see signature.h; the identity is one of its lines
 *
 * Invariants: 1. nothing of the identity is read before its signature was found right.  2. a member
 * that is not known, of another type, or a role outside the proxy's list refuses the whole.  3. the
 * next key is as good as the first, so that the two sides need not change at one moment. */
#include "identity/inside.h"

#include "json/json.h"

#define IDENTITY_MAX_BYTES 8192
#define ROLES_MAX 64
#define ARENA_BYTES ((size_t)1 << 20)

/* One of the proxy's two keys, as it is now.  False: it cannot be read. */
static bool take_key(const struct secret_config *config, struct secret_file *file, uint64_t boot_ms,
	struct secret *out)
{
	struct err err;

	if (file)
		return secret_file_get(file, boot_ms, out, &err);
	*out = config->value;
	return true;
}

static enum identity_verdict fits_key(const struct secret_config *config, struct secret_file *file,
	const struct signature *s, const struct credential_shown *shown, struct moment at)
{
	enum identity_verdict verdict = IDENTITY_SIGNATURE;
	struct secret key;

	if (!config->value.n)
		return IDENTITY_SIGNATURE;
	if (!take_key(config, file, at.boot_ms, &key))
		return IDENTITY_UNAVAILABLE;
	if (key.n >= 32 && signature_fits(secret_bytes(&key), s, shown))
		verdict = IDENTITY_OK;
	secret_wipe(&key);
	return verdict;
}

static enum identity_verdict check_signature(const struct identity *i, size_t at,
	const struct signature *s, const struct credential_shown *shown, struct moment now)
{
	const struct proxy_config *c = &i->config->proxies[at];
	const struct proxy_keys *k = &i->proxies[at];
	enum identity_verdict first = fits_key(&c->key, k->key, s, shown, now);
	enum identity_verdict second;

	if (first == IDENTITY_OK)
		return first;
	second = fits_key(&c->next, k->next, s, shown, now);
	return second == IDENTITY_SIGNATURE ? first : second;
}

/* --- what it says --- */

static bool read_text(const struct json *v, struct str *out)
{
	if (!json_is(v, JSON_STRING))
		return false;
	*out = v->text;
	return true;
}

static bool read_roles(
	struct arena *a, const struct proxy_config *c, const struct json *v, struct principal *out)
{
	struct str *roles;

	if (!json_is(v, JSON_ARRAY) || v->count > ROLES_MAX)
		return false;
	roles = arena_array(a, struct str, v->count + 1);
	for (uint32_t i = 0; i < v->count; i++)
		if (!read_text(&v->items[i], &roles[i]) ||
			!is_listed(c->roles, c->role_count, roles[i]))
			return false;
	out->roles = roles;
	out->role_count = v->count;
	return true;
}

static bool read_member(struct arena *a, const struct proxy_config *c, const struct json_member *m,
	struct principal *out)
{
	if (str_eq(m->name, S("subject")))
		return read_text(&m->value, &out->subject);
	if (str_eq(m->name, S("tenant")))
		return read_text(&m->value, &out->tenant);
	if (str_eq(m->name, S("agent")))
		return read_text(&m->value, &out->agent);
	return str_eq(m->name, S("roles")) && read_roles(a, c, &m->value, out);
}

static bool read_identity(
	struct arena *a, const struct proxy_config *c, struct str text, struct principal *out)
{
	struct json_error error;
	struct json said;
	struct buf plain;

	buf_in(&plain, a, IDENTITY_MAX_BYTES);
	if (text.n > IDENTITY_MAX_BYTES || !base64url_read(text, &plain) ||
		!json_parse(a, buf_str(&plain), &said, &error) || !json_is(&said, JSON_OBJECT) ||
		json_has_nul(&said))
		return false;
	for (uint32_t i = 0; i < said.count; i++)
		if (!read_member(a, c, &said.members[i], out))
			return false;
	return true;
}

static enum identity_verdict read_principal(const struct identity *i, struct arena *a,
	const struct proxy_config *c, struct str text, struct known **out)
{
	struct principal p = { .credential_kind = CREDENTIAL_PROXY,
		.credential = arena_fmt(a, "proxy:%.*s", STR_ARG(c->name)),
		.approver = c->approver,
		.environment = str_c(environment_name(i->config->environment)) };

	if (!principal_kind_read(c->kind, &p.kind) || !read_identity(a, c, text, &p))
		return IDENTITY_CLAIMS;
	*out = known_make(i->config, &p);
	return *out ? IDENTITY_OK : IDENTITY_CLAIMS;
}

static enum identity_verdict verify(struct identity *i, struct arena *a,
	const struct credential_shown *shown, struct moment at, struct known **out)
{
	enum identity_verdict verdict = IDENTITY_UNKNOWN;
	const struct proxy_config *c = NULL;
	struct signature s;

	if (!signature_read(shown->signature, &s))
		return IDENTITY_MALFORMED;
	for (size_t k = 0; k < i->config->proxy_count && !c; k++) {
		if (!str_eq(i->config->proxies[k].name, s.key))
			continue;
		c = &i->config->proxies[k];
		verdict = check_signature(i, k, &s, shown, at);
	}
	if (verdict != IDENTITY_OK)
		return verdict;
	verdict = signature_take(
		i, arena_fmt(a, "proxy:%.*s", STR_ARG(c->name)), &s, c->max_age_ms, at.wall_us);
	return verdict == IDENTITY_OK ? read_principal(i, a, c, shown->identity, out) : verdict;
}

enum identity_verdict proxy_verify(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out)
{
	enum identity_verdict verdict;
	struct arena a;

	arena_init(&a, ARENA_BYTES);
	verdict = verify(i, &a, shown, at, out);
	arena_done(&a);
	return verdict;
}
