/* answer - see answer.h.
 *
 * Every request method has a row in `handlers`.  Calls go through the pipeline (pipeline.c) and no
 * other way; they stand in answer_call.c, everything else in answer_plain.c. */
#include "serve/settle.h"
#include "serve/answer_inside.h"

#include "base/clock.h"
#include "json/write.h"
#include "serve/log.h"

#define SPARE_BYTES ((size_t)1 << 20)
#define BATCH_MAX 50
#define SETTLE_MS 60000 /* how often changes that nobody knows the end of are looked up */
#define REVIEW_MS 1000 /* how often open streams' keys are looked at */

struct str answer_scope(const struct answering *t)
{
	return t->in->pipe ? t->in->peer : t->r.session.nonce;
}

/* --- what is refused before it is a call --- */

static struct audit_refusal refusal_of(const struct incoming *in, const char *event,
	struct str reason, struct str method, struct str target)
{
	const struct principal *who = in->who;

	return (struct audit_refusal){
		.event = event,
		.reason = reason,
		.subject = who ? who->subject : STR_NONE,
		.credential = who ? who->credential : STR_NONE,
		.agent = who ? who->agent : STR_NONE,
		.tenant = who ? who->tenant : STR_NONE,
		.peer = in->peer,
		.method = str_sub(method, 0, 128),
		.target = str_sub(target, 0, 128),
	};
}

static bool record(struct server *s, const struct audit_refusal *refusal)
{
	struct log_text why;
	struct err err;

	metrics_refused(world_metrics(s->world), refusal->event, refusal->reason);
	if (audit_refuse(world_audit(s->world), refusal, &err))
		return true;
	log_error("audit_unavailable", "refusal=%.*s error=%s", STR_ARG(refusal->reason),
		log_value(&why, str_c(err.text)));
	return false;
}

bool answer_record_refusal(struct server *s, const struct incoming *in, const char *event,
	struct str reason, struct str method, struct str target)
{
	struct audit_refusal refusal = refusal_of(in, event, reason, method, target);

	return record(s, &refusal);
}

void answer_error(struct answering *t, const struct mcp_refusal *why)
{
	struct buf out;

	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_error(&out, why);
	t->x->ops->reply(t->x, why->http_status, buf_str(&out), STR_NONE);
}

void answer_refuse(struct answering *t, struct mcp_refusal *why, struct str target)
{
	struct audit_refusal refusal =
		refusal_of(t->in, "DENY", str_c(why->reason), t->r.method_name, target);

	if (t->understood)
		refusal.era = mcp_revision_info(t->r.revision)->name;
	refusal.rpc_id = why->id;
	if (!record(t->server, &refusal)) {
		why->http_status = 503;
		why->code = -32603;
		why->message = S("AUDIT_UNAVAILABLE: the refusal could not be recorded");
		why->data_json = STR_NONE;
	}
	if (t->r.kind == MCP_NOTIFICATION && !t->x->http)
		return; /* a notification gets no reply, not even an error */
	answer_error(t, why);
}

void answer_refuse_with(struct answering *t, int code, const char *reason, struct str message)
{
	struct mcp_refusal why = { .http_status = 200,
		.code = code,
		.reason = reason,
		.message = message,
		.id = t->r.id };

	answer_refuse(t, &why, STR_NONE);
}

void answer_reply(struct answering *t, struct buf *out, struct str session)
{
	if (!buf_ok(out)) {
		answer_refuse_with(
			t, -32603, "reply_size", S("the reply is larger than the server sends"));
		return;
	}
	t->x->ops->reply(t->x, 200, buf_str(out), session);
}

/* --- one message --- */

