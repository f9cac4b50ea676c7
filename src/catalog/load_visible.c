/* load_visible - `visible`: who may see the record that a call is about.
 *
 *   visible: SELECT 1 FROM orders WHERE id = :order_id AND team = :principal.tenant
 *   visible: { source: crm, sql: SELECT 1 … }        an entry without a database of its own
 *
 * One row says yes.  It is held to what a read is held to. */
#include "catalog/load.h"

static bool says_who(const struct statement *s)
{
	for (size_t i = 0; i < s->param_count; i++)
		if (s->params[i].kind == PARAM_SUBJECT || s->params[i].kind == PARAM_TENANT ||
			s->params[i].kind == PARAM_AGENT)
			return true;
	return false;
}

static const struct source_config *source_named(
	struct entry_load *el, const struct yaml *at, struct str name)
{
	const struct source_config *source = config_source(el->l->config, name);

	if (name.n && !source)
		entry_refuse(el, at, "source.unknown",
			arena_fmt(el->a, "no source is called '%.*s'", STR_ARG(name)),
			S("define it under 'sources' of postern.yaml"));
	return source;
}

void visible_load(struct entry_load *el)
{
	const struct yaml *node = read_node(&el->r, "visible"), *sql = node;
	const struct source_config *source = el->e->source;
	struct sqltext text = { 0 };
	struct part *part;
	struct reader r;

	if (!node)
		return;
	if (node->kind == YAML_MAP) {
		reader_init(&r, el->a, el->f, node,
			arena_cstr(el->a, arena_fmt(el->a, "%s visible", el->r.what)));
		if (read_has(&r, "source"))
			source = source_named(el, node, read_str(&r, "source", STR_NONE));
		sql = read_node(&r, "sql");
		reader_done(&r);
	}
	if (!sql) {
		entry_refuse(el, node, "config.missing", S("visible has no statement"),
			S("add 'sql: SELECT 1 …'"));
		return;
	}
	if (!source || source->kind != SOURCE_SQLITE)
		entry_refuse(el, node, "source.kind", S("visible without a sqlite source"),
			S("write 'visible: {source: NAME, sql: SELECT 1 …}'"));
	part = arena_new(el->a, struct part);
	part->name = S("visible");
	part->shape = SHAPE_MAYBE;
	part->rows = 1;
	if (!statement_load(el, sql, &part->statement, &text))
		return;
	if (!says_who(&part->statement))
		entry_warn(el, sql, "visible.principal",
			S("the rule of visible is the same for everybody"),
			S("compare with :principal.subject, :principal.tenant or "
			  ":principal.agent"));
	el->e->visible = part;
	el->e->visible_source = source;
}
