/* load - calls a server over HTTP as fast as it answers, and looks at every answer.
 *
 * usage: bench-load PORT PID CONNECTIONS SECONDS HEAD BODY KEYS [fixed]
 *   PID    the server's process, for its CPU and memory; 0: none
 *   HEAD   file: request line and header lines but Content-Length, each ended by CR LF
 *   BODY   file: the request's body, with @rpc@ for the JSON-RPC id and @key@ for the key asked for
 *   KEYS   file: keys, one a line, all of one length
 *   fixed  the server answers anything with the same bytes: only status and framing are checked
 *
 * Closed loop: each connection sends its next request when it has read the whole answer to the last
 * one.  An answer is right when its status is 200, its length is as declared, its JSON-RPC id is
 * the request's, `"id":"KEY"` is in it and it is no error.  The first half second does not count.
 * Prints one line of JSON.  Ends with 1 when an answer was wrong, and shows the first such. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "reading.h"

#define WARM_NS ((uint64_t)500000000)
#define DRAIN_MS 5000
#define REPLY_MAX ((size_t)256 << 10)
#define SLOWEST_US 1000000 /* one bucket for each microsecond up to here */
#define RPC_FIRST 1000000000u /* ten digits, so that a request keeps its length */
#define RPC_DIGITS 10

struct load {
	struct str head, body, keys;
	size_t key_bytes, key_count, next_key;
	uint64_t next_rpc;
	int epoll_fd, pid;
	bool fixed, counting, stopping;
	size_t in_flight;
	uint64_t calls, wrong;
	uint32_t *took_us; /* SLOWEST_US + 1 counts */
};

struct conn {
	int fd;
	char *request;
	size_t request_bytes, rpc_at, key_at; /* places in `request` */
	struct str key, rpc;
	uint64_t sent_ns;
	char *in;
	size_t in_bytes, whole_bytes; /* 0: the head has not come yet */
};

static no_return void fail(const char *what)
{
	perror(what);
	exit(1);
}

static no_return void usage(void)
{
	fputs("usage: bench-load PORT PID CONNECTIONS SECONDS HEAD BODY KEYS [fixed]\n", stderr);
	exit(2);
}

/* --- requests --- */

/* `@rpc@` and `@key@` become room for what changes from call to call. */
static void make_request(const struct load *l, struct conn *c)
{
	struct str rpc = S("@rpc@"), key = S("@key@");
	size_t rpc_at = str_find_str(l->body, 0, rpc), key_at = str_find_str(l->body, 0, key);
	size_t body_bytes = l->body.n - rpc.n + RPC_DIGITS - key.n + l->key_bytes;
	struct buf out;

	if (rpc_at > key_at || key_at == l->body.n)
		usage();
	buf_init(&out, REPLY_MAX);
	buf_add(&out, l->head);
	buf_fmt(&out, "Content-Length: %zu\r\n\r\n", body_bytes);
	buf_add(&out, str_sub(l->body, 0, rpc_at));
	c->rpc_at = out.n;
	buf_fmt(&out, "%u", RPC_FIRST);
	buf_add(&out, str_sub(l->body, rpc_at + rpc.n, key_at - rpc_at - rpc.n));
	c->key_at = out.n;
	buf_add(&out, str_sub(l->keys, 0, l->key_bytes));
	buf_add(&out, str_from(l->body, key_at + key.n));
	bug_on(!buf_ok(&out));
	c->request = out.p;
	c->request_bytes = out.n;
	c->rpc = str_n(c->request + c->rpc_at, RPC_DIGITS);
	c->key = str_n(c->request + c->key_at, l->key_bytes);
}

