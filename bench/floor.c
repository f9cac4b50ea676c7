/* floor - the least a server can do here: it reads each request to its end and sends the same
 * answer.
 *
 * usage: bench-floor REPLY
 *   REPLY  file: the whole reply, head and body
 *
 * One thread, one epoll, no parsing beyond the end of the head and Content-Length; listens on a
 * free port of loopback, prints it, and serves until it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/file.h"

#define REQUEST_MAX 16384

struct conn {
	int fd;
	size_t n;
	char in[REQUEST_MAX];
};

static no_return void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The length of the request at the start of `in`, or 0 while it is not all there. */
static size_t whole(struct str in)
{
	struct str name = S("Content-Length: ");
	size_t end = str_find_str(in, 0, S("\r\n\r\n")), at = str_find_str(in, 0, name) + name.n;
	uint64_t body = 0;

	if (end == in.n)
		return 0;
	if (at < end && !str_to_u64(str_sub(in, at, str_find(in, at, '\r') - at), &body))
		return 0;
	return in.n - (end + 4) < body ? 0 : end + 4 + body;
}

static bool serve(struct conn *c, struct str reply)
{
	ssize_t got = recv(c->fd, c->in + c->n, sizeof c->in - c->n, 0);
	size_t n;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	c->n += (size_t)got;
	while ((n = whole(str_n(c->in, c->n)))) {
		if (send(c->fd, reply.p, reply.n, MSG_NOSIGNAL) != (ssize_t)reply.n)
			return false;
		memmove(c->in, c->in + n, c->n - n);
		c->n -= n;
	}
	return c->n < sizeof c->in;
}

static int listen_here(void)
{
	struct sockaddr_in me = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof me;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&me, n) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *)&me, &n) != 0)
		fail("floor: listen");
	printf("%u\n", ntohs(me.sin_port));
	fflush(stdout);
	return fd;
}

static void welcome(int epoll_fd, int listener)
{
	struct conn *c = heap_new(struct conn);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (c->fd < 0) {
		heap_free(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
		fail("floor: epoll");
}

static void serve_all(struct str reply)
{
	struct epoll_event events[64] = { { .events = EPOLLIN } };
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), listener = listen_here(), n;

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, events) != 0)
		fail("floor: epoll");
	for (;;) {
		n = epoll_wait(epoll_fd, events, ARRAY_LEN(events), -1);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (!c) {
				welcome(epoll_fd, listener);
			} else if (!serve(c, reply)) {
				close(c->fd);
				heap_free(c);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct arena a;
	struct err err;
	struct str reply;

	if (argc != 2) {
		fputs("usage: bench-floor REPLY\n", stderr);
		return 2;
	}
	arena_init(&a, (size_t)1 << 20);
	if (!file_read(&a, str_c(argv[1]), (size_t)512 << 10, &reply, &err)) {
		fprintf(stderr, "floor: %s\n", err.text);
		return 1;
	}
	serve_all(reply);
}
