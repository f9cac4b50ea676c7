/* load_write - `write`, `preconditions` and `postconditions`: statements that change something, and
 * what must hold before and after them.
 *
 * Invariants: 1. whatever a statement may touch, the effects name: there is no write without them.
 * 2. an update or delete says which rows.  3. a conflict is never passed over in silence, and never
 * ends the transaction: that is the server's to do. */
#include "catalog/load_write.h"

bool name_in(struct names names, struct str name)
{
	for (size_t i = 0; i < names.count; i++)
		if (str_eq_ci(names.list[i], name))
			return true;
	return false;
}

/* --- conditions --- */

static void load_condition(
	struct write_load *wl, const char *what, const struct yaml *node, struct condition *out)
{
	struct entry_load *el = wl->el;
	const struct yaml *unless, *when;
	struct sqltext text;
	struct reader r;

	reader_init(&r, el->a, el->f, node, what);
	if (!r.map)
		return;
	unless = read_node(&r, "unless");
	when = read_node(&r, "when");
	out->say = read_str_required(&r, "say");
	out->reason = read_str(&r, "reason", STR_NONE);
	reader_done(&r);
	out->code = raised_code(wl, node, out->reason);
	out->unless = unless != NULL;
	if (!unless == !when)
		entry_refuse(el, node, "write.condition",
			S("a condition has either unless or when"),
			S("write 'unless: SELECT 1 …' for what must give a row, 'when: SELECT 1 …' "
			  "for what must give none"));
	else
		(void)!statement_load(el, unless ? unless : when, &out->statement, &text);
}

static const struct condition *load_conditions(
	struct write_load *wl, const char *what, const struct yaml *list, size_t *count_out)
{
	struct entry_load *el = wl->el;
	struct condition *all;

	*count_out = 0;
	if (!list)
		return NULL;
	if (list->count > CONDITIONS_MAX) {
		entry_refuse(el, list, "write.condition",
			arena_fmt(el->a, "%zu conditions", list->count),
			S("write at most 32: several can be one statement"));
		return NULL;
	}
	all = arena_array(el->a, struct condition, list->count + 1);
	what = arena_cstr(el->a, arena_fmt(el->a, "%s %s", el->r.what, what));
	for (size_t i = 0; i < list->count; i++)
		load_condition(wl, what, &list->items[i], &all[i]);
	*count_out = list->count;
	return all;
}

/* --- statements --- */

static void check_conflict(
	struct entry_load *el, const struct yaml *node, const struct write_text *t)
{
	static const char *const refused[] = { "IGNORE", "FAIL", "ROLLBACK" };

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (str_eq_ci(t->conflict, str_c(refused[i])))
			entry_refuse(el, node, "write.conflict_clause",
				arena_fmt(el->a, "the statement says OR %s", refused[i]),
				S("leave it out, and a conflict rolls back; or name what may "
				  "collide: ON CONFLICT (column) DO NOTHING, with 'rows: 0..1'"));
}

static void check_statement(
	struct entry_load *el, const struct yaml *node, const struct write_text *t)
{
	if (!t->verb || !t->table.n) {
		entry_refuse(el, node, "sql.not_a_write",
			S("the statement is no INSERT, UPDATE, DELETE or REPLACE"),
			S("what only looks belongs to preconditions, postconditions or the "
			  "answer"));
		return;
	}
	if (t->own)
		entry_refuse(el, node, "write.own_table",
			S("the statement names a table of the server's own (postern_…)"),
			S("the server keeps them itself"));
	if (t->schema.n && !str_eq_ci(t->schema, S("main")))
		entry_refuse(el, node, "write.schema",
			arena_fmt(el->a, "the statement changes a table of the schema %.*s",
				STR_ARG(t->schema)),
			S("change tables of the source itself"));
	if (t->verb != EFFECT_INSERT && !t->where)
		entry_refuse(el, node, "write.no_predicate",
			S("an UPDATE or DELETE without WHERE changes every row"),
			S("say which rows: WHERE id = :id"));
	check_conflict(el, node, t);
}

static void load_statement(struct write_load *wl, size_t i, struct statement *out)
{
	const struct yaml *node = wl->nodes[i];
	struct sqltext text;

	if (!sql_load(wl->el, node, out, &text))
		return;
	wl->texts[i] = write_text_read(node->text);
	check_statement(wl->el, node, &wl->texts[i]);
}

static void load_statements(struct write_load *wl)
{
	struct entry_load *el = wl->el;
	const struct yaml *node = wl->node;
	bool list = node->kind == YAML_LIST;
	size_t count = list ? node->count : 1;
	struct statement *all;

	if (!count || count > STATEMENTS_MAX) {
		entry_refuse(el, node, "write.statements",
			arena_fmt(el->a, "a write of %zu statements", count),
			S("a write has 1 to 16 statements"));
		return;
	}
	all = arena_array(el->a, struct statement, count);
	wl->texts = arena_array(el->a, struct write_text, count);
	wl->nodes = arena_array(el->a, const struct yaml *, count);
	wl->w->statements = all;
	wl->w->statement_count = count;
	for (size_t i = 0; i < count; i++) {
		wl->nodes[i] = list ? &node->items[i] : node;
		load_statement(wl, i, &all[i]);
	}
}

static void check_source(struct write_load *wl)
{
	struct entry_load *el = wl->el;

	if (el->e->source && el->e->source->kind == SOURCE_SQLITE)
		return;
	if (!el->e->source && !read_has(&el->r, "source"))
		entry_refuse(el, wl->node, "source.missing", S("a write without a source"),
			S("add 'source:' with a sqlite source of postern.yaml"));
	if (el->e->source)
		entry_refuse(el, wl->node, "source.kind",
			arena_fmt(el->a, "source %.*s cannot run statements",
				STR_ARG(el->e->source->name)),
			S("name a sqlite source"));
}

static enum write_class class_of(const struct write *w)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (w->rules[i].operations != EFFECT_INSERT)
			return WRITE_CHANGE;
	return WRITE_APPEND;
}

static void load_all(struct write_load *wl)
{
	struct entry_load *el = wl->el;
	struct write *w = wl->w;

	raises_load(wl);
	w->before = load_conditions(
		wl, "preconditions", read_list(&el->r, "preconditions"), &w->before_count);
	w->after = load_conditions(
		wl, "postconditions", read_list(&el->r, "postconditions"), &w->after_count);
	load_statements(wl);
	effects_load(wl);
	impact_load(wl);
	w->class = class_of(w);
	approval_load(wl);
	idempotency_load(wl);
	answer_load(wl);
}

void write_load(struct entry_load *el)
{
	struct write_load wl = { .el = el, .node = read_node(&el->r, "write") };

	if (!wl.node)
		return;
	wl.w = arena_new(el->a, struct write);
	el->e->write = wl.w;
	el->e->mutates = true;
	el->e->action.kind = ACTION_WRITE;
	check_source(&wl);
	load_all(&wl);
	write_lint(&wl);
	write_inputs_add(&wl);
}
