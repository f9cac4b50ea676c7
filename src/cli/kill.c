/* kill - postern kill | resume | kills.
 *
 * Invariants: 1. a kill order is in the store before it is recorded: a log that cannot be written
 * does not keep anything running.  2. it is recorded that something goes on before it does.  3. a
 * name that is not known is a warning: it may stand in another instance's catalog. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "cli/pretty.h"
#include "json/write.h"
#include "serve/watch.h"
#include "store/keys.h"
#include "store/kills.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define REASON_MAX 1000
#define HISTORY_US (INT64_C(365) * 86400 * 1000000)

struct order {
	enum kill_kind kind;
	struct str name, reason;
	int64_t since_us, until_us;
	int64_t id; /* 0: none, the local switch only */
};

static bool record(struct desk *d, const char *event, const struct order *o, struct err *err)
{
	struct buf fields;
	struct jw w;
	bool ok;

	buf_in(&fields, &d->arena, (size_t)16 << 10);
	jw_init(&w, &fields);
	jw_object(&w);
	if (o->id)
		jw_put_i64(&w, S("order"), o->id);
	jw_put_str(&w, S("kind"), str_c(kill_kind_name(o->kind)));
	if (o->name.n)
		jw_put_str(&w, S("name"), o->name);
	jw_put_str(&w, S("reason"), o->reason);
	jw_put_str(&w, S("by"), d->who);
	if (o->until_us)
		jw_put_str(&w, S("until"), desk_time(&d->arena, o->until_us, ""));
	jw_object_end(&w);
	ok = audit_event(d->audit, event, str_sub(buf_str(&fields), 1, fields.n - 2), err);
	return ok;
}

/* --- what may be named --- */

static bool in_catalog(const struct catalog *c, struct str name)
{
	for (size_t i = 0; i < c->resource_count; i++)
		if (str_eq(c->resources[i]->name, name))
			return true;
	for (size_t i = 0; i < c->template_count; i++)
		if (str_eq(c->templates[i]->name, name))
			return true;
	return map_get(&c->tools_by_name, name) || map_get(&c->prompts_by_name, name);
}

static bool in_store(struct desk *d, struct str id)
{
	struct key_row row;
	struct err err;

	return store_key_get(d->store, &d->arena, id, &row, &err);
}

static void warn_of_unknown(struct desk *d, const struct order *o)
{
	const char *where = NULL;

	if (o->kind == KILL_TOOL && (!d->catalog || !in_catalog(d->catalog, o->name)))
		where = d->catalog ? "no tool, resource or prompt of this catalog"
				   : "not checked, because the catalog has mistakes";
	else if (o->kind == KILL_SOURCE && !config_source(d->config, o->name))
		where = "no source of this configuration";
	else if (o->kind == KILL_CREDENTIAL && !in_store(d, o->name))
		where = "no key of this store";
	if (where)
		cli_fail(0,
			"warning: %s \"%.*s\" is %s; the order stands, and holds wherever the "
			"name is right",
			kill_kind_name(o->kind), STR_ARG(o->name), where);
}

/* words: CONFIG KIND [NAME] */
static bool read_order(const char **words, const char *reason, struct order *o)
{
	o->name = str_c(words[2]);
	o->reason = str_c(reason);
	if (!kill_kind_read(str_c(words[1]), &o->kind))
		return cli_fail(0,
			       "\"%s\" is no kind of switch; there are: everything, server, "
			       "tenant, principal, agent, credential, tool, source",
			       words[1]) != 0;
	if (o->kind == KILL_EVERYTHING && words[2])
		return cli_fail(0, "everything takes no name") != 0;
	if (o->kind != KILL_EVERYTHING && !o->name.n)
		return cli_fail(0, "which %s? give its name", words[1]) != 0;
	if (!principal_name_ok(o->name))
		return cli_fail(0, "a name is up to 256 bytes of UTF-8 without control or "
				   "invisible characters") != 0;
	if (!o->reason.n || o->reason.n > REASON_MAX)
		return cli_fail(0, "--reason is needed, up to %d bytes: it stands in the record",
			       REASON_MAX) != 0;
	return true;
}

/* --- the local switch --- */

static const char *switch_path(struct desk *d)
{
	return arena_cstr(&d->arena, watch_switch_file(&d->arena, d->config->store_file));
}

static bool switch_on(struct desk *d)
{
	int fd = open(switch_path(d), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* --- kill --- */

static int kill_without_store(struct desk *d, const struct order *o, const struct err *why)
{
	if (o->kind != KILL_EVERYTHING || !switch_on(d))
		return cli_fail(EX_CANTCREAT,
			"NOT killed: %s.  To pause everything without the store: make the file %s, "
			"or send SIGUSR2 to every server",
			why->text, switch_path(d));
	cli_fail(0, "warning: the store does not take the order: %s", why->text);
	printf("everything is killed on the servers beside %s, within a second; other machines "
	       "that share the store are not reached\n",
		switch_path(d));
	return 0;
}

static int give_order(struct desk *d, struct order *o)
{
	struct kill_row row = { .kind = str_c(kill_kind_name(o->kind)),
		.name = o->name,
		.reason = o->reason,
		.by = d->who,
		.since_us = o->since_us,
		.until_us = o->until_us };
	struct err err;

	warn_of_unknown(d, o);
	if (!store_kill_set(d->store, &row, &o->id, &err))
		return kill_without_store(d, o, &err);
	printf("order %lld: %s%s%.*s is killed; every instance refuses within two seconds%s\n",
		(long long)o->id, kill_kind_name(o->kind), o->name.n ? " " : "", STR_ARG(o->name),
		o->until_us ? ", until its time is over" : "");
	if (!record(d, "KILL", o, &err))
		cli_fail(0, "warning: the order holds, but could not be recorded: %s", err.text);
	return 0;
}

int cli_kill(struct cli *c)
{
	const char *reason = NULL, *lasts = NULL, *words[3] = { 0 };
	const struct cli_option options[] = { { .name = "reason", .value = &reason },
		{ .name = "for", .value = &lasts } };
	struct order o = { .since_us = clock_wall_us() };
	int64_t us = 0;
	struct desk d;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 3) ||
		!read_order(words, reason, &o))
		return EX_USAGE;
	if (lasts && !duration_read(str_c(lasts), &us))
		return cli_fail(
			EX_USAGE, "--for takes a time such as 90s, 30m, 2h or 7d, at most 365d");
	o.until_us = us ? o.since_us + us : 0;
	if (!desk_open(&d, words[0]))
		return cli_fail(EX_CONFIG, "NOT killed: the configuration cannot be read.  Without "
					   "it: make a file KILL beside the store's file, or send "
					   "SIGUSR2 to every server");
	status = give_order(&d, &o);
	desk_close(&d);
	return status;
}

