/* http_conn - one connection from its first byte to its end: see http_inside.h for who may touch
 * it.
 *
 *   SHAKE → IDLE ⇄ READ → SERVE ┬→ WRITE → IDLE        (keep-alive)
 *                               ├→ STREAM → closed
 *                               └→ LINGER → closed     (after a refusal, or Connection: close)
 *
 * Invariants: 1. a step never waits: it says what for, and conn_ready arms it.  2. after conn_wait
 * has armed, the connection is another's.  3. a request is parsed only when the one before it was
 * answered in full and its arena reset; nothing but bytes that came early is carried over.  4. a
 * deadline that was CUT ends the connection, whatever came meanwhile. */
#include "transport/http_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)4 << 20)
#define SLOWEST_BYTES_PER_MS 16 /* a client that takes a reply more slowly is cut */

enum next { NEXT_STEP, NEXT_READABLE, NEXT_WRITABLE, NEXT_GONE, NEXT_CLOSE };

static bool borrow_lane(struct http_conn *c)
{
	if (!c->lane)
		c->lane = http_lane_take(c->server);
	return c->lane != NULL;
}

static void return_lane(struct http_conn *c)
{
	if (c->lane)
		http_lane_give(c);
	c->behind = false;
	c->request_by_ms = 0;
}

/* --- replies --- */

static void linger(struct http_conn *c)
{
	return_lane(c);
	http_io_finish(c);
	c->state = CONN_LINGER;
	c->until_ms = c->server->now_ms + LINGER_MS;
}

static enum next refuse(struct http_conn *c, const struct http_refusal *why)
{
	const struct http_config *config = &c->server->config;
	const struct http_header allow = { S("Allow"), S("GET, HEAD, POST, DELETE, OPTIONS") };
	const struct http_header later = { S("Retry-After"), S("1") };
	struct buf body;

	c->answered = false;
	c->closing = true;
	c->head = false;
	c->minor_1 = true;
	buf_init(&body, HTTP_READ_BYTES);
	http_write_refusal(&body, why);
	http_reply(c, &(struct http_reply){ .status = why->status,
			      .content_type = S("application/json"),
			      .body = buf_str(&body),
			      .headers = why->status == 405 ? &allow : &later,
			      .header_count = why->status == 405 || why->status == 503 });
	buf_done(&body);
	if (config->refused)
		config->refused(config->ctx, &c->peer, why);
	if (c->failed)
		return NEXT_CLOSE;
	c->state = CONN_WRITE;
	return NEXT_STEP;
}

/* --- reading --- */

/* From now on the first byte of a request is due. */
static void begin_waiting(struct http_conn *c, uint32_t for_ms)
{
	c->since_ms = c->server->now_ms;
	c->idle_by_ms = c->since_ms + for_ms;
}

static enum next wait_for_request(struct http_conn *c, enum next what)
{
	if (c->lane && !c->lane->in.n)
		return_lane(c);
	if (!c->lane && c->server->stopping)
		return NEXT_CLOSE;
	if (c->lane && !c->request_by_ms) {
		c->since_ms = c->server->now_ms;
		c->request_by_ms = c->since_ms + c->server->config.request_ms;
	}
	c->until_ms = c->lane ? c->request_by_ms : c->idle_by_ms;
	c->state = c->lane ? CONN_READ : CONN_IDLE;
	return what;
}

/* Reads once.  *full_out: there may be more where that came from. */
static enum http_io fill(struct http_conn *c, bool *full_out)
{
	struct http_lane *l = c->lane;
	size_t missing = http_parse_missing(&l->parser, &l->in), room, got;
	enum http_io io;

	if (!buf_space(&l->in, MAX(missing, l->in.n ? (size_t)1 : HTTP_READ_BYTES)))
		return IO_NO_MEMORY;
	room = MIN(l->in.cap, l->in.limit) - l->in.n;
	room = MIN(room, MAX(missing, HTTP_READ_MOST));
	io = http_io_read(c, l->in.p + l->in.n, room, &got);
	if (io != IO_OK)
		return io;
	buf_used(&l->in, got);
	*full_out = got == room || c->ssl;
	return http_lane_charge(c) ? IO_OK : IO_NO_MEMORY;
}

