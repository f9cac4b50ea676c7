/* compare - postern compare: what staging and production do not have alike, one line each, in an
 * order that does not change.  The line is also how a difference is listed as intended.
 *
 * Tools, resources and prompts: which there are, version, grant, whether they mutate, limits, which
 * columns they show and how masked, and the digest of the definition, in which every key of the
 * entry counts.  Roles: their grants.  Toolsets: what is in them and whom they are for.  Limits,
 * tenants and modes. */
#include "cli/cli.h"
#include "base/file.h"
#include "cli/comparison.h"
#include "serve/world.h"

#include <stdio.h>
#include <sysexits.h>

#define INTENDED_MAX ((size_t)1 << 20)

static bool mark_intended(struct comparison *c, struct str line)
{
	for (struct difference *d = c->first; d; d = d->next)
		if (str_eq(d->text, line)) {
			c->intended += !d->intended;
			d->intended = true;
			return true;
		}
	return false;
}

static bool read_intended(struct comparison *c, const char *path, struct err *err)
{
	struct str rest, line;

	if (!file_read(c->a, str_c(path), INTENDED_MAX, &rest, err))
		return false;
	while (rest.n) {
		if (!str_cut(rest, '\n', &line, &rest)) {
			line = rest;
			rest = STR_NONE;
		}
		line = str_trim(line);
		if (line.n && line.p[0] != '#' && !mark_intended(c, line))
			cli_fail(0, "%s lists what is no difference any more: %.*s", path,
				STR_ARG(line));
	}
	return true;
}

static int report(const struct comparison *c)
{
	for (const struct difference *d = c->first; d; d = d->next)
		printf("%s%.*s\n", d->intended ? "intended: " : "", STR_ARG(d->text));
	printf("%zu %s, %zu intended\n", c->count, c->count == 1 ? "difference" : "differences",
		c->intended);
	return c->count == c->intended ? 0 : 1;
}

static int compare(
	struct arena *a, struct world *staging, struct world *production, const char *intended)
{
	struct generation *x = world_hold(staging), *y = world_hold(production);
	struct comparison c = { .a = a };
	struct err err;
	int status;

	c.last = &c.first;
	compare_catalogs(&c, x->catalog, y->catalog);
	compare_configs(&c, x->config, y->config);
	if (intended && !read_intended(&c, intended, &err))
		status = cli_fail(EX_IOERR, "%s", err.text);
	else
		status = report(&c);
	world_drop(staging, x);
	world_drop(production, y);
	return status;
}

int cli_compare(struct cli *c)
{
	const char *intended = NULL, *words[2];
	const struct cli_option options[] = { { .name = "intended", .value = &intended } };
	struct world *staging, *production = NULL;
	int status = EX_CONFIG;
	struct arena a;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	staging = cli_open(words[0]);
	if (staging)
		production = cli_open(words[1]);
	arena_init(&a, (size_t)256 << 20);
	if (production)
		status = compare(&a, staging, production, intended);
	arena_done(&a);
	if (production)
		world_close(&production);
	if (staging)
		world_close(&staging);
	return status;
}
