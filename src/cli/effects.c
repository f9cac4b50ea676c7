/* effects - see effects.h. */
#include "cli/effects.h"

#include <stdio.h>

#include "audit/blob.h"
#include "cli/pretty.h"

static struct str shown(struct arena *a, const struct json *v)
{
	return v ? text_for_terminal(a, v->raw) : STR_NONE;
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

		printf("    %-20.*s %.*s%s%.*s\n", STR_ARG(text_for_terminal(a, name)),
			STR_ARG(shown(a, json_get(before, name))), before && after ? " -> " : "",
			STR_ARG(shown(a, json_get(after, name))));
	}
}

static void print_row(struct arena *a, const struct json *row)
{
	printf("  %.*s %.*s %.*s\n", STR_ARG(word(a, row, S("op"))), STR_ARG(word(a, row, S("t"))),
		STR_ARG(shown(a, json_get(row, S("key")))));
	print_columns(a, json_get(row, S("before")), json_get(row, S("after")));
}

static void print_step(struct arena *a, const struct json *step)
{
	const struct json *rows = json_get(step, S("rows")), *args = json_get(step, S("args"));

	printf(" %.*s %.*s\n", STR_ARG(word(a, step, S("tool"))), STR_ARG(shown(a, args)));
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
