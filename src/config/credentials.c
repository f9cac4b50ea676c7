/* credentials - proxies that say who calls, and whose client certificate is whose.
 *
 * Invariants: 1. a proxy's key has at least PROXY_KEY_MIN bytes.  2. a proxy gives no role that
 * stands not in its list.  3. no two rows match the same value, and without client_ca, which alone
 * makes a certificate worth anything, there are no rows. */
#include "config/load.h"
#include "config/profile.h"

#define PROXIES_MAX 16
#define CERTIFICATES_MAX 1024
#define PROXY_KEY_MIN 32

bool read_secret_config(
	struct reader *r, const char *name, struct config_load *l, struct secret_config *out)
{
	bool plain_ok = profile_permits(l->c->environment, PERMIT_PLAIN_SECRET);
	struct str text = read_secret(r, name, l->c->directory, plain_ok);
	bool ok;

	if (!text.n)
		return false;
	out->file = read_secret_file(r, name, l->c->directory);
	ok = secret_set(&out->value, text);
	wipe((void *)(uintptr_t)text.p, text.n);
	if (!ok)
		config_refuse(l, r->map, name, "config.secret",
			arena_fmt(l->a, "%s: %s has more than 128 bytes", r->what, name),
			S("32 random bytes, written as text, are enough"));
	return ok;
}

const struct str *config_role_names(struct config_load *l, struct reader *r, size_t *count_out)
{
	const struct str *roles = read_strs(r, "roles", count_out);

	for (size_t i = 0; i < *count_out; i++)
		if (!config_role(l->c, roles[i]))
			config_refuse(l, r->map, "roles", "config.role_unknown",
				arena_fmt(l->a, "%s: no role is called '%.*s'", r->what,
					STR_ARG(roles[i])),
				S("define it under 'roles'"));
	return roles;
}

/* The first grant to approve that the role has; empty: none. */
static struct str approval_of(const struct role_config *role)
{
	for (size_t i = 0; role && i < role->grant_count; i++)
		if (grant_approves(role->grants[i]))
			return role->grants[i];
	return STR_NONE;
}

void config_check_kind(struct config_load *l, const struct reader *r, struct str kind,
	const struct str *roles, size_t count)
{
	for (size_t i = 0; i < count && !str_eq(kind, S("human")); i++) {
		struct str grant = approval_of(config_role(l->c, roles[i]));

		if (grant.n)
			config_refuse(l, r->map, "roles", "config.approver",
				arena_fmt(l->a,
					"%s: role %.*s holds '%.*s', and behind kind %.*s there is "
					"no person",
					r->what, STR_ARG(roles[i]), STR_ARG(grant), STR_ARG(kind)),
				S("only people approve: give it a role without approve.…"));
	}
}

static struct str read_kind(struct reader *r)
{
	static const char *const kinds[] = { "human", "agent", "service", NULL };

	return str_c(kinds[read_choice(r, "kind", kinds, 0)]);
}

static void check_key(struct config_load *l, const struct reader *r, const char *name,
	const struct secret_config *key)
{
	if (key->value.n && key->value.n < PROXY_KEY_MIN)
		config_refuse(l, r->map, name, "config.secret",
			arena_fmt(l->a, "%s: %s has %zu bytes, which can be guessed", r->what, name,
				key->value.n),
			S("use at least 32 random bytes"));
}

/* A person decides; what decides calls nothing. */
static bool read_approver(struct config_load *l, struct reader *r, struct str kind)
{
	bool approver = read_bool(r, "approver", false);

	if (approver && !str_eq(kind, S("human")))
		config_refuse(l, r->map, "approver", "config.approver",
			arena_fmt(l->a, "%s: an approver of kind '%.*s'", r->what, STR_ARG(kind)),
			S("only people approve: kind human, or no 'approver'"));
	return approver;
}

static void load_proxy_key(struct config_load *l, struct reader *r, struct proxy_config *o)
{
	size_t errors = l->f->errors;

	if (!read_secret_config(r, "hmac_key", l, &o->key) && r->map && l->f->errors == errors)
		config_refuse(l, r->map, "hmac_key", "config.missing",
			arena_fmt(l->a, "%s: hmac_key is missing, or not set", r->what),
			S("write hmac_key: ${file:PATH}"));
	(void)!read_secret_config(r, "next", l, &o->next);
	check_key(l, r, "hmac_key", &o->key);
	check_key(l, r, "next", &o->next);
}

static void load_proxy(
	struct config_load *l, const struct yaml *node, struct proxy_config *proxies, size_t at)
{
	struct proxy_config *o = &proxies[at];
	struct reader r;

