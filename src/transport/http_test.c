/* Tests of http: requests and replies over loopback sockets. */
#undef _FORTIFY_SOURCE /* it makes recv an inline function; here it is replaced */
#include "transport/http_fixture.h"

#include <sys/syscall.h>
#include <time.h>

#include "transport/http_cases.h"

#define GET(path) S("GET " path " HTTP/1.1\r\n" HOST "\r\n")

/* Stands before the C library's: when `stingy`, a byte at a time, and now and then EINTR. */
static _Atomic bool stingy;
static _Atomic unsigned stingy_calls;

ssize_t recv(int fd, void *to, size_t n, int flags)
{
	if (stingy && ++stingy_calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_recvfrom, fd, to, stingy ? MIN(n, (size_t)1) : n, flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (!stingy)
		return syscall(SYS_sendmsg, fd, message, flags);
	if (++stingy_calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_sendto, fd, message->msg_iov->iov_base,
		MIN(message->msg_iov->iov_len, (size_t)1), flags, NULL, 0);
}

static void reply_text(struct http_conn *c, struct str text)
{
	http_reply(c, &(struct http_reply){
			      .status = 200, .content_type = S("text/plain"), .body = text });
}

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	const struct http_header odd[] = { { S("X-Odd"), S("a\r\nb") },
		{ S("cache-control"), S("max-age=1") } };
	struct fixture *f = ctx;

	f->served++;
	if (str_eq(r->path, S("/escape"))) {
		arena_alloc(a, (size_t)1 << 40);
	} else if (str_eq(r->path, S("/silent"))) {
		return;
	} else if (str_eq(r->path, S("/peer"))) {
		const struct http_peer *p = http_conn_peer(c);

		reply_text(c, arena_fmt(a, "%.*s %d %d", STR_ARG(p->address), p->loopback, p->tls));
	} else if (str_eq(r->path, S("/odd"))) {
		http_reply(c,
			&(struct http_reply){ .status = 204, .headers = odd, .header_count = 2 });
	} else {
		reply_text(c, arena_fmt(a, "%.*s %.*s?%.*s [%.*s]", STR_ARG(r->method),
				      STR_ARG(r->path), STR_ARG(r->query), STR_ARG(r->body)));
	}
}

static void start(struct fixture *f, unsigned workers)
{
	f->config.serve = serve;
	fixture_start(f, workers);
}

static void no_malformed_request_is_served(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	start(&f, 2);
	for (size_t i = 0; i < ARRAY_LEN(bad_requests); i++) {
		int fd = client_open(&f);
		struct buf in;

		buf_init(&in, REPLY_MOST);
		client_send(fd, bad_requests[i].bytes);
		client_send(fd, GET("/smuggled"));
		client_read(fd, &in, NULL); /* to its end */
		if (reply_status(buf_str(&in)) != bad_requests[i].status || f.served)
			fail_msg("%s: %.*s", bad_requests[i].what, STR_ARG(buf_str(&in)));
		assert_int_equal(reply_bytes(buf_str(&in)), in.n); /* one reply, and no more */
		assert_true(reply_has(buf_str(&in), S("Connection: close\r\n")));
		assert_true(reply_has(buf_str(&in), str_c(bad_requests[i].reason)));
		buf_done(&in);
		close(fd);
	}
	WAIT_FOR(f.refused == ARRAY_LEN(bad_requests));
	fixture_stop(&f);
}

static void every_good_request_is_served(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	start(&f, 2);
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		const struct http_good *good = &good_requests[i];
		int fd = client_open(&f);
		char want[256];
		struct buf in;

		snprintf(want, sizeof want, "%s %s?%s [%s]", good->method, good->path, good->query,
			good->body);
		buf_init(&in, REPLY_MOST);
		assert_int_equal(client_ask(fd, good->bytes, &in), 200);
		assert_true(str_eq(reply_body(buf_str(&in)), str_c(want)));
		assert_int_equal(
			reply_has(buf_str(&in), S("Connection: close")), !good->keep_alive);
		buf_done(&in);
		close(fd);
	}
	fixture_stop(&f);
}

