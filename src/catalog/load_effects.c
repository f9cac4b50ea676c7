/* load_effects - `effects` and `impact`: everything a write may touch, and the sums that people
 * look at.
 *
 *   effects:
 *     TABLE: { insert: true, update: [COLUMN], delete: true, rows: N | A..B, key: [COLUMN],
 *              where: EXPRESSION, volatile: [COLUMN], columns: { … }, refers: { COLUMN: TABLE } }
 *   impact: { NAME: TABLE.COLUMN }
 *
 * Invariants: 1. rows are counted: there is no rule without an end.  2. a row that is changed or
 * deleted is named by key and by `where`.  3. what is changed is shown.  4. no sum is fed by a
 * column that may differ at apply. */
#include "catalog/load_write.h"

static void refuse(struct write_load *wl, const struct effect_rule *rule, const char *code,
	const char *what, struct str name, const char *remedy)
{
	finding_error(wl->el->f, rule->at, code,
		arena_fmt(wl->el->a, "%s: effects of %.*s: %s%s%.*s", wl->el->r.what,
			STR_ARG(rule->table), what, name.n ? " " : "", STR_ARG(name)),
		str_c(remedy));
}

static struct names read_columns(
	struct write_load *wl, struct reader *r, const char *key, const struct effect_rule *rule)
{
	struct names names;

	names.list = read_strs(r, key, &names.count);
	for (size_t i = 0; i < names.count; i++)
		if (names_hold((struct names){ names.list, i }, names.list[i]))
			refuse(wl, rule, "write.rule", "a column is listed twice:", names.list[i],
				"remove one of the two");
	return names;
}

static bool rows_fit(struct str text, struct effect_rule *rule)
{
	size_t dots = str_find_str(text, 0, S(".."));
	struct str from = str_sub(text, 0, dots);
	struct str to = dots == text.n ? text : str_from(text, dots + 2);
	uint64_t min, max;

	if (!str_to_u64(from, &min) || !str_to_u64(to, &max) || min > max || !max || max > ROWS_MAX)
		return false;
	rule->rows_min = (uint32_t)min;
	rule->rows_max = (uint32_t)max;
	return true;
}

static void load_rows(struct write_load *wl, struct reader *r, struct effect_rule *rule)
{
	const struct yaml *node = read_node(r, "rows");

	rule->rows_min = rule->rows_max = 1;
	if (node && (node->kind != YAML_SCALAR || !rows_fit(node->text, rule)))
		refuse(wl, rule, "write.rows", "rows is neither a number nor a range", STR_NONE,
			"write 'rows: 1' or 'rows: 0..5'; at most 10000");
}

static void load_where(struct write_load *wl, struct reader *r, struct effect_rule *rule)
{
	const struct yaml *node = read_node(r, "where");
	struct sqltext text;
	const char *wrong;

	if (!node && rule->operations != EFFECT_INSERT)
		refuse(wl, rule, "write.rule", "no 'where'", STR_NONE,
			"say which rows may change, as in 'where: id = :id'");
	if (!node || !sql_load(wl->el, node, &rule->where, &text))
		return;
	wrong = write_text_expression(node->text, rule->table);
	if (wrong)
		refuse(wl, rule, "write.where", "'where' holds", str_c(wrong),
			"write an expression over this table's columns: id = :id AND status <> "
			"'void'");
}

/* Shown when nothing is said: what names the row, and what changes of it. */
static void show_key_and_update(struct write_load *wl, struct effect_rule *rule)
{
	struct column *columns =
		arena_array(wl->el->a, struct column, rule->key.count + rule->update.count + 1);
	size_t n = 0;

	for (size_t i = 0; i < rule->key.count; i++)
		columns[n++] = (struct column){ .name = rule->key.list[i] };
	for (size_t i = 0; i < rule->update.count; i++)
		if (!names_hold(rule->key, rule->update.list[i]))
			columns[n++] = (struct column){ .name = rule->update.list[i] };
	rule->columns = columns;
	rule->column_count = n;
	if (rule->operations & (EFFECT_INSERT | EFFECT_DELETE))
		finding_warn(wl->el->f, rule->at, "write.shown",
			arena_fmt(wl->el->a, "%s: of the rows of %.*s only the key is shown",
				wl->el->r.what, STR_ARG(rule->table)),
			S("add 'columns: {name: type, …}' with what a person needs to judge them"));
}

