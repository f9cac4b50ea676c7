/* load_read - `read` and `returns`: statements with their parameters, shapes and columns.
 *
 * Invariants: 1. every parameter of a statement is an input or one of the server's own values:
 * nothing is left unbound.  2. a list has an end: LIMIT, limits.rows or a page.  3. what a
 * statement does is the database's to say (catalog_lint_facts); here only what its text shows. */
#include "catalog/load.h"

static const char *const type_names[] = { "string", "integer", "int64", "number", "decimal",
	"boolean", "date", "date-time", "json", "bytes", NULL };
static const char *const shape_names[] = { "one", "maybe", "many", NULL };

static const struct {
	struct str name;
	enum param_kind kind;
} server_params[] = {
	{ STR_INIT("principal.subject"), PARAM_SUBJECT },
	{ STR_INIT("principal.tenant"), PARAM_TENANT },
	{ STR_INIT("principal.agent"), PARAM_AGENT },
	{ STR_INIT("call.id"), PARAM_CALL_ID },
	{ STR_INIT("call.time"), PARAM_CALL_TIME },
};

static void unknown_param(struct entry_load *el, const struct yaml *node, struct str name)
{
	const char **names =
		arena_array(el->a, const char *, el->e->input_count + ARRAY_LEN(server_params));
	size_t n = 0;
	const char *near;

	for (size_t i = 0; i < el->e->input_count; i++)
		names[n++] = arena_cstr(el->a, el->inputs[i].name);
	for (size_t i = 0; i < ARRAY_LEN(server_params); i++)
		names[n++] = arena_cstr(el->a, server_params[i].name);
	near = read_nearest(name, names, n);
	entry_refuse(el, node, "sql.unknown_parameter",
		arena_fmt(el->a, "the statement binds :%.*s, which is no input", STR_ARG(name)),
		near ? arena_fmt(el->a, "did you mean ':%s'?", near)
		     : S("declare it under 'input', or use :principal.subject, :principal.tenant, "
			 ":principal.agent, :call.id or :call.time"));
}

static void resolve(
	struct entry_load *el, const struct yaml *node, struct str name, struct param *out)
{
	int input = input_find(el, name);

	out->kind = PARAM_INPUT;
	out->name = name;
	if (input >= 0) {
		el->used[input] = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(server_params); i++)
		if (str_eq(name, server_params[i].name)) {
			out->kind = server_params[i].kind;
			if (out->kind == PARAM_TENANT)
				el->e->tenant_scoped = true;
			return;
		}
	unknown_param(el, node, name);
}

/* A whole number within bounds, whatever the caller sends. */
static bool bounded_integer(struct entry_load *el, struct str name, uint64_t *max_out)
{
	int input = input_find(el, name);
	struct json_error error;
	struct json schema;
	const struct json *max;
	const struct json *min;

	if (input < 0 || !el->inputs[input].integer ||
		!json_parse(el->a, el->inputs[input].schema_json, &schema, &error) ||
		!str_eq(json_get_str(&schema, S("type")), S("integer")))
		return false;
	max = json_get(&schema, S("maximum"));
	min = json_get(&schema, S("minimum"));
	/* a negative LIMIT is no limit */
	return json_is(max, JSON_NUMBER) && json_is(min, JSON_NUMBER) && min->text.p[0] != '-' &&
	       (el->inputs[input].required || el->inputs[input].default_json.n) &&
	       str_to_u64(max->text, max_out);
}

static void check_limit(struct entry_load *el, const struct yaml *node, struct sqltext *text)
{
	struct str remedy =
		S("write LIMIT with a number or with one integer input that has minimum, "
		  "maximum and, if optional, a default; then OFFSET, if any, the same way");
	uint64_t most;

	if (text->limit == SQLTEXT_LIMIT_OTHER)
		entry_refuse(el, node, "sql.limit", S("LIMIT is an expression"), remedy);
	if (text->limit == SQLTEXT_LIMIT_PARAM) {
		if (bounded_integer(el, text->names[text->limit_param], &most))
			text->limit_rows = most;
		else
			entry_refuse(el, node, "sql.limit",
				arena_fmt(el->a, "LIMIT :%.*s is not bounded",
					STR_ARG(text->names[text->limit_param])),
				remedy);
	}
	if (text->offset && text->offset_param < text->name_count &&
		!bounded_integer(el, text->names[text->offset_param], &most))
		entry_refuse(el, node, "sql.limit",
			arena_fmt(el->a, "OFFSET :%.*s is not bounded",
				STR_ARG(text->names[text->offset_param])),
			remedy);
}

