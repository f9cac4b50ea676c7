/* write_effects - from the rows that SQLite says were changed to the effects of a step.
 *
 * Every row must fit its rule's `where`: the row as it was for an update or delete, as it is now
 * for an insert.  The expression is computed over the captured row itself, so that nothing else is
 * looked at:
 *
 *	WITH "contracts"("id","status",…) AS (VALUES (?2,?3,…)) SELECT 1 FROM "contracts" WHERE (…)
 *
 * Such a row has values, but neither types nor collations of columns: text and number never meet.
 * `id = :id` says no where the table's own column would have said yes; `<>` and `<` may say yes
 * where it would have said no, which man page and linter leave to who writes the rule. */
#include "backend/write.h"

#include <stdlib.h>

#define ROWS_MAX ((size_t)20000) /* changed by one step */
#define BYTES_MAX ((size_t)16 << 20) /* of their images */
#define WHERE_MAX ((size_t)64 << 10)

static const enum cell_kind kinds[] = {
	[LITE_NULL] = CELL_NULL,
	[LITE_INTEGER] = CELL_INTEGER,
	[LITE_REAL] = CELL_REAL,
	[LITE_TEXT] = CELL_TEXT,
	[LITE_BLOB] = CELL_BLOB,
};

static const enum effect_operation operations[] = {
	[CAPTURE_INSERT] = EFFECT_INSERT,
	[CAPTURE_UPDATE] = EFFECT_UPDATE,
	[CAPTURE_DELETE] = EFFECT_DELETE,
};

struct known_table {
	const struct capture_table *captured;
	const struct effect_table *table;
};

struct collecting {
	struct writing *w;
	struct call *step;
	struct known_table *known;
	size_t known_count, known_cap;
};

/* The database's own foreign keys say where a key that it makes may stand; what the tool says
 * comes first. */
static const struct reference *references(
	struct arena *a, const struct capture_table *t, const struct effect_rule *rule, size_t *n)
{
	struct reference *list =
		arena_array(a, struct reference, rule->refer_count + t->foreign_count);

	for (size_t i = 0; i < rule->refer_count; i++)
		list[i] = rule->refers[i];
	for (size_t i = 0; i < t->foreign_count; i++)
		list[rule->refer_count + i] =
			(struct reference){ t->foreign[i].column, t->foreign[i].table };
	*n = rule->refer_count + t->foreign_count;
	return list;
}

static const struct effect_table *make_table(
	struct arena *a, const struct capture_table *t, const struct effect_rule *declared)
{
	struct effect_rule *rule = NULL;

	if (declared) {
		rule = arena_new(a, struct effect_rule);
		*rule = *declared;
		rule->refers = references(a, t, declared, &rule->refer_count);
	}
	return effect_table_make(a, t->name, t->columns, t->column_count, rule);
}

static const struct effect_table *table_of(struct collecting *k, const struct capture_table *t)
{
	struct arena *a = k->w->c->arena;

	for (size_t i = 0; i < k->known_count; i++)
		if (k->known[i].captured == t)
			return k->known[i].table;
	if (k->known_count == k->known_cap) {
		struct known_table *more = arena_array(a, struct known_table, k->known_cap * 2 + 8);

		for (size_t i = 0; i < k->known_count; i++)
			more[i] = k->known[i];
		k->known = more;
		k->known_cap = k->known_cap * 2 + 8;
	}
	k->known[k->known_count] = (struct known_table){ .captured = t,
		.table = make_table(a, t, write_rule(k->step->entry->write, t->name)) };
	return k->known[k->known_count++].table;
}

static const struct cell *cells_of(struct arena *a, const struct lite_value *values, size_t count)
{
	struct cell *cells;

	if (!values)
		return NULL;
	cells = arena_array(a, struct cell, count);
	for (size_t i = 0; i < count; i++)
		cells[i] = (struct cell){ kinds[values[i].type], values[i].text };
	return cells;
}

static void bind_value(
	struct arena *a, struct lite_stmt *s, unsigned index, const struct lite_value *v)
{
	int64_t n;

	switch (v->type) {
	case LITE_NULL:
		lite_bind_null(s, index);
		break;
	case LITE_INTEGER:
		bug_on(!str_to_i64(v->text, &n));
		lite_bind_i64(s, index, n);
		break;
	case LITE_REAL:
		lite_bind_real(s, index, strtod(arena_cstr(a, v->text), NULL));
		break;
	case LITE_TEXT:
		lite_bind_text(s, index, v->text);
		break;
	case LITE_BLOB:
		lite_bind_blob(s, index, v->text);
		break;
	}
}

static void put_name(struct buf *out, struct str name)
{
	buf_char(out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, name.p[i]);
	}
	buf_char(out, '"');
}

struct str effects_where_sql(
	struct arena *a, struct str table, struct names columns, const struct statement *where)
{
	struct buf out;

