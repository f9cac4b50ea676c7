/* identity - roles, and how a caller proves who it is.
 *
 * Invariants: 1. a role grants what it lists and nothing else; an empty list grants nobody
 * anything.
 * 2. a fixed principal exists only where nothing real can be reached. */
#include "config/load.h"
#include "config/profile.h"

#include <stdlib.h>

#define GRANTS_MAX 1024

struct expansion {
	struct str *grants;
	size_t count;
	bool full;
};

static bool grant_fits(struct str grant)
{
	return config_name_fits(grant, false) && str_has(grant, '.') && grant.p[0] != '.' &&
	       grant.p[grant.n - 1] != '.';
}

static void add_grant(struct expansion *x, struct str grant)
{
	for (size_t i = 0; i < x->count; i++)
		if (str_eq(x->grants[i], grant))
			return;
	x->full = x->count == GRANTS_MAX;
	if (!x->full)
		x->grants[x->count++] = grant;
}

/* Depth-first through roles in roles; `path` is the chain of roles above, to see a circle. */
static void expand(struct config_load *l, const struct yaml *roles, size_t at, bool *path,
	bool *done, struct expansion *x)
{
	const struct yaml *list = &roles->entries[at].value;

	path[at] = true;
	done[at] = true;
	for (size_t i = 0; list->kind == YAML_LIST && i < list->count; i++) {
		const struct yaml *item = &list->items[i];
		size_t k = 0;

		while (k < roles->count && !str_eq(roles->entries[k].name, item->text))
			k++;
		if (k == roles->count)
			add_grant(x, item->text);
		else if (path[k])
			finding_error(l->f, item->at, "config.role_circle",
				arena_fmt(l->a, "role %.*s contains itself through %.*s",
					STR_ARG(item->text), STR_ARG(roles->entries[at].name)),
				S("remove one of the two"));
		else if (!done[k])
			expand(l, roles, k, path, done, x);
	}
	path[at] = false;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void check_items(struct config_load *l, struct reader *r, const struct yaml *roles,
	const struct yaml_entry *e)
{
	const struct yaml *list = read_list(r, arena_cstr(l->a, e->name));

	for (size_t i = 0; list && i < list->count; i++) {
		struct str text = read_text(r, arena_cstr(l->a, e->name), &list->items[i]);

		if (!text.n || yaml_get(roles, text) || grant_fits(text))
			continue;
		if (str_has(text, '*')) {
			finding_error(l->f, list->items[i].at, "config.role_wildcard",
				arena_fmt(l->a, "role %.*s: '%.*s' is a wildcard", STR_ARG(e->name),
					STR_ARG(text)),
				S("there is no wildcard grant: list each grant by its name"));
			continue;
		}
		finding_error(l->f, list->items[i].at, "config.role_unknown",
			arena_fmt(l->a, "role %.*s: '%.*s' is neither a role nor a grant",
				STR_ARG(e->name), STR_ARG(text)),
			S("define the role, or name a grant, which has a dot: customers.read"));
	}
}

static void load_role(struct config_load *l, struct reader *r, const struct yaml *roles, size_t at,
	struct role_config *o)
{
	struct expansion x = { .grants = arena_array(l->a, struct str, GRANTS_MAX) };
	bool *path = arena_array(l->a, bool, roles->count);
	bool *done = arena_array(l->a, bool, roles->count);
	const struct yaml_entry *e = &roles->entries[at];

	o->name = e->name;
	o->at = e->at;
	if (!config_name_fits(e->name, false) || str_has(e->name, '.'))
		finding_error(l->f, e->at, "config.name",
			arena_fmt(l->a, "role '%.*s' is not a name", STR_ARG(e->name)),
			S("use 1 to 64 of A-Z a-z 0-9 _ - and no dot, which marks grants"));
	check_items(l, r, roles, e);
	expand(l, roles, at, path, done, &x);
	if (x.full)
		finding_error(l->f, e->at, "config.range",
			arena_fmt(l->a, "role %.*s has more than 1024 grants", STR_ARG(e->name)),
			S("split it"));
	if (e->value.kind == YAML_LIST && !x.count)
		finding_warn(l->f, e->at, "config.role_empty",
			arena_fmt(l->a, "role %.*s grants nothing", STR_ARG(e->name)),
			S("list grants, or roles that have some"));
	qsort(x.grants, x.count, sizeof *x.grants, by_name);
	o->grants = x.grants;
	o->grant_count = x.count;
}

void config_roles_load(struct config_load *l, const struct yaml *root)
{
	struct role_config *roles;
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("roles")), "roles");
	if (!r.map)
		return;
	if (r.map->count > 256) {
		config_refuse(l, r.map, NULL, "config.range", S("more than 256 roles"),
			S("join some of them"));
		return;
	}
	roles = arena_array(l->a, struct role_config, r.map->count + 1);
	for (size_t i = 0; i < r.map->count; i++)
		load_role(l, &r, r.map, i, &roles[i]);
	l->c->roles = roles;
	l->c->role_count = r.map->count;
}

