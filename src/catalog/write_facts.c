/* write_facts - see write_facts.h. */
#include "catalog/write_facts.h"

#include "config/read.h"

static const char *doing(enum effect_operation o)
{
	if (o == EFFECT_INSERT)
		return "inserts into";
	return o == EFFECT_UPDATE ? "updates" : "deletes from";
}

/* --- statements --- */

static void refuse(const struct write_facts *k, struct findings *f, const char *code,
	struct str what, struct str remedy)
{
	finding_error(f, k->statement->at, code,
		arena_fmt(f->a, "tool %.*s: %.*s", STR_ARG(k->entry->name), STR_ARG(what)), remedy);
}

/* What a trigger or a foreign key does depends on the rows; when it does it, the call rolls back.
 */
static void undeclared(const struct write_facts *k, struct findings *f, const char *code,
	const struct write_touch *t, struct str remedy)
{
	const char *dot = t->column.n ? "." : "";

	if (!t->trigger.n && !t->cascade) {
		refuse(k, f, code,
			arena_fmt(f->a, "the statement %s %.*s%s%.*s, which is not declared",
				doing(t->operation), STR_ARG(t->table), dot, STR_ARG(t->column)),
			remedy);
		return;
	}
	finding_warn(f, k->statement->at, code,
		arena_fmt(f->a,
			"tool %.*s: %s%.*s %s %.*s%s%.*s, which is not declared: then the call "
			"rolls back",
			STR_ARG(k->entry->name), t->cascade ? "a foreign key" : "trigger ",
			STR_ARG(t->trigger), doing(t->operation), STR_ARG(t->table), dot,
			STR_ARG(t->column)),
		remedy);
}

/* To whoever counts rows, one with another key is another row: one goes, one comes. */
static bool gives_another_key(const struct effect_rule *rule, const struct write_touch *t)
{
	const unsigned both = EFFECT_INSERT | EFFECT_DELETE;

	return rule && t->operation == EFFECT_UPDATE && (rule->operations & both) == both &&
	       names_hold(rule->key, t->column);
}

static void lint_touch(const struct write_facts *k, struct findings *f, const struct write_touch *t)
{
	const struct effect_rule *rule = write_rule(k->entry->write, t->table);

	if (str_starts(t->table, S("sqlite_")) || gives_another_key(rule, t))
		return;
	if (t->is_virtual && !t->trigger.n)
		refuse(k, f, "write.virtual_table",
			arena_fmt(f->a,
				"the statement %s virtual table %.*s, whose rows nobody sees "
				"change",
				doing(t->operation), STR_ARG(t->table)),
			S("change a table whose triggers keep it"));
	else if (!rule)
		undeclared(k, f, "write.undeclared_table", t,
			S("add the table to 'effects', or leave it alone"));
	else if (!(rule->operations & (unsigned)t->operation))
		undeclared(k, f, "write.undeclared_operation", t,
			S("allow it in 'effects' of the table, or leave it alone"));
	else if (t->operation == EFFECT_UPDATE && t->column.n &&
		 !names_hold(rule->update, t->column))
		undeclared(k, f, "write.undeclared_column", t,
			S("add the column to 'update' of its effects, or leave it alone"));
}

void catalog_lint_write(const struct write_facts *k, struct findings *f)
{
	if (k->error.n) {
		refuse(k, f, "sql.prepare",
			arena_fmt(f->a, "the database refuses the statement: %.*s",
				STR_ARG(k->error)),
			S("correct the statement, or the source it is for"));
		return;
	}
	if (!k->single)
		refuse(k, f, "sql.several", S("there is more behind the first statement"),
			S("keep one"));
	if (k->reads && !k->readonly)
		refuse(k, f, "sql.not_a_read", S("the database says that the condition writes"),
			S("a condition must change nothing"));
	if (!k->reads && k->readonly)
		refuse(k, f, "sql.not_a_write",
			S("the database says that the statement only reads"),
			S("put it into preconditions, postconditions or returns.from"));
	for (size_t i = 0; i < k->touch_count; i++)
		lint_touch(k, f, &k->touches[i]);
}

/* --- tables --- */

static const char *nearest(struct arena *a, struct names names, struct str name)
{
	const char **all = arena_array(a, const char *, names.count + 1);

	for (size_t i = 0; i < names.count; i++)
		all[i] = arena_cstr(a, names.list[i]);
	return read_nearest(name, all, names.count);
}

