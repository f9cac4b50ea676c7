/* Fuzzing of stdio.  The first byte is the limit.  Held: the lines are those of a plain split at
 * every newline, less one CR at the end, without the empty ones; those over the limit are refused
 * once. */
#include "transport/stdio.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"

#define INPUT_MOST ((size_t)1 << 20)

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf got, want;
	int fd;

	if (size < 2 || size > INPUT_MOST)
		return 0;
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
