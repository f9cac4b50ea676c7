/* stdio_front - see stdio_front.h.
 *
 * Invariants: 1. initialize and every notification are answered by the reading thread, in order.
 * 2. a job owns its arena.  3. at most `most` jobs wait; then reading waits, too. */
#include "serve/stdio_front.h"

#include "base/clock.h"
#include "base/secret_file.h"
#include "serve/log.h"
#include "transport/stdio.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#define SCOPE "stdio" /* what ids on the pipe belong to */
#define REFUSED_KEY 1000 /* our own code, outside the specification's ranges */
#define JOBS_WAITING_MAX 64
#define WORKERS_MAX 16
#define WRITE_MS 30000
#define TICK_MS 5000 /* between looks for questions that nobody answered */
#define ARENA_BYTES ((size_t)64 << 20)

struct job {
	struct job *next;
	struct arena arena;
	struct str text;
	struct mcp_session session; /* the pipe's, as it was when the line came */
	struct inflight_call flight;
	bool flying, id_in_use;
	bool long_running; /* for a worker: what may take long */
};

struct pipe_front {
	struct server *server;
	struct stdio *stdio;
	struct secret_file *key_file; /* NULL: the key is of the environment */
	struct secret key;
	pthread_mutex_t lock;
	pthread_cond_t work, room;
	struct job *first, **last;
	unsigned waiting, idle, workers, workers_max;
	bool ending;
	pthread_t threads[WORKERS_MAX];
	struct mcp_session session; /* the reading thread's */
	struct arena session_text;
};

struct pipe_exchange {
	struct exchange x;
	struct pipe_front *front;
	struct inflight_call *flight; /* ends before its reply is written: then the id is free */
};

static void pipe_reply(struct exchange *x, int status, struct str json, struct str session)
{
	(void)status;
	(void)session;
	struct pipe_exchange *p = (struct pipe_exchange *)x;

	if (p->flight)
		inflight_end(p->front->server->inflight, p->flight);
	p->flight = NULL;
	if (json.n)
		stdio_write(p->front->stdio, json);
}

static bool pipe_send(struct exchange *x, struct str json)
{
	return stdio_write(((struct pipe_exchange *)x)->front->stdio, json);
}

static bool pipe_gone(struct exchange *x)
{
	(void)x;
	return false; /* the end of input ends only the reading: what was accepted is answered */
}

static void pipe_free(struct exchange *x)
{
	heap_free(x);
}

static struct exchange *pipe_park(
	struct exchange *x, void (*on_gone)(void *ctx, uint64_t token), void *ctx, uint64_t token)
{
	struct pipe_exchange *parked = heap_new(struct pipe_exchange);

	(void)on_gone;
	(void)ctx;
	(void)token;
	*parked = *(struct pipe_exchange *)x;
	parked->x.holders = 1;
	parked->flight = NULL;
	return &parked->x;
}

static const struct exchange_ops pipe_ops = {
	.reply = pipe_reply,
	.send = pipe_send,
	.gone = pipe_gone,
	.park = pipe_park,
	.free = pipe_free,
};

static void send_error(struct pipe_front *f, int code, struct str message, struct str id)
{
	struct mcp_refusal why = { .code = code, .message = message, .id = id };
	struct buf out;

	buf_init(&out, (size_t)16 << 10);
	mcp_write_error(&out, &why);
	stdio_write(f->stdio, buf_str(&out));
	buf_done(&out);
}

static void refuse_key(
	struct pipe_front *f, struct incoming *in, struct job *j, enum identity_verdict verdict)
{
	log_warn("credential_refused", "reason=%s", identity_verdict_name(verdict));
	if (answer_record_refusal(f->server, in, "AUTH_FAIL", str_c(identity_verdict_name(verdict)),
		    STR_NONE, STR_NONE))
		send_error(f, REFUSED_KEY,
			S("the credential in identity.stdio.key is not valid now; issue one with: "
			  "postern key issue"),
			j->flight.id);
}

/* The key as it is now: whoever rotates it replaces the file. */
static enum identity_verdict verify(
	struct pipe_front *f, struct generation *g, struct job *j, struct principal *out)
{
	struct credential_shown shown = { .malformed = false };
	enum identity_verdict verdict = IDENTITY_UNAVAILABLE;
	struct secret key = f->key;
	struct log_text why;
	struct err err;

