/* visible - asks an entry's rule of `visible` before anything else is asked.
 *
 * Invariants: 1. no row, and nothing else, is "no".  2. "no" is the fault of a record that does not
 * exist, byte for byte.  3. a rule that cannot be asked is a failure, and nothing is shown. */
#include "backend/inside.h"

#include "base/clock.h"

bool visible_on(struct lite *l, struct call *c)
{
	const struct part *rule = c->entry->visible;
	struct lite_stmt *s;
	enum lite_step step;
	struct err err;

	s = lite_prepare(l, rule->statement.serial, rule->statement.sql, &err);
	if (!s)
		return source_fault(c, &err);
	if (clock_mono_ms() >= c->deadline_ms) {
		err_set(&err, E_TIMEOUT, "the deadline passed before the rule was asked");
		return source_fault(c, &err);
	}
	bind_params(c, rule, &rule->statement, s);
	step = lite_step(s, &err);
	lite_end(s);
	if (step == LITE_ROW)
		return true;
	if (step == LITE_DONE)
		return call_fault(c, NOT_FOUND, "", STR_NONE);
	return err.code == E_INVALID && !lite_is_broken(l) ? values_fault(c)
							   : source_fault(c, &err);
}

bool visible_alone(struct source *s, struct call *c)
{
	struct visit *v;
	struct lite *l;
	struct err err;
	bool ok;

	bug_on(!s);
	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	l = v ? visit_lite(v, wait_left_ms(c), &err) : NULL;
	if (l) {
		lite_limits(l, c->deadline_ms, c->port->cancelled, c->port->ctx);
		ok = visible_on(l, c);
	} else {
		ok = source_fault(c, &err);
	}
	if (v)
		visit_end(v);
	return ok;
}
