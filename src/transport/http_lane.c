/* http_lane - buffers and arenas that connections borrow while a request is read and served.
 *
 * What is read before anybody is known is counted three times: with the memory of the process, as
 * what calls use is (arena.h); among all that is being read, which may be half of that, so that
 * calls have the other half; and for the address it comes from, which has the share of that half
 * that it has of the connections.
 *
 * Invariants: 1. a lane that is given back holds nothing of the request it served.  2.
 * server->memory and from->memory are the sums of `charged` over the lanes that are lent. */
#include "transport/http_inside.h"

#include <stdlib.h>

#define HEAD_MOST ((size_t)1 << 20) /* of a reply's head */
#define ARENA_MOST ((size_t)64 << 20)
#define MEMORY_WITHOUT_BUDGET ((size_t)64 << 20)
#define LANES_KEPT 32

struct http_lane *http_lane_take(struct http_server *s)
{
	size_t headers = s->config.limits.header_count * sizeof(struct http_header);
	struct http_lane *l;

	pthread_mutex_lock(&s->lane_lock);
	l = s->lanes;
	if (l) {
		s->lanes = l->next;
		s->lane_count--;
	}
	pthread_mutex_unlock(&s->lane_lock);
	if (l)
		return l;
	l = calloc(1, sizeof *l + headers);
	if (!l)
		return NULL;
	buf_init(&l->in, s->config.limits.request_line + s->config.limits.header_bytes +
				 s->config.limits.body + HTTP_READ_MOST);
	buf_init(&l->out, HEAD_MOST);
	arena_init(&l->arena, ARENA_MOST);
	http_parse_begin(&l->parser, &s->config.limits, l->headers);
	return l;
}

/* The budget is another one after a reload. */
static size_t most_of_all(const struct http_config *config)
{
	size_t budget = arena_budget_bytes();

	if (config->memory)
		return config->memory;
	return budget ? budget / 2 : MEMORY_WITHOUT_BUDGET;
}

/* Always one request. */
static size_t most_of_address(const struct http_config *config, size_t most)
{
	size_t share = most / config->max_conns * config->per_address;

	return config->per_address ? MAX(share, config->limits.body + HTTP_READ_MOST) : most;
}

bool http_lane_charge(struct http_conn *c)
{
	struct http_server *s = c->server;
	struct http_lane *l = c->lane;
	size_t more = l->in.n - MIN(l->in.n, HTTP_READ_BYTES + l->charged);
	size_t most = most_of_all(&s->config), all, of_address;

	if (!more)
		return true;
	l->charged += more;
	all = atomic_fetch_add(&s->memory, more) + more;
	of_address = atomic_fetch_add(&c->from->memory, more) + more;
	return arena_budget_take(more) && all <= most &&
	       of_address <= most_of_address(&s->config, most);
}

void http_lane_free(struct http_lane *l)
{
	buf_done(&l->in);
	buf_done(&l->out);
	arena_done(&l->arena);
	free(l);
}

static void discharge(struct http_conn *c)
{
	struct http_lane *l = c->lane;

	arena_budget_give(l->charged);
	c->server->memory -= l->charged;
	c->from->memory -= l->charged;
	l->charged = 0;
}

void http_lane_give(struct http_conn *c)
{
	struct http_server *s = c->server;
	struct http_lane *l = c->lane;

	discharge(c);
	c->lane = NULL;
	if (l->in.cap > 2 * HTTP_READ_BYTES)
		buf_done(&l->in);
	buf_clear(&l->in);
	arena_reset(&l->arena);
	http_parse_begin(&l->parser, &s->config.limits, l->headers);
	pthread_mutex_lock(&s->lane_lock);
	if (s->lane_count < LANES_KEPT) {
		l->next = s->lanes;
		s->lanes = l;
		s->lane_count++;
		l = NULL;
	}
	pthread_mutex_unlock(&s->lane_lock);
	if (l)
		http_lane_free(l);
}
