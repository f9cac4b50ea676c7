/* A directory of any bytes: the reader gives every whole line that fits, in order, and no other;
 * the tail gives the same ones; what is no file fails once and nothing else does.
 *
 * The input is text: a line "%%" starts a segment of another boot, "%+" the next one of the same,
 * "%/" puts a directory in between and "%>" a link; "%<" stands for 70,000 bytes without an end,
 * "%0" for 140,000 NUL, '^' for one, and a crc of "fixedcrc" is replaced by the right one.
 *
 * covers: src/audit/reader.c src/audit/line.c src/audit/listing.c src/audit/tail.c */
#include "audit/reader.h"

#include <string.h>

#include "audit/journal.h"
#include "audit/line.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/scratch_fixture.h"

#define INPUT_MAX 40000
#define SEGMENTS_MAX 8
#define FILLERS_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a simple reader would take as records, hashed in order; and their number. */
struct seen {
	size_t count, failed;
	uint64_t ordered, sum;
};

static void see(struct seen *s, struct str line)
{
	uint64_t h = crc32c(line) + ((uint64_t)line.n << 32);

	s->count++;
	s->ordered = s->ordered * 1099511628211u + h;
	s->sum += h;
}

/* What stands between two LF, behind the hole in front.  More than a line may be is no line: torn
 * bytes go, and what is behind a hole is looked at again. */
static struct str plain_line(struct str piece)
{
	for (;;) {
		while (piece.n && !piece.p[0])
			piece = str_from(piece, 1);
		if (piece.n < LINE_MAX_BYTES)
			return piece;
		piece = str_from(piece, str_find(str_sub(piece, 0, LINE_MAX_BYTES), 0, 0));
	}
}

static void see_plainly(struct seen *seen, struct str s)
{
	struct str piece, rest;
	struct line line;

	for (; str_cut(s, '\n', &piece, &rest); s = rest) {
		piece = plain_line(piece);
		if (line_read(piece, &line))
			see(seen, piece);
	}
}

/* --- from the input to a directory --- */

struct making {
	struct buf segment;
	unsigned boot, number, count, fillers;
	struct seen *seen;
};

static const char *next_name(struct making *m)
{
	static char name[64];

	snprintf(name, sizeof name, "audit-%026u-%06u.log", m->boot, m->number++);
	m->count++;
	return name;
}

static void end_segment(struct making *m)
{
	(void)scratch_file(next_name(m), buf_str(&m->segment), 0600);
	see_plainly(m->seen, buf_str(&m->segment));
	m->segment.n = 0;
}

static bool obey(struct making *m, char command)
{
	if (command == '%' || command == '+' || command == '/' || command == '>')
		end_segment(m);
	if (command == '%') {
		m->boot++;
		m->number = 0;
	} else if (command == '/') {
		scratch_directory(next_name(m));
		m->seen->failed++;
	} else if (command == '>') {
		bug_on(symlink("/dev/null", scratch_name(next_name(m))) != 0);
		m->seen->failed++;
	} else if (command == '<' || command == '0') {
		size_t n = command == '0' ? 140000 : 70000;

		m->fillers++;
		memset(buf_space(&m->segment, n), command == '0' ? 0 : 'x', n);
		buf_used(&m->segment, n);
	}
	return str_has(S("%+/><0"), command);
}

/* With what the input cannot know put in. */
static void add_line(struct making *m, struct str line)
{
	struct str mark = S(",\"crc\":\"fixedcrc\"}\n");
	size_t start = m->segment.n, from = 0;
	bool fix = str_ends(line, mark);

	buf_add(&m->segment, line);
	for (size_t i = start; i < m->segment.n; i++)
		if (m->segment.p[i] == '^')
			m->segment.p[i] = 0;
	while (from < line.n && line.p[from] == '^')
		from++;
	if (fix && from + mark.n <= line.n) {
		struct str covered = str_n(m->segment.p + start + from, line.n - from - mark.n);

		m->segment.n -= 11;
		buf_fmt(&m->segment, "%08x\"}\n", (unsigned)crc32c(covered));
	}
}

static void make(struct str input, struct seen *seen)
{
	struct making m = { .seen = seen };

	scratch_clear();
	buf_init(&m.segment, (size_t)1 << 20);
	while (input.n && m.count < SEGMENTS_MAX) {
		size_t n = MIN(str_find(input, 0, '\n') + 1, input.n);
		struct str line = str_sub(input, 0, n);
		bool command = n == 3 && line.p[0] == '%' && line.p[2] == '\n';

		input = str_from(input, n);
		if (!command || m.fillers == FILLERS_MAX || !obey(&m, line.p[1]))
			add_line(&m, line);
	}
	end_segment(&m);
	bug_on(!buf_ok(&m.segment));
	buf_done(&m.segment);
}

/* --- reading it --- */

static void read_all(struct audit_reader *r, struct seen *seen)
{
	enum audit_read what;
	struct err err = { 0 };
	struct str line;

	while ((what = audit_read_next(r, &line, &err)) != AUDIT_END) {
		bug_on(what != AUDIT_RECORD && !err.text[0]);
		seen->failed += what == AUDIT_FAILED;
		if (what == AUDIT_RECORD)
			see(seen, line);
	}
	bug_on(audit_read_next(r, &line, &err) != AUDIT_END);
}

static void check_tail(struct audit_reader *r, const struct seen *plain)
{
	struct seen tail = { 0 }, last = { 0 };
	struct err err = { 0 };

	if (!audit_reader_tail(r, 100000, &err)) {
		bug_on(!plain->failed || !err.text[0]);
		return;
	}
	bug_on(plain->failed);
	read_all(r, &tail);
	bug_on(tail.count != plain->count || tail.sum != plain->sum || tail.failed);
	bug_on(!audit_reader_tail(r, 1, &err));
	read_all(r, &last);
	bug_on(last.count > 1);
}

static void check_absent(void)
{
	struct err err = { 0 };

	bug_on(audit_reader_open(S("/dev/null/none"), &err) || err.code == E_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen plain = { 0 }, forward = { 0 };
	struct audit_reader *r;
	struct err err;

	if (size > INPUT_MAX)
		return 0;
	make(str_n(data, size), &plain);
	r = audit_reader_open(str_c(scratch_place()), &err);
	bug_on(!r);
	read_all(r, &forward);
	bug_on(forward.count != plain.count || forward.ordered != plain.ordered);
	bug_on(forward.failed != plain.failed);
	check_tail(r, &plain);
	audit_reader_free(&r);
	check_absent();
	return 0;
}
