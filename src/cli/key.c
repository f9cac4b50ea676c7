/* key - postern key issue | list | revoke. */
#include "cli/cli.h"
#include "base/clock.h"
#include "serve/world.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define PRODUCTION_DAYS 90
#define DAYS_MAX 3650

struct issue {
	const char *subject, *kind, *tenant, *agent, *expires, *label;
	const char *roles[CLI_LIST_MAX];
};

static bool roles_known(const struct config *config, const struct issue *o)
{
	for (size_t i = 0; o->roles[i]; i++)
		if (!config_role(config, str_c(o->roles[i])))
			return cli_fail(0, "there is no role \"%s\" in the configuration",
				       o->roles[i]) != 0;
	return true;
}

static bool expiry(const struct config *config, const struct issue *o, int64_t now_us, int64_t *out)
{
	uint64_t days = config->environment == ENV_PRODUCTION ? PRODUCTION_DAYS : 0;

	if (o->expires && (!str_to_u64(str_c(o->expires), &days) || !days || days > DAYS_MAX))
		return cli_fail(0, "--expires takes days, 1 to %d", DAYS_MAX) != 0;
	*out = days ? now_us + (int64_t)days * DAY_US : 0;
	return true;
}

static struct str join_roles(struct arena *a, const struct issue *o)
{
	struct buf text;

	buf_in(&text, a, 8192);
	for (size_t i = 0; o->roles[i]; i++) {
		if (i)
			buf_char(&text, ',');
		buf_add(&text, str_c(o->roles[i]));
	}
	return buf_str(&text);
}

static int issue_in(
	struct world *w, const struct config *config, const struct issue *o, struct arena *a)
{
	int64_t now_us = clock_wall_us();
	struct key_row row = { 0 };
	struct str key;
	struct err err;

	key = identity_make_key(a, config->environment, &row);
	row.subject = str_c(o->subject);
	row.kind = str_c(o->kind ? o->kind : "human");
	row.tenant = str_c(o->tenant);
	row.agent = str_c(o->agent);
	row.label = str_c(o->label);
	row.environment = str_c(environment_name(config->environment));
	row.roles = join_roles(a, o);
	row.created_us = now_us;
	if (!roles_known(config, o) || !expiry(config, o, now_us, &row.expires_us))
		return EX_USAGE;
	if (!store_key_add(world_store(w), &row, &err))
		return cli_fail(EX_CANTCREAT, "the key was not issued: %s", err.text);
	fprintf(stderr, "key %.*s for %s; it is shown once, now:\n", STR_ARG(row.id), o->subject);
	printf("%.*s\n", STR_ARG(key));
	return 0;
}

/* What a server would not take from the store must not get there. */
static bool names_fit(const struct issue *o)
{
	const char *const names[] = { o->subject, o->tenant, o->agent };
	enum principal_kind kind;

	if (o->kind && !principal_kind_read(str_c(o->kind), &kind))
		return cli_fail(0, "--kind is human, agent or service") != 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!principal_name_ok(str_c(names[i])))
			return cli_fail(0,
				       "--subject, --tenant and --agent take up to 256 bytes of "
				       "UTF-8 without control or invisible characters") != 0;
	return true;
}

static int issue(struct cli *c)
{
	struct issue o = { 0 };
	const struct cli_option options[] = {
		{ .name = "subject", .value = &o.subject },
		{ .name = "kind", .value = &o.kind },
		{ .name = "tenant", .value = &o.tenant },
		{ .name = "agent", .value = &o.agent },
		{ .name = "expires", .value = &o.expires },
		{ .name = "label", .value = &o.label },
		{ .name = "role", .list = o.roles },
	};
	struct generation *g;
	const char *words[1];
	struct world *w;
	struct arena a;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (!o.subject || !o.subject[0] || !o.roles[0])
		return cli_fail(EX_USAGE,
			"a key needs --subject and at least one --role: who is it for, "
			"and what may they do?");
	if (!names_fit(&o))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)1 << 20);
	g = world_hold(w);
	status = issue_in(w, g->config, &o, &a);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return status;
}

static void print_time(int64_t us, const char *never)
{
	struct buf text;

	buf_init(&text, 64);
	if (us)
		clock_write_rfc3339(&text, us);
	else
		buf_add(&text, str_c(never));
	printf("  %-12.10s", text.n ? (buf_char(&text, '\0'), text.p) : never);
	buf_done(&text);
}

static void print_row(const struct key_row *r, int64_t now_us)
{
	const char *state = r->revoked_us                              ? "revoked"
			    : r->expires_us && r->expires_us <= now_us ? "expired"
								       : "valid";

	printf("%-14.*s %-24.*s %-8.*s %-12.*s %-8s", STR_ARG(r->id), STR_ARG(r->subject),
		STR_ARG(r->kind), STR_ARG(r->environment), state);
	print_time(r->created_us, "-");
	print_time(r->expires_us, "never");
	print_time(r->used_us, "unused");
	printf("  %.*s\n", STR_ARG(r->roles));
}

static int list(struct cli *c)
{
	const char *words[1];
	struct key_row *rows;
	struct world *w;
	struct arena a;
	struct err err;
	size_t count;
	int status = 0;

	if (!cli_parse(c, NULL, 0, words, 1, 1))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)64 << 20);
	if (store_key_list(world_store(w), &a, &rows, &count, &err)) {
		printf("%-14s %-24s %-8s %-12s %-8s  %-12s  %-12s  %-12s  %s\n", "ID", "SUBJECT",
			"KIND", "ENVIRONMENT", "STATE", "CREATED", "EXPIRES", "LAST USED", "ROLES");
		for (size_t i = 0; i < count; i++)
			print_row(&rows[i], clock_wall_us());
	} else {
		status = cli_fail(EX_IOERR, "%s", err.text);
	}
	arena_done(&a);
	world_close(&w);
	return status;
}

static int revoke(struct cli *c)
{
	const char *words[2];
	struct world *w;
	struct err err;
	int status = 0;

	if (!cli_parse(c, NULL, 0, words, 2, 2))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	if (store_key_revoke(world_store(w), str_c(words[1]), clock_wall_us(), &err))
		printf("key %s is revoked; running servers refuse it within two seconds\n",
			words[1]);
	else
		status = cli_fail(err.code == E_NOT_FOUND ? 1 : EX_IOERR, "%s", err.text);
	world_close(&w);
	return status;
}

int cli_key(struct cli *c)
{
	static const struct {
		const char *name;
		int (*run)(struct cli *c);
	} verbs[] = { { "issue", issue }, { "list", list }, { "revoke", revoke } };

	for (size_t i = 0; c->argc && i < ARRAY_LEN(verbs); i++) {
		struct cli rest = {
			.argc = c->argc - 1, .argv = c->argv + 1, .synopsis = c->synopsis
		};

		if (strcmp(c->argv[0], verbs[i].name) == 0)
			return verbs[i].run(&rest);
	}
	if (!cli_parse(c, NULL, 0, NULL, 0, 0))
		return EX_USAGE;
	return cli_fail(
		EX_USAGE, "issue, list or revoke? usage: postern %.*s", STR_ARG(c->synopsis));
}