static void a_request_may_be_split_anywhere_on_a_connection_that_is_kept(void **state)
{
	struct str request =
		S(POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n");
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 2);
	fd = client_begin(&f, &in);
	for (size_t at = 1; at < request.n; at++) {
		assert_true(client_send(fd, str_sub(request, 0, at)));
		assert_int_equal(client_ask(fd, str_from(request, at), &in), 200);
		assert_true(str_eq(reply_body(buf_str(&in)), S("POST /mcp? [hello]")));
	}
	assert_int_equal(f.served, request.n - 1);
	fixture_finish(&f, fd, &in);
}

static void bytes_that_come_and_go_one_by_one_say_the_same(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 2);
	fd = client_begin(&f, &in);
	stingy = true;
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		if (!good_requests[i].keep_alive)
			continue;
		assert_true(client_send(fd, good_requests[i].bytes));
		buf_clear(&in);
		while (!a_reply_is_whole(buf_str(&in))) {
			char c;

			if (recv(fd, &c, 1, 0) == 1)
				buf_char(&in, c);
			else
				assert_int_equal(errno, EINTR);
		}
		assert_int_equal(reply_status(buf_str(&in)), 200);
		assert_true(reply_has(reply_body(buf_str(&in)), str_c(good_requests[i].body)));
	}
	stingy = false;
	assert_in_range(f.served, 10, ARRAY_LEN(good_requests));
	fixture_finish(&f, fd, &in);
}

static bool three_replies(struct str so_far)
{
	for (int i = 0; i < 3; i++) {
		size_t n = reply_bytes(so_far);

		if (!n)
			return false;
		so_far = str_from(so_far, n);
	}
	return true;
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture f = { 0 };
	struct str rest;
	struct buf in;
	int fd;

	(void)state;
	start(&f, 4);
	fd = client_begin(&f, &in);
	assert_true(
		client_send(fd, S("GET /1 HTTP/1.1\r\n" HOST "\r\n" POST
				  "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n" HOST "\r\n")));
	assert_true(client_read(fd, &in, three_replies));
	rest = buf_str(&in);
	assert_true(reply_has(str_sub(rest, 0, reply_bytes(rest)), S("GET /1?")));
	rest = str_from(rest, reply_bytes(rest));
	assert_true(reply_has(str_sub(rest, 0, reply_bytes(rest)), S("POST /mcp? [abc]")));
	rest = str_from(rest, reply_bytes(rest));
	assert_true(reply_has(rest, S("GET /3?")));
	fixture_finish(&f, fd, &in);
}

static void nothing_behind_a_malformed_request_is_served(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 2);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n\r\n"
				      "GET /3 HTTP/1.1\r\n" HOST "\r\n")));
	assert_false(client_read(fd, &in, NULL));
	assert_int_equal(f.served, 1);
	assert_true(reply_has(buf_str(&in), S(" 400 Bad Request")));
	fixture_finish(&f, fd, &in);
}

static void check_date(struct str reply)
{
	char text[64] = "";
	struct tm tm = { 0 };
	struct str line = str_from(reply, str_find_str(reply, 0, S("\r\nDate: ")) + 8);

	line = str_sub(line, 0, str_find(line, 0, '\r'));
	assert_int_equal(line.n, 29);
	memcpy(text, line.p, line.n);
	assert_string_equal(strptime(text, "%a, %d %b %Y %H:%M:%S", &tm), " GMT");
	assert_in_range(time(NULL) - timegm(&tm), 0, 60);
}

static void a_reply_says_what_it_must(void **state)
{
	struct fixture f = { 0 };
	struct str reply;
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_int_equal(client_ask(fd, GET("/"), &in), 200);
	reply = buf_str(&in);
	check_date(reply);
	assert_true(reply_has(reply, S("\r\nX-Content-Type-Options: nosniff\r\n")));
	assert_true(reply_has(reply, S("\r\nCache-Control: no-store\r\n")));
	assert_true(reply_has(reply, S("\r\nContent-Type: text/plain\r\n")));
	assert_false(reply_has(reply, S("\r\nConnection:")));
	assert_int_equal(client_ask(fd, GET("/odd"), &in), 204);
	assert_true(reply_has(buf_str(&in), S("X-Odd: a??b\r\n")));
	assert_true(reply_has(buf_str(&in), S("cache-control: max-age=1\r\n")));
	assert_false(reply_has(buf_str(&in), S("no-store")));
	assert_false(reply_has(buf_str(&in), S("Content-Length")));
	assert_int_equal(client_ask(fd, GET("/peer"), &in), 200);
	assert_true(str_eq(reply_body(buf_str(&in)), S("127.0.0.1 1 0")));
	fixture_finish(&f, fd, &in);
}

