/* cli - what the person at the terminal wants.
 *
 * Every command is a row of the table in main.c: name, synopsis, what it does, function.  Exit
 * statuses follow sysexits.h; 1 is "the answer is no" (a tool said an error, nothing was found). */
#pragma once
#include "base/err.h"

struct cli {
	int argc;
	char **argv; /* behind the command's name */
	struct str synopsis;
};

int cli_serve(struct cli *c);
int cli_stdio(struct cli *c);
int cli_check(struct cli *c);
int cli_tools(struct cli *c);
int cli_ask(struct cli *c);
int cli_matrix(struct cli *c);
int cli_compare(struct cli *c);
int cli_call(struct cli *c);
int cli_install(struct cli *c);
int cli_key(struct cli *c);
int cli_audit(struct cli *c);
int cli_kill(struct cli *c);
int cli_resume(struct cli *c);
int cli_kills(struct cli *c);
int cli_drill(struct cli *c);
int cli_break_glass(struct cli *c);
int cli_report(struct cli *c);
int cli_client_config(struct cli *c);
int cli_routes(struct cli *c);
int cli_pending(struct cli *c);
int cli_show(struct cli *c);
int cli_approve(struct cli *c);
int cli_decline(struct cli *c);
int cli_escalate(struct cli *c);

/* One option of a command: "--name VALUE" or a flag. */
struct cli_option {
	const char *name; /* without "--" */
	const char **value; /* set to the last value; or */
	bool *flag; /* set to true; or */
	const char **list; /* gathers up to CLI_LIST_MAX values, NULL behind the last */
};

#define CLI_LIST_MAX 64

/* Splits argv: options by table (count of them, in any order, "--name=value" too), the rest to
 * words.  "--help" prints the synopsis and ends the process well.  A mistake prints one line and
 * returns false: return EX_USAGE then. */
bool cli_parse(struct cli *c, const struct cli_option *options, size_t option_count,
	const char **words, size_t words_min, size_t words_max) must_check;

/* "postern: TEXT\n" on stderr; returns status. */
int cli_fail(int status, const char *fmt, ...) printf_like(2, 3);

struct world;
/* The configuration for a command that serves nothing; NULL: findings were printed. */
struct world *cli_open(const char *config_file);
