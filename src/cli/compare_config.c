/* compare_config - what is not alike in two configurations. */
#include "cli/comparison.h"

/* --- roles and toolsets --- */

static void compare_roles(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	for (size_t i = 0; i < staging->role_count; i++) {
		const struct role_config *x = &staging->roles[i];
		const struct role_config *y = config_role(production, x->name);
		struct str what = arena_fmt(c->a, "role %.*s", STR_ARG(x->name));

		if (!y)
			comparison_only(c, what, true);
		else
			comparison_names(c, what, "grant",
				(struct names){ x->grants, x->grant_count },
				(struct names){ y->grants, y->grant_count });
	}
	for (size_t i = 0; i < production->role_count; i++)
		if (!config_role(staging, production->roles[i].name))
			comparison_only(c,
				arena_fmt(c->a, "role %.*s", STR_ARG(production->roles[i].name)),
				false);
}

static const struct toolset_config *toolset(const struct config *config, struct str name)
{
	for (size_t i = 0; i < config->toolset_count; i++)
		if (str_eq(config->toolsets[i].name, name))
			return &config->toolsets[i];
	return NULL;
}

static void compare_toolset(
	struct comparison *c, const struct toolset_config *x, const struct toolset_config *y)
{
	struct str what = arena_fmt(c->a, "toolset %.*s", STR_ARG(x->name));

	comparison_names(c, what, "tool", x->tools, y->tools);
	comparison_names(c, what, "resource", x->resources, y->resources);
	comparison_names(c, what, "prompt", x->prompts, y->prompts);
	comparison_names(c, what, "for role", x->roles, y->roles);
	comparison_names(c, what, "for subject", x->subjects, y->subjects);
	comparison_names(c, what, "for agent", x->agents, y->agents);
}

static void compare_toolsets(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	for (size_t i = 0; i < staging->toolset_count; i++) {
		const struct toolset_config *x = &staging->toolsets[i];
		const struct toolset_config *y = toolset(production, x->name);

		if (y)
			compare_toolset(c, x, y);
		else
			comparison_only(c, arena_fmt(c->a, "toolset %.*s", STR_ARG(x->name)), true);
	}
	for (size_t i = 0; i < production->toolset_count; i++)
		if (!toolset(staging, production->toolsets[i].name))
			comparison_only(c,
				arena_fmt(c->a, "toolset %.*s",
					STR_ARG(production->toolsets[i].name)),
				false);
}

/* --- limits, modes and tenants --- */

static void compare_limits(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	const struct limits_config *x = &staging->limits, *y = &production->limits;
	const struct {
		const char *key;
		uint64_t x, y;
	} rows[] = {
		{ "request_bytes", x->request_bytes, y->request_bytes },
		{ "concurrency", x->concurrency, y->concurrency },
		{ "tool_time_ms", x->tool_ms, y->tool_ms },
		{ "request_time_ms", x->request_ms, y->request_ms },
		{ "audit_time_ms", x->audit_ms, y->audit_ms },
		{ "connections", x->connections, y->connections },
		{ "connections_per_address", x->connections_per_address,
			y->connections_per_address },
		{ "streams", x->streams, y->streams },
		{ "streams_per_principal", x->streams_per_principal, y->streams_per_principal },
		{ "memory", x->memory, y->memory },
	};
	const struct limit_rule *xa = x->auth_failures, *ya = y->auth_failures;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		comparison_u64(c, S("limits"), rows[i].key, rows[i].x, rows[i].y);
	comparison_rules(c, S("limits"), "calls", x->calls, x->call_count, y->calls, y->call_count);
	comparison_rules(
		c, S("limits"), "errors", x->errors, x->error_count, y->errors, y->error_count);
	comparison_rules(c, S("limits"), "destructive", x->destructive, x->destructive_count,
		y->destructive, y->destructive_count);
	comparison_rules(c, S("limits"), "auth_failures", xa, xa != NULL, ya, ya != NULL);
}

static void compare_source(
	struct comparison *c, const struct source_config *x, const struct source_config *y)
{
	struct str what = arena_fmt(c->a, "source %.*s", STR_ARG(x->name));

	comparison_u64(c, what, "concurrency", x->concurrency, y->concurrency);
	comparison_bool(
		c, what, "concurrency shared", x->concurrency_shared, y->concurrency_shared);
	comparison_rules(c, what, "limit", x->calls, x->call_count, y->calls, y->call_count);
}

static void compare_sources(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	for (size_t i = 0; i < staging->source_count; i++) {
		const struct source_config *s = &staging->sources[i];
		const struct source_config *p = config_source(production, s->name);

		if (p)
			compare_source(c, s, p);
	}
}

static void compare_modes(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	const struct read_only_config *x = &staging->read_only, *y = &production->read_only;

	comparison_bool(c, S("read-only"), "everybody", x->all, y->all);
	comparison_names(c, S("read-only"), "subject", x->subjects, y->subjects);
	comparison_names(c, S("read-only"), "agent", x->agents, y->agents);
	comparison_bool(
		c, S("tenants"), "listed", staging->tenants_closed, production->tenants_closed);
	comparison_names(c, S("tenants"), "tenant", staging->tenants, production->tenants);
}

void compare_configs(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	compare_roles(c, staging, production);
	compare_toolsets(c, staging, production);
	compare_limits(c, staging, production);
	compare_sources(c, staging, production);
	compare_modes(c, staging, production);
}
