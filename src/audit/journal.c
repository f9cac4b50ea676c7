/* journal - see journal.h.
 *
 * Invariants: 1. an index is given out once: when a batch fails its indices are not used again, and
 * GAP names them.  2. an index is spent only in a segment that is open and has room for the whole
 * batch.  3. nothing is written to a segment after an error of it.  4. failures counts errors since
 * the last success; at two the journal is sealed for ever. */
#include "audit/journal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/previous.h"
#include "base/clock.h"
#include "base/digest.h"
#include "json/write.h"

#define FRAME_BYTES 512 /* of a line, around its body; the origin is at most ORIGIN_MAX_BYTES */
#define OUT_MAX_BYTES ((size_t)64 << 20)
#define NOTICES_MAX_BYTES 16384
#define FAILURES_MAX 2
#define PROMISED_BYTES ((size_t)LINE_MAX_BYTES + 8192) /* for an outcome, and what goes with it */

void journal_init(struct journal *j, struct str directory, struct str origin)
{
	*j = (struct journal){
		.directory = -1, .alive = -1, .segment_bytes = JOURNAL_SEGMENT_BYTES
	};
	j->segment.fd = -1;
	j->path = heap_alloc(directory.n + 1);
	if (directory.n)
		memcpy(j->path, directory.p, directory.n);
	id_make(&j->boot, clock_wall_us());
	/* each byte may become six */
	buf_init(&j->frame, 6 * ORIGIN_MAX_BYTES + 64);
	buf_lit(&j->frame, "\"o\":\"");
	json_escape(&j->frame, str_sub(origin, 0, ORIGIN_MAX_BYTES));
	buf_lit(&j->frame, "\",\"b\":\"");
	buf_add(&j->frame, id_str(&j->boot));
	buf_lit(&j->frame, "\",");
	bug_on(!buf_ok(&j->frame));
	buf_init(&j->out, OUT_MAX_BYTES);
	buf_init(&j->notices, NOTICES_MAX_BYTES);
}

static void stamp(struct journal *j)
{
	struct buf when;

	buf_init(&when, sizeof j->when);
	buf_lit(&when, "\"t\":\"");
	clock_write_rfc3339(&when, clock_wall_us());
	buf_lit(&when, "\",\"m\":");
	buf_u64(&when, clock_mono_ns());
	buf_char(&when, ',');
	bug_on(!buf_ok(&when) || when.n >= sizeof j->when);
	memcpy(j->when, when.p, when.n);
	j->when[when.n] = 0;
	buf_done(&when);
}

static void write_crc(struct buf *out, uint32_t crc)
{
	uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
		(uint8_t)crc };

	buf_lit(out, ",\"crc\":\"");
	hex_write(out, str_n(bytes, sizeof bytes));
	buf_lit(out, "\"}\n");
}

uint64_t journal_add(struct journal *j, struct str body, const char *more)
{
	struct buf *out = &j->out;
	size_t start = out->n;

	buf_lit(out, "{\"v\":1,\"i\":");
	buf_u64(out, j->next);
	buf_char(out, ',');
	buf_add(out, str_c(j->when));
	buf_add(out, buf_str(&j->frame));
	buf_add(out, body);
	buf_add(out, str_c(more));
	write_crc(out, crc32c(str_from(buf_str(out), start)));
	bug_on(!buf_ok(out) || out->n - start > LINE_MAX_BYTES);
	return j->next++;
}

static void notice(struct journal *j, const char *fmt, ...) printf_like(2, 3);
static void notice(struct journal *j, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	bug_on(n < 0 || (size_t)n >= sizeof text);
	buf_add(&j->notices, str_n(text, (size_t)n));
	buf_char(&j->notices, '\n');
}

/* A segment was not written to the end: it is left, and the next one says which lines are in doubt.
 */
static bool give_up_segment(struct journal *j, struct err *err)
{
	notice(j, "\"e\":\"GAP\",\"segment\":\"%s\",\"from\":%llu,\"to\":%llu,\"reason\":\"%s\"",
		j->segment.name, (unsigned long long)j->out_first, (unsigned long long)j->next - 1,
		err->code == E_LIMIT ? "disk_full" : "io_error");
	segment_abandon(&j->segment);
	buf_clear(&j->out);
	if (++j->failures < FAILURES_MAX)
		return false;
	j->why = *err;
	atomic_store(&j->sealed, true);
	return err_while(err, "audit log sealed after %d failures in a row", FAILURES_MAX);
}

bool journal_commit(struct journal *j, struct err *err)
{
	if (!segment_append(&j->segment, buf_str(&j->out), err))
		return give_up_segment(j, err);
	buf_clear(&j->out);
	buf_clear(&j->notices);
	j->failures = 0;
	return true;
}

/* Notices stay until a batch that holds them is durable. */
static void add_opening(struct journal *j, const struct previous *before)
{
	struct buf body;
	struct str notices = buf_str(&j->notices), line;

	buf_init(&body, 1024);
	buf_fmt(&body, "\"e\":\"SEGMENT_OPEN\",\"n\":%u,\"pid\":%ld,\"version\":\"%s\"",
		j->segments, (long)getpid(), POSTERN_VERSION);
	if (before->name[0])
		buf_fmt(&body, ",\"previous\":\"%s\",\"previous_end\":\"%s\",\"torn_bytes\":%llu",
			before->name, before->end, (unsigned long long)before->torn_bytes);
	bug_on(!buf_ok(&body));
	j->segment_first = journal_add(j, buf_str(&body), "");
	buf_done(&body);
	while (str_cut(notices, '\n', &line, &notices))
		(void)journal_add(j, line, "");
}

