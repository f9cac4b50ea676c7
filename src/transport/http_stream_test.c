/* Tests of http_stream: events over loopback sockets, and who is told that a client is gone. */
#include "transport/http_fixture.h"

#define GET(path) S("GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n")

static void on_gone(void *ctx, uint64_t token)
{
	((struct fixture *)ctx)->gone[token]++;
}

/* Keeps the stream, as a subscription would. */
static void park(struct fixture *f, struct http_stream *s)
{
	unsigned i;

	pthread_mutex_lock(&f->lock);
	i = f->held_count;
	f->held[i] = s;
	f->held_count = i + 1;
	pthread_mutex_unlock(&f->lock);
	http_stream_on_gone(s, on_gone, f, i);
}

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	const struct http_header extra = { S("X-Extra"), S("yes") };
	struct fixture *f = ctx;
	struct http_stream *s;

	(void)a;
	f->served++;
	s = http_stream_begin(c, &extra, 1);
	if (str_eq(r->path, S("/park"))) {
		park(f, s);
		return;
	}
	http_stream_send(s, S("{\"n\":1}"));
	http_stream_send(s, S("{\"n\":\n2,\r\"m\":3}"));
	http_stream_end(s);
	assert_false(http_stream_send(s, S("after the end")));
	http_stream_drop(&s);
}

static void start(struct fixture *f, unsigned workers)
{
	f->config.serve = serve;
	fixture_start(f, workers);
}

static int open_parked(struct fixture *f, struct buf *in)
{
	unsigned before = f->held_count;
	int fd = client_open(f);

	assert_true(client_send(fd, GET("/park")));
	WAIT_FOR(f->held_count > before);
	buf_init(in, REPLY_MOST);
	return fd;
}

static bool a_stream_has_begun(struct str so_far)
{
	return reply_has(so_far, S("\r\n\r\n"));
}

static void a_stream_that_ended_leaves_its_connection_for_the_next_request(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(client_ask(fd, GET("/events"), &in), 200);
		assert_true(reply_has(buf_str(&in), S("Content-Type: text/event-stream\r\n")));
		assert_true(reply_has(buf_str(&in), S("X-Accel-Buffering: no\r\n")));
		assert_true(reply_has(buf_str(&in), S("Cache-Control: no-cache\r\n")));
		assert_true(reply_has(buf_str(&in), S("X-Extra: yes\r\n")));
		assert_true(str_eq(reply_body(buf_str(&in)),
			S("1e\r\nevent: message\ndata: {\"n\":1}\n\n\r\n"
			  "26\r\nevent: message\ndata: {\"n\": 2, \"m\":3}\n\n\r\n0\r\n\r\n")));
	}
	assert_int_equal(f.served, 3);
	fixture_finish(&f, fd, &in);
}

static void on_http_1_0_a_stream_is_bare_and_ends_with_its_connection(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = client_begin(&f, &in);
	assert_true(
		client_send(fd, S("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")));
	assert_false(client_read(fd, &in, NULL));
	assert_true(reply_has(buf_str(&in), S("Connection: close\r\n")));
	assert_false(reply_has(buf_str(&in), S("chunked")));
	assert_true(str_starts(
		reply_body(buf_str(&in)), S("event: message\ndata: {\"n\":1}\n\nevent")));
	fixture_finish(&f, fd, &in);
}

static void a_parked_stream_is_sent_to_and_ended_by_any_thread(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1); /* the one worker is not held */
	fd = open_parked(&f, &in);
	assert_true(client_read(fd, &in, a_stream_has_begun));
	assert_true(http_stream_send(f.held[0], S("\"one\"")));
	assert_true(http_stream_send(f.held[0], S("\"two\"")));
	assert_false(http_stream_gone(f.held[0]));
	http_stream_end(f.held[0]);
	assert_false(client_read(fd, &in, NULL)); /* its connection is closed */
	assert_true(reply_has(buf_str(&in), S("data: \"one\"\n\n")));
	assert_true(str_ends(buf_str(&in), S("data: \"two\"\n\n\r\n0\r\n\r\n")));
	assert_int_equal(f.gone[0], 0); /* we ended it ourselves */
	fixture_finish(&f, fd, &in);
}

static void of_two_streams_one_goes_and_the_other_stays(void **state)
{
	struct fixture f = { 0 };
	struct buf first_in, second_in;
	int first, second;

	(void)state;
	start(&f, 2);
	first = open_parked(&f, &first_in);
	second = open_parked(&f, &second_in);
	close(first);
	WAIT_FOR(f.gone[0] == 1);
	assert_true(http_stream_gone(f.held[0]));
	assert_false(http_stream_send(f.held[0], S("1")));
	assert_true(http_stream_send(f.held[1], S("1")));
	assert_int_equal(f.gone[1], 0);
	close(second);
	WAIT_FOR(f.gone[1] == 1);
	buf_done(&first_in);
	buf_done(&second_in);
	fixture_stop(&f);
	assert_int_equal(f.gone[0], 1);
}

