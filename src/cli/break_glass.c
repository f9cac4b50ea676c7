/* break_glass - postern break-glass: a grant for a time, asked for by one person and given by
 * another.
 *
 * Who they are is proved by their own API keys, of kind human; the account of the operating system
 * proves nothing.  Who decides types theirs at the terminal: what runs in a person's name, with
 * their environment, can ask and not approve.
 *
 * Invariants: 1. the subjects of who asks, who gains and who approves: the approver is neither of
 * the others, and neither approver nor gainer reviews, here and in the store.  2. only who holds
 * APPROVE approves and reviews; whoever has a part in it may end it, too.  3. nothing is given that
 * could not be recorded before.  4. only a grant that a role names can be asked for, for somebody
 * there is. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "cli/tty.h"
#include "json/write.h"
#include "serve/world.h"
#include "store/glass.h"
#include "store/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define APPROVE "break_glass.approve"
#define REASON_MAX 1000
#define LONGEST_US (INT64_C(12) * 3600 * 1000000)

/* The person whose key this is. */
static bool is_person(struct desk *d, struct str key, const char *where, struct principal *who)
{
	struct identity *identity = identity_new(d->config, d->store, NULL, NULL);
	struct credential_shown shown = { .bearer = key };
	enum identity_verdict verdict;
	bool ok;

	/* a fixed principal is nobody in particular */
	verdict = d->config->fixed ? IDENTITY_UNKNOWN
				   : identity_verify(identity, &d->arena, &shown, clock_wall_us(),
					     clock_boot_ms(), who);
	ok = verdict == IDENTITY_OK && who->kind == PRINCIPAL_HUMAN;
	identity_free(&identity);
	if (verdict != IDENTITY_OK)
		cli_fail(0, "who are you? %s must be your own API key (%s)", where,
			identity_verdict_name(verdict));
	else if (!ok)
		cli_fail(0, "%s is not a person's: it is of kind %s", where,
			principal_kind_name(who->kind));
	return ok;
}

static bool who_asks(struct desk *d, struct principal *who)
{
	return is_person(d, str_c(getenv("POSTERN_KEY")), "the key in POSTERN_KEY", who);
}

