/* record_change - what a record says of a change: which plan, what was claimed, what became of it.
 */
#pragma once
#include "audit/protect.h"
#include "plan/change.h"

void record_put_change(struct jw *w, const struct change *ch, const struct protector *p);
void record_put_end(struct jw *w, const struct change *ch);
