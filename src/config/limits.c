/* limits - the limits of the whole deployment, and the reading of rules wherever they stand.
 *
 * Invariants: 1. what is absent is said in config.h; "no limit" cannot be written.  2. two rules of
 * a list never count the same thing in the same window: one of them would mean nothing. */
#include "config/limits.h"

#include "config/load.h"

#define MEMORY_DEFAULT ((uint64_t)1 << 30)
#define EXAMPLE "write it as in '120/m per principal'"

/* A guess at a key of 256 random bits is hopeless: this bounds the work and the noise. */
static const struct limit_rule auth_failures_default = {
	.text = STR_INIT("600/m per address"), .most = 600, .window_ms = 60000, .per = PER_ADDRESS
};
static const struct limit_rule destructive_default = { .text = STR_INIT("20/d per principal"),
	.most = 20,
	.window_ms = 86400000,
	.per = PER_PRINCIPAL };

static void refuse(struct reader *r, const struct yaml *at, const char *name, struct str found,
	const char *why)
{
	finding_error(r->f, at->at, "limits.rule",
		arena_fmt(r->a, "%s: %s is '%.*s': %s", r->what, name, STR_ARG(found), why),
		S(EXAMPLE));
}

static bool twice(const struct limit_rule *rules, size_t count, const struct limit_rule *one)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].per == one->per && rules[i].window_ms == one->window_ms)
			return true;
	return false;
}

/* NULL: it may stand here. */
static const char *wrong_per(const struct limit_rule *rule, bool by_address)
{
	if (by_address)
		return rule->per == PER_ADDRESS
			       ? NULL
			       : "before it is known who asks there is only 'per address'";
	return rule->per & PER_ADDRESS ? "'per address' is for auth_failures; a call is limited "
					 "for whom it is made"
				       : NULL;
}

static void read_one(struct reader *r, const char *name, const struct yaml *node, bool by_address,
	struct limit_rule *rules, size_t *count)
{
	struct limit_rule rule;
	const char *wrong;

	if (node->kind != YAML_SCALAR) {
		refuse(r, node, name, str_c(yaml_what(node)), "a limit is text");
		return;
	}
	wrong = rate_read(node->text, &rule);
	if (!wrong)
		wrong = wrong_per(&rule, by_address);
	if (!wrong && twice(rules, *count, &rule))
		wrong = "another one counts the same in a window of the same length";
	if (!wrong && *count == LIMIT_RULES_MOST)
		wrong = "there are 8 already";
	if (wrong)
		refuse(r, node, name, node->text, wrong);
	else
		rules[(*count)++] = rule;
}

static const struct limit_rule *read_rules(
	struct reader *r, const char *name, bool by_address, size_t *count_out)
{
	const struct yaml *node = read_node(r, name);
	struct limit_rule *rules;

	*count_out = 0;
	if (!node)
		return NULL;
	rules = arena_array(r->a, struct limit_rule, LIMIT_RULES_MOST);
	if (node->kind != YAML_LIST)
		read_one(r, name, node, by_address, rules, count_out);
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++)
		read_one(r, name, &node->items[i], by_address, rules, count_out);
	if (node->kind == YAML_LIST && !node->count)
		refuse(r, node, name, S("an empty list"), "it limits nothing");
	return rules;
}

const struct limit_rule *read_limit_rules(struct reader *r, const char *name, size_t *count_out)
{
	return read_rules(r, name, false, count_out);
}

/* Every caller comes from one address: that of a proxy, or of this machine. */
static bool has_one_address(const struct config_load *l, const struct yaml *root)
{
	const struct yaml *identity = yaml_get(root, S("identity"));

	return l->c->listen.proxy_terminates_tls || yaml_get(identity, S("proxy"));
}

static void load_connections(
	struct config_load *l, const struct yaml *root, struct reader *r, struct limits_config *o)
{
	uint32_t quarter;

	o->connections = (uint32_t)read_u64(r, "connections", 1024, 1, 65536);
	quarter = l->c->listen.loopback || has_one_address(l, root) ? 0 : (o->connections + 3) / 4;
	o->connections_per_address =
		(uint32_t)read_u64(r, "connections_per_address", quarter, 1, 65536);
}

static void load_auth_failures(
	struct config_load *l, const struct yaml *root, struct reader *r, struct limits_config *o)
{
	size_t count;
	const struct limit_rule *rules = read_rules(r, "auth_failures", true, &count);

	o->auth_failures = count ? rules : NULL;
	/* behind a proxy every peer is the proxy: one of many could lock out all of them */
	if (!rules && !has_one_address(l, root))
		o->auth_failures = &auth_failures_default;
}

static void load_calls(struct reader *r, struct limits_config *o)
{
	o->calls = read_limit_rules(r, "calls", &o->call_count);
	o->errors = read_limit_rules(r, "errors", &o->error_count);
	o->destructive = read_limit_rules(r, "destructive", &o->destructive_count);
	if (!o->destructive) {
		o->destructive = &destructive_default;
		o->destructive_count = 1;
	}
}

void config_limits_load(struct config_load *l, const struct yaml *root)
{
	struct limits_config *o = &l->c->limits;
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("limits")), "limits");
	o->request_bytes = read_bytes(&r, "request_bytes", 256 << 10, 1 << 10, 16 << 20);
	o->concurrency = (unsigned)read_u64(&r, "concurrency", 64, 1, 1024);
	o->tool_ms = read_duration_ms(&r, "tool_time", 10000, 1, 59999);
	o->request_ms = read_duration_ms(&r, "request_time", 30000, 1, 59999);
	load_connections(l, root, &r, o);
	o->streams = (uint32_t)read_u64(&r, "streams", 256, 1, 65536);
	o->streams_per_principal = (uint32_t)read_u64(&r, "streams_per_principal", 16, 1, 65536);
	o->audit_ms = read_duration_ms(&r, "audit_time", 2000, 100, 2000);
	o->memory = read_bytes(&r, "memory", MEMORY_DEFAULT, (uint64_t)64 << 20, (uint64_t)1 << 40);
	o->pending_plans = (unsigned)read_u64(&r, "pending_plans", 5, 1, 1000);
	load_calls(&r, o);
	load_auth_failures(l, root, &r, o);
	if (o->tool_ms > o->request_ms)
		config_refuse(l, r.map ? r.map : root, "tool_time", "config.limits",
			arena_fmt(l->a, "tool_time (%u ms) is longer than request_time (%u ms)",
				o->tool_ms, o->request_ms),
			S("a statement ends before its request does: lower tool_time"));
	o->streams_per_principal = MIN(o->streams_per_principal, o->streams);
	reader_done(&r);
}