/* What holds for reads and writes alike. */
static void check_text(struct entry_load *el, const struct yaml *node, struct sqltext *t)
{
	if (t->statements > 1)
		entry_refuse(el, node, "sql.several",
			arena_fmt(el->a, "%u statements in one string", t->statements),
			S("keep one; several parts of a read are a map of name to statement, "
			  "several statements of a write a list"));
	if (t->dialect)
		entry_refuse(el, node, "sql.dialect",
			arena_fmt(el->a, "%s, which SQLite reads otherwise", t->dialect),
			S("write it without"));
	if (t->star)
		entry_refuse(el, node, "sql.select_star", S("the statement selects *"),
			S("name the columns: a new one must not reach agents by itself"));
	if (t->ordered_by.n)
		entry_refuse(el, node, "sql.order_by_parameter",
			arena_fmt(el->a,
				"ORDER BY or GROUP BY :%.*s sorts by a value, not by the "
				"column it names",
				STR_ARG(t->ordered_by)),
			S("use CASE over an input with an enum, or one tool for each order"));
	check_limit(el, node, t);
}

static void check_read(struct entry_load *el, const struct yaml *node, const struct sqltext *t)
{
	if (!str_eq(t->first_word, S("SELECT")) && !str_eq(t->first_word, S("WITH")) &&
		!str_eq(t->first_word, S("VALUES")))
		entry_refuse(el, node, "sql.not_a_read",
			arena_fmt(el->a, "the statement begins with %.*s",
				STR_ARG(t->first_word.n ? t->first_word : S("no word"))),
			S("a read is SELECT, WITH or VALUES"));
}

bool sql_load(
	struct entry_load *el, const struct yaml *node, struct statement *out, struct sqltext *text)
{
	struct str sql = read_text(&el->r, "the statement", node);
	struct param *params;
	struct err err;

	if (!sql.n)
		return false;
	if (!sqltext_read(el->a, sql, text, &err)) {
		entry_refuse(el, node, "sql.text",
			arena_fmt(el->a, "the statement has %s", err.text), STR_NONE);
		return false;
	}
	if (!text->statements) {
		entry_refuse(el, node, "sql.empty", S("the statement is empty"), STR_NONE);
		return false;
	}
	params = arena_array(el->a, struct param, text->name_count + 1);
	for (size_t i = 0; i < text->name_count; i++)
		resolve(el, node, text->names[i], &params[i]);
	check_text(el, node, text);
	tenant_note(el, node, sql);
	*out = (struct statement){ .sql = text->sql,
		.params = params,
		.param_count = text->name_count,
		.at = node->at,
		.serial = el->l->c->statement_count++ };
	return true;
}

bool statement_load(
	struct entry_load *el, const struct yaml *node, struct statement *out, struct sqltext *text)
{
	if (!sql_load(el, node, out, text))
		return false;
	check_read(el, node, text);
	return true;
}

static void load_column(struct entry_load *el, const struct yaml_entry *yaml, enum column_use use,
	struct column *out)
{
	const char *what = arena_cstr(
		el->a, arena_fmt(el->a, "%s column %.*s", el->r.what, STR_ARG(yaml->name)));
	struct yaml_entry short_form = { .name = S("type"), .at = yaml->at, .value = yaml->value };
	struct yaml map = {
		.kind = YAML_MAP, .at = yaml->value.at, .entries = &short_form, .count = 1
	};
	struct reader r;

