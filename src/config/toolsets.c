/* toolsets - which part of the catalog is whose, which tenants there are, who may change nothing.
 *
 * Invariants: 1. a list that is there and empty is for nobody, and is warned of; a section that is
 * absent cuts nothing.  2. names are kept byte for byte; whether the catalog has them is the
 * catalog's to say, roles are looked up here. */
#include "config/load.h"

static struct names read_names(struct reader *r, const char *key)
{
	struct names names;

	names.list = read_strs(r, key, &names.count);
	return names;
}

static void warn(struct config_load *l, struct place at, const char *code, struct str what,
	const char *remedy)
{
	finding_warn(l->f, at, code, what, str_c(remedy));
}

/* --- toolsets --- */

static void check_roles(
	struct config_load *l, const struct yaml *at, const struct toolset_config *o)
{
	for (size_t i = 0; i < o->roles.count; i++)
		if (!config_role(l->c, o->roles.list[i]))
			config_refuse(l, at, "roles", "config.role_unknown",
				arena_fmt(l->a, "toolset %.*s: no role is called '%.*s'",
					STR_ARG(o->name), STR_ARG(o->roles.list[i])),
				S("define it under 'roles', or correct it"));
}

static void load_for(struct config_load *l, struct reader *set, struct toolset_config *o)
{
	struct reader r;

	reader_init(&r, l->a, l->f, read_node(set, "for"),
		arena_cstr(l->a, arena_fmt(l->a, "%s for", set->what)));
	o->roles = read_names(&r, "roles");
	o->subjects = read_names(&r, "subjects");
	o->agents = read_names(&r, "agents");
	reader_done(&r);
	check_roles(l, r.map, o);
	if (!o->roles.count && !o->subjects.count && !o->agents.count)
		warn(l, o->at, "config.toolset_nobody",
			arena_fmt(l->a, "toolset %.*s is for nobody", STR_ARG(o->name)),
			"add 'for:' with roles, subjects or agents");
}

static void load_toolset(
	struct config_load *l, const struct yaml_entry *e, struct toolset_config *o)
{
	struct reader r;

	o->name = e->name;
	o->at = e->at;
	if (!config_name_fits(e->name, false))
		finding_error(l->f, e->at, "config.name",
			arena_fmt(l->a, "toolset '%.*s' is not a name", STR_ARG(e->name)),
			S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
	reader_init(&r, l->a, l->f, &e->value,
		arena_cstr(l->a, arena_fmt(l->a, "toolset %.*s", STR_ARG(e->name))));
	o->tools = read_names(&r, "tools");
	o->resources = read_names(&r, "resources");
	o->prompts = read_names(&r, "prompts");
	load_for(l, &r, o);
	reader_done(&r);
	if (!o->tools.count && !o->resources.count && !o->prompts.count)
		warn(l, o->at, "config.toolset_empty",
			arena_fmt(l->a, "toolset %.*s holds nothing", STR_ARG(o->name)),
			"list the tools, resources or prompts that belong to it");
}

static void load_toolsets(struct config_load *l, struct reader *root)
{
	const struct yaml *node = read_node(root, "toolsets");
	struct toolset_config *sets;
	struct reader r;

	if (!node)
		return;
	reader_init(&r, l->a, l->f, node, "toolsets");
	if (!r.map)
		return;
	if (!r.map->count || r.map->count > TOOLSETS_MAX) {
		config_refuse(l, r.map, NULL, "config.range",
			arena_fmt(l->a, "%zu toolsets", r.map->count),
			S("write 1 to 64, or leave 'toolsets' out: then the whole catalog is "
			  "everybody's"));
		return;
	}
	sets = arena_array(l->a, struct toolset_config, r.map->count);
	for (size_t i = 0; i < r.map->count; i++)
		load_toolset(l, &r.map->entries[i], &sets[i]);
	l->c->toolsets = sets;
	l->c->toolset_count = r.map->count;
}

/* --- tenants --- */

static void check_tenants(struct config_load *l, const struct yaml *at)
{
	const struct names *tenants = &l->c->tenants;

	if (!tenants->count)
		warn(l, at->at, "config.tenant_nobody",
			S("no tenant is listed: nobody can do anything"),
			"list the tenants, or remove the key");
	for (size_t i = 0; i < tenants->count; i++)
		if (names_hold((struct names){ tenants->list, i }, tenants->list[i]))
			config_refuse(l, at, NULL, "config.tenant_twice",
				arena_fmt(l->a, "tenant '%.*s' is listed twice",
					STR_ARG(tenants->list[i])),
				S("remove one of the two"));
}

static void load_tenants(struct config_load *l, struct reader *root)
{
	const struct yaml *node = read_node(root, "tenants");

	if (!node)
		return;
	l->c->tenants = read_names(root, "tenants");
	l->c->tenants_closed = true;
	if (node->kind == YAML_LIST)
		check_tenants(l, node);
}

void config_check_tenant(struct config_load *l, const struct reader *r, struct str tenant)
{
	if (!r->map || !l->c->tenants_closed || names_hold(l->c->tenants, tenant))
		return;
	config_refuse(l, r->map, "tenant", "config.tenant_unknown",
		tenant.n ? arena_fmt(l->a, "%s: tenant '%.*s' is not listed under 'tenants'",
				   r->what, STR_ARG(tenant))
			 : arena_fmt(l->a, "%s: no tenant, and only those of 'tenants' may call",
				   r->what),
		S("name one of 'tenants', or add it there"));
}

/* --- modes --- */

static void load_read_only(struct config_load *l, struct reader *modes)
{
	const struct yaml *node = modes->map ? yaml_get(modes->map, S("read_only")) : NULL;
	struct read_only_config *o = &l->c->read_only;
	struct reader r;

	if (!node || node->kind != YAML_MAP) {
		o->all = read_bool(modes, "read_only", false);
		return;
	}
	reader_init(&r, l->a, l->f, read_map(modes, "read_only"), "modes.read_only");
	o->subjects = read_names(&r, "subjects");
	o->agents = read_names(&r, "agents");
	reader_done(&r);
}

void config_toolsets_load(struct config_load *l, const struct yaml *root)
{
	struct reader top, modes;

	/* not asked for its unknown keys: load_all does that */
	reader_init(&top, l->a, l->f, root, "postern.yaml");
	load_toolsets(l, &top);
	load_tenants(l, &top);
	l->c->builtins = read_bool(&top, "builtins", true);
	reader_init(&modes, l->a, l->f, read_node(&top, "modes"), "modes");
	load_read_only(l, &modes);
	reader_done(&modes);
}
