/* source - see source.h. */
#include "backend/source.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

void source_init(
	struct source *s, const struct source_config *config, unsigned statement_count, bool writes)
{
	pthread_condattr_t attr;

	*s = (struct source){ .config = config, .root = -1, .most = MAX(config->concurrency, 1u) };
	if (config->kind == SOURCE_SQLITE)
		s->pool = lite_pool_new(config->path, config->pool, statement_count);
	if (config->kind == SOURCE_SQLITE && writes)
		s->writers = lite_pool_new_writing(config->path, statement_count);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->left, &attr);
	pthread_condattr_destroy(&attr);
}

void source_done(struct source *s)
{
	bug_on(s->inside);
	lite_pool_free(&s->pool);
	lite_pool_free(&s->writers);
	if (s->root >= 0)
		close(s->root);
	pthread_cond_destroy(&s->left);
	pthread_mutex_destroy(&s->lock);
}

/* Under the lock.  False: no place became free in time. */
static bool wait_for_place(struct source *s, uint32_t wait_ms)
{
	uint64_t until_ms = clock_mono_ms() + wait_ms;
	struct timespec t = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L };

	while (s->inside >= s->most)
		if (pthread_cond_timedwait(&s->left, &s->lock, &t) == ETIMEDOUT)
			return s->inside < s->most;
	return true;
}

static void visit_close(void *v)
{
	visit_end(v);
}

struct visit *visit_begin(struct source *s, struct arena *a, uint32_t wait_ms, struct err *err)
{
	struct visit *v = arena_new(a, struct visit);
	bool entered;

	arena_defer(a, visit_close, v);
	pthread_mutex_lock(&s->lock);
	entered = s->inside < s->most || wait_for_place(s, wait_ms);
	if (entered) {
		s->inside++;
		v->source = s;
	}
	pthread_mutex_unlock(&s->lock);
	if (entered)
		return v;
	err_set(err, E_BUSY, "source %.*s: %u calls were in it for %u ms", STR_ARG(s->config->name),
		s->most, wait_ms);
	return NULL;
}

struct lite *visit_lite(struct visit *v, uint32_t wait_ms, struct err *err)
{
	if (!v->lite)
		v->lite = lite_take(v->source->pool, wait_ms, err);
	return v->lite;
}

struct lite *visit_writer(struct visit *v, uint32_t wait_ms, struct err *err)
{
	bug_on(v->lite || !v->source->writers);
	v->lite = lite_take(v->source->writers, wait_ms, err);
	return v->lite;
}

void visit_end(struct visit *v)
{
	struct source *s = v->source;

	if (v->lite)
		lite_give(v->lite);
	v->lite = NULL;
	v->source = NULL;
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->inside--;
	pthread_cond_signal(&s->left);
	pthread_mutex_unlock(&s->lock);
}

int source_root(struct source *s, struct err *err)
{
	struct arena a;
	int root;

	arena_init(&a, (size_t)64 << 10);
	pthread_mutex_lock(&s->lock);
	if (s->root < 0)
		s->root = open(arena_cstr(&a, s->config->path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	root = s->root;
	if (root < 0)
		err_errno(err, E_UNAVAILABLE, "source %.*s: %.*s", STR_ARG(s->config->name),
			STR_ARG(s->config->path));
	pthread_mutex_unlock(&s->lock);
	arena_done(&a);
	return root;
}
