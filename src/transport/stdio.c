/* stdio - see stdio.h.
 *
 * Invariants: 1. in.p[0..taken) was given out, in.p[taken..seen) has no newline.  2. the buffer
 * holds no more than one line of the limit and one read: a longer line is dropped as it comes.  3.
 * gone is set once and never cleared; half a line is followed by nothing. */
#include "transport/stdio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define READ_BYTES ((size_t)65536)

struct stdio {
	int in_fd, out_fd;
	size_t line_limit;
	uint32_t write_ms;
	struct buf in;
	size_t taken, seen;
	bool skipping, ended; /* skipping: in a line that was refused */
	pthread_mutex_t write_lock;
	bool out_is_socket, gone; /* gone: under write_lock */
};

struct stdio *stdio_new(int in_fd, int out_fd, size_t line_limit, uint32_t write_ms)
{
	struct stdio *s = heap_new(struct stdio);
	struct stat st;

	*s = (struct stdio){ .in_fd = in_fd,
		.out_fd = out_fd,
		.line_limit = line_limit,
		.write_ms = write_ms,
		.out_is_socket = fstat(out_fd, &st) == 0 && S_ISSOCK(st.st_mode) };
	buf_init(&s->in, line_limit + 2 * READ_BYTES);
	pthread_mutex_init(&s->write_lock, NULL);
	signal(SIGPIPE, SIG_IGN);
	return s;
}

void stdio_free(struct stdio **sp)
{
	struct stdio *s = *sp;

	if (!s)
		return;
	buf_done(&s->in);
	pthread_mutex_destroy(&s->write_lock);
	heap_free(s);
	*sp = NULL;
}

/* --- reading --- */

static void drop_taken(struct stdio *s)
{
	s->in.n -= s->taken;
	if (s->in.n)
		memmove(s->in.p, s->in.p + s->taken, s->in.n);
	s->seen -= s->taken;
	s->taken = 0;
	if (!s->in.n && s->in.cap > 2 * READ_BYTES)
		buf_done(&s->in); /* one large message is no reason to keep its memory */
}

/* The bytes up to `end` are a line, without its newline.  False: it is empty, or was refused
 * before. */
static bool take_line(struct stdio *s, size_t end, struct str *line_out)
{
	struct str line = str_n(s->in.p + s->taken, end - s->taken);
	bool skipped = s->skipping;

	s->skipping = false;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*line_out = line;
	return line.n && !skipped;
}

/* What is in the buffer already.  STDIO_TIMEOUT: nothing whole. */
static enum stdio_event next_line(struct stdio *s, struct str *line_out)
{
	while (s->seen < s->in.n) {
		size_t end = str_find(buf_str(&s->in), s->seen, '\n');
		bool whole = end < s->in.n, wanted;

		s->seen = whole ? end + 1 : end;
		if (!whole)
			break;
		wanted = take_line(s, end, line_out);
		s->taken = s->seen;
		if (wanted)
			return line_out->n > s->line_limit ? STDIO_TOO_LONG : STDIO_LINE;
	}
	if (s->skipping) {
		s->taken = s->seen;
	} else if (s->in.n - s->taken > s->line_limit + 1) { /* a CR may still be its end */
		s->skipping = true;
		s->taken = s->seen;
		return STDIO_TOO_LONG;
	}
	return STDIO_TIMEOUT;
}

/* The end of input: what is left is the last line. */
static enum stdio_event last_line(struct stdio *s, struct str *line_out)
{
	bool wanted = s->taken < s->in.n && take_line(s, s->in.n, line_out);

	s->taken = s->seen = s->in.n;
	if (!wanted)
		return STDIO_EOF;
	return line_out->n > s->line_limit ? STDIO_TOO_LONG : STDIO_LINE;
}

static int left_ms(uint64_t deadline_ms)
{
	uint64_t now = clock_mono_ms();

	if (deadline_ms == UINT64_MAX)
		return -1;
	return now >= deadline_ms ? 0 : (int)MIN(deadline_ms - now, (uint64_t)INT_MAX);
}

/* True: there is input, or its end. */
static bool wait_for_input(const struct stdio *s, int wake_fd, uint64_t deadline_ms)
{
	struct pollfd fds[2] = { { .fd = s->in_fd, .events = POLLIN },
		{ .fd = wake_fd, .events = POLLIN } };

	for (;;) {
		int n = poll(fds, 2, left_ms(deadline_ms));

		if (n > 0)
			return !fds[1].revents;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Reads once.  False: input has failed. */
static bool fill(struct stdio *s)
{
	char *to;
	ssize_t got;

	drop_taken(s);
	to = buf_space(&s->in, READ_BYTES);
	if (!to)
		return false;
	got = read(s->in_fd, to, READ_BYTES);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	buf_used(&s->in, (size_t)got);
	s->ended = got == 0;
	return true;
}

enum stdio_event stdio_read(
	struct stdio *s, struct arena *a, int wake_fd, int wait_ms, struct str *line_out)
{
	uint64_t deadline_ms = wait_ms < 0 ? UINT64_MAX : clock_mono_ms() + (uint64_t)wait_ms;
	enum stdio_event event = next_line(s, line_out);

	while (event == STDIO_TIMEOUT) {
		if (s->ended) {
			event = last_line(s, line_out);
			break;
		}
		if (!wait_for_input(s, wake_fd, deadline_ms))
			return STDIO_TIMEOUT;
		if (!fill(s))
			return STDIO_FAILED;
		event = next_line(s, line_out);
	}
	if (event == STDIO_LINE)
		*line_out = arena_str(a, *line_out);
	return event;
}

/* --- writing --- */

static bool wait_for_room(const struct stdio *s, uint64_t deadline_ms)
{
	struct pollfd out = { .fd = s->out_fd, .events = POLLOUT };

	for (;;) {
		int n = poll(&out, 1, left_ms(deadline_ms));

		if (n > 0)
			return !(out.revents & (POLLERR | POLLNVAL));
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* One piece of the line and its newline, as much as goes without waiting; -1 and errno. */
static ssize_t write_piece(const struct stdio *s, struct str rest)
{
	static const char newline = '\n';
	size_t most = s->out_is_socket ? rest.n + 1 : (size_t)PIPE_BUF;
	struct iovec pieces[2] = { { .iov_len = MIN(rest.n, most) },
		{ .iov_len = rest.n < most ? 1 : 0 } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
	const char *end = &newline;

	/* both are only read */
	memcpy(&pieces[0].iov_base, &rest.p, sizeof rest.p);
	memcpy(&pieces[1].iov_base, &end, sizeof end);
	if (s->out_is_socket)
		return sendmsg(s->out_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return writev(s->out_fd, pieces, 2);
}

static bool write_line(const struct stdio *s, struct str line)
{
	uint64_t deadline_ms = clock_mono_ms() + s->write_ms;
	size_t done = 0;

	while (done <= line.n) {
		ssize_t n;

		if (!wait_for_room(s, deadline_ms))
			return false;
		n = write_piece(s, str_from(line, done));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool stdio_write(struct stdio *s, struct str line)
{
	bool ok;

	pthread_mutex_lock(&s->write_lock);
	ok = !s->gone && write_line(s, line);
	s->gone = !ok;
	pthread_mutex_unlock(&s->write_lock);
	return ok;
}
