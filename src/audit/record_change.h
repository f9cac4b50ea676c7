/* record_change - what a record says of a change: which plan, what was claimed, what became of it.
 */
#pragma once
#include "audit/kept.h"

/* bare: what was claimed only in short; no sums, which stand with the effects, too. */
void record_put_change(struct jw *w, const struct change *ch, const struct protector *p, bool bare);
void record_put_end(struct jw *w, const struct change *ch, const struct kept *effects, bool bare);
