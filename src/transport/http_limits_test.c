/* Tests of http at its limits: slow, silent, many and large clients, and the server's own end. */
#include "transport/http_fixture.h"

#define HOST "Host: localhost\r\n"
#define POST "POST /mcp HTTP/1.1\r\n" HOST
#define GET(path) S("GET " path " HTTP/1.1\r\n" HOST "\r\n")

static void reply_text(struct http_conn *c, struct str text)
{
	http_reply(c, &(struct http_reply){
			      .status = 200, .content_type = S("text/plain"), .body = text });
}

static void reply_gone(struct fixture *f, struct http_conn *c)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (!http_gone(c) && clock_mono_ms() < until_ms)
		poll(NULL, 0, 1);
	f->gone[0] += http_gone(c);
	reply_text(c, S("too late"));
}

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	struct fixture *f = ctx;

	(void)a;
	f->served++;
	if (str_eq(r->path, S("/gone"))) {
		reply_gone(f, c);
		return;
	}
	if (str_eq(r->path, S("/wait")))
		fixture_await_release(f);
	reply_text(c, str_eq(r->path, S("/big")) ? f->big : S("served"));
}

static void start(struct fixture *f, unsigned workers)
{
	f->config.serve = serve;
	fixture_start(f, workers);
}

static void a_refusal_reaches_a_client_that_is_still_sending(void **state)
{
	static char body[3000000];
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S(POST "Content-Length: 3000000\r\n\r\n")));
	assert_true(client_send(fd, str_n(body, sizeof body)));
	client_read(fd, &in, NULL);
	assert_int_equal(reply_status(buf_str(&in)), 413);
	assert_int_equal(f.served, 0);
	fixture_finish(&f, fd, &in);
}

static void a_slow_reader_of_a_big_reply_holds_no_worker(void **state)
{
	static char big[8 << 20];
	struct fixture f = { .big = str_n(big, sizeof big) };
	struct buf in;
	int slow, quick;

	(void)state;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + i % 23);
	start(&f, 1);
	slow = client_open(&f);
	buf_init(&in, REPLY_MOST);
	assert_true(client_send(slow, GET("/big")));
	WAIT_FOR(f.served == 1);
	quick = client_open(&f);
	assert_int_equal(client_ask(quick, GET("/"), &in), 200);
	close(quick);
	assert_int_equal(client_ask(slow, S(""), &in), 200);
	assert_true(str_eq(reply_body(buf_str(&in)), f.big));
	assert_int_equal(client_ask(slow, GET("/"), &in), 200); /* kept alive */
	buf_done(&in);
	close(slow);
	fixture_stop(&f);
}

static void a_client_that_is_too_slow_is_told_and_closed(void **state)
{
	struct fixture f = { .config = { .request_ms = 100, .idle_ms = 60000 } };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S("GET / HTTP/1.1\r\nHo")));
	assert_false(client_read(fd, &in, NULL));
	assert_int_equal(reply_status(buf_str(&in)), 408);
	assert_string_equal(f.last_reason, "slow");
	fixture_finish(&f, fd, &in);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
	struct fixture f = { .config = { .request_ms = 60000, .idle_ms = 100 } };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_int_equal(client_ask(fd, GET("/"), &in), 200);
	buf_clear(&in);
	assert_false(client_read(fd, &in, NULL));
	assert_int_equal(in.n, 0);
	assert_int_equal(f.refused, 0);
	fixture_finish(&f, fd, &in);
}