	reader_init(&r, l->a, l->f, node, "identity.proxy");
	o->at = node->at;
	o->name = read_str_required(&r, "name");
	if (o->name.n && !config_name_fits(o->name, false))
		config_refuse(l, r.map, "name", "config.name",
			arena_fmt(l->a, "identity.proxy: '%.*s' is not a name", STR_ARG(o->name)),
			S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
	for (size_t i = 0; i < at; i++)
		if (str_eq(proxies[i].name, o->name))
			config_refuse(l, r.map, "name", "config.twice",
				arena_fmt(l->a, "two proxies are called '%.*s'", STR_ARG(o->name)),
				S("give one of them another name, and another key"));
	load_proxy_key(l, &r, o);
	o->max_age_ms = read_duration_ms(&r, "max_age", 30000, 1000, 300000);
	o->kind = read_kind(&r);
	o->approver = read_approver(l, &r, o->kind);
	o->roles = config_role_names(l, &r, &o->role_count);
	config_check_kind(l, &r, o->kind, o->roles, o->role_count);
	reader_done(&r);
}

static void load_match(struct config_load *l, const struct yaml *node, struct certificate_config *o)
{
	struct reader r;
	struct str values[MATCH_KINDS];
	unsigned found = 0;

	reader_init(&r, l->a, l->f, node, "identity.certificates.match");
	values[MATCH_SAN_URI] = read_str(&r, "san_uri", STR_NONE);
	values[MATCH_SAN_DNS] = read_str(&r, "san_dns", STR_NONE);
	values[MATCH_SAN_EMAIL] = read_str(&r, "san_email", STR_NONE);
	values[MATCH_SUBJECT] = read_str(&r, "subject", STR_NONE);
	for (unsigned i = 0; i < MATCH_KINDS; i++) {
		if (!values[i].n)
			continue;
		found++;
		o->match = (enum match_kind)i;
		o->value = values[i];
	}
	reader_done(&r);
	if (r.map && found != 1)
		config_refuse(l, r.map, NULL, "config.match",
			arena_fmt(l->a, "a certificate is matched by %u things", found),
			S("name exactly one of san_uri, san_dns, san_email and subject"));
}

static void load_certificate(
	struct config_load *l, const struct yaml *node, struct certificate_config *rows, size_t at)
{
	struct certificate_config *o = &rows[at];
	struct reader r;

	reader_init(&r, l->a, l->f, node, "identity.certificates");
	o->at = node->at;
	if (r.map && !read_has(&r, "match"))
		config_refuse(l, r.map, NULL, "config.missing",
			S("identity.certificates: match is missing"),
			S("say which certificate is meant: match: { san_uri: … }"));
	load_match(l, read_node(&r, "match"), o);
	o->subject = read_str_required(&r, "subject");
	o->kind = read_kind(&r);
	o->approver = read_approver(l, &r, o->kind);
	o->tenant = read_str(&r, "tenant", STR_NONE);
	config_check_tenant(l, &r, o->tenant);
	o->agent = read_str(&r, "agent", STR_NONE);
	o->roles = config_role_names(l, &r, &o->role_count);
	config_check_kind(l, &r, o->kind, o->roles, o->role_count);
	for (size_t i = 0; i < at; i++)
		if (o->value.n && rows[i].match == o->match && str_eq(rows[i].value, o->value))
			config_refuse(l, r.map, "match", "config.twice",
				arena_fmt(l->a, "two certificates match '%.*s'", STR_ARG(o->value)),
				S("remove one: who it is would not be clear"));
	reader_done(&r);
}

/* NULL: there is none, or too many. */
static const struct yaml *rows_of(
	struct config_load *l, struct reader *identity, const struct yaml *list, size_t most)
{
	if (!list || list->count <= most)
		return list;
	config_refuse(l, identity->map, NULL, "config.range",
		arena_fmt(l->a, "identity: a list has more than %zu rows", most),
		S("remove some of them"));
	return NULL;
}

/* Certificates are shown where their authority is known: an approver's at the approval pages, all
 * others at the public listener. */
static void check_shown(struct config_load *l, const struct yaml *at)
{
	const struct config *c = l->c;
	bool calls = false, approves = false;

	for (size_t i = 0; i < c->certificate_count; i++) {
		calls |= !c->certificates[i].approver;
		approves |= c->certificates[i].approver;
	}
	if (calls && !c->listen.tls_client_ca.n)
		config_refuse(l, at, "certificates", "config.certificates",
			S("identity.certificates without listen.http.tls.client_ca: nobody could "
			  "show one"),
			S("name the authority that signs them"));
	if (approves && !c->approvals.listen.tls_client_ca.n && !c->listen.tls_client_ca.n)
		config_refuse(l, at, "certificates", "config.certificates",
			S("a certificate of an approver without approvals.tls.client_ca: nobody "
			  "could show one"),
			S("name the authority that signs them"));
}

static void load_certificates(struct config_load *l, struct reader *identity)
{
	const struct yaml *list =
		rows_of(l, identity, read_list(identity, "certificates"), CERTIFICATES_MAX);
	struct certificate_config *rows;

	if (!list)
		return;
	rows = arena_array(l->a, struct certificate_config, list->count + 1);
	for (size_t i = 0; i < list->count; i++)
		load_certificate(l, &list->items[i], rows, i);
	l->c->certificates = rows;
	l->c->certificate_count = list->count;
	check_shown(l, identity->map);
}

void config_credentials_load(struct config_load *l, struct reader *identity)
{
	const struct yaml *list = rows_of(l, identity, read_list(identity, "proxy"), PROXIES_MAX);
	struct proxy_config *proxies;

	if (list) {
		proxies = arena_array(l->a, struct proxy_config, list->count + 1);
		for (size_t i = 0; i < list->count; i++)
			load_proxy(l, &list->items[i], proxies, i);
		l->c->proxies = proxies;
		l->c->proxy_count = list->count;
	}
	load_certificates(l, identity);
}
