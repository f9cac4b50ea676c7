/* spent - see spent.h.
 *
 * Two tables for each owner: new names go into the young one; when it is full it becomes the old
 * one, and the old one is forgotten as a whole.  When all together are too many, the owner that has
 * most forgets one of its tables.
 *
 * Invariants: 1. an owner's floor_us is no less than the time of any name of it that was forgotten;
 * that of all, of any name of an owner that was.  2. count is what all tables hold, at most `most`.
 * 3. owners are in order of their last end, the latest first; at most `owners_most`. */
#include "serve/spent.h"

#include "base/map.h"

#include <pthread.h>

#define SHARES 8 /* a table is full with this part of all */
#define CHAINS 1024
_Static_assert((CHAINS & (CHAINS - 1)) == 0, "a mask picks the chain");

struct half {
	struct map names;
	int64_t newest_us;
};

struct owner {
	struct owner *newer, *older, *same_hash;
	struct sha256 who;
	struct half young, old;
	int64_t floor_us;
};

struct spent {
	pthread_mutex_t lock;
	struct owner *newest, *oldest, *chains[CHAINS];
	size_t count, most, owner_count, owners_most;
	int64_t floor_us;
};

struct spent *spent_new(size_t most, size_t owners)
{
	struct spent *s = heap_new(struct spent);

	pthread_mutex_init(&s->lock, NULL);
	s->floor_us = INT64_MIN;
	s->most = MAX(most, (size_t)1);
	s->owners_most = MAX(owners, (size_t)1);
	return s;
}

/* All of these under the lock. */

static void empty(struct spent *s, struct half *h)
{
	s->count -= h->names.count;
	map_done(&h->names);
	h->newest_us = INT64_MIN;
}

static struct owner **chain_of(struct spent *s, const struct sha256 *who)
{
	return &s->chains[siphash_of(str_n(who->b, SHA256_BYTES)) & (CHAINS - 1)];
}

static struct owner *find(struct spent *s, const struct sha256 *who)
{
	struct owner *o = *chain_of(s, who);

	while (o && !sha256_eq(&o->who, who))
		o = o->same_hash;
	return o;
}

static void unlink_use(struct spent *s, struct owner *o)
{
	*(o->newer ? &o->newer->older : &s->newest) = o->older;
	*(o->older ? &o->older->newer : &s->oldest) = o->newer;
}

static void link_newest(struct spent *s, struct owner *o)
{
	o->newer = NULL;
	o->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = o;
	s->newest = o;
}

static int64_t newest_of(const struct owner *o)
{
	return MAX(o->floor_us, MAX(o->young.newest_us, o->old.newest_us));
}

static void forget_oldest(struct spent *s)
{
	struct owner *o = s->oldest, **at = chain_of(s, &o->who);

	while (*at != o)
		at = &(*at)->same_hash;
	*at = o->same_hash;
	unlink_use(s, o);
	s->floor_us = MAX(s->floor_us, newest_of(o));
	empty(s, &o->young);
	empty(s, &o->old);
	heap_free(o);
	s->owner_count--;
}

static struct owner *add_owner(struct spent *s, const struct sha256 *who)
{
	struct owner *o, **chain = chain_of(s, who);

	if (s->owner_count >= s->owners_most)
		forget_oldest(s);
	o = heap_new(struct owner);
	o->who = *who;
	o->young.newest_us = o->old.newest_us = o->floor_us = INT64_MIN;
	o->same_hash = *chain;
	*chain = o;
	link_newest(s, o);
	s->owner_count++;
	return o;
}

static struct owner *use(struct spent *s, const struct sha256 *who)
{
	struct owner *o = find(s, who);

	if (!o)
		return add_owner(s, who);
	unlink_use(s, o);
	link_newest(s, o);
	return o;
}

static bool has(const struct owner *o, struct str name, int64_t made_us)
{
	return made_us <= o->floor_us || map_get(&o->young.names, name) ||
	       map_get(&o->old.names, name);
}

static void forget_old(struct spent *s, struct owner *o)
{
	o->floor_us = MAX(o->floor_us, o->old.newest_us);
	empty(s, &o->old);
	o->old = o->young;
	map_init(&o->young.names);
	o->young.newest_us = INT64_MIN;
}

static size_t count_of(const struct owner *o)
{
	return o->young.names.count + o->old.names.count;
}

static struct owner *largest(struct spent *s)
{
	struct owner *found = s->oldest;

	for (struct owner *o = s->oldest; o; o = o->newer)
		if (count_of(o) > count_of(found))
			found = o;
	return found;
}

static void make_room(struct spent *s, struct owner *o)
{
	if (o->young.names.count >= MAX(s->most / SHARES, (size_t)1))
		forget_old(s, o);
	while (s->count >= s->most) {
		struct owner *found = largest(s);

		bug_on(!found); /* names are somebody's */
		forget_old(s, found); /* the second time at the latest it frees some */
	}
}

static void add(struct spent *s, struct owner *o, struct str name, int64_t made_us)
{
	make_room(s, o);
	bug_on(!map_add(&o->young.names, name, s));
	o->young.newest_us = MAX(o->young.newest_us, made_us);
	s->count++;
}

/* --- from any thread --- */

void spent_free(struct spent **s)
{
	while ((*s)->oldest)
		forget_oldest(*s);
	pthread_mutex_destroy(&(*s)->lock);
	heap_free(*s);
	*s = NULL;
}

void spent_add(struct spent *s, const struct sha256 *owner, struct str name, int64_t made_us)
{
	struct owner *o;

	pthread_mutex_lock(&s->lock);
	if (made_us > s->floor_us) {
		o = use(s, owner);
		if (!has(o, name, made_us))
			add(s, o, name, made_us);
	}
	pthread_mutex_unlock(&s->lock);
}

bool spent_has(struct spent *s, const struct sha256 *owner, struct str name, int64_t made_us)
{
	const struct owner *o;
	bool found;

	pthread_mutex_lock(&s->lock);
	o = find(s, owner);
	found = made_us <= s->floor_us || (o && has(o, name, made_us));
	pthread_mutex_unlock(&s->lock);
	return found;
}
