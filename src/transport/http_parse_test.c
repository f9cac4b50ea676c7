/* Tests of http_parse: what is refused and why, what is served, however the bytes are split. */
#include "transport/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/http_cases.h"

#define HEADERS 100

static const struct http_limits limits = {
	.request_line = 8192, .header_bytes = 16384, .header_count = HEADERS, .body = 1 << 20
};

struct reading {
	struct http_parser parser;
	struct buf in;
	struct http_refusal why;
	struct http_header headers[HEADERS];
};

static void begin(struct reading *r, const struct http_limits *l)
{
	memset(r, 0, sizeof *r);
	buf_init(&r->in, (size_t)4 << 20);
	http_parse_begin(&r->parser, l, r->headers);
}

/* In memory of its own size, moved each time: a pointer that was kept is found by the sanitizer. */
static enum http_parse_state feed(struct reading *r, struct str bytes)
{
	struct buf moved;

	buf_init(&moved, (size_t)4 << 20);
	moved.p = malloc(r->in.n + bytes.n + 1);
	moved.cap = r->in.n + bytes.n + 1;
	buf_add(&moved, buf_str(&r->in));
	buf_add(&moved, bytes);
	buf_done(&r->in);
	r->in = moved;
	return http_parse(&r->parser, &r->in, &r->why);
}

static enum http_parse_state feed_in_steps(struct reading *r, struct str bytes, size_t step)
{
	enum http_parse_state state = HTTP_MORE;

	for (size_t at = 0; at < bytes.n && state == HTTP_MORE; at += step)
		state = feed(r, str_sub(bytes, at, step));
	return state;
}

static bool str_is(struct str s, const char *c)
{
	return str_eq(s, str_c(c));
}

static void every_malformed_request_is_refused_for_its_reason(void **state)
{
	(void)state;
	assert_true(ARRAY_LEN(bad_requests) >= 40);
	for (size_t i = 0; i < ARRAY_LEN(bad_requests); i++) {
		const struct http_bad *bad = &bad_requests[i];

		for (size_t step = 1; step <= bad->bytes.n;
			step += step < 4 ? 1 : bad->bytes.n - 4) {
			struct reading r;

			begin(&r, &limits);
			if (feed_in_steps(&r, bad->bytes, step) != HTTP_REFUSED ||
				r.why.status != bad->status ||
				strcmp(r.why.reason, bad->reason) != 0)
				fail_msg("%s (step %zu): %d %s", bad->what, step, r.why.status,
					r.why.reason ? r.why.reason : "not refused");
			assert_int_equal(
				feed(&r, S("GET / HTTP/1.1\r\n" HOST "\r\n")), HTTP_REFUSED);
			buf_done(&r.in);
		}
	}
}

static void check_good(const struct http_good *good, const struct reading *r)
{
	const struct http_request *q = &r->parser.request;

	if (!str_is(q->method, good->method) || !str_is(q->path, good->path) ||
		!str_is(q->query, good->query) || !str_is(q->body, good->body) ||
		q->keep_alive != good->keep_alive)
		fail_msg("%s: %.*s %.*s?%.*s body \"%.*s\" keep-alive %d", good->what,
			STR_ARG(q->method), STR_ARG(q->path), STR_ARG(q->query), STR_ARG(q->body),
			q->keep_alive);
	assert_true(q->host.n > 0);
}

static void every_good_request_is_served_split_at_every_position(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		const struct http_good *good = &good_requests[i];

		for (size_t at = 0; at <= good->bytes.n; at++) {
			struct reading r;

			begin(&r, &limits);
			if (at < good->bytes.n)
				assert_int_equal(feed(&r, str_sub(good->bytes, 0, at)), HTTP_MORE);
			if (feed(&r, str_from(good->bytes, at < good->bytes.n ? at : 0)) !=
				HTTP_READY)
				fail_msg("%s, split at %zu: %s", good->what, at, r.why.reason);
			check_good(good, &r);
			http_parse_next(&r.parser, &r.in);
			assert_int_equal(r.in.n, 0);
			buf_done(&r.in);
		}
	}
}

