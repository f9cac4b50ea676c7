/* audit - see audit.h.
 *
 *   callers: record made ─▶ group (under the lock) ─▶ wait on its latch ─▶ receipt
 *   writer:  takes the first group ─▶ journal: lines, one write, one fdatasync ─▶ sets the latch
 *
 * Invariants: 1. a receipt is made only after GROUP_DURABLE was read.  2. index order is the order
 * in the files: only the writer gives indices.  3. a caller that stopped waiting has given_up set
 * under the lock, before or after the writer read it: so its line, or one that follows, says
 * late.  4. busy longer than timeout_ms: nobody waits, nobody queues, but outcomes that are owed.
 * 5. the lock is never held across a call that touches a file.  6. what is owed (the outcome of a
 * change that was let in) is taken whatever else is refused: the queue is full, the disk nearly so,
 * the log shut; its room in the segment was reserved with its intent. */
#include "audit/inside.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"

#define QUEUE_RECORDS 4096
#define QUEUE_BLOB_BYTES ((size_t)64 << 20)
#define OWN_BYTES ((size_t)1 << 20)
#define SECOND_NS ((uint64_t)1000000000)
#define GATHER_NS ((uint64_t)400000) /* the longest wait for others to share a sync */

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
	a->protector.mask = config->mask;
	a->protector.mask_ctx = config->mask_ctx;
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
	return !atomic_load(&a->sealed) && !atomic_load(&a->shut);
}

void audit_shut(struct audit *a, const struct id *call)
{
	pthread_mutex_lock(&a->lock);
	if (!atomic_exchange(&a->shut, true)) {
		a->seal_call = *call;
		a->seal_due = true;
	}
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->lock);
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
			"the audit log is sealed after failures: repair the disk, then restart");
	if (now.busy_ms >= a->timeout_ns / 1000000)
		return err_set(err, E_TIMEOUT, "the audit log's disk has not answered for %llu ms",
			(unsigned long long)now.busy_ms);
	if (atomic_load(&a->opened) && !journal_in_place(&a->journal))
		return err_set(err, E_IO, "audit directory %s was moved or replaced", a->directory);
	return segment_directory_can_grow(a->directory, err);
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

		if (a->first || a->stopping || a->seal_due || (due && clock_mono_ns() >= due))
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

static void own_seal(struct audit *a)
{
	if (!a->seal_due)
		return;
	buf_fmt(&a->own, "\"e\":\"SEAL\",\"call\":\"%.*s\",\"reason\":\"outcome_unlogged\"\n",
		ID_BYTES, a->seal_call.c);
	if (buf_ok(&a->own))
		a->seal_due = false;
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
	for (size_t i = 0; i < g->count; i++) {
		g->items[i].says_late = g->items[i].given_up;
		a->blob_bytes -= g->items[i].blob ? g->items[i].blob->text.n : 0;
	}
	return g;
}

static void open_add(struct open_intents *o, const struct group_item *item)
{
	if (o->count == o->cap) {
		size_t cap = MAX(2 * o->cap, (size_t)64);
		struct open_intent *list = heap_alloc(cap * sizeof *list);

		if (o->count)
			memcpy(list, o->list, o->count * sizeof *list);
		heap_free(o->list);
		o->list = list;
		o->cap = cap;
	}
	o->list[o->count++] = (struct open_intent){ .index = item->index, .call = item->call };
}

static void open_remove(struct open_intents *o, const struct id *call)
{
	for (size_t i = 0; i < o->count; i++)
		if (str_eq(id_str(&o->list[i].call), id_str(call))) {
			o->list[i] = o->list[--o->count];
			return;
		}
}

static void open_follow(struct open_intents *o, const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct group_item *item = &g->items[i];

		if (item->refused)
			continue;
		if (item->use == SEGMENT_INTENT)
			open_add(o, item);
		else if (item->closes)
			open_remove(o, &item->call);
	}
}

static void tell_open(struct audit *a)
{
	const struct open_intents *o = &a->open;
	uint64_t from = UINT64_MAX;

	for (size_t i = 0; i < o->count; i++)
		from = MIN(from, o->list[i].index);
	a->journal.open_intents = o->count;
	a->journal.open_from = from;
}

/* What a batch may hold of the group and of the writer's own lines: all that is still wanted and
 * that is as much needed as `use` or more. */
static struct batch measure(const struct audit *a, const struct group *g, enum segment_use use)
{
	struct str own = use == SEGMENT_OWED ? STR_NONE : buf_str(&a->own);
	struct batch b = { .bytes = own.n, .use = use };

	for (size_t i = 0; i < own.n; i++)
		b.count += own.p[i] == '\n';
	for (size_t i = 0; g && i < g->count; i++) {
		if (g->items[i].refused)
			continue;
		b.count++;
		b.bytes += g->items[i].n;
		b.intents += g->items[i].use == SEGMENT_INTENT;
	}
	return b;
}

static void refuse_all(struct group *g, enum segment_use use, const struct err *err)
{
	for (size_t i = 0; g && i < g->count; i++)
		if (g->items[i].use == use && !g->items[i].refused) {
			g->items[i].refused = true;
			g->err = *err;
		}
}

static bool holds(const struct group *g, enum segment_use use)
{
	for (size_t i = 0; g && i < g->count; i++)
		if (g->items[i].use == use && !g->items[i].refused)
			return true;
	return false;
}

/* On a disk that fills up, first the intents of the group have no room, then all but what is owed.
 */
