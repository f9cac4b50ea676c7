/* http_lane - buffers and arenas that connections borrow while a request is read and served.
 *
 * Invariants: 1. a lane that is given back holds nothing of the request it served.  2.
 * server->memory is the sum of `charged` over the lanes that are lent. */
#include "transport/http_inside.h"

#include <stdlib.h>

#define HEAD_MOST ((size_t)1 << 20) /* of a reply's head */
#define ARENA_MOST ((size_t)64 << 20)
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

bool http_lane_charge(struct http_server *s, struct http_lane *l)
{
	size_t more = l->in.n - MIN(l->in.n, HTTP_READ_BYTES + l->charged);

	if (!more)
		return true;
	l->charged += more;
	return atomic_fetch_add(&s->memory, more) + more <= s->config.memory;
}

void http_lane_free(struct http_lane *l)
{
	buf_done(&l->in);
	buf_done(&l->out);
	arena_done(&l->arena);
	free(l);
}

void http_lane_give(struct http_server *s, struct http_lane *l)
{
	s->memory -= l->charged;
	l->charged = 0;
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
