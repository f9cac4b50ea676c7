/* lite_pool - lends connections.
 *
 * Invariants: 1. opened = idle + lent + being opened, never above size.  2. a connection that met a
 * damaged file, an I/O error, or whose file was replaced is closed, not lent again.  3. the lock is
 * never held while a database is asked. */
#include "sql/inside.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_MS 1000 /* how long a replaced file may go unnoticed */

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Counting every allocation under one lock costs more than it tells. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct lite_pool *lite_pool_make(
	struct str file, unsigned size, unsigned statement_count, bool writing)
{
	struct lite_pool *p = heap_new(struct lite_pool);
	pthread_condattr_t attr;

	pthread_once(&once, configure);
	p->file = heap_alloc(file.n + 1);
	memcpy(p->file, file.p, file.n);
	p->size = MAX(size, 1u);
	p->statement_count = statement_count;
	p->writing = writing;
	p->idle = heap_alloc(p->size * sizeof *p->idle);
	p->allowed = heap_alloc(MAX(statement_count, 1u) * sizeof *p->allowed);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->given, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

struct lite_pool *lite_pool_new(struct str file, unsigned size, unsigned statement_count)
{
	return lite_pool_make(file, size, statement_count, false);
}

void lite_pool_free(struct lite_pool **pool)
{
	struct lite_pool *p = *pool;

	if (!p)
		return;
	bug_on(p->opened != p->idle_count); /* one is still lent */
	for (unsigned i = 0; i < p->idle_count; i++)
		lite_close(p->idle[i]);
	for (unsigned i = 0; i < p->statement_count; i++) {
		struct access_list *list = (struct access_list *)(uintptr_t)p->allowed[i];

		access_free(&list);
	}
	heap_free(p->allowed);
	heap_free(p->idle);
	heap_free(p->file);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	heap_free(p);
	*pool = NULL;
}

/* Under the lock: is the path still the file that the connections have open? */
static void look(struct lite_pool *p)
{
	uint64_t now = clock_mono_ms();
	struct stat st;

	if (p->looked_ms && now - p->looked_ms < LOOK_MS)
		return;
	p->looked_ms = now;
	if (stat(p->file, &st) != 0)
		st = (struct stat){ 0 };
	if (st.st_dev == p->device && st.st_ino == p->inode)
		return;
	p->device = st.st_dev;
	p->inode = st.st_ino;
	p->epoch++;
}

/* Under the lock.  False: the wait is over. */
static bool wait_for_one(struct lite_pool *p, uint64_t until_ms)
{
	struct timespec t = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L };

	return pthread_cond_timedwait(&p->given, &p->lock, &t) != ETIMEDOUT;
}

static struct lite *open_one(struct lite_pool *p, uint64_t epoch, struct err *err)
{
	struct lite *l = lite_open(p, epoch, err);

	if (l)
		return l;
	pthread_mutex_lock(&p->lock);
	p->opened--;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct lite *lite_take(struct lite_pool *p, uint32_t wait_ms, struct err *err)
{
	uint64_t until_ms = 0, epoch;
	struct lite *l = NULL;

	pthread_mutex_lock(&p->lock);
	look(p);
	while (!p->idle_count && p->opened == p->size) {
		if (!until_ms)
			until_ms = clock_mono_ms() + wait_ms;
		if (wait_for_one(p, until_ms) || p->idle_count || p->opened < p->size)
			continue;
		pthread_mutex_unlock(&p->lock);
		err_set(err, E_BUSY, "%s: all %u connections were busy for %u ms", p->file, p->size,
			wait_ms);
		return NULL;
	}
	epoch = p->epoch;
	if (p->idle_count)
		l = p->idle[--p->idle_count];
	else
		p->opened++;
	pthread_mutex_unlock(&p->lock);
	if (l && l->epoch == epoch)
		return l;
	if (l)
		lite_close(l);
	return open_one(p, epoch, err);
}

void lite_give(struct lite *l)
{
	struct lite_pool *p = l->pool;
	bool keep;

	/* a call that ran out of memory left in the middle of anything */
	l->own = false;
	l->held = l->recording = NULL;
	if (l->running)
		lite_end(l->running);
	if (l->once.s)
		lite_end_once(&l->once);
	lite_rollback(l);
	lite_limits(l, 0, NULL, NULL);
	pthread_mutex_lock(&p->lock);
	keep = !l->broken && l->epoch == p->epoch;
	if (keep)
		p->idle[p->idle_count++] = l;
	pthread_mutex_unlock(&p->lock);
	if (!keep)
		lite_close(l);
	pthread_mutex_lock(&p->lock);
	if (!keep)
		p->opened--;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
}
