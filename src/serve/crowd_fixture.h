/* crowd_fixture - many clients that come on several threads while others see them go.
 *
 * CROWD_LANES and CROWD_ROUNDS are defined by the test: threads that open, and clients of each. */
#pragma once
#include "serve/exchange_fixture.h"

#include <sched.h>
#include <stdatomic.h>

static struct client crowd[CROWD_LANES][CROWD_ROUNDS];
static _Atomic unsigned opened[CROWD_LANES]; /* how many of a lane have come */
static _Atomic unsigned busy; /* lanes that have not brought all of theirs */

struct crowd_sum {
	unsigned parked, replies;
};

static inline void crowd_gather(void)
{
	for (unsigned lane = 0; lane < CROWD_LANES; lane++)
		for (unsigned i = 0; i < CROWD_ROUNDS; i++)
			client_init(&crowd[lane][i]);
	atomic_store(&busy, CROWD_LANES);
}

/* On one thread for each lane. */
static inline void crowd_come(unsigned lane, void (*come)(struct client *c, unsigned i))
{
	for (unsigned i = 0; i < CROWD_ROUNDS; i++) {
		atomic_store(&opened[lane], i + 1);
		come(&crowd[lane][i], i);
	}
	atomic_fetch_sub(&busy, 1);
}

/* Those hang up whose number `leaves` says so, as soon as they are there or a little before. */
static inline void crowd_leave(bool (*leaves)(unsigned i))
{
	for (unsigned i = 0; i < CROWD_ROUNDS; i++)
		for (unsigned lane = 0; lane < CROWD_LANES; lane++) {
			while (atomic_load(&opened[lane]) <= i)
				sched_yield();
			if (leaves(i))
				client_leave(&crowd[lane][i]);
		}
}

/* When all threads are done: nothing is held of anybody. */
static inline struct crowd_sum crowd_disperse(void)
{
	struct crowd_sum sum = { 0 };

	for (unsigned lane = 0; lane < CROWD_LANES; lane++)
		for (unsigned i = 0; i < CROWD_ROUNDS; i++) {
			sum.parked += crowd[lane][i].parked;
			sum.replies += crowd[lane][i].replies;
			assert_released(&crowd[lane][i]);
		}
	return sum;
}
