/* latch - see latch.h. */
#include "audit/latch.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void latch_set(struct latch *l, uint32_t value)
{
	atomic_store_explicit(&l->value, value, memory_order_release);
}

void latch_wake(struct latch *l)
{
	syscall(SYS_futex, &l->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

uint32_t latch_value(const struct latch *l)
{
	return atomic_load_explicit(&l->value, memory_order_acquire);
}

uint32_t latch_wait(struct latch *l, uint64_t deadline_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / 1000000000u),
		.tv_nsec = (long)(deadline_ns % 1000000000u),
	};
	uint32_t value = latch_value(l);

	/* WAIT_BITSET takes the moment itself, on CLOCK_MONOTONIC; it may wake for no reason */
	while (!value && clock_mono_ns() < deadline_ns) {
		syscall(SYS_futex, &l->value, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL,
			FUTEX_BITSET_MATCH_ANY);
		value = latch_value(l);
	}
	return value;
}