	out->name = yaml->name;
	reader_init(&r, el->a, el->f, yaml->value.kind == YAML_SCALAR ? &map : &yaml->value, what);
	if (r.map && !read_has(&r, "type"))
		entry_refuse(el, &yaml->value, "config.missing",
			arena_fmt(el->a, "column %.*s has no type", STR_ARG(yaml->name)),
			S("add 'type:'"));
	out->type = (enum column_type)read_choice(&r, "type", type_names, COLUMN_STRING);
	if (use != COLUMN_OF_EFFECT)
		out->nullable = read_bool(&r, "nullable", false);
	if (use == COLUMN_OF_ANSWER)
		out->assigned = read_bool(&r, "assigned", false);
	out->description = read_str(&r, "description", STR_NONE);
	mask_load(el, &r, out);
	reader_done(&r);
}

const struct column *columns_load(
	struct entry_load *el, const struct yaml *map, enum column_use use, size_t *count_out)
{
	struct column *columns = arena_array(el->a, struct column, map->count + 1);

	for (size_t i = 0; i < map->count; i++)
		load_column(el, &map->entries[i], use, &columns[i]);
	*count_out = map->count;
	return columns;
}

void returns_columns_load(
	struct entry_load *el, struct reader *r, enum column_use use, struct part *part)
{
	const struct yaml *map = read_map(r, "columns");

	if (!map || !map->count) {
		if (r->map)
			entry_refuse(el, r->map, "returns.columns", S("no columns are declared"),
				S("add 'columns: {name: type, …}' with every column the statement "
				  "gives"));
		return;
	}
	part->columns = columns_load(el, map, use, &part->column_count);
}

static void load_shape(struct entry_load *el, struct reader *r, struct part *part)
{
	if (r->map && !read_has(r, "shape"))
		entry_refuse(el, r->map, "returns.shape", S("no shape is declared"),
			S("add 'shape:' with one (no row: NOT_FOUND), maybe (no row: null) or "
			  "many"));
	part->shape = (enum shape)read_choice(r, "shape", shape_names, SHAPE_ONE);
}

void part_rows_set(struct entry_load *el, const struct yaml *node, struct part *part,
	const struct sqltext *text, uint32_t rows, bool paged)
{
	part->rows = 1;
	if (part->shape != SHAPE_MANY)
		return;
	if (!rows && text->limit != SQLTEXT_NO_LIMIT && text->limit_rows)
		rows = (uint32_t)MIN(text->limit_rows, (uint64_t)ROWS_MAX);
	if (!rows && !paged && text->limit == SQLTEXT_NO_LIMIT)
		entry_refuse(el, node, "read.no_limit", S("a list without a row limit"),
			S("add LIMIT to the statement, or 'limits: {rows: …}', or 'page:'"));
	part->rows = rows ? rows : ROWS_MAX;
}

static void load_single(struct entry_load *el, const struct yaml *node, struct part *part)
{
	bool paged = read_has(&el->r, "page");
	struct sqltext text = { 0 };
	struct reader r;

	reader_init(&r, el->a, el->f, read_node(&el->r, "returns"),
		arena_cstr(el->a, arena_fmt(el->a, "%s returns", el->r.what)));
	if (!read_has(&el->r, "returns"))
		entry_refuse(el, NULL, "returns.missing", S("returns is missing"),
			S("add 'returns: {shape: …, columns: {…}}'"));
	load_shape(el, &r, part);
	returns_columns_load(el, &r, COLUMN_OF_READ, part);
	reader_done(&r);
	if (!node) /* a mock without a statement yet */
		part->rows = el->rows ? el->rows : ROWS_MAX;
	if (!node || !statement_load(el, node, &part->statement, &text))
		return;
	mask_check_order(el, node, part);
	part_rows_set(el, node, part, &text, el->rows, paged);
	if (paged)
		page_load(el, part, &text);
}

static bool part_name_fits(struct str name)
{
	static const struct str taken[] = { STR_INIT("empty"), STR_INIT("truncated"),
		STR_INIT("error") };

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (str_eq(name, taken[i]))
			return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	return name.n && name.n <= 64 && !ascii_is_digit(name.p[0]);
}

