/* surface - where a principal stands: its toolsets, whether it may change anything, whether its
 * tenant is one of the deployment's.
 *
 * Invariants: 1. names match byte for byte.  2. a dimension (person, agent) that no toolset names
 * asks nothing; one that some toolset names must say yes.  3. no match is no toolset. */
#include "identity/inside.h"

static bool matches_person(const struct toolset_config *set, const struct principal *p)
{
	if (names_hold(set->subjects, p->subject))
		return true;
	for (size_t i = 0; i < p->role_count; i++)
		if (names_hold(set->roles, p->roles[i]))
			return true;
	return false;
}

static struct surface surface_of(const struct config *config, const struct principal *p)
{
	struct surface s = { .cut = config->toolset_count > 0 };
	bool by_person = false, by_agent = false;

	for (size_t i = 0; i < config->toolset_count; i++) {
		const struct toolset_config *set = &config->toolsets[i];
		uint64_t bit = UINT64_C(1) << i;

		by_person = by_person || set->subjects.count || set->roles.count;
		by_agent = by_agent || set->agents.count;
		if (matches_person(set, p))
			s.person |= bit;
		if (p->agent.n && names_hold(set->agents, p->agent))
			s.agent |= bit;
	}
	/* toolsets that name nobody at all are for nobody */
	if (!by_person && by_agent)
		s.person = UINT64_MAX;
	if (!by_agent)
		s.agent = UINT64_MAX;
	return s;
}

void principal_place(const struct config *config, struct principal *p)
{
	const struct read_only_config *read_only = &config->read_only;

	p->surface = surface_of(config, p);
	p->read_only = read_only->all || names_hold(read_only->subjects, p->subject) ||
		       (p->agent.n && names_hold(read_only->agents, p->agent));
	p->tenant_foreign = config->tenants_closed && !names_hold(config->tenants, p->tenant);
}
