/* audit - postern audit tail | show: the log as a person reads it. */
#include "audit/reader.h"
#include "cli/cli.h"
#include "cli/effects.h"
#include "cli/pretty.h"
#include "serve/world.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TAIL_DEFAULT 20
#define TAIL_MAX 100000
#define MEMORY ((size_t)1 << 30) /* for a record and its effects */

struct search {
	struct audit_reader *reader;
	struct str directory;
	struct str name; /* of a call or a plan; empty: every record */
	size_t found, rotten;
};

/* As it stands in the record, with its escapes, and with those the terminal needs besides. */
static struct str value_text(struct arena *a, const struct json *v)
{
	if (!v)
		return S("-");
	return text_for_terminal(
		a, v->kind == JSON_STRING ? str_sub(v->raw, 1, v->raw.n - 2) : v->raw);
}

static struct str field(struct arena *a, const struct json *record, const char *name)
{
	return value_text(a, json_get(record, str_c(name)));
}

/* Whole, however long. */
static void put(struct str text)
{
	fwrite(text.p, 1, text.n, stdout);
}

static void print_short(struct arena *a, const struct json *r)
{
	printf("%.*s  %-12.*s %-26.*s %-18.*s %-28.*s %-20.*s %.*s\n", STR_ARG(field(a, r, "t")),
		STR_ARG(field(a, r, "e")), STR_ARG(field(a, r, "call")),
		STR_ARG(field(a, r, "subj")), STR_ARG(field(a, r, "tool")),
		STR_ARG(field(a, r, "code")), STR_ARG(field(a, r, "reason")));
}

static void print_effects(struct search *s, struct arena *a, const struct json *effects)
{
	struct err err;

	printf("effects\n");
	if (effects_print(a, s->directory, effects, &err))
		return;
	cli_fail(0, "damaged: %s", err.text);
	s->rotten++;
}

static void print_whole(struct search *s, struct arena *a, const struct json *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct json_member *m = &r->members[i];

		if (str_eq(m->name, S("effects"))) {
			print_effects(s, a, &m->value);
			continue;
		}
		printf("%-16.*s ", STR_ARG(text_for_terminal(a, m->name)));
		put(value_text(a, &m->value));
		printf("\n");
	}
	printf("\n");
}

static bool speaks_of(const struct json *record, struct str name)
{
	return str_eq(json_get_str(record, S("call")), name) ||
	       str_eq(json_get_str(record, S("plan")), name);
}

static void show_line(struct search *s, struct str line)
{
	struct json_error error;
	struct json record;
	struct arena a;

	arena_init(&a, MEMORY);
	if (!json_parse(&a, line, &record, &error) || record.kind != JSON_OBJECT) {
		s->rotten++;
	} else if (!s->name.n) {
		print_short(&a, &record);
		s->found++;
	} else if (speaks_of(&record, s->name)) {
		print_whole(s, &a, &record);
		s->found++;
	}
	arena_done(&a);
}

static int walk(struct search *s)
{
	struct str line;
	struct err err;

	for (;;) {
		switch (audit_read_next(s->reader, &line, &err)) {
		case AUDIT_RECORD:
			show_line(s, line);
			break;
		case AUDIT_ROTTEN:
			cli_fail(0, "damaged: %s", err.text);
			s->rotten++;
			break;
		case AUDIT_FAILED:
			return cli_fail(EX_IOERR, "%s", err.text);
		case AUDIT_END:
			return s->rotten ? 1 : 0;
		}
	}
}

static int open_and_walk(const char *config_file, struct str name, size_t count)
{
	struct search s = { .name = name };
	struct generation *g;
	struct world *w = cli_open(config_file);
	struct err err;
	int status;

	if (!w)
		return EX_CONFIG;
	g = world_hold(w);
	s.directory = g->config->audit_directory;
	s.reader = audit_reader_open(g->config->audit_directory, &err);
	if (!s.reader)
		status = cli_fail(err.code == E_NOT_FOUND ? 1 : EX_IOERR, "%s", err.text);
	else if (!name.n && !audit_reader_tail(s.reader, count, &err))
		status = cli_fail(EX_IOERR, "%s", err.text);
	else
		status = walk(&s);
	if (!status && name.n && !s.found)
		status = cli_fail(1, "no record of %.*s is in this log", STR_ARG(name));
	audit_reader_free(&s.reader);
	world_drop(w, g);
	world_close(&w);
	return status;
}

static int tail(struct cli *c)
{
	const char *count = NULL, *words[1];
	const struct cli_option options[] = { { .name = "count", .value = &count } };
	uint64_t n = TAIL_DEFAULT;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (count && (!str_to_u64(str_c(count), &n) || !n || n > TAIL_MAX))
		return cli_fail(EX_USAGE, "--count takes a number, 1 to %d", TAIL_MAX);
	return open_and_walk(words[0], STR_NONE, (size_t)n);
}

static int show(struct cli *c)
{
	const char *words[2];

	if (!cli_parse(c, NULL, 0, words, 2, 2))
		return EX_USAGE;
	return open_and_walk(words[0], str_c(words[1]), 0);
}

int cli_audit(struct cli *c)
{
	struct cli rest = { .argc = c->argc - 1, .argv = c->argv + 1, .synopsis = c->synopsis };

	if (c->argc && strcmp(c->argv[0], "tail") == 0)
		return tail(&rest);
	if (c->argc && strcmp(c->argv[0], "show") == 0)
		return show(&rest);
	if (!cli_parse(c, NULL, 0, NULL, 0, 0))
		return EX_USAGE;
	return cli_fail(EX_USAGE, "tail or show? usage: postern %.*s", STR_ARG(c->synopsis));
}
