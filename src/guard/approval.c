/* approval - see approval.h.
 *
 * Invariants: 1. the first question is whether there is such a plan for them at all; who may not
 * see it learns nothing of it.  2. a yes needs a credential made for it, and a person.  3. two
 * names are one person when the configuration says so; when a second person is needed, equal
 * subjects are one person whoever issued them.  4. a plan is applied by who asked for it, as it was
 * asked for. */
#include "guard/approval.h"

#include "base/planted.h"

#include <string.h>

#define MINUTE_US (INT64_C(60) * 1000000)
#define TOKEN_CHARS 12
#define TOKEN_GROUP 4

void approval_raise(const struct principal *who, enum approval_level *need, struct str *grant)
{
	if (who->kind != PRINCIPAL_HUMAN && *need != APPROVAL_NONE)
		*need = APPROVAL_OTHER;
	if (*need == APPROVAL_OTHER && !grant->n)
		*grant = S(APPROVAL_GRANT);
}

int64_t approval_lives_us(enum approval_level need)
{
	static const int64_t us[] = {
		[APPROVAL_NONE] = 2 * MINUTE_US,
		[APPROVAL_CLIENT] = 2 * MINUTE_US,
		[APPROVAL_REQUESTER] = 10 * MINUTE_US,
		[APPROVAL_OTHER] = 24 * 60 * MINUTE_US,
	};

	return us[need];
}

/* --- who is who --- */

/* "SUBJECT", or "ISSUER SUBJECT": an issuer is a URL, in which there is no space. */
static bool is_called(struct str name, struct str issuer, struct str subject)
{
	if (!issuer.n)
		return str_eq(name, subject);
	return name.n == issuer.n + 1 + subject.n && str_starts(name, issuer) &&
	       name.p[issuer.n] == ' ' && str_eq(str_from(name, issuer.n + 1), subject);
}

const struct person_config *approval_person(
	const struct config *config, struct str issuer, struct str subject)
{
	const struct approvals_config *c = &config->approvals;

	for (size_t i = 0; i < c->person_count; i++) {
		const struct person_config *p = &c->persons[i];

		if (is_called(p->name, issuer, subject))
			return p;
		for (size_t k = 0; k < p->known_as.count; k++)
			if (is_called(p->known_as.list[k], issuer, subject))
				return p;
	}
	return NULL;
}

/* Is it sure that they are one person?  Where a name could be from several issuers, only the
 * configuration can say so. */
static bool surely_same(
	const struct config *config, const struct plan_row *row, const struct principal *who)
{
	const struct person_config *asked = approval_person(config, row->issuer, row->subject);
	const struct person_config *here = approval_person(config, who->issuer, who->subject);

	if (asked || here)
		return asked == here;
	if (!str_eq(row->subject, who->subject))
		return false;
	return str_eq(row->issuer, who->issuer) || (!who->issuer.n && config->jwt_count <= 1);
}

/* Could they be one person? */
static bool maybe_same(
	const struct config *config, const struct plan_row *row, const struct principal *who)
{
	const struct person_config *asked = approval_person(config, row->issuer, row->subject);

	return str_eq(row->subject, who->subject) ||
	       (asked && asked == approval_person(config, who->issuer, who->subject));
}

static bool in_tenant(const struct plan_row *row, const struct principal *who)
{
	return !who->tenant_foreign && str_eq(row->tenant, who->tenant);
}

static bool needs_other(const struct plan_row *row)
{
	enum approval_level need;

	return !approval_level_read(row->need, &need) || need == APPROVAL_OTHER;
}

bool approval_asked(
	const struct config *config, const struct plan_row *row, const struct principal *who)
{
	return in_tenant(row, who) && surely_same(config, row, who);
}

static bool is_second(const struct plan_row *row, const struct principal *who)
{
	return needs_other(row) && row->grant.n && principal_holds(who, row->grant);
}

bool approval_visible(
	const struct config *config, const struct plan_row *row, const struct principal *who)
{
	return in_tenant(row, who) && (surely_same(config, row, who) || is_second(row, who));
}

/* --- deciding --- */

static const struct {
	const char *name, *words;
} decides[] = {
	[DECIDE_MAY] = { "may", "decided" },
	[DECIDE_UNKNOWN] = { "unknown", "there is no such plan" },
	[DECIDE_CREDENTIAL] = { "credential",
		"a credential that is accepted for calls decides on nothing: use one made for it" },
	[DECIDE_ENVIRONMENT] = { "environment", "it was made in another environment" },
	[DECIDE_STATE] = { "state", "it is not open" },
	[DECIDE_PAUSED] = { "paused", "a kill order is in force: nothing is approved" },
	[DECIDE_FOUR_EYES] = { "four_eyes", "a second person is needed, not who asked for it" },
	[DECIDE_GRANT] = { "grant", "the grant it asks of who approves is not held" },
};

const char *decide_name(enum decide d)
{
	return decides[d].name;
}

const char *decide_words(enum decide d)
{
	return decides[d].words;
}

static enum decide judge_yes(
	const struct config *config, const struct plan_row *row, const struct decider *d)
{
	if (d->paused)
		return DECIDE_PAUSED;
	if (!needs_other(row))
		return surely_same(config, row, d->who) ? DECIDE_MAY : DECIDE_UNKNOWN;
	if (maybe_same(config, row, d->who))
		return DECIDE_FOUR_EYES;
	return is_second(row, d->who) ? DECIDE_MAY : DECIDE_GRANT;
}

