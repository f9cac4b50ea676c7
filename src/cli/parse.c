/* parse - the words and options of a command line.  See cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
