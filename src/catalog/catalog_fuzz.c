/* catalog_fuzz - the input is a catalog file, and behind a line "---%" a second one: they are
 * loaded or refused, and what is loaded keeps the promises of catalog.h.  Every resource is found
 * by a URI that is its own; a database that says what was declared gives no finding, one that says
 * anything else gives one.
 *
 * covers: src/catalog/catalog.c src/catalog/input_lint.c src/catalog/input_schema.c
 * covers: src/catalog/inputs.c src/catalog/lint.c src/catalog/list_json.c
 * covers: src/catalog/load_complete.c src/catalog/load_entry.c src/catalog/load_prompt.c
 * covers: src/catalog/load_read.c src/catalog/load_resource.c src/catalog/load_script.c
 * covers: src/catalog/load_tool.c src/catalog/output_schema.c src/catalog/page.c
 * covers: src/catalog/load_mask.c src/catalog/load_mock.c src/catalog/load_raw.c
 * covers: src/catalog/load_visible.c src/catalog/mask_use.c src/catalog/text.c
 * covers: src/catalog/load_answer.c src/catalog/load_approval.c src/catalog/load_effects.c
 * covers: src/catalog/load_write.c src/catalog/write.c src/catalog/write_facts.c
 * covers: src/catalog/write_inputs.c src/catalog/write_lint.c src/catalog/write_schema.c
 * covers: src/catalog/write_text.c */
#include "catalog/catalog.h"

#include <stdint.h>

#include "base/scratch_fixture.h"
#include "catalog/uri_template.h"
#include "catalog/write_facts.h"
#include "catalog/write_text.h"

#define INPUT_MAX ((size_t)32 << 10)

static void check_json(struct arena *a, struct str text)
{
	struct json_error error;
	struct json v;

	bug_on(!json_parse(a, text, &v, &error));
}

/* What is personal is masked, what pages go by is not, and a mock is null only where it may be. */
static void check_columns(const struct part *p)
{
	for (size_t i = 0; i < p->column_count; i++) {
		const struct column *column = &p->columns[i];
		bool masked = column->mask.kind != MASK_NONE;

		bug_on((column->data_class != CLASS_NONE || column->unmask.n) && !masked);
		for (size_t k = 0; p->page.on && k < p->page.by_count; k++)
			bug_on(masked && str_eq(p->page.by[k], column->name));
		for (size_t row = 0; row < p->mock_rows; row++)
			bug_on(p->mock[row * p->column_count + i].kind == MOCK_NULL &&
				!column->nullable);
	}
}

/* Whatever a write may do is counted, named and shown, and a person is asked who can be. */
static void check_rule(const struct write *w, const struct effect_rule *rule)
{
	bug_on(write_rule(w, rule->table) != rule || !rule->operations || !rule->key.count);
	bug_on(!rule->rows_max || rule->rows_min > rule->rows_max);
	bug_on(rule->operations != EFFECT_INSERT && !rule->where.sql.n);
	bug_on(!(rule->operations & EFFECT_UPDATE) != !rule->update.count);
	for (size_t i = 0; i < w->impact_count; i++)
		bug_on(str_eq(w->impacts[i].table, rule->table) &&
			names_hold(rule->varies, w->impacts[i].column));
	for (size_t i = 0; i < rule->key.count + rule->update.count; i++) {
		struct str name = i < rule->key.count ? rule->key.list[i]
						      : rule->update.list[i - rule->key.count];
		bool shown = false;

		for (size_t k = 0; k < rule->column_count; k++)
			shown = shown || str_eq(rule->columns[k].name, name);
		bug_on(!shown);
	}
}

static void check_approval(const struct write *w)
{
	bug_on((w->approval == APPROVAL_OTHER) != (w->grant.n > 0));
	bug_on(w->approval != APPROVAL_NONE && w->idempotency_key.n);
	for (size_t i = 0; i < w->threshold_count; i++) {
		const struct threshold *t = &w->thresholds[i];

		bug_on(t->need < w->approval || !t->impact.n || !t->amount.n);
		bug_on((t->need == APPROVAL_OTHER) != (t->grant.n > 0));
		bug_on((t->per == OVER_CALL) != (t->window_ms == 0));
	}
}

static void check_write(const struct catalog *c, const struct entry *e)
{
	const struct write *w = e->write;

	bug_on(!e->mutates || e->mock || !e->source || e->source->kind != SOURCE_SQLITE);
	bug_on(!w->statement_count || !w->rule_count || e->action.part_count > 1);
	bug_on(!str_ends(e->description, S(WRITE_CLOSING)));
	for (size_t i = 0; i < w->statement_count; i++)
		bug_on(!w->statements[i].sql.n || w->statements[i].serial >= c->statement_count);
	for (size_t i = 0; i < w->before_count; i++)
		bug_on(!w->before[i].statement.sql.n || !w->before[i].say.n);
	for (size_t i = 0; i < w->rule_count; i++) {
		bug_on(w->class == WRITE_APPEND && w->rules[i].operations != EFFECT_INSERT);
		check_rule(w, &w->rules[i]);
	}
	bug_on(w->returning && (w->returning_of >= w->statement_count || !e->action.part_count));
	check_approval(w);
}

