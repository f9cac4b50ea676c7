/* tail - see tail.h.
 *
 * Each boot has a cursor that goes backwards, line by line, over its segments; the latest of them
 * all is taken until there are enough.  A line without a readable time has that of the line behind
 * it, so that it stays in its place.  What is a line here is only what stands between two LF. */
#include "audit/tail.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/journal.h"
#include "audit/line.h"
#include "audit/previous.h"

#define TIME_ROOM 32

struct cursor {
	size_t first, at; /* segments of the boot: first, and the one it stands in */
	uint64_t end; /* behind the LF of the lines left in it */
	bool any; /* line is there */
	struct tail_line line;
	char time[TIME_ROOM];
};

static bool go_to(struct tail *t, size_t segment, struct err *err)
{
	if (t->fd >= 0 && t->open == segment)
		return true;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = listing_open(t->segments, segment, t->directory, err);
	t->open = segment;
	return t->fd >= 0;
}

static bool read_at(struct tail *t, uint64_t offset, size_t n, char *room, struct err *err)
{
	if (pread(t->fd, room, n, (off_t)offset) == (ssize_t)n)
		return true;
	return err_set(err, E_IO, "audit segment %s cannot be read at %llu",
		t->segments->items[t->open].name, (unsigned long long)offset);
}

static bool enter_segment(struct tail *t, struct cursor *c, struct err *err)
{
	uint64_t data;

	if (!go_to(t, c->at, err))
		return false;
	if (!segment_data_end(t->fd, &data, &c->end))
		return err_set(err, E_IO, "audit segment %s cannot be read",
			t->segments->items[c->at].name);
	return true;
}

/* The line before c->end, in the segment that is open. */
static bool read_before(struct tail *t, struct cursor *c, char *window, struct err *err)
{
	size_t n = (size_t)MIN(c->end, (uint64_t)LINE_MAX_BYTES), start = n - 1;
	uint64_t from = c->end - n;
	struct str time;

	if (!go_to(t, c->at, err) || !read_at(t, from, n, window, err))
		return false;
	while (start && window[start - 1] != '\n')
		start--;
	c->end = from + start;
	while (start < n - 1 && !window[start]) /* a hole in front is not part of the line */
		start++;
	c->line = (struct tail_line){
		.segment = c->at, .offset = from + start, .bytes = n - 1 - start
	};
	time = line_time(str_n(window + start, c->line.bytes));
	if (time.n && time.n < TIME_ROOM) {
		memcpy(c->time, time.p, time.n);
		c->time[time.n] = 0;
	}
	return true;
}

static bool step_back(struct tail *t, struct cursor *c, char *window, struct err *err)
{
	c->any = false;
	while (!c->end) {
		if (c->at == c->first)
			return true;
		c->at--;
		if (!enter_segment(t, c, err))
			return false;
	}
	c->any = true;
	return read_before(t, c, window, err);
}

/* One for each boot, at its last line. */
static bool start_cursors(
	struct tail *t, struct cursor *cursors, size_t *count_out, char *window, struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < t->segments->count; i++) {
		struct cursor *c = &cursors[count];

		if (i && listing_same_boot(t->segments, i - 1, i)) {
			cursors[count - 1].at = i;
			continue;
		}
		*c = (struct cursor){ .first = i, .at = i, .time = "9999" };
		count++;
	}
	for (size_t i = 0; i < count; i++)
		if (!enter_segment(t, &cursors[i], err) || !step_back(t, &cursors[i], window, err))
			return false;
	*count_out = count;
	return true;
}

static struct cursor *latest(struct cursor *cursors, size_t count)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (cursors[i].any && (!best || strcmp(cursors[i].time, best->time) >= 0))
			best = &cursors[i];
	return best;
}

static bool add_line(struct tail *t, const struct tail_line *line, struct err *err)
{
	if (t->count == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct tail_line *lines = realloc(t->lines, cap * sizeof *lines);

		if (!lines)
			return err_set(err, E_LIMIT, "no memory for %zu lines", cap);
		t->lines = lines;
		t->cap = cap;
	}
	t->lines[t->count++] = *line;
	return true;
}

static void turn_around(struct tail *t)
{
	for (size_t i = 0; i < t->count / 2; i++) {
		struct tail_line kept = t->lines[i];

		t->lines[i] = t->lines[t->count - 1 - i];
		t->lines[t->count - 1 - i] = kept;
	}
}

static bool collect(struct tail *t, struct cursor *cursors, size_t boots, size_t count,
	char *window, struct err *err)
{
	struct cursor *c;

	while (t->count < count && (c = latest(cursors, boots)) != NULL)
		if (!add_line(t, &c->line, err) || !step_back(t, c, window, err))
			return false;
	turn_around(t);
	return true;
}

bool tail_find(struct tail *t, const struct listing *segments, int directory, size_t count,
	struct err *err)
{
	struct cursor *cursors = heap_alloc((segments->count + 1) * sizeof *cursors);
	char *window = heap_alloc(LINE_MAX_BYTES);
	size_t boots = 0;
	bool ok;

	*t = (struct tail){ .on = true, .segments = segments, .directory = directory, .fd = -1 };
	ok = start_cursors(t, cursors, &boots, window, err) &&
	     collect(t, cursors, boots, count, window, err);
	heap_free(window);
	heap_free(cursors);
	if (!ok)
		tail_done(t);
	return ok;
}

void tail_done(struct tail *t)
{
	if (t->on && t->fd >= 0)
		close(t->fd);
	free(t->lines);
	*t = (struct tail){ 0 };
}

bool tail_fetch(struct tail *t, const struct tail_line *line, char *room, struct err *err)
{
	return go_to(t, line->segment, err) && read_at(t, line->offset, line->bytes, room, err);
}