static bool a_head_is_whole(struct str so_far)
{
	return str_find_str(so_far, 0, S("\r\n\r\n")) < so_far.n;
}

static void head_gets_the_length_and_no_body(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S("HEAD /peer HTTP/1.1\r\n" HOST "\r\n")));
	assert_true(client_read(fd, &in, a_head_is_whole));
	assert_true(reply_has(buf_str(&in), S("Content-Length: 13\r\n")));
	assert_int_equal(reply_body(buf_str(&in)).n, 0);
	assert_int_equal(client_ask(fd, GET("/peer"), &in), 200); /* and nothing before it */
	fixture_finish(&f, fd, &in);
}

static void a_client_that_waits_is_told_to_go_on(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")));
	assert_true(client_read(fd, &in, a_head_is_whole));
	assert_int_equal(reply_status(buf_str(&in)), 100);
	assert_int_equal(client_ask(fd, S("ok"), &in), 200);
	fixture_finish(&f, fd, &in);
}

static void a_handler_that_gives_up_or_forgets_is_answered_for(void **state)
{
	static const char *const paths[] = { "/escape", "/silent" };
	struct fixture f = { 0 };
	struct buf in;

	(void)state;
	start(&f, 1);
	buf_init(&in, REPLY_MOST);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int fd = client_open(&f);
		char request[64];

		snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
		assert_int_equal(client_ask(fd, str_c(request), &in), 500);
		assert_false(client_read(fd, &in, NULL));
		close(fd);
	}
	buf_done(&in);
	fixture_stop(&f);
}

static void a_busy_port_and_a_bad_address_are_said_clearly(void **state)
{
	static const char *const bad[] = { "localhost", "127.0.0.1", "::1:80", "127.0.0.1:", ":80",
		"127.0.0.1:http", "127.0.0.1:99999", "[::1]" };
	struct fixture f = { 0 };
	struct http_config again;
	struct err err = { 0 };
	char address[64];
	uint16_t port;

	(void)state;
	start(&f, 1);
	again = f.config;
	snprintf(address, sizeof address, "127.0.0.1:%u", f.port);
	again.address = str_c(address);
	assert_null(http_server_new(&again, f.pool, &port, &err));
	assert_int_equal(err.code, E_EXISTS);
	assert_non_null(strstr(err.text, address));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		again.address = str_c(bad[i]);
		if (http_server_new(&again, f.pool, &port, &err))
			fail_msg("listens on %s", bad[i]);
		assert_non_null(strstr(err.text, bad[i]));
	}
	fixture_stop(&f);
}

static void ipv6_is_served(void **state)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fixture f = { .config = { .address = S("[::1]:0") } };
	struct buf in;

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) != 0)
		skip();
	start(&f, 1);
	buf_init(&in, REPLY_MOST);
	to.sin6_port = htons(f.port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(client_ask(fd, GET("/peer"), &in), 200);
	assert_true(str_eq(reply_body(buf_str(&in)), S("::1 1 0")));
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_malformed_request_is_served),
		cmocka_unit_test(every_good_request_is_served),
		cmocka_unit_test(a_request_may_be_split_anywhere_on_a_connection_that_is_kept),
		cmocka_unit_test(bytes_that_come_and_go_one_by_one_say_the_same),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(nothing_behind_a_malformed_request_is_served),
		cmocka_unit_test(a_reply_says_what_it_must),
		cmocka_unit_test(head_gets_the_length_and_no_body),
		cmocka_unit_test(a_client_that_waits_is_told_to_go_on),
		cmocka_unit_test(a_handler_that_gives_up_or_forgets_is_answered_for),
		cmocka_unit_test(a_busy_port_and_a_bad_address_are_said_clearly),
		cmocka_unit_test(ipv6_is_served),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
