/* decide - postern approve | decline | escalate.
 *
 * Invariants: 1. what is approved was written to the terminal the yes came from, whole, in the same
 * run; its digest goes with the decision.  2. a yes is the word "yes", typed after that. */
#include "cli/approver_desk.h"
#include "cli/cli.h"
#include "cli/decide.h"
#include "cli/show_plan.h"

#include <stdio.h>
#include <sysexits.h>

static int explain(enum decide verdict, const struct kept *k, const struct err *err)
{
	if (verdict == DECIDE_MAY)
		return cli_fail(EX_IOERR, "nothing is decided: %s", err->text);
	if (verdict == DECIDE_STATE)
		return cli_fail(1, "plan %.*s is not open any more", STR_ARG(k->row.id));
	return cli_fail(EX_NOPERM, "%s", decide_words(verdict));
}

static int decide(struct approver_desk *d, const struct kept *k, const struct decision *decision)
{
	enum decide verdict = DECIDE_MAY;
	struct str token;
	struct err err = { 0 };

	if (!plans_decide(d->world, d->generation, &d->who, &d->arena, k, decision, &token,
		    &verdict, &err))
		return explain(verdict, k, &err);
	printf("plan %.*s is %s\n", STR_ARG(k->row.id), decision->yes ? "approved" : "declined");
	if (!token.n)
		return 0;
	/* for the person in front of the terminal, and no file */
	return tty_write(&d->tty, arena_fmt(&d->arena,
					  "paste this as confirmation_token within ten minutes; it "
					  "is shown once: %.*s\n",
					  STR_ARG(token)))
		       ? 0
		       : cli_fail(EX_IOERR, "approved, but the terminal is gone");
}

static int approve(struct approver_desk *d, const char *id, struct decision *decision)
{
	struct kept k;
	struct str text;
	int status = approver_desk_plan(d, id, &k);

	if (status)
		return status;
	text = show_plan(&d->arena, &k, &d->who, world_mask_key(d->world, d->generation));
	sha256_of(text, &decision->shown);
	if (!tty_write(&d->tty, text))
		return cli_fail(EX_IOERR, "nothing is decided: the terminal is gone");
	if (!tty_agrees(&d->tty, "approve exactly this? type yes: ", "yes"))
		return cli_fail(1, "nothing is decided: plan %.*s waits on", STR_ARG(k.row.id));
	return decide(d, &k, decision);
}

static int decline(struct approver_desk *d, const char *id, struct decision *decision)
{
	struct kept k;
	int status = approver_desk_plan(d, id, &k);

	return status ? status : decide(d, &k, decision);
}

static int escalate(struct approver_desk *d, const char *id, struct decision *decision)
{
	enum decide verdict = DECIDE_MAY;
	struct kept k;
	struct err err = { 0 };
	int status = approver_desk_plan(d, id, &k);

	if (status)
		return status;
	if (!plans_escalate(
		    d->world, d->generation, &d->who, &d->arena, &k, decision, &verdict, &err))
		return explain(verdict, &k, &err);
	printf("plan %.*s waits for a second person, who sees your note\n", STR_ARG(k.row.id));
	return 0;
}

int decide_run(struct cli *c, const char *tty_path, enum decide_what what)
{
	static int (*const run[])(
		struct approver_desk * d, const char *id, struct decision *decision) = {
		[DECIDE_APPROVE] = approve, [DECIDE_DECLINE] = decline, [DECIDE_ESCALATE] = escalate
	};
	const char *note = NULL, *words[2];
	const struct cli_option option = { .name = what == DECIDE_DECLINE ? "reason" : "note",
		.value = &note };
	struct decision decision = { .yes = what == DECIDE_APPROVE, .channel = S("terminal") };
	struct approver_desk d;
	int status;

	if (!cli_parse(c, &option, 1, words, 2, 2))
		return EX_USAGE;
	decision.note = str_c(note);
	if (what != DECIDE_APPROVE && !str_trim(decision.note).n)
		return cli_fail(
			EX_USAGE, "--%s is needed: it is what the others will read", option.name);
	status = approver_desk_open(&d, words[0], tty_path);
	if (status)
		return status;
	status = run[what](&d, words[1], &decision);
	approver_desk_close(&d);
	return status;
}

int cli_approve(struct cli *c)
{
	return decide_run(c, "/dev/tty", DECIDE_APPROVE);
}

int cli_decline(struct cli *c)
{
	return decide_run(c, "/dev/tty", DECIDE_DECLINE);
}

int cli_escalate(struct cli *c)
{
	return decide_run(c, "/dev/tty", DECIDE_ESCALATE);
}
