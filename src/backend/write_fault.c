/* write_fault - what went wrong in a write, as the fault it means.
 *
 * Invariant: the database's own words go to the operator; the agent gets names of tables, columns
 * and operations only where something happened that the tool does not declare. */
#include "backend/write.h"

#include "json/write.h"

#define DETAILS_MAX ((size_t)8 << 10)

bool constraint_fault(struct call *c, const char *kind, struct str operator_text)
{
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_put_str(&w, S("constraint"), str_c(kind));
	jw_object_end(&w);
	c->fault.details_json = buf_str(&details);
	return call_fault(c, PRECONDITION_FAILED, "constraint", operator_text);
}

bool write_fault(struct writing *w, const struct err *err)
{
	struct call *c = w->c;
	struct str why = arena_str(c->arena, str_c(err->text));
	const char *kind = lite_constraint(w->lite);

	if (c->end == CALL_FAULT)
		return false; /* it was said where it happened */
	if (kind)
		return constraint_fault(c, kind, why);
	if (err->code == E_INVALID && !lite_is_broken(w->lite))
		return values_fault(c);
	if (err->code != E_BUSY)
		return source_fault(c, err);
	call_fault(c, CONFLICT, "lock", why);
	c->fault.retry_after_ms = 1000;
	return false;
}

static const char *const reasons[] = {
	[EFFECTS_DECLARED] = "",
	[EFFECTS_TABLE] = "table",
	[EFFECTS_OPERATION] = "operation",
	[EFFECTS_COLUMN] = "column",
	[EFFECTS_WHERE] = "where",
	[EFFECTS_NONE] = "",
	[EFFECTS_FEWER] = "row_bounds",
	[EFFECTS_MORE] = "rows",
};

static void describe(struct call *c, const struct effect_finding *found)
{
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_put_str(&w, S("table"), found->table);
	if (found->operation)
		jw_put_str(&w, S("operation"), str_c(effect_operation_name(found->operation)));
	if (found->column.n)
		jw_put_str(&w, S("column"), found->column);
	jw_put_u64(&w, S("rows"), found->rows);
	jw_object_end(&w);
	if (buf_ok(&details))
		c->fault.details_json = buf_str(&details);
}

bool effects_fault(struct call *c, const struct effect_finding *found)
{
	enum fault_code code = UNDECLARED_EFFECT;
	const char *operation = found->operation ? effect_operation_name(found->operation) : "rows";

	if (found->verdict == EFFECTS_NONE)
		code = NOT_FOUND; /* nothing of it is told: no such record, or not theirs */
	else if (found->verdict == EFFECTS_FEWER)
		code = PRECONDITION_FAILED;
	if (found->verdict != EFFECTS_NONE)
		describe(c, found);
	return call_fault(c, code, reasons[found->verdict],
		arena_fmt(c->arena, "table %.*s, %s %.*s: %llu rows, which the tool's effects %s",
			STR_ARG(found->table), operation, STR_ARG(found->column),
			(unsigned long long)found->rows, "do not declare"));
}
