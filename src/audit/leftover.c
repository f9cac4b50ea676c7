/* leftover - see leftover.h.
 *
 * Invariants: 1. no intent of a process that may live is given out: its change may be made a moment
 * later.  2. an outcome closes the intent of its call, unless it says that the end is unknown.
 * 3. a boot counts as settled only when it was read to its end. */
#include "audit/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "audit/journal.h"
#include "audit/line.h"
#include "audit/listing.h"
#include "audit/previous.h"
#include "audit/reader.h"
#include "audit/settled.h"

#define RECORD_MEMORY ((size_t)4 << 20)
#define TOOL_MAX_BYTES 512
#define OF_MAX_BYTES (ORIGIN_MAX_BYTES + 1 + ID_BYTES + 1 + 20)

struct open_intent {
	struct id call;
	uint64_t index;
	char tool[TOOL_MAX_BYTES], of[OF_MAX_BYTES];
	size_t tool_bytes, of_bytes;
};

/* One walk over a directory. */
struct search {
	struct arena *arena;
	struct str path;
	int directory;
	struct listing segments;
	struct settled settled;
	struct leftovers found;
	size_t cap, settled_cap; /* of found's lists, on the heap until the end */
	struct open_intent *open; /* of the boot being read; heap */
	size_t open_count, open_cap;
	char *line; /* LINE_MAX_BYTES */
};

static void *grown(void *list, size_t count, size_t *cap, size_t size)
{
	void *more;

	if (count < *cap)
		return list;
	*cap = MAX(2 * *cap, (size_t)64);
	more = heap_alloc(*cap * size);
	if (count)
		memcpy(more, list, count * size);
	heap_free(list);
	return more;
}

static size_t copy(char *room, size_t size, struct str s)
{
	size_t n = MIN(s.n, size);

	if (n)
		memcpy(room, s.p, n);
	return n;
}

/* What a line says of intents */

static struct open_intent *find_open(struct search *s, struct str call)
{
	for (size_t i = 0; i < s->open_count; i++)
		if (str_eq(id_str(&s->open[i].call), call))
			return &s->open[i];
	return NULL;
}

static bool open_one(struct search *s, const struct json *record, struct str boot, struct err *err)
{
	struct str call = json_get_str(record, S("call"));
	const struct json *index = json_get(record, S("i"));
	struct open_intent *o;
	struct buf of;

	if (call.n != ID_BYTES || !json_is(index, JSON_NUMBER) || find_open(s, call))
		return true; /* no intent of ours */
	if (s->open_count + s->found.count >= LEFTOVERS_MAX)
		return err_set(
			err, E_LIMIT, "more than %d intents without an outcome", LEFTOVERS_MAX);
	s->open = grown(s->open, s->open_count, &s->open_cap, sizeof *s->open);
	o = &s->open[s->open_count++];
	*o = (struct open_intent){ .index = 0 };
	memcpy(o->call.c, call.p, ID_BYTES);
	(void)!str_to_u64(index->text, &o->index); /* line_read has seen the digits */
	o->tool_bytes = copy(o->tool, sizeof o->tool, json_get_str(record, S("tool")));
	buf_init(&of, OF_MAX_BYTES);
	buf_add(&of, str_sub(json_get_str(record, S("o")), 0, ORIGIN_MAX_BYTES));
	buf_char(&of, '/');
	buf_add(&of, boot);
	buf_char(&of, '/');
	buf_u64(&of, o->index);
	o->of_bytes = copy(o->of, sizeof o->of, buf_str(&of));
	buf_done(&of);
	return true;
}

static void close_one(struct search *s, const struct json *record)
{
	struct open_intent *o = find_open(s, json_get_str(record, S("call")));

	if (o && !str_eq(json_get_str(record, S("end")), S("unknown")))
		*o = s->open[--s->open_count];
}

static bool speaks_of(struct str line, const char *event)
{
	return memmem(line.p, line.n, event, strlen(event)) != NULL;
}