static void (*const handlers[])(struct answering *t) = {
	[MCP_INITIALIZE] = answer_initialize,
	[MCP_PING] = answer_empty,
	[MCP_DISCOVER] = answer_discover,
	[MCP_TOOLS_LIST] = answer_list,
	[MCP_TOOLS_CALL] = answer_call,
	[MCP_RESOURCES_LIST] = answer_list,
	[MCP_TEMPLATES_LIST] = answer_list,
	[MCP_RESOURCES_READ] = answer_call,
	[MCP_RESOURCES_SUBSCRIBE] = answer_subscribe,
	[MCP_RESOURCES_UNSUBSCRIBE] = answer_subscribe,
	[MCP_PROMPTS_LIST] = answer_list,
	[MCP_PROMPTS_GET] = answer_call,
	[MCP_COMPLETE] = answer_call,
	[MCP_LISTEN] = answer_listen,
	[MCP_SET_LEVEL] = answer_set_level,
};

bool answer_session_ended(
	struct server *s, const struct principal *who, const struct mcp_session *session)
{
	struct kill_target t = kill_target_of_principal(who);

	return sessions_ended(s->sessions, &who->binding, session->nonce, session->issued_us) ||
	       watch_ended_session(world_watch(s->world), &t, session->issued_us, clock_boot_ms());
}

static bool session_ended(void *ctx, const struct mcp_session *session)
{
	const struct answering *t = ctx;

	return answer_session_ended(t->server, t->in->who, session);
}

struct mcp_context answer_context(struct answering *t)
{
	return (struct mcp_context){
		.seal = world_seal_of(t->server->world),
		.binding = str_n(t->in->who->binding.b, SHA256_BYTES),
		.stdio_session = t->in->pipe,
		.ended = session_ended,
		.ctx = t,
		.wall_us = clock_wall_us(),
	};
}

/* A legacy pipe hears of changes from the moment its client has said it is ready. */
static void open_pipe(struct answering *t, struct str scope)
{
	struct hub_listener l = { .owner = hub_owner_of(t->in->who), .nonce = scope };

	if (hub_add(t->server->hub, &l, t->x, STR_NONE) == HUB_FULL)
		log_warn("pipe_not_told_of_changes", "reason=streams");
}

static void answer_notification(struct answering *t)
{
	struct str scope = answer_scope(t);

	if (t->r.method == MCP_NOTE_INITIALIZED && t->in->pipe)
		open_pipe(t, scope);
	if (t->r.method == MCP_NOTE_CANCELLED && scope.n) {
		const struct json *id = json_get(&t->r.params, S("requestId"));

		if (id) {
			inflight_cancel(t->server->inflight, scope, id->raw);
			questions_cancel(t->server->questions, scope, id->raw);
			if (t->in->pipe)
				hub_cancel(t->server->hub, scope, id->raw);
		}
	}
	t->x->ops->reply(t->x, 202, STR_NONE, STR_NONE);
}

static void run_again(struct server *s, const struct incoming *in, struct question *q)
{
	const struct question_call *call = question_call(q);
	struct arena own;
	struct json answers;
	struct json_error error;
	struct incoming again = { .arena = &own,
		.generation = in->generation,
		.who = in->who,
		.peer = call->peer,
		.text = call->text,
		.pipe = in->pipe,
		.state_plain = call->state_plain,
		.round = call->round };

	arena_init(&own, (size_t)64 << 20);
	again.headers = (struct mcp_headers){ .http = call->http,
		.session = call->session,
		.session_given = call->session.n > 0,
		.version = call->version,
		.version_given = call->version.n > 0 };
	bug_on(!json_parse(&own, question_answers(q, &own), &answers, &error));
	again.answers = &answers;
	answer(s, &again, question_exchange(q));
	question_free(q);
	arena_done(&own);
}

static void answer_response(struct answering *t)
{
	struct question *ready = NULL;
	struct sha256 proof;

	principal_proof(t->in->who, t->in->arena, &proof);
	/* an answer to nothing that is open is accepted and ignored: it may be late */
	if (!questions_answer(
		    t->server->questions, t->in->arena, &proof, answer_scope(t), &t->r, &ready))
		ready = NULL;
	t->x->ops->reply(t->x, 202, STR_NONE, STR_NONE);
	if (ready)
		run_again(t->server, t->in, ready);
}

static bool needs_seal(const struct mcp_request *r, bool http)
{
	return http || (r->method != MCP_INITIALIZE && r->method != MCP_DISCOVER &&
			       r->method != MCP_PING && r->kind == MCP_REQUEST);
}

