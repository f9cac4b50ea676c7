/* text - {name} in texts that are filled from the arguments: every name must be an input. */
#include "catalog/load.h"

/* As the filling reads it: letters, digits, '_', '-', '.' between braces. */
static bool take_name(struct str s, size_t at, struct str *out)
{
	size_t end = at + 1;

	while (end < s.n && (ascii_is_alnum(s.p[end]) || str_has(S("_-."), s.p[end])))
		end++;
	if (end == s.n || s.p[end] != '}' || end == at + 1)
		return false;
	*out = str_sub(s, at + 1, end - at - 1);
	return true;
}

static void check_name(struct entry_load *el, const struct yaml *node, struct str name)
{
	int input = input_find(el, name);
	const char **names;
	const char *near;

	if (input >= 0) {
		el->used[input] = true;
		return;
	}
	if (str_starts(name, S("answer."))) /* what the person answered, in scripts */
		return;
	names = arena_array(el->a, const char *, el->e->input_count + 1);
	for (size_t i = 0; i < el->e->input_count; i++)
		names[i] = arena_cstr(el->a, el->inputs[i].name);
	near = read_nearest(name, names, el->e->input_count);
	entry_refuse(el, node, "text.unknown_name",
		arena_fmt(el->a, "the text fills in {%.*s}, which is no argument", STR_ARG(name)),
		near ? arena_fmt(el->a, "did you mean '{%s}'?", near)
		     : arena_fmt(el->a, "declare it, or write {{%.*s}} for braces", STR_ARG(name)));
}

static void check_scalar(struct entry_load *el, const struct yaml *node)
{
	struct str s = node->text, name;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '{' && s.p[i] != '}')
			continue;
		if (i + 1 < s.n && s.p[i + 1] == s.p[i])
			i++;
		else if (s.p[i] == '{' && take_name(s, i, &name))
			check_name(el, node, name);
	}
}

void text_check(struct entry_load *el, const struct yaml *node)
{
	if (node->kind == YAML_SCALAR)
		check_scalar(el, node);
	for (size_t i = 0; i < node->count; i++)
		text_check(el, node->kind == YAML_MAP ? &node->entries[i].value : &node->items[i]);
}
