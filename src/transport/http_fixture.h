/* http_fixture - a server on loopback and a client of bytes, for the tests of the HTTP server. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "transport/http.h"

#define PATIENCE_MS 5000
#define REPLY_MOST ((size_t)64 << 20)

struct fixture {
	struct pool *pool;
	_Atomic(struct http_server *) server; /* NULL: do not tick */
	struct http_server *owned;
	struct http_config config;
	uint16_t port;
	_Atomic unsigned served, refused;
	char last_reason[64]; /* under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool released; /* what /wait waits for, under lock */
	_Atomic unsigned held_count;
	struct http_stream *held[64]; /* parked streams, under lock */

	_Atomic unsigned gone[64]; /* on_gone calls, by token */
	struct str big;
};

static inline void fixture_tick(void *ctx, uint64_t mono_ms)
{
	struct fixture *f = ctx;
	struct http_server *s = f->server;

	if (s)
		http_server_tick(s, mono_ms);
}

static inline void fixture_refused(
	void *ctx, const struct http_peer *peer, const struct http_refusal *why)
{
	struct fixture *f = ctx;

	bug_on(!peer->address.n);
	pthread_mutex_lock(&f->lock);
	memset(f->last_reason, 0, sizeof f->last_reason);
	memcpy(f->last_reason, why->reason, MIN(strlen(why->reason), sizeof f->last_reason - 1));
	pthread_mutex_unlock(&f->lock);
	f->refused++;
}

/* Fills in what is not set, starts; the config's ctx is the fixture. */
static inline void fixture_start(struct fixture *f, unsigned workers)
{
	struct err err = { 0 };

	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	if (!f->config.address.n)
		f->config.address = S("127.0.0.1:0");
	f->config.refused = fixture_refused;
	f->config.ctx = f;
	f->pool = pool_new(workers, fixture_tick, f, &err);
	assert_non_null(f->pool);
	f->owned = http_server_new(&f->config, f->pool, &f->port, &err);
	if (!f->owned)
		fail_msg("%s", err.text);
	f->server = f->owned;
	assert_true(pool_start(f->pool, &err));
	http_server_start(f->owned);
}

static inline void fixture_release(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	f->released = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static inline void fixture_await_release(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->released)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static inline void fixture_stop(struct fixture *f)
{
	fixture_release(f);
	http_server_stop(f->owned, clock_mono_ms() + PATIENCE_MS);
	pool_stop(f->pool);
	f->server = NULL;
	http_server_free(&f->owned);
	pool_free(&f->pool);
	for (unsigned i = 0; i < f->held_count; i++)
		http_stream_drop(&f->held[i]);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
}

/* Waits for a condition; the test fails when it does not come. */
#define WAIT_FOR(cond)                                                                             \
	do {                                                                                       \
		uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;                                 \
		while (!(cond)) {                                                                  \
			if (clock_mono_ms() > until_ms)                                            \
				fail_msg("did not come: %s", #cond);                               \
			poll(NULL, 0, 1);                                                          \
		}                                                                                  \
	} while (0)

/* --- the client --- */

/* local: the last byte of the client's own address on loopback. */
static inline int client_open_from(const struct fixture *f, uint8_t local)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) | local) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(f->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static inline int client_open(const struct fixture *f)
{
	return client_open_from(f, 1);
}

/* With room for what it will read. */
static inline int client_begin(const struct fixture *f, struct buf *in)
{
	buf_init(in, REPLY_MOST);
	return client_open(f);
}

/* The client goes, then the server stops. */
static inline void fixture_finish(struct fixture *f, int fd, struct buf *in)
{
	buf_done(in);
	close(fd);
	fixture_stop(f);
}

/* False: the server has closed or reset. */
static inline bool client_send(int fd, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		bytes = str_from(bytes, (size_t)n);
	}
	return true;
}

/* Reads until `enough` says so or the connection ends; the whole in `in`, NUL behind it.  False:
 * end. */
static inline bool client_read(int fd, struct buf *in, bool (*enough)(struct str so_far))
{
	for (;;) {
		char *to;
		ssize_t n;

		if (enough && enough(buf_str(in)))
			return true;
		to = buf_space(in, 65536);
		assert_non_null(to);
		n = recv(fd, to, 65535, 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			fail_msg("no answer; so far: %.*s", STR_ARG(buf_str(in)));
		if (n <= 0)
			return false;
		buf_used(in, (size_t)n);
	}
}

/* Bytes of the reply at the start of s, or 0 when it is not whole yet. */
static inline size_t reply_bytes(struct str s)
{
	size_t end = str_find_str(s, 0, S("\r\n\r\n")), at;
	uint64_t n = 0;

	if (end == s.n)
		return 0;
	at = str_find_str(str_sub(s, 0, end + 2), 0, S("Content-Length: "));
	if (at < end) {
		struct str digits = str_from(s, at + 16);

		assert_true(str_to_u64(str_sub(digits, 0, str_find(digits, 0, '\r')), &n));
	} else if (str_find_str(str_sub(s, 0, end), 0, S("chunked")) < end) {
		size_t last = str_find_str(s, end, S("\r\n0\r\n\r\n"));

		return last == s.n ? 0 : last + 7;
	}
	return s.n - end - 4 >= n ? end + 4 + (size_t)n : 0;
}

static inline bool a_reply_is_whole(struct str so_far)
{
	return reply_bytes(so_far) > 0;
}

static inline int reply_status(struct str reply)
{
	uint64_t status = 0;

	if (!str_starts(reply, S("HTTP/1.1 ")) || !str_to_u64(str_sub(reply, 9, 3), &status))
		fail_msg("no reply: \"%.*s\"", STR_ARG(reply));
	return (int)status;
}

static inline struct str reply_body(struct str reply)
{
	return str_from(reply, str_find_str(reply, 0, S("\r\n\r\n")) + 4);
}

static inline bool reply_has(struct str reply, struct str what)
{
	return str_find_str(reply, 0, what) < reply.n;
}

/* One exchange on an open connection.  What is read stays in `in` until the next. */
static inline int client_ask(int fd, struct str request, struct buf *in)
{
	buf_clear(in);
	assert_true(client_send(fd, request));
	client_read(fd, in, a_reply_is_whole);
	return reply_status(buf_str(in));
}
