/* permission - see permission.h.
 *
 * Invariants: 1. the order of the enum is the order of the rules, here and in every explanation.
 * 2. an entry that requires nothing is nobody's, but for the server's own tools.  3. a zeroed
 * principal may use nothing of the catalog. */
#include "guard/permission.h"

/* Of the server itself: in every toolset.  What apply_together may do is asked of each step. */
static bool is_builtin(const struct entry *e)
{
	return e->action.kind == ACTION_BUILTIN || e->action.kind == ACTION_TOGETHER;
}

static bool holds_any(const struct principal *who, struct names grants)
{
	for (size_t i = 0; i < grants.count; i++)
		if (principal_holds(who, grants.list[i]))
			return true;
	return false;
}

/* raw_sql serves one subject, and is unknown to everybody else; the same name at an issuer that it
 * does not name is somebody else. */
bool permission_serves(const struct principal *who, const struct entry *e)
{
	return e->action.kind != ACTION_RAW ||
	       (e->action.principal.n && str_eq(e->action.principal, who->subject) &&
		       str_eq(e->action.issuer, who->issuer));
}

static bool in_toolset(const struct principal *who, const struct entry *e)
{
	const struct surface *s = &who->surface;

	if (!permission_serves(who, e))
		return false;
	if (!s->cut || is_builtin(e))
		return true;
	return (e->toolsets & s->person) && (e->toolsets & s->agent);
}

static bool in_tenant(const struct principal *who, const struct entry *e)
{
	return !who->tenant_foreign && (!e->tenant_scoped || who->tenant.n);
}

static bool may_change(const struct principal *who, const struct entry *e)
{
	return !e->mutates || !who->read_only;
}

static bool is_granted(const struct principal *who, const struct entry *e)
{
	if (e->action.kind == ACTION_TOGETHER)
		return holds_any(who, e->any_of);
	if (is_builtin(e))
		return true;
	return e->requires.n && principal_granted(who, e->requires);
}

static bool in_scope(const struct principal *who, const struct entry *e)
{
	return is_builtin(e) || principal_in_scope(who, e->requires);
}

static const struct {
	const char *name;
	bool (*holds)(const struct principal *who, const struct entry *e);
} rules[] = {
	[PERMISSION_TOOLSET] = { "toolset", in_toolset },
	[PERMISSION_TENANT] = { "tenant", in_tenant },
	[PERMISSION_READ_ONLY] = { "read_only", may_change },
	[PERMISSION_GRANT] = { "grant", is_granted },
	[PERMISSION_SCOPE] = { "insufficient_scope", in_scope },
};

enum permission permission_judge(const struct principal *who, const struct entry *e)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (!rules[i].holds(who, e))
			return (enum permission)i;
	return PERMISSION_GIVEN;
}

bool permission_rule_holds(enum permission rule, const struct principal *who, const struct entry *e)
{
	bug_on(rule >= PERMISSION_GIVEN);
	return rules[rule].holds(who, e);
}

const char *permission_name(enum permission p)
{
	return p == PERMISSION_GIVEN ? "given" : rules[p].name;
}

bool permission_exists(const struct principal *who, const struct entry *e)
{
	return in_toolset(who, e);
}

bool permission_visible(const struct principal *who, const struct entry *e)
{
	enum permission p = permission_judge(who, e);

	return p == PERMISSION_GIVEN || p == PERMISSION_SCOPE;
}
