/* reconcile - see reconcile.h.
 *
 * Invariants: 1. "not committed" is recorded only when the ledger was read and the process that
 * would commit is gone (leftover.h), or its outcome says that COMMIT was sent.  2. an intent is
 * marked as settled after its RECONCILE is durable: what is lost between the two is recorded twice.
 */
#include "serve/reconcile.h"

#include <pthread.h>
#include <string.h>

#include "audit/leftover.h"
#include "base/map.h"
#include "base/planted.h"
#include "plan/change.h"

#define NOTES_MAX 1024
#define TOLD_MAX 4096
#define RUN_MEMORY ((size_t)256 << 20)

struct note {
	struct id call;
	char tool[512], of[512];
	size_t tool_bytes, of_bytes;
};

struct reconcile {
	struct audit *audit;
	char *directory;
	reconcile_look *look;
	void *ctx;
	struct map told; /* places that were recorded as unknown */
	struct map closed; /* and as known */

	pthread_mutex_t lock; /* guards the notes */
	struct note *notes;
	size_t note_count;
};

/* One intent, from a log or a note. */
struct open_end {
	struct id call;
	struct str tool, of;
};

struct reconcile *reconcile_new(
	struct audit *audit, struct str directory, reconcile_look *look, void *ctx)
{
	struct reconcile *r = heap_new(struct reconcile);

	r->audit = audit;
	r->look = look;
	r->ctx = ctx;
	r->directory = heap_alloc(directory.n + 1);
	if (directory.n)
		memcpy(r->directory, directory.p, directory.n);
	r->notes = heap_alloc(NOTES_MAX * sizeof *r->notes);
	map_init(&r->told);
	map_init(&r->closed);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void reconcile_free(struct reconcile **r)
{
	if (!*r)
		return;
	pthread_mutex_destroy(&(*r)->lock);
	map_done(&(*r)->told);
	map_done(&(*r)->closed);
	heap_free((*r)->notes);
	heap_free((*r)->directory);
	heap_free(*r);
	*r = NULL;
}

/* Whether it was not said before; at most so often that the map stays small. */
static bool is_news(struct map *said, struct str of)
{
	static char yes;

	return said->count < TOLD_MAX && map_add(said, of, &yes);
}

/* Looks one up and records the answer.  *closed_out: it is known. */
static bool settle(struct reconcile *r, struct arena *a, const struct open_end *o,
	struct reconciled *sum, bool *closed_out, struct err *err)
{
	struct audit_settled s = { .call = o->call, .tool = o->tool, .of = o->of };
	bool committed = false;
	struct err why;

	*closed_out = r->look(r->ctx, a, o->tool, &o->call, &committed, &s.ledger, &why);
	if (*closed_out) {
		s.end = committed ? SETTLED_COMMITTED : SETTLED_NOT;
		sum->committed += committed;
		sum->not_committed += !committed;
		return audit_settle(r->audit, &s, err);
	}
	sum->unknown++;
	sum->why = why;
	s.end = SETTLED_UNKNOWN;
	s.detail = str_c(why.text);
	return !is_news(&r->told, o->of) || audit_settle(r->audit, &s, err);
}

/* That no log is read again saves work; where it cannot be written down, this process remembers. */
static void remember(struct reconcile *r, struct str name, struct str of)
{
	struct err ignored;

	if (!leftover_settle(str_c(r->directory), name, &ignored))
		(void)is_news(&r->closed, of);
}

static bool settle_left(struct reconcile *r, struct arena *a, const struct leftover *left,
	struct reconciled *sum, struct err *err)
{
	struct open_end o = { .call = left->call, .tool = left->tool, .of = left->of };
	bool closed;

	if (map_get(&r->closed, left->of))
		return true;
	if (!settle(r, a, &o, sum, &closed, err))
		return false;
	crash_point("reconcile_recorded");
	if (closed)
		remember(r, left->name, left->of);
	return true;
}

static bool settle_leftovers(
	struct reconcile *r, struct arena *a, struct reconciled *sum, struct err *err)
{
	struct leftovers found;

	if (!leftovers_find(a, str_c(r->directory), &found, err))
		return false;
	sum->rotten = (unsigned)MIN(found.rotten, (size_t)UINT32_MAX);
	for (size_t i = 0; i < found.settled_count; i++)
		remember(r, found.settled[i], found.settled[i]);
	for (size_t i = 0; i < found.count; i++)
		if (!settle_left(r, a, &found.list[i], sum, err))
			return false;
	return true;
}

static size_t copy(char *room, size_t size, struct str s)
{
	size_t n = MIN(s.n, size);

	if (n)
		memcpy(room, s.p, n);
	return n;
}

void reconcile_note(struct reconcile *r, const struct call *c)
{
	struct note n = { .call = c->id };
	struct buf tool;

	bug_on(!c->change || !c->entry);
	buf_init(&tool, sizeof n.tool);
	buf_add(&tool, str_sub(c->entry->name, 0, 256));
	buf_char(&tool, '@');
	buf_u64(&tool, c->entry->version);
	n.tool_bytes = copy(n.tool, sizeof n.tool, buf_str(&tool));
	n.of_bytes = copy(n.of, sizeof n.of, c->change->intent);
	buf_done(&tool);
	pthread_mutex_lock(&r->lock);
	if (r->note_count < NOTES_MAX)
		r->notes[r->note_count++] = n;
	pthread_mutex_unlock(&r->lock);
}

static bool take_note(struct reconcile *r, size_t at, struct note *out)
{
	bool there;

	pthread_mutex_lock(&r->lock);
	there = at < r->note_count;
	if (there)
		*out = r->notes[at];
	pthread_mutex_unlock(&r->lock);
	return there;
}

/* Only the thread that runs takes notes off, so that `at` is still the same one. */
static void drop_note(struct reconcile *r, size_t at)
{
	pthread_mutex_lock(&r->lock);
	r->notes[at] = r->notes[--r->note_count];
	pthread_mutex_unlock(&r->lock);
}

static bool settle_notes(
	struct reconcile *r, struct arena *a, struct reconciled *sum, struct err *err)
{
	struct note note;
	size_t at = 0;

	while (take_note(r, at, &note)) {
		struct open_end o = { .call = note.call,
			.tool = str_n(note.tool, note.tool_bytes),
			.of = str_n(note.of, note.of_bytes) };
		bool closed;

		if (!settle(r, a, &o, sum, &closed, err))
			return false;
		if (closed)
			drop_note(r, at);
		else
			at++;
	}
	return true;
}

bool reconcile_run(struct reconcile *r, struct reconciled *out, struct err *err)
{
	struct arena a;
	jmp_buf place;
	bool ok;

	*out = (struct reconciled){ .committed = 0 };
	arena_init(&a, RUN_MEMORY);
	if (arena_catch(&a, &place))
		ok = err_set(err, E_LIMIT, "the intents left open need more memory than there is");
	else
		ok = settle_leftovers(r, &a, out, err) && settle_notes(r, &a, out, err);
	arena_uncatch(&a);
	arena_done(&a);
	return ok;
}
