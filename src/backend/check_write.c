/* check_write - what a source says to the tools that change it.
 *
 * Statements, conditions, rules and answers are prepared on a connection for writing, as in a call;
 * which tables they would touch, and through which triggers, is the database's own word.
 *
 * Invariants: 1. nothing is begun and nothing is run: the database stays as it is.  2. in read-only
 * mode there is no such connection, and nothing is asked. */
#include "backend/check.h"

#include "backend/write.h"
#include "catalog/write_facts.h"
#include "sql/describe.h"

static const enum effect_operation operations[] = {
	[CAPTURE_INSERT] = EFFECT_INSERT,
	[CAPTURE_UPDATE] = EFFECT_UPDATE,
	[CAPTURE_DELETE] = EFFECT_DELETE,
};

static struct str words(struct check *k, const struct err *err)
{
	return arena_str(k->f->a, str_c(err->text));
}

/* --- statements --- */

static bool find_touches(
	struct check *k, struct lite_stmt *s, struct write_facts *facts, struct err *err)
{
	struct described_touch *told;
	struct write_touch *touches;

	if (!describe_touches(s, k->f->a, &told, &facts->touch_count, err))
		return false;
	touches = arena_array(k->f->a, struct write_touch, facts->touch_count + 1);
	for (size_t i = 0; i < facts->touch_count; i++)
		touches[i] = (struct write_touch){ .operation = operations[told[i].operation],
			.table = told[i].table,
			.column = told[i].column,
			.trigger = told[i].trigger,
			.cascade = told[i].cascade,
			.is_virtual = told[i].is_virtual };
	facts->touches = touches;
	return true;
}

static void check_statement(
	struct check *k, const struct entry *e, const struct statement *statement, bool reads)
{
	struct write_facts facts = { .entry = e, .statement = statement, .reads = reads };
	struct lite_facts told;
	struct lite_stmt *s;
	struct err err;

	s = lite_prepare(k->writer, statement->serial, statement->sql, &err);
	if (!s || !lite_facts(s, k->f->a, &told, &err) || !find_touches(k, s, &facts, &err)) {
		facts.error = words(k, &err);
	} else {
		facts.readonly = told.readonly;
		facts.single = told.single;
	}
	catalog_lint_write(&facts, k->f);
}

/* What the conditions and the answer touch is not asked: they are reads, or the statement that the
 * answer is of is there already. */
static void check_statements(struct check *k, const struct entry *e)
{
	const struct write *w = e->write;

	for (size_t i = 0; i < w->before_count; i++)
		check_statement(k, e, &w->before[i].statement, true);
	for (size_t i = 0; i < w->statement_count; i++)
		check_statement(k, e, &w->statements[i], false);
	for (size_t i = 0; i < w->after_count; i++)
		check_statement(k, e, &w->after[i].statement, true);
}

static void check_answer(struct check *k, const struct entry *e)
{
	struct statement_facts facts = { .entry = e };

	if (!e->action.part_count)
		return;
	facts.part = &e->action.parts[0];
	check_facts(k, k->writer, &facts.part->statement, &facts);
	/* of a statement that was refused its mistake was told */
	if (!(e->write->returning && facts.error.n))
		catalog_lint_facts(k->b->catalog, &facts, k->f);
}

/* --- rules --- */

/* As a call asks it of every row (write_effects.c). */
static void check_where(struct check *k, const struct table_facts *table)
{
	const struct effect_rule *rule = table->rule;
	struct write_facts facts = { .entry = table->entry,
		.statement = &rule->where,
		.reads = true,
		.readonly = true,
		.single = true };
	struct str sql;
	struct lite_stmt *s;
	struct err err;

	if (!rule->where.sql.n)
		return;
	sql = effects_where_sql(k->f->a, rule->table, table->columns, &rule->where);
	s = sql.n ? lite_prepare_once(k->writer, sql, &err) : NULL;
	if (s)
		lite_end_once(s);
	else
		facts.error = sql.n ? words(k, &err) : S("it is too long");
	catalog_lint_write(&facts, k->f);
}

static bool find_table(struct check *k, struct table_facts *facts, struct err *err)
{
	struct described_table told;

	if (!describe_table(k->writer, k->f->a, facts->rule->table, &facts->found, &told, err) ||
		!describe_names(k->writer, k->f->a, &facts->tables, err))
		return false;
	facts->is_virtual = told.is_virtual;
	facts->backed = told.backed;
	facts->columns = told.columns;
	facts->key = told.key;
	facts->lost = told.lost;
	return true;
}

static void cannot_open(struct check *k, const struct err *err)
{
	finding_error(k->f, k->source->config->at, "source.unavailable",
		arena_fmt(k->f->a, "source %.*s cannot be changed: %s",
			STR_ARG(k->source->config->name), err->text),
		S("let this user write the file and its directory, or start with --read-only"));
}

static void check_rules(struct check *k, const struct entry *e)
{
	for (size_t i = 0; i < e->write->rule_count; i++) {
		struct table_facts facts = { .entry = e, .rule = &e->write->rules[i] };
		struct err err;

		if (!find_table(k, &facts, &err)) {
			cannot_open(k, &err);
			return;
		}
		catalog_lint_table(&facts, k->f);
		if (facts.found)
			check_where(k, &facts);
	}
}

void check_writes(struct check *k)
{
	const struct catalog *c = k->b->catalog;
	struct err err;

	if (!k->source->writers)
		return;
	k->writer = lite_take(k->source->writers, CHECK_WAIT_MS, &err);
	if (!k->writer) {
		cannot_open(k, &err);
		return;
	}
	for (size_t i = 0; i < c->tool_count; i++) {
		const struct entry *e = c->tools[i];

		if (!e->write || e->source != k->source->config)
			continue;
		check_statements(k, e);
		check_answer(k, e);
		check_rules(k, e);
	}
	lite_give(k->writer);
	k->writer = NULL;
}
