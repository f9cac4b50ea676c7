/* key_report - postern key list | report: what keys there are, and which want attention. */
#include "cli/key.h"

#include "base/clock.h"

#include <stdio.h>
#include <sysexits.h>

#define UNUSED_DAYS 30
#define SOON_DAYS 14
#define DAYS_MAX 3650

struct listing {
	struct key_row *rows;
	size_t count;
	int64_t now_us;
	uint64_t unused_days;
};

const char *key_state(const struct key_row *r, int64_t now_us)
{
	if (r->revoked_us)
		return "revoked";
	return r->expires_us && r->expires_us <= now_us ? "expired" : "valid";
}

void key_print_day(int64_t us, const char *never)
{
	struct buf text;

	buf_init(&text, 64);
	if (us)
		clock_write_rfc3339(&text, us);
	else
		buf_add(&text, str_c(never));
	printf("  %-12.*s", (int)MIN(text.n, (size_t)10), text.n ? text.p : "");
	buf_done(&text);
}

static void print_list(const struct listing *all)
{
	printf("%-14s %-24s %-8s %-12s %-8s  %-12s  %-12s  %-12s  %s\n", "ID", "SUBJECT", "KIND",
		"ENVIRONMENT", "STATE", "CREATED", "EXPIRES", "LAST USED", "ROLES");
	for (size_t i = 0; i < all->count; i++) {
		const struct key_row *r = &all->rows[i];

		printf("%-14.*s %-24.*s %-8.*s %-12.*s %-8s", STR_ARG(r->id), STR_ARG(r->subject),
			STR_ARG(r->kind), STR_ARG(r->environment), key_state(r, all->now_us));
		key_print_day(r->created_us, "-");
		key_print_day(r->expires_us, "never");
		key_print_day(r->used_us, "unused");
		printf("  %.*s%s\n", STR_ARG(r->roles),
			r->approver   ? "  (approver)"
			: r->sealed.n ? "  (signing)"
				      : "");
	}
}

static long long days(int64_t us)
{
	return (long long)(us / KEY_DAY_US);
}

/* What somebody should look at, or nothing. */
static void print_notes(const struct listing *all, const struct key_row *r)
{
	int64_t idle_us = all->now_us - (r->used_us ? r->used_us : r->created_us);

	if (r->revoked_us) {
		printf("  revoked%s%.*s", r->reason.n ? ": " : "", STR_ARG(r->reason));
		return;
	}
	if (r->approver)
		printf("  approver");
	if (!r->expires_us)
		printf("  never expires");
	else if (r->expires_us <= all->now_us)
		printf("  expired");
	else if (r->expires_us - all->now_us <= SOON_DAYS * KEY_DAY_US)
		printf("  expires in %lld days: rotate it", days(r->expires_us - all->now_us));
	if (idle_us >= (int64_t)all->unused_days * KEY_DAY_US)
		printf("  unused for %lld days: revoke it", days(idle_us));
}

static void print_report(const struct listing *all)
{
	printf("%-14s %-24s %-8s %8s  %-12s  %-12s  %s\n", "ID", "SUBJECT", "STATE", "AGE",
		"LAST USED", "EXPIRES", "NOTES");
	for (size_t i = 0; i < all->count; i++) {
		const struct key_row *r = &all->rows[i];

		printf("%-14.*s %-24.*s %-8s %7lldd", STR_ARG(r->id), STR_ARG(r->subject),
			key_state(r, all->now_us), days(all->now_us - r->created_us));
		key_print_day(r->used_us, "unused");
		key_print_day(r->expires_us, "never");
		print_notes(all, r);
		printf("\n");
	}
}

static int show(const char *config, struct listing *all, void (*print)(const struct listing *all))
{
	struct world *w = cli_open(config);
	struct arena a;
	struct err err;
	int status = 0;

	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)64 << 20);
	all->now_us = clock_wall_us();
	if (store_key_list(world_store(w), &a, &all->rows, &all->count, &err))
		print(all);
	else
		status = cli_fail(EX_IOERR, "%s", err.text);
	arena_done(&a);
	world_close(&w);
	return status;
}

int key_list(struct cli *c)
{
	struct listing all = { 0 };
	const char *words[1];

	if (!cli_parse(c, NULL, 0, words, 1, 1))
		return EX_USAGE;
	return show(words[0], &all, print_list);
}

int key_report(struct cli *c)
{
	struct listing all = { .unused_days = UNUSED_DAYS };
	const char *words[1], *unused = NULL;
	const struct cli_option options[] = { { .name = "unused", .value = &unused } };

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (unused && (!str_to_u64(str_c(unused), &all.unused_days) || !all.unused_days ||
			      all.unused_days > DAYS_MAX))
		return cli_fail(EX_USAGE, "--unused takes days, 1 to %d", DAYS_MAX);
	return show(words[0], &all, print_report);
}
