/* clock - the store's own time, one for all that share it.
 *
 * While a host runs it goes as CLOCK_BOOTTIME goes, so a wall clock that steps changes nothing;
 * over a restart of the host it goes on by the wall clock, forward only.  Thread-safe. */
#pragma once
#include "store/store.h"

struct store_moment {
	struct str boot_id;
	uint64_t boot_ms;
	int64_t wall_us;
};

/* What time it is now: microseconds since 1970 as far as the wall clock was right when the store
 * was first used.  A store that is not there yet has the wall clock's. */
bool store_now_us(struct store *s, int64_t *now_out, struct err *err) must_check;

/* Another clock than the host's, for tests; before any other thread uses the store.  Its boot_id
 * must stay. */
typedef void store_clock_read(struct store_moment *out);
void store_clock_set(struct store *s, store_clock_read *read);
