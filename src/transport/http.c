/* http - the server: listening, accepting, the tick, stopping: see http.h.
 *
 * Invariants: 1. the listener is armed again by whoever had its event, or, when descriptors ran
 * out, by the tick: never by both (paused).  2. a connection in the list has an open
 * descriptor.  3. one descriptor is kept in reserve, so that a client can be turned away when there
 * is none left. */
#include "transport/http_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hostport.h"

#define BACKLOG 1024
#define ACCEPTS_AT_ONCE 64
#define STOP_READ_MS 1000 /* for the rest of a request that had begun to come */

/* --- listening --- */

static int bind_socket(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static bool read_port(int fd, uint16_t *port_out, struct err *err)
{
	struct sockaddr_storage bound;
	socklen_t n = sizeof bound;
	char port[8];

	if (getsockname(fd, (struct sockaddr *)&bound, &n) != 0 ||
		getnameinfo((struct sockaddr *)&bound, n, NULL, 0, port, sizeof port,
			NI_NUMERICSERV) != 0)
		return err_errno(err, E_IO, "the port that was bound");
	*port_out = (uint16_t)strtoul(port, NULL, 10);
	return true;
}

static bool open_listener(struct http_server *s, uint16_t *port_out, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct str address = s->config.address;
	struct hostport at;
	struct addrinfo *to;
	int failure;

	if (!hostport_read(address, &at))
		return err_set(err, E_INVALID,
			"\"%.*s\" is no address to listen on: HOST:PORT or [IPV6]:PORT",
			STR_ARG(address));
	failure = getaddrinfo(
		arena_cstr(&s->texts, at.host), arena_cstr(&s->texts, at.port), &hints, &to);
	if (failure)
		return err_set(err, E_INVALID, "cannot listen on %.*s: %s", STR_ARG(address),
			gai_strerror(failure));
	s->item.fd = bind_socket(to);
	freeaddrinfo(to);
	if (s->item.fd < 0)
		return err_errno(err, errno == EADDRINUSE ? E_EXISTS : E_DENIED,
			"cannot listen on %.*s", STR_ARG(address));
	return read_port(s->item.fd, port_out, err);
}

/* --- accepting --- */

/* What can be said to a client that gets no connection; TLS would need one. */
static void close_full(struct http_server *s, int fd)
{
	static const char full[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
				   "Retry-After: 1\r\nContent-Length: 0\r\n\r\n";

	if (!s->config.tls_on)
		send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* No descriptor is left: the reserve is spent on turning one client away, and taken again. */
static void turn_one_away(struct http_server *s)
{
	int fd;

	close(s->spare_fd);
	fd = accept4(s->item.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		close_full(s, fd);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False: there is nothing more to accept now.  *pause_out: nor soon. */
static bool accept_one(struct http_server *s, bool *pause_out)
{
	struct sockaddr_storage from;
	socklen_t n = sizeof from;
	int fd = accept4(s->item.fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		bool none_left = errno == EMFILE || errno == ENFILE;

		if (none_left)
			turn_one_away(s);
		*pause_out = none_left || errno == ENOBUFS || errno == ENOMEM;
		/* what is left are failures of the one connection (accept(2)), or EAGAIN */
		return errno != EAGAIN && !*pause_out && errno != EINVAL;
	}
	if (!http_conn_new(s, fd, &from))
		close_full(s, fd);
	return true;
}

static void listener_ready(struct pool_item *item, uint32_t events)
{
	struct http_server *s =
		(struct http_server *)((char *)item - offsetof(struct http_server, item));
	bool pause = false;

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE && !s->stopping && accept_one(s, &pause); i++)
		;
	if (s->stopping)
		return;
	if (pause || !pool_arm(s->pool, &s->item, EPOLLIN))
		s->paused = true;
}

/* --- its life --- */

static void fill_in_defaults(struct http_config *c)
{
	struct http_limits *l = &c->limits;

	l->request_line = l->request_line ? l->request_line : 8192;
	l->header_bytes = l->header_bytes ? l->header_bytes : 16384;
	l->header_count = l->header_count ? l->header_count : 100;
	l->body = l->body ? l->body : (size_t)1 << 20;
	c->request_ms = c->request_ms ? c->request_ms : 15000;
	c->idle_ms = c->idle_ms ? c->idle_ms : 75000;
	c->keepalive_ms = c->keepalive_ms ? c->keepalive_ms : 15000;
	c->max_conns = c->max_conns ? c->max_conns : 1024;
	c->stream_pending = c->stream_pending ? c->stream_pending : (size_t)1 << 20;
}

static void copy_texts(struct http_server *s)
{
	struct http_config *c = &s->config;

	arena_init(&s->texts, (size_t)64 << 10);
	c->address = arena_str(&s->texts, c->address);
	c->tls.cert = arena_str(&s->texts, c->tls.cert);
	c->tls.key = arena_str(&s->texts, c->tls.key);
	c->tls.client_ca = arena_str(&s->texts, c->tls.client_ca);
}

static void init_locks(struct http_server *s)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->closed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->lane_lock, NULL);
}

struct http_server *http_server_new(
	const struct http_config *config, struct pool *pool, uint16_t *port_out, struct err *err)
{
	struct http_server *s = heap_new(struct http_server);
	bool ok;

	*s = (struct http_server){ .config = *config,
		.pool = pool,
		.item = { .ready = listener_ready, .fd = -1 },
		.now_ms = clock_mono_ms(),
		.spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	init_locks(s);
	copy_texts(s);
	fill_in_defaults(&s->config);
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	ok = s->spare_fd >= 0 || err_errno(err, E_IO, "/dev/null");
	if (ok && s->config.tls_on) {
		s->tls = http_tls_open(&s->config.tls, err);
		ok = s->tls != NULL;
	}
	if (!ok || !open_listener(s, port_out, err))
		http_server_free(&s);
	return s;
}

void http_server_start(struct http_server *s)
{
	s->now_ms = clock_mono_ms();
	if (!pool_arm(s->pool, &s->item, EPOLLIN))
		s->paused = true;
}

void http_server_tick(struct http_server *s, uint64_t mono_ms)
{
	s->now_ms = mono_ms;
	pthread_mutex_lock(&s->lock);
	for (struct http_conn *c = s->conns; c; c = c->next) {
		uint64_t deadline = c->deadline_ms;

		if (deadline <= mono_ms)
			http_conn_cut(c, deadline);
		else if (c->stream)
			http_stream_tick(c->stream, mono_ms);
	}
	pthread_mutex_unlock(&s->lock);
	if (atomic_exchange(&s->paused, false) && !s->stopping &&
		!pool_arm(s->pool, &s->item, EPOLLIN))
		s->paused = true;
}

bool http_server_reload_tls(struct http_server *s, struct err *err)
{
	SSL_CTX *fresh, *old;

	if (!s->config.tls_on)
		return true;
	fresh = http_tls_open(&s->config.tls, err);
	if (!fresh)
		return false;
	pthread_mutex_lock(&s->lock);
	old = s->tls;
	s->tls = fresh;
	pthread_mutex_unlock(&s->lock);
	SSL_CTX_free(old); /* connections made with it keep it alive */
	return true;
}

/* Under the lock: what waits for nothing but a request, and streams, end now; a part of a request
 * soon. */
static void cut_idle(struct http_server *s, uint64_t mono_ms)
{
	for (struct http_conn *c = s->conns; c; c = c->next) {
		uint64_t deadline = c->deadline_ms;
		enum http_state state = c->state;

		if (state == CONN_IDLE || state == CONN_STREAM || state == CONN_SHAKE ||
			(state == CONN_READ && mono_ms >= c->since_ms + STOP_READ_MS))
			http_conn_cut(c, deadline);
	}
}

void http_server_stop(struct http_server *s, uint64_t deadline_mono_ms)
{
	s->stopping = true;
	shutdown(s->item.fd, SHUT_RDWR); /* nothing more is accepted; the port is free for others */
	pthread_mutex_lock(&s->lock);
	while (s->conn_count && clock_mono_ms() < deadline_mono_ms) {
		uint64_t until = MIN(deadline_mono_ms, clock_mono_ms() + POOL_TICK_MS);
		struct timespec at = { .tv_sec = (time_t)(until / 1000),
			.tv_nsec = (long)(until % 1000) * 1000000 };

		cut_idle(s, clock_mono_ms());
		pthread_cond_timedwait(&s->closed, &s->lock, &at);
	}
	pthread_mutex_unlock(&s->lock);
}

unsigned http_server_connections(struct http_server *s)
{
	unsigned count;

	pthread_mutex_lock(&s->lock);
	count = s->conn_count;
	pthread_mutex_unlock(&s->lock);
	return count;
}

void http_server_free(struct http_server **sp)
{
	struct http_server *s = *sp;

	if (!s)
		return;
	s->stopping = true;
	while (s->conns)
		http_conn_close(s->conns);
	while (s->lanes) {
		struct http_lane *l = s->lanes;

		s->lanes = l->next;
		http_lane_free(l);
	}
	if (s->item.fd >= 0) {
		pool_forget(s->pool, &s->item);
		close(s->item.fd);
	}
	if (s->spare_fd >= 0)
		close(s->spare_fd);
	SSL_CTX_free(s->tls);
	arena_done(&s->texts);
	pthread_cond_destroy(&s->closed);
	pthread_mutex_destroy(&s->lane_lock);
	pthread_mutex_destroy(&s->lock);
	heap_free(s);
	*sp = NULL;
}
