/* id - names that are unique and, within a millisecond, unguessable: 48 bits of time and 80 random
 * bits in Crockford's base 32, 26 characters, sortable by time (the ULID form).  Call ids, boot
 * ids. */
#pragma once
#include "base/str.h"

#define ID_BYTES 26

struct id {
	char c[ID_BYTES];
};

void id_make(struct id *out, int64_t wall_us);
static inline struct str id_str(const struct id *id)
{
	return (struct str){ .p = id->c, .n = ID_BYTES };
}
