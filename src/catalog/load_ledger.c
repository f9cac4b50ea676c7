/* load_ledger - `ledger`: a tool that tells what was changed before, from the ledger of its
 * source.
 *
 *   ledger: { id: change_id }                                    one, by its own id, its plan or
 * its call changes: { table: contracts, key: { id: contract_id } }       those of one record, the
 * newest first claims: true                                                  also what the
 * assistant told
 *
 * What stands behind `id` and `key` are names of inputs.  The columns of the answer are the
 * server's own. */
#include "catalog/load.h"
#include "catalog/write.h"

#include <stdlib.h>

#define ROWS_DEFAULT 20
#define ROWS_MOST 100

/* backend/ledger_read.c fills them in this order, render/past.c the last three of them but claims.
 */
static const struct column columns[] = {
	{ .name = STR_INIT("ledger_id"),
		.description = STR_INIT("id of the change"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("call_id"),
		.description = STR_INIT("of the call that made it, as in the audit log"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("plan_id"),
		.description = STR_INIT("of the plan that was approved; null: nobody had to"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("committed_at"),
		.description = STR_INIT("when it was committed"),
		.type = COLUMN_DATE_TIME },
	{ .name = STR_INIT("tool"),
		.description = STR_INIT("name and version; of several, with commas"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("subject"),
		.description = STR_INIT("for whom it was made"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("agent"),
		.description = STR_INIT("the software that asked for it"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("rows_changed"),
		.description = STR_INIT("rows of the whole change"),
		.type = COLUMN_INTEGER },
	{ .name = STR_INIT("sums"),
		.description = STR_INIT("declared impacts of the whole change, by name"),
		.type = COLUMN_JSON },
	{ .name = STR_INIT("effects"),
		.description = STR_INIT("rows: table, operation, key, before, after"),
		.type = COLUMN_JSON },
	{ .name = STR_INIT("effects_left_out"),
		.description = STR_INIT("rows of the change that are not among the effects"),
		.type = COLUMN_INTEGER },
	{ .name = STR_INIT("request"),
		.description = STR_INIT("what the person asked for, as the assistant told it"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("reason"),
		.description = STR_INIT("why, as the assistant told it"),
		.type = COLUMN_STRING,
		.nullable = true },
};
#define CLAIMS 2

static void refuse(struct entry_load *el, const struct yaml *at, const char *code, struct str what,
	const char *remedy)
{
	entry_refuse(el, at, code, what, str_c(remedy));
}

static bool has_type(struct entry_load *el, const struct input *in, const char *type)
{
	struct json_error error;
	struct json schema;

	return json_parse(el->a, in->schema_json, &schema, &error) &&
	       str_eq(json_get_str(&schema, S("type")), str_c(type));
}

/* The input of this name, which the server needs to have a value. */
static struct str take_input(
	struct entry_load *el, const struct yaml *at, struct str name, bool text_only)
{
	int i = input_find(el, name);
	const struct input *in = i < 0 ? NULL : &el->inputs[i];

	if (!name.n)
		return name;
	if (!in) {
		refuse(el, at, "ledger.input",
			arena_fmt(el->a, "no input is called '%.*s'", STR_ARG(name)),
			"declare it under 'input'");
		return STR_NONE;
	}
	el->used[i] = true;
	if (!in->required && !in->default_json.n)
		refuse(el, at, "ledger.input",
			arena_fmt(el->a, "the input %.*s is optional", STR_ARG(name)),
			"without it nothing is named: remove 'optional'");
	if (!has_type(el, in, "string") && (text_only || !has_type(el, in, "integer")))
		refuse(el, at, "ledger.input",
			arena_fmt(el->a, "the input %.*s has another type", STR_ARG(name)),
			text_only ? "an id is a string" : "a key is a string or an integer");
	return name;
}

static int by_column(const void *a, const void *b)
{
	const struct ledger_ask_key *x = a, *y = b;

	return str_cmp(x->column, y->column);
}

static void load_key(struct entry_load *el, const struct yaml *map, struct ledger_ask *out)
{
	struct ledger_ask_key *key;

	if (!map || !map->count) {
		refuse(el, map, "ledger.key", S("a table without a key"),
			"say which record: key: {COLUMN: INPUT}");
		return;
	}
	key = arena_array(el->a, struct ledger_ask_key, map->count);
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml *value = &map->entries[i].value;

		key[i].column = map->entries[i].name;
		key[i].input = take_input(
			el, value, read_text(&el->r, "the input of a key", value), false);
	}
	qsort(key, map->count, sizeof *key, by_column);
	out->key = key;
	out->key_count = map->count;
}

static void load_part(struct entry_load *el, const struct yaml *node, const struct ledger_ask *ch)
{
	struct part *part = arena_new(el->a, struct part);

	part->shape = ch->id.n ? SHAPE_ONE : SHAPE_MANY;
	part->columns = columns;
	part->column_count = ARRAY_LEN(columns) - (ch->claims ? 0 : CLAIMS);
	part->rows = ch->id.n ? 1 : el->rows ? el->rows : ROWS_DEFAULT;
	part->statement.at = node->at;
	if (part->rows > ROWS_MOST)
		refuse(el, node, "ledger.rows",
			arena_fmt(el->a, "%u changes at a time", part->rows),
			"keep limits.rows to 100");
	el->e->action.parts = part;
	el->e->action.part_count = 1;
}

static void check_source(struct entry_load *el, const struct yaml *node)
{
	if (!el->e->source || el->e->source->kind != SOURCE_SQLITE)
		refuse(el, node, "source.kind", S("ledger without a sqlite source"),
			"add 'source:' with a sqlite source of postern.yaml");
}

void ledger_load(struct entry_load *el)
{
	const struct yaml *node = read_node(&el->r, "ledger"), *id, *key;
	struct ledger_ask *ch = arena_new(el->a, struct ledger_ask);
	struct reader r;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s ledger", el->r.what)));
	id = read_node(&r, "id");
	key = read_map(&r, "key");
	ch->at = node->at;
	ch->table = read_str(&r, "table", STR_NONE);
	ch->claims = read_bool(&r, "claims", false);
	if (id)
		ch->id = take_input(el, id, read_text(&r, "id", id), true);
	if (r.map && (!id == !ch->table.n || (id && key)))
		refuse(el, node, "ledger.form", S("ledger names neither or both of id and table"),
			"write 'id: INPUT' for one change, 'table: TABLE' and 'key: {COLUMN: "
			"INPUT}' "
			"for those of a record");
	if (ch->table.n)
		load_key(el, key, ch);
	reader_done(&r);
	check_source(el, node);
	el->e->action = (struct action){ .kind = ACTION_LEDGER, .ledger = ch };
	load_part(el, node, ch);
}

/* --- what only the whole catalog shows --- */

static bool key_is(const struct effect_rule *rule, const struct ledger_ask *ch)
{
	if (rule->key.count != ch->key_count)
		return false;
	for (size_t i = 0; i < ch->key_count; i++) {
		size_t k = 0;

		while (k < rule->key.count && !str_eq_ci(rule->key.list[k], ch->key[i].column))
			k++;
		if (k == rule->key.count)
			return false;
	}
	return true;
}

static bool tells_of(const struct ledger_ask *ch, const struct write *w)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (str_eq_ci(w->rules[i].table, ch->table) && key_is(&w->rules[i], ch))
			return true;
	return !ch->table.n;
}

static bool is_ever_told(const struct catalog_load *l, const struct entry *e)
{
	for (size_t i = 0; i < l->tools.count; i++) {
		const struct entry *other = l->tools.list[i];

		if (other->write && other->source == e->source &&
			tells_of(e->action.ledger, other->write))
			return true;
	}
	return false;
}

void ledger_lint(struct catalog_load *l)
{
	for (size_t i = 0; i < l->tools.count; i++) {
		const struct entry *e = l->tools.list[i];

		if (e->action.kind != ACTION_LEDGER || is_ever_told(l, e))
			continue;
		finding_error(l->f, e->action.ledger->at, "ledger.never",
			arena_fmt(l->a, "tool %.*s: no tool changes what it would tell of",
				STR_ARG(e->name)),
			S("name a table, with its whole key, of the effects of some tool of this "
			  "source"));
	}
}