static void check_entry(struct arena *a, const struct catalog *c, const struct entry *e)
{
	bool told = e->action.kind == ACTION_LEDGER;
	bool acts = told || e->action.kind == ACTION_READ || e->action.kind == ACTION_WRITE;

	bug_on(!e->name.n || !e->requires.n || !e->bytes || !e->schema);
	check_json(a, e->input_schema);
	if (e->output_schema.n)
		check_json(a, e->output_schema);
	if (e->kind != ENTRY_COMPLETION) {
		check_json(a, e->list_json);
		check_json(a, e->list_json_old);
	}
	for (size_t i = 0; i < e->action.part_count; i++) {
		const struct part *p = &e->action.parts[i];

		bug_on(!acts || !p->rows);
		bug_on(!p->statement.sql.n && !e->mock && !told);
		bug_on(p->statement.serial >= MAX(c->statement_count, 1u));
		check_columns(p);
		bug_on(!p->column_count || (p->page.on && !p->page.by_count));
	}
	bug_on(!e->write != (e->action.kind != ACTION_WRITE));
	bug_on(!e->action.ledger != !told || (told && e->action.part_count != 1));
	if (e->write)
		check_write(c, e);
	bug_on(e->action.kind == ACTION_RAW && (!e->action.principal.n || !e->action.rows));
	bug_on(e->visible && (!e->visible_source || !e->visible->statement.sql.n));
	for (size_t i = 0; i < e->action.step_count; i++)
		if (e->action.steps[i].json.n)
			check_json(a, e->action.steps[i].json);
	for (size_t i = 0; e->completions && i < e->input_count; i++)
		if (e->completions[i])
			check_entry(a, c, e->completions[i]);
}

/* --- resources --- */

/* The template with "1" for every variable that a URI must have. */
static struct str some_uri(struct arena *a, const struct entry *e)
{
	struct str rest = e->uri, literal, inner, tail;
	struct buf out;

	buf_in(&out, a, (size_t)2 * URI_MAX_BYTES);
	while (e->uri_is_template && str_cut(rest, '{', &literal, &tail)) {
		buf_add(&out, literal);
		bug_on(!str_cut(tail, '}', &inner, &rest));
		if (!str_starts(inner, S("?")))
			buf_char(&out, '1');
	}
	buf_add(&out, rest);
	return buf_str(&out);
}

static void check_resource(struct arena *a, const struct catalog *c, const struct entry *e)
{
	const struct entry *found;
	struct json arguments = { 0 };

	found = catalog_resource(c, a, some_uri(a, e), &arguments);
	bug_on(!found || (found->uri_is_template && found != e));
	bug_on(!e->uri_is_template && found != e);
	if (!found->uri_is_template)
		return;
	bug_on(arguments.kind != JSON_OBJECT);
	for (size_t i = 0; i < e->uri_template->var_count; i++)
		bug_on(e->uri_template->vars[i].kind != URI_VAR_QUERY &&
			!json_get(&arguments, e->uri_template->vars[i].name));
}

/* --- what a database could say of a statement --- */

enum lie { TRUTH, REVERSED, ONE_MORE, ONE_LESS, TWICE, REFUSED, WRITES, SEVERAL, LIES };

static void tell(struct arena *a, enum lie lie, const struct part *p, struct statement_facts *facts)
{
	struct str *columns = arena_array(a, struct str, p->column_count + 1);
	size_t n = p->column_count;

	for (size_t i = 0; i < n; i++)
		columns[lie == REVERSED ? n - 1 - i : i] = p->columns[i].name;
	columns[n] = lie == TWICE ? columns[0] : S("no such column");
	facts->columns = columns;
	facts->declared_types = columns;
	facts->column_count = n + (lie == ONE_MORE || lie == TWICE) - (lie == ONE_LESS);
	facts->error = lie == REFUSED ? S("near \"x\"") : STR_NONE;
	facts->readonly = lie != WRITES;
	facts->single = lie != SEVERAL;
}

static void check_facts(
	struct arena *a, const struct catalog *c, const struct entry *e, const struct part *p)
{
	for (enum lie lie = TRUTH; lie < LIES; lie++) {
		bool same = lie == TRUTH || (lie == REVERSED && p->column_count == 1) ||
			    (lie == WRITES && e->write && e->write->returning);
		struct statement_facts facts = { .entry = e, .part = p };
		struct findings f;

		findings_init(&f, a);
		tell(a, lie, p, &facts);
		catalog_lint_facts(c, &facts, &f);
		bug_on(same ? f.count > 0 : !f.errors);
	}
}

