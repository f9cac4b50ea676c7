/* serve - a serving process from start to stop, and its pieces for the command line.
 *
 * Exit statuses follow sysexits.h: 0 well, 65 data (a broken database), 69 unavailable (busy port,
 * instance taken), 73 cannot create, 74 input/output, 77 permission, 78 configuration. */
#pragma once
#include "serve/world.h"

/* Serves HTTP until SIGTERM or SIGINT; SIGHUP reloads configuration, catalog and certificates.
 * Says "listening address=HOST:PORT" on stderr when it accepts. */
int serve_http(const struct world_options *options);
/* Serves one client on standard input and output. */
int serve_stdio(const struct world_options *options);
/* Loads, lints and asks every source; prints all findings on stdout.  0: nothing is wrong. */
int serve_check(const struct world_options *options);

/* One call in this process, for `postern call`: through the whole pipeline, recorded like any
 * other. entry_name: a tool.  arguments: JSON object.  *result_out: the MCP result. */
bool serve_call(struct world *w, struct arena *a, struct str token, struct str tool,
	struct str arguments_json, struct str *result_out, bool *is_error_out,
	struct err *err) must_check;