	if (f->key_file && !secret_file_get(f->key_file, clock_boot_ms(), &key, &err)) {
		log_error("key_unreadable", "error=%s", log_value(&why, str_c(err.text)));
	} else {
		shown.bearer = secret_bytes(&key);
		verdict = identity_verify(
			g->identity, &j->arena, &shown, clock_wall_us(), clock_boot_ms(), out);
	}
	secret_wipe(&key);
	return verdict;
}

static void run_job(struct pipe_front *f, struct job *j)
{
	struct generation *g = world_hold_in(f->server->world, &j->arena);
	struct pipe_exchange x = {
		.x = { .ops = &pipe_ops }, .front = f, .flight = j->flying ? &j->flight : NULL
	};
	struct incoming in = { .arena = &j->arena,
		.generation = g,
		.peer = S(SCOPE),
		.text = j->text,
		.pipe = &j->session,
		.flight = j->flying ? &j->flight : NULL,
		.id_in_use = j->id_in_use };
	enum identity_verdict verdict;
	struct principal who;

	verdict = verify(f, g, j, &who);
	if (verdict != IDENTITY_OK) {
		refuse_key(f, &in, j, verdict);
		return;
	}
	watch_break_glass(world_watch(f->server->world), &j->arena, &who, clock_boot_ms());
	in.who = &who;
	answer(f->server, &in, &x.x);
}

/* Runs the job; what used up its memory outside the pipeline ends here. */
static void run_within_memory(struct pipe_front *f, struct job *j)
{
	jmp_buf place;

	if (arena_catch(&j->arena, &place))
		send_error(f, -32603, S("the message needed more memory than it may have"),
			j->flight.id);
	else
		run_job(f, j);
	arena_uncatch(&j->arena);
}

static void run_text(struct pipe_front *f, struct job *j)
{
	run_within_memory(f, j);
	if (j->flying)
		inflight_end(f->server->inflight, &j->flight);
}

static void free_job(struct job *j)
{
	arena_done(&j->arena);
	heap_free(j);
}

/* A call may take long, and so may what is made of one: a batch, or the answer to a question. */
static bool may_take_long(const struct json *message)
{
	static const struct str calls[] = { STR_INIT("tools/call"), STR_INIT("resources/read"),
		STR_INIT("prompts/get"), STR_INIT("completion/complete") };
	struct str method = json_get_str(message, S("method"));

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (str_eq(method, calls[i]))
			return true;
	return message->kind == JSON_ARRAY || json_get(message, S("result"));
}

static struct job *take_job(struct pipe_front *f)
{
	struct job *j;

	pthread_mutex_lock(&f->lock);
	f->idle++;
	while (!f->first && !f->ending)
		pthread_cond_wait(&f->work, &f->lock);
	f->idle--;
	j = f->first;
	if (j) {
		f->first = j->next;
		if (!f->first)
			f->last = &f->first;
		f->waiting--;
		pthread_cond_signal(&f->room);
	}
	pthread_mutex_unlock(&f->lock);
	return j;
}

static void *work(void *ctx)
{
	struct pipe_front *f = ctx;
	struct job *j;

	while ((j = take_job(f)) != NULL) {
		run_text(f, j);
		free_job(j);
	}
	return NULL;
}

/* Under the lock. */
static bool add_worker(struct pipe_front *f)
{
	if (f->workers == f->workers_max ||
		pthread_create(&f->threads[f->workers], NULL, work, f) != 0)
		return false;
	f->workers++;
	return true;
}

/* False: no thread is to be had; the job is still the caller's. */
static bool give_job(struct pipe_front *f, struct job *j)
{
	bool first;

	pthread_mutex_lock(&f->lock);
	first = !f->workers;
	if (first && !add_worker(f)) {
		pthread_mutex_unlock(&f->lock);
		return false;
	}
	while (f->waiting >= JOBS_WAITING_MAX)
		pthread_cond_wait(&f->room, &f->lock);
	j->next = NULL;
	*f->last = j;
	f->last = &j->next;
	f->waiting++;
	if (!first && f->waiting > f->idle)
		(void)add_worker(f);
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
	return true;
}

/* initialize was answered: the session's text must outlive the message. */
static void keep_session(struct pipe_front *f, const struct mcp_session *session)
{
	f->session = *session;
	f->session.client_name = arena_str(&f->session_text, session->client_name);
	f->session.client_version = arena_str(&f->session_text, session->client_version);
	f->session.nonce = arena_str(&f->session_text, session->nonce);
}

