/* Tests of the door: who goes when there is no room, what one address may have, and whose memory
 * requests are read into. */
#include "transport/http_fixture.h"

#define HOST "Host: localhost\r\n"
#define POST "POST /mcp HTTP/1.1\r\n" HOST
#define GET(path) S("GET " path " HTTP/1.1\r\n" HOST "\r\n")

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	struct fixture *f = ctx;

	(void)a;
	f->served++;
	if (str_eq(r->path, S("/wait")))
		fixture_await_release(f);
	http_reply(
		c, &(struct http_reply){
			   .status = 200, .content_type = S("text/plain"), .body = S("served") });
}

static void start(struct fixture *f, unsigned workers)
{
	f->config.serve = serve;
	fixture_start(f, workers);
}

static void a_connection_that_asks_nothing_is_closed_sooner_than_one_that_has(void **state)
{
	struct fixture f = { .config = { .request_ms = 100, .idle_ms = 60000 } };
	struct buf in;
	int silent, asked;

	(void)state;
	start(&f, 1);
	asked = client_begin(&f, &in);
	assert_int_equal(client_ask(asked, GET("/"), &in), 200);
	silent = client_open(&f);
	buf_clear(&in);
	assert_false(client_read(silent, &in, NULL));
	assert_int_equal(in.n, 0);
	assert_int_equal(client_ask(asked, GET("/"), &in), 200);
	assert_int_equal(f.refused, 0);
	close(silent);
	fixture_finish(&f, asked, &in);
}

/* Of these the server must have seen so many. */
static void open_many(struct fixture *f, int *fds, unsigned count, struct str bytes)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned before = http_server_connections(f->owned);

		fds[i] = client_open(f);
		assert_true(client_send(fds[i], bytes));
		WAIT_FOR(http_server_connections(f->owned) == before + 1);
	}
}

static void close_many(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void who_has_waited_longest_makes_room(void **state)
{
	struct fixture f = { .config = { .max_conns = 3 } };
	int fds[3], fourth;
	struct buf in;

	(void)state;
	start(&f, 2);
	open_many(&f, fds, 3, S(""));
	fourth = client_begin(&f, &in);
	assert_int_equal(client_ask(fourth, GET("/"), &in), 200);
	buf_clear(&in);
	assert_false(client_read(fds[0], &in, NULL));
	assert_int_equal(in.n, 0);
	for (int i = 1; i < 3; i++)
		assert_int_equal(client_ask(fds[i], GET("/"), &in), 200);
	close_many(fds, 3);
	fixture_finish(&f, fourth, &in);
}

static void a_part_of_a_request_makes_room_when_nobody_else_can(void **state)
{
	struct fixture f = { .config = { .max_conns = 2 } };
	int parts[2], third;
	struct buf in;

	(void)state;
	start(&f, 2);
	open_many(&f, parts, 2, S("GET / HTTP/1.1\r\nHo"));
	third = client_begin(&f, &in);
	assert_int_equal(client_ask(third, GET("/"), &in), 200);
	buf_clear(&in);
	assert_false(client_read(parts[0], &in, NULL));
	assert_int_equal(reply_status(buf_str(&in)), 408);
	assert_int_equal(client_ask(parts[1], S("st: localhost\r\n\r\n"), &in), 200);
	close_many(parts, 2);
	fixture_finish(&f, third, &in);
}

static void many_silent_ones_keep_nobody_out(void **state)
{
	enum { MANY = 300 };
	struct fixture f = { .config = { .max_conns = 32 } };
	static int fds[MANY];
	struct buf in;
	int fd;

	(void)state;
	start(&f, 2);
	for (int i = 0; i < MANY; i++) {
		fds[i] = client_open(&f);
		WAIT_FOR(i < 32 || is_closed(fds[i - 32]));
	}
	fd = client_begin(&f, &in);
	assert_int_equal(client_ask(fd, GET("/"), &in), 200);
	close_many(fds, MANY);
	fixture_finish(&f, fd, &in);
}

static void who_is_served_makes_room_for_nobody(void **state)
{
	struct fixture f = { .config = { .max_conns = 2 } };
	int fds[2], third;
	struct buf in;

	(void)state;
	start(&f, 3);
	open_many(&f, fds, 2, GET("/wait"));
	WAIT_FOR(f.served == 2);
	third = client_begin(&f, &in);
	assert_int_equal(client_ask(third, GET("/"), &in), 503);
	assert_true(reply_has(buf_str(&in), S("Retry-After: 1\r\n")));
	close(third);
	fixture_release(&f);
	for (int i = 0; i < 2; i++)
		assert_int_equal(client_ask(fds[i], S(""), &in), 200);
	assert_int_equal(f.served, 2);
	close(fds[1]);
	fixture_finish(&f, fds[0], &in);
}

/* A worker that has just replied still holds the connection: until then nobody can go. */
static int open_served(const struct fixture *f, struct buf *in)
{
	int fd = client_open(f);

	for (int i = 0; client_ask(fd, GET("/"), in) == 503 && i < 1000; i++) {
		close(fd);
		fd = client_open(f);
	}
	assert_int_equal(reply_status(buf_str(in)), 200);
	return fd;
}

static void one_address_has_its_share_and_no_more(void **state)
{
	struct fixture f = { .config = { .max_conns = 8, .per_address = 2 } };
	int busy[2], here, there;
	struct buf in;

	(void)state;
	start(&f, 3);
	open_many(&f, busy, 2, GET("/wait"));
	WAIT_FOR(f.served == 2);
	here = client_begin(&f, &in);
	assert_int_equal(client_ask(here, GET("/"), &in), 503);
	there = client_open_from(&f, 2);
	assert_int_equal(client_ask(there, GET("/"), &in), 200);
	close(here);
	fixture_release(&f);
	for (int i = 0; i < 2; i++)
		assert_int_equal(client_ask(busy[i], S(""), &in), 200);
	here = open_served(&f, &in);
	WAIT_FOR(is_closed(busy[0]) || is_closed(busy[1])); /* one of its own went for it */
	assert_int_equal(client_ask(there, GET("/"), &in), 200);
	close_many(busy, 2);
	close(here);
	fixture_finish(&f, there, &in);
}

#define PART 60000
static char part[PART];

/* Connections that have sent PART bytes of a larger body. */
static void open_parts(struct fixture *f, int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		fds[i] = client_open(f);
		assert_true(client_send(fds[i], S(POST "Content-Length: 60001\r\n\r\n")));
		assert_true(client_send(fds[i], str_n(part, PART)));
	}
}

