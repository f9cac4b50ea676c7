/* break_glass - postern break-glass: a grant for a time, asked for by one person and given by
 * another.
 *
 * Who they are is proved by their own API keys, of kind human; the account of the operating system
 * proves nothing.
 *
 * Invariants: 1. the subjects of who asks, who gains and who approves: the approver is neither of
 * the others, here and in the store.  2. only who holds APPROVE approves.  3. nothing is given that
 * could not be recorded before.  4. only a grant that a role names can be asked for. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "json/write.h"
#include "serve/world.h"
#include "store/glass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define APPROVE "break_glass.approve"
#define REASON_MAX 1000
#define LONGEST_US (INT64_C(12) * 3600 * 1000000)

/* The person at the terminal. */
static bool who_asks(struct desk *d, struct principal *who)
{
	struct identity *identity = identity_new(d->config, d->store, NULL, NULL);
	struct credential_shown shown = { .bearer = str_c(getenv("POSTERN_KEY")) };
	enum identity_verdict verdict;
	bool ok;

	/* a fixed principal is nobody in particular */
	verdict = d->config->fixed ? IDENTITY_UNKNOWN
				   : identity_verify(identity, &d->arena, &shown, clock_wall_us(),
					     clock_mono_ms(), who);
	ok = verdict == IDENTITY_OK && who->kind == PRINCIPAL_HUMAN;
	identity_free(&identity);
	if (verdict != IDENTITY_OK)
		cli_fail(0, "who are you? POSTERN_KEY must hold your own API key (%s)",
			identity_verdict_name(verdict));
	else if (!ok)
		cli_fail(0, "the key in POSTERN_KEY is not a person's: it is of kind %s",
			principal_kind_name(who->kind));
	return ok;
}

static bool record(struct desk *d, const char *change, const struct glass_row *r,
	const struct principal *who, struct err *err)
{
	struct buf fields;
	struct jw w;

	buf_in(&fields, &d->arena, (size_t)16 << 10);
	jw_init(&w, &fields);
	jw_object(&w);
	if (r->id)
		jw_put_i64(&w, S("request"), r->id);
	jw_put_str(&w, S("change"), str_c(change));
	jw_put_str(&w, S("subj"), r->subject);
	jw_put_str(&w, S("grant"), r->grant);
	jw_put_str(&w, S("by"), who->subject);
	jw_put_str(&w, S("cred"), who->credential);
	jw_put_str(&w, S("os"), d->who);
	jw_put_i64(&w, S("seconds"), r->lasts_us / 1000000);
	jw_put_str(&w, S("reason"), r->reason);
	jw_object_end(&w);
	return audit_event(
		d->audit, "BREAK_GLASS", str_sub(buf_str(&fields), 1, fields.n - 2), err);
}

static bool is_grant(const struct config *config, struct str grant)
{
	for (size_t i = 0; i < config->role_count; i++)
		for (size_t k = 0; k < config->roles[i].grant_count; k++)
			if (str_eq(config->roles[i].grants[k], grant))
				return true;
	return false;
}

static int ask(struct desk *d, struct glass_row *r)
{
	struct principal who = { 0 };
	struct err err;

	if (str_eq(r->grant, S(APPROVE)) || !is_grant(d->config, r->grant))
		return cli_fail(EX_USAGE,
			"\"%.*s\" is no grant of this configuration that can be "
			"asked for",
			STR_ARG(r->grant));
	if (!who_asks(d, &who))
		return EX_NOPERM;
	r->asked_by = who.subject;
	r->asked_us = clock_wall_us();
	if (!record(d, "asked", r, &who, &err))
		return cli_fail(EX_CANTCREAT, "not asked: it could not be recorded: %s", err.text);
	if (!store_glass_ask(d->store, r, &r->id, &err))
		return cli_fail(EX_IOERR, "not asked: %s", err.text);
	printf("request %lld: a second person who holds " APPROVE " must approve it:\n"
	       "  postern break-glass CONFIG approve %lld\n",
		(long long)r->id, (long long)r->id);
	return 0;
}

static int decide(struct desk *d, int64_t id, bool approving)
{
	struct principal who = { 0 };
	struct glass_row *rows;
	struct err err;
	size_t count;

	if (!who_asks(d, &who))
		return EX_NOPERM;
	if (!store_glass_list(d->store, &d->arena, GLASS_ONE, id, &rows, &count, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	if (!count)
		return cli_fail(1, "there is no request %lld", (long long)id);
	if (!principal_holds(&who, S(APPROVE)))
		return cli_fail(EX_NOPERM, "%.*s does not hold " APPROVE, STR_ARG(who.subject));
	if (str_eq(rows->subject, who.subject) ||
		(approving && str_eq(rows->asked_by, who.subject)))
		return cli_fail(EX_NOPERM, "a second person is needed: %.*s has a part in it",
			STR_ARG(who.subject));
	if (approving ? rows->approved_us : rows->reviewed_us || !rows->approved_us)
		return cli_fail(1, "request %lld is not open", (long long)id);
	if (!record(d, approving ? "approved" : "reviewed", rows, &who, &err))
		return cli_fail(
			EX_CANTCREAT, "nothing is changed: it could not be recorded: %s", err.text);
	if (!(approving ? store_glass_approve(d->store, id, who.subject, clock_wall_us(), &err)
			: store_glass_review(d->store, id, who.subject, clock_wall_us(), &err)))
		return cli_fail(EX_IOERR, "nothing is changed: %s", err.text);
	if (approving)
		printf("%.*s holds %.*s for %lld seconds; it stands in the report until reviewed\n",
			STR_ARG(rows->subject), STR_ARG(rows->grant),
			(long long)rows->lasts_us / 1000000);
	else
		printf("request %lld is reviewed\n", (long long)id);
	return 0;
}

static int run_decision(const char **words)
{
	struct desk d;
	uint64_t id;
	int status;

	if (!str_to_u64(str_c(words[2]), &id) || !id || id > INT64_MAX)
		return cli_fail(EX_USAGE, "which request? give its number");
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	status = decide(&d, (int64_t)id, strcmp(words[1], "approve") == 0);
	desk_close(&d);
	return status;
}

int cli_break_glass(struct cli *c)
{
	const char *reason = NULL, *lasts = NULL, *words[3] = { 0 };
	const struct cli_option options[] = { { .name = "reason", .value = &reason },
		{ .name = "for", .value = &lasts } };
	struct glass_row r = { 0 };
	struct desk d;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 3, 3))
		return EX_USAGE;
	if (!reason && !lasts &&
		(strcmp(words[1], "approve") == 0 || strcmp(words[1], "review") == 0))
		return run_decision(words);
	r = (struct glass_row){
		.subject = str_c(words[1]), .grant = str_c(words[2]), .reason = str_c(reason)
	};
	if (!r.subject.n || !principal_name_ok(r.subject) || !r.reason.n || r.reason.n > REASON_MAX)
		return cli_fail(EX_USAGE, "a subject and --reason are needed; usage: postern %.*s",
			STR_ARG(c->synopsis));
	if (!lasts || !duration_read(str_c(lasts), &r.lasts_us) || r.lasts_us > LONGEST_US)
		return cli_fail(EX_USAGE, "--for takes a time such as 30m, at most 12h");
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	status = ask(&d, &r);
	desk_close(&d);
	return status;
}
