/* compare - postern compare: what staging and production do not have alike, one line each, in an
 * order that does not change.  The line is also how a difference is listed as intended.
 *
 * Tools, resources and prompts: which there are, version, grant, whether they mutate, time and
 * bytes, and the digest of the definition, in which every key of the entry counts.  Roles: their
 * grants.  Toolsets: what is in them and whom they are for.  Limits and read-only mode. */
#include "cli/cli.h"
#include "base/file.h"
#include "serve/world.h"

#include <stdio.h>
#include <sysexits.h>

#define INTENDED_MAX ((size_t)1 << 20)
#define DIGEST_SHOWN 12

struct difference {
	struct str text;
	bool intended;
	struct difference *next;
};

struct comparison {
	struct arena *a;
	struct difference *first, **last;
	size_t count, intended;
};

static void note(struct comparison *c, struct str text)
{
	struct difference *d = arena_new(c->a, struct difference);

	d->text = text;
	*c->last = d;
	c->last = &d->next;
	c->count++;
}

static void note_only(struct comparison *c, struct str what, bool in_staging)
{
	note(c, arena_fmt(c->a, "%.*s: only in %s", STR_ARG(what),
			in_staging ? "staging" : "production"));
}

static void compare_text(
	struct comparison *c, struct str what, const char *key, struct str x, struct str y)
{
	if (!str_eq(x, y))
		note(c, arena_fmt(c->a, "%.*s: %s: %.*s -> %.*s", STR_ARG(what), key,
				STR_ARG(x.n ? x : S("none")), STR_ARG(y.n ? y : S("none"))));
}

static void compare_u64(
	struct comparison *c, struct str what, const char *key, uint64_t x, uint64_t y)
{
	compare_text(c, what, key, arena_fmt(c->a, "%llu", (unsigned long long)x),
		arena_fmt(c->a, "%llu", (unsigned long long)y));
}

static void compare_bool(struct comparison *c, struct str what, const char *key, bool x, bool y)
{
	compare_text(c, what, key, x ? S("yes") : S("no"), y ? S("yes") : S("no"));
}

static struct str digest_text(struct arena *a, const struct sha256 *digest)
{
	struct buf text;

	buf_in(&text, a, 128);
	hex_write(&text, str_n(digest->b, SHA256_BYTES));
	return str_sub(buf_str(&text), 0, DIGEST_SHOWN);
}

static void names_only(struct comparison *c, struct str what, const char *key, struct names in,
	struct names not_in, bool in_staging)
{
	for (size_t i = 0; i < in.count; i++)
		if (!names_hold(not_in, in.list[i]))
			note_only(c,
				arena_fmt(c->a, "%.*s: %s %.*s", STR_ARG(what), key,
					STR_ARG(in.list[i])),
				in_staging);
}

static void compare_names(
	struct comparison *c, struct str what, const char *key, struct names x, struct names y)
{
	names_only(c, what, key, x, y, true);
	names_only(c, what, key, y, x, false);
}

/* --- entries --- */

struct entry_set {
	const char *kind;
	const struct entry *const *list;
	size_t count;
};

#define ENTRY_SETS 4

static void sets_of(const struct catalog *c, struct entry_set out[ENTRY_SETS])
{
	out[0] = (struct entry_set){ "tool", c->tools, c->tool_count };
	out[1] = (struct entry_set){ "resource", c->resources, c->resource_count };
	out[2] = (struct entry_set){ "resource template", c->templates, c->template_count };
	out[3] = (struct entry_set){ "prompt", c->prompts, c->prompt_count };
}

static const struct entry *find(const struct entry_set *set, struct str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (str_eq(set->list[i]->name, name))
			return set->list[i];
	return NULL;
}

static void compare_entry(
	struct comparison *c, struct str what, const struct entry *x, const struct entry *y)
{
	compare_u64(c, what, "version", x->version, y->version);
	compare_text(c, what, "requires", x->requires, y->requires);
	compare_bool(c, what, "mutates", x->mutates, y->mutates);
	compare_bool(c, what, "tenant-scoped", x->tenant_scoped, y->tenant_scoped);
	compare_u64(c, what, "timeout_ms", x->timeout_ms, y->timeout_ms);
	compare_u64(c, what, "bytes", x->bytes, y->bytes);
	compare_text(c, what, "definition", digest_text(c->a, &x->digest),
		digest_text(c->a, &y->digest));
}

static struct str entry_what(struct comparison *c, const struct entry_set *set, struct str name)
{
	return arena_fmt(c->a, "%s %.*s", set->kind, STR_ARG(name));
}

static void compare_catalogs(
	struct comparison *c, const struct catalog *staging, const struct catalog *production)
{
	struct entry_set x[ENTRY_SETS], y[ENTRY_SETS];

	sets_of(staging, x);
	sets_of(production, y);
	for (size_t s = 0; s < ENTRY_SETS; s++) {
		for (size_t i = 0; i < x[s].count; i++) {
			const struct entry *e = x[s].list[i], *other = find(&y[s], e->name);
			struct str what = entry_what(c, &x[s], e->name);

			if (other)
				compare_entry(c, what, e, other);
			else
				note_only(c, what, true);
		}
		for (size_t i = 0; i < y[s].count; i++)
			if (!find(&x[s], y[s].list[i]->name))
				note_only(c, entry_what(c, &y[s], y[s].list[i]->name), false);
	}
}