static bool begin(struct audit *a, struct group *g, struct batch *b, struct err *err)
{
	static const enum segment_use falling[] = { SEGMENT_INTENT, SEGMENT_PLAIN, SEGMENT_OWED };

	for (size_t i = 0; i < ARRAY_LEN(falling); i++) {
		enum segment_use use = falling[i];

		if (!holds(g, use) && (use != SEGMENT_PLAIN || !a->own.n))
			continue;
		*b = measure(a, g, use);
		if (journal_begin(&a->journal, b, err))
			return true;
		if (err->code != E_LIMIT)
			return false;
		refuse_all(g, use, err);
	}
	return false; /* err: of the last try; there was one, since there is something to write */
}

/* Before the lines that name them.  A change that stands is recorded without its blob rather than
 * not at all. */
static void put_blobs(struct audit *a, struct group *g)
{
	struct err err;

	for (size_t i = 0; g && i < g->count; i++) {
		struct group_item *item = &g->items[i];

		if (item->refused || !item->blob || journal_put_blob(&a->journal, item->blob, &err))
			continue;
		if (item->use == SEGMENT_OWED) {
			item->says_lost = true;
		} else {
			item->refused = true;
			g->err = err;
		}
	}
}

static const char *also_says(const struct group_item *item)
{
	static const char *const more[2][2] = {
		{ "", ",\"blob_lost\":true" },
		{ ",\"late\":true", ",\"late\":true,\"blob_lost\":true" },
	};

	return more[item->says_late][item->says_lost];
}

static bool put_down(struct audit *a, struct group *g, struct err *err)
{
	struct str own = buf_str(&a->own), line;
	struct batch batch;

	if (!own.n && !g)
		return true;
	tell_open(a);
	if (!begin(a, g, &batch, err))
		return false;
	put_blobs(a, g);
	if (batch.use == SEGMENT_OWED)
		own = STR_NONE;
	while (str_cut(own, '\n', &line, &own))
		(void)journal_add(&a->journal, line, "");
	for (size_t i = 0; g && i < g->count; i++)
		if (!g->items[i].refused)
			g->items[i].index =
				journal_add(&a->journal, group_body(g, i), also_says(&g->items[i]));
	if (!journal_commit(&a->journal, err))
		return false;
	if (batch.use != SEGMENT_OWED)
		buf_clear(&a->own);
	if (g)
		open_follow(&a->open, g);
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
		if (g->items[i].given_up && !g->items[i].says_late && !g->items[i].refused)
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
	own_seal(a);
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
	tell_open(a);
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

bool audit_start(struct audit *a, struct err *err)
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
static bool admit(struct audit *a, const struct what *what, uint64_t now_ns, struct err *err)
{
	size_t blob = what->blob ? what->blob->text.n : 0;

	if (what->use == SEGMENT_OWED)
		return true;
	if (busy_ns(a, now_ns) >= a->timeout_ns) {
		count_unrecorded(a);
		return err_set(err, E_TIMEOUT, "the audit log's disk has not answered for %llu ms",
			(unsigned long long)busy_ns(a, now_ns) / 1000000);
	}
	if (a->queued >= QUEUE_RECORDS ||
		blob > QUEUE_BLOB_BYTES - MIN(a->blob_bytes, QUEUE_BLOB_BYTES)) {
		count_unrecorded(a);
		return err_set(err, E_BUSY, "%zu records wait for the audit log", a->queued);
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

bool audit_queue(struct audit *a, const struct what *what, struct ticket *out, struct err *err)
{
	uint64_t now = clock_mono_ns();
	struct blob *blob = what->blob;
	struct group *g = NULL;
	size_t place = 0;
	bool enough = false;

	pthread_mutex_lock(&a->lock);
	if (admit(a, what, now, err)) {
		g = group_for(a, what->body.n);
		place = group_add(g, what);
		a->blob_bytes += blob ? blob->text.n : 0;
		enough = ++a->queued == a->wanted;
	}
	pthread_mutex_unlock(&a->lock);
	if (!g) {
		blob_free(&blob);
		return false;
	}
	if (place == 0 || enough) /* without the lock, which the writer wants at once */
		pthread_cond_signal(&a->work);
	*out = (struct ticket){ .group = g, .place = place, .deadline_ns = now + a->timeout_ns };
	return true;
}

void ticket_drop(struct ticket *t)
{
	if (t->group)
		group_drop(t->group);
	t->group = NULL;
}

bool audit_await(struct audit *a, struct ticket *t, uint64_t *index_out, struct err *err)
{
	enum group_end end = (enum group_end)latch_wait(&t->group->latch, t->deadline_ns);

	if (end == GROUP_OPEN)
		end = give_up(a, t->group, t->place);
	if (end == GROUP_DURABLE && t->group->items[t->place].refused)
		end = GROUP_FAILED;
	if (end == GROUP_DURABLE)
		*index_out = t->group->items[t->place].index;
	else if (end == GROUP_FAILED)
		*err = t->group->err;
	else
		err_set(err, E_TIMEOUT, "the record was not durable within %llu ms",
			(unsigned long long)a->timeout_ns / 1000000);
	ticket_drop(t);
	return end == GROUP_DURABLE;
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
	heap_free(a->open.list);
	secret_wipe(&a->protector.key);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->start_lock);
	heap_free(a->directory);
	heap_free(a->origin);
	heap_free(a);
}
