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

/* plans_record.c: each waits until it is durable. */
bool plan_note(struct world *w, struct arena *a, const char *change, const struct plan_row *row,
	const struct plan *p, struct str by, struct str why, struct err *err) must_check;
struct approval_record {
	const char *decision; /* "approved", "declined", "not_taken" */
	const struct principal *who;
	struct str channel, note, peer;
	const struct sha256 *shown;
	struct str why; /* not_taken: why */
};
bool plan_note_approval(struct world *w, struct arena *a, const struct plan_row *row,
	const struct approval_record *r, struct err *err) must_check;
bool plan_note_refusal(struct world *w, const struct plan_row *row, const struct principal *who,
	const struct decision *d, enum decide verdict, struct err *err) must_check;
