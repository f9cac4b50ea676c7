/* audit - see audit.h.
 *
 *   callers: record made ─▶ group (under the lock) ─▶ wait on its latch ─▶ receipt
 *   writer:  takes the first group ─▶ journal: lines, one write, one fdatasync ─▶ sets the latch
 *
 * Invariants: 1. a receipt is made only after GROUP_DURABLE was read.  2. index order is the order
 * in the files: only the writer gives indices.  3. a caller that stopped waiting has given_up set
 * under the lock, before or after the writer read it: so its line, or one that follows, says
 * late.  4. busy longer than timeout_ms: nobody waits, nobody queues.  5. the lock is never held
 * across a call that touches a file. */
#include "audit/audit.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "audit/collapse.h"
#include "audit/group.h"
#include "audit/journal.h"
#include "audit/segment.h"
#include "base/clock.h"

#define QUEUE_RECORDS 4096
#define USUAL_BYTES 1024 /* a call's record is mostly shorter */
#define OWN_BYTES ((size_t)1 << 20)
#define SECOND_NS ((uint64_t)1000000000)
#define GATHER_NS ((uint64_t)400000) /* the longest wait for others to share a sync */

struct receipt {
	uint64_t index;
};

struct audit {
	char *directory, *origin;
	uint64_t timeout_ns;
	bool (*key)(void *ctx, struct secret *out, struct err *err);
	void *key_ctx;

	pthread_mutex_t start_lock; /* guards only the start */
	_Atomic bool started;
	struct protector protector; /* fixed once started */
	pthread_t writer;
	struct latch finished;

	pthread_mutex_t lock; /* guards all up to `own` */
	pthread_cond_t work; /* CLOCK_MONOTONIC */
	bool stopping;
	uint64_t busy_since_ns; /* the writer is at the disk; 0: it is not */
	struct group *first, *last;
	size_t queued;
	size_t wanted; /* records that are worth a short wait before the next sync */
	uint64_t unrecorded; /* turned away without a record, since the last GAP */
	uint64_t unrecorded_ever, synced_ns;
	struct collapse collapse;

	struct buf own; /* the writer's: bodies it says itself, each with LF */
	uint64_t own_due_ns;
	struct journal journal;
	_Atomic bool sealed, opened; /* opened: journal is there to be looked at */
};

struct what {
	const char *event;
	const struct id *call; /* NULL: no call */
	struct str body;
};