static bool is_shown(const struct effect_rule *rule, struct str name)
{
	for (size_t i = 0; i < rule->column_count; i++)
		if (str_eq(rule->columns[i].name, name))
			return true;
	return false;
}

static void check_shown(struct write_load *wl, const struct effect_rule *rule, struct names names)
{
	for (size_t i = 0; i < names.count; i++)
		if (!is_shown(rule, names.list[i]))
			refuse(wl, rule, "write.shown", "not shown:", names.list[i],
				"add it to 'columns', with a mask if it must not be seen");
}

static void load_shown(struct write_load *wl, struct reader *r, struct effect_rule *rule)
{
	const struct yaml *map = read_map(r, "columns");

	if (!map) {
		show_key_and_update(wl, rule);
		return;
	}
	rule->columns = columns_load(wl->el, map, COLUMN_OF_EFFECT, &rule->column_count);
	check_shown(wl, rule, rule->key);
	check_shown(wl, rule, rule->update);
}

static void load_refers(struct write_load *wl, struct reader *r, struct effect_rule *rule)
{
	const struct yaml *map = read_map(r, "refers");
	struct reference *all;

	if (!map)
		return;
	all = arena_array(wl->el->a, struct reference, map->count + 1);
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml *value = &map->entries[i].value;

		all[i].column = map->entries[i].name;
		all[i].table = read_text(r, "refers", value);
	}
	rule->refers = all;
	rule->refer_count = map->count;
}

static void check_rule(struct write_load *wl, const struct effect_rule *rule)
{
	static const char *const kept[] = { "postern_", "sqlite_" };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (str_eq_ci(str_sub(rule->table, 0, str_c(kept[i]).n), str_c(kept[i])))
			refuse(wl, rule, "write.own_table", "not a table of tools", STR_NONE,
				"the server and the database keep such tables themselves");
	if (!rule->operations)
		refuse(wl, rule, "write.rule", "nothing is allowed", STR_NONE,
			"say 'insert: true', 'update: [COLUMN, …]' or 'delete: true'");
	if (!rule->key.count)
		refuse(wl, rule, "write.rule", "no 'key'", STR_NONE,
			"name the columns that name a row, as in 'key: [id]'");
	for (size_t i = 0; i < rule->key.count; i++)
		if (names_hold(rule->update, rule->key.list[i]) &&
			!names_hold(rule->varies, rule->key.list[i]))
			refuse(wl, rule, "write.rule",
				"an update changes the key:", rule->key.list[i],
				"a row with another key is another row: say delete and insert");
}

static void load_operations(struct write_load *wl, struct reader *r, struct effect_rule *rule)
{
	rule->update = read_columns(wl, r, "update", rule);
	rule->operations = rule->update.count ? EFFECT_UPDATE : 0;
	if (read_bool(r, "insert", false))
		rule->operations |= EFFECT_INSERT;
	if (read_bool(r, "delete", false))
		rule->operations |= EFFECT_DELETE;
}

static void load_rule(
	struct write_load *wl, const struct yaml_entry *yaml, struct effect_rule *rule)
{
	struct entry_load *el = wl->el;
	struct reader r;

	rule->table = yaml->name;
	rule->at = yaml->at;
	reader_init(&r, el->a, el->f, &yaml->value,
		arena_cstr(el->a,
			arena_fmt(el->a, "%s effects of %.*s", el->r.what, STR_ARG(yaml->name))));
	if (!r.map)
		return;
	load_operations(wl, &r, rule);
	rule->key = read_columns(wl, &r, "key", rule);
	rule->varies = read_columns(wl, &r, "volatile", rule);
	load_rows(wl, &r, rule);
	load_where(wl, &r, rule);
	load_shown(wl, &r, rule);
	load_refers(wl, &r, rule);
	reader_done(&r);
	check_rule(wl, rule);
}

