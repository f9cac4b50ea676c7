/* Tests of pool: one event, one worker; ticks; stopping. */
#include "loop/pool.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define PATIENCE_MS 5000

#define WAIT_FOR(cond)                                                                             \
	do {                                                                                       \
		uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;                                 \
		while (!(cond)) {                                                                  \
			if (clock_mono_ms() > until_ms)                                            \
				fail_msg("did not come: %s", #cond);                               \
			poll(NULL, 0, 1);                                                          \
		}                                                                                  \
	} while (0)

struct counter {
	struct pool_item item;
	struct pool *pool;
	_Atomic unsigned inside, worst, calls;
	unsigned plain; /* not atomic: whoever has the event owns it */
	_Atomic bool hold;
};

static void counter_ready(struct pool_item *item, uint32_t events)
{
	struct counter *c = (struct counter *)item;
	unsigned inside = ++c->inside;
	eventfd_t n;

	assert_true(events & EPOLLIN);
	if (inside > c->worst)
		c->worst = inside;
	c->plain++;
	while (c->hold)
		poll(NULL, 0, 1);
	assert_int_equal(eventfd_read(item->fd, &n), 0);
	c->inside--;
	c->calls++;
	pool_arm(c->pool, item, EPOLLIN);
}

static void counter_open(struct counter *c, struct pool *p)
{
	*c = (struct counter){ .item = { .ready = counter_ready }, .pool = p };
	c->item.fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
	assert_true(c->item.fd >= 0);
}

static void counter_close(struct counter *c)
{
	pool_forget(c->pool, &c->item);
	close(c->item.fd);
}

static struct pool *start(unsigned workers)
{
	struct err err = { 0 };
	struct pool *p = pool_new(workers, NULL, NULL, &err);

	assert_non_null(p);
	assert_true(pool_start(p, &err));
	return p;
}

static void an_event_has_one_owner_until_it_is_armed_again(void **state)
{
	struct pool *p = start(4);
	struct counter c;

	(void)state;
	counter_open(&c, p);
	assert_true(pool_arm(p, &c.item, EPOLLIN));
	for (int i = 0; i < 500; i++)
		assert_int_equal(eventfd_write(c.item.fd, 1), 0);
	WAIT_FOR(c.calls == 500);
	pool_stop(p);
	assert_int_equal(c.worst, 1);
	assert_int_equal(c.plain, 500);
	counter_close(&c);
	pool_free(&p);
}

static void two_events_are_served_at_the_same_time(void **state)
{
	struct pool *p = start(2);
	struct counter c[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		counter_open(&c[i], p);
		c[i].hold = true;
		assert_true(pool_arm(p, &c[i].item, EPOLLIN));
		assert_int_equal(eventfd_write(c[i].item.fd, 1), 0);
	}
	WAIT_FOR(c[0].inside == 1 && c[1].inside == 1);
	c[0].hold = c[1].hold = false;
	WAIT_FOR(c[0].calls == 1 && c[1].calls == 1);
	pool_stop(p);
	for (int i = 0; i < 2; i++)
		counter_close(&c[i]);
	pool_free(&p);
}

static void nothing_is_called_that_is_not_armed(void **state)
{
	struct pool *p = start(2);
	struct counter quiet, other;

	(void)state;
	counter_open(&quiet, p);
	counter_open(&other, p);
	assert_true(pool_arm(p, &quiet.item, EPOLLIN));
	pool_forget(p, &quiet.item);
	assert_int_equal(eventfd_write(quiet.item.fd, 1), 0);
	assert_true(pool_arm(p, &other.item, EPOLLIN));
	assert_int_equal(eventfd_write(other.item.fd, 1), 0);
	WAIT_FOR(other.calls == 1);
	assert_int_equal(quiet.calls, 0);
	assert_true(pool_arm(p, &quiet.item, EPOLLIN)); /* it can be armed again */
	WAIT_FOR(quiet.calls == 1);
	pool_stop(p);
	counter_close(&quiet);
	counter_close(&other);
	pool_free(&p);
}

static void *release(void *ctx)
{
	struct counter *c = ctx;

	poll(NULL, 0, 5);
	c->hold = false;
	return NULL;
}

static void stopping_waits_for_what_runs(void **state)
{
	struct pool *p = start(2);
	struct counter c;
	pthread_t thread;

	(void)state;
	counter_open(&c, p);
	c.hold = true;
	assert_true(pool_arm(p, &c.item, EPOLLIN));
	assert_int_equal(eventfd_write(c.item.fd, 1), 0);
	WAIT_FOR(c.inside == 1);
	assert_int_equal(pthread_create(&thread, NULL, release, &c), 0);
	pool_stop(p);
	assert_int_equal(c.calls, 1);
	pthread_join(thread, NULL);
	counter_close(&c);
	pool_free(&p);
}

struct clock_seen {
	_Atomic unsigned ticks;
	_Atomic uint64_t last_ms;
};

static void on_tick(void *ctx, uint64_t mono_ms)
{
	struct clock_seen *seen = ctx;

	seen->last_ms = mono_ms;
	seen->ticks++;
}

static void it_ticks_with_the_time(void **state)
{
	uint64_t begin = clock_mono_ms();
	struct clock_seen seen = { 0 };
	struct err err = { 0 };
	struct pool *p = pool_new(1, on_tick, &seen, &err);

	(void)state;
	assert_non_null(p);
	assert_true(pool_start(p, &err));
	WAIT_FOR(seen.ticks >= 1);
	assert_in_range(seen.last_ms, begin + POOL_TICK_MS - 1, clock_mono_ms());
	pool_free(&p); /* stops it */
	assert_null(p);
}

static void no_workers_or_too_many_are_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(pool_new(0, NULL, NULL, &err));
	assert_int_equal(err.code, E_INVALID);
	assert_null(pool_new(POOL_WORKERS_MAX + 1, NULL, NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_has_one_owner_until_it_is_armed_again),
		cmocka_unit_test(two_events_are_served_at_the_same_time),
		cmocka_unit_test(nothing_is_called_that_is_not_armed),
		cmocka_unit_test(stopping_waits_for_what_runs),
		cmocka_unit_test(it_ticks_with_the_time),
		cmocka_unit_test(no_workers_or_too_many_are_refused),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
