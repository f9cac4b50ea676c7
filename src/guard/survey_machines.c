/* survey_machines - what principals with no person behind them can change; see survey.h.
 *
 * For them `client` and `requester` mean another person: what needs nobody's approval they do
 * alone, all else waits for somebody.  apply_together adds nothing to the tools that are its steps,
 * and is not named. */
#include "catalog/write.h"
#include "guard/survey.h"

static bool alone(const struct entry *e)
{
	return !e->write || e->write->approval == APPROVAL_NONE;
}

static unsigned write_tools(const struct catalog *c, const struct principal *who, bool by_itself,
	const char *before, struct buf *out)
{
	unsigned count = 0;

	for (size_t i = 0; i < c->tool_count; i++) {
		const struct entry *e = c->tools[i];

		if (!e->mutates || e->action.kind == ACTION_TOGETHER || alone(e) != by_itself ||
			permission_judge(who, e) != PERMISSION_GIVEN)
			continue;
		buf_add(out, str_c(count++ ? ", " : before));
		buf_add(out, e->name);
	}
	return count;
}

void survey_machine(const struct catalog *c, const struct principal *who, struct buf *out)
{
	size_t begin = out->n;
	unsigned count;

	if (who->kind == PRINCIPAL_HUMAN)
		return;
	buf_fmt(out, "%s %.*s (%.*s)", principal_kind_name(who->kind), STR_ARG(who->subject),
		STR_ARG(who->credential));
	count = write_tools(c, who, true, " changes alone: ", out);
	count += write_tools(c, who, false,
		count ? "; with somebody's approval: " : " changes with somebody's approval: ",
		out);
	if (count)
		buf_char(out, '\n');
	else
		out->n = begin;
}

static void survey(const struct config *config, const struct catalog *c, struct arena *a,
	struct principal p, struct str kind, struct buf *out)
{
	if (!principal_kind_read(kind, &p.kind))
		return;
	if (!p.tenant.n)
		p.tenant = config->tenants.count ? config->tenants.list[0] : S("any");
	principal_finish(config, a, &p);
	if (p.surface.cut && !p.agent.n)
		p.surface.agent = UINT64_MAX; /* any that may come */
	survey_machine(c, &p, out);
}

void survey_machines(
	const struct config *config, const struct catalog *c, struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < config->certificate_count; i++) {
		const struct certificate_config *o = &config->certificates[i];

		survey(config, c, a,
			(struct principal){ .subject = o->subject,
				.tenant = o->tenant,
				.agent = o->agent,
				.credential = S("certificate"),
				.roles = o->roles,
				.role_count = o->role_count },
			o->kind, out);
	}
	for (size_t i = 0; i < config->proxy_count; i++) {
		const struct proxy_config *o = &config->proxies[i];

		survey(config, c, a,
			(struct principal){ .subject = S("whoever comes"),
				.credential = arena_fmt(a, "proxy %.*s", STR_ARG(o->name)),
				.roles = o->roles,
				.role_count = o->role_count },
			o->kind, out);
	}
	for (size_t i = 0; i < config->jwt_count; i++) {
		const struct jwt_config *o = &config->jwt[i];

		survey(config, c, a,
			(struct principal){ .subject = S("whoever comes"),
				.tenant = o->tenant,
				.credential = arena_fmt(a, "token of %.*s", STR_ARG(o->issuer)),
				.roles = o->roles,
				.role_count = o->role_count },
			o->kind, out);
	}
}
