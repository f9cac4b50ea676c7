/* http_stream - event streams: see http.h.
 *
 *   OPEN ─ http_stream_end → ENDED        OPEN ─ client gone, or too slow → GONE
 *
 * Invariants: 1. the socket is written under the stream's lock as long as the connection has a
 * stream.  2. conn is NULL once the connection is closed, and is only followed under the lock; a
 * connection does not go away without taking it.  3. only the owner of the connection arms it: what
 * a full socket did not take waits for the next send or tick.  4. on_gone is called once, without a
 * lock, by whoever made both true: there is a callback, and the connection closed with state GONE.
 */
#include "transport/http_inside.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DEAD_PEER_MS 60000 /* sent and not acknowledged for so long: gone */
#define END_MS 10000 /* for a slow client to take what is left */

enum stream_state { STREAM_OPEN, STREAM_ENDED, STREAM_GONE };

struct http_stream {
	_Atomic unsigned holders;
	pthread_mutex_t lock;
	struct http_conn *conn;
	enum stream_state state;
	bool parked, chunked;
	struct buf pending;
	size_t pending_most;
	uint32_t keepalive_ms;
	uint64_t sent_ms, end_by_ms;
	void (*gone)(void *ctx, uint64_t token);
	void *gone_ctx;
	uint64_t gone_token;
};

struct http_stream *http_stream_hold(struct http_stream *s)
{
	atomic_fetch_add_explicit(&s->holders, 1, memory_order_relaxed);
	return s;
}

void http_stream_drop(struct http_stream **sp)
{
	struct http_stream *s = *sp;

	*sp = NULL;
	if (!s || atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1)
		return;
	bug_on(s->conn);
	pthread_mutex_destroy(&s->lock);
	buf_done(&s->pending);
	free(s);
}

struct http_stream *http_stream_begin(
	struct http_conn *c, const struct http_header *headers, size_t header_count)
{
	struct http_stream *s = calloc(1, sizeof *s);
	const struct http_config *config = &c->server->config;
	unsigned dead_ms = DEAD_PEER_MS;

	bug_on(c->answered);
	if (!s)
		return NULL;
	c->answered = true;
	if (!c->minor_1)
		c->closing = true;
	s->holders = 2; /* the caller's and the connection's */
	pthread_mutex_init(&s->lock, NULL);
	s->conn = c;
	s->chunked = c->minor_1;
	s->keepalive_ms = config->keepalive_ms;
	s->pending_most = config->stream_pending;
	s->sent_ms = c->server->now_ms;
	buf_init(&s->pending, SIZE_MAX / 4);
	http_write_stream_head(
		&s->pending, c, headers, header_count); /* goes with the first event */
	setsockopt(c->item.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
	pthread_mutex_lock(&c->server->lock);
	c->stream = s;
	pthread_mutex_unlock(&c->server->lock);
	return s;
}

/* --- under the stream's lock --- */

static void wake_owner(struct http_stream *s)
{
	shutdown(s->conn->item.fd, SHUT_RDWR); /* harmless when a worker has it */
}

static bool cut(struct http_stream *s)
{
	s->state = STREAM_GONE;
	buf_done(&s->pending);
	wake_owner(s);
	return false;
}

static bool flush(struct http_stream *s)
{
	struct iovec piece = { .iov_base = s->pending.p, .iov_len = s->pending.n };
	enum http_io io;
	size_t sent;

	if (!s->pending.n)
		return true;
	io = http_io_write(s->conn, &piece, 1, &sent);
	if (io == IO_FAILED || io == IO_END)
		return cut(s);
	if (sent == s->pending.n) {
		buf_done(&s->pending);
		return true;
	}
	s->pending.n -= sent;
	memmove(s->pending.p, s->pending.p + sent, s->pending.n);
	return true;
}

/* One chunk on HTTP/1.1, the bytes alone on 1.0. */
static void add_chunk(struct http_stream *s, struct str before, struct str data, struct str after)
{
	if (s->chunked)
		buf_fmt(&s->pending, "%zx\r\n", before.n + data.n + after.n);
	buf_add(&s->pending, before);
	buf_add(&s->pending, data);
	buf_add(&s->pending, after);
	if (s->chunked)
		buf_lit(&s->pending, "\r\n");
}

/* A line end in the data would end the field: between JSON tokens a space says the same. */
static void join_lines(struct http_stream *s, size_t before, struct str data)
{
	struct str added = str_from(buf_str(&s->pending), before);
	size_t at = before + str_find_str(added, 0, data);

	for (size_t i = at; i < at + data.n; i++)
		if (s->pending.p[i] == '\n' || s->pending.p[i] == '\r')
			s->pending.p[i] = ' ';
}

static bool add_event(struct http_stream *s, struct str data)
{
	size_t before = s->pending.n;

	if (before > s->pending_most)
		return cut(s);
	add_chunk(s, S("event: message\ndata: "), data, S("\n\n"));
	if (!buf_ok(&s->pending))
		return cut(s);
	if (str_has(data, '\n') || str_has(data, '\r'))
		join_lines(s, before, data);
	s->sent_ms = s->conn->server->now_ms;
	return flush(s);
}

static void end(struct http_stream *s)
{
	if (s->chunked)
		buf_lit(&s->pending, "0\r\n\r\n");
	if (!buf_ok(&s->pending)) {
		cut(s);
		return;
	}
	s->state = STREAM_ENDED;
	s->end_by_ms = s->conn->server->now_ms + END_MS;
	if (!flush(s) || s->pending.n || !s->parked)
		return;
	http_io_finish(s->conn);
	wake_owner(s);
}

/* --- any thread --- */

bool http_stream_send(struct http_stream *s, struct str data)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = s->state == STREAM_OPEN && s->conn && add_event(s, data);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

void http_stream_prime(struct http_stream *s, struct str id, uint32_t retry_ms)
{
	char line[128];
	int n = snprintf(
		line, sizeof line, "id: %.*s\nretry: %u\ndata: \n\n", STR_ARG(id), retry_ms);

	bug_on(n < 0 || (size_t)n >= sizeof line);
	pthread_mutex_lock(&s->lock);
	if (s->state == STREAM_OPEN && s->conn)
		add_chunk(s, STR_NONE, str_n(line, (size_t)n),
			STR_NONE); /* goes with the first event */
	pthread_mutex_unlock(&s->lock);
}

void http_stream_end(struct http_stream *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->state == STREAM_OPEN && s->conn)
		end(s);
	pthread_mutex_unlock(&s->lock);
}