static bool follow(struct search *s, struct str line, struct str boot, struct err *err)
{
	struct json_error error;
	struct arena scratch;
	struct json record;
	struct str event;
	bool ok = true;

	if (!s->open_count && !speaks_of(line, "\"e\":\"CALL_INTENT\""))
		return true; /* nothing to close: most lines */
	arena_init(&scratch, RECORD_MEMORY);
	if (json_parse(&scratch, line, &record, &error)) {
		event = json_get_str(&record, S("e"));
		if (str_eq(event, S("CALL_INTENT")))
			ok = open_one(s, &record, boot, err);
		else if (str_eq(event, S("CALL_OUTCOME")) || str_eq(event, S("REPLAY")) ||
			 str_eq(event, S("RECONCILE")))
			close_one(s, &record);
	}
	arena_done(&scratch);
	return ok;
}

/* Leaves what is open.  *whole_out false: not all of it could be read. */
static bool read_boot(
	struct search *s, struct str boot, uint64_t from, bool *whole_out, struct err *err)
{
	struct audit_reader *r = audit_reader_open_boot(s->path, boot, from, err);
	enum audit_read what = AUDIT_FAILED;
	struct err unread;
	struct str line;
	bool ok = r != NULL;

	s->open_count = 0;
	*whole_out = true;
	while (ok && (what = audit_read_next(r, &line, &unread)) != AUDIT_END) {
		if (what == AUDIT_RECORD)
			ok = follow(s, line, boot, err);
		else if (what == AUDIT_ROTTEN)
			s->found.rotten++;
		else
			*whole_out = false;
	}
	audit_reader_free(&r);
	return ok;
}

/* Where to begin, and whether the process is gone */

static bool read_end(struct search *s, size_t at, struct json *out, struct arena *a)
{
	struct json_error error;
	struct err ignored;
	struct line line;
	struct str text;
	int fd = listing_open(&s->segments, at, s->directory, &ignored);
	bool ok;

	if (fd < 0)
		return false;
	ok = segment_last_line(fd, s->line, &text) && text.n && line_read(text, &line) &&
	     str_eq(line.event, S("SEGMENT_CLOSE")) && json_parse(a, text, out, &error);
	close(fd);
	return ok;
}

static bool number(const struct json *record, struct str name, uint64_t *out)
{
	const struct json *v = json_get(record, name);

	return json_is(v, JSON_NUMBER) && str_to_u64(v->text, out);
}

/* The segment, of those from first to last, that holds the oldest intent open at the end of the
 * boot or at the end of the last segment that was closed; last + 1: no segment needs to be read. */
static size_t where_to_begin(struct search *s, size_t first, size_t last)
{
	uint64_t open, from = 0, starts;
	bool known = false;

	for (size_t i = last + 1; i-- > first;) {
		struct arena a;
		struct json end;
		bool closed, here = false;

		arena_init(&a, RECORD_MEMORY);
		closed = read_end(s, i, &end, &a);
		if (closed && !known && number(&end, S("open_intents"), &open)) {
			known = true;
			if (!open)
				from = UINT64_MAX;
			else if (!number(&end, S("open_from"), &from))
				from = 0;
		}
		here = closed && known && number(&end, S("first"), &starts) && starts <= from;
		arena_done(&a);
		if (known && from == UINT64_MAX)
			return i + 1;
		if (here)
			return i;
	}
	return first;
}

enum life { ALIVE, GONE, DOUBTFUL };

/* A segment is locked before its first line is written, and the first one for as long as the
 * process lives: unlocked with a line in it, there is nobody. */
static enum life look_for_life(struct search *s, size_t first)
{
	enum life life = DOUBTFUL;
	uint64_t data, lines;
	struct err ignored;
	int fd;

	if (s->segments.items[first].n != 1)
		return DOUBTFUL;
	fd = listing_open(&s->segments, first, s->directory, &ignored);
	if (fd < 0)
		return DOUBTFUL;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		life = errno == EWOULDBLOCK ? ALIVE : DOUBTFUL;
	else if (segment_data_end(fd, &data, &lines))
		life = lines ? GONE : DOUBTFUL;
	close(fd);
	return life;
}

/* All of a directory */

