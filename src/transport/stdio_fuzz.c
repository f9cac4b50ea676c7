/* Fuzzing of stdio.  The first byte is the limit.  Held: the lines are those of a plain split at
 * every newline, less one CR at the end, without the empty ones; those over the limit are refused
 * once.  What is written as a line comes out whole, with one newline behind it, through a pipe as
 * through a socket; when nobody listens any more, every later write says so. */
#include "transport/stdio.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define INPUT_MOST ((size_t)1 << 20)
#define WRITE_MOST ((size_t)16 << 10) /* what a pipe or socket takes without a reader */
#define WRITE_MS 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct buf *out, struct str line, size_t limit)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > limit) {
		buf_lit(out, "!\n");
	} else if (line.n) {
		buf_add(out, line);
		buf_lit(out, "|\n");
	}
}

static void split(struct str input, size_t limit, struct buf *out)
{
	struct str line;

	while (str_cut(input, '\n', &line, &input))
		put(out, line, limit);
	put(out, input, limit);
}

static void read_all(int fd, size_t limit, struct buf *out)
{
	struct stdio *s = stdio_new(fd, fd, limit, 0);
	enum stdio_event event;
	struct arena a;

	arena_init(&a, INPUT_MOST);
	do {
		struct str line;

		event = stdio_read(s, &a, -1, 0, &line);
		if (event == STDIO_LINE) {
			bug_on(line.n > limit || str_has(line, '\n'));
			buf_add(out, line);
			buf_lit(out, "|\n");
		} else if (event == STDIO_TOO_LONG) {
			buf_lit(out, "!\n");
		}
		arena_reset(&a);
	} while (event == STDIO_LINE || event == STDIO_TOO_LONG);
	bug_on(event != STDIO_EOF);
	arena_done(&a);
	stdio_free(&s);
}

static void check_arrived(int fd, struct str line)
{
	char got[WRITE_MOST + 1];
	size_t n = 0;

	while (n < line.n + 1) {
		ssize_t more = read(fd, got + n, sizeof got - n);

		bug_on(more <= 0);
		n += (size_t)more;
	}
	bug_on(n != line.n + 1 || got[line.n] != '\n' || !str_eq(str_n(got, line.n), line));
}

/* ends[0] is read, ends[1] is written. */
static void check_written(int ends[2], struct str line)
{
	struct stdio *s = stdio_new(ends[0], ends[1], WRITE_MOST, WRITE_MS);
	struct str nothing;
	struct arena a;

	arena_init(&a, INPUT_MOST);
	bug_on(stdio_read(s, &a, -1, 0, &nothing) != STDIO_TIMEOUT);
	bug_on(!stdio_write(s, line));
	check_arrived(ends[0], line);
	close(ends[0]);
	bug_on(stdio_write(s, line) || stdio_write(s, S("x")));
	arena_done(&a);
	stdio_free(&s);
	close(ends[1]);
}

static void check_writing(struct str line)
{
	int ends[2];

	bug_on(pipe2(ends, O_CLOEXEC) != 0);
	check_written(ends, line);
	bug_on(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0);
	check_written(ends, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf got, want;
	int fd;

	if (size < 2 || size > INPUT_MOST)
		return 0;
	check_writing(str_n(data, MIN(size, WRITE_MOST)));
	fd = memfd_create("input", MFD_CLOEXEC);
	bug_on(fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1 ||
		lseek(fd, 0, SEEK_SET));
	buf_init(&got, 4 * INPUT_MOST);
	buf_init(&want, 4 * INPUT_MOST);
	split(str_n(data + 1, size - 1), data[0], &want);
	read_all(fd, data[0], &got);
	bug_on(!str_eq(buf_str(&got), buf_str(&want)));
	buf_done(&got);
	buf_done(&want);
	close(fd);
	return 0;
}