static const struct http_refusal no_memory = { 503, "memory",
	"too many large requests at once; try again later" };
static const struct http_refusal too_slow = { 408, "slow", "the request took too long to arrive" };

/* Interim reply; a client so odd that its socket is full now must do without. */
static void say_continue(struct http_conn *c)
{
	char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec piece = { .iov_base = text, .iov_len = sizeof text - 1 };
	size_t sent;

	http_io_write(c, &piece, 1, &sent);
	c->failed = sent != sizeof text - 1;
}

/* Parses what is there.  True: *next_out ends the reading. */
static bool parse(struct http_conn *c, enum next *next_out)
{
	struct http_lane *l = c->lane;
	struct http_refusal why;

	switch (http_parse(&l->parser, &l->in, &why)) {
	case HTTP_READY:
		c->state = CONN_SERVE;
		*next_out = NEXT_STEP;
		return true;
	case HTTP_REFUSED:
		*next_out = refuse(c, &why);
		return true;
	case HTTP_MORE:
		break;
	}
	if (http_parse_continue(&l->parser, &l->in))
		say_continue(c);
	*next_out = NEXT_CLOSE;
	return c->failed;
}

static enum next step_read(struct http_conn *c)
{
	bool full = true;
	enum next next;

	if (c->cut)
		return c->lane && c->lane->in.n ? refuse(c, &too_slow) : NEXT_CLOSE;
	if (!borrow_lane(c))
		return NEXT_CLOSE;
	while (full) {
		switch (c->behind ? IO_OK : fill(c, &full)) {
		case IO_OK:
			break;
		case IO_WANT_READ:
			return wait_for_request(c, NEXT_READABLE);
		case IO_WANT_WRITE:
			return wait_for_request(c, NEXT_WRITABLE);
		case IO_NO_MEMORY:
			return refuse(c, &no_memory);
		case IO_END:
		case IO_FAILED:
			return NEXT_CLOSE;
		}
		c->behind = false;
		if (parse(c, &next))
			return next;
	}
	return wait_for_request(c, NEXT_READABLE);
}

/* --- serving --- */

static void call_handler(struct http_conn *c)
{
	const struct http_config *config = &c->server->config;
	struct http_lane *l = c->lane;
	jmp_buf place;

	if (arena_catch(&l->arena, &place)) {
		c->closing = true; /* the handler did not come back: it may have left a stream */
		c->failed = c->answered;
	} else {
		config->serve(config->ctx, c, &l->parser.request, &l->arena);
	}
	arena_uncatch(&l->arena);
}

static enum next step_serve(struct http_conn *c)
{
	const struct http_request *r = &c->lane->parser.request;

	c->answered = false;
	c->request_by_ms = 0;
	c->minor_1 = r->minor_1;
	c->head = str_eq(r->method, S("HEAD"));
	c->closing = !r->keep_alive || c->server->stopping;
	call_handler(c);
	if (!c->answered)
		http_reply(c, &(struct http_reply){ .status = 500, .close = true });
	if (c->failed)
		return NEXT_CLOSE;
	if (c->stream) {
		switch (http_stream_part(c)) {
		case STREAM_CUT:
			return NEXT_CLOSE;
		case STREAM_PARKED:
			return_lane(c);
			c->state = CONN_STREAM;
			c->until_ms = NEVER; /* parked: http_stream.c has its own times */
			return NEXT_GONE;
		case STREAM_OVER:
			break;
		}
	}
	arena_reset(&c->lane->arena);
	http_parse_next(&c->lane->parser, &c->lane->in);
	c->behind = c->lane->in.n > 0;
	if (!c->behind)
		return_lane(c);
	c->until_ms =
		c->server->now_ms + c->server->config.request_ms + c->rest.n / SLOWEST_BYTES_PER_MS;
	c->state = CONN_WRITE;
	return NEXT_STEP;
}

