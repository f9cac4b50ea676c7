/* inflight - see inflight.h.  A few dozen calls at most: a list is enough. */
#include "serve/inflight.h"

#include <pthread.h>

struct inflight {
	pthread_mutex_t lock;
	struct inflight_call *first;
};

struct inflight *inflight_new(void)
{
	struct inflight *i = heap_new(struct inflight);

	pthread_mutex_init(&i->lock, NULL);
	return i;
}

void inflight_free(struct inflight **i)
{
	bug_on((*i)->first);
	pthread_mutex_destroy(&(*i)->lock);
	heap_free(*i);
	*i = NULL;
}

static struct inflight_call *find(struct inflight *i, struct str scope, struct str id)
{
	struct inflight_call *c = i->first;

	while (c && !(str_eq(c->id, id) && str_eq(c->scope, scope)))
		c = c->next;
	return c;
}

bool inflight_begin(struct inflight *i, struct inflight_call *call)
{
	bool is_new;

	pthread_mutex_lock(&i->lock);
	is_new = !find(i, call->scope, call->id);
	if (is_new) {
		call->next = i->first;
		i->first = call;
	}
	pthread_mutex_unlock(&i->lock);
	return is_new;
}

void inflight_end(struct inflight *i, struct inflight_call *call)
{
	struct inflight_call **at;

	pthread_mutex_lock(&i->lock);
	for (at = &i->first; *at && *at != call; at = &(*at)->next)
		;
	if (*at)
		*at = call->next;
	pthread_mutex_unlock(&i->lock);
}

void inflight_cancel(struct inflight *i, struct str scope, struct str id)
{
	struct inflight_call *c;

	pthread_mutex_lock(&i->lock);
	c = find(i, scope, id);
	if (c)
		c->cancelled = true;
	pthread_mutex_unlock(&i->lock);
}
