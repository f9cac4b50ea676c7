/* tools - postern tools: the surface, as everybody or as one subject would see it. */
#include "cli/cli.h"
#include "catalog/write.h"
#include "cli/principals.h"
#include "guard/permission.h"
#include "serve/world.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* What a model reads as one token is about four bytes of English and JSON. */
#define BYTES_PER_TOKEN 4

/* A subject sees what any of its valid keys sees. */
static bool is_seen(const struct principals *by, const struct entry *e)
{
	for (size_t i = 0; i < by->count; i++)
		if (permission_visible(&by->list[i], e))
			return true;
	return false;
}

/* as NULL: the whole catalog. */
static void print_surface(const struct generation *g, const struct principals *by, const char *as)
{
	size_t shown = 0, bytes = 0;

	printf("%-32s %-6s %-22s %-20s %7s  %s\n", "TOOL", "CLASS", "REQUIRES", "OWNER", "BYTES",
		"PURPOSE");
	for (size_t i = 0; i < g->catalog->tool_count; i++) {
		const struct entry *e = g->catalog->tools[i];
		char name[96];

		if (as && !is_seen(by, e))
			continue;
		snprintf(name, sizeof name, "%.*s@%u", STR_ARG(e->name), e->version);
		printf("%-32s %-6s %-22.*s %-20.*s %7zu  %.*s\n", name, entry_class(e),
			STR_ARG(e->requires.n ? e->requires : S("-")), STR_ARG(e->owner),
			e->list_json.n, STR_ARG(e->purpose));
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
	struct principals them = { 0 };
	struct generation *g;
	struct world *w;
	struct arena a;
	struct err err;
	int status = 0;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)64 << 20);
	g = world_hold(w);
	if (as && !principals_of_subject(w, g->config, &a, str_c(as), &them, &err))
		status = cli_fail(EX_IOERR, "%s", err.text);
	else if (as && !them.known)
		status = cli_fail(
			1, "no key was issued for \"%s\"; see: postern key list %s", as, words[0]);
	else
		print_surface(g, &them, as);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return status;
}