/* `name: SQL` with shape and columns under returns.parts.name, or all of it in one map here. */
static void load_part(struct entry_load *el, const struct yaml_entry *yaml, struct reader *parts,
	struct part *part)
{
	const char *name = arena_cstr(el->a, yaml->name);
	bool map = yaml->value.kind == YAML_MAP;
	const struct yaml *sql = &yaml->value, *returns = NULL;
	struct sqltext text = { 0 };
	uint32_t rows = 0;
	struct reader r;

	part->name = yaml->name;
	if (!part_name_fits(yaml->name))
		entry_refuse(el, sql, "read.part_name",
			arena_fmt(el->a, "a part cannot be called '%.*s'", STR_ARG(yaml->name)),
			S("use letters, digits and _; empty, truncated and error are taken"));
	if (!map)
		returns = read_node(parts, name);
	if (!map && !returns)
		entry_refuse(el, sql, "returns.missing",
			arena_fmt(el->a, "part %s has no shape and columns", name),
			S("add them under 'returns: {parts: {…}}', or write the part as {sql, "
			  "shape, columns}"));
	reader_init(&r, el->a, el->f, map ? sql : returns,
		arena_cstr(el->a, arena_fmt(el->a, "%s part %s", el->r.what, name)));
	if (map)
		sql = read_node(&r, "sql");
	if (map && !sql)
		entry_refuse(el, &yaml->value, "config.missing",
			arena_fmt(el->a, "part %s has no statement", name), S("add 'sql:'"));
	rows = (uint32_t)read_u64(&r, "rows", el->rows, 1, ROWS_MAX);
	load_shape(el, &r, part);
	returns_columns_load(el, &r, COLUMN_OF_READ, part);
	reader_done(&r);
	if (!sql || !statement_load(el, sql, &part->statement, &text))
		return;
	mask_check_order(el, sql, part);
	part_rows_set(el, sql, part, &text, rows, false);
}

static void load_parts(struct entry_load *el, const struct yaml *map)
{
	struct part *parts = arena_array(el->a, struct part, map->count + 1);
	struct reader returns, by_part;

	if (map->count == 0 || map->count > 16)
		entry_refuse(el, map, "read.parts",
			arena_fmt(el->a, "a read of %zu parts", map->count),
			S("a read has 1 to 16 parts"));
	reader_init(&returns, el->a, el->f, read_node(&el->r, "returns"),
		arena_cstr(el->a, arena_fmt(el->a, "%s returns", el->r.what)));
	reader_init(&by_part, el->a, el->f, read_node(&returns, "parts"),
		arena_cstr(el->a, arena_fmt(el->a, "%s returns parts", el->r.what)));
	for (size_t i = 0; i < map->count; i++)
		load_part(el, &map->entries[i], &by_part, &parts[i]);
	reader_done(&by_part);
	reader_done(&returns);
	if (read_has(&el->r, "page"))
		entry_refuse(el, read_node(&el->r, "page"), "page.parts",
			S("a read of several parts cannot page"), S("page a tool of its own"));
	el->e->action.parts = parts;
	el->e->action.part_count = map->count;
}

static bool source_fits(struct entry_load *el, const struct yaml *node)
{
	if (el->e->source && el->e->source->kind == SOURCE_SQLITE)
		return true;
	if (!el->e->source && !read_has(&el->r, "source"))
		entry_refuse(el, node, "source.missing", S("a read without a source"),
			S("add 'source:' with a sqlite source of postern.yaml"));
	if (el->e->source)
		entry_refuse(el, node, "source.kind",
			arena_fmt(el->a, "source %.*s cannot run statements",
				STR_ARG(el->e->source->name)),
			S("name a sqlite source"));
	return false;
}

void read_load(struct entry_load *el)
{
	const struct yaml *node = read_node(&el->r, "read");
	struct part *part;

	if (!node && (el->e->kind != ENTRY_TOOL || !read_has(&el->r, "mock")))
		return;
	(void)read_node(&el->r, "page");
	el->e->action.kind = ACTION_READ;
	if (node)
		(void)source_fits(el, node);
	if (node && node->kind == YAML_MAP) {
		load_parts(el, node);
		return;
	}
	part = arena_new(el->a, struct part);
	el->e->action.parts = part;
	el->e->action.part_count = 1;
	load_single(el, node, part);
}