/* --- roles and toolsets --- */

static void compare_roles(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	for (size_t i = 0; i < staging->role_count; i++) {
		const struct role_config *x = &staging->roles[i];
		const struct role_config *y = config_role(production, x->name);
		struct str what = arena_fmt(c->a, "role %.*s", STR_ARG(x->name));

		if (!y)
			note_only(c, what, true);
		else
			compare_names(c, what, "grant", (struct names){ x->grants, x->grant_count },
				(struct names){ y->grants, y->grant_count });
	}
	for (size_t i = 0; i < production->role_count; i++)
		if (!config_role(staging, production->roles[i].name))
			note_only(c,
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

	compare_names(c, what, "tool", x->tools, y->tools);
	compare_names(c, what, "resource", x->resources, y->resources);
	compare_names(c, what, "prompt", x->prompts, y->prompts);
	compare_names(c, what, "for role", x->roles, y->roles);
	compare_names(c, what, "for subject", x->subjects, y->subjects);
	compare_names(c, what, "for agent", x->agents, y->agents);
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
			note_only(c, arena_fmt(c->a, "toolset %.*s", STR_ARG(x->name)), true);
	}
	for (size_t i = 0; i < production->toolset_count; i++)
		if (!toolset(staging, production->toolsets[i].name))
			note_only(c,
				arena_fmt(c->a, "toolset %.*s",
					STR_ARG(production->toolsets[i].name)),
				false);
}

/* --- limits and modes --- */

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
		{ "streams", x->streams, y->streams },
		{ "streams_per_principal", x->streams_per_principal, y->streams_per_principal },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		compare_u64(c, S("limits"), rows[i].key, rows[i].x, rows[i].y);
	for (size_t i = 0; i < staging->source_count; i++) {
		const struct source_config *s = &staging->sources[i];
		const struct source_config *p = config_source(production, s->name);

		if (p)
			compare_u64(c, arena_fmt(c->a, "source %.*s", STR_ARG(s->name)),
				"concurrency", s->concurrency, p->concurrency);
	}
}

static void compare_modes(
	struct comparison *c, const struct config *staging, const struct config *production)
{
	const struct read_only_config *x = &staging->read_only, *y = &production->read_only;

	compare_bool(c, S("read-only"), "everybody", x->all, y->all);
	compare_names(c, S("read-only"), "subject", x->subjects, y->subjects);
	compare_names(c, S("read-only"), "agent", x->agents, y->agents);
	compare_bool(
		c, S("tenants"), "listed", staging->tenants_closed, production->tenants_closed);
}

/* --- what is meant to differ --- */

static bool mark_intended(struct comparison *c, struct str line)
{
	for (struct difference *d = c->first; d; d = d->next)
		if (str_eq(d->text, line)) {
			c->intended += !d->intended;
			d->intended = true;
			return true;
		}
	return false;
}

static bool read_intended(struct comparison *c, const char *path, struct err *err)
{
	struct str rest, line;

	if (!file_read(c->a, str_c(path), INTENDED_MAX, &rest, err))
		return false;
	while (rest.n) {
		if (!str_cut(rest, '\n', &line, &rest)) {
			line = rest;
			rest = STR_NONE;
		}
		line = str_trim(line);
		if (line.n && line.p[0] != '#' && !mark_intended(c, line))
			cli_fail(0, "%s lists what is no difference any more: %.*s", path,
				STR_ARG(line));
	}
	return true;
}

static int report(const struct comparison *c)
{
	for (const struct difference *d = c->first; d; d = d->next)
		printf("%s%.*s\n", d->intended ? "intended: " : "", STR_ARG(d->text));
	printf("%zu %s, %zu intended\n", c->count, c->count == 1 ? "difference" : "differences",
		c->intended);
	return c->count == c->intended ? 0 : 1;
}

static int compare(
	struct arena *a, struct world *staging, struct world *production, const char *intended)
{
	struct generation *x = world_hold(staging), *y = world_hold(production);
	struct comparison c = { .a = a };
	struct err err;
	int status;

	c.last = &c.first;
	compare_catalogs(&c, x->catalog, y->catalog);
	compare_roles(&c, x->config, y->config);
	compare_toolsets(&c, x->config, y->config);
	compare_limits(&c, x->config, y->config);
	compare_modes(&c, x->config, y->config);
	if (intended && !read_intended(&c, intended, &err))
		status = cli_fail(EX_IOERR, "%s", err.text);
	else
		status = report(&c);
	world_drop(staging, x);
	world_drop(production, y);
	return status;
}

int cli_compare(struct cli *c)
{
	const char *intended = NULL, *words[2];
	const struct cli_option options[] = { { .name = "intended", .value = &intended } };
	struct world *staging, *production = NULL;
	int status = EX_CONFIG;
	struct arena a;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	staging = cli_open(words[0]);
	if (staging)
		production = cli_open(words[1]);
	arena_init(&a, (size_t)256 << 20);
	if (production)
		status = compare(&a, staging, production, intended);
	arena_done(&a);
	if (production)
		world_close(&production);
	if (staging)
		world_close(&staging);
	return status;
}
