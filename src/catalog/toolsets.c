/* toolsets - which entries the toolsets of postern.yaml name, and whether what they name exists. */
#include "catalog/load.h"

static const struct names *named(const struct toolset_config *set, enum entry_kind kind)
{
	switch (kind) {
	case ENTRY_TOOL:
		return &set->tools;
	case ENTRY_RESOURCE:
		return &set->resources;
	case ENTRY_PROMPT:
		return &set->prompts;
	case ENTRY_COMPLETION: /* its owner's */
		break;
	}
	bug("an entry kind that no toolset names");
}

uint64_t toolsets_of(const struct config *config, const struct entry *e)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < config->toolset_count; i++)
		if (names_hold(*named(&config->toolsets[i], e->kind), e->name))
			bits |= UINT64_C(1) << i;
	return bits;
}

static bool exists(const struct entries *entries, struct str name)
{
	for (size_t i = 0; i < entries->count; i++)
		if (str_eq(entries->list[i]->name, name))
			return true;
	return false;
}

static void check_names(struct catalog_load *l, const struct toolset_config *set, const char *what,
	const struct names *names, const struct entries *a, const struct entries *b)
{
	for (size_t i = 0; i < names->count; i++) {
		if (exists(a, names->list[i]) || exists(b, names->list[i]))
			continue;
		finding_error(l->f, set->at, "toolset.unknown",
			arena_fmt(l->a, "toolset %.*s: there is no %s '%.*s'", STR_ARG(set->name),
				what, STR_ARG(names->list[i])),
			S("correct the name, or remove it"));
	}
}

static void warn_of_hidden(struct catalog_load *l, const char *what, const struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *e = entries->list[i];

		if (e->toolsets || e->action.kind == ACTION_BUILTIN ||
			e->action.kind == ACTION_TOGETHER)
			continue;
		finding_warn(l->f, e->at, "toolset.none",
			arena_fmt(l->a, "%s %.*s is in no toolset: it exists for nobody", what,
				STR_ARG(e->name)),
			S("list it in a toolset of postern.yaml, or remove it"));
	}
}

void toolsets_lint(struct catalog_load *l)
{
	static const struct entries none;

	for (size_t i = 0; i < l->config->toolset_count; i++) {
		const struct toolset_config *set = &l->config->toolsets[i];

		check_names(l, set, "tool", &set->tools, &l->tools, &none);
		check_names(l, set, "resource", &set->resources, &l->resources, &l->templates);
		check_names(l, set, "prompt", &set->prompts, &l->prompts, &none);
	}
	if (!l->config->toolset_count)
		return;
	warn_of_hidden(l, "tool", &l->tools);
	warn_of_hidden(l, "resource", &l->resources);
	warn_of_hidden(l, "resource", &l->templates);
	warn_of_hidden(l, "prompt", &l->prompts);
}
