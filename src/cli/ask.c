/* ask - postern ask: may this subject use that tool, and by which rule not?  The rules are guard's
 * (guard/permission.h); here they get words. */
#include "cli/cli.h"
#include "cli/principals.h"
#include "guard/permission.h"
#include "serve/world.h"

#include <stdio.h>
#include <sysexits.h>

struct question {
	const char *subject, *agent, *tenant;
	const char *roles[CLI_LIST_MAX];
	struct arena *a;
	const struct config *config;
	const struct entry *entry;
};

/* "a, b", or what to say of none. */
static struct str join(struct arena *a, const struct str *list, size_t count, const char *none)
{
	struct buf text;

	buf_in(&text, a, (size_t)64 << 10);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_lit(&text, ", ");
		buf_add(&text, list[i]);
	}
	return count ? buf_str(&text) : str_c(none);
}

static struct str toolset_names(const struct question *q, uint64_t bits)
{
	struct str names[TOOLSETS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < q->config->toolset_count; i++)
		if (bits & UINT64_C(1) << i)
			names[count++] = q->config->toolsets[i].name;
	return join(q->a, names, count, "none");
}

static struct str say_toolset(const struct question *q, const struct principal *p, bool yes)
{
	uint64_t both = p->surface.person & p->surface.agent;

	if (!p->surface.cut)
		return S("there are no toolsets: the whole catalog is everybody's");
	if (q->entry->action.kind == ACTION_BUILTIN)
		return S("a tool of the server is in every surface");
	if (yes && q->entry->toolsets & both)
		return arena_fmt(q->a, "it is in %.*s",
			STR_ARG(toolset_names(q, q->entry->toolsets & both)));
	return arena_fmt(q->a, "it is in %.*s; the person has %.*s; the agent has %.*s",
		STR_ARG(toolset_names(q, q->entry->toolsets)),
		STR_ARG(toolset_names(q, p->surface.person)),
		STR_ARG(toolset_names(q, p->surface.agent)));
}

static struct str say_tenant(const struct question *q, const struct principal *p, bool yes)
{
	if (p->tenant_foreign)
		return arena_fmt(
			q->a, "'%.*s' is not one of the deployment's tenants", STR_ARG(p->tenant));
	if (!q->entry->tenant_scoped)
		return S("it asks for no tenant");
	return yes ? arena_fmt(q->a, "it runs for %.*s", STR_ARG(p->tenant))
		   : S("it cannot run without a tenant, and there is none");
}

static struct str say_read_only(const struct question *q, const struct principal *p, bool yes)
{
	(void)p;
	if (!q->entry->mutates)
		return S("it changes nothing");
	return yes ? S("changes are allowed")
		   : S("the server, the subject or the agent is read-only");
}

static struct str say_grant(const struct question *q, const struct principal *p, bool yes)
{
	const struct config *c = q->config;
	struct str *roles = arena_array(q->a, struct str, c->role_count + 1);
	size_t count = 0;

	if (!q->entry->requires.n)
		return S("it requires nothing");
	for (size_t i = 0; i < c->role_count; i++) {
		const struct role_config *role = &c->roles[i];
		struct names grants = { role->grants, role->grant_count };
		struct names held = { p->roles, p->role_count };

		if (names_hold(grants, q->entry->requires) &&
			(!yes || names_hold(held, role->name)))
			roles[count++] = role->name;
	}
	return arena_fmt(q->a, "it requires %.*s, granted by %s%.*s", STR_ARG(q->entry->requires),
		yes ? "role " : "other roles: ", STR_ARG(join(q->a, roles, count, "none")));
}

static struct str say_scope(const struct question *q, const struct principal *p, bool yes)
{
	(void)q;
	if (!p->scoped)
		return S("the credential has no scopes that narrow its grants");
	return yes ? S("the token's scopes hold the grant")
		   : S("the token's scopes do not hold the grant");
}

static const struct {
	const char *name;
	struct str (*say)(const struct question *q, const struct principal *p, bool yes);
} rules[] = {
	[PERMISSION_TOOLSET] = { "toolset", say_toolset },
	[PERMISSION_TENANT] = { "tenant", say_tenant },
	[PERMISSION_READ_ONLY] = { "read-only", say_read_only },
	[PERMISSION_GRANT] = { "grant", say_grant },
	[PERMISSION_SCOPE] = { "scope", say_scope },
};

