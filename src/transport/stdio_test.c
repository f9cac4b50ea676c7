/* Tests of stdio: lines in, lines out, and the other side going away. */
#include "transport/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"

#define LIMIT 16
#define ARENA_BYTES ((size_t)64 << 20)

static void open_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

static void put(int fd, struct str bytes)
{
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
}

/* What is to be read from `input`: lines joined by '|', "!" for one too long, "." for the end. */
static void check(struct str input, size_t step, const char *want)
{
	struct stdio *s;
	struct buf got;
	struct arena a;
	int fds[2];

	open_pipe(fds);
	s = stdio_new(fds[0], fds[0], LIMIT, 1000);
	buf_init(&got, 4096);
	arena_init(&a, ARENA_BYTES);
	for (size_t at = 0;;) {
		struct str line;
		enum stdio_event event = stdio_read(s, &a, -1, at < input.n ? 0 : 5000, &line);

		if (event == STDIO_TIMEOUT && at < input.n) {
			put(fds[1], str_sub(input, at, step));
			at += step;
			if (at >= input.n)
				close(fds[1]);
			continue;
		}
		if (event == STDIO_LINE)
			buf_add(&got, line);
		buf_add(&got, event == STDIO_LINE       ? S("|")
			      : event == STDIO_TOO_LONG ? S("!")
							: S("."));
		if (event != STDIO_LINE && event != STDIO_TOO_LONG)
			break;
	}
	if (!str_eq(buf_str(&got), str_c(want)))
		fail_msg("\"%.*s\" by %zu: %.*s", STR_ARG(input), step, STR_ARG(buf_str(&got)));
	buf_done(&got);
	arena_done(&a);
	stdio_free(&s);
	close(fds[0]);
}

static void lines_come_as_they_are_however_they_were_written(void **state)
{
	static const struct {
		struct str input;
		const char *want;
	} cases[] = {
		{ STR_INIT("one\ntwo\n"), "one|two|." },
		{ STR_INIT("one\r\ntwo\r\n"), "one|two|." },
		{ STR_INIT("\n\r\none\n\n\n"), "one|." },
		{ STR_INIT("one\nunfinished"), "one|unfinished|." },
		{ STR_INIT("{}{}\n"), "{}{}|." },
		{ STR_INIT("a\rb\n"), "a\rb|." },
		{ STR_INIT("0123456789abcdef\n"), "0123456789abcdef|." },
		{ STR_INIT("0123456789abcdef\r\n"), "0123456789abcdef|." },
		{ STR_INIT("0123456789abcdefg\nnext\n"), "!next|." },
		{ STR_INIT("0123456789abcdefg\r\nnext\n"), "!next|." },
		{ STR_INIT("0123456789abcdefghijklmnopqrstuvwxyz0123456789\r\nnext\n"), "!next|." },
		{ STR_INIT("0123456789abcdefghijklmnopqrstuvwxyz"), "!." },
		{ STR_INIT("0123456789abcdefg\n\n0123456789abcdefg\nx\n"), "!!x|." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step <= cases[i].input.n; step++)
			check(cases[i].input, step, cases[i].want);
}

static void a_nul_is_a_byte_like_others(void **state)
{
	struct stdio *s;
	struct arena a;
	struct str line;
	int fds[2];

	(void)state;
	open_pipe(fds);
	s = stdio_new(fds[0], fds[0], LIMIT, 1000);
	arena_init(&a, ARENA_BYTES);
	put(fds[1], S("a\0b\n"));
	assert_int_equal(stdio_read(s, &a, -1, 5000, &line), STDIO_LINE);
	assert_true(str_eq(line, S("a\0b")));
	arena_done(&a);
	stdio_free(&s);
	close(fds[0]);
	close(fds[1]);
}

static void *write_a_long_line(void *ctx)
{
	static char bytes[65536];
	const int *fd = ctx;

	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 160; i++) /* 10 MiB */
		put(*fd, str_n(bytes, sizeof bytes));
	put(*fd, S("\nnext\n"));
	return NULL;
}

static void a_line_of_ten_megabytes_is_refused_once_and_the_next_is_read(void **state)
{
	pthread_t writer;
	struct stdio *s;
	struct arena a;
	struct str line;
	int fds[2];

	(void)state;
	open_pipe(fds);
	s = stdio_new(fds[0], fds[0], 1 << 20, 1000);
	arena_init(&a, ARENA_BYTES);
	assert_int_equal(pthread_create(&writer, NULL, write_a_long_line, &fds[1]), 0);
	assert_int_equal(stdio_read(s, &a, -1, 5000, &line), STDIO_TOO_LONG);
	assert_int_equal(stdio_read(s, &a, -1, 5000, &line), STDIO_LINE);
	assert_true(str_eq(line, S("next")));
	assert_true(a.used < 1000);
	pthread_join(writer, NULL);
	arena_done(&a);
	stdio_free(&s);
	close(fds[0]);
	close(fds[1]);
}