/* --- resume --- */

static bool switch_is_on(struct desk *d)
{
	struct stat st;

	return lstat(switch_path(d), &st) == 0;
}

static bool is_set(struct desk *d, const struct order *o, bool *set_out, struct err *err)
{
	struct kill_row *rows;
	size_t count;
	bool there;

	if (!store_kill_list(d->store, &d->arena, o->since_us, &rows, &count, &there, err))
		return false;
	*set_out = o->kind == KILL_EVERYTHING && switch_is_on(d);
	for (size_t i = 0; i < count; i++)
		if (!rows[i].lifted_us && str_eq(rows[i].kind, str_c(kill_kind_name(o->kind))) &&
			str_eq(rows[i].name, o->name))
			*set_out = true;
	return true;
}

static int lift(struct desk *d, const struct order *o)
{
	unsigned count = 0;
	struct err err;

	if (!store_kill_lift(d->store, str_c(kill_kind_name(o->kind)), o->name, d->who, o->reason,
		    clock_wall_us(), &count, &err))
		return cli_fail(EX_IOERR, "NOT resumed: %s", err.text);
	if (o->kind == KILL_EVERYTHING && unlink(switch_path(d)) != 0 && errno != ENOENT)
		return cli_fail(EX_IOERR,
			"the orders are lifted, but %s cannot be removed: remove it by hand",
			switch_path(d));
	printf("%s%s%.*s is resumed: %u %s lifted\n", kill_kind_name(o->kind), o->name.n ? " " : "",
		STR_ARG(o->name), count, count == 1 ? "order" : "orders");
	return 0;
}

static int take_back(struct desk *d, const struct order *o)
{
	struct err err;
	bool set;

	if (!is_set(d, o, &set, &err))
		return cli_fail(EX_IOERR, "NOT resumed: %s", err.text);
	if (!set)
		return cli_fail(1, "no order against %s%s%.*s is in force; see: postern kills",
			kill_kind_name(o->kind), o->name.n ? " " : "", STR_ARG(o->name));
	if (!record(d, "RESUME", o, &err))
		return cli_fail(
			EX_CANTCREAT, "NOT resumed: it could not be recorded: %s", err.text);
	return lift(d, o);
}

int cli_resume(struct cli *c)
{
	const char *reason = NULL, *words[3] = { 0 };
	const struct cli_option options[] = { { .name = "reason", .value = &reason } };
	struct order o = { .since_us = clock_wall_us() };
	struct desk d;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 3) ||
		!read_order(words, reason, &o))
		return EX_USAGE;
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	status = take_back(&d, &o);
	desk_close(&d);
	return status;
}

/* --- kills --- */

static void print_row(struct arena *a, const struct kill_row *r, int64_t now_us)
{
	const char *state = r->lifted_us                           ? "lifted"
			    : r->until_us && r->until_us <= now_us ? "ended"
			    : r->drill                             ? "drill"
								   : "killed";

	printf("%-6lld %-8s %-11.*s %-26.*s %-21.*s %-21.*s %-14.*s %.*s\n", (long long)r->id,
		state, STR_ARG(text_for_terminal(a, r->kind)),
		STR_ARG(text_for_terminal(a, r->name.n ? r->name : S("-"))),
		STR_ARG(desk_time(a, r->since_us, "-")),
		STR_ARG(desk_time(a, r->lifted_us ? r->lifted_us : r->until_us, "resume")),
		STR_ARG(text_for_terminal(a, r->by)), STR_ARG(text_for_terminal(a, r->reason)));
}

static int print_orders(struct desk *d, bool history)
{
	int64_t now_us = clock_wall_us();
	struct kill_row *rows;
	struct err err;
	size_t count;
	bool there;

	if (switch_is_on(d))
		printf("the local switch is on: %s\n", switch_path(d));
	if (!store_kill_list(d->store, &d->arena, history ? now_us - HISTORY_US : now_us, &rows,
		    &count, &there, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	printf("%-6s %-8s %-11s %-26s %-21s %-21s %-14s %s\n", "ORDER", "STATE", "KIND", "NAME",
		"SINCE", "UNTIL", "BY", "REASON");
	for (size_t i = 0; i < count; i++)
		print_row(&d->arena, &rows[i], now_us);
	return 0;
}

int cli_kills(struct cli *c)
{
	bool history = false;
	const struct cli_option options[] = { { .name = "history", .flag = &history } };
	const char *words[1];
	struct desk d;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	status = print_orders(&d, history);
	desk_close(&d);
	return status;
}
