/* survey - see survey.h. */
#include "guard/survey.h"

struct principal survey_role(
	const struct config *config, struct arena *a, const struct role_config *role)
{
	struct principal p = { .roles = &role->name, .role_count = 1, .tenant = S("any") };

	if (config->tenants_closed)
		p.tenant = config->tenants.count ? config->tenants.list[0] : STR_NONE;
	principal_finish(config, a, &p);
	if (p.surface.cut)
		p.surface.agent = UINT64_MAX;
	return p;
}

/* Counts what mutates, and what of it the principal may use. */
static void count(const struct entry *const *entries, size_t n, const struct principal *who,
	size_t *mutating, size_t *usable)
{
	for (size_t i = 0; i < n; i++) {
		if (!entries[i]->mutates)
			continue;
		++*mutating;
		*usable += permission_judge(who, entries[i]) == PERMISSION_GIVEN;
	}
}

bool survey_is_worth_it(const struct catalog *c)
{
	for (size_t i = 0; i < c->tool_count; i++)
		if (c->tools[i]->mutates)
			return true;
	return false;
}

/* May it use every entry that mutates?  False when there is none. */
static bool changes_all(const struct catalog *c, const struct principal *who)
{
	size_t mutating = 0, usable = 0;

	count(c->tools, c->tool_count, who, &mutating, &usable);
	return mutating && usable == mutating;
}

static void warn(struct findings *f, struct place at, const char *what, struct str name)
{
	finding_warn(f, at, "grant.all_changes",
		arena_fmt(f->a, "%s %.*s can call every tool that changes something", what,
			STR_ARG(name)),
		S("split it: who may do everything is who will be impersonated"));
}

void survey_roles(const struct config *config, const struct catalog *c, struct findings *f)
{
	for (size_t i = 0; i < config->role_count; i++) {
		const struct role_config *role = &config->roles[i];
		struct principal p = survey_role(config, f->a, role);

		if (changes_all(c, &p))
			warn(f, role->at, "role", role->name);
	}
}

void survey_principal(
	const struct catalog *c, const struct principal *who, struct place at, struct findings *f)
{
	if (changes_all(c, who))
		warn(f, at, principal_kind_name(who->kind), who->subject);
}
