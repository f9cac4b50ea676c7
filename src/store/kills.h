/* kills - kill orders in the store: what an operator has paused, and what was paused before.
 *
 * The store does not know what a kind means (guard/kill.h).  A lifted order stays as history. */
#pragma once
#include "store/store.h"

#define KILLS_MAX 10000 /* orders in force: more than that cannot be judged */

struct kill_row {
	int64_t id;
	struct str kind, name, reason, by;
	int64_t since_us, until_us; /* 0: until it is lifted */
	bool drill;
	int64_t lifted_us; /* 0: not */
	struct str lifted_by, lift_reason;
};

bool store_kill_set(
	struct store *s, const struct kill_row *row, int64_t *id_out, struct err *err) must_check;
/* Lifts every order of this kind and name; *count_out says how many there were. */
bool store_kill_lift(struct store *s, struct str kind, struct str name, struct str by,
	struct str reason, int64_t wall_us, unsigned *count_out, struct err *err) must_check;
bool store_kill_lift_one(struct store *s, int64_t id, struct str by, struct str reason,
	int64_t wall_us, unsigned *count_out, struct err *err) must_check;

/* Orders not lifted, and those that were lifted or ended after after_us; those in force first, then
 * the latest.  Looks at the file itself, not at what this process remembers of it; a file of
 * another schema version is an error though it was ours when it was opened.  *there_out false:
 * there is no store yet.  The arena must not have an arena_catch. */
bool store_kill_list(struct store *s, struct arena *a, int64_t after_us, struct kill_row **rows_out,
	size_t *count_out, bool *there_out, struct err *err) must_check;
/* One order, whatever became of it.  *found_out false: there is none of this id.  As
 * store_kill_list. */
bool store_kill_get(struct store *s, struct arena *a, int64_t id, struct kill_row *out,
	bool *found_out, struct err *err) must_check;