static void many_streams_get_every_event_until_they_go(void **state)
{
	enum { MANY = 40 };
	struct fixture f = { 0 };
	struct buf in[MANY];
	int fds[MANY];

	(void)state;
	start(&f, 3);
	for (int i = 0; i < MANY; i++)
		fds[i] = open_parked(&f, &in[i]);
	for (int i = 0; i < MANY; i++)
		assert_true(http_stream_send(f.held[i], S("\"all\"")));
	for (int i = 0; i < MANY; i += 2)
		close(fds[i]);
	for (int i = 0; i < MANY; i += 2)
		WAIT_FOR(f.gone[i] == 1);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(http_stream_send(f.held[i], S("\"rest\"")), i % 2);
	for (int i = 1; i < MANY; i += 2) {
		http_stream_end(f.held[i]);
		assert_false(client_read(fds[i], &in[i], NULL));
		assert_true(reply_has(buf_str(&in[i]), S("\"all\"")));
		assert_true(str_ends(buf_str(&in[i]), S("\"rest\"\n\n\r\n0\r\n\r\n")));
		close(fds[i]);
	}
	for (int i = 0; i < MANY; i++)
		buf_done(&in[i]);
	fixture_stop(&f);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(f.gone[i], i % 2 == 0);
}

static void a_client_that_does_not_read_is_cut(void **state)
{
	static char event[200000];
	struct fixture f = { .config = { .stream_pending = 100000 } };
	struct buf in;
	int fd, sent = 0;

	(void)state;
	memset(event, 'e', sizeof event);
	start(&f, 1);
	fd = open_parked(&f, &in);
	while (sent < 1000 && http_stream_send(f.held[0], str_n(event, sizeof event)))
		sent++;
	assert_in_range(sent, 1, 999);
	WAIT_FOR(f.gone[0] == 1);
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
	assert_int_equal(f.gone[0], 1);
}

static bool a_megabyte_of_events(struct str so_far)
{
	return so_far.n > 5000000 && str_ends(so_far, S("\n\n\r\n"));
}

static void a_slow_client_gets_a_big_event_whole(void **state)
{
	static char event[5000000];
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	memset(event, 'e', sizeof event);
	start(&f, 1);
	fd = open_parked(&f, &in);
	assert_true(http_stream_send(f.held[0], str_n(event, sizeof event)));
	assert_true(client_read(fd, &in, a_megabyte_of_events)); /* the tick sends the rest */
	assert_int_equal(f.gone[0], 0);
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
}

static bool a_comment_came(struct str so_far)
{
	return reply_has(so_far, S("3\r\n:\n\n\r\n"));
}

static void a_quiet_stream_is_kept_alive_by_comments(void **state)
{
	struct fixture f = { .config = { .keepalive_ms = 1 } };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = open_parked(&f, &in);
	assert_true(client_read(fd, &in, a_comment_came));
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
}

static void who_asks_late_hears_at_once_that_the_client_is_gone(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = open_parked(&f, &in);
	close(fd);
	WAIT_FOR(f.gone[0] == 1);
	http_stream_on_gone(f.held[0], on_gone, &f, 7);
	assert_int_equal(f.gone[7], 1);
	buf_done(&in);
	fixture_stop(&f);
}

static void stopping_cuts_the_streams_that_are_left(void **state)
{
	struct fixture f = { 0 };
	struct buf in;
	int fd;

	(void)state;
	start(&f, 1);
	fd = open_parked(&f, &in);
	http_server_stop(f.owned, clock_mono_ms() + PATIENCE_MS);
	assert_int_equal(f.gone[0], 1);
	assert_false(client_read(fd, &in, NULL));
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
	assert_int_equal(f.gone[0], 1);
}

struct sender {
	struct fixture *f;
	_Atomic bool stop;
};

static void *send_to_all(void *ctx)
{
	struct sender *sender = ctx;
	struct fixture *f = sender->f;

	while (!sender->stop) {
		for (unsigned i = 0; i < ARRAY_LEN(f->held); i++) {
			struct http_stream *s = NULL;

			pthread_mutex_lock(&f->lock);
			if (i < f->held_count)
				s = http_stream_hold(f->held[i]);
			pthread_mutex_unlock(&f->lock);
			if (s && i % 8 == 7)
				http_stream_end(s);
			else if (s && !http_stream_gone(s))
				http_stream_send(s, S("\"race\""));
			http_stream_drop(&s);
		}
	}
	return NULL;
}

static void senders_and_clients_that_go_do_not_meet_in_freed_memory(void **state)
{
	struct fixture f = { .config = { .keepalive_ms = 1 } };
	struct sender sender = { .f = &f };
	pthread_t threads[2];
	int fds[60];

	(void)state;
	start(&f, 3);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_to_all, &sender), 0);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client_open(&f);
		assert_true(client_send(fds[i], GET("/park")));
		if (i >= 5)
			close(fds[i - 5]);
	}
	for (unsigned i = ARRAY_LEN(fds) - 5; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	for (unsigned i = 0; i < f.held_count; i++)
		if (i % 8 != 7)
			WAIT_FOR(f.gone[i] == 1);
	sender.stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	fixture_stop(&f);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		assert_true(f.gone[i] <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_ended_leaves_its_connection_for_the_next_request),
		cmocka_unit_test(on_http_1_0_a_stream_is_bare_and_ends_with_its_connection),
		cmocka_unit_test(a_parked_stream_is_sent_to_and_ended_by_any_thread),
		cmocka_unit_test(of_two_streams_one_goes_and_the_other_stays),
		cmocka_unit_test(many_streams_get_every_event_until_they_go),
		cmocka_unit_test(a_client_that_does_not_read_is_cut),
		cmocka_unit_test(a_slow_client_gets_a_big_event_whole),
		cmocka_unit_test(a_quiet_stream_is_kept_alive_by_comments),
		cmocka_unit_test(who_asks_late_hears_at_once_that_the_client_is_gone),
		cmocka_unit_test(stopping_cuts_the_streams_that_are_left),
		cmocka_unit_test(senders_and_clients_that_go_do_not_meet_in_freed_memory),
	};

	return cmocka_run_group_tests_name("http_stream", tests, NULL, NULL);
}
