/* tools - postern tools: the surface, as everybody or as one subject would see it. */
#include "cli/cli.h"
#include "base/clock.h"
#include "serve/world.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* What a model reads as one token is about four bytes of English and JSON. */
#define BYTES_PER_TOKEN 4

static bool roles_give(const struct config *config, struct str roles, struct str grant)
{
	struct str name, rest = roles;

	while (rest.n) {
		const struct role_config *role;

		if (!str_cut(rest, ',', &name, &rest)) {
			name = rest;
			rest = STR_NONE;
		}
		role = config_role(config, name);
		for (size_t i = 0; role && i < role->grant_count; i++)
			if (str_eq(role->grants[i], grant))
				return true;
	}
	return false;
}

/* A subject may use what any of its valid keys may use. */
static bool subject_may(const struct config *config, const struct key_row *rows, size_t count,
	struct str subject, struct str grant)
{
	int64_t now_us = clock_wall_us();

	for (size_t i = 0; i < count; i++) {
		const struct key_row *r = &rows[i];
		bool valid = !r->revoked_us && (!r->expires_us || r->expires_us > now_us);

		if (valid && str_eq(r->subject, subject) && roles_give(config, r->roles, grant))
			return true;
	}
	return false;
}

static bool is_known(const struct key_row *rows, size_t count, struct str subject)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].subject, subject))
			return true;
	return false;
}

static void print_surface(
	const struct generation *g, const struct key_row *rows, size_t count, const char *as)
{
	size_t shown = 0, bytes = 0;

	printf("%-32s %-22s %-20s %7s  %s\n", "TOOL", "REQUIRES", "OWNER", "BYTES", "PURPOSE");
	for (size_t i = 0; i < g->catalog->tool_count; i++) {
		const struct entry *e = g->catalog->tools[i];
		char name[96];

		if (as && !subject_may(g->config, rows, count, str_c(as), e->requires))
			continue;
		snprintf(name, sizeof name, "%.*s@%u", STR_ARG(e->name), e->version);
		printf("%-32s %-22.*s %-20.*s %7zu  %.*s\n", name, STR_ARG(e->requires),
			STR_ARG(e->owner), e->list_json.n, STR_ARG(e->purpose));
		shown++;
		bytes += e->list_json.n;
	}
	printf("%zu of %zu tools%s%s, %zu bytes, about %zu tokens\n", shown, g->catalog->tool_count,
		as ? " for " : "", as ? as : "", bytes, bytes / BYTES_PER_TOKEN);
}

int cli_tools(struct cli *c)
{
	const char *as = NULL, *words[1];
	const struct cli_option options[] = { { .name = "as", .value = &as } };
	struct key_row *rows = NULL;
	struct generation *g;
	struct world *w;
	struct arena a;
	struct err err;
	size_t count = 0;
	int status = 0;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)64 << 20);
	g = world_hold(w);
	if (as && !store_key_list(world_store(w), &a, &rows, &count, &err))
		status = cli_fail(EX_IOERR, "%s", err.text);
	else if (as && !is_known(rows, count, str_c(as)))
		status = cli_fail(
			1, "no key was issued for \"%s\"; see: postern key list %s", as, words[0]);
	else
		print_surface(g, rows, count, as);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return status;
}
