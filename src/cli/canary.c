/* canary - see canary.h.
 *
 * The kill step comes before every other: whether a call gets past it shows in any answer of the
 * pipeline, so that arguments need not fit the tool. */
#include "cli/canary.h"

#include "base/clock.h"
#include "cli/remote.h"
#include "serve/world.h"

#include <string.h>

#define KEY_MINUTES 10
#define SELF S("drill-canary")
#define OTHER S("drill-control")
#define ANSWER_BYTES ((size_t)64 << 20)

/* --- who calls --- */

static bool issue(struct canary *c, struct canary_caller *caller, struct str name, struct str roles,
	struct err *err)
{
	struct desk *d = c->desk;
	struct key_row row = { .subject = name,
		.kind = S("service"),
		.tenant = name,
		.agent = name,
		.label = S("kill switch drill"),
		.roles = roles,
		.created_us = clock_wall_us() };
	struct str key = identity_make_key(&d->arena, d->config->environment, NULL, &row);

	row.expires_us = row.created_us + INT64_C(60000000) * KEY_MINUTES;
	if (!store_key_add(d->store, &row, err))
		return err_while(err, "a key for the drill");
	*caller = (struct canary_caller){ name, name, name, row.id, key };
	return true;
}

/* The switch of a tenant is tried on one that is nobody's: a drill pauses no real one. */
static bool tenants_fit(const struct config *config, struct err *err)
{
	if (!config->tenants_closed ||
		(names_hold(config->tenants, SELF) && names_hold(config->tenants, OTHER)))
		return true;
	return err_set(err, E_INVALID,
		"the drill calls for two tenants of its own: list %.*s and %.*s under 'tenants'",
		STR_ARG(SELF), STR_ARG(OTHER));
}

/* --- what is called --- */

static const struct role_config *role_for(const struct config *config, const struct entry *e)
{
	for (size_t i = 0; i < config->role_count; i++)
		for (size_t k = 0; k < config->roles[i].grant_count; k++)
			if (str_eq(config->roles[i].grants[k], e->requires))
				return &config->roles[i];
	return NULL;
}

/* The named one, else the first that a role may call; `apart` is left out, and with
 * `other_source` what stands on its source. */
static const struct entry *find_tool(
	const struct canary *c, struct str name, const struct entry *apart, bool other_source)
{
	const struct source_config *taken = apart && other_source ? apart->source : NULL;
	const struct catalog *catalog = c->desk->catalog;

	for (size_t i = 0; i < catalog->tool_count; i++) {
		const struct entry *e = catalog->tools[i];

		if (e == apart || (name.n && !str_eq(e->name, name)))
			continue;
		if (taken && (!e->source || e->source == taken))
			continue;
		if (role_for(c->desk->config, e))
			return e;
	}
	return NULL;
}

static bool find_tools(struct canary *c, const char *tool, struct err *err)
{
	if (!c->desk->catalog)
		return err_set(err, E_INVALID,
			"the catalog has mistakes; see: postern check.  A drill needs its tools");
	c->tool = find_tool(c, str_c(tool), NULL, false);
	if (!c->tool)
		return tool ? err_set(err, E_NOT_FOUND, "there is no tool %s that a role may call",
				      tool)
			    : err_set(err, E_NOT_FOUND, "there is no tool that a role may call");
	c->other_tool = find_tool(c, STR_NONE, c->tool, false);
	if (c->tool->source)
		c->elsewhere = find_tool(c, STR_NONE, c->tool, true);
	return true;
}

static struct str roles_of(struct canary *c)
{
	const struct entry *const tools[] = { c->tool, c->other_tool, c->elsewhere };
	struct buf text;

	buf_in(&text, &c->desk->arena, 4096);
	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		const struct role_config *role =
			tools[i] ? role_for(c->desk->config, tools[i]) : NULL;

		if (!role)
			continue;
		if (text.n)
			buf_char(&text, ',');
		buf_add(&text, role->name);
	}
	return buf_str(&text);
}

/* --- where --- */

static bool add_instance(struct canary *c, struct str given, struct err *err)
{
	struct str name, url;

	if (c->instances == CANARY_INSTANCES_MAX)
		return err_set(
			err, E_LIMIT, "--url is given more than %d times", CANARY_INSTANCES_MAX);
	if (!str_cut(given, '=', &name, &url) || str_has(name, ':') || str_has(name, '/')) {
		name = c->desk->config->instance;
		url = given;
	}
	if (!str_starts(url, S("http://")) && !str_starts(url, S("https://")))
		return err_set(err, E_INVALID, "--url takes URL or INSTANCE=URL, not \"%.*s\"",
			STR_ARG(given));
	for (size_t i = 0; i < c->instances; i++)
		if (str_eq(c->names[i], name))
			return err_set(err, E_INVALID,
				"two --url are instance %.*s: write INSTANCE=URL", STR_ARG(name));
	c->names[c->instances] = name;
	c->urls[c->instances++] = url;
	return true;
}

bool canary_open(
	struct canary *c, struct desk *d, const char **urls, const char *tool, struct err *err)
{
	struct str roles;