static void check_fixed(struct config_load *l, const struct yaml *at)
{
	const struct config *c = l->c;
	struct str remedy =
		S("a fixed principal is for tests: environment development, only scripted "
		  "sources, a loopback listener; use 'api_keys: true' otherwise");

	if (!profile_permits(c->environment, PERMIT_SCRIPT))
		config_refuse(l, at, NULL, "config.fixed",
			arena_fmt(l->a, "identity.fixed in environment %s",
				environment_name(c->environment)),
			remedy);
	if (!c->listen.loopback)
		config_refuse(l, at, NULL, "config.fixed",
			arena_fmt(l->a,
				"identity.fixed with a listener on %.*s, which is not "
				"loopback",
				STR_ARG(c->listen.address)),
			remedy);
	for (size_t i = 0; i < c->source_count; i++)
		if (c->sources[i].kind != SOURCE_SCRIPTED)
			config_refuse(l, at, NULL, "config.fixed",
				arena_fmt(l->a,
					"identity.fixed beside source %.*s, which is not "
					"scripted",
					STR_ARG(c->sources[i].name)),
				remedy);
}

static void load_fixed(struct config_load *l, struct reader *identity)
{
	const struct yaml *node = read_node(identity, "fixed");
	struct fixed_principal *o = arena_new(l->a, struct fixed_principal);
	struct reader r;

	if (!node)
		return;
	reader_init(&r, l->a, l->f, node, "identity.fixed");
	o->subject = read_str_required(&r, "subject");
	o->tenant = read_str(&r, "tenant", STR_NONE);
	o->agent = read_str(&r, "agent", STR_NONE);
	o->roles = config_role_names(l, &r, &o->role_count);
	config_check_tenant(l, &r, o->tenant);
	config_check_kind(l, &r, S("service"), o->roles, o->role_count);
	reader_done(&r);
	if (r.map)
		check_fixed(l, r.map);
	l->c->fixed = o;
}

static void load_stdio(struct config_load *l, struct reader *identity)
{
	struct reader r;

	reader_init(&r, l->a, l->f, read_node(identity, "stdio"), "identity.stdio");
	/* a variable that is not set is no mistake before `postern stdio` */
	(void)!read_secret_config(&r, "key", l, &l->c->stdio_key);
	reader_done(&r);
}

void config_identity_load(struct config_load *l, const struct yaml *root)
{
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("identity")), "identity");
	l->c->api_keys = read_bool(&r, "api_keys", false);
	load_fixed(l, &r);
	load_stdio(l, &r);
	config_jwt_load(l, &r);
	config_credentials_load(l, &r);
	reader_done(&r);
	if (!l->c->api_keys && !l->c->fixed && !l->c->jwt_count && !l->c->proxy_count &&
		!l->c->certificate_count)
		config_refuse(l, r.map ? r.map : root, NULL, "config.nobody",
			S("nobody could call: identity names no way to prove who it is"),
			S("add 'identity: {api_keys: true}'"));
}
