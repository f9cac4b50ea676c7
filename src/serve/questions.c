/* questions - see questions.h.
 *
 * Invariants: 1. a question is in the list or owned by exactly one thread.  2. its exchange has one
 * reference, the question's.  3. answers are kept as JSON text: the arena of the answering message
 * ends before the call runs again. */
#include "serve/questions.h"

#include "json/write.h"

#include <pthread.h>

#define QUESTION_BYTES ((size_t)8 << 20)
#define ASKS_BYTES                                                                                 \
	((size_t)1 << 20) /* of what is asked at a time; what is sent may take four times that */
#define ANSWERS_BYTES ((size_t)1 << 20) /* all answers to one question: they are parsed again */

struct asked {
	struct str rpc_id; /* raw JSON */
	struct ask ask;
	struct str answer; /* JSON text; empty: open */
};

struct question {
	struct question *next;
	uint64_t token, expires_ms;
	struct arena arena;
	struct question_call call;
	struct asked *asked;
	size_t count, open, answer_bytes;
	struct exchange *exchange;
	bool gone;
};

struct questions {
	pthread_mutex_t lock;
	struct question *first;
	unsigned count;
	uint64_t last_token;
};

struct questions *questions_new(void)
{
	struct questions *q = heap_new(struct questions);

	pthread_mutex_init(&q->lock, NULL);
	return q;
}

void question_free(struct question *q)
{
	if (q->exchange)
		exchange_drop(q->exchange);
	arena_done(&q->arena);
	heap_free(q);
}

void questions_free(struct questions **q)
{
	while ((*q)->first) {
		struct question *one = (*q)->first;

		(*q)->first = one->next;
		question_free(one);
	}
	pthread_mutex_destroy(&(*q)->lock);
	heap_free(*q);
	*q = NULL;
}

static void take_out(struct questions *q, struct question *one)
{
	struct question **at = &q->first;

	while (*at && *at != one)
		at = &(*at)->next;
	if (*at) {
		*at = one->next;
		q->count--;
	}
}

static void on_gone(void *ctx, uint64_t token)
{
	struct questions *q = ctx;
	struct question *one;
	bool mine;

	pthread_mutex_lock(&q->lock);
	for (one = q->first; one && one->token != token; one = one->next)
		;
	mine = one && one->exchange;
	if (mine)
		take_out(q, one);
	else if (one)
		one->gone = true;
	pthread_mutex_unlock(&q->lock);
	if (mine)
		question_free(one);
}

static struct question *make(const struct question_call *call, const struct ask *asks, size_t count)
{
	struct question *q = heap_new(struct question);
	struct arena *a = &q->arena;

	arena_init(a, QUESTION_BYTES + call->text.n);
	q->call = *call;
	q->call.scope = arena_str(a, call->scope);
	q->call.text = arena_str(a, call->text);
	q->call.session = arena_str(a, call->session);
	q->call.version = arena_str(a, call->version);
	q->call.peer = arena_str(a, call->peer);
	q->call.rpc_id = arena_str(a, call->rpc_id);
	q->call.state_plain = arena_str(a, call->state_plain);
	q->asked = arena_array(a, struct asked, count);
	q->count = q->open = count;
	for (size_t i = 0; i < count; i++) {
		uint8_t noise[16];
		struct buf id;

		random_bytes(noise, sizeof noise);
		buf_in(&id, a, 64);
		buf_lit(&id, "\"srv-");
		hex_write(&id, str_n(noise, sizeof noise));
		buf_lit(&id, "\"");
		q->asked[i].rpc_id = buf_str(&id);
		q->asked[i].ask = (struct ask){ arena_str(a, asks[i].key),
			arena_str(a, asks[i].method), arena_str(a, asks[i].params_json) };
	}
	return q;
}

static bool enter(struct questions *q, struct question *one)
{
	unsigned same = 0;
	bool room;

	pthread_mutex_lock(&q->lock);
	for (const struct question *at = q->first; at; at = at->next)
		same += sha256_eq(&at->call.binding, &one->call.binding);
	room = q->count < QUESTIONS_MAX && same < QUESTIONS_OF_ONE_MAX;
	if (room) {
		one->token = ++q->last_token;
		one->next = q->first;
		q->first = one;
		q->count++;
	}
	pthread_mutex_unlock(&q->lock);
	return room;
}

static struct str *write_messages(
	struct arena *a, const struct question *q, const struct receipt *receipt)
{
	struct str *messages = arena_array(a, struct str, q->count);

	for (size_t i = 0; i < q->count; i++) {
		struct buf text;

		buf_in(&text, a, QUESTION_BYTES);
		mcp_write_request(&text, q->asked[i].rpc_id, q->call.revision,
			q->asked[i].ask.method, q->asked[i].ask.params_json, receipt);
		messages[i] = buf_str(&text);
	}
	return messages;
}

/* Parks x for the question.  False: it cannot be parked.  *parked_out is NULL when the client is
 * gone; in both cases the question is gone, too. */
static bool park(
	struct questions *q, struct question *one, struct exchange *x, struct exchange **parked_out)
{
	struct exchange *parked = x->ops->park(x, on_gone, q, one->token);
	bool gone;

	pthread_mutex_lock(&q->lock);
	gone = one->gone || !parked;
	if (gone)
		take_out(q, one);
	else
		exchange_hold(parked);
	one->exchange = parked;
	pthread_mutex_unlock(&q->lock);
	if (gone)
		question_free(one);
	*parked_out = gone ? NULL : parked;
	return parked != NULL;
}

static bool is_large(const struct ask *asks, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += asks[i].key.n + asks[i].method.n + asks[i].params_json.n;
	return bytes > ASKS_BYTES;
}

/* Once parked, the question may be answered, or its client gone, before this thread has come back:
 * nothing of `one` is read from there on. */