	*c = (struct canary){ .desk = d };
	for (size_t i = 0; urls[i]; i++)
		if (!add_instance(c, str_c(urls[i]), err))
			return false;
	if (!c->instances)
		return err_set(err, E_INVALID,
			"which servers are to prove it? --url INSTANCE=URL, once for each");
	if (!d->config->api_keys)
		return err_set(
			err, E_INVALID, "a drill calls with API keys; identity.api_keys is off");
	if (!tenants_fit(d->config, err) || !find_tools(c, tool, err))
		return false;
	roles = roles_of(c);
	if (!issue(c, &c->self, SELF, roles, err))
		return false;
	if (issue(c, &c->other, OTHER, roles, err))
		return true;
	{
		struct err second;

		(void)!store_key_revoke(
			d->store, c->self.key_id, S("the drill failed"), clock_wall_us(), &second);
	}
	return false;
}

bool canary_close(struct canary *c, struct err *err)
{
	int64_t now_us = clock_wall_us();
	bool ok = store_key_revoke(
		c->desk->store, c->self.key_id, S("the drill is over"), now_us, err);

	return store_key_revoke(
		       c->desk->store, c->other.key_id, S("the drill is over"), now_us, err) &&
	       ok;
}

struct str canary_name(const struct canary *c, enum kill_kind kind)
{
	switch (kind) {
	case KILL_SERVER:
		return c->names[0];
	case KILL_TENANT:
		return c->self.tenant;
	case KILL_PRINCIPAL:
		return c->self.subject;
	case KILL_AGENT:
		return c->self.agent;
	case KILL_CREDENTIAL:
		return c->self.key_id;
	case KILL_TOOL:
		return c->tool->name;
	case KILL_SOURCE:
		return c->tool->source ? c->tool->source->name : STR_NONE;
	case KILL_EVERYTHING:
	case KILL_KIND_COUNT:
		break;
	}
	return STR_NONE;
}

/* --- asking --- */

/* What a call that got past the switch may answer. */
static bool is_served(struct str code)
{
	return !code.n || str_eq(code, S("VALIDATION_ERROR")) || str_eq(code, S("NOT_FOUND")) ||
	       str_eq(code, S("RESULT_TOO_LARGE"));
}

static enum canary_answer read_answer(
	struct arena *a, struct str result, enum kill_kind kind, struct err *err)
{
	struct json_error error;
	const struct json *fault;
	struct str code, why;
	struct json v;

	if (!json_parse(a, result, &v, &error)) {
		err_set(err, E_CONTRACT, "the answer is not JSON");
		return CANARY_OTHER;
	}
	fault = json_get(json_get(&v, S("structuredContent")), S("error"));
	code = json_get_str(fault, S("code"));
	if (is_served(code))
		return CANARY_SERVED;
	why = json_get_str(json_get(fault, S("details")), S("kind"));
	if (str_eq(code, S("PAUSED")) && str_eq(why, str_c(kill_kind_name(kind))))
		return CANARY_PAUSED;
	err_set(err, E_CONTRACT, "the answer is %.*s %.*s", STR_ARG(code), STR_ARG(why));
	return CANARY_OTHER;
}

static enum canary_answer ask(struct canary *c, const struct canary_caller *caller,
	const struct entry *tool, size_t instance, enum kill_kind kind, struct err *err)
{
	enum canary_answer answer = CANARY_OTHER;
	struct arena a;
	struct remote r = { .a = &a, .url = c->urls[instance], .key = caller->key };
	struct str result;
	bool is_error;

	arena_init(&a, ANSWER_BYTES);
	if (remote_call(&r, tool->name, S("{}"), &result, &is_error, err))
		answer = read_answer(&a, result, kind, err);
	arena_done(&a);
	if (answer == CANARY_OTHER)
		err_while(err, "%.*s", STR_ARG(c->names[instance]));
	return answer;
}

enum canary_answer canary_ask(
	struct canary *c, enum kill_kind kind, size_t instance, struct err *err)
{
	return ask(c, &c->self, c->tool, instance, kind, err);
}

bool canary_meets(enum kill_kind kind, size_t instance)
{
	return kind != KILL_SERVER || instance == 0;
}

static const struct entry *other_tool(const struct canary *c, enum kill_kind kind)
{
	if (kind == KILL_TOOL)
		return c->other_tool;
	return kind == KILL_SOURCE ? c->elsewhere : c->tool;
}

bool canary_has_other(const struct canary *c, enum kill_kind kind, size_t instance)
{
	if (kind == KILL_EVERYTHING)
		return false;
	return kind == KILL_SERVER ? !canary_meets(kind, instance) : other_tool(c, kind) != NULL;
}

enum canary_answer canary_ask_other(
	struct canary *c, enum kill_kind kind, size_t instance, struct err *err)
{
	bool mine = kind == KILL_TOOL || kind == KILL_SOURCE || kind == KILL_SERVER;

	return ask(c, mine ? &c->self : &c->other, other_tool(c, kind), instance, kind, err);
}