static int by_index(const void *a, const void *b)
{
	const struct open_intent *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void keep_open(struct search *s, struct str boot)
{
	if (s->open_count)
		qsort(s->open, s->open_count, sizeof *s->open, by_index);
	for (size_t i = 0; i < s->open_count; i++) {
		const struct open_intent *o = &s->open[i];
		struct leftovers *f = &s->found;
		struct str name = arena_fmt(
			s->arena, "%.*s/%llu", STR_ARG(boot), (unsigned long long)o->index);

		if (settled_has(&s->settled, name))
			continue;
		f->list = grown(f->list, f->count, &s->cap, sizeof *f->list);
		f->list[f->count++] = (struct leftover){ .call = o->call,
			.tool = arena_str(s->arena, str_n(o->tool, o->tool_bytes)),
			.of = arena_str(s->arena, str_n(o->of, o->of_bytes)),
			.name = name,
			.boot = boot };
	}
}

static bool search_boot(struct search *s, size_t first, size_t last, struct err *err)
{
	struct leftovers *f = &s->found;
	struct str boot = arena_str(s->arena, listing_boot(&s->segments, first));
	enum life life = look_for_life(s, first);
	size_t before = f->count, begin;
	bool whole = true;

	f->alive += life == ALIVE;
	f->doubtful += life == DOUBTFUL;
	if (life != GONE)
		return true;
	begin = where_to_begin(s, first, last);
	if (begin <= last) {
		if (!read_boot(s, boot, s->segments.items[begin].n, &whole, err))
			return false;
		keep_open(s, boot);
	}
	f->doubtful += !whole;
	if (whole && f->count == before) {
		f->settled =
			grown(f->settled, f->settled_count, &s->settled_cap, sizeof *f->settled);
		f->settled[f->settled_count++] = boot;
	}
	return true;
}

static bool search_all(struct search *s, struct err *err)
{
	size_t last;

	if (!listing_read(&s->segments, s->directory, err))
		return false;
	settled_read(&s->settled, s->directory);
	for (size_t first = 0; first < s->segments.count; first = last + 1) {
		for (last = first; last + 1 < s->segments.count &&
				   listing_same_boot(&s->segments, first, last + 1);)
			last++;
		if (!settled_has(&s->settled, listing_boot(&s->segments, first)) &&
			!search_boot(s, first, last, err))
			return false;
	}
	return true;
}

static int open_directory(struct str directory)
{
	char *path = heap_alloc(directory.n + 1);
	int fd;

	if (directory.n)
		memcpy(path, directory.p, directory.n);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	heap_free(path);
	return fd;
}

/* The lists come to the caller's arena, which may jump: there is nothing on the heap by then but
 * what the search's own closer frees. */
static void search_done(void *what)
{
	struct search *s = what;

	close(s->directory);
	listing_done(&s->segments);
	settled_done(&s->settled);
	heap_free(s->found.list);
	heap_free(s->found.settled);
	heap_free(s->open);
	heap_free(s->line);
	*s = (struct search){ .directory = -1 };
}

static void give_out(struct search *s, struct leftovers *out)
{
	struct leftovers f = s->found;

	f.list = arena_array(s->arena, struct leftover, f.count + 1);
	f.settled = arena_array(s->arena, struct str, f.settled_count + 1);
	if (f.count)
		memcpy(f.list, s->found.list, f.count * sizeof *f.list);
	if (f.settled_count)
		memcpy(f.settled, s->found.settled, f.settled_count * sizeof *f.settled);
	*out = f;
}

bool leftovers_find(struct arena *a, struct str directory, struct leftovers *out, struct err *err)
{
	struct search *s = arena_new(a, struct search);

	s->arena = a;
	s->path = directory;
	s->directory = open_directory(directory);
	if (s->directory < 0 && errno == ENOENT) {
		*out = (struct leftovers){ .count = 0 };
		return true;
	}
	if (s->directory < 0)
		return err_errno(err, E_IO, "audit directory %.*s", STR_ARG(directory));
	map_init(&s->settled.names);
	s->line = heap_alloc(LINE_MAX_BYTES);
	arena_defer(a, search_done, s);
	if (!search_all(s, err))
		return false;
	give_out(s, out);
	return true;
}

bool leftover_settle(struct str directory, struct str name, struct err *err)
{
	int fd = open_directory(directory);
	bool ok;

	if (fd < 0)
		return err_errno(err, E_IO, "audit directory %.*s", STR_ARG(directory));
	ok = settled_add(fd, name, err);
	close(fd);
	return ok;
}
