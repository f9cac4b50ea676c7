/* reader - see reader.h.
 *
 * Invariants: 1. one window of memory for all files; nothing is read twice going forward.  2. every
 * byte below the torn tail leaves as a record or as rotten.  3. names come from the directory once,
 * at open: what is opened later is not part of this walk. */
#include "audit/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/journal.h"
#include "audit/line.h"
#include "audit/listing.h"
#include "audit/tail.h"

#define WINDOW_BYTES ((size_t)2 * (LINE_MAX_BYTES + 1))
#define TAIL_MAX ((size_t)100000)

struct audit_reader {
	int directory, fd; /* fd: of the segment, -1: none is open */
	struct listing segments;
	size_t at; /* which segment */
	char *window;
	size_t from, to; /* what is in the window, not given out yet */
	uint64_t offset; /* in the file, of window[from] */
	bool all_read; /* nothing is behind the window */
	struct tail tail; /* after audit_reader_tail */
	size_t tail_at;
};

struct audit_reader *audit_reader_open(struct str directory, struct err *err)
{
	struct audit_reader *r = heap_new(struct audit_reader);
	char *path = heap_alloc(directory.n + 1);

	if (directory.n)
		memcpy(path, directory.p, directory.n);
	r->fd = -1;
	r->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	heap_free(path);
	if (r->directory < 0)
		err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "audit directory %.*s",
			STR_ARG(directory));
	else if (listing_read(&r->segments, r->directory, err))
		r->window = heap_alloc(WINDOW_BYTES);
	if (!r->window)
		audit_reader_free(&r);
	return r;
}

struct audit_reader *audit_reader_open_boot(
	struct str directory, struct str boot, uint64_t from, struct err *err)
{
	struct audit_reader *r = audit_reader_open(directory, err);
	size_t kept = 0;

	for (size_t i = 0; r && i < r->segments.count; i++)
		if (str_eq(listing_boot(&r->segments, i), boot) && r->segments.items[i].n >= from)
			r->segments.items[kept++] = r->segments.items[i];
	if (r)
		r->segments.count = kept;
	return r;
}

void audit_reader_free(struct audit_reader **r)
{
	if (!*r)
		return;
	if ((*r)->fd >= 0)
		close((*r)->fd);
	if ((*r)->directory >= 0)
		close((*r)->directory);
	listing_done(&(*r)->segments);
	tail_done(&(*r)->tail);
	heap_free((*r)->window);
	heap_free(*r);
	*r = NULL;
}

static const char *segment_at(const struct audit_reader *r)
{
	return r->segments.items[r->at].name;
}

static bool next_segment_open(struct audit_reader *r, struct err *err)
{
	r->fd = listing_open(&r->segments, r->at, r->directory, err);
	r->from = r->to = 0;
	r->offset = 0;
	r->all_read = false;
	return r->fd >= 0;
}

static void segment_leave(struct audit_reader *r)
{
	close(r->fd);
	r->fd = -1;
	r->at++;
}

/* Moves what is left to the front and reads behind it until the window is full or the file ends. */
static bool fill(struct audit_reader *r, struct err *err)
{
	memmove(r->window, r->window + r->from, r->to - r->from);
	r->to -= r->from;
	r->from = 0;
	while (!r->all_read && r->to < WINDOW_BYTES) {
		ssize_t n = pread(
			r->fd, r->window + r->to, WINDOW_BYTES - r->to, (off_t)(r->offset + r->to));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(
				err, E_IO, "audit segment %s cannot be read", segment_at(r));
		r->all_read = n == 0;
		r->to += (size_t)n;
	}
	return true;
}

static struct str left(const struct audit_reader *r)
{
	return str_n(r->window + r->from, r->to - r->from);
}

static void take(struct audit_reader *r, size_t n)
{
	r->from += n;
	r->offset += n;
}

static enum audit_read rotten(
	struct audit_reader *r, uint64_t offset, const char *what, struct err *err)
{
	err_set(err, E_CONTRACT, "audit segment %s, byte %llu: %s", segment_at(r),
		(unsigned long long)offset, what);
	return AUDIT_ROTTEN;
}