static void every_good_request_is_served_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		struct reading r;

		begin(&r, &limits);
		assert_int_equal(feed_in_steps(&r, good_requests[i].bytes, 1), HTTP_READY);
		check_good(&good_requests[i], &r);
		buf_done(&r.in);
	}
}

static void what_follows_a_request_is_the_next_one(void **state)
{
	struct reading r;
	enum http_parse_state next;

	(void)state;
	begin(&r, &limits);
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++)
		buf_add(&r.in, good_requests[i].bytes);
	next = http_parse(&r.parser, &r.in, &r.why);
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		assert_int_equal(next, HTTP_READY);
		check_good(&good_requests[i], &r);
		http_parse_next(&r.parser, &r.in);
		next = http_parse(&r.parser, &r.in, &r.why);
	}
	assert_int_equal(next, HTTP_MORE);
	buf_done(&r.in);
}

static void a_limit_is_refused_one_byte_past_it_and_not_at_it(void **state)
{
	static const struct http_limits tight = { 26, 36, 2, 4 };
	static const struct {
		struct str bytes;
		int status; /* 0: served */
	} cases[] = {
		{ STR_INIT("GET /0123456789a HTTP/1.1\r\nHost: a\r\n\r\n"), 414 },
		{ STR_INIT("GET /012345678 HTTP/1.1\r\nHost: a\r\n\r\n"), 0 },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nA: 012345678901234567890\r\n\r\n"), 431 },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nA: 01234567890123456789\r\n\r\n"), 0 },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"), 431 },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), 413 },
		{ STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t step = 1; step < cases[i].bytes.n; step += 7) {
			struct reading r;
			enum http_parse_state got;

			begin(&r, &tight);
			got = feed_in_steps(&r, cases[i].bytes, step);
			if ((got == HTTP_READY) != (cases[i].status == 0) ||
				r.why.status != cases[i].status)
				fail_msg("case %zu: %d", i, r.why.status);
			buf_done(&r.in);
		}
	}
}

static void the_usual_limits_hold(void **state)
{
	static const struct {
		size_t line, value, count;
		int status;
	} cases[] = { { 9000, 1, 1, 414 }, { 10, 17000, 1, 431 }, { 10, 1, 100, 431 },
		{ 8000, 16000, 1, 0 }, { 10, 1, 99, 0 } };
	static char filler[20000];

	(void)state;
	memset(filler, 'a', sizeof filler);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reading r;

		begin(&r, &limits);
		buf_lit(&r.in, "GET /");
		buf_add(&r.in, str_n(filler, cases[i].line));
		buf_lit(&r.in, " HTTP/1.1\r\n" HOST);
		for (size_t h = 0; h < cases[i].count; h++) {
			buf_lit(&r.in, "X: ");
			buf_add(&r.in, str_n(filler, cases[i].value));
			buf_lit(&r.in, "\r\n");
		}
		buf_lit(&r.in, "\r\n");
		assert_int_equal(http_parse(&r.parser, &r.in, &r.why),
			cases[i].status ? HTTP_REFUSED : HTTP_READY);
		assert_int_equal(r.why.status, cases[i].status);
		buf_done(&r.in);
	}
}

static void a_chunked_body_takes_no_more_memory_than_its_bytes(void **state)
{
	struct reading r;
	size_t most = 0;

	(void)state;
	begin(&r, &limits);
	assert_int_equal(feed(&r, S(POST "Transfer-Encoding: chunked\r\n\r\n")), HTTP_MORE);
	for (int i = 0; i < 4000; i++) {
		assert_int_equal(feed(&r, S("1;extension=\"of some length\"\r\nx")), HTTP_MORE);
		assert_int_equal(feed(&r, S("\r\n")), HTTP_MORE);
		most = MAX(most, r.in.n);
	}
	assert_true(most < 4000 + 200);
	assert_int_equal(feed(&r, S("0\r\n\r\n")), HTTP_READY);
	assert_int_equal(r.parser.request.body.n, 4000);
	buf_done(&r.in);
}

