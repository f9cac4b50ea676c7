/* load_raw - `raw_sql`: a tool whose statement comes from its caller.
 *
 *   raw_sql: { principal: SUBJECT }
 *
 * The one kind that promise P2 exempts.  It is refused outside development; that its source says of
 * itself that it is for development and synthetic is asked of the database, at every load and in
 * every call (backend/raw.c). */
#include "catalog/load.h"
#include "config/profile.h"

#define RAW_ROWS 100
#define RAW_SQL_MAX 8192

static void check_source(struct entry_load *el, const struct yaml *node)
{
	if (!el->e->source || el->e->source->kind != SOURCE_SQLITE)
		entry_refuse(el, node, "source.kind", S("raw_sql without a sqlite source"),
			S("add 'source:' with a sqlite source of postern.yaml"));
}

static void add_input(struct entry_load *el)
{
	struct input *in = input_add(el, S("sql"),
		arena_fmt(el->a,
			"{\"type\":\"string\",\"minLength\":1,\"maxLength\":%d,"
			"\"description\":\"one SELECT statement of SQLite\"}",
			RAW_SQL_MAX));

	if (!in)
		return;
	in->protect = PROTECT_CLEAR; /* what was run must be readable afterwards */
	el->used[in - el->inputs] = true;
}

void raw_load(struct entry_load *el)
{
	const struct yaml *node = read_node(&el->r, "raw_sql");
	enum environment environment = el->l->config->environment;
	struct reader r;

	if (!node)
		return;
	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s raw_sql", el->r.what)));
	el->e->action = (struct action){ .kind = ACTION_RAW };
	el->e->action.principal = read_str_required(&r, "principal");
	el->e->action.issuer = read_str(&r, "issuer", STR_NONE);
	el->e->action.rows = el->rows ? el->rows : RAW_ROWS;
	reader_done(&r);
	if (!profile_permits(environment, PERMIT_RAW_SQL))
		entry_refuse(el, node, "raw.environment",
			arena_fmt(
				el->a, "raw_sql in environment %s", environment_name(environment)),
			S("it exists in development only: write the statement into a tool"));
	if (el->e->input_count)
		entry_refuse(el, node, "raw.input", S("raw_sql with arguments of its own"),
			S("remove input: its one argument is sql"));
	check_source(el, node);
	add_input(el);
}
