/* report - postern report: what somebody has to look at from time to time. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "cli/pretty.h"
#include "serve/drills.h"
#include "store/glass.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int print_drills(struct desk *d)
{
	int64_t now_us = clock_wall_us();
	int status = 0;

	printf("%-11s %-12s %-21s %-9s %-11s %-11s %s\n", "KIND", "STATE", "LAST WORKED",
		"INSTANCES", "REFUSED", "RESUMED", "BY");
	for (unsigned k = 0; k < KILL_KIND_COUNT; k++) {
		struct drill_state s;
		struct err err;

		if (!drill_state_of(d->store, &d->arena, (enum kill_kind)k, now_us, &s, &err))
			return cli_fail(EX_IOERR, "%s", err.text);
		printf("%-11s %-12s %-21.*s ", kill_kind_name((enum kill_kind)k),
			drill_health_name(s.health),
			STR_ARG(desk_time(&d->arena, s.last.at_us, "never")));
		if (s.last.at_us)
			printf("%-9u %-8u ms %-8u ms %.*s\n", s.last.instances, s.last.refused_ms,
				s.last.resumed_ms, STR_ARG(s.last.by));
		else
			printf("%-9s %-11s %-11s -\n", "-", "-", "-");
		if (s.health != DRILL_FRESH)
			status = 1;
	}
	return status;
}

static void print_glass_row(struct desk *d, const struct glass_row *row)
{
	int64_t until_us = row->ended_us ? row->ended_us : row->until_us;
	struct arena *a = &d->arena;

	printf("%-6lld %-24.*s %-24.*s %-20.*s %-20.*s %-21.*s %-21.*s %.*s\n", (long long)row->id,
		STR_ARG(text_for_terminal(a, row->subject)),
		STR_ARG(text_for_terminal(a, row->grant)),
		STR_ARG(text_for_terminal(a, row->asked_by)),
		STR_ARG(text_for_terminal(a, row->approved_by)),
		STR_ARG(desk_time(a, row->approved_us, "-")), STR_ARG(desk_time(a, until_us, "-")),
		STR_ARG(text_for_terminal(a, row->reason)));
}

static int print_glass(struct desk *d)
{
	struct glass_row *rows;
	struct err err;
	size_t count;

	if (!store_glass_list(d->store, &d->arena, GLASS_TO_REVIEW, 0, &rows, &count, &err))
		return cli_fail(EX_IOERR, "%s", err.text);
	printf("%-6s %-24s %-24s %-20s %-20s %-21s %-21s %s\n", "ID", "SUBJECT", "GRANT",
		"ASKED BY", "APPROVED BY", "FROM", "UNTIL", "REASON");
	for (size_t i = 0; i < count; i++)
		print_glass_row(d, &rows[i]);
	printf("%zu to be reviewed\n", count);
	return count ? 1 : 0;
}

int cli_report(struct cli *c)
{
	const char *words[2];
	struct desk d;
	int status;

	if (!cli_parse(c, NULL, 0, words, 2, 2))
		return EX_USAGE;
	if (strcmp(words[1], "drills") != 0 && strcmp(words[1], "break-glass") != 0)
		return cli_fail(EX_USAGE, "there is no report \"%s\"; usage: postern %.*s",
			words[1], STR_ARG(c->synopsis));
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	status = strcmp(words[1], "drills") == 0 ? print_drills(&d) : print_glass(&d);
	desk_close(&d);
	return status;
}
