/* clock - what time it is.  Time is a parameter everywhere else: only the threads' outermost
 * functions, waits and the log read it. */
#pragma once
#include "base/buf.h"

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: never steps; for durations and deadlines */
uint64_t clock_mono_ms(void);
uint64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: as that, counts sleep too, same for all processes
			       */
int64_t clock_wall_us(void); /* CLOCK_REALTIME, microseconds since 1970 UTC; may step */

/* Another text after every start of the host; "unknown" where the kernel does not say. */
struct str clock_boot_id(struct arena *a);

/* "2026-11-21T03:07:11.402113Z" (RFC 3339, UTC, microseconds), as the audit log writes it. */
void clock_write_rfc3339(struct buf *out, int64_t wall_us);
