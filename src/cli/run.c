/* run - the commands that serve, and what the others share. */
#include "cli/cli.h"
#include "serve/admin.h"
#include "serve/approvals_front.h"
#include "serve/http_front.h"
#include "serve/serve.h"

#include <stdio.h>
#include <sysexits.h>

/* NULL: not given. */
static bool is_level(const char *name)
{
	enum log_level level;

	return !name || log_level_find(str_c(name), &level) ||
	       cli_fail(0, "--log-level is error, warn, info or debug, not \"%s\"", name) != 0;
}

int cli_serve(struct cli *c)
{
	const char *listen = NULL, *instance = NULL, *level = NULL, *words[1];
	bool read_only = false;
	const struct cli_option options[] = { { .name = "listen", .value = &listen },
		{ .name = "instance", .value = &instance },
		{ .name = "read-only", .flag = &read_only },
		{ .name = "log-level", .value = &level } };
	struct world_options o;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (!is_level(level))
		return EX_USAGE;
	o = (struct world_options){ .config_file = str_c(words[0]),
		.listen = str_c(listen),
		.instance = str_c(instance),
		.read_only = read_only,
		.log_level = str_c(level) };
	return serve_http(&o);
}

int cli_stdio(struct cli *c)
{
	const char *level = NULL, *words[1];
	bool read_only = false;
	const struct cli_option options[] = { { .name = "read-only", .flag = &read_only },
		{ .name = "log-level", .value = &level } };
	struct world_options o;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1) || !is_level(level))
		return EX_USAGE;
	o = (struct world_options){
		.config_file = str_c(words[0]), .read_only = read_only, .log_level = str_c(level)
	};
	return serve_stdio(&o);
}

int cli_check(struct cli *c)
{
	struct world_options o = { 0 };
	const char *words[1];

	if (!cli_parse(c, NULL, 0, words, 1, 1))
		return EX_USAGE;
	o.config_file = str_c(words[0]);
	return serve_check(&o);
}

struct world *cli_open(const char *config_file)
{
	struct world_options o = { .config_file = str_c(config_file) };
	struct findings f;
	struct arena a;
	struct world *w;
	struct buf text;

	arena_init(&a, (size_t)64 << 20);
	findings_init(&f, &a);
	w = world_open(&o, &f);
	if (!w) {
		buf_in(&text, &a, (size_t)16 << 20);
		findings_write(&f, &text);
		fwrite(text.p, 1, text.n, stderr);
	}
	arena_done(&a);
	return w;
}

int cli_routes(struct cli *c)
{
	const struct route *lists[] = { http_front_routes(), admin_routes(),
		approvals_front_routes() };
	static const char *const listeners[] = { "public", "admin", "approvals" };
	const char *comma = "";
	bool json = false;
	const struct cli_option options[] = { { .name = "json", .flag = &json } };

	if (!cli_parse(c, options, ARRAY_LEN(options), NULL, 0, 0))
		return EX_USAGE;
	if (json)
		printf("[");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct route *r = lists[i]; r->path; r++, comma = ",")
			if (json)
				printf("%s{\"listener\":\"%s\",\"path\":\"%s\",\"methods\":\"%s\","
				       "\"who\":\"%s\"}",
					comma, listeners[i], r->path, r->methods, r->who);
			else
				printf("%-10s %-28s %s\n", r->path, r->methods, r->who);
	if (json)
		printf("]\n");
	return 0;
}