enum decide approval_judge(
	const struct config *config, const struct plan_row *row, const struct decider *d)
{
	const struct principal *who = d->who;
	struct str here = str_c(environment_name(config->environment));

	if (planted(PLANTED_APPROVER_NOT_CHECKED))
		return row->state == PLAN_PROPOSED ? DECIDE_MAY : DECIDE_STATE;
	if (!who->approver || who->kind != PRINCIPAL_HUMAN)
		return DECIDE_CREDENTIAL;
	if (!in_tenant(row, who) || (!needs_other(row) && !surely_same(config, row, who)))
		return DECIDE_UNKNOWN;
	if (!str_eq(row->environment, here) || !str_eq(who->environment, here))
		return DECIDE_ENVIRONMENT;
	if (!approval_visible(config, row, who))
		return maybe_same(config, row, who) ? DECIDE_FOUR_EYES : DECIDE_GRANT;
	if (row->state != PLAN_PROPOSED)
		return DECIDE_STATE;
	return d->yes ? judge_yes(config, row, d) : DECIDE_MAY;
}

/* --- applying --- */

static bool asked_this(const struct plan_row *row, const struct principal *who)
{
	return str_eq(row->issuer, who->issuer) && str_eq(row->subject, who->subject) &&
	       str_eq(row->tenant, who->tenant) && str_eq(row->agent, who->agent);
}

/* By the state alone; reason NULL: it is approved. */
static struct apply_finding of_state(enum plan_state state)
{
	static const struct apply_finding findings[] = {
		[PLAN_PROPOSED] = { APPLY_REFUSED, REQUIRES_CONFIRMATION, "pending" },
		[PLAN_APPROVED] = { APPLY_NOW, FAULT_NONE, NULL },
		[PLAN_DECLINED] = { APPLY_REFUSED, CONFIRMATION_INVALID, "declined" },
		[PLAN_APPLIED] = { APPLY_AGAIN, FAULT_NONE, NULL },
		[PLAN_VOID] = { APPLY_REFUSED, CONFIRMATION_INVALID, "void" },
		[PLAN_EXPIRED] = { APPLY_REFUSED, CONFIRMATION_INVALID, "expired" },
		[PLAN_UNKNOWN] = { APPLY_LOOK, FAULT_NONE, NULL },
	};

	return findings[state];
}

static struct apply_finding refuse(enum fault_code code, const char *reason)
{
	return (struct apply_finding){ APPLY_REFUSED, code, reason };
}

struct apply_finding approval_apply(const struct plan_row *row, const struct apply_ask *ask)
{
	struct apply_finding found;

	if (!row || !asked_this(row, ask->who))
		return refuse(NOT_FOUND, "plan");
	if (!str_eq(row->environment, ask->environment))
		return refuse(CONFIRMATION_INVALID, "environment");
	if (!str_eq(row->tool, ask->tool))
		return refuse(CONFIRMATION_INVALID, "tool");
	if (!sha256_eq(&row->arguments, ask->arguments) && !planted(PLANTED_ARGUMENTS_NOT_COMPARED))
		return refuse(CONFIRMATION_INVALID, "arguments");
	found = of_state(row->state);
	if (found.apply == APPLY_AGAIN || found.apply == APPLY_LOOK)
		return found;
	if (!sha256_eq(&row->definition, ask->definition))
		return refuse(CONFIRMATION_INVALID, "tool_changed");
	if (found.apply == APPLY_NOW && ask->decider_lost)
		return refuse(PERMISSION_DENIED, "four_eyes");
	return found;
}

/* --- tokens --- */

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct str approval_token_make(struct arena *a)
{
	uint8_t noise[TOKEN_CHARS];
	struct buf text;

	random_bytes(noise, sizeof noise);
	buf_in(&text, a, TOKEN_CHARS + TOKEN_CHARS / TOKEN_GROUP);
	for (size_t i = 0; i < sizeof noise; i++) {
		if (i && i % TOKEN_GROUP == 0)
			buf_char(&text, '-');
		buf_char(&text, digits[noise[i] & 31]);
	}
	wipe(noise, sizeof noise);
	return buf_str(&text);
}

/* 0: no character of a token. */
static char digit_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'I' || c == 'L')
		return '1';
	if (c == 'O')
		return '0';
	return c && memchr(digits, c, sizeof digits - 1) ? c : 0;
}

static bool read_token(struct str text, char out[TOKEN_CHARS])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = digit_of(text.p[i]);

		if (text.p[i] == '-' || text.p[i] == ' ')
			continue;
		if (!c || n == TOKEN_CHARS)
			return false;
		out[n++] = c;
	}
	return n == TOKEN_CHARS;
}

bool approval_token_hmac(
	struct str key, const struct plan_row *row, struct str token, struct sha256 *out)
{
	char plain[TOKEN_CHARS] = { 0 };
	const struct str parts[] = { S("postern-confirmation-1"), row->id, row->issuer,
		row->subject, row->tenant, str_n(plain, sizeof plain) };
	struct buf text;

	if (!read_token(token, plain))
		return false;
	buf_init(&text, (size_t)16 << 10);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_u64(&text, parts[i].n);
		buf_char(&text, ':');
		buf_add(&text, parts[i]);
	}
	bug_on(!buf_ok(&text));
	hmac_sha256(key, buf_str(&text), out);
	wipe(text.p, text.n);
	wipe(plain, sizeof plain);
	buf_done(&text);
	return true;
}