bool http_stream_gone(struct http_stream *s)
{
	struct pollfd peer = { .events = POLLRDHUP };
	bool gone;

	pthread_mutex_lock(&s->lock);
	gone = s->state == STREAM_GONE;
	if (s->state == STREAM_OPEN) {
		peer.fd = s->conn->item.fd;
		gone = poll(&peer, 1, 0) > 0;
	}
	pthread_mutex_unlock(&s->lock);
	return gone;
}

void http_stream_on_gone(
	struct http_stream *s, void (*gone)(void *ctx, uint64_t token), void *ctx, uint64_t token)
{
	bool now;

	pthread_mutex_lock(&s->lock);
	now = !s->conn && s->state == STREAM_GONE;
	if (!now) {
		s->gone = gone;
		s->gone_ctx = ctx;
		s->gone_token = token;
	}
	pthread_mutex_unlock(&s->lock);
	if (now)
		gone(ctx, token);
}

/* --- the owner and the tick --- */

static void forget_stream(struct http_conn *c)
{
	pthread_mutex_lock(&c->server->lock);
	c->stream = NULL;
	pthread_mutex_unlock(&c->server->lock);
}

enum http_parting http_stream_part(struct http_conn *c)
{
	struct http_stream *s = c->stream;
	enum http_parting parting = STREAM_CUT;

	pthread_mutex_lock(&s->lock);
	if (s->state == STREAM_OPEN && flush(s) && !c->server->stopping) {
		s->parked = true;
		parting = STREAM_PARKED;
	} else if (s->state == STREAM_ENDED && flush(s)) {
		c->rest = s->pending;
		buf_init(&s->pending, 0);
		s->conn = NULL;
		parting = STREAM_OVER;
	}
	pthread_mutex_unlock(&s->lock);
	if (parting == STREAM_OVER) {
		forget_stream(c);
		http_stream_drop(&s);
	}
	return parting;
}

void http_stream_detach(struct http_conn *c)
{
	struct http_stream *s = c->stream;
	void (*gone)(void *ctx, uint64_t token) = NULL;
	void *ctx;
	uint64_t token;

	if (!s)
		return;
	forget_stream(c);
	pthread_mutex_lock(&s->lock);
	s->conn = NULL;
	if (s->state != STREAM_ENDED) {
		s->state = STREAM_GONE;
		gone = s->gone;
	}
	ctx = s->gone_ctx;
	token = s->gone_token;
	pthread_mutex_unlock(&s->lock);
	if (gone)
		gone(ctx, token);
	http_stream_drop(&s);
}

void http_stream_tick(struct http_stream *s, uint64_t mono_ms)
{
	pthread_mutex_lock(&s->lock);
	if (!s->conn || s->state == STREAM_GONE || !flush(s)) {
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (s->state == STREAM_ENDED) {
		if (s->parked && (!s->pending.n || mono_ms >= s->end_by_ms)) {
			http_io_finish(s->conn);
			wake_owner(s);
		}
	} else if (!s->pending.n && mono_ms >= s->sent_ms + s->keepalive_ms) {
		s->sent_ms = mono_ms;
		add_chunk(s, S(":"), STR_NONE, S("\n\n"));
		if (!buf_ok(&s->pending))
			cut(s);
		else
			flush(s);
	}
	pthread_mutex_unlock(&s->lock);
}
