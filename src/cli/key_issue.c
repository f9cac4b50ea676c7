/* key_issue - postern key issue | rotate: keys that are shown once. */
#include "cli/key.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define PRODUCTION_DAYS 90
#define DAYS_MAX 3650

struct issue {
	const char *subject, *kind, *tenant, *agent, *expires, *label;
	const char *roles[CLI_LIST_MAX];
	bool signing, approver;
};

static bool roles_known(const struct config *config, const struct issue *o)
{
	for (size_t i = 0; o->roles[i]; i++)
		if (!config_role(config, str_c(o->roles[i])))
			return cli_fail(0, "there is no role \"%s\" in the configuration",
				       o->roles[i]) != 0;
	return true;
}

/* Only people approve: a key for a machine never holds what its role says of approving. */
static bool kind_fits(const struct config *config, const struct issue *o)
{
	for (size_t i = 0; o->kind && strcmp(o->kind, "human") != 0 && o->roles[i]; i++) {
		const struct role_config *role = config_role(config, str_c(o->roles[i]));

		for (size_t k = 0; role && k < role->grant_count; k++)
			if (grant_approves(role->grants[k]))
				return cli_fail(0,
					       "role \"%s\" holds %.*s, and behind kind %s there "
					       "is no person: only people approve",
					       o->roles[i], STR_ARG(role->grants[k]), o->kind) != 0;
	}
	return true;
}

/* A key whose every call would be refused is better not made. */
static bool tenant_known(const struct config *config, struct str tenant)
{
	if (!config->tenants_closed || names_hold(config->tenants, tenant))
		return true;
	if (!tenant.n)
		return cli_fail(0, "the configuration lists its tenants: a key needs --tenant, one "
				   "of them") != 0;
	return cli_fail(0,
		       "tenant \"%.*s\" is not listed under 'tenants' in the configuration: name "
		       "one of those, or add it there",
		       STR_ARG(tenant)) != 0;
}

static bool expiry(const struct config *config, const char *given, int64_t now_us, int64_t *out)
{
	uint64_t days = config->environment == ENV_PRODUCTION ? PRODUCTION_DAYS : 0;

	if (given && (!str_to_u64(str_c(given), &days) || !days || days > DAYS_MAX))
		return cli_fail(0, "--expires takes days, 1 to %d", DAYS_MAX) != 0;
	*out = days ? now_us + (int64_t)days * KEY_DAY_US : 0;
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

/* The secret is made, the key kept, the order recorded; a key whose order has no record is revoked
 * before anybody has seen it. */
static bool make_key(struct world *w, struct arena *a, struct key_order *order, struct key_row *row,
	bool signing, struct str *key_out, struct err *err)
{
	enum environment environment;
	struct generation *g = world_hold(w);
	struct err late;

	environment = g->config->environment;
	world_drop(w, g);
	if (signing && !world_seal(w, err))
		return false;
	*key_out = identity_make_key(a, environment, signing ? world_seal_of(w) : NULL, row);
	row->created_us = clock_wall_us();
	order->row = row;
	if (!store_key_add(world_store(w), row, err))
		return false;
	if (key_record(w, order, err))
		return true;
	(void)!store_key_revoke(world_store(w), row->id, S("not recorded"), clock_wall_us(), &late);
	return false;
}

static int issue_in(
	struct world *w, const struct config *config, const struct issue *o, struct arena *a)
{
	struct key_order order = { .what = "issue" };
	struct key_row row = { .subject = str_c(o->subject),
		.kind = str_c(o->kind ? o->kind : "human"),
		.tenant = str_c(o->tenant),
		.agent = str_c(o->agent),
		.label = str_c(o->label),
		.roles = join_roles(a, o),
		.approver = o->approver };
	struct str key;
	struct err err;

	if (!roles_known(config, o) || !kind_fits(config, o) || !tenant_known(config, row.tenant) ||
		!expiry(config, o->expires, clock_wall_us(), &row.expires_us))
		return EX_USAGE;
	if (!make_key(w, a, &order, &row, o->signing, &key, &err))
		return cli_fail(EX_CANTCREAT, "the key was not issued: %s", err.text);
	fprintf(stderr, "%s %.*s for %s; it is shown once, now:\n",
		o->approver  ? "approver's key"
		: o->signing ? "signing key"
			     : "key",
		STR_ARG(row.id), o->subject);
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
	if (o->approver && (o->signing || o->agent || (o->kind && strcmp(o->kind, "human") != 0)))
		return cli_fail(0, "--approver is for a person, without --signing and --agent: "
				   "such a key decides on plans, and calls nothing") != 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!principal_name_ok(str_c(names[i])))
			return cli_fail(0,
				       "--subject, --tenant and --agent take up to 256 bytes of "
				       "UTF-8 without control or invisible characters") != 0;
	return true;
}

int key_issue(struct cli *c)
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
		{ .name = "signing", .flag = &o.signing },
		{ .name = "approver", .flag = &o.approver },
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

/* --- rotate --- */

static void print_steps(const char *config, const char *old, const struct key_row *row)
{
	fprintf(stderr,
		"key %.*s for %.*s, the same as %s, which stays valid; it is shown once, below.\n"
		"Five steps are left:\n"
		"  1. put the new key where its client reads it\n"
		"  2. make the client read it\n"
		"  3. see it used: 'cred' of its records is %.*s; postern audit tail %s\n"
		"  4. postern key revoke %s %s --reason rotated\n"
		"  5. see that nobody misses it: no AUTH_FAIL with reason 'revoked', and the last "
		"use in postern key report %s is before the revocation\n",
		STR_ARG(row->id), STR_ARG(row->subject), old, STR_ARG(row->id), config, config, old,
		config);
}

static int rotate_in(struct world *w, const struct config *config, struct arena *a,
	const char **words, const char *expires)
{
	struct key_order order = { .what = "rotate", .replaces = str_c(words[1]) };
	struct key_row old, row;
	struct str key;
	struct err err;

	if (!store_key_get(world_store(w), a, str_c(words[1]), &old, &err))
		return cli_fail(err.code == E_NOT_FOUND ? 1 : EX_IOERR, "%s", err.text);
	if (old.revoked_us)
		return cli_fail(
			1, "key %s is revoked: issue another with postern key issue", words[1]);
	row = (struct key_row){ .subject = old.subject,
		.kind = old.kind,
		.tenant = old.tenant,
		.agent = old.agent,
		.label = old.label,
		.roles = old.roles,
		.approver = old.approver };
	if (!tenant_known(config, row.tenant) ||
		!expiry(config, expires, clock_wall_us(), &row.expires_us))
		return EX_USAGE;
	if (!make_key(w, a, &order, &row, old.sealed.n > 0, &key, &err))
		return cli_fail(EX_CANTCREAT, "the key was not issued: %s", err.text);
	print_steps(words[0], words[1], &row);
	printf("%.*s\n", STR_ARG(key));
	return 0;
}

int key_rotate(struct cli *c)
{
	const char *words[2], *expires = NULL;
	const struct cli_option options[] = { { .name = "expires", .value = &expires } };
	struct generation *g;
	struct world *w;
	struct arena a;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)1 << 20);
	g = world_hold(w);
	status = rotate_in(w, g->config, &a, words, expires);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return status;
}