static void half_of_the_memory_of_all_is_for_requests_that_are_read(void **state)
{
	size_t before = arena_budget_used();
	struct fixture f = { 0 };
	int fds[3], small;
	struct buf in;

	(void)state;
	arena_budget(before + 4 * PART);
	start(&f, 1);
	open_parts(&f, fds, 3);
	WAIT_FOR(f.refused == 1);
	assert_string_equal(f.last_reason, "memory");
	assert_true(arena_budget_used() >= before + PART);
	small = client_begin(&f, &in);
	assert_int_equal(client_ask(small, GET("/"), &in), 200);
	close_many(fds, 3);
	fixture_finish(&f, small, &in);
	arena_budget(0);
	assert_int_equal(arena_budget_used(), before);
}

static void one_address_cannot_use_up_the_memory_of_all(void **state)
{
	struct fixture f = { .config = { .memory = 8 * PART,
				     .max_conns = 64,
				     .per_address = 16,
				     .limits = { .body = PART + 1 } } };
	int here[3], there;
	struct buf in;

	(void)state;
	start(&f, 1);
	open_parts(&f, here, 3); /* a quarter of it is less than three of these */
	WAIT_FOR(f.refused == 1);
	there = client_open_from(&f, 2);
	buf_init(&in, REPLY_MOST);
	assert_true(client_send(there, S(POST "Content-Length: 60001\r\n\r\n")));
	assert_true(client_send(there, str_n(part, PART)));
	assert_int_equal(client_ask(there, S("x"), &in), 200);
	assert_int_equal(f.refused, 1);
	close_many(here, 3);
	fixture_finish(&f, there, &in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_asks_nothing_is_closed_sooner_than_one_that_has),
		cmocka_unit_test(who_has_waited_longest_makes_room),
		cmocka_unit_test(a_part_of_a_request_makes_room_when_nobody_else_can),
		cmocka_unit_test(many_silent_ones_keep_nobody_out),
		cmocka_unit_test(who_is_served_makes_room_for_nobody),
		cmocka_unit_test(one_address_has_its_share_and_no_more),
		cmocka_unit_test(half_of_the_memory_of_all_is_for_requests_that_are_read),
		cmocka_unit_test(one_address_cannot_use_up_the_memory_of_all),
	};

	return cmocka_run_group_tests_name("http_door", tests, NULL, NULL);
}
