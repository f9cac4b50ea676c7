/* plans_inside - what the files of plans share. */
#pragma once
#include "serve/plans.h"

/* plans_body.c: the document, sealed for its id, in pieces: a text of any length is moved, cut or
 * swapped with another plan's by nobody. */
bool plan_body_seal(struct world *w, struct arena *a, const struct plan *p, struct str *out,
	struct err *err) must_check;
/* And back; what the row says goes before what the document said when it was made.  Not sealed by
 * us, or not what its digest says: E_INVALID. */
bool plan_body_open(struct world *w, struct arena *a, const struct plan_row *row, struct plan *out,
	struct err *err) must_check;

/* Id, need, grant and, on the wall clock, times.  False: the row does not say what it needs. */
bool plan_take_row(struct world *w, const struct plan_row *row, struct plan *p) must_check;

/* plans_record.c: each waits until it is durable.  That a plan is kept: audit_plan. */
bool plan_note_voided(struct world *w, struct arena *a, const struct plan_row *row, struct str why,
	struct err *err) must_check;
/* Approved, declined, escalated; need and grant are the row's. */
bool plan_note_decision(struct world *w, const struct plan_row *row, const struct principal *who,
	const struct decision *d, bool escalated, struct err *err) must_check;
/* That the one before, which is in the log, never took effect. */
bool plan_note_not_taken(struct world *w, struct arena *a, const struct plan_row *row,
	const struct principal *who, struct str why, struct err *err) must_check;
bool plan_note_refusal(struct world *w, const struct plan_row *row, const struct principal *who,
	const struct decision *d, enum decide verdict, struct err *err) must_check;
