/* pool - see pool.h.
 *
 * Invariants: 1. an item is armed for one event, and only by its owner, so no two threads ever hold
 * the same one.  2. the stop descriptor is armed for ever and never read: once written, it wakes
 * every worker.  3. nothing of an item is touched after it was armed.  4. what the owner wrote
 * before arming is seen by the next one: `armed` is written with release before and read with
 * acquire behind the kernel's hand-off. */
#include "loop/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* The sanitizers make frames several times larger. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES ((size_t)4 << 20)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_BYTES ((size_t)4 << 20)
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES ((size_t)1 << 20) /* a schema check may take 400 KiB */
#endif

struct pool {
	int epoll_fd, stop_fd;
	unsigned workers, started; /* threads wanted; running, the ticking one included */
	void (*tick)(void *ctx, uint64_t mono_ms);
	void *tick_ctx;
	pthread_t threads[];
};

static void *work(void *ctx)
{
	const struct pool *p = ctx;
	struct epoll_event event;

	for (;;) {
		int n = epoll_wait(p->epoll_fd, &event, 1, -1);
		struct pool_item *item;

		if (n < 0 && errno == EINTR)
			continue;
		bug_on(n < 0);
		if (n == 0)
			continue;
		item = event.data.ptr;
		if (!item)
			return NULL;
		(void)atomic_load_explicit(&item->armed, memory_order_acquire);
		item->ready(item, event.events);
	}
}

static void *tick(void *ctx)
{
	const struct pool *p = ctx;
	struct pollfd stop = { .fd = p->stop_fd, .events = POLLIN };

	while (poll(&stop, 1, POOL_TICK_MS) <= 0)
		if (p->tick)
			p->tick(p->tick_ctx, clock_mono_ms());
	return NULL;
}

static bool open_descriptors(struct pool *p, struct err *err)
{
	struct epoll_event stop = { .events = EPOLLIN };

	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0)
		return err_errno(err, E_IO, "epoll");
	p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->stop_fd < 0)
		return err_errno(err, E_IO, "eventfd");
	if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->stop_fd, &stop) != 0)
		return err_errno(err, E_IO, "epoll");
	return true;
}

struct pool *pool_new(unsigned workers, void (*tick_fn)(void *ctx, uint64_t mono_ms),
	void *tick_ctx, struct err *err)
{
	struct pool *p;

	if (workers < 1 || workers > POOL_WORKERS_MAX) {
		err_set(err, E_INVALID, "%u workers: 1 to %d are possible", workers,
			POOL_WORKERS_MAX);
		return NULL;
	}
	p = heap_alloc(sizeof *p + (workers + 1) * sizeof p->threads[0]);
	*p = (struct pool){ .epoll_fd = -1,
		.stop_fd = -1,
		.workers = workers,
		.tick = tick_fn,
		.tick_ctx = tick_ctx };
	if (!open_descriptors(p, err))
		pool_free(&p);
	return p;
}

static bool start_threads(struct pool *p, const pthread_attr_t *attr, struct err *err)
{
	for (unsigned i = 0; i <= p->workers; i++) {
		int failure = pthread_create(&p->threads[i], attr, i < p->workers ? work : tick, p);

		if (failure) {
			errno = failure;
			return err_errno(err, E_IO, "thread %u of %u", i + 1, p->workers + 1);
		}
		p->started++;
	}
	return true;
}

bool pool_start(struct pool *p, struct err *err)
{
	sigset_t all, before;
	pthread_attr_t attr;
	bool ok;

	bug_on(p->started);
	bug_on(pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES));
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* base/mapped.h */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = start_threads(p, &attr, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!ok)
		pool_stop(p);
	return ok;
}

/* As epoll_ctl.  The raw call, because ThreadSanitizer's picture of a descriptor knows that
 * EPOLL_CTL_ADD hands it over, but not that EPOLL_CTL_MOD does. */
static bool control(const struct pool *p, int op, int fd, struct epoll_event *event)
{
	return syscall(SYS_epoll_ctl, p->epoll_fd, op, fd, event) == 0;
}

bool pool_arm(struct pool *p, struct pool_item *item, uint32_t epoll_events)
{
	struct epoll_event event = { .events = epoll_events | EPOLLONESHOT, .data.ptr = item };
	int fd = item->fd;
	unsigned before = atomic_fetch_add_explicit(&item->armed, 1, memory_order_release);

	/* from here on the item may be another thread's, or gone */
	if (control(p, before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
		return true;
	bug_on(errno != ENOMEM && errno != ENOSPC);
	item->armed = before;
	return false;
}

void pool_forget(struct pool *p, struct pool_item *item)
{
	if (item->armed)
		control(p, EPOLL_CTL_DEL, item->fd, NULL);
	item->armed = 0;
}

void pool_stop(struct pool *p)
{
	if (!p->started)
		return;
	bug_on(eventfd_write(p->stop_fd, 1) != 0);
	while (p->started)
		pthread_join(p->threads[--p->started], NULL);
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	pool_stop(p);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
	if (p->epoll_fd >= 0)
		close(p->epoll_fd);
	heap_free(p);
	*pp = NULL;
}