static char *heap_cstr(struct str s)
{
	char *p = heap_alloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct audit *audit_new(const struct audit_config *config)
{
	struct audit *a = heap_new(struct audit);
	pthread_condattr_t monotonic;

	a->directory = heap_cstr(config->directory);
	a->origin = heap_cstr(config->origin);
	a->timeout_ns = (uint64_t)config->timeout_ms * 1000000u;
	a->key = config->key;
	a->key_ctx = config->key_ctx;
	pthread_mutex_init(&a->start_lock, NULL);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&a->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return a;
}

bool audit_healthy(const struct audit *a)
{
	return !atomic_load(&a->sealed);
}

static uint64_t busy_ns(const struct audit *a, uint64_t now_ns)
{
	return a->busy_since_ns ? now_ns - MIN(now_ns, a->busy_since_ns) : 0;
}

void audit_look(struct audit *a, struct audit_state *out)
{
	uint64_t now_ns = clock_mono_ns();

	pthread_mutex_lock(&a->lock);
	*out = (struct audit_state){ .waiting = a->queued,
		.busy_ms = busy_ns(a, now_ns) / 1000000,
		.synced_ms = a->synced_ns / 1000000,
		.unrecorded = a->unrecorded_ever };
	pthread_mutex_unlock(&a->lock);
}

bool audit_can_write(struct audit *a, struct err *err)
{
	struct audit_state now;

	audit_look(a, &now);
	if (!audit_healthy(a))
		return err_set(err, E_UNAVAILABLE,
			"the audit log is sealed after repeated failures: repair the disk, then "
			"restart");
	if (now.busy_ms >= a->timeout_ns / 1000000)
		return err_set(err, E_TIMEOUT, "the audit log's disk has not answered for %llu ms",
			(unsigned long long)now.busy_ms);
	if (atomic_load(&a->opened) && !journal_in_place(&a->journal))
		return err_set(err, E_IO, "audit directory %s was moved or replaced", a->directory);
	return segment_directory_can_grow(a->directory, err);
}

uint64_t receipt_index(const struct receipt *r)
{
	return r->index;
}

/* The writer */

static void wait_until(struct audit *a, uint64_t due_ns)
{
	struct timespec t = { .tv_sec = (time_t)(due_ns / SECOND_NS),
		.tv_nsec = (long)(due_ns % SECOND_NS) };

	if (due_ns)
		pthread_cond_timedwait(&a->work, &a->lock, &t);
	else
		pthread_cond_wait(&a->work, &a->lock);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && b ? MIN(a, b) : a | b;
}

/* Sleeps until there is a group, a second is over for what is counted, or the end; under the lock.
 */
static void wait_for_work(struct audit *a)
{
	for (;;) {
		uint64_t due = earlier(a->collapse.next_ns, a->own_due_ns);

		if (a->first || a->stopping || (due && clock_mono_ns() >= due))
			return;
		wait_until(a, due);
	}
}

/* A sync takes as long as several calls.  When records came together before, their callers are
 * likely to come back together: a moment's wait saves each of them a sync of its own.  A caller who
 * is alone never waits. */
static void gather(struct audit *a)
{
	uint64_t until = clock_mono_ns() + GATHER_NS;

	while (a->first && a->queued < a->wanted && !a->stopping && clock_mono_ns() < until)
		wait_until(a, until);
}

static void own_unrecorded(struct audit *a)
{
	if (!a->unrecorded)
		return;
	buf_fmt(&a->own, "\"e\":\"GAP\",\"reason\":\"unavailable\",\"unrecorded\":%llu\n",
		(unsigned long long)a->unrecorded);
	if (buf_ok(&a->own))
		a->unrecorded = 0;
	a->own.over = false;
}

static struct group *take_group(struct audit *a)
{
	struct group *g = a->first;

	if (!g)
		return NULL;
	a->first = g->next;
	if (!a->first)
		a->last = NULL;
	a->queued -= g->count;
	for (size_t i = 0; i < g->count; i++)
		g->items[i].says_late = g->items[i].given_up;
	return g;
}

static bool put_down(struct audit *a, struct group *g, struct err *err)
{
	struct str own = buf_str(&a->own), line;
	size_t own_count = 0, bytes = own.n + (g ? g->bodies.n : 0);

	for (size_t i = 0; i < own.n; i++)
		own_count += own.p[i] == '\n';
	if (!own_count && !g)
		return true;
	if (!journal_begin(&a->journal, bytes, own_count + (g ? g->count : 0), err))
		return false;
	while (str_cut(own, '\n', &line, &own))
		(void)journal_add(&a->journal, line, false);
	for (size_t i = 0; g && i < g->count; i++)
		g->items[i].index =
			journal_add(&a->journal, group_body(g, i), g->items[i].says_late);
	if (!journal_commit(&a->journal, err))
		return false;
	buf_clear(&a->own);
	return true;
}

/* A durable line whose caller had gone before: the line that follows says so. */
static void own_late(struct audit *a, const struct group_item *item)
{
	buf_fmt(&a->own, "\"e\":\"%s\"", item->event);
	if (item->call.c[0])
		buf_fmt(&a->own, ",\"call\":\"%.*s\"", ID_BYTES, item->call.c);
	buf_fmt(&a->own, ",\"code\":\"AUDIT_UNAVAILABLE\",\"of\":%llu,\"late\":true\n",
		(unsigned long long)item->index);
}

static void end_group(struct audit *a, struct group *g, bool durable, const struct err *err)
{
	if (!durable)
		g->err = *err;
	for (size_t i = 0; durable && i < g->count; i++)
		if (g->items[i].given_up && !g->items[i].says_late)
			own_late(a, &g->items[i]);
	latch_set(&g->latch, durable ? GROUP_DURABLE : GROUP_FAILED);
}

/* One turn: under the lock at both ends.  The clock is read twice, whatever the group holds. */
static void turn(struct audit *a)
{
	struct group *g = take_group(a);
	struct err err;
	bool durable;

	collapse_flush(&a->collapse, clock_mono_ns(), a->stopping, &a->own);
	own_unrecorded(a);
	a->busy_since_ns = clock_mono_ns();
	pthread_mutex_unlock(&a->lock);

	durable = put_down(a, g, &err);

	pthread_mutex_lock(&a->lock);
	a->busy_since_ns = 0;
	a->synced_ns = g && durable ? clock_mono_ns() : a->synced_ns;
	atomic_store(&a->sealed, journal_sealed(&a->journal));
	if (g)
		end_group(a, g, durable, &err);
	a->wanted = ((g ? g->count : 0) + a->queued) * 3 / 4;
	a->own_due_ns = a->own.n ? clock_mono_ns() + SECOND_NS : 0;
	if (!g)
		return;
	pthread_mutex_unlock(&a->lock);
	latch_wake(&g->latch);
	group_drop(g);
	pthread_mutex_lock(&a->lock);
}

static void *writer_main(void *arg)
{
	struct audit *a = arg;

	journal_init(&a->journal, str_c(a->directory), str_c(a->origin));
	buf_init(&a->own, OWN_BYTES);
	atomic_store(&a->opened, true);
	pthread_mutex_lock(&a->lock);
	while (!a->stopping || a->first) {
		wait_for_work(a);
		gather(a);
		turn(a);
	}
	buf_lit(&a->own, "\"e\":\"STOP\"\n");
	turn(a);
	pthread_mutex_unlock(&a->lock);
	journal_done(&a->journal);
	buf_done(&a->own);
	latch_set(&a->finished, 1);
	latch_wake(&a->finished);
	return NULL;
}

/* The callers */

static bool start_writer(struct audit *a, struct err *err)
{
	sigset_t all, before;
	int failed;

	if (!a->key(a->key_ctx, &a->protector.key, err))
		return err_while(err, "the audit log's key");
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* base/mapped.h */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&a->writer, NULL, writer_main, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return err_set(err, E_UNAVAILABLE, "the audit log's thread cannot be started");
	atomic_store(&a->started, true);
	return true;
}

static bool start(struct audit *a, struct err *err)
{
	bool ok;

	if (atomic_load(&a->started))
		return true;
	pthread_mutex_lock(&a->start_lock);
	ok = atomic_load(&a->started) || start_writer(a, err);
	pthread_mutex_unlock(&a->start_lock);
	return ok;
}

static void count_unrecorded(struct audit *a)
{
	a->unrecorded++;
	a->unrecorded_ever++;
}

/* Whether a record can be taken now; under the lock. */
static bool admit(struct audit *a, uint64_t now_ns, struct err *err)
{
	if (busy_ns(a, now_ns) >= a->timeout_ns) {
		count_unrecorded(a);
		return err_set(err, E_TIMEOUT, "the audit log's disk has not answered for %llu ms",
			(unsigned long long)busy_ns(a, now_ns) / 1000000);
	}
	if (a->queued >= QUEUE_RECORDS) {
		count_unrecorded(a);
		return err_set(err, E_BUSY, "%d records wait for the audit log", QUEUE_RECORDS);
	}
	return true;
}

static struct group *group_for(struct audit *a, size_t n)
{
	struct group *g = a->last;

	if (g && group_has_room(g, n))
		return g;
	g = group_new();
	if (a->last)
		a->last->next = g;
	else
		a->first = g;
	a->last = g;
	return g;
}

/* The wait is over without an answer.  When it came in this moment, it counts. */
static enum group_end give_up(struct audit *a, struct group *g, size_t place)
{
	enum group_end end;

	pthread_mutex_lock(&a->lock);
	end = (enum group_end)latch_value(&g->latch);
	if (end == GROUP_OPEN)
		g->items[place].given_up = true;
	pthread_mutex_unlock(&a->lock);
	return end;
}

static bool append(struct audit *a, const struct what *what, uint64_t *index_out, struct err *err)
{
	uint64_t now = clock_mono_ns(), deadline = now + a->timeout_ns;
	struct group *g = NULL;
	size_t place = 0;
	enum group_end end;
	bool enough = false;

	pthread_mutex_lock(&a->lock);
	if (admit(a, now, err)) {
		g = group_for(a, what->body.n);
		place = group_add(g, what->event, what->call, what->body);
		enough = ++a->queued == a->wanted;
	}
	pthread_mutex_unlock(&a->lock);
	if (!g)
		return false;
	if (place == 0 || enough) /* without the lock, which the writer wants at once */
		pthread_cond_signal(&a->work);
	end = (enum group_end)latch_wait(&g->latch, deadline);
	if (end == GROUP_OPEN)
		end = give_up(a, g, place);
	if (end == GROUP_DURABLE)
		*index_out = g->items[place].index;
	else if (end == GROUP_FAILED)
		*err = g->err;
	else
		err_set(err, E_TIMEOUT, "the record was not durable within %llu ms",
			(unsigned long long)a->timeout_ns / 1000000);
	group_drop(g);
	return end == GROUP_DURABLE;
}

/* The call's arena may be used up: then there is no receipt, and no jump either. */
static struct receipt *receipt_new(struct arena *arena, struct err *err)
{
	jmp_buf *escape = arena->escape;
	struct receipt *r = NULL;
	jmp_buf place;

	if (!arena_catch(arena, &place))
		r = arena_new(arena, struct receipt);
	else
		err_set(err, E_LIMIT, "the call's memory is used up");
	arena->escape = escape;
	return r;
}

/* Is it the first such refusal of this second?  Else it is counted now. */
static bool is_first(struct audit *a, const struct audit_refusal *r, uint64_t key)
{
	uint64_t due;
	bool first;

	pthread_mutex_lock(&a->lock);
	due = a->collapse.next_ns;
	first = collapse_first(&a->collapse, r, key, clock_mono_ns());
	if (!due)
		pthread_cond_signal(&a->work); /* there is a second to wait for now */
	pthread_mutex_unlock(&a->lock);
	return first;
}

static void forget_first(struct audit *a, uint64_t key)
{
	pthread_mutex_lock(&a->lock);
	collapse_forget(&a->collapse, key);
	pthread_mutex_unlock(&a->lock);
}

/* Who keeps on calling over a limit costs a count, not a record each. */
static struct audit_refusal over_limit(const struct call *c)
{
	return (struct audit_refusal){ .event = record_call_event(c),
		.reason = c->fault.reason,
		.subject = c->who ? c->who->subject : STR_NONE,
		.credential = c->who ? c->who->credential : STR_NONE,
		.agent = c->who ? c->who->agent : STR_NONE,
		.peer = c->origin.peer,
		.era = c->origin.era,
		.target = c->entry ? str_sub(c->entry->name, 0, 128) : STR_NONE };
}

const struct receipt *audit_call(struct audit *a, const struct call *c, struct err *err)
{
	bool limited = c->end == CALL_FAULT && c->fault.code == RATE_LIMITED;
	struct audit_refusal refusal = over_limit(c);
	uint64_t key = limited ? collapse_key(&refusal) : 0;
	struct receipt *receipt = receipt_new(c->arena, err);
	struct what what = { .event = record_call_event(c), .call = &c->id };
	struct buf body;
	bool ok;

	if (!receipt || !start(a, err))
		return NULL;
	if (limited && audit_healthy(a) && !is_first(a, &refusal, key))
		return receipt;
	buf_init(&body, RECORD_MAX_BYTES);
	(void)buf_space(&body, USUAL_BYTES); /* grown once */
	record_call(&body, c, &a->protector);
	what.body = buf_str(&body);
	ok = append(a, &what, &receipt->index, err);
	buf_done(&body);
	if (!ok && limited)
		forget_first(a, key);
	return ok ? receipt : NULL;
}

bool audit_event(struct audit *a, const char *event, struct str fields_json, struct err *err)
{
	struct what what = { .event = event };
	struct buf body;
	uint64_t index;
	bool ok;

	if (!start(a, err))
		return false;
	buf_init(&body, RECORD_MAX_BYTES);
	ok = record_event(&body, event, fields_json, err);
	what.body = buf_str(&body);
	ok = ok && append(a, &what, &index, err);
	buf_done(&body);
	return ok;
}

static bool refuse_first(struct audit *a, const struct audit_refusal *r, struct err *err)
{
	struct what what = { .event = r->event };
	struct buf body;
	uint64_t index;
	bool ok;

	buf_init(&body, RECORD_MAX_BYTES);
	record_refusal(&body, r);
	what.body = buf_str(&body);
	ok = append(a, &what, &index, err);
	buf_done(&body);
	return ok;
}

bool audit_refuse(struct audit *a, const struct audit_refusal *r, struct err *err)
{
	uint64_t key = collapse_key(r);

	if (!start(a, err))
		return false;
	if (!audit_healthy(a))
		return err_set(err, E_UNAVAILABLE, "the audit log is sealed");
	if (!is_first(a, r, key) || refuse_first(a, r, err))
		return true;
	forget_first(a, key);
	return false;
}

/* False: the disk hangs, and the writer with it; what it uses cannot be freed. */
static bool stop_writer(struct audit *a)
{
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
	if (!latch_wait(&a->finished, clock_mono_ns() + a->timeout_ns)) {
		pthread_detach(a->writer);
		return false;
	}
	pthread_join(a->writer, NULL);
	return true;
}

void audit_close(struct audit *a)
{
	if (!a || (atomic_load(&a->started) && !stop_writer(a)))
		return;
	collapse_done(&a->collapse);
	secret_wipe(&a->protector.key);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->start_lock);
	heap_free(a->directory);
	heap_free(a->origin);
	heap_free(a);
}
