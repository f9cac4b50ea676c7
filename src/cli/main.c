/* main - the table of commands. */
#include "cli/cli.h"

#include <stdio.h>
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
		"[--signing] [--approver] | "
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
		"break-glass CONFIG SUBJECT GRANT --for TIME --reason TEXT [--tenant TENANT] "
		"[--issuer "
		"URL] | break-glass CONFIG approve ID | break-glass CONFIG review ID | break-glass "
		"CONFIG end ID",
		"ask for a grant for a time, give it as a second person, review it; with the key "
		"in POSTERN_KEY" },
	{ "report", cli_report, "report CONFIG drills|break-glass",
		"say when each kind of kill switch was drilled; which broken glass nobody "
		"reviewed" },
	{ "pending", cli_pending, "pending CONFIG [--all]",
		"list the plans that wait for you; with your approver's key, asked for on the "
		"terminal" },
	{ "show", cli_show, "show CONFIG PLAN", "show a plan as it was previewed" },
	{ "approve", cli_approve, "approve CONFIG PLAN [--note TEXT]",
		"show a plan and, after your yes, approve exactly that" },
	{ "decline", cli_decline, "decline CONFIG PLAN --reason TEXT", "decline a plan" },
	{ "escalate", cli_escalate, "escalate CONFIG PLAN --note TEXT",
		"send a plan of your own to those who hold the grant" },
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
