/* call - postern call: one tool, from a configuration in this process or from a running server. */
#include "cli/cli.h"
#include "cli/pretty.h"
#include "cli/remote.h"
#include "json/write.h"
#include "serve/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX ((size_t)1 << 20)

/* "limit=5" becomes 5 where the tool wants a number, "5" where it wants text. */
static void write_value(struct jw *w, struct arena *a, const struct json *input_schema,
	struct str name, struct str value)
{
	const struct json *property = json_get(json_get(input_schema, S("properties")), name);
	struct str type = json_get_str(property, S("type"));
	struct json_error error;
	struct json parsed;

	if (str_eq(type, S("string")) || !json_parse(a, value, &parsed, &error) ||
		(!type.n && parsed.kind == JSON_STRING))
		jw_str(w, value);
	else
		jw_raw(w, parsed.raw);
}

static bool arguments_of(struct arena *a, const struct json *input_schema, const char **args,
	struct str *out, struct err *err)
{
	struct buf text;
	struct jw w;

	buf_in(&text, a, ARGS_MAX);
	jw_init(&w, &text);
	jw_object(&w);
	for (size_t i = 0; args[i]; i++) {
		struct str name, value;

		if (!str_cut(str_c(args[i]), '=', &name, &value) || !name.n)
			return err_set(
				err, E_INVALID, "--arg takes NAME=VALUE, not \"%s\"", args[i]);
		jw_name(&w, name);
		write_value(&w, a, input_schema, name, value);
	}
	jw_object_end(&w);
	*out = buf_str(&text);
	return buf_ok(&text) || err_set(err, E_LIMIT, "the arguments are too large");
}

/* What a person wants to see: the structured content when there is one, else the text. */
static void print_result(struct arena *a, struct str result)
{
	struct json_error error;
	const struct json *structured, *content;
	struct json v;

	if (!json_parse(a, result, &v, &error)) {
		result = text_for_terminal(a, result);
		printf("%.*s\n", (int)result.n, result.p);
		return;
	}
	structured = json_get(&v, S("structuredContent"));
	content = json_get(&v, S("content"));
	if (structured) {
		struct str pretty = json_pretty(a, structured);

		printf("%.*s\n", (int)pretty.n, pretty.p);
		return;
	}
	for (uint32_t i = 0; content && i < content->count; i++) {
		struct str text = json_get_str(&content->items[i], S("text"));
		struct str shown = text_for_terminal(a, text.n ? text : content->items[i].raw);

		printf("%.*s\n", (int)shown.n, shown.p);
	}
}

static bool call_here(struct arena *a, const char **words, struct str key, const char **args,
	const char *json_args, struct str *result_out, bool *is_error_out, struct err *err)
{
	struct world *w = cli_open(words[0]);
	struct json schema = { 0 };
	struct str arguments;
	struct generation *g;
	const struct entry *tool;
	struct json_error error;
	bool ok;

	if (!w)
		return err_set(err, E_INVALID, "the configuration is not usable");
	g = world_hold(w);
	tool = map_get(&g->catalog->tools_by_name, str_c(words[1]));
	if (tool && !json_parse(a, tool->input_schema, &schema, &error))
		schema.kind = JSON_NULL;
	ok = (json_args ? (arguments = str_c(json_args), true)
			: arguments_of(a, &schema, args, &arguments, err)) &&
	     serve_call(w, a, key, str_c(words[1]), arguments, result_out, is_error_out, err);
	if (ok)
		*result_out = arena_str(a, *result_out);
	world_drop(w, g);
	world_close(&w);
	return ok;
}

static bool call_there(struct arena *a, const char **words, struct str key, const char **args,
	const char *json_args, struct str *result_out, bool *is_error_out, struct err *err)
{
	struct remote r = { .a = a, .url = str_c(words[0]), .key = key };
	struct json schema = { 0 };
	struct str arguments;

	if (json_args)
		arguments = str_c(json_args);
	else if (!remote_input_schema(&r, str_c(words[1]), &schema, err) ||
		 !arguments_of(a, &schema, args, &arguments, err))
		return false;
	return remote_call(&r, str_c(words[1]), arguments, result_out, is_error_out, err);
}

/* Plain HTTP to another machine. */
static bool is_exposed(struct str url)
{
	static const char *const loopback[] = { "127.0.0.1", "localhost", "[::1]" };
	struct str host = str_from(url, 7);

	if (!str_starts(url, S("http://")))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
		struct str rest = str_from(host, str_c(loopback[i]).n);

		if (str_starts(host, str_c(loopback[i])) &&
			(!rest.n || rest.p[0] == ':' || rest.p[0] == '/'))
			return false;
	}
	return true;
}

int cli_call(struct cli *c)
{
	const char *args[CLI_LIST_MAX] = { 0 }, *json_args = NULL, *words[2];
	const struct cli_option options[] = { { .name = "arg", .list = args },
		{ .name = "args", .value = &json_args } };
	const char *key = getenv("POSTERN_KEY");
	bool is_error = false, ok, there;
	struct str result;
	struct arena a;
	struct err err;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 2, 2))
		return EX_USAGE;
	if (args[0] && json_args)
		return cli_fail(EX_USAGE, "--arg or --args, not both");
	there = strncmp(words[0], "http://", 7) == 0 || strncmp(words[0], "https://", 8) == 0;
	if (key && is_exposed(str_c(words[0])))
		return cli_fail(EX_USAGE,
			"the key would travel in clear: use https, or a loopback address");
	arena_init(&a, (size_t)256 << 20);
	ok = (there ? call_there : call_here)(
		&a, words, str_c(key), args, json_args, &result, &is_error, &err);
	if (ok)
		print_result(&a, result);
	else
		cli_fail(0, "%s%s", err.text,
			key ? "" : " (the key is read from the environment: POSTERN_KEY)");
	arena_done(&a);
	if (!ok)
		return err.code == E_DENIED ? EX_NOPERM : EX_UNAVAILABLE;
	return is_error ? 1 : 0;
}