/* A statement does what its text says, to the table it names; or to another one. */
static void check_touches(struct arena *a, const struct entry *e)
{
	for (size_t i = 0; i < e->write->rule_count; i++) {
		const struct effect_rule *rule = &e->write->rules[i];
		bool updates = rule->operations & EFFECT_UPDATE;
		struct write_touch touch = { .operation = updates ? EFFECT_UPDATE : EFFECT_INSERT,
			.table = rule->table,
			.column = updates ? rule->update.list[0] : STR_NONE };
		struct write_facts facts = { .entry = e,
			.statement = &e->write->statements[0],
			.single = true,
			.touches = &touch,
			.touch_count = 1 };
		bool allowed = rule->operations & (unsigned)touch.operation;
		struct findings f;

		findings_init(&f, a);
		catalog_lint_write(&facts, &f);
		bug_on(!f.errors != (allowed || str_starts(rule->table, S("sqlite_"))));
		touch.table = S("no such table");
		findings_init(&f, a);
		catalog_lint_write(&facts, &f);
		bug_on(!f.errors && !write_rule(e->write, touch.table));
	}
}

static void check_parts(struct arena *a, const struct catalog *c, const struct entry *e)
{
	for (size_t i = 0; i < e->action.part_count; i++)
		check_facts(a, c, e, &e->action.parts[i]);
	for (size_t i = 0; e->completions && i < e->input_count; i++)
		if (e->completions[i])
			check_parts(a, c, e->completions[i]);
}

static void check(struct arena *a, const struct catalog *c)
{
	const struct entry *const *const lists[] = { c->tools, c->resources, c->templates,
		c->prompts };
	const size_t counts[] = { c->tool_count, c->resource_count, c->template_count,
		c->prompt_count };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < counts[i]; k++) {
			const struct entry *e = lists[i][k];

			check_entry(a, c, e);
			check_parts(a, c, e);
			if (e->write)
				check_touches(a, e);
			if (e->kind == ENTRY_RESOURCE)
				check_resource(a, c, e);
		}
}

static const struct str events[] = { STR_INIT("contract_events"), STR_INIT("notes") };
static const struct protection_config protections[] = {
	{ .kind = PROTECTION_APPEND_ONLY, .table = STR_INIT("contract_events") },
	{ .kind = PROTECTION_BY, .table = STR_INIT("contracts"), .column = STR_INIT("price") },
	{ .kind = PROTECTION_SET_ONCE, .table = STR_INIT("contracts"), .column = STR_INIT("id") },
};
static const struct source_config sources[] = {
	{ .name = STR_INIT("crm"), .kind = SOURCE_SQLITE, .concurrency = 1 },
	{ .name = STR_INIT("desk"),
		.kind = SOURCE_SQLITE,
		.concurrency = 1,
		.events = { events, ARRAY_LEN(events) },
		.protections = protections,
		.protection_count = ARRAY_LEN(protections) },
	{ .name = STR_INIT("docs"), .kind = SOURCE_FILES, .concurrency = 1 },
	{ .name = STR_INIT("script"), .kind = SOURCE_SCRIPTED, .concurrency = 1 },
};
static const struct str grants[] = { STR_INIT("customers.read"), STR_INIT("documents.read"),
	STR_INIT("test.use"), STR_INIT("contracts.edit"), STR_INIT("notes.add"),
	STR_INIT("approve.contracts") };
static const struct role_config role = {
	.name = STR_INIT("all"), .grants = grants, .grant_count = ARRAY_LEN(grants)
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the second file begins; the end when there is none. */
static size_t second_file(struct str input, size_t *behind_out)
{
	static const struct str mark = STR_INIT("\n---%\n");
	size_t at = str_find_str(input, 0, mark);

	*behind_out = MIN(at + mark.n, input.n);
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_n(data, size), files[2];
	struct config config = { .sources = sources,
		.source_count = ARRAY_LEN(sources),
		.roles = &role,
		.role_count = 1,
		.limits = { .tool_ms = 10000 },
		.catalog_files = files,
		.catalog_file_count = ARRAY_LEN(files) };
	size_t end, behind;
	struct catalog *c;
	struct findings f;
	struct arena a;

	if (size > INPUT_MAX)
		return 0;
	scratch_clear();
	end = second_file(input, &behind);
	files[0] = str_c(scratch_file("a.yaml", str_sub(input, 0, end), 0600));
	files[1] = files[0];
	if (end < input.n)
		files[1] = str_c(scratch_file("b.yaml", str_from(input, behind), 0600));
	else
		config.catalog_file_count = 1;
	arena_init(&a, (size_t)1 << 30);
	findings_init(&f, &a);
	c = catalog_load(&a, &config, &f);
	bug_on(!c != (f.errors > 0));
	if (c) {
		check(&a, c);
		catalog_done(c);
	}
	scratch_clear();
	bug_on(catalog_load(&a, &config, &f) != NULL);
	arena_done(&a);
	return 0;
}
