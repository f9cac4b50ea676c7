/* pool - which descriptor is due, and who works next.
 *
 * N workers share one epoll set; every descriptor is armed one-shot, so whoever got the event owns
 * what stands behind it until pool_arm hands it back.  There is no queue and no hand-off: a ready
 * connection wakes exactly one waiting worker, which then runs the whole call.  One more thread
 * ticks (deadlines, keep-alive) every POOL_TICK_MS.
 *
 * Only the owner of an item may arm or forget it: the one who made it, until it is first armed,
 * then the worker that got its event.  A worker's stack is 1 MiB; signals are blocked in all
 * threads. */
#pragma once
#include "base/err.h"

#define POOL_TICK_MS 200
#define POOL_WORKERS_MAX 1024

struct pool;

/* What an armed descriptor means; embedded in the owner's struct, which must stay valid while
 * armed. Zeroed before first use, apart from ready and fd. */
struct pool_item {
	void (*ready)(struct pool_item *item, uint32_t epoll_events);
	int fd;
	_Atomic unsigned armed; /* the pool's: how often; 0: it is not in the epoll set */
};

/* At least one worker.  tick may be NULL. */
struct pool *pool_new(unsigned workers, void (*tick)(void *ctx, uint64_t mono_ms), void *tick_ctx,
	struct err *err);
bool pool_start(struct pool *p, struct err *err) must_check; /* starts the threads */
/* Arms (first time or again) for EPOLLIN, EPOLLOUT…; one-shot; EPOLLHUP and EPOLLERR always come.
 * True: the caller owns the item no more, a worker may have freed it already.  False: the kernel
 * had no memory for it; the caller still owns it. */
bool pool_arm(struct pool *p, struct pool_item *item, uint32_t epoll_events);
void pool_forget(struct pool *p, struct pool_item *item); /* before the descriptor is closed */
/* Workers finish what they run, then end; what is armed stays so, with nobody to see it. */
void pool_stop(struct pool *p);
void pool_free(struct pool **p); /* stops it first, when running */