static bool who_decides(struct desk *d, struct principal *who)
{
	struct secret key = { 0 };
	struct tty terminal;
	struct err err;
	bool ok;

	ok = tty_open(&terminal, "/dev/tty", &err);
	if (ok) {
		ok = tty_secret(&terminal, "Your own API key: ", &key, &err);
		tty_close(&terminal);
	}
	if (!ok)
		cli_fail(0, "who are you? %s", err.text);
	ok = ok && is_person(d, secret_bytes(&key), "what was typed", who);
	secret_wipe(&key);
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
	if (r->tenant.n)
		jw_put_str(&w, S("ten"), r->tenant);
	if (r->issuer.n)
		jw_put_str(&w, S("iss"), r->issuer);
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

static bool has_issuer(const struct config *config, struct str issuer)
{
	for (size_t i = 0; i < config->jwt_count; i++)
		if (str_eq(config->jwt[i].issuer, issuer))
			return true;
	return false;
}

static bool has_key(struct desk *d, const struct glass_row *r, struct err *err)
{
	struct key_row *rows;
	size_t count;

	if (!store_key_list(d->store, &d->arena, &rows, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!rows[i].revoked_us && str_eq(rows[i].subject, r->subject) &&
			str_eq(rows[i].tenant, r->tenant))
			return true;
	return err_set(err, E_NOT_FOUND, "no API key is of subject \"%.*s\" and tenant \"%.*s\"",
		STR_ARG(r->subject), STR_ARG(r->tenant));
}

/* Whoever mistypes a tenant should not learn it in the middle of an incident. */
static bool is_somebody(struct desk *d, const struct glass_row *r, struct err *err)
{
	if (!r->issuer.n)
		return has_key(d, r, err);
	return has_issuer(d->config, r->issuer) ||
	       err_set(err, E_NOT_FOUND, "\"%.*s\" is no issuer of identity.jwt",
		       STR_ARG(r->issuer));
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
	if (!is_somebody(d, r, &err))
		return cli_fail(EX_USAGE, "nobody would gain by it: %s", err.text);
	if (!who_asks(d, &who))
		return EX_NOPERM;
	r->asked_by = who.subject;
	r->asked_us = clock_wall_us();
	if (!record(d, "asked", r, &who, &err))
		return cli_fail(EX_CANTCREAT, "not asked: it could not be recorded: %s", err.text);
	if (!store_glass_ask(d->store, r, &r->id, &err))
		return cli_fail(EX_IOERR, "not asked: %s", err.text);
	printf("request %lld: a second person who holds " APPROVE
	       " must approve it within 24 hours:\n"
	       "  postern break-glass CONFIG approve %lld\n",
		(long long)r->id, (long long)r->id);
	return 0;
}

/* --- deciding --- */

enum decision { APPROVING, REVIEWING, ENDING, DECISION_COUNT };

struct decided {
	const char *word, *change;
	bool (*may)(const struct glass_row *r, const struct principal *who);
	bool (*is_open)(const struct glass_row *r, int64_t now_us);
	bool (*store)(struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err);
};

static bool may_approve(const struct glass_row *r, const struct principal *who)
{
	return !str_eq(r->subject, who->subject) && !str_eq(r->asked_by, who->subject);
}

static bool may_review(const struct glass_row *r, const struct principal *who)
{
	return !str_eq(r->subject, who->subject) && !str_eq(r->approved_by, who->subject);
}

static bool may_end(const struct glass_row *r, const struct principal *who)
{
	(void)r;
	(void)who;
	return true;
}

static bool is_asked(const struct glass_row *r, int64_t now_us)
{
	return !r->approved_us && !r->ended_us && r->asked_us > now_us - GLASS_OPEN_US;
}

static bool is_given(const struct glass_row *r, int64_t now_us)
{
	(void)now_us;
	return r->approved_us && !r->reviewed_us;
}

static bool is_in_force(const struct glass_row *r, int64_t now_us)
{
	return !r->ended_us && (!r->approved_us || r->until_us > now_us);
}

static const struct decided decisions[DECISION_COUNT] = {
	[APPROVING] = { "approve", "approved", may_approve, is_asked, store_glass_approve },
	[REVIEWING] = { "review", "reviewed", may_review, is_given, store_glass_review },
	[ENDING] = { "end", "ended", may_end, is_in_force, store_glass_end },
};

static bool has_part(const struct glass_row *r, const struct principal *who)
{
	return str_eq(r->subject, who->subject) || str_eq(r->asked_by, who->subject);
}

static int decide(struct desk *d, int64_t id, const struct decided *what)
{
	struct principal who = { 0 };
	struct glass_row *rows;
	struct err err;
	size_t count;

	if (!store_glass_list(d->store, &d->arena, GLASS_ONE, id, &rows, &count, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	if (!count)
		return cli_fail(1, "there is no request %lld", (long long)id);
	if (!who_decides(d, &who))
		return EX_NOPERM;
	if (!principal_holds(&who, S(APPROVE)) &&
		!(what == &decisions[ENDING] && has_part(rows, &who)))
		return cli_fail(EX_NOPERM, "%.*s does not hold " APPROVE, STR_ARG(who.subject));
	if (!what->may(rows, &who))
		return cli_fail(EX_NOPERM, "another person is needed: %.*s has a part in it",
			STR_ARG(who.subject));
	if (!what->is_open(rows, clock_wall_us()))
		return cli_fail(1, "request %lld is not open", (long long)id);
	if (!record(d, what->change, rows, &who, &err))
		return cli_fail(
			EX_CANTCREAT, "nothing is changed: it could not be recorded: %s", err.text);
	if (!what->store(d->store, id, who.subject, clock_wall_us(), &err))
		return cli_fail(EX_IOERR, "nothing is changed: %s", err.text);
	if (what == &decisions[APPROVING])
		printf("%.*s holds %.*s for %lld seconds; it stands in the report until reviewed\n",
			STR_ARG(rows->subject), STR_ARG(rows->grant),
			(long long)rows->lasts_us / 1000000);
	else
		printf("request %lld is %s\n", (long long)id, what->change);
	return 0;
}

/* NULL: it is no decision, but somebody's subject. */
static const struct decided *decision_of(const char *word)
{
	for (size_t i = 0; i < DECISION_COUNT; i++)
		if (strcmp(word, decisions[i].word) == 0)
			return &decisions[i];
	return NULL;
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
	status = decide(&d, (int64_t)id, decision_of(words[1]));
	desk_close(&d);
	return status;
}

int cli_break_glass(struct cli *c)
{
	const char *reason = NULL, *lasts = NULL, *tenant = NULL, *issuer = NULL, *words[3] = { 0 };
	const struct cli_option options[] = { { .name = "reason", .value = &reason },
		{ .name = "for", .value = &lasts }, { .name = "tenant", .value = &tenant },
		{ .name = "issuer", .value = &issuer } };
	struct glass_row r = { 0 };
	struct desk d;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 3, 3))
		return EX_USAGE;
	if (!reason && !lasts && !tenant && !issuer && decision_of(words[1]))
		return run_decision(words);
	r = (struct glass_row){ .subject = str_c(words[1]),
		.tenant = str_c(tenant),
		.issuer = str_c(issuer),
		.grant = str_c(words[2]),
		.reason = str_c(reason) };
	if (!r.subject.n || !principal_name_ok(r.subject) || !principal_name_ok(r.tenant) ||
		!r.reason.n || r.reason.n > REASON_MAX)
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
