/* http_door - who may come in, and who goes for it: connections by the address they came from.
 *
 * When there are as many connections as there may be, or as many from one address, the one that has
 * waited longest goes for the new one: first those to which all is said, then those without a byte
 * of a request, then those that have sent a part of one.  A request that is whole is always
 * answered, a stream stays: where nothing else is left, the new one is turned away.
 *
 * Invariants: 1. from->count is the number of connections in the list that came from there; one
 * with none is not in the table.  2. nothing here closes: who is to go is cut, and closed by the
 * worker that wakes for it.  Until then both count, so a little more than the limit is room for the
 * change; past that the door is shut. */
#include "transport/http_inside.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/map.h"

#define SPARE 64 /* connections past max_conns that go, or are told why they cannot stay */
#define SPARE_OF_ADDRESS 8

/* A network: an IPv4 address, or 64 bits of IPv6, as one person has as many addresses of it as they
 * like. */
static void network_of(const void *sockaddr, uint8_t *out)
{
	const struct sockaddr *any = sockaddr;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(out, 0, HTTP_NETWORK_BYTES);
	if (any->sa_family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof v4);
		memset(out + 10, 0xff, 2);
		memcpy(out + 12, &v4.sin_addr, 4);
		return;
	}
	memcpy(&v6, sockaddr, sizeof v6);
	memcpy(out, &v6.sin6_addr, IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? HTTP_NETWORK_BYTES : 8);
}

/* All of these under the lock. */

static struct http_from **chain_of(struct http_server *s, const uint8_t *network)
{
	return &s->from[siphash_of(str_n(network, HTTP_NETWORK_BYTES)) % HTTP_FROM_CHAINS];
}

static struct http_from *find_or_add(struct http_server *s, const uint8_t *network)
{
	struct http_from **chain = chain_of(s, network), *f = *chain;

	while (f && memcmp(f->network, network, HTTP_NETWORK_BYTES) != 0)
		f = f->next;
	if (f)
		return f;
	f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	memcpy(f->network, network, HTTP_NETWORK_BYTES);
	f->next = *chain;
	*chain = f;
	return f;
}

static void forget_if_none(struct http_server *s, struct http_from *f)
{
	struct http_from **at = chain_of(s, f->network);

	if (f->count)
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f);
}

static void link_conn(struct http_conn *c)
{
	struct http_server *s = c->server;

	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->conn_count++;
	c->from->count++;
}

/* What may go for another, in this order. */
enum waiting { WAITS_FOR_NOTHING, WAITS_FOR_REQUEST, WAITS_FOR_REST, WAITING_KINDS };

static bool is_waiting(const struct http_conn *c, enum waiting *out)
{
	enum http_state state = c->state;

	switch (state) {
	case CONN_LINGER:
		*out = WAITS_FOR_NOTHING;
		return true;
	case CONN_SHAKE:
	case CONN_IDLE:
		*out = WAITS_FOR_REQUEST;
		return true;
	case CONN_READ:
		*out = WAITS_FOR_REST;
		return true;
	case CONN_SERVE:
	case CONN_WRITE:
	case CONN_STREAM:
		break;
	}
	return false;
}

struct candidate {
	struct http_conn *conn; /* NULL: none */
	uint64_t deadline_seen;
};

/* Returns how many stay, of all or of those from there; of each kind who has waited longest. */
static unsigned look_through(
	struct http_server *s, const struct http_from *from, struct candidate *longest)
{
	unsigned staying = 0;

	for (struct http_conn *c = s->conns; c; c = c->next) {
		uint64_t deadline = c->deadline_ms;
		enum waiting kind;

		if (c->going || (from && c->from != from))
			continue;
		staying++;
		if (deadline == OWNED || !is_waiting(c, &kind))
			continue;
		/* of two the later in the list, which came earlier */
		if (!longest[kind].conn || c->since_ms <= longest[kind].conn->since_ms)
			longest[kind] = (struct candidate){ c, deadline };
	}
	return staying;
}

/* True: fewer than `most` stay, of all or of those from there. */
static bool make_room(struct http_server *s, const struct http_from *from, unsigned most)
{
	bool cut = true;

	while (cut) {
		struct candidate longest[WAITING_KINDS] = { 0 };

		if (look_through(s, from, longest) < most)
			return true;
		cut = false;
		for (size_t kind = 0; kind < WAITING_KINDS && !cut; kind++)
			cut = longest[kind].conn &&
			      http_conn_cut(longest[kind].conn, longest[kind].deadline_seen);
	}
	return false;
}

static enum http_door judge(struct http_server *s, const struct http_from *from)
{
	unsigned most = s->config.max_conns, of_address = s->config.per_address;

	if (s->conn_count >= most + SPARE ||
		(of_address && from->count >= of_address + SPARE_OF_ADDRESS))
		return DOOR_SHUT;
	if (of_address && from->count >= of_address && !make_room(s, from, of_address))
		return DOOR_FULL;
	if (s->conn_count >= most && !make_room(s, NULL, most))
		return DOOR_FULL;
	return DOOR_OPEN;
}

enum http_door http_door_enter(struct http_conn *c, const void *sockaddr)
{
	struct http_server *s = c->server;
	uint8_t network[HTTP_NETWORK_BYTES];
	enum http_door door = DOOR_SHUT;
	struct http_from *from;

	network_of(sockaddr, network);
	pthread_mutex_lock(&s->lock);
	from = find_or_add(s, network);
	if (from) {
		door = judge(s, from);
		c->from = from;
		if (door != DOOR_SHUT)
			link_conn(c);
		forget_if_none(s, from);
	}
	pthread_mutex_unlock(&s->lock);
	return door;
}

void http_door_leave(struct http_conn *c)
{
	struct http_server *s = c->server;

	pthread_mutex_lock(&s->lock);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	c->from->count--;
	forget_if_none(s, c->from);
	if (--s->conn_count == 0)
		pthread_cond_broadcast(&s->closed);
	pthread_mutex_unlock(&s->lock);
}