static bool explain(const struct question *q, const struct principal *p)
{
	enum permission answer = permission_judge(p, q->entry);
	struct str roles = join(q->a, p->roles, p->role_count, "none");

	printf("%.*s@%u for %s (%.*s %.*s; tenant %.*s; agent %.*s; roles %.*s)\n",
		STR_ARG(q->entry->name), q->entry->version, q->subject,
		STR_ARG(str_c(credential_kind_name(p->credential_kind))), STR_ARG(p->credential),
		STR_ARG(p->tenant.n ? p->tenant : S("none")),
		STR_ARG(p->agent.n ? p->agent : S("none")), STR_ARG(roles));
	for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
		bool yes = permission_rule_holds((enum permission)i, p, q->entry);
		struct str why = rules[i].say(q, p, yes);

		printf("  %-10s %-4s %.*s\n", rules[i].name, yes ? "yes" : "no", STR_ARG(why));
	}
	if (answer == PERMISSION_GIVEN)
		printf("  allowed\n");
	else if (answer == PERMISSION_TOOLSET)
		printf("  refused: for this caller there is no such tool\n");
	else
		printf("  refused: PERMISSION_DENIED, reason %s\n", permission_name(answer));
	return answer == PERMISSION_GIVEN;
}

static const struct entry *find(const struct catalog *c, struct str name)
{
	const struct entry *e = map_get(&c->tools_by_name, name);
	const struct {
		const struct entry *const *list;
		size_t count;
	} sets[] = { { c->prompts, c->prompt_count }, { c->resources, c->resource_count },
		{ c->templates, c->template_count } };

	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		for (size_t i = 0; !e && i < sets[s].count; i++)
			if (str_eq(sets[s].list[i]->name, name))
				e = sets[s].list[i];
	return e;
}

static int ask_for_roles(struct question *q)
{
	struct principal p = { .subject = str_c(q->subject),
		.tenant = str_c(q->tenant),
		.agent = str_c(q->agent),
		.credential = S("with these roles") };
	struct str *roles = arena_array(q->a, struct str, CLI_LIST_MAX);

	p.credential_kind = CREDENTIAL_KEY;
	for (size_t i = 0; q->roles[i]; i++) {
		if (!config_role(q->config, str_c(q->roles[i])))
			return cli_fail(EX_USAGE, "there is no role \"%s\" in the configuration",
				q->roles[i]);
		roles[p.role_count++] = str_c(q->roles[i]);
	}
	p.roles = roles;
	principal_finish(q->config, q->a, &p);
	return explain(q, &p) ? 0 : 1;
}

static int ask_for_keys(struct question *q, struct world *w)
{
	struct principals them;
	size_t asked = 0, allowed = 0;
	struct err err;

	if (!principals_of_subject(w, q->config, q->a, str_c(q->subject), &them, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	for (size_t i = 0; i < them.count; i++) {
		const struct principal *p = &them.list[i];

		if ((q->agent && !str_eq(p->agent, str_c(q->agent))) ||
			(q->tenant && !str_eq(p->tenant, str_c(q->tenant))))
			continue;
		asked++;
		allowed += explain(q, p);
	}
	if (!asked)
		return cli_fail(1,
			"\"%s\" has no valid key%s; give --role to ask for roles instead",
			q->subject, them.count ? " with this agent and tenant" : "");
	return allowed ? 0 : 1;
}

static int ask_in(struct question *q, struct world *w, const struct generation *g, const char *name)
{
	const char *const names[] = { q->subject, q->agent, q->tenant };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!principal_name_ok(str_c(names[i])))
			return cli_fail(EX_USAGE,
				"--as, --agent and --tenant take up to 256 bytes of UTF-8 without "
				"control or invisible characters");
	q->config = g->config;
	q->entry = find(g->catalog, str_c(name));
	if (!q->entry)
		return cli_fail(
			1, "there is no tool, prompt or resource \"%s\" in the catalog", name);
	return q->roles[0] ? ask_for_roles(q) : ask_for_keys(q, w);
}

int cli_ask(struct cli *c)
{
	struct question q = { 0 };
	const struct cli_option options[] = { { .name = "as", .value = &q.subject },
		{ .name = "agent", .value = &q.agent }, { .name = "tenant", .value = &q.tenant },
		{ .name = "role", .list = q.roles } };
	struct generation *g;
	const char *words[2];
	struct world *w;
	struct arena a;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	if (!q.subject || !q.subject[0])
		return cli_fail(EX_USAGE, "--as SUBJECT is missing: who asks?");
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)64 << 20);
	q.a = &a;
	g = world_hold(w);
	status = ask_in(&q, w, g, words[1]);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return status;
}
