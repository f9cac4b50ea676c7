/* spent - names that are not to be used again before they expire of themselves: ended sessions.
 *
 * Every name was made at a known time.  Past SPENT_MAX the older half is forgotten, and from then
 * on every name made no later than one of those counts as spent: what was ended never comes back,
 * and what pays for it is a client that must begin again.  Thread-safe. */
#pragma once
#include "base/str.h"

#define SPENT_MAX 65536

struct spent;

struct spent *spent_new(size_t most);
void spent_free(struct spent **s);

void spent_add(struct spent *s, struct str name, int64_t made_us);
bool spent_has(struct spent *s, struct str name, int64_t made_us);