bool questions_open(struct questions *q, const struct question_call *call, const struct ask *asks,
	size_t count, struct exchange *x, uint64_t mono_ms, const struct receipt *receipt)
{
	struct exchange *parked;
	struct question *one;
	struct str *messages;
	struct arena local;
	bool ok;

	if (is_large(asks, count))
		return false;
	one = make(call, asks, count);
	one->expires_ms = mono_ms + QUESTION_MS;
	arena_init(&local, QUESTION_BYTES);
	messages = write_messages(&local, one, receipt);
	if (!enter(q, one)) {
		question_free(one);
		arena_done(&local);
		return false;
	}
	ok = park(q, one, x, &parked);
	if (parked) {
		for (size_t i = 0; i < count; i++)
			parked->ops->send(parked, messages[i]);
		exchange_drop(parked);
	}
	arena_done(&local);
	return ok;
}

bool questions_wait(struct questions *q, struct str scope, struct str rpc_id)
{
	const struct question *one;

	pthread_mutex_lock(&q->lock);
	for (one = q->first; one; one = one->next)
		if (str_eq(one->call.scope, scope) && str_eq(one->call.rpc_id, rpc_id))
			break;
	pthread_mutex_unlock(&q->lock);
	return one != NULL;
}

unsigned questions_count(struct questions *q)
{
	unsigned count;

	pthread_mutex_lock(&q->lock);
	count = q->count;
	pthread_mutex_unlock(&q->lock);
	return count;
}

static bool is_theirs(const struct question *q, const struct sha256 *proof, struct str scope)
{
	return sha256_eq(&q->call.proof, proof) && str_eq(q->call.scope, scope);
}

static struct asked *find_asked(struct question *q, struct str rpc_id)
{
	for (size_t i = 0; i < q->count; i++)
		if (str_eq(q->asked[i].rpc_id, rpc_id))
			return &q->asked[i];
	return NULL;
}

/* An error in place of a result means the person was not asked or would not say: cancel.  So does
 * an answer larger than is kept. */
#define CANCELLED "{\"action\":\"cancel\"}"
static struct str answer_text(struct arena *a, const struct mcp_request *response)
{
	struct buf text;
	struct jw w;

	if (!response->result)
		return S(CANCELLED);
	buf_in(&text, a, ANSWERS_BYTES);
	jw_init(&w, &text);
	jw_json(&w, response->result);
	return buf_ok(&text) ? buf_str(&text) : S(CANCELLED);
}

bool questions_answer(struct questions *q, struct arena *a, const struct sha256 *proof,
	struct str scope, const struct mcp_request *response, struct question **ready_out)
{
	struct str text = answer_text(a, response);
	struct question *ready = NULL;
	bool found = false;

	pthread_mutex_lock(&q->lock);
	for (struct question *one = q->first; one && !found; one = one->next) {
		struct asked *asked =
			is_theirs(one, proof, scope) ? find_asked(one, response->id) : NULL;

		if (!asked)
			continue;
		found = true;
		if (!asked->answer.n) {
			if (text.n > ANSWERS_BYTES - one->answer_bytes)
				text = S(CANCELLED);
			else
				one->answer_bytes += text.n;
			asked->answer = arena_str(&one->arena, text);
			one->open--;
		}
		if (!one->open && one->exchange)
			ready = one;
	}
	if (ready)
		take_out(q, ready);
	pthread_mutex_unlock(&q->lock);
	*ready_out = ready;
	return found;
}

const struct question_call *question_call(const struct question *q)
{
	return &q->call;
}

struct exchange *question_exchange(const struct question *q)
{
	return q->exchange;
}

struct str question_answers(const struct question *q, struct arena *a)
{
	struct buf text;
	struct jw w;

	buf_in(&text, a, QUESTION_BYTES);
	jw_init(&w, &text);
	jw_object(&w);
	for (size_t i = 0; i < q->count; i++)
		jw_put_raw(&w, q->asked[i].ask.key, q->asked[i].answer);
	jw_object_end(&w);
	return buf_str(&text);
}

static void end_with_error(struct question *q, struct str message)
{
	struct mcp_refusal why = {
		.http_status = 200, .code = -32603, .message = message, .id = q->call.rpc_id
	};
	struct buf text;

	buf_init(&text, (size_t)4 << 10);
	mcp_write_error(&text, &why);
	q->exchange->ops->reply(q->exchange, 200, buf_str(&text), STR_NONE);
	buf_done(&text);
}

static struct question *take_some(
	struct questions *q, uint64_t expired_at, struct str scope, struct str rpc_id)
{
	struct question *out = NULL, **at;

	pthread_mutex_lock(&q->lock);
	for (at = &q->first; *at;) {
		struct question *one = *at;
		bool named = rpc_id.n && str_eq(one->call.scope, scope) &&
			     str_eq(one->call.rpc_id, rpc_id);

		if (!one->exchange || !(named || (expired_at && one->expires_ms <= expired_at))) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		q->count--;
		one->next = out;
		out = one;
	}
	pthread_mutex_unlock(&q->lock);
	return out;
}

void questions_tick(struct questions *q, uint64_t mono_ms)
{
	struct question *out = take_some(q, mono_ms, STR_NONE, STR_NONE);

	while (out) {
		struct question *one = out;

		out = one->next;
		end_with_error(one, S("Nobody answered in time. Nothing happened; call again."));
		question_free(one);
	}
}

void questions_cancel(struct questions *q, struct str scope, struct str rpc_id)
{
	struct question *out = take_some(q, 0, scope, rpc_id);

	while (out) {
		struct question *one = out;

		out = one->next;
		one->exchange->ops->reply(one->exchange, 202, STR_NONE, STR_NONE);
		question_free(one);
	}
}
