/* stdio - one JSON message per line in, one per line out.
 *
 * Reading: a line may end in CRLF; empty lines are skipped; a line over the limit is refused once
 * and skipped to its newline; what stands before the end of input without a newline is a line, too.
 * Writing: whole lines, never interleaved, from any thread; a write that cannot be finished within
 * its deadline, or EPIPE, marks the pipe gone, and every later write says so at once.
 *
 * The descriptors stay the caller's and keep their flags: others may share them, so O_NONBLOCK is
 * not set.  A socket is written with MSG_DONTWAIT; anything else in pieces of PIPE_BUF after poll
 * has said that they fit, which does not block as long as nobody else writes to the same pipe.  The
 * process ignores SIGPIPE from stdio_new on.
 *
 * One thread reads; any may write. */
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct stdio;

/* line_limit: bytes of a line without its end.  write_ms: for one whole line. */
struct stdio *stdio_new(int in_fd, int out_fd, size_t line_limit, uint32_t write_ms);
void stdio_free(struct stdio **s);

enum stdio_event { STDIO_LINE, STDIO_TOO_LONG, STDIO_EOF, STDIO_FAILED, STDIO_TIMEOUT };
/* Waits at most wait_ms (-1: for ever) for the next line (copied into the arena).  wake_fd (or -1):
 * returns STDIO_TIMEOUT early when it is readable. */
enum stdio_event stdio_read(
	struct stdio *s, struct arena *a, int wake_fd, int wait_ms, struct str *line_out);
bool stdio_write(struct stdio *s, struct str line); /* false: the other side is gone */
