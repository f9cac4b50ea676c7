/* effects - see effects.h. */
#include "cli/effects.h"

#include <stdio.h>

#include "audit/blob.h"
#include "cli/pretty.h"

/* Whole, however long. */
static void put(struct arena *a, const struct json *v)
{
	struct str text = v ? text_for_terminal(a, v->raw) : STR_NONE;

	if (text.n)
		fwrite(text.p, 1, text.n, stdout);
}

static struct str word(struct arena *a, const struct json *o, struct str name)
{
	return text_for_terminal(a, json_get_str(o, name));
}

static void print_columns(struct arena *a, const struct json *before, const struct json *after)
{
	const struct json *rows = json_is(after, JSON_OBJECT) ? after : before;

	for (uint32_t i = 0; json_is(rows, JSON_OBJECT) && i < rows->count; i++) {
		struct str name = rows->members[i].name;

		printf("    %-20.*s ", STR_ARG(text_for_terminal(a, name)));
		put(a, json_get(before, name));
		printf("%s", before && after ? " -> " : "");
		put(a, json_get(after, name));
		printf("\n");
	}
}

static void print_row(struct arena *a, const struct json *row)
{
	printf("  %.*s %.*s ", STR_ARG(word(a, row, S("op"))), STR_ARG(word(a, row, S("t"))));
	put(a, json_get(row, S("key")));
	printf("\n");
	print_columns(a, json_get(row, S("before")), json_get(row, S("after")));
}

static void print_step(struct arena *a, const struct json *step)
{
	const struct json *rows = json_get(step, S("rows"));

	printf(" %.*s ", STR_ARG(word(a, step, S("tool"))));
	put(a, json_get(step, S("args")));
	printf("\n");
	for (uint32_t i = 0; json_is(rows, JSON_ARRAY) && i < rows->count; i++)
		print_row(a, &rows->items[i]);
}

/* The text of the blob that is named, parsed; v is left alone where none is. */
static bool fetch(struct arena *a, struct str directory, struct json *v, struct err *err)
{
	struct str name = json_get_str(v, S("blob")), text;
	struct json_error error;

	if (!name.n)
		return true;
	if (!str_starts(name, S("sha256:")))
		return err_set(err, E_INVALID, "a blob that is not named by its digest");
	if (!blob_read(a, directory, str_from(name, 7), &text, err))
		return false;
	return json_parse(a, text, v, &error) || err_set(err, E_INVALID, "a blob that is no JSON");
}

bool effects_print(
	struct arena *a, struct str directory, const struct json *effects, struct err *err)
{
	struct json whole = *effects;
	const struct json *steps;

	if (!fetch(a, directory, &whole, err))
		return false;
	steps = json_get(&whole, S("steps"));
	if (!json_is(steps, JSON_ARRAY)) {
		printf(" not kept: more than can be\n");
		return true;
	}
	for (uint32_t i = 0; i < steps->count; i++)
		print_step(a, &steps->items[i]);
	return true;
}