/* The key of a row that this same write inserts. */
static void check_refers(struct write_load *wl, const struct effect_rule *rule)
{
	for (size_t i = 0; i < rule->refer_count; i++) {
		const struct effect_rule *to = write_rule(wl->w, rule->refers[i].table);

		if (!to || !(to->operations & EFFECT_INSERT))
			refuse(wl, rule, "write.refers",
				"refers names a table without inserts:", rule->refers[i].table,
				"it is for columns that hold the key of a row which this tool "
				"inserts");
	}
}

void effects_load(struct write_load *wl)
{
	const struct yaml *map = read_map(&wl->el->r, "effects");
	struct effect_rule *rules;

	if (!map || !map->count || map->count > RULES_MAX) {
		entry_refuse(wl->el, map ? map : wl->node, "write.effects_missing",
			map && map->count ? S("effects of more than 32 tables")
					  : S("the write does not say what it may touch"),
			S("add 'effects: {TABLE: {update: [COLUMN], key: [id], where: …}}': "
			  "whatever "
			  "is not there rolls back"));
		return;
	}
	rules = arena_array(wl->el->a, struct effect_rule, map->count);
	for (size_t i = 0; i < map->count; i++) {
		load_rule(wl, &map->entries[i], &rules[i]);
		for (size_t k = 0; k < i; k++)
			if (str_eq_ci(rules[k].table, rules[i].table))
				refuse(wl, &rules[i], "write.rule", "a second rule of the table",
					STR_NONE, "one table, one rule");
	}
	wl->w->rules = rules;
	wl->w->rule_count = map->count;
	for (size_t i = 0; i < map->count; i++)
		check_refers(wl, &rules[i]);
}

/* --- impact --- */

static bool impact_name_fits(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	return name.n && name.n <= 64 && !ascii_is_digit(name.p[0]);
}

/* A sum over one row is its value. */
static bool is_masked(const struct effect_rule *rule, struct str column)
{
	for (size_t i = 0; i < rule->column_count; i++)
		if (str_eq(rule->columns[i].name, column))
			return rule->columns[i].mask.kind != MASK_NONE ||
			       rule->columns[i].data_class != CLASS_NONE;
	return false;
}

static const char *wrong_impact(const struct write_load *wl, const struct impact_rule *impact)
{
	static const char *const taken[] = { "rows", "per", "need", "grant" };
	const struct effect_rule *rule = write_rule(wl->w, impact->table);

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (str_eq(impact->name, str_c(taken[i])))
			return "the name is taken";
	if (!impact_name_fits(impact->name))
		return "it is not a name";
	if (!impact->column.n)
		return "it does not say TABLE.COLUMN";
	if (!rule)
		return "the effects do not name the table";
	if (names_hold(rule->varies, impact->column))
		return "the column is volatile: its sum could differ at apply";
	if (rule->operations == EFFECT_UPDATE && !names_hold(rule->update, impact->column))
		return "no update changes the column";
	if (is_masked(rule, impact->column))
		return "the column is masked: its sum would tell what stands there";
	return NULL;
}

static void load_impact(
	struct write_load *wl, const struct yaml_entry *yaml, struct impact_rule *out)
{
	struct entry_load *el = wl->el;
	struct str text = read_text(&el->r, "impact", &yaml->value);
	const char *wrong;

	out->name = yaml->name;
	if (!text.n)
		return;
	if (!str_cut(text, '.', &out->table, &out->column))
		out->table = text;
	wrong = wrong_impact(wl, out);
	if (wrong)
		entry_refuse(el, &yaml->value, "write.impact",
			arena_fmt(el->a, "impact %.*s: %s", STR_ARG(yaml->name), wrong),
			S("write 'NAME: TABLE.COLUMN' with a column of numbers that the effects "
			  "may "
			  "change"));
}

void impact_load(struct write_load *wl)
{
	const struct yaml *map = read_map(&wl->el->r, "impact");
	struct impact_rule *all;

	if (!map)
		return;
	all = arena_array(wl->el->a, struct impact_rule, map->count + 1);
	for (size_t i = 0; i < map->count; i++)
		load_impact(wl, &map->entries[i], &all[i]);
	wl->w->impacts = all;
	wl->w->impact_count = map->count;
}
