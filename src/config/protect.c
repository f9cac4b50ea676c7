/* protect - what every write to a source is held to: the event tables it must leave a row in, and
 * what it may not change.
 *
 *   events: [TABLE]
 *   protect: { TABLE: append_only, TABLE.COLUMN: set_once, TABLE.COLUMN: { by: [TOOL] } }
 *
 * Whether the tools keep to it is the catalog's to say. */
#include "config/load.h"

static void refuse(struct config_load *l, const struct reader *source, const struct yaml_entry *e,
	const char *what, const char *remedy)
{
	finding_error(l->f, e->at, "config.protect",
		arena_fmt(l->a, "%s: protect: %.*s %s", source->what, STR_ARG(e->name), what),
		str_c(remedy));
}

static struct names read_tools(
	struct config_load *l, const struct reader *source, const struct yaml_entry *e)
{
	struct names names;
	struct reader r;

	reader_init(&r, l->a, l->f, &e->value,
		arena_cstr(
			l->a, arena_fmt(l->a, "%s protect %.*s", source->what, STR_ARG(e->name))));
	names.list = read_strs(&r, "by", &names.count);
	reader_done(&r);
	if (r.map && !read_has(&r, "by"))
		refuse(l, source, e, "does not say who may change it",
			"write {by: [TOOL, …]}; an empty list is nobody");
	return names;
}

static void load_protection(struct config_load *l, const struct reader *source,
	const struct yaml_entry *e, struct protection_config *o)
{
	bool column = str_cut(e->name, '.', &o->table, &o->column);
	struct str word = e->value.kind == YAML_SCALAR ? e->value.text : STR_NONE;

	o->at = e->at;
	if (!column)
		o->table = e->name;
	if (!o->table.n || (column && !o->column.n) || str_has(o->column, '.'))
		refuse(l, source, e, "is neither TABLE nor TABLE.COLUMN",
			"name a table or one of its columns");
	if (column && e->value.kind == YAML_MAP) {
		o->kind = PROTECTION_BY;
		o->by = read_tools(l, source, e);
	} else if (column && str_eq(word, S("set_once"))) {
		o->kind = PROTECTION_SET_ONCE;
	} else if (!column && str_eq(word, S("append_only"))) {
		o->kind = PROTECTION_APPEND_ONLY;
	} else {
		refuse(l, source, e, "is protected in a way that does not exist",
			"a table is append_only; a column is set_once or {by: [TOOL, …]}");
	}
}

void config_protect_load(struct config_load *l, struct reader *source, struct source_config *o)
{
	const struct yaml *map;
	struct protection_config *all;

	o->events.list = read_strs(source, "events", &o->events.count);
	map = read_map(source, "protect");
	if (!map)
		return;
	all = arena_array(l->a, struct protection_config, map->count + 1);
	for (size_t i = 0; i < map->count; i++)
		load_protection(l, source, &map->entries[i], &all[i]);
	o->protections = all;
	o->protection_count = map->count;
}