static void reading_ends_at_its_time_or_when_woken(void **state)
{
	int fds[2], wake = eventfd(0, EFD_CLOEXEC);
	uint64_t begin = clock_mono_ms();
	struct stdio *s;
	struct arena a;
	struct str line;

	(void)state;
	open_pipe(fds);
	s = stdio_new(fds[0], fds[0], LIMIT, 1000);
	arena_init(&a, ARENA_BYTES);
	assert_int_equal(stdio_read(s, &a, wake, 20, &line), STDIO_TIMEOUT);
	assert_true(clock_mono_ms() - begin >= 19);
	assert_int_equal(eventfd_write(wake, 1), 0);
	assert_int_equal(stdio_read(s, &a, wake, -1, &line), STDIO_TIMEOUT);
	close(fds[0]);
	assert_int_equal(stdio_read(s, &a, -1, -1, &line), STDIO_FAILED); /* no such descriptor */
	arena_done(&a);
	stdio_free(&s);
	close(fds[1]);
	close(wake);
}

/* Reads everything there is until the other side is closed. */
static void *read_all(void *ctx)
{
	int fd = *(int *)ctx;
	struct buf *all = heap_new(struct buf);

	buf_init(all, ARENA_BYTES);
	for (;;) {
		char *to = buf_space(all, 4096);
		ssize_t n = read(fd, to, 4096);

		if (n <= 0)
			return all;
		buf_used(all, (size_t)n);
	}
}

struct writer {
	struct stdio *stdio;
	char letter;
};

static void *write_lines(void *ctx)
{
	static const size_t sizes[] = { 1, 4094, 4095, 4096, 4097, 70000, 0 };
	const struct writer *w = ctx;
	static char bytes[4][70000];
	char *mine = bytes[w->letter - 'a'];

	memset(mine, w->letter, sizeof bytes[0]);
	for (size_t i = 0; i < 5 * ARRAY_LEN(sizes); i++)
		if (!stdio_write(w->stdio, str_n(mine, sizes[i % ARRAY_LEN(sizes)])))
			return NULL;
	return ctx;
}

static void check_whole_lines(struct str all)
{
	size_t lines = 0;

	for (struct str line, rest = all; str_cut(rest, '\n', &line, &rest); lines++)
		for (size_t i = 1; i < line.n; i++)
			assert_int_equal(line.p[i], line.p[0]);
	assert_int_equal(lines, 4 * 5 * 7);
	assert_int_equal(all.n, 4 * 5 * (1 + 4094 + 4095 + 4096 + 4097 + 70000 + 7));
}

static void lines_of_many_threads_are_whole(int fds[2])
{
	struct stdio *s = stdio_new(fds[0], fds[1], LIMIT, 5000);
	struct writer writers[4];
	pthread_t threads[4], reader;
	struct buf *all;
	void *result;

	assert_int_equal(pthread_create(&reader, NULL, read_all, &fds[0]), 0);
	for (int i = 0; i < 4; i++) {
		writers[i] = (struct writer){ s, (char)('a' + i) };
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_non_null(result);
	}
	close(fds[1]);
	pthread_join(reader, (void **)&all);
	check_whole_lines(buf_str(all));
	buf_done(all);
	heap_free(all);
	stdio_free(&s);
	close(fds[0]);
}

static void lines_of_many_threads_are_whole_on_a_pipe(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	lines_of_many_threads_are_whole(fds);
}

static void lines_of_many_threads_are_whole_on_a_socket(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	lines_of_many_threads_are_whole(fds);
}

static void check_full(int fds[2])
{
	struct stdio *s = stdio_new(fds[0], fds[1], LIMIT, 50);
	static char line[3 << 20];
	uint64_t begin = clock_mono_ms();

	memset(line, 'x', sizeof line);
	assert_false(stdio_write(s, str_n(line, sizeof line)));
	assert_in_range(clock_mono_ms() - begin, 45, 5000);
	assert_false(stdio_write(s, S("{}"))); /* gone: half a line is followed by nothing */
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	stdio_free(&s);
	close(fds[0]);
	close(fds[1]);
}

static void a_reader_that_does_not_read_makes_the_pipe_gone_in_time(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	check_full(fds);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	check_full(fds);
}

static void check_closed(int fds[2])
{
	struct stdio *s = stdio_new(fds[0], fds[1], LIMIT, 5000);

	assert_true(stdio_write(s, S("{}")));
	close(fds[0]);
	assert_false(stdio_write(s, S("{}"))); /* and no signal ends the process */
	assert_false(stdio_write(s, S("{}")));
	stdio_free(&s);
	close(fds[1]);
}

static void a_reader_that_closed_makes_the_pipe_gone(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	check_closed(fds);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	check_closed(fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_as_they_are_however_they_were_written),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(a_line_of_ten_megabytes_is_refused_once_and_the_next_is_read),
		cmocka_unit_test(reading_ends_at_its_time_or_when_woken),
		cmocka_unit_test(lines_of_many_threads_are_whole_on_a_pipe),
		cmocka_unit_test(lines_of_many_threads_are_whole_on_a_socket),
		cmocka_unit_test(a_reader_that_does_not_read_makes_the_pipe_gone_in_time),
		cmocka_unit_test(a_reader_that_closed_makes_the_pipe_gone),
	};

	return cmocka_run_group_tests_name("stdio", tests, NULL, NULL);
}
