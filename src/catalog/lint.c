/* lint - what only the whole catalog shows, and what a database says of the statements. */
#include "catalog/load.h"
#include "catalog/uri_template.h"
#include "catalog/write.h"

#define TOOLS_MANY 25
#define DESCRIPTIONS_LARGE 8192

static void lint_templates(struct catalog_load *l)
{
	for (size_t i = 0; i < l->templates.count; i++)
		for (size_t k = i + 1; k < l->templates.count; k++) {
			const struct entry *x = l->templates.list[i], *y = l->templates.list[k];

			if (!x->uri_template || !y->uri_template ||
				!uri_template_overlap(x->uri_template, y->uri_template, l->a))
				continue;
			finding_error(l->f, y->at, "uri.overlap",
				arena_fmt(l->a,
					"resource %.*s: a URI can match %.*s and, of "
					"resource %.*s, %.*s",
					STR_ARG(y->name), STR_ARG(y->uri), STR_ARG(x->name),
					STR_ARG(x->uri)),
				S("make the fixed text of one of them different"));
		}
}

static void lint_surface(struct catalog_load *l)
{
	struct place at = { .file = l->config->file };
	size_t tools = l->tools.count - l->builtin_count;

	if (tools > TOOLS_MANY)
		finding_warn(l->f, at, "catalog.surface",
			arena_fmt(l->a, "%zu tools: more than a model chooses well among", tools),
			S("keep to 25 for each deployment"));
	if (l->description_bytes > DESCRIPTIONS_LARGE)
		finding_warn(l->f, at, "catalog.surface",
			arena_fmt(l->a,
				"%zu bytes of descriptions, which every conversation pays for",
				l->description_bytes),
			S("keep to 8 KiB"));
	if (!tools && !l->resources.count && !l->templates.count && !l->prompts.count)
		finding_error(l->f, at, "catalog.empty", S("the catalog offers nothing"),
			S("add a tool"));
}

static bool is_tool(const struct catalog_load *l, struct str name)
{
	for (size_t i = 0; i < l->tools.count; i++)
		if (str_eq(l->tools.list[i]->name, name))
			return true;
	return false;
}

static void lint_protection(struct catalog_load *l, const struct protection_config *p)
{
	for (size_t i = 0; i < p->by.count; i++)
		if (!is_tool(l, p->by.list[i]))
			finding_error(l->f, p->at, "protect.unknown",
				arena_fmt(l->a, "protect: there is no tool '%.*s'",
					STR_ARG(p->by.list[i])),
				S("correct the name, or remove it"));
}

static void lint_protections(struct catalog_load *l)
{
	for (size_t i = 0; i < l->config->source_count; i++)
		for (size_t k = 0; k < l->config->sources[i].protection_count; k++)
			lint_protection(l, &l->config->sources[i].protections[k]);
}

void catalog_lint(struct catalog_load *l)
{
	lint_templates(l);
	lint_surface(l);
	lint_protections(l);
	ledger_lint(l);
	toolsets_lint(l);
}

struct facts_lint {
	const struct statement_facts *facts;
	struct findings *f;
	const char *what;
};

static void refuse(const struct facts_lint *k, const char *code, struct str what, struct str remedy)
{
	finding_error(k->f, k->facts->part->statement.at, code,
		arena_fmt(k->f->a, "%s: %.*s", k->what, STR_ARG(what)), remedy);
}

static bool declared(const struct part *p, struct str name)
{
	for (size_t i = 0; i < p->column_count; i++)
		if (str_eq(p->columns[i].name, name))
			return true;
	return false;
}

static bool returned(const struct statement_facts *facts, struct str name)
{
	for (size_t i = 0; i < facts->column_count; i++)
		if (str_eq(facts->columns[i], name))
			return true;
	return false;
}

static void lint_declared(const struct facts_lint *k)
{
	const struct part *p = k->facts->part;

	for (size_t i = 0; i < p->column_count; i++)
		if (!returned(k->facts, p->columns[i].name))
			refuse(k, "returns.missing_column",
				arena_fmt(k->f->a, "the statement gives no column '%.*s'",
					STR_ARG(p->columns[i].name)),
				S("select it (AS …), or remove it from 'columns'"));
}

static void lint_returned(const struct facts_lint *k, size_t i)
{
	const struct statement_facts *facts = k->facts;

	if (!declared(facts->part, facts->columns[i]))
		refuse(k, "returns.undeclared_column",
			arena_fmt(k->f->a,
				"the statement gives a column '%.*s' that is not declared",
				STR_ARG(facts->columns[i])),
			S("declare its type under 'columns', or do not select it"));
	for (size_t n = 0; n < i; n++)
		if (str_eq(facts->columns[n], facts->columns[i]))
			refuse(k, "returns.column_twice",
				arena_fmt(k->f->a, "the statement gives two columns '%.*s'",
					STR_ARG(facts->columns[i])),
				S("rename one with AS"));
}

static void lint_order(const struct facts_lint *k)
{
	const struct statement_facts *facts = k->facts;
	const struct part *p = facts->part;

	for (size_t i = 0; i < p->column_count; i++)
		if (!str_eq(p->columns[i].name, facts->columns[i])) {
			refuse(k, "returns.column_order",
				arena_fmt(k->f->a, "column %zu is '%.*s' and is declared as '%.*s'",
					i + 1, STR_ARG(facts->columns[i]),
					STR_ARG(p->columns[i].name)),
				S("declare the columns in the order of the statement"));
			return;
		}
}

static void lint_names(const struct facts_lint *k)
{
	size_t before = k->f->count;

	lint_declared(k);
	for (size_t i = 0; i < k->facts->column_count; i++)
		lint_returned(k, i);
	if (k->f->count == before && k->facts->part->column_count == k->facts->column_count)
		lint_order(k);
}

void catalog_lint_facts(
	const struct catalog *c, const struct statement_facts *facts, struct findings *f)
{
	const struct entry *e = facts->entry;
	const struct part *p = facts->part;
	struct facts_lint k = { .facts = facts, .f = f };

	(void)c;
	k.what = arena_cstr(f->a, arena_fmt(f->a, "%.*s%s%.*s", STR_ARG(e->name),
					  p->name.n ? " part " : "", STR_ARG(p->name)));
	if (facts->error.n) {
		refuse(&k, "sql.prepare",
			arena_fmt(f->a, "the database refuses the statement: %.*s",
				STR_ARG(facts->error)),
			S("correct the statement, or the source it is for"));
		return;
	}
	if (!facts->single)
		refuse(&k, "sql.several", S("there is more behind the first statement"),
			S("keep one"));
	if (!facts->readonly && !(e->write && e->write->returning))
		refuse(&k, "sql.not_a_read", S("the database says that the statement writes"),
			S("a read must change nothing"));
	if (p == e->visible)
		return; /* any row will do, whatever is in it */
	if (e->kind != ENTRY_COMPLETION)
		lint_names(&k);
	else if (facts->column_count != 1)
		refuse(&k, "complete.columns",
			arena_fmt(f->a, "a completion gives %zu columns", facts->column_count),
			S("select one"));
}
