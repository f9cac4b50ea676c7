/* write - what the files of a write share (write.c).  Of this room only. */
#pragma once
#include "backend/inside.h"
#include "plan/change.h"
#include "sql/capture.h"

struct writing {
	struct backends *b;
	struct source *source;
	struct call *c;
	struct change *change;
	struct lite *lite;
	struct str database; /* its identity, of the marker */
};

/* write_fault.c: what went wrong as the fault it means; always false. */
bool write_fault(struct writing *w, const struct err *err);
bool constraint_fault(struct call *c, const char *kind, struct str operator_text);
bool effects_fault(struct call *c, const struct effect_finding *found);

/* write_effects.c: the rows that were changed since the last time, each within its rule's `where`.
 */
bool effects_collect(struct writing *w, struct call *step, struct effects *out) must_check;
/* Gives a row when the row whose values are bound behind the parameters of `where` fits it; empty:
 * too long. */
struct str effects_where_sql(
	struct arena *a, struct str table, struct names columns, const struct statement *where);

/* write_approval.c: what the plan needs, with what was done before; false: the fault is set. */
bool approval_needed(struct writing *w) must_check;

/* write_ledger.c */
struct threshold;
struct threshold_past;
/* What the tool did within the threshold's window, for whom it counts. */
bool ledger_past(struct writing *w, const struct entry *e, const struct threshold *t,
	struct threshold_past *out) must_check;
/* Was it done before?  found: change->answer and ledger_id are those of the first time.  False: the
 * key was used for something else, or the ledger cannot be read. */
bool ledger_look(struct writing *w, bool *found_out) must_check;
void ledger_name(struct writing *w); /* change->ledger_id: of what is about to be kept */
/* The row, and with it the plan is used up. */
bool ledger_keep(struct writing *w) must_check;
