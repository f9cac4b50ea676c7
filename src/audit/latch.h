/* latch - opens once, with a value; many threads wait for it with a deadline.
 *
 * One system call wakes them all (futex(2)), and none is needed when nobody waits in the kernel
 * yet. What the opener wrote before latch_set is seen by whoever reads a value. */
#pragma once
#include "base/def.h"

#include <stdatomic.h>

struct latch {
	_Atomic uint32_t value; /* 0: shut */
};

void latch_set(struct latch *l, uint32_t value); /* not 0; then latch_wake, outside of locks */
void latch_wake(struct latch *l);
uint32_t latch_value(const struct latch *l); /* 0: shut */
/* The value, or 0 when the deadline (clock_mono_ns) passed first. */
uint32_t latch_wait(struct latch *l, uint64_t deadline_ns);