static void unknown(const struct table_facts *k, struct findings *f, const char *code,
	struct str what, const char *near)
{
	finding_error(f, k->rule->at, code,
		arena_fmt(f->a, "tool %.*s: %.*s", STR_ARG(k->entry->name), STR_ARG(what)),
		near ? arena_fmt(f->a, "did you mean '%s'?", near)
		     : S("write it as the database does, capital letters too"));
}

static void lint_column(const struct table_facts *k, struct findings *f, struct str column)
{
	if (!names_hold(k->columns, column))
		unknown(k, f, "write.unknown_column",
			arena_fmt(f->a, "table %.*s has no column '%.*s'", STR_ARG(k->rule->table),
				STR_ARG(column)),
			nearest(f->a, k->columns, column));
}

/* A column that is not shown; of one that is it was said. */
static void lint_hidden(const struct table_facts *k, struct findings *f, struct str column)
{
	for (size_t i = 0; i < k->rule->column_count; i++)
		if (str_eq(k->rule->columns[i].name, column))
			return;
	lint_column(k, f, column);
}

static void lint_columns(const struct table_facts *k, struct findings *f)
{
	const struct effect_rule *rule = k->rule;
	const struct write *w = k->entry->write;

	/* key and update are among the columns shown */
	for (size_t i = 0; i < rule->column_count; i++)
		lint_column(k, f, rule->columns[i].name);
	for (size_t i = 0; i < rule->varies.count; i++)
		lint_hidden(k, f, rule->varies.list[i]);
	for (size_t i = 0; i < rule->refer_count; i++)
		lint_hidden(k, f, rule->refers[i].column);
	for (size_t i = 0; i < w->impact_count; i++)
		if (str_eq(w->impacts[i].table, rule->table))
			lint_hidden(k, f, w->impacts[i].column);
}

/* Rows whose key is only a part of the real one look alike to whoever approves. */
static void lint_key(const struct table_facts *k, struct findings *f)
{
	for (size_t i = 0; i < k->key.count; i++)
		if (!names_hold(k->rule->key, k->key.list[i])) {
			finding_warn(f, k->rule->at, "write.key",
				arena_fmt(f->a,
					"tool %.*s: the key of %.*s leaves out %.*s of its primary "
					"key",
					STR_ARG(k->entry->name), STR_ARG(k->rule->table),
					STR_ARG(k->key.list[i])),
				S("name a row as the database does, or by columns that are "
				  "unique"));
			return;
		}
}

/* Can whoever approves see the rows that change? */
static void lint_rows(const struct table_facts *k, struct findings *f)
{
	struct str tool = k->entry->name, table = k->rule->table;

	if (k->is_virtual && !k->backed)
		finding_error(f, k->rule->at, "write.virtual_table",
			arena_fmt(f->a,
				"tool %.*s: %.*s is a virtual table, whose rows nobody sees change",
				STR_ARG(tool), STR_ARG(table)),
			S("change the table it is made of"));
	else if (k->is_virtual && k->rule->rows_min)
		finding_error(f, k->rule->at, "write.virtual_table",
			arena_fmt(f->a,
				"tool %.*s: %.*s is a virtual table: its rows are not counted, and "
				"at least %u must change",
				STR_ARG(tool), STR_ARG(table), k->rule->rows_min),
			arena_fmt(f->a, "write 'rows: 0..%u'", k->rule->rows_max));
	if (k->lost.n)
		finding_error(f, k->rule->at, "write.rows_alike",
			arena_fmt(f->a, "tool %.*s: the rows of %.*s cannot be told apart: %.*s",
				STR_ARG(tool), STR_ARG(table), STR_ARG(k->lost)),
			S("give the table a key, or leave it alone"));
}

void catalog_lint_table(const struct table_facts *k, struct findings *f)
{
	if (!k->found) {
		unknown(k, f, "write.unknown_table",
			arena_fmt(f->a, "the source has no table '%.*s'", STR_ARG(k->rule->table)),
			nearest(f->a, k->tables, k->rule->table));
		return;
	}
	lint_rows(k, f);
	lint_columns(k, f);
	lint_key(k, f);
}