/* Where the tenants are listed and the caller's is not among them, nothing is looked up for it. */
static void refuse_stranger(struct answering *t)
{
	struct mcp_refusal why = { .http_status = 403,
		.code = -32600,
		.reason = "tenant",
		.message = S("the credential names no tenant of this deployment"),
		.id = t->r.id };

	answer_refuse(t, &why, STR_NONE);
}

static void answer_one(struct answering *t, const struct json *message)
{
	struct mcp_context m = answer_context(t);
	struct mcp_refusal why = { 0 };
	struct log_text text;
	struct err err;

	if (!mcp_read(t->in->arena, &m, &t->in->headers, message, &t->r, &why)) {
		answer_refuse(t, &why, STR_NONE);
		return;
	}
	t->understood = true;
	if (t->in->who->tenant_foreign) {
		refuse_stranger(t);
		return;
	}
	if (needs_seal(&t->r, t->x->http) && !world_seal(t->server->world, &err)) {
		log_error("seal_unavailable", "error=%s", log_value(&text, str_c(err.text)));
		answer_refuse_with(t, -32603, "seal", S("the server cannot read its keys"));
		return;
	}
	if (t->r.kind == MCP_REQUEST && t->r.revision == MCP_2025_11_25)
		t->x->session = t->r.session.nonce;
	if (t->r.kind == MCP_NOTIFICATION)
		answer_notification(t);
	else if (t->r.kind == MCP_RESPONSE)
		answer_response(t);
	else
		handlers[t->r.method](t);
}

/* --- batches: 2025-03-26 only --- */

struct collector {
	struct exchange x;
	struct exchange *outer;
	struct buf *out;
	bool any;
};

static void collect_reply(struct exchange *x, int status, struct str json, struct str session)
{
	struct collector *c = (struct collector *)x;

	(void)status;
	(void)session;
	if (!json.n)
		return;
	buf_char(c->out, c->any ? ',' : '[');
	buf_add(c->out, json);
	c->any = true;
}

static bool collect_send(struct exchange *x, struct str json)
{
	(void)x;
	(void)json;
	return true; /* progress has no place in an array of replies */
}

static bool collect_gone(struct exchange *x)
{
	struct exchange *outer = ((struct collector *)x)->outer;

	return outer->ops->gone(outer);
}

static struct exchange *collect_park(
	struct exchange *x, void (*on_gone)(void *, uint64_t), void *ctx, uint64_t token)
{
	(void)x;
	(void)on_gone;
	(void)ctx;
	(void)token;
	return NULL;
}

static bool is_good(const struct generation *g, const struct hub_owner *owner)
{
	const struct held_credential held = { .kind = owner->kind,
		.id = owner->credential,
		.issuer = owner->issuer,
		.subject = owner->subject,
		.tenant = owner->tenant,
		.agent = owner->agent,
		.expires_us = owner->expires_us };

	return identity_still_good(g->identity, &held, clock_wall_us());
}

/* Fifty calls may take long: each is judged as if it had come alone. */
static bool still_shown(const struct answering *t, uint64_t until_ms)
{
	struct hub_owner owner = hub_owner_of(t->in->who);

	return clock_mono_ms() < until_ms && is_good(t->in->generation, &owner);
}

static void answer_batch(struct answering *t, const struct json *batch)
{
	uint64_t until_ms = clock_mono_ms() + t->in->generation->config->limits.request_ms;
	static const struct exchange_ops ops = { .reply = collect_reply,
		.send = collect_send,
		.gone = collect_gone,
		.park = collect_park };
	struct buf out;
	struct collector c = {
		.x = { .ops = &ops, .http = t->x->http }, .outer = t->x, .out = &out
	};

	buf_in(&out, t->in->arena, REPLY_MAX);
	for (uint32_t i = 0; i < batch->count; i++) {
		struct answering *one = arena_new(t->in->arena, struct answering);

		one->server = t->server;
		one->in = t->in;
		one->x = &c.x;
		if (i && !still_shown(t, until_ms)) {
			answer_refuse_with(one, -32600, "batch_time",
				S("the rest of a batch whose time is over, or whose credential "
				  "is"));
			break;
		}
		answer_one(one, &batch->items[i]);
	}
	if (!c.any) {
		t->x->ops->reply(t->x, 202, STR_NONE, STR_NONE);
		return;
	}
	buf_char(&out, ']');
	answer_reply(t, &out, STR_NONE);
}