/* At a NUL: takes them all.  AUDIT_END: there is nothing else. */
static enum audit_read skip_unused(struct audit_reader *r, struct str *line_out, struct err *err)
{
	uint64_t start = r->offset;

	for (;;) {
		struct str s = left(r);
		size_t n = 0;

		while (n < s.n && !s.p[n])
			n++;
		take(r, n);
		if (n < s.n)
			break;
		if (r->all_read)
			return AUDIT_END;
		if (!fill(r, err))
			return AUDIT_FAILED;
	}
	*line_out = STR_NONE;
	return rotten(r, start, "NUL bytes, with lines behind them", err);
}

/* No LF in what a line may be: a torn tail when only NUL follows it to the end, else rotten. */
static enum audit_read read_torn(struct audit_reader *r, struct str *line_out, struct err *err)
{
	struct str s = str_sub(left(r), 0, LINE_MAX_BYTES);
	uint64_t start = r->offset;
	size_t n = str_find(s, 0, 0);
	enum audit_read rest;

	if (n == s.n && s.n == LINE_MAX_BYTES) {
		take(r, n);
		*line_out = s;
		return rotten(r, start, "a line longer than may be", err);
	}
	take(r, n);
	rest = skip_unused(r, line_out, err);
	return rest == AUDIT_ROTTEN ? rotten(r, start, "a torn line, with lines behind it", err)
				    : rest;
}

/* The next line of the open segment; AUDIT_END: of this segment. */
static enum audit_read read_line(struct audit_reader *r, struct str *line_out, struct err *err)
{
	uint64_t start = r->offset;
	struct line line;
	struct str s, rest;

	if (left(r).n <= LINE_MAX_BYTES && !fill(r, err))
		return AUDIT_FAILED;
	s = left(r);
	if (!s.n)
		return AUDIT_END;
	if (!s.p[0])
		return skip_unused(r, line_out, err);
	if (!str_cut(str_sub(s, 0, LINE_MAX_BYTES), '\n', line_out, &rest))
		return read_torn(r, line_out, err);
	take(r, line_out->n + 1);
	if (!line_read(*line_out, &line))
		return rotten(r, start, "its crc or form does not fit", err);
	return AUDIT_RECORD;
}

static enum audit_read read_forward(struct audit_reader *r, struct str *line_out, struct err *err)
{
	while (r->fd >= 0 || r->at < r->segments.count) {
		enum audit_read what;

		if (r->fd < 0 && !next_segment_open(r, err)) {
			r->at++;
			return AUDIT_FAILED;
		}
		what = read_line(r, line_out, err);
		if (what == AUDIT_FAILED || what == AUDIT_END)
			segment_leave(r);
		if (what != AUDIT_END)
			return what;
	}
	return AUDIT_END;
}

static enum audit_read read_tail(struct audit_reader *r, struct str *line_out, struct err *err)
{
	const struct tail_line *t;
	struct line line;

	if (r->tail_at == r->tail.count)
		return AUDIT_END;
	t = &r->tail.lines[r->tail_at++];
	r->at = t->segment;
	if (!tail_fetch(&r->tail, t, r->window, err))
		return AUDIT_FAILED;
	*line_out = str_n(r->window, t->bytes);
	if (!line_read(*line_out, &line))
		return rotten(r, t->offset, "its crc or form does not fit", err);
	return AUDIT_RECORD;
}

enum audit_read audit_read_next(struct audit_reader *r, struct str *line_out, struct err *err)
{
	return r->tail.on ? read_tail(r, line_out, err) : read_forward(r, line_out, err);
}

bool audit_reader_tail(struct audit_reader *r, size_t count, struct err *err)
{
	tail_done(&r->tail);
	r->tail_at = 0;
	return tail_find(&r->tail, &r->segments, r->directory, MIN(count, TAIL_MAX), err);
}
