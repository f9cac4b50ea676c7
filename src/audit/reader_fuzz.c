/* A directory of any bytes: the reader gives every whole line that fits, in order, and no other;
 * the tail gives the same ones.
 *
 * The input is text: a line "%%" starts a segment of another boot, "%+" the next one of the same,
 * '^' stands for NUL, and a crc of "fixedcrc" is replaced by the right one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/line.h"
#include "audit/reader.h"
#include "base/buf.h"
#include "base/digest.h"

#define INPUT_MAX 60000
#define SEGMENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char place[256];

static char names[SEGMENTS_MAX][600];
static unsigned name_count;

static void remove_segments(void)
{
	while (name_count)
		unlink(names[--name_count]);
}

static void leave(void)
{
	remove_segments();
	rmdir(place);
}

static void arrive(void)
{
	const char *base = getenv("TMPDIR");

	if (place[0])
		return;
	snprintf(place, sizeof place, "%s/postern-reader-XXXXXX", base ? base : P_tmpdir);
	bug_on(!mkdtemp(place));
	bug_on(atexit(leave) != 0);
}

/* Its bytes, with what the input cannot know put in. */
static void prepare(char *p, size_t n)
{
	static const char mark[] = ",\"crc\":\"fixedcrc\"}";
	size_t start = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '^')
			p[i] = 0;
		if (p[i] != '\n')
			continue;
		if (i - start >= sizeof mark - 1 &&
			memcmp(p + i - (sizeof mark - 1), mark, sizeof mark - 1) == 0) {
			char crc[9];

			snprintf(crc, sizeof crc, "%08x",
				(unsigned)crc32c(str_n(p + start, i - start - (sizeof mark - 1))));
			memcpy(p + i - 10, crc, 8);
		}
		start = i + 1;
	}
}

static void write_segment(unsigned boot, unsigned n, const char *p, size_t bytes)
{
	char *name = names[name_count++];
	int fd;

	snprintf(name, sizeof names[0], "%s/audit-%026u-%06u.log", place, boot, n);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bug_on(fd < 0 || write(fd, p, bytes) != (ssize_t)bytes);
	close(fd);
}

/* What a simple reader would take as records, hashed in order; and their number. */
struct seen {
	size_t count;
	uint64_t ordered, sum;
};

static void see(struct seen *s, struct str line)
{
	uint64_t h = crc32c(line) + ((uint64_t)line.n << 32);

	s->count++;
	s->ordered = s->ordered * 1099511628211u + h;
	s->sum += h;
}

static void see_plainly(struct seen *seen, struct str s)
{
	struct str piece, rest;
	struct line line;

	for (; str_cut(s, '\n', &piece, &rest); s = rest) {
		while (piece.n && !piece.p[0])
			piece = str_from(piece, 1);
		if (line_read(piece, &line))
			see(seen, piece);
	}
}

static void split(const char *p, size_t n, struct seen *seen)
{
	unsigned boot = 0, number = 1, count = 1;
	size_t start = 0, end = 0;

	while (end < n && count < SEGMENTS_MAX) {
		const char *lf = memchr(p + end, '\n', n - end);
		size_t next = lf ? (size_t)(lf - p) + 1 : n;

		if (next - end == 3 && p[end] == '%' && (p[end + 1] == '%' || p[end + 1] == '+')) {
			write_segment(boot, number, p + start, end - start);
			see_plainly(seen, str_n(p + start, end - start));
			number = p[end + 1] == '+' ? number + 1 : 1;
			boot += p[end + 1] == '%';
			count++;
			start = next;
		}
		end = next;
	}
	write_segment(boot, number, p + start, n - start);
	see_plainly(seen, str_n(p + start, n - start));
}

static void read_all(struct audit_reader *r, struct seen *seen)
{
	enum audit_read what;
	struct err err;
	struct str line;

	while ((what = audit_read_next(r, &line, &err)) != AUDIT_END) {
		bug_on(what == AUDIT_FAILED);
		bug_on(what == AUDIT_ROTTEN && !err.text[0]);
		if (what == AUDIT_RECORD)
			see(seen, line);
	}
	bug_on(audit_read_next(r, &line, &err) != AUDIT_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen plain = { 0 }, forward = { 0 }, tail = { 0 }, last = { 0 };
	struct audit_reader *r;
	struct err err;
	char *p;

	if (size > INPUT_MAX)
		return 0;
	arrive();
	remove_segments();
	p = heap_alloc(size + 1);
	memcpy(p, data, size);
	prepare(p, size);
	split(p, size, &plain);
	heap_free(p);

	r = audit_reader_open(str_c(place), &err);
	bug_on(!r);
	read_all(r, &forward);
	bug_on(forward.count != plain.count || forward.ordered != plain.ordered);
	bug_on(!audit_reader_tail(r, 100000, &err));
	read_all(r, &tail);
	bug_on(tail.count != plain.count || tail.sum != plain.sum);
	bug_on(!audit_reader_tail(r, 1, &err));
	read_all(r, &last);
	bug_on(last.count > 1);
	audit_reader_free(&r);
	return 0;
}
