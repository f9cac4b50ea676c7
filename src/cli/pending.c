/* pending - postern pending | show: the plans that wait, and one of them. */
#include "base/clock.h"
#include "cli/approver_desk.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "cli/pretty.h"
#include "cli/show_plan.h"

#include <stdio.h>
#include <sysexits.h>

static void print_cell(struct arena *a, int width, struct str text)
{
	printf("%-*.*s ", width, STR_ARG(text_for_terminal(a, text)));
}

static void print_row(struct approver_desk *d, const struct plan_row *r, int64_t now_us)
{
	struct arena *a = &d->arena;
	int64_t left_us = MAX(r->expires_us - now_us, (int64_t)0);

	print_cell(a, 30, r->id);
	print_cell(a, 9, str_c(plan_state_name(r->state)));
	print_cell(a, 28, r->tool);
	print_cell(a, 24, r->subject);
	print_cell(a, 16, r->agent.n ? r->agent : S("-"));
	print_cell(a, 10, r->need);
	print_cell(a, 9,
		r->state == PLAN_PROPOSED
			? arena_fmt(a, "%lld min", (long long)(left_us / 60000000))
			: S("-"));
	print_cell(a, 0, r->escalated_us ? r->escalation_note : S(""));
	printf("\n");
}

static int print_rows(struct approver_desk *d, bool all)
{
	struct plan_row *rows;
	struct err err;
	int64_t now_us;
	size_t count;

	if (!store_now_us(world_store(d->world), &now_us, &err) ||
		!plans_list(d->world, d->generation, &d->who, &d->arena,
			all ? PLANS_RECENT : PLANS_WAITING, &rows, &count, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	printf("%-30s %-9s %-28s %-24s %-16s %-10s %-9s %s\n", "PLAN", "STATE", "TOOL", "ASKED BY",
		"AGENT", "NEEDS", "LEFT", "NOTE");
	for (size_t i = 0; i < count; i++)
		print_row(d, &rows[i], now_us);
	return 0;
}

int cli_pending(struct cli *c)
{
	bool all = false;
	const struct cli_option options[] = { { .name = "all", .flag = &all } };
	struct approver_desk d;
	const char *words[1];
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	status = approver_desk_open(&d, words[0], "/dev/tty");
	if (status)
		return status;
	status = print_rows(&d, all);
	approver_desk_close(&d);
	return status;
}

static void print_decision(struct approver_desk *d, const struct plan_row *r)
{
	struct arena *a = &d->arena;

	printf("state        %s\n", plan_state_name(r->state));
	if (r->decided_by.n)
		printf("decided by   %.*s, by %.*s\n", STR_ARG(text_for_terminal(a, r->decided_by)),
			STR_ARG(text_for_terminal(a, r->channel)));
	if (r->note.n)
		printf("note         %.*s\n", STR_ARG(text_for_terminal(a, r->note)));
	if (r->why.n)
		printf("because      %.*s\n", STR_ARG(text_for_terminal(a, r->why)));
	if (r->ledger_id.n)
		printf("ledger       %.*s\n", STR_ARG(text_for_terminal(a, r->ledger_id)));
}

int cli_show(struct cli *c)
{
	struct approver_desk d;
	const char *words[2];
	struct str text;
	struct kept k;
	int status;

	if (!cli_parse(c, NULL, 0, words, 2, 2))
		return EX_USAGE;
	status = approver_desk_open(&d, words[0], "/dev/tty");
	if (status)
		return status;
	status = approver_desk_plan(&d, words[1], &k);
	if (!status) {
		text = show_plan(&d.arena, &k, &d.who, world_mask_key(d.world, d.generation));
		fwrite(text.p, 1, text.n, stdout);
		print_decision(&d, &k.row);
	}
	approver_desk_close(&d);
	return status;
}