static void a_thousand_idle_connections_hold_no_worker(void **state)
{
	enum { MANY = 1000 };
	struct fixture f = { 0 };
	struct rlimit files, enough;
	static int fds[MANY];
	struct buf in;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &files);
	enough = files;
	enough.rlim_cur = MIN(files.rlim_max, (rlim_t)4096);
	if (enough.rlim_cur < 2 * MANY + 64 || setrlimit(RLIMIT_NOFILE, &enough) != 0)
		skip();
	start(&f, 2);
	buf_init(&in, REPLY_MOST);
	for (int i = 0; i < MANY; i++)
		fds[i] = client_open(&f);
	for (int i = 0; i < MANY; i += 37)
		assert_int_equal(client_ask(fds[i], GET("/"), &in), 200);
	for (int i = MANY - 1; i >= 0; i -= 41)
		assert_int_equal(client_ask(fds[i], GET("/"), &in), 200);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	buf_done(&in);
	fixture_stop(&f);
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Both ends are of this process: the client's descriptors are made before the limit is lowered. */
static void running_out_of_descriptors_is_survived(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rlimit files, none;
	struct fixture f = { 0 };
	struct buf in;
	int fd, kept, n;

	(void)state;
	start(&f, 1);
	buf_init(&in, REPLY_MOST);
	kept = client_open(&f);
	assert_int_equal(client_ask(kept, GET("/"), &in), 200);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	to.sin_port = htons(f.port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = connect(fd, (struct sockaddr *)&to, sizeof to);
	if (n == 0)
		client_read(fd, &in, NULL); /* turned away: it ends */
	assert_int_equal(client_ask(kept, GET("/"), &in), 200); /* who is in is served */
	setrlimit(RLIMIT_NOFILE, &files);
	close(fd);
	assert_int_equal(n, 0);
	fd = client_open(&f);
	assert_int_equal(client_ask(fd, GET("/"), &in), 200); /* and soon everybody is again */
	close(fd);
	close(kept);
	buf_done(&in);
	fixture_stop(&f);
}

static void large_requests_together_stay_within_the_memory_given(void **state)
{
	static char body[60000];
	struct fixture f = { .config = { .memory = 100000 } };
	int fds[3];
	struct buf in;

	(void)state;
	start(&f, 1);
	buf_init(&in, REPLY_MOST);
	for (int i = 0; i < 2; i++) {
		fds[i] = client_open(&f);
		assert_true(client_send(fds[i], S(POST "Content-Length: 60001\r\n\r\n")));
		assert_true(client_send(fds[i], str_n(body, sizeof body)));
	}
	WAIT_FOR(f.refused == 1);
	fds[2] = client_open(&f);
	assert_int_equal(client_ask(fds[2], GET("/"), &in), 200); /* small ones are served */
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	assert_string_equal(f.last_reason, "memory");
	buf_done(&in);
	fixture_stop(&f);
}

static void a_client_that_hangs_up_is_noticed_while_it_is_served(void **state)
{
	struct fixture f = { 0 };
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_open(&f);
	assert_true(client_send(fd, GET("/gone")));
	WAIT_FOR(f.served == 1);
	assert_int_equal(f.gone[0], 0);
	close(fd);
	WAIT_FOR(f.gone[0] == 1);
	fixture_stop(&f);
}

static void half_a_request_is_never_served(void **state)
{
	const struct linger reset = { .l_onoff = 1 };
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	buf_init(&in, REPLY_MOST);
	fd = client_open(&f);
	assert_true(client_send(fd, S(POST "Content-Length: 5\r\n\r\nhell")));
	shutdown(fd, SHUT_WR);
	assert_false(client_read(fd, &in, NULL));
	assert_int_equal(in.n, 0);
	close(fd);
	fd = client_open(&f);
	assert_true(client_send(fd, S(POST "Content-Length: 5\r\n\r\nhell")));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(fd);
	fd = client_open(&f);
	assert_int_equal(client_ask(fd, GET("/"), &in), 200);
	assert_int_equal(f.served, 1);
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
}

static void *stop_server(void *ctx)
{
	struct fixture *f = ctx;

	http_server_stop(f->owned, clock_mono_ms() + PATIENCE_MS);
	return NULL;
}

static void stopping_finishes_what_is_served_and_ends_what_is_idle(void **state)
{
	struct fixture f = { 0 };
	pthread_t stopper;
	int busy, idle;
	struct buf in;

	(void)state;
	start(&f, 2);
	buf_init(&in, REPLY_MOST);
	idle = client_open(&f);
	assert_int_equal(client_ask(idle, GET("/"), &in), 200);
	busy = client_open(&f);
	assert_true(client_send(busy, GET("/wait")));
	WAIT_FOR(f.served == 2);
	assert_int_equal(pthread_create(&stopper, NULL, stop_server, &f), 0);
	buf_clear(&in);
	assert_false(client_read(idle, &in, NULL));
	assert_int_equal(in.n, 0);
	fixture_release(&f);
	assert_false(client_read(busy, &in, NULL));
	assert_int_equal(reply_status(buf_str(&in)), 200);
	assert_true(reply_has(buf_str(&in), S("Connection: close\r\n")));
	close(busy);
	close(idle);
	pthread_join(stopper, NULL);
	buf_done(&in);
	fixture_stop(&f);
}

static void a_half_sent_request_does_not_hold_up_the_stop(void **state)
{
	static char part[3 * 4096];
	struct fixture f = { .config = { .request_ms = 60000 } };
	uint64_t began_ms;
	struct buf in;
	size_t before;
	int fd;

	(void)state;
	start(&f, 1);
	before = arena_budget_used();
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S(POST "Content-Length: 20000\r\n\r\n")));
	assert_true(client_send(fd, str_n(part, sizeof part)));
	WAIT_FOR(arena_budget_used() > before); /* it has been looked at */
	began_ms = clock_mono_ms();
	http_server_stop(f.owned, began_ms + 60000);
	assert_true(clock_mono_ms() < began_ms + 30000);
	client_read(fd, &in, NULL);
	assert_int_equal(reply_status(buf_str(&in)), 408);
	fixture_finish(&f, fd, &in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_reaches_a_client_that_is_still_sending),
		cmocka_unit_test(a_slow_reader_of_a_big_reply_holds_no_worker),
		cmocka_unit_test(a_client_that_is_too_slow_is_told_and_closed),
		cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
		cmocka_unit_test(a_thousand_idle_connections_hold_no_worker),
		cmocka_unit_test(running_out_of_descriptors_is_survived),
		cmocka_unit_test(large_requests_together_stay_within_the_memory_given),
		cmocka_unit_test(half_a_request_is_never_served),
		cmocka_unit_test(a_client_that_hangs_up_is_noticed_while_it_is_served),
		cmocka_unit_test(a_half_sent_request_does_not_hold_up_the_stop),
		cmocka_unit_test(stopping_finishes_what_is_served_and_ends_what_is_idle),
	};

	return cmocka_run_group_tests_name("http_limits", tests, NULL, NULL);
}
