/* install - postern install: writes into a source which environment it belongs to, and makes the
 * ledger there. */
#include "cli/cli.h"
#include "base/clock.h"
#include "serve/install.h"
#include "serve/world.h"

#include <stdio.h>
#include <sysexits.h>

static int status_of(const struct err *err)
{
	if (err->code == E_NOT_FOUND || err->code == E_INVALID)
		return EX_DATAERR;
	return err->code == E_EXISTS ? EX_CONFIG : EX_CANTCREAT;
}

int cli_install(struct cli *c)
{
	struct generation *g;
	bool synthetic = false;
	const char *words[2];
	const struct cli_option options[] = { { .name = "synthetic", .flag = &synthetic } };
	struct world *w;
	struct err err;
	int status = 0;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	g = world_hold(w);
	if (install_source(g->config, str_c(words[1]), synthetic, clock_wall_us(), &err))
		printf("source %s is marked as %s of %.*s%s\n", words[1],
			environment_name(g->config->environment), STR_ARG(g->config->name),
			synthetic ? ", synthetic" : "");
	else
		status = cli_fail(
			status_of(&err), "source %s was not marked: %s", words[1], err.text);
	world_drop(w, g);
	world_close(&w);
	return status;
}
