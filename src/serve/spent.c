/* spent - see spent.h.
 *
 * Two tables: new names go into the young one; when it is full it becomes the old one, and the old
 * one is forgotten as a whole.
 *
 * Invariants: 1. floor_us is no less than the time of any name that was forgotten.  2. together the
 * tables hold at most `most`. */
#include "serve/spent.h"

#include "base/map.h"

#include <pthread.h>

struct half {
	struct map names;
	int64_t newest_us;
};

struct spent {
	pthread_mutex_t lock;
	struct half young, old;
	int64_t floor_us;
	size_t most;
};

struct spent *spent_new(size_t most)
{
	struct spent *s = heap_new(struct spent);

	pthread_mutex_init(&s->lock, NULL);
	map_init(&s->young.names);
	map_init(&s->old.names);
	s->young.newest_us = s->old.newest_us = s->floor_us = INT64_MIN;
	s->most = MAX(most, (size_t)2);
	return s;
}

void spent_free(struct spent **s)
{
	map_done(&(*s)->young.names);
	map_done(&(*s)->old.names);
	pthread_mutex_destroy(&(*s)->lock);
	heap_free(*s);
	*s = NULL;
}

/* Under the lock. */
static bool has(const struct spent *s, struct str name, int64_t made_us)
{
	return made_us <= s->floor_us || map_get(&s->young.names, name) ||
	       map_get(&s->old.names, name);
}

/* Under the lock. */
static void make_room(struct spent *s)
{
	if (s->young.names.count < s->most / 2)
		return;
	s->floor_us = MAX(s->floor_us, s->old.newest_us);
	map_done(&s->old.names);
	s->old = s->young;
	map_init(&s->young.names);
	s->young.newest_us = INT64_MIN;
}

void spent_add(struct spent *s, struct str name, int64_t made_us)
{
	pthread_mutex_lock(&s->lock);
	if (!has(s, name, made_us)) {
		make_room(s);
		bug_on(!map_add(&s->young.names, name, s));
		s->young.newest_us = MAX(s->young.newest_us, made_us);
	}
	pthread_mutex_unlock(&s->lock);
}

bool spent_has(struct spent *s, struct str name, int64_t made_us)
{
	bool found;

	pthread_mutex_lock(&s->lock);
	found = has(s, name, made_us);
	pthread_mutex_unlock(&s->lock);
	return found;
}