static enum next step_stream(struct http_conn *c)
{
	(void)c;
	return NEXT_CLOSE; /* the client is gone, or the stream was ended or cut */
}

/* --- writing --- */

static enum next step_write(struct http_conn *c)
{
	struct iovec piece = { .iov_base = c->rest.p, .iov_len = c->rest.n };
	enum http_io io;
	size_t sent;

	if (c->cut)
		return NEXT_CLOSE;
	if (c->rest.n) {
		io = http_io_write(c, &piece, 1, &sent);
		if (io == IO_FAILED || io == IO_END)
			return NEXT_CLOSE;
		c->rest.n -= sent;
		memmove(c->rest.p, c->rest.p + sent, c->rest.n);
		if (c->rest.n)
			return io == IO_WANT_READ ? NEXT_READABLE : NEXT_WRITABLE;
		buf_done(&c->rest);
	}
	if (c->closing) {
		linger(c);
		return NEXT_STEP;
	}
	begin_waiting(c, c->server->config.idle_ms);
	/* Another request that is here already waits for its turn among the ready connections. */
	return wait_for_request(
		c, c->behind || http_io_buffered(c) ? NEXT_WRITABLE : NEXT_READABLE);
}

/* A close with unread bytes would reset the connection and may take the reply away from the client
 * (RFC 9112 section 9.6). */
static enum next step_linger(struct http_conn *c)
{
	char waste[HTTP_READ_BYTES];

	while (!c->cut && c->dropped < LINGER_BYTES) {
		ssize_t got = recv(c->item.fd, waste, sizeof waste, MSG_DONTWAIT);

		if (got < 0 && errno == EAGAIN)
			return NEXT_READABLE;
		if (got <= 0 && !(got < 0 && errno == EINTR))
			break;
		c->dropped += got > 0 ? (size_t)got : 0;
	}
	return NEXT_CLOSE;
}

static enum next step_shake(struct http_conn *c)
{
	if (c->cut)
		return NEXT_CLOSE;
	switch (http_io_shake(c)) {
	case IO_OK:
		if (!http_tls_shaken(c))
			return NEXT_CLOSE;
		begin_waiting(c, c->server->config.request_ms);
		c->state = CONN_IDLE;
		return NEXT_STEP;
	case IO_WANT_READ:
		return NEXT_READABLE;
	case IO_WANT_WRITE:
		return NEXT_WRITABLE;
	case IO_END:
	case IO_FAILED:
	case IO_NO_MEMORY:
		break;
	}
	return NEXT_CLOSE;
}

static enum next (*const steps[])(struct http_conn *c) = {
	[CONN_SHAKE] = step_shake,
	[CONN_IDLE] = step_read,
	[CONN_READ] = step_read,
	[CONN_SERVE] = step_serve,
	[CONN_WRITE] = step_write,
	[CONN_STREAM] = step_stream,
	[CONN_LINGER] = step_linger,
};

/* --- its life --- */

static void conn_wait(struct http_conn *c, uint32_t events)
{
	c->deadline_ms = c->until_ms;
	if (!pool_arm(c->server->pool, &c->item, events))
		http_conn_close(c);
}

static void conn_ready(struct pool_item *item, uint32_t events)
{
	struct http_conn *c = (struct http_conn *)item;
	enum next next;

	(void)events;
	c->cut = atomic_exchange(&c->deadline_ms, OWNED) == CUT;
	do {
		next = steps[c->state](c);
	} while (next == NEXT_STEP);
	switch (next) {
	case NEXT_READABLE:
		conn_wait(c, EPOLLIN);
		break;
	case NEXT_WRITABLE:
		conn_wait(c, EPOLLOUT);
		break;
	case NEXT_GONE:
		conn_wait(c, EPOLLRDHUP);
		break;
	case NEXT_STEP:
	case NEXT_CLOSE:
		http_conn_close(c);
		break;
	}
}

