/* key - postern key issue | rotate | list | report | revoke. */
#include "cli/key.h"

#include "base/clock.h"
#include "json/write.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RECORD_BYTES ((size_t)16 << 10)

/* Claimed: whoever is root may be called anything. */
static struct str user_name(struct arena *a)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? arena_str(a, str_c(user->pw_name)) : arena_fmt(a, "%u", (unsigned)getuid());
}

static const char *key_use(const struct key_row *row)
{
	if (row->approver)
		return "approve";
	return row->sealed.n ? "sign" : "send";
}

/* The members of the record, without braces. */
static struct str write_order(struct arena *a, const struct key_order *o)
{
	struct buf text;
	struct jw w;

	buf_in(&text, a, RECORD_BYTES);
	jw_init(&w, &text);
	jw_object(&w);
	jw_put_str(&w, S("order"), str_c(o->what));
	jw_put_str(&w, S("by"), user_name(a));
	jw_put_str(&w, S("cred"), o->row->id);
	jw_put_str(&w, S("subj"), o->row->subject);
	jw_put_str(&w, S("use"), str_c(key_use(o->row)));
	jw_put_str(&w, S("roles"), o->row->roles);
	if (o->replaces.n)
		jw_put_str(&w, S("replaces"), o->replaces);
	if (o->reason.n)
		jw_put_str(&w, S("reason"), o->reason);
	jw_object_end(&w);
	return buf_ok(&text) ? str_sub(buf_str(&text), 1, text.n - 2) : STR_NONE;
}

bool key_record(struct world *w, const struct key_order *order, struct err *err)
{
	struct arena a;
	bool ok;

	arena_init(&a, (size_t)64 << 10);
	ok = audit_event(world_audit(w), "KEY", write_order(&a, order), err);
	arena_done(&a);
	return ok;
}

static int revoke_in(struct world *w, struct arena *a, const char *id, const char *reason)
{
	struct key_order order = { .what = "revoke", .reason = str_c(reason) };
	struct key_row row;
	struct err err;

	if (!store_key_get(world_store(w), a, str_c(id), &row, &err) ||
		!store_key_revoke(world_store(w), str_c(id), order.reason, clock_wall_us(), &err))
		return cli_fail(err.code == E_NOT_FOUND ? 1 : EX_IOERR, "%s", err.text);
	printf("key %s is revoked; running servers refuse it within two seconds\n", id);
	order.row = &row;
	if (!key_record(w, &order, &err))
		return cli_fail(EX_CANTCREAT,
			"the key is revoked, but the audit log does not say so: %s", err.text);
	return 0;
}

int key_revoke(struct cli *c)
{
	const char *words[2], *reason = NULL;
	const struct cli_option options[] = { { .name = "reason", .value = &reason } };
	struct world *w;
	struct arena a;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	if (!principal_name_ok(str_c(reason)))
		return cli_fail(EX_USAGE, "--reason takes up to 256 bytes of UTF-8 without control "
					  "or invisible characters");
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)1 << 20);
	status = revoke_in(w, &a, words[1], reason);
	arena_done(&a);
	world_close(&w);
	return status;
}

int cli_key(struct cli *c)
{
	static const struct {
		const char *name;
		int (*run)(struct cli *c);
	} verbs[] = { { "issue", key_issue }, { "rotate", key_rotate }, { "list", key_list },
		{ "report", key_report }, { "revoke", key_revoke } };

	for (size_t i = 0; c->argc && i < ARRAY_LEN(verbs); i++) {
		struct cli rest = {
			.argc = c->argc - 1, .argv = c->argv + 1, .synopsis = c->synopsis
		};

		if (strcmp(c->argv[0], verbs[i].name) == 0)
			return verbs[i].run(&rest);
	}
	if (!cli_parse(c, NULL, 0, NULL, 0, 0))
		return EX_USAGE;
	return cli_fail(EX_USAGE, "issue, rotate, list, report or revoke? usage: postern %.*s",
		STR_ARG(c->synopsis));
}