static void a_chunked_body_that_grows_past_the_limit_is_refused_at_the_limit(void **state)
{
	static const struct http_limits tight = { 8192, 16384, 100, 10 };
	struct reading r;

	(void)state;
	begin(&r, &tight);
	assert_int_equal(
		feed(&r, S(POST "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n")), HTTP_MORE);
	assert_int_equal(feed(&r, S("3\r\n")), HTTP_REFUSED);
	assert_int_equal(r.why.status, 413);
	buf_done(&r.in);
}

static void a_chunk_extension_without_end_is_refused(void **state)
{
	struct reading r;
	enum http_parse_state got = HTTP_MORE;
	int i;

	(void)state;
	begin(&r, &limits);
	assert_int_equal(feed(&r, S(POST "Transfer-Encoding: chunked\r\n\r\n5;a=")), HTTP_MORE);
	for (i = 0; i < 1024 && got == HTTP_MORE; i++)
		got = feed(
			&r, S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_int_equal(got, HTTP_REFUSED);
	assert_string_equal(r.why.reason, "chunk");
	assert_true(i < 10);
	buf_done(&r.in);
}

static void trailers_are_no_headers(void **state)
{
	struct reading r;
	size_t count;

	(void)state;
	begin(&r, &limits);
	assert_int_equal(feed(&r, S(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n"
					 "Authorization: Bearer x\r\n\r\n")),
		HTTP_READY);
	http_header_get(&r.parser.request, S("authorization"), &count);
	assert_int_equal(count, 0);
	assert_int_equal(r.parser.request.header_count, 2);
	buf_done(&r.in);
}

static void a_client_that_waits_is_told_to_continue_once(void **state)
{
	struct reading r;

	(void)state;
	begin(&r, &limits);
	assert_int_equal(
		feed(&r, S(POST "Expect: 100-continue\r\nContent-Length: 4\r\n")), HTTP_MORE);
	assert_false(http_parse_continue(&r.parser, &r.in));
	assert_int_equal(feed(&r, S("\r\n")), HTTP_MORE);
	assert_int_equal(http_parse_missing(&r.parser, &r.in), 4);
	assert_true(http_parse_continue(&r.parser, &r.in));
	assert_false(http_parse_continue(&r.parser, &r.in));
	assert_int_equal(feed(&r, S("abcd")), HTTP_READY);
	buf_done(&r.in);
	begin(&r, &limits);
	assert_int_equal(
		feed(&r, S(POST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\na")), HTTP_MORE);
	assert_false(http_parse_continue(&r.parser, &r.in)); /* it did not wait */
	buf_done(&r.in);
}

static void headers_are_found_without_regard_to_case_and_counted(void **state)
{
	struct reading r;
	size_t count;

	(void)state;
	begin(&r, &limits);
	assert_int_equal(feed(&r, S("GET / HTTP/1.1\r\n" HOST "X-A: one\r\nx-a: \t two \r\n\r\n")),
		HTTP_READY);
	assert_true(str_is(http_header_get(&r.parser.request, S("x-A"), &count), "one"));
	assert_int_equal(count, 2);
	assert_true(str_is(r.parser.request.headers[2].value, "two"));
	assert_true(str_is(r.parser.request.host, "localhost"));
	assert_int_equal(http_header_get(&r.parser.request, S("X-B"), NULL).n, 0);
	buf_done(&r.in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_malformed_request_is_refused_for_its_reason),
		cmocka_unit_test(every_good_request_is_served_split_at_every_position),
		cmocka_unit_test(every_good_request_is_served_byte_by_byte),
		cmocka_unit_test(what_follows_a_request_is_the_next_one),
		cmocka_unit_test(a_limit_is_refused_one_byte_past_it_and_not_at_it),
		cmocka_unit_test(the_usual_limits_hold),
		cmocka_unit_test(a_chunked_body_takes_no_more_memory_than_its_bytes),
		cmocka_unit_test(a_chunked_body_that_grows_past_the_limit_is_refused_at_the_limit),
		cmocka_unit_test(a_chunk_extension_without_end_is_refused),
		cmocka_unit_test(trailers_are_no_headers),
		cmocka_unit_test(a_client_that_waits_is_told_to_continue_once),
		cmocka_unit_test(headers_are_found_without_regard_to_case_and_counted),
	};

	return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