	buf_in(&out, a, WHERE_MAX);
	buf_lit(&out, "WITH ");
	put_name(&out, table);
	for (size_t i = 0; i < columns.count; i++) {
		buf_char(&out, i ? ',' : '(');
		put_name(&out, columns.list[i]);
	}
	buf_lit(&out, ") AS (VALUES ");
	for (size_t i = 0; i < columns.count; i++)
		buf_fmt(&out, "%c?%zu", i ? ',' : '(', where->param_count + i + 1);
	buf_lit(&out, ")) SELECT 1 FROM ");
	put_name(&out, table);
	buf_lit(&out, " WHERE (");
	buf_add(&out, where->sql);
	buf_char(&out, ')');
	return buf_ok(&out) ? buf_str(&out) : STR_NONE;
}

/* E_NOT_FOUND: the row does not fit. */
static bool row_fits(struct collecting *k, struct lite_stmt *s, const struct capture_change *change,
	const struct statement *where, struct err *err)
{
	const struct lite_value *row = change->before ? change->before : change->after;
	enum lite_step step;

	bind_params(k->step, NULL, where, s);
	for (size_t i = 0; i < change->table->column_count; i++)
		bind_value(k->w->c->arena, s, (unsigned)(where->param_count + i + 1), &row[i]);
	step = lite_step(s, err);
	lite_end(s);
	if (step == LITE_DONE)
		return err_set(err, E_NOT_FOUND, "a row does not fit");
	return step == LITE_ROW;
}

static bool refuse_where(struct collecting *k, const struct capture_change *change)
{
	struct effect_finding found = { .verdict = EFFECTS_WHERE,
		.table = change->table->name,
		.operation = operations[change->operation],
		.rows = 1 };

	return effects_fault(k->w->c, &found);
}

/* All rows of one table; the others are passed over. */
static bool table_fits(struct collecting *k, const struct capture_list *list,
	const struct capture_table *t, const struct effect_rule *rule)
{
	struct names columns = { t->columns, t->column_count };
	struct str sql = effects_where_sql(k->w->c->arena, t->name, columns, &rule->where);
	const struct capture_change *wrong = NULL;
	struct err err;
	struct lite_stmt *s;
	bool ok = true;

	if (!sql.n)
		return call_fault(k->w->c, INTERNAL, "where", S("a rule's where is too long"));
	/* the catalog saw to it that the expression looks at nothing but this row */
	s = lite_prepare_own(k->w->lite, arena_cstr(k->w->c->arena, sql), &err);
	if (!s)
		return write_fault(k->w, &err);
	for (size_t i = 0; ok && i < list->count; i++) {
		if (list->changes[i].table != t)
			continue;
		wrong = &list->changes[i];
		ok = row_fits(k, s, wrong, &rule->where, &err);
	}
	lite_end_once(s);
	if (ok)
		return true;
	return err.code == E_NOT_FOUND ? refuse_where(k, wrong) : write_fault(k->w, &err);
}

static bool rows_fit(struct collecting *k, const struct capture_list *list)
{
	for (size_t i = 0; i < k->known_count; i++) {
		const struct effect_rule *rule =
			write_rule(k->step->entry->write, k->known[i].captured->name);

		if (rule && rule->where.sql.n && !table_fits(k, list, k->known[i].captured, rule))
			return false;
	}
	return true;
}

/* Rows in which a virtual table keeps its index follow from what was indexed, and differ from one
 * run to the next: they are no effects where the tool declares the virtual table. */
static bool follows(struct collecting *k, const struct capture_table *t)
{
	return t->shadow_of.n && write_rule(k->step->entry->write, t->shadow_of);
}

static void add_effect(struct collecting *k, const struct capture_change *from, struct effects *out)
{
	struct arena *a = k->w->c->arena;
	struct effect *e = effects_add(out, a);

	e->table = table_of(k, from->table);
	e->operation = operations[from->operation];
	e->statement = from->statement;
	e->before = cells_of(a, from->before, from->table->column_count);
	e->after = cells_of(a, from->after, from->table->column_count);
}

bool effects_collect(struct writing *w, struct call *step, struct effects *out)
{
	struct collecting k = { .w = w, .step = step };
	struct capture_list list;
	struct err err;

	if (!capture_take(w->lite, w->c->arena, ROWS_MAX, BYTES_MAX, &list, &err)) {
		if (err.code != E_DENIED)
			return write_fault(w, &err);
		return call_fault(
			w->c, UNDECLARED_EFFECT, "table", arena_str(w->c->arena, str_c(err.text)));
	}
	for (size_t i = 0; i < list.count; i++)
		if (!follows(&k, list.changes[i].table))
			add_effect(&k, &list.changes[i], out);
	return rows_fit(&k, &list);
}
