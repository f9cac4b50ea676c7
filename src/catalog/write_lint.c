/* write_lint - what the declaration of a write as a whole must not say.
 *
 * Text against effects: what a statement changes is declared, and its predicate names rows.  The
 * database says the same with authority later (write_facts.c).  Then what the source protects, and
 * what a good tool looks like. */
#include "catalog/load_write.h"

#define COLUMNS_MANY 6 /* a handful */

static const struct effect_rule *rule_of(const struct write *w, struct str table)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (str_eq_ci(w->rules[i].table, table))
			return &w->rules[i];
	return NULL;
}

static void lint_statement(struct write_load *wl, size_t i)
{
	const struct write_text *t = &wl->texts[i];
	const struct effect_rule *rule;
	struct entry_load *el = wl->el;

	if (!t->verb || !t->table.n || !wl->w->rule_count)
		return;
	rule = rule_of(wl->w, t->table);
	if (!rule)
		entry_refuse(el, wl->nodes[i], "write.undeclared_table",
			arena_fmt(el->a, "the statement changes %.*s, which effects do not name",
				STR_ARG(t->table)),
			S("add it to 'effects', or leave it alone"));
	if (!rule)
		return;
	if (t->verb == EFFECT_DELETE && !(rule->operations & EFFECT_DELETE))
		entry_refuse(el, wl->nodes[i], "write.undeclared_operation",
			arena_fmt(el->a, "the statement deletes rows of %.*s, which is not allowed",
				STR_ARG(rule->table)),
			S("add 'delete: true' to its effects, or do not delete"));
	if (t->where && !write_text_is_narrow(t, rule->key))
		entry_refuse(el, wl->nodes[i], "write.predicate",
			S("the WHERE names neither a key column nor an argument"),
			S("say which rows: WHERE id = :id"));
}

/* --- what the source protects --- */

static const struct effect_rule *changes_column(
	const struct write *w, const struct protection_config *p)
{
	const struct effect_rule *rule = rule_of(w, p->table);

	/* a row that may go and come again is a way to change it, too */
	bool again =
		rule && (rule->operations & EFFECT_DELETE) && (rule->operations & EFFECT_INSERT);

	return again || (rule && name_in(rule->update, p->column)) ? rule : NULL;
}

static void lint_protected(struct write_load *wl, const struct protection_config *p)
{
	const struct effect_rule *rule = rule_of(wl->w, p->table);
	struct entry_load *el = wl->el;
	struct str why = STR_NONE;

	if (p->kind == PROTECTION_APPEND_ONLY && rule && rule->operations != EFFECT_INSERT)
		finding_error(el->f, rule->at, "protect.append_only",
			arena_fmt(
				el->a, "%s: %.*s is append-only", el->r.what, STR_ARG(rule->table)),
			S("allow inserts alone: what is there stays"));
	if (p->kind == PROTECTION_APPEND_ONLY || !(rule = changes_column(wl->w, p)))
		return;
	if (p->kind == PROTECTION_SET_ONCE)
		why = S("is set once, when its row is made");
	else if (!names_hold(p->by, el->e->name))
		why = S("may be changed by other tools only");
	if (why.n)
		finding_error(el->f, rule->at, "protect.column",
			arena_fmt(el->a, "%s: %.*s.%.*s %.*s", el->r.what, STR_ARG(rule->table),
				STR_ARG(p->column), STR_ARG(why)),
			S("leave the column alone; what may change it stands under 'protect' of "
			  "the source"));
}

static bool leaves_event(const struct write *w, struct names events)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (w->rules[i].operations == EFFECT_INSERT && w->rules[i].rows_min &&
			name_in(events, w->rules[i].table))
			return true;
	return false;
}

static void lint_source(struct write_load *wl)
{
	const struct source_config *source = wl->el->e->source;

	if (!source)
		return;
	for (size_t i = 0; i < source->protection_count; i++)
		lint_protected(wl, &source->protections[i]);
	if (source->events.count && wl->w->rule_count && !leaves_event(wl->w, source->events))
		entry_refuse(wl->el, wl->node, "write.no_event",
			S("the write leaves no row in an event table of its source"),
			arena_fmt(wl->el->a,
				"insert one into %.*s, and say so in effects: insert: true, "
				"rows: 1 or more",
				STR_ARG(source->events.list[0])));
}

/* --- what a good tool looks like --- */

static void lint_name(struct write_load *wl)
{
	static const char *const vague[] = { "update_", "set_", "modify_" };

	for (size_t i = 0; i < ARRAY_LEN(vague); i++)
		if (str_starts(wl->el->e->name, str_c(vague[i])))
			entry_warn(wl->el, NULL, "write.name", S("the name says how, not what for"),
				S("name the intent: correct_…, extend_…, void_…"));
}

static void lint_columns(struct write_load *wl)
{
	size_t count = 0;

	for (size_t i = 0; i < wl->w->rule_count; i++)
		count += wl->w->rules[i].update.count;
	if (count > COLUMNS_MANY)
		entry_warn(wl->el, wl->node, "write.columns",
			arena_fmt(wl->el->a, "it may change %zu columns", count),
			S("keep to six: several narrow tools are safer than a wide one"));
}

/* Whoever approves reads why. */
static void lint_reason(struct write_load *wl)
{
	int reason = input_find(wl->el, S("reason"));

	if (wl->w->class == WRITE_CHANGE && (reason < 0 || !wl->el->inputs[reason].required))
		entry_refuse(wl->el, NULL, "write.reason",
			S("it changes something, and nobody says why"),
			S("add an input 'reason': { type: string, minLength: 10, maxLength: 500 "
			  "}"));
}

void write_lint(struct write_load *wl)
{
	for (size_t i = 0; wl->texts && i < wl->w->statement_count; i++)
		lint_statement(wl, i);
	lint_source(wl);
	lint_name(wl);
	lint_columns(wl);
	lint_reason(wl);
}
