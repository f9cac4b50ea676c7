/* approver_desk - see approver_desk.h.
 *
 * Invariants: 1. the credential comes from the terminal alone: never from an argument, the
 * environment or standard input, which others fill.  2. a refused one is recorded. */
#include "cli/approver_desk.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "identity/approver.h"

#include <sysexits.h>

/* As the record names who it was that came by the terminal. */
#define PEER "terminal"

static void record_refusal(struct approver_desk *d, enum identity_verdict verdict)
{
	const struct audit_refusal refusal = { .event = "AUTH_FAIL",
		.reason = str_c(identity_verdict_name(verdict)),
		.peer = S(PEER),
		.method = S("approve") };
	struct err err;

	if (!audit_refuse(world_audit(d->world), &refusal, &err))
		cli_fail(0, "warning: that could not be recorded: %s", err.text);
}

static int identify(struct approver_desk *d)
{
	struct credential_shown shown = { 0 };
	enum identity_verdict verdict;
	struct secret key;
	struct err err;

	if (!tty_secret(&d->tty, "approver's key: ", &key, &err))
		return cli_fail(EX_NOPERM, "%s", err.text);
	shown.bearer = secret_bytes(&key);
	verdict = approver_verify(d->generation->identity, &d->arena, &shown, clock_wall_us(),
		clock_mono_ms(), &d->who);
	secret_wipe(&key);
	if (verdict == IDENTITY_OK)
		return 0;
	record_refusal(d, verdict);
	if (verdict == IDENTITY_USE)
		return cli_fail(EX_NOPERM, "a key that is accepted for calls decides on nothing: "
					   "postern key issue --approver makes one that does");
	return cli_fail(EX_NOPERM, "that is not a valid approver's key (%s)",
		identity_verdict_name(verdict));
}

int approver_desk_open(struct approver_desk *d, const char *config_file, const char *tty_path)
{
	struct err err;
	int status;

	*d = (struct approver_desk){ .tty.fd = -1 };
	if (!tty_open(&d->tty, tty_path, &err))
		return cli_fail(EX_NOPERM, "%s", err.text);
	d->world = cli_open(config_file);
	if (!d->world) {
		tty_close(&d->tty);
		return EX_CONFIG;
	}
	arena_init(&d->arena, APPROVER_DESK_BYTES);
	d->generation = world_hold(d->world);
	status = identify(d);
	if (status)
		approver_desk_close(d);
	return status;
}

void approver_desk_close(struct approver_desk *d)
{
	tty_close(&d->tty);
	world_drop(d->world, d->generation);
	world_close(&d->world);
	arena_done(&d->arena);
}

int approver_desk_plan(struct approver_desk *d, const char *id, struct kept *out)
{
	struct err err;

	if (plans_open(d->world, d->generation, &d->who, &d->arena, str_c(id), out, &err))
		return 0;
	return cli_fail(err.code == E_NOT_FOUND ? 1 : EX_IOERR, "%s", err.text);
}
