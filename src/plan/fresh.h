/* fresh - the keys which the database makes for rows that a plan inserts.
 *
 * A preview and the real thing get different ones, so a plan says "the first new row of
 * case_notes" in their place: wherever such a key names its own row, and in columns that say they
 * hold it (`refers`).  Nowhere else: an amount that happens to equal a new id is an amount.
 *
 * A key is fresh when an insert of this or an earlier step put it into a column that is `key` and
 * `varies`.  Rows that were there before keep their keys, in such columns too: a plan for row 5 is
 * never one for row 6.  Lives in the arena; one thread. */
#pragma once
#include "base/map.h"
#include "plan/effect.h"

struct fresh {
	struct str table;
	unsigned number; /* from 1, in the order of the plan */
	size_t step;
	const struct fresh *older; /* the same key, made before: deleted in between */
};

struct fresh_set {
	struct arena *arena;
	struct map *tables; /* by name: what is private to fresh.c */
};

void fresh_init(struct fresh_set *set, struct arena *a);
/* Takes in what one step inserted; steps in their order, effects ordered. */
void fresh_take(struct fresh_set *set, const struct effects *es, size_t step);

enum form {
	FORM_AS_IS,
	FORM_FRESH, /* `fresh` stands for the value */
	FORM_VARIES, /* may be another one at apply */
};
enum side { SIDE_BEFORE, SIDE_AFTER };

/* The cell at a column of one side, which is there.  The set holds all steps up to this one. */
enum form cell_form(const struct fresh_set *set, const struct effect *e, size_t step,
	enum side side, size_t column, const struct fresh **fresh_out);
/* Does the database make this column's value for the row that e inserts? */
bool effect_generates(const struct effect *e, size_t column);
