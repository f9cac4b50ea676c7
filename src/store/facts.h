/* facts - what was so once, for whoever wonders whether it always was as it is now. */
#pragma once
#include "store/store.h"

/* Notes it.  *known_out: it had been noted before.  Makes no store: without one nothing is known.
 */
bool store_fact_note(struct store *s, struct str what, int64_t wall_us, bool *known_out,
	struct err *err) must_check;
