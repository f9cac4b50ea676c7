/* load_write - what the parts that load a tool's write share.  Private to the room. */
#pragma once
#include "catalog/load.h"
#include "catalog/write.h"
#include "catalog/write_text.h"

#define STATEMENTS_MAX 16
#define CONDITIONS_MAX 32
#define RULES_MAX 32

/* One write while it is read. */
struct write_load {
	struct entry_load *el;
	struct write *w;
	const struct yaml *node; /* of `write` */
	const struct yaml **nodes; /* of its statements */
	struct write_text *texts; /* of its statements */
};

/* load_effects.c */
void effects_load(struct write_load *wl);
void impact_load(struct write_load *wl); /* behind the effects */

/* load_approval.c */
void raises_load(struct write_load *wl); /* before the conditions */
/* What a condition's reason stands for; a finding when `raises` does not have it. */
enum fault_code raised_code(struct write_load *wl, const struct yaml *at, struct str reason);
void approval_load(struct write_load *wl); /* behind the impact */
void idempotency_load(struct write_load *wl); /* behind the approval */

/* load_answer.c: `returns` of a write. */
void answer_load(struct write_load *wl);

/* write_inputs.c: what the server adds to arguments and description. */
void write_inputs_add(struct write_load *wl);

/* write_lint.c: what the declaration as a whole must not say. */
void write_lint(struct write_load *wl);

bool name_in(struct names names, struct str name); /* without regard to ASCII case */
