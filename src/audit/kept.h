/* kept - the effects of a change as they are remembered: every row of every step in the order of
 * the plan, values by protection class (protect.h), so that what was previewed, declined or done
 * can be shown as it was when nothing else of it is left.
 *
 *   {"steps":[{"tool":"NAME@VERSION","td":DIGEST,"args":{…},"rows":[
 *      {"t":TABLE,"op":"update","key":{…},"before":{…},"after":{…}}],
 *    "tables":[{"t":TABLE,"insert":0,"update":1,"delete":0,"volatile":[…],"protected":[…]}]}],
 *   "sums":[{"name":NAME,"net":"-48000","gross":"52000"}],"need":LEVEL,"grant":GRANT,"because":TEXT}
 *
 * `before` has every column of the row, `after` all of an insert and the changed ones of an update.
 * `args` (with "dropped", "undeclared", "ad") stands there when there are several steps; the
 * arguments of a plain call are in its record. */
#pragma once
#include "audit/blob.h"
#include "audit/protect.h"
#include "plan/change.h"

#define KEPT_INLINE_BYTES ((size_t)16 << 10) /* larger ones are a blob */

struct kept {
	struct buf text; /* inline, or empty */
	struct blob *blob; /* or this; or neither: there are no effects, or */
	bool lost; /* too large even for a blob */
};

/* The member "sums", when there are any. */
void kept_put_sums(const struct plan *p, struct jw *w);

void kept_init(struct kept *k, const struct call *c, const struct protector *p);
void kept_done(struct kept *k);
/* The member "effects": the value itself, {"blob":"sha256:…","bytes":N} or {"lost":true}. */
void kept_put(const struct kept *k, struct jw *w);
