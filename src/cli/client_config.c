/* client-config - how to connect common MCP clients, with the key in place. */
#include "cli/cli.h"
#include "json/write.h"
#include "serve/world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct target {
	struct arena a;
	struct str name; /* of the server, in the client */
	struct str url, key;
	struct str program, config; /* absolute */
};

static void print_json(const struct buf *text)
{
	printf("%.*s\n\n", (int)text->n, text->p);
}

static struct str bearer(struct target *t)
{
	return arena_fmt(&t->a, "Bearer %.*s", STR_ARG(t->key));
}

static void write_stdio(struct jw *w, struct target *t)
{
	jw_put_str(w, S("command"), t->program);
	jw_name(w, S("args"));
	jw_array(w);
	jw_str(w, S("stdio"));
	jw_str(w, t->config);
	jw_array_end(w);
	jw_name(w, S("env"));
	jw_object(w);
	jw_put_str(w, S("POSTERN_KEY"), t->key);
	jw_object_end(w);
}

static void write_http(struct jw *w, struct target *t, struct str type)
{
	jw_put_str(w, S("type"), type);
	jw_put_str(w, S("url"), t->url);
	jw_name(w, S("headers"));
	jw_object(w);
	jw_put_str(w, S("Authorization"), bearer(t));
	jw_object_end(w);
}

static void claude_desktop(struct target *t)
{
	struct buf out;
	struct jw w;

	buf_in(&out, &t->a, 65536);
	jw_init(&w, &out);
	jw_object(&w);
	jw_name(&w, S("mcpServers"));
	jw_object(&w);
	jw_name(&w, t->name);
	jw_object(&w);
	write_stdio(&w, t);
	jw_object_end(&w);
	jw_object_end(&w);
	jw_object_end(&w);
	printf("Claude Desktop (claude_desktop_config.json; Settings > Developer > Edit "
	       "Config):\n");
	print_json(&out);
}

static void claude_code(struct target *t)
{
	printf("Claude Code:\nclaude mcp add --transport http %.*s %.*s --header \"Authorization: "
	       "%.*s\"\n\n",
		STR_ARG(t->name), STR_ARG(t->url), STR_ARG(bearer(t)));
}

static void vs_code(struct target *t)
{
	struct buf out;
	struct jw w;

	buf_in(&out, &t->a, 65536);
	jw_init(&w, &out);
	jw_object(&w);
	jw_name(&w, S("servers"));
	jw_object(&w);
	jw_name(&w, t->name);
	jw_object(&w);
	write_http(&w, t, S("http"));
	jw_object_end(&w);
	jw_object_end(&w);
	jw_object_end(&w);
	printf("VS Code (.vscode/mcp.json):\n");
	print_json(&out);
}

static void codex(struct target *t)
{
	printf("Codex (~/.codex/config.toml; the key goes into the environment as POSTERN_KEY):\n"
	       "[mcp_servers.%.*s]\nurl = \"%.*s\"\nbearer_token_env_var = \"POSTERN_KEY\"\n\n",
		STR_ARG(t->name), STR_ARG(t->url));
}

static void claude_api(struct target *t)
{
	struct buf out;
	struct jw w;

	buf_in(&out, &t->a, 65536);
	jw_init(&w, &out);
	jw_object(&w);
	jw_name(&w, S("mcp_servers"));
	jw_array(&w);
	jw_object(&w);
	jw_put_str(&w, S("type"), S("url"));
	jw_put_str(&w, S("url"), t->url);
	jw_put_str(&w, S("name"), t->name);
	jw_put_str(&w, S("authorization_token"), t->key);
	jw_object_end(&w);
	jw_array_end(&w);
	jw_name(&w, S("tools"));
	jw_array(&w);
	jw_object(&w);
	jw_put_str(&w, S("type"), S("mcp_toolset"));
	jw_put_str(&w, S("mcp_server_name"), t->name);
	jw_object_end(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	printf("Claude API, MCP connector (members of the request, with the header anthropic-beta: "
	       "mcp-client-2025-11-20; the URL must be reachable from outside over https):\n");
	print_json(&out);
}

static void inspector(struct target *t)
{
	printf("MCP Inspector:\nnpx @modelcontextprotocol/inspector --cli %.*s --transport http "
	       "--header \"Authorization: %.*s\" --method tools/list\n\n",
		STR_ARG(t->url), STR_ARG(bearer(t)));
}

static const struct {
	const char *name;
	void (*print)(struct target *t);
} clients[] = {
	{ "claude-desktop", claude_desktop },
	{ "claude-code", claude_code },
	{ "vscode", vs_code },
	{ "codex", codex },
	{ "claude-api", claude_api },
	{ "inspector", inspector },
};

/* The last part of the deployment's name, with nothing a client would stumble over. */
static struct str server_name(struct arena *a, struct str deployment)
{
	char *name = arena_cstr(a, deployment), *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	for (char *p = name; *p; p++)
		if (!ascii_is_alnum(*p))
			*p = '-';
	return str_c(*name ? name : "postern");
}

static struct str absolute(struct arena *a, const char *path)
{
	char full[PATH_MAX];

	return realpath(path, full) ? arena_str(a, str_c(full)) : str_c(path);
}

static struct str own_program(struct arena *a)
{
	char full[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", full, sizeof full);

	return n > 0 ? arena_str(a, str_n(full, (size_t)n)) : S("postern");
}

static bool print_all(struct target *t, const char *client)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		if (client && strcmp(client, clients[i].name) != 0)
			continue;
		clients[i].print(t);
		any = true;
	}
	return any;
}

int cli_client_config(struct cli *c)
{
	const char *client = NULL, *url = NULL, *program = NULL, *words[1];
	const struct cli_option options[] = { { .name = "client", .value = &client },
		{ .name = "url", .value = &url }, { .name = "program", .value = &program } };
	const char *key = getenv("POSTERN_KEY");
	struct generation *g;
	struct target t = { 0 };
	struct world *w;
	int status = 0;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&t.a, (size_t)1 << 20);
	g = world_hold(w);
	t.name = server_name(&t.a, g->config->name);
	t.url = url ? str_c(url)
		    : arena_fmt(&t.a, "%s://%.*s/mcp", g->config->listen.tls ? "https" : "http",
			      STR_ARG(g->config->listen.address));
	t.key = key ? str_c(key) : S("YOUR_KEY");
	t.program = program ? absolute(&t.a, program) : own_program(&t.a);
	t.config = absolute(&t.a, words[0]);
	if (!print_all(&t, client))
		status = cli_fail(EX_USAGE,
			"there is no client \"%s\": claude-desktop, claude-code, vscode, "
			"codex, claude-api or inspector",
			client);
	if (!key && !status)
		fprintf(stderr,
			"postern: POSTERN_KEY is not set: put your key where YOUR_KEY stands\n");
	world_drop(w, g);
	arena_done(&t.a);
	world_close(&w);
	return status;
}