static void answer_text(struct answering *t)
{
	struct incoming *in = t->in;
	struct exchange *x = t->x;
	struct mcp_refusal why = { 0 };
	struct mcp_context m = answer_context(t);
	struct json message;
	bool batch;

	if (!mcp_parse(in->arena, in->text, x->http, &message, &batch, &why)) {
		answer_refuse(t, &why, STR_NONE);
		return;
	}
	if (!batch) {
		answer_one(t, &message);
		return;
	}
	if (message.count > BATCH_MAX)
		answer_refuse_with(t, -32600, "batch", S("a batch holds at most 50 messages"));
	else if (!mcp_batch_allowed(in->arena, &m, &in->headers, &message, &why))
		answer_refuse(t, &why, STR_NONE);
	else
		answer_batch(t, &message);
}

/* The message's arena is used up: what says so has its own. */
static void answer_no_memory(struct answering *t)
{
	struct arena spare, *own = t->in->arena;

	arena_init(&spare, SPARE_BYTES);
	t->in->arena = &spare;
	answer_refuse_with(t, -32603, "memory",
		S("this message or its reply needs more memory than one may have"));
	t->in->arena = own;
	arena_done(&spare);
}

void answer(struct server *s, struct incoming *in, struct exchange *x)
{
	struct arena *own = in->arena;
	jmp_buf *outer = own->escape;
	struct answering *t = arena_new(own, struct answering);
	jmp_buf place;

	t->server = s;
	t->in = in;
	t->x = x;
	if (arena_catch(own, &place))
		answer_no_memory(t);
	else
		answer_text(t);
	own->escape = outer;
}

void server_init(struct server *s, struct world *w)
{
	struct generation *g = world_hold(w);

	*s = (struct server){ .world = w,
		.sessions = sessions_new(),
		.inflight = inflight_new(),
		.questions = questions_new(),
		.replay = replay_new() };
	s->hub = hub_new(
		s->sessions, g->config->limits.streams, g->config->limits.streams_per_principal);
	world_drop(w, g);
}

void server_done(struct server *s)
{
	hub_free(&s->hub);
	replay_free(&s->replay);
	questions_free(&s->questions);
	inflight_free(&s->inflight);
	sessions_free(&s->sessions);
}

static bool is_killed(struct watch *w, const struct hub_owner *owner)
{
	const struct kill_target t = { .tenant = owner->tenant,
		.subject = owner->subject,
		.agent = owner->agent,
		.credential = owner->credential };

	return watch_ends_streams(w, &t);
}

struct review {
	const struct generation *generation;
	struct watch *watch;
};

static bool may_stay(void *ctx, const struct hub_owner *owner)
{
	const struct review *r = ctx;

	return is_good(r->generation, owner) && !is_killed(r->watch, owner);
}

/* A credential that was revoked, has expired or is of no kind that is taken any more ends the
 * streams that it opened, too; so does a kill order against those who opened them. */
static void review_streams(struct server *s)
{
	struct generation *g = world_hold(s->world);

	hub_review(s->hub, may_stay, &(struct review){ g, world_watch(s->world) });
	world_drop(s->world, g);
}

void server_tick(struct server *s, uint64_t mono_ms)
{
	questions_tick(s->questions, mono_ms);
	replay_tick(s->replay, mono_ms);
	if (mono_ms - s->reviewed_ms < REVIEW_MS)
		return;
	s->reviewed_ms = mono_ms;
	review_streams(s);
	if (!s->settled_ms)
		s->settled_ms = mono_ms; /* at the start somebody else did */
	if (mono_ms - s->settled_ms < SETTLE_MS || !*world_settled(s->world))
		return;
	s->settled_ms = mono_ms;
	settle_open(s->world);
}