static void read_address(struct http_conn *c, const void *sockaddr)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	const struct sockaddr *any = sockaddr;

	if (any->sa_family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof v4);
		inet_ntop(AF_INET, &v4.sin_addr, c->address, sizeof c->address);
		c->peer.port = ntohs(v4.sin_port);
		c->peer.loopback = ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	} else {
		memcpy(&v6, sockaddr, sizeof v6);
		c->peer.port = ntohs(v6.sin6_port);
		c->peer.loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
			inet_ntop(
				AF_INET, &v6.sin6_addr.s6_addr[12], c->address, sizeof c->address);
			c->peer.loopback = v6.sin6_addr.s6_addr[12] == 127;
		} else {
			inet_ntop(AF_INET6, &v6.sin6_addr, c->address, sizeof c->address);
		}
	}
	c->peer.address = str_c(c->address);
}

/* The server has as many connections as it may: this one is told so. */
static void turn_away(struct http_conn *c)
{
	char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
		      "Retry-After: 1\r\nConnection: close\r\nContent-Length: 62\r\n\r\n"
		      "{\"error\":\"connections\",\"message\":\"too many connections open\"}\n";
	struct iovec piece = { .iov_base = text, .iov_len = sizeof text - 1 };
	size_t sent;

	if (!c->ssl)
		http_io_write(c, &piece, 1, &sent);
	linger(c);
}

/* What it is to be told, or to wait for, once it is in. */
static bool conn_begin(struct http_conn *c, bool full)
{
	struct http_server *s = c->server;
	int on = 1;

	setsockopt(c->item.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	begin_waiting(c, s->config.request_ms); /* a keep-alive is for who has asked something */
	c->until_ms = c->idle_by_ms;
	if (s->config.tls_on) {
		if (!http_tls_attach(c))
			return false;
		c->peer.tls = true;
		c->state = CONN_SHAKE;
	}
	if (full)
		turn_away(c);
	return true;
}

bool http_conn_new(struct http_server *s, int fd, const void *sockaddr)
{
	struct http_conn *c = calloc(1, sizeof *c);
	enum http_door door;

	if (!c)
		return false;
	*c = (struct http_conn){ .item = { .ready = conn_ready, .fd = fd },
		.server = s,
		.state = CONN_IDLE,
		.deadline_ms = OWNED };
	read_address(c, sockaddr);
	door = http_door_enter(c, sockaddr);
	if (door == DOOR_SHUT) {
		free(c);
		return false;
	}
	if (conn_begin(c, door == DOOR_FULL))
		conn_wait(c, EPOLLIN);
	else
		http_conn_close(c);
	return true;
}

void http_conn_close(struct http_conn *c)
{
	http_stream_detach(c);
	return_lane(c);
	http_door_leave(c);
	pool_forget(c->server->pool, &c->item);
	if (c->ssl) {
		if (c->state != CONN_LINGER && c->state != CONN_SHAKE && !c->failed)
			http_io_finish(c);
		SSL_free(c->ssl);
	}
	close(c->item.fd);
	buf_done(&c->rest);
	free(c->certificate);
	free(c->names);
	free(c);
}

bool http_conn_cut(struct http_conn *c, uint64_t deadline_seen)
{
	/* a part of a request is answered with 408: reading ends, writing does not */
	int how = c->state == CONN_READ ? SHUT_RD : SHUT_RDWR;

	if (deadline_seen == OWNED || deadline_seen == CUT ||
		!atomic_compare_exchange_strong(&c->deadline_ms, &deadline_seen, CUT))
		return false;
	c->going = true;
	shutdown(c->item.fd, how);
	return true;
}

const struct http_peer *http_conn_peer(const struct http_conn *c)
{
	return &c->peer;
}

bool http_gone(struct http_conn *c)
{
	struct pollfd peer = { .fd = c->item.fd, .events = POLLRDHUP };

	return poll(&peer, 1, 0) > 0;
}