static void write_rpc(char *to, uint64_t n)
{
	for (int i = RPC_DIGITS; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
}

static void send_next(struct load *l, struct conn *c)
{
	write_rpc(c->request + c->rpc_at, l->next_rpc++);
	memcpy(c->request + c->key_at, l->keys.p + l->next_key * (l->key_bytes + 1), l->key_bytes);
	l->next_key = (l->next_key + 7919) % l->key_count; /* a prime: all keys, not in order */
	c->in_bytes = c->whole_bytes = 0;
	c->sent_ns = clock_mono_ns();
	if (send(c->fd, c->request, c->request_bytes, MSG_NOSIGNAL) != (ssize_t)c->request_bytes)
		fail("load: a request was not taken whole");
	l->in_flight++;
}

/* --- answers --- */

static bool holds(struct str text, const char *before, struct str value, const char *after)
{
	struct str mark = str_c(before), end = str_c(after);

	for (size_t at = 0; (at = str_find_str(text, at, mark)) < text.n; at += mark.n) {
		struct str rest = str_from(text, at + mark.n);

		if (str_starts(rest, value) && str_starts(str_from(rest, value.n), end))
			return true;
	}
	return false;
}

static bool is_right(const struct load *l, const struct conn *c)
{
	struct str reply = str_n(c->in, c->in_bytes);
	struct str body = str_from(reply, str_find_str(reply, 0, S("\r\n\r\n")) + 4);

	if (!str_starts(reply, S("HTTP/1.1 200 ")) || c->in_bytes != c->whole_bytes)
		return false;
	if (l->fixed)
		return true;
	return holds(body, "\"id\":", c->rpc, ",") && holds(body, "\"id\":\"", c->key, "\"") &&
	       holds(body, "\"isError\":", S("false"), "");
}

static void note(struct load *l, struct conn *c)
{
	uint64_t us = (clock_mono_ns() - c->sent_ns) / 1000;

	if (!is_right(l, c)) {
		if (!l->wrong++)
			fprintf(stderr, "load: a wrong answer to\n%.*s\n%.*s\n",
				(int)c->request_bytes, c->request, (int)c->in_bytes, c->in);
	}
	if (!l->counting)
		return;
	l->calls++;
	l->took_us[MIN(us, (uint64_t)SLOWEST_US)]++;
}

/* The length of the whole reply, once its head is there. */
static size_t whole(struct conn *c)
{
	struct str in = str_n(c->in, c->in_bytes), name = S("Content-Length: ");
	size_t end = str_find_str(in, 0, S("\r\n\r\n")), at;
	uint64_t body;

	if (end == in.n)
		return 0;
	at = str_find_str(in, 0, name) + name.n;
	if (at > end || !str_to_u64(str_sub(in, at, str_find(in, at, '\r') - at), &body))
		return c->in_bytes + 1; /* never whole: an answer without a length */
	return end + 4 + body;
}

/* False: the server closed the connection. */
static bool take(struct load *l, struct conn *c)
{
	ssize_t got = recv(c->fd, c->in + c->in_bytes, REPLY_MAX - c->in_bytes, 0);

	if (got <= 0)
		return false;
	c->in_bytes += (size_t)got;
	if (!c->whole_bytes)
		c->whole_bytes = whole(c);
	if (!c->whole_bytes || c->in_bytes < c->whole_bytes)
		return c->in_bytes < REPLY_MAX;
	l->in_flight--;
	note(l, c);
	if (!l->stopping)
		send_next(l, c);
	return true;
}

/* --- the run --- */

static void turn(struct load *l)
{
	struct epoll_event events[64];
	int n = epoll_wait(l->epoll_fd, events, ARRAY_LEN(events), DRAIN_MS);

	if (n <= 0) {
		fputs("load: the server does not answer\n", stderr);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		if (!take(l, events[i].data.ptr)) {
			fputs("load: the server closed a connection\n", stderr);
			exit(1);
		}
	}
}

static void run_for(struct load *l, uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns;

	while (clock_mono_ns() < end)
		turn(l);
}

static void open_conn(struct load *l, struct conn *c, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
		fail("load: connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
		fail("load: epoll");
	c->in = heap_alloc(REPLY_MAX);
	make_request(l, c);
}

static uint64_t percentile(const struct load *l, unsigned percent)
{
	uint64_t wanted = l->calls * percent / 100, seen = 0;

	for (uint64_t us = 0; us <= SLOWEST_US; us++) {
		seen += l->took_us[us];
		if (seen > wanted)
			return us;
	}
	return SLOWEST_US;
}

static void print(const struct load *l, const struct reading *from, const struct reading *to)
{
	printf("{\"calls\":%llu,\"wrong\":%llu,\"seconds\":%.3f,\"p50_us\":%llu,\"p99_us\":%llu,"
	       "\"server_us\":%llu,\"load_us\":%llu,\"machine_us\":%llu,\"rss_kib\":%llu}\n",
		(unsigned long long)l->calls, (unsigned long long)l->wrong,
		(double)(to->at_ns - from->at_ns) / 1e9, (unsigned long long)percentile(l, 50),
		(unsigned long long)percentile(l, 99),
		(unsigned long long)(to->server_us - from->server_us),
		(unsigned long long)(to->own_us - from->own_us),
		(unsigned long long)(to->machine_us - from->machine_us),
		(unsigned long long)to->rss_kib);
}

static void measure(struct load *l, double seconds)
{
	struct reading from, to;

	run_for(l, WARM_NS);
	reading_take(&from, l->pid);
	l->counting = true;
	run_for(l, (uint64_t)(seconds * 1e9));
	reading_take(&to, l->pid);
	l->counting = false;
	l->stopping = true;
	while (l->in_flight)
		turn(l);
	print(l, &from, &to);
}

static struct str read_file(struct arena *a, const char *path)
{
	struct err err;
	struct str text;

	if (file_read(a, str_c(path), (size_t)16 << 20, &text, &err))
		return text;
	fprintf(stderr, "load: %s\n", err.text);
	exit(1);
}

int main(int argc, char **argv)
{
	struct load l = { .next_rpc = RPC_FIRST, .fixed = argc == 9 };
	struct conn *conns;
	struct arena a;
	int count;

	if (argc < 8 || argc > 9 || (count = atoi(argv[3])) < 1)
		usage();
	arena_init(&a, (size_t)64 << 20);
	l.pid = atoi(argv[2]);
	l.head = read_file(&a, argv[5]);
	l.body = read_file(&a, argv[6]);
	l.keys = read_file(&a, argv[7]);
	l.key_bytes = str_find(l.keys, 0, '\n');
	l.key_count = l.keys.n / (l.key_bytes + 1);
	if (!l.key_count)
		usage();
	l.took_us = heap_alloc((SLOWEST_US + 1) * sizeof *l.took_us);
	l.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	conns = heap_alloc((size_t)count * sizeof *conns);
	for (int i = 0; i < count; i++)
		open_conn(&l, &conns[i], (uint16_t)atoi(argv[1]));
	for (int i = 0; i < count; i++)
		send_next(&l, &conns[i]);
	measure(&l, atof(argv[4]));
	for (int i = 0; i < count; i++) {
		close(conns[i].fd);
		heap_free(conns[i].request);
		heap_free(conns[i].in);
	}
	heap_free(conns);
	heap_free(l.took_us);
	arena_done(&a);
	return l.wrong > 0;
}