/* Others take this process for gone when the lock on its first segment is free: it must not be, not
 * even while no segment is open because the last one was given up. */
static bool stay_alive(struct journal *j, const struct segment *first, struct err *err)
{
	if (j->alive < 0)
		j->alive = fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
	return j->alive >= 0 ||
	       err_errno(err, E_IO, "audit segment %s cannot be held open", first->name);
}

/* What is to be reserved for a batch, and behind it for the outcomes that are to come. */
static size_t room_for(const struct journal *j, const struct batch *b)
{
	size_t room = b->bytes + (b->count + 2) * (FRAME_BYTES + j->frame.n) + j->notices.n;

	if (b->use != SEGMENT_OWED)
		room += (j->open_intents + b->intents) * PROMISED_BYTES;
	return room;
}

static bool open_segment(struct journal *j, const struct batch *b, struct segment *out,
	struct previous *before, struct err *err)
{
	char name[SEGMENT_NAME_BYTES];

	if (j->directory < 0) {
		j->directory = segment_directory(j->path, err);
		if (j->directory < 0)
			return false;
	}
	*before = (struct previous){ .end = "" };
	previous_find(j->directory, &j->boot, before);
	segment_name(name, &j->boot, j->segments + 1);
	if (!segment_open(out, j->directory, name, b->use, err))
		return false;
	if (!segment_room(out, room_for(j, b) + NOTICES_MAX_BYTES, b->use, err) ||
		!stay_alive(j, out, err)) {
		unlinkat(j->directory, name, 0);
		segment_abandon(out);
		return false;
	}
	j->segments++;
	return true;
}

static void close_segment(struct journal *j, struct err *err)
{
	struct buf body;

	buf_init(&body, 256);
	buf_fmt(&body, "\"e\":\"SEGMENT_CLOSE\",\"first\":%llu,\"open_intents\":%zu",
		(unsigned long long)j->segment_first, j->open_intents);
	if (j->open_intents)
		buf_fmt(&body, ",\"open_from\":%llu", (unsigned long long)j->open_from);
	j->out_first = j->next;
	(void)journal_add(j, buf_str(&body), "");
	buf_done(&body);
	if (journal_commit(j, err))
		segment_finish(&j->segment);
}

/* True: the segment is as we left it.  Else it is given up, and the next one tells what was seen.
 */
static bool is_intact(struct journal *j)
{
	const char *harm = segment_harmed(&j->segment);

	if (!harm)
		return true;
	notice(j,
		"\"e\":\"SECURITY\",\"reason\":\"segment_%s\",\"segment\":\"%s\",\"from\":%llu,"
		"\"to\":%llu",
		harm, j->segment.name, (unsigned long long)j->segment_first,
		(unsigned long long)j->next - 1);
	segment_abandon(&j->segment);
	return false;
}

/* Past its size, a segment is closed when the next one is there; when none can be made, it goes on:
 * better a long segment than no record. */
static bool rotate(struct journal *j, const struct batch *b, struct err *err)
{
	struct segment next;
	struct previous before;
	struct err ignored;

	if (!open_segment(j, b, &next, &before, &ignored))
		return segment_room(&j->segment, room_for(j, b), b->use, err);
	segment_name_copy(before.name, str_c(j->segment.name));
	before.end = "closed";
	close_segment(j, &ignored);
	if (j->sealed) {
		segment_abandon(&next);
		*err = j->why;
		return false;
	}
	j->segment = next;
	j->out_first = j->next;
	add_opening(j, &before);
	return true;
}

bool journal_in_place(const struct journal *j)
{
	return j->directory < 0 || segment_directory_is(j->directory, j->path);
}

/* A directory that was moved away would take records that nobody finds: nothing is written until it
 * is back, or the process starts again.  What happened stands in the first record after that. */
static bool is_in_place(struct journal *j, struct err *err)
{
	if (journal_in_place(j)) {
		j->displaced = false;
		return true;
	}
	if (!j->displaced)
		notice(j, "\"e\":\"SECURITY\",\"reason\":\"directory_moved\"");
	j->displaced = true;
	segment_abandon(&j->segment); /* the next one opens with the notice */
	return err_set(err, E_IO,
		"audit directory %s is not the one that was opened: put it back, or restart",
		j->path);
}

bool journal_begin(struct journal *j, const struct batch *b, struct err *err)
{
	struct previous before;

	if (j->sealed) {
		*err = j->why;
		return err_while(err, "audit log sealed");
	}
	if (!is_in_place(j, err))
		return false;
	stamp(j);
	buf_clear(&j->out);
	j->out_first = j->next;
	if (j->segment.fd >= 0 && is_intact(j))
		return j->segment.at < j->segment_bytes
			       ? segment_room(&j->segment, room_for(j, b), b->use, err)
			       : rotate(j, b, err);
	if (!open_segment(j, b, &j->segment, &before, err))
		return false;
	add_opening(j, &before);
	return true;
}

bool journal_put_blob(struct journal *j, const struct blob *b, struct err *err)
{
	return blob_put(b, j->directory, &j->boot, err);
}

bool journal_sealed(const struct journal *j)
{
	return atomic_load(&j->sealed);
}

void journal_done(struct journal *j)
{
	struct err ignored;

	if (j->segment.fd >= 0 && is_intact(j)) {
		stamp(j);
		close_segment(j, &ignored);
	}
	segment_abandon(&j->segment);
	if (j->alive >= 0)
		close(j->alive);
	if (j->directory >= 0)
		close(j->directory);
	heap_free(j->path);
	buf_done(&j->frame);
	buf_done(&j->out);
	buf_done(&j->notices);
}
