/* main - the table of commands. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "serve/serve.h"

static const struct {
	const char *name;
	int (*run)(struct cli *c);
	const char *synopsis, *about;
} commands[] = {
	{ "serve", cli_serve,
		"serve CONFIG [--listen HOST:PORT] [--instance NAME] [--read-only] "
		"[--log-level LEVEL]",
		"serve MCP over HTTP until SIGTERM; SIGHUP reloads" },
	{ "stdio", cli_stdio, "stdio CONFIG [--read-only] [--log-level LEVEL]",
		"serve one MCP client on standard input and output" },
	{ "check", cli_check, "check CONFIG",
		"say everything that is wrong with a configuration, its catalog and its sources" },
	{ "install", cli_install, "install CONFIG SOURCE [--synthetic]",
		"mark a database as belonging to this deployment's environment" },
	{ "tools", cli_tools, "tools CONFIG [--as SUBJECT]",
		"list the tools, or what one subject would see, with size and owner" },
	{ "ask", cli_ask,
		"ask CONFIG TOOL --as SUBJECT [--agent NAME] [--tenant NAME] [--role ROLE ...]",
		"explain rule by rule whether a subject may use a tool" },
	{ "matrix", cli_matrix, "matrix CONFIG [--json]", "print what each role may use" },
	{ "compare", cli_compare, "compare STAGING PRODUCTION [--intended FILE]",
		"print what two configurations do not have alike" },
	{ "call", cli_call, "call CONFIG|URL TOOL [--arg NAME=VALUE ...] [--args JSON]",
		"call one tool with the key in POSTERN_KEY and print its result" },
	{ "key", cli_key,
		"key issue CONFIG --subject NAME --role ROLE [--role ROLE ...] [--kind "
		"human|agent|service] "
		"[--tenant NAME] [--agent NAME] [--expires DAYS] [--label TEXT] "
		"[--signing | --approver] | "
		"key rotate CONFIG ID [--expires DAYS] | key list CONFIG | "
		"key report CONFIG [--unused DAYS] | key revoke CONFIG ID [--reason TEXT]",
		"issue, rotate, list, report on and revoke API keys" },
	{ "kill", cli_kill, "kill CONFIG KIND [NAME] --reason TEXT [--for TIME]",
		"pause everything, a server, tenant, principal, agent, credential, tool or "
		"source" },
	{ "resume", cli_resume, "resume CONFIG KIND [NAME] --reason TEXT",
		"lift the kill orders of this kind and name" },
	{ "kills", cli_kills, "kills CONFIG [--history]", "list the kill orders in force" },
	{ "drill", cli_drill,
		"drill CONFIG --url [INSTANCE=]URL [--url ...] [--kind KIND ...] [--tool NAME]",
		"set each kind of kill switch, prove it on running servers, lift it" },
	{ "break-glass", cli_break_glass,
		"break-glass CONFIG SUBJECT GRANT --for TIME --reason TEXT | break-glass CONFIG "
		"approve ID | break-glass CONFIG review ID",
		"ask for a grant for a time, give it as a second person, review it; with the key "
		"in POSTERN_KEY" },
	{ "report", cli_report, "report CONFIG drills|break-glass",
		"say when each kind of kill switch was drilled; which broken glass nobody "
		"reviewed" },
	{ "audit", cli_audit, "audit tail CONFIG [--count N] | audit show CONFIG CALL|PLAN",
		"read the audit log" },
	{ "client-config", cli_client_config,
		"client-config CONFIG [--client NAME] [--url URL] [--program PATH]",
		"print how to connect Claude Desktop, Claude Code, VS Code, Codex, the Claude API "
		"or "
		"the Inspector; the key is taken from POSTERN_KEY" },
	{ "routes", cli_routes, "routes [--json]", "list the HTTP routes and who may use them" },
};

static void print_help(FILE *to)
{
	fprintf(to, "usage: postern COMMAND ...\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  postern %s\n      %s\n", commands[i].synopsis, commands[i].about);
	fprintf(to, "\n  postern --help | --version\n\nThe manual is postern(1); files are "
		    "described in "
		    "postern.yaml(5) and postern-catalog(5).\n");
}

int cli_fail(int status, const char *fmt, ...)
{
	va_list args;

	fputs("postern: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

static const struct cli_option *find_option(
	const struct cli_option *options, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(str_c(options[i].name), name))
			return &options[i];
	return NULL;
}

static bool add_to_list(const char **list, const char *value)
{
	size_t at = 0;

	while (list[at])
		at++;
	if (at == CLI_LIST_MAX - 1)
		return false;
	list[at] = value;
	return true;
}

/* One "--name", "--name=value" or "--name value" at argv[*at]. */
static bool take_option(struct cli *c, int *at, const struct cli_option *options, size_t count)
{
	struct str text = str_from(str_c(c->argv[*at]), 2), name = text, value;
	bool joined = str_cut(text, '=', &name, &value);
	const struct cli_option *o;
	const char *given;

	if (!joined)
		name = text;
	o = find_option(options, count, name);
	if (!o)
		return cli_fail(0, "there is no option --%.*s; usage: postern %.*s", STR_ARG(name),
			       STR_ARG(c->synopsis)) != 0;
	if (o->flag) {
		*o->flag = true;
		return !joined || cli_fail(0, "--%s takes no value", o->name) != 0;
	}
	if (!joined && *at + 1 >= c->argc)
		return cli_fail(0, "--%s needs a value", o->name) != 0;
	given = joined ? value.p : c->argv[++*at];
	if (o->value)
		*o->value = given;
	else if (!add_to_list(o->list, given))
		return cli_fail(0, "--%s is given too often", o->name) != 0;
	return true;
}

bool cli_parse(struct cli *c, const struct cli_option *options, size_t option_count,
	const char **words, size_t words_min, size_t words_max)
{
	size_t count = 0;

	for (int at = 0; at < c->argc; at++) {
		if (strcmp(c->argv[at], "--help") == 0 || strcmp(c->argv[at], "-h") == 0) {
			printf("usage: postern %.*s\n", STR_ARG(c->synopsis));
			exit(0);
		}
		if (strncmp(c->argv[at], "--", 2) == 0) {
			if (!take_option(c, &at, options, option_count))
				return false;
		} else if (count < words_max) {
			words[count++] = c->argv[at];
		} else {
			return cli_fail(0, "\"%s\" is one word too many; usage: postern %.*s",
				       c->argv[at], STR_ARG(c->synopsis)) != 0;
		}
	}
	if (count < words_min)
		return cli_fail(0, "something is missing; usage: postern %.*s",
			       STR_ARG(c->synopsis)) != 0;
	return true;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("postern %s\n", POSTERN_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct cli c = {
			.argc = argc - 2, .argv = argv + 2, .synopsis = str_c(commands[i].synopsis)
		};

		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(&c);
	}
	return cli_fail(EX_USAGE, "there is no command \"%s\"; see: postern --help", argv[1]);
}