/* The id is read here, on the reading thread, so that what came first on the pipe is first. */
static void enter(struct pipe_front *f, struct job *j)
{
	const struct json *id;
	struct json_error error;
	struct json message;
	jmp_buf place;
	bool ok;

	/* a line that is too much even for this is refused when it is run */
	ok = !arena_catch(&j->arena, &place) && json_parse(&j->arena, j->text, &message, &error);
	arena_uncatch(&j->arena);
	if (!ok)
		return;
	j->long_running = may_take_long(&message);
	id = json_get(&message, S("id"));
	if (!id || !json_get(&message, S("method")))
		return;
	j->flight.scope = S(SCOPE);
	j->flight.id = id->raw;
	j->flying = inflight_begin(f->server->inflight, &j->flight);
	j->id_in_use = !j->flying;
}

static void take_line(struct pipe_front *f, struct job *j)
{
	j->session = f->session;
	enter(f, j);
	if (j->long_running && give_job(f, j))
		return;
	run_text(f, j);
	if (!f->session.on && j->session.on)
		keep_session(f, &j->session);
	free_job(j);
}

static void refuse_long_line(struct pipe_front *f)
{
	struct incoming in = { .peer = S(SCOPE) };

	if (answer_record_refusal(
		    f->server, &in, "PROTOCOL_REJECT", S("line_length"), STR_NONE, STR_NONE))
		send_error(f, -32700, S("the line is longer than limits.request_bytes"), STR_NONE);
	else
		send_error(f, -32603, S("AUDIT_UNAVAILABLE: the refusal could not be recorded"),
			STR_NONE);
}

static enum stdio_event read_one(struct pipe_front *f, int wake_fd)
{
	struct job *j = heap_new(struct job);
	enum stdio_event event;

	arena_init(&j->arena, ARENA_BYTES);
	event = stdio_read(f->stdio, &j->arena, wake_fd, TICK_MS, &j->text);
	if (event == STDIO_LINE) {
		take_line(f, j);
		return event;
	}
	free_job(j);
	if (event == STDIO_TOO_LONG)
		refuse_long_line(f);
	return event;
}

static bool is_to_end(const struct stdio_wake *wake)
{
	struct pollfd ready = { .fd = wake->fd, .events = POLLIN };

	return poll(&ready, 1, 0) > 0 && wake->woken(wake->ctx);
}

static bool goes_on(enum stdio_event event, const struct stdio_wake *wake)
{
	return event == STDIO_LINE || event == STDIO_TOO_LONG ||
	       (event == STDIO_TIMEOUT && !is_to_end(wake));
}

static void finish(struct pipe_front *f)
{
	pthread_mutex_lock(&f->lock);
	f->ending = true;
	pthread_cond_broadcast(&f->work);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->workers; i++)
		pthread_join(f->threads[i], NULL);
}

int stdio_front_run(struct server *s, int in_fd, int out_fd, const struct stdio_wake *wake)
{
	struct generation *g = world_hold(s->world);
	struct pipe_front f = { .server = s,
		.key = g->config->stdio_key.value,
		.workers_max = MIN(MAX(g->config->limits.concurrency, 1u), (unsigned)WORKERS_MAX) };
	enum stdio_event event;

	f.stdio = stdio_new(in_fd, out_fd, (size_t)g->config->limits.request_bytes, WRITE_MS);
	if (g->config->stdio_key.file.n)
		f.key_file = secret_file_new(g->config->stdio_key.file);
	world_drop(s->world, g);
	f.last = &f.first;
	arena_init(&f.session_text, (size_t)64 << 10);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.work, NULL);
	pthread_cond_init(&f.room, NULL);
	do {
		event = read_one(&f, wake->fd);
		server_tick(s, clock_mono_ms());
	} while (goes_on(event, wake));
	finish(&f);
	hub_end_all(s->hub);
	stdio_free(&f.stdio);
	arena_done(&f.session_text);
	pthread_cond_destroy(&f.room);
	pthread_cond_destroy(&f.work);
	pthread_mutex_destroy(&f.lock);
	secret_file_free(&f.key_file);
	secret_wipe(&f.key);
	return event == STDIO_FAILED ? 74 : 0;
}
