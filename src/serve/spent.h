/* spent - names that are not to be used again before they expire of themselves: ended sessions.
 *
 * Every name belongs to an owner, a principal, and was made at a known time.  What an owner may
 * have here is bounded: past it the older half of its names is forgotten, and from then on every
 * name of that owner made no later than one of those counts as spent.  What was ended never comes
 * back, and what pays for it is a client of the same principal, which must begin again.  Only where
 * there are more owners than SPENT_OWNERS is the longest unused forgotten at the cost of all.
 * Thread-safe. */
#pragma once
#include "base/digest.h"

#define SPENT_MAX 65536
#define SPENT_OWNERS 8192

struct spent;

struct spent *spent_new(size_t most, size_t owners);
void spent_free(struct spent **s);

void spent_add(struct spent *s, const struct sha256 *owner, struct str name, int64_t made_us);
bool spent_has(struct spent *s, const struct sha256 *owner, struct str name, int64_t made_us);
