/* answer_call - tools/call, resources/read, prompts/get and completion/complete: into the pipeline,
 * and its outcome out again in the form of the caller's revision (answer_inside.h). */
#include "serve/answer_inside.h"

#include "base/clock.h"
#include "json/write.h"
#include "render/render.h"
#include "serve/log.h"
#include "serve/pipeline.h"

#define STATE_MS 600000

/* Completions tell that there is something to complete: of what is hidden there is nothing. */
static bool visible(void *ctx, const struct entry *e)
{
	return guard_visible(((const struct answering *)ctx)->in->who, e);
}

/* Calls of what is hidden go on to the pipeline, which refuses and records them. */
static bool everything(void *ctx, const struct entry *e)
{
	(void)ctx;
	(void)e;
	return true;
}

static void port_progress(void *ctx, uint64_t n, uint64_t total, struct str message)
{
	struct answering *t = ctx;
	struct buf out;

	if (!t->r.progress_token.n)
		return;
	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_progress(&out, &t->r, n, total, message);
	t->x->ops->send(t->x, buf_str(&out));
}

static void port_log(void *ctx, struct str level, struct str text)
{
	struct answering *t = ctx;
	struct buf out;

	if (!mcp_log_level_passes(level, t->log_level))
		return;
	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_log(&out, level, text);
	t->x->ops->send(t->x, buf_str(&out));
}

static void port_changed(void *ctx, struct str what)
{
	struct answering *t = ctx;

	if (str_starts(what, S("updated ")))
		hub_updated(t->server->hub, str_from(what, 8));
	else
		hub_changed(t->server->hub, what);
}

static void port_drop(void *ctx)
{
	struct answering *t = ctx;

	if (t->x->ops->cut)
		t->x->ops->cut(t->x);
}

static bool port_cancelled(void *ctx)
{
	struct answering *t = ctx;

	if (t->flight && t->flight->cancelled)
		return true;
	return t->r.modern && t->x->ops->gone(t->x);
}

static bool port_has_capability(void *ctx, struct str name)
{
	const struct mcp_capabilities *can = &((struct answering *)ctx)->r.can;

	if (str_eq(name, S("sampling")))
		return can->sampling;
	if (str_eq(name, S("roots")))
		return can->roots;
	if (str_eq(name, S("elicitation")))
		return can->elicitation_form || can->elicitation_url;
	return false;
}

static bool port_may_ask(void *ctx, struct str method, struct str params_json)
{
	struct answering *t = ctx;
	struct json_error error;
	struct json params;

	if (!t->r.modern && t->in->round >= QUESTION_ROUNDS_MAX)
		return false;
	if (str_eq(method, S("sampling/createMessage")))
		return t->r.can.sampling;
	if (str_eq(method, S("roots/list")))
		return t->r.can.roots;
	if (!json_parse(t->in->arena, params_json, &params, &error))
		return false;
	if (str_eq(json_get_str(&params, S("mode")), S("url")))
		return t->r.can.elicitation_url;
	return t->r.can.elicitation_form;
}

static bool port_answer_fits(
	void *ctx, struct str method, struct str params_json, const struct json *answer)
{
	return mcp_answer_fits(((struct answering *)ctx)->in->arena, method, params_json, answer);
}

static void describe_origin(struct answering *t, struct call *c)
{
	c->origin = (struct call_origin){
		.era = mcp_revision_info(t->r.revision)->name,
		.rpc_id = t->r.id,
		.conversation = t->r.session.nonce,
		.trace_id = t->r.trace_id,
		.client_name = t->r.client_name,
		.client_version = t->r.client_version,
		.peer = t->in->peer,
	};
}

static struct call *make_call(struct answering *t, const struct mcp_target *target)
{
	static const struct call_port methods = {
		.progress = port_progress,
		.log = port_log,
		.changed = port_changed,
		.drop = port_drop,
		.cancelled = port_cancelled,
		.may_ask = port_may_ask,
		.has_capability = port_has_capability,
		.answer_fits = port_answer_fits,
	};
	struct arena *a = t->in->arena;
	struct call *c = arena_new(a, struct call);
	struct call_port *port = arena_new(a, struct call_port);
	struct json *arguments = arena_new(a, struct json);
	uint32_t most_ms = t->in->generation->config->limits.request_ms;
	uint64_t now_ns = clock_mono_ns();

	*port = methods;
	port->ctx = t;
	*arguments = target->arguments;
	*c = (struct call){ .arena = a,
		.entry = target->entry,
		.who = t->in->who,
		.port = port,
		.uri = target->uri,
		.arguments_sent = arguments,
		.wall_us = clock_wall_us(),
		.started_ns = now_ns };
	c->deadline_ms = now_ns / 1000000 + MIN(target->entry->timeout_ms, most_ms);
	id_make(&c->id, c->wall_us);
	describe_origin(t, c);
	return c;
}

static void refuse_capability(struct answering *t, const struct call *c)
{
	struct mcp_refusal why = { .http_status = 400,
		.code = -32021,
		.reason = "capability",
		.message = S("this needs a capability that the client did not declare"),
		.data_json = c->fault.details_json,
		.id = t->r.id };

	answer_error(t, &why);
}

/* A fault of something that is not a tool is a JSON-RPC error; the same object as a tool's is its
 * data.  -32602 and -32002 are the specification's, 1000 is ours (outside its ranges). */
static void send_fault_error(struct answering *t, struct call *c)
{
	struct mcp_refusal why = { .http_status = 200, .code = 1000, .id = t->r.id };
	struct buf data;
	struct jw w;

	if (c->fault.code == VALIDATION_ERROR)
		why.code = -32602;
	else if (c->fault.code == INTERNAL)
		why.code = -32603;
	else if (c->fault.code == NOT_FOUND)
		why.code = t->r.modern ? -32602 : -32002;
	why.message = str_c(fault_info(c->fault.code)->message);
	buf_in(&data, c->arena, REPLY_MAX);
	jw_init(&w, &data);
	jw_object(&w);
	if (c->uri.n)
		jw_put_str(&w, S("uri"), c->uri);
	jw_put_raw(&w, S("error"), render_error_object(c));
	jw_object_end(&w);
	why.data_json = buf_str(&data);
	answer_error(t, &why);
}

static void send_unrecorded(struct answering *t, struct call *c)
{
	struct mcp_refusal why = { .http_status = 503,
		.code = -32603,
		.id = t->r.id,
		.message = str_c(fault_info(AUDIT_UNAVAILABLE)->message) };
	struct buf out;

	if (c->entry->kind != ENTRY_TOOL) {
		send_fault_error(t, c);
		return;
	}
	buf_in(&out, c->arena, REPLY_MAX);
	mcp_write_unrecorded(&out, &t->in->generation->info, &t->r, c->result_json);
	if (buf_ok(&out))
		answer_reply(t, &out, STR_NONE);
	else
		answer_error(t, &why);
}

static void ask_modern(struct answering *t, struct call *c, const struct receipt *receipt)
{
	struct str *keys = arena_array(c->arena, struct str, c->ask_count);
	struct str *methods = arena_array(c->arena, struct str, c->ask_count);
	struct str *params = arena_array(c->arena, struct str, c->ask_count);
	struct str state = STR_NONE;
	struct buf out;

	for (size_t i = 0; i < c->ask_count; i++) {
		keys[i] = c->asks[i].key;
		methods[i] = c->asks[i].method;
		params[i] = c->asks[i].params_json;
	}
	if (c->state_plain_out.n)
		state = mcp_state_seal(c->arena, world_seal_of(t->server->world),
			str_n(c->who->binding.b, SHA256_BYTES), &t->r, c->entry->name,
			&c->arguments_digest, c->state_plain_out,
			c->wall_us + (int64_t)STATE_MS * 1000);
	buf_in(&out, c->arena, REPLY_MAX);
	mcp_write_input_required(&out, &t->in->generation->info, &t->r, keys, methods, params,
		c->ask_count, state, receipt);
	answer_reply(t, &out, STR_NONE);
}

static void ask_legacy(struct answering *t, struct call *c)
{
	struct question_call q = {
		.binding = c->who->binding,
		.scope = answer_scope(t),
		.text = t->in->text,
		.session = t->in->headers.session,
		.version = t->in->headers.version,
		.peer = t->in->peer,
		.rpc_id = t->r.id,
		.state_plain = c->state_plain_out,
		.round = t->in->round + 1,
		.http = t->x->http,
		.revision = t->r.revision,
	};

	/* before the client can answer: the answer runs the call again, under the same id */
	if (t->in->flight)
		inflight_end(t->server->inflight, t->in->flight);
	if (!questions_open(t->server->questions, &q, c->asks, c->ask_count, t->x, clock_mono_ms()))
		answer_refuse_with(t, -32603, "questions",
			S("the question cannot be asked now; try again later"));
}

static void send_outcome(struct answering *t, struct call *c, const struct receipt *receipt)
{
	struct buf out;

	if (t->cancelled) {
		t->x->ops->reply(t->x, 202, STR_NONE, STR_NONE);
	} else if (!receipt) {
		send_unrecorded(t, c);
	} else if (c->end == CALL_ASKS) {
		if (t->r.modern)
			ask_modern(t, c, receipt);
		else
			ask_legacy(t, c);
	} else if (c->end == CALL_FAULT && t->r.modern &&
		   str_eq(c->fault.reason, S("capability"))) {
		refuse_capability(t, c);
	} else if (c->end == CALL_FAULT && c->entry->kind != ENTRY_TOOL) {
		send_fault_error(t, c);
	} else {
		buf_in(&out, c->arena, REPLY_MAX);
		mcp_write_result(&out, &t->in->generation->info, &t->r, c->result_json, receipt);
		answer_reply(t, &out, STR_NONE);
	}
}

/* What came back with a call: answers, and the state they belong to. */
static bool bring_answers(struct answering *t, struct call *c, struct mcp_refusal *why)
{
	if (t->in->answers) {
		c->answers = t->in->answers;
		c->state_plain_in = t->in->state_plain;
		return true;
	}
	c->answers = t->r.input_responses;
	if (!t->r.request_state.n)
		return true;
	/* the digest is of the arguments with their defaults: the schema step makes them again */
	if (guard_permission(c) == VERDICT_PASS && guard_schema(c) == VERDICT_PASS &&
		!mcp_state_open(c->arena, world_seal_of(t->server->world),
			str_n(c->who->binding.b, SHA256_BYTES), &t->r, c->entry->name,
			&c->arguments_digest, c->wall_us, &c->state_plain_in)) {
		*why = (struct mcp_refusal){ .http_status = 200,
			.code = -32602,
			.reason = "request_state",
			.id = t->r.id,
			.message =
				S("requestState is not one that this server gave for this call") };
		return false;
	}
	c->passed = 0;
	c->end = CALL_OPEN;
	c->fault.code = FAULT_NONE;
	return true;
}

/* Of a flight that enter began; also at the end of the arena: a call that used up its memory ends
 * by a jump, and t->in may be gone by then. */
static void end_flight(void *ctx)
{
	struct answering *t = ctx;

	if (t->flight)
		inflight_end(t->server->inflight, t->flight);
	t->flight = NULL;
}

static void run_call(struct answering *t, const struct mcp_target *target)
{
	struct run run = { .world = t->server->world,
		.generation = t->in->generation,
		.structured = mcp_revision_info(t->r.revision)->structured };
	struct mcp_refusal why = { 0 };

	run.call = make_call(t, target);
	if (!bring_answers(t, run.call, &why)) {
		answer_refuse(t, &why, target->entry->name);
		return;
	}
	pipeline_run(&run);
	t->cancelled = t->flight && t->flight->cancelled;
	if (!t->in->flight)
		end_flight(t); /* before the reply: whoever has it may use the id again */
	send_outcome(t, run.call, run.receipt);
}

static struct str target_name(const struct mcp_request *r)
{
	/* a URI may hold what an argument's class would protect: it is not written down */
	return json_get_str(&r->params, S("name"));
}

/* Among the calls that can be cancelled.  False: one with this id runs in the same scope. */
static bool enter(struct answering *t)
{
	struct str scope = answer_scope(t);

	t->flight = t->in->flight;
	if (t->flight || t->in->id_in_use || !scope.n)
		return !t->in->id_in_use;
	t->flight = arena_new(t->in->arena, struct inflight_call);
	t->flight->scope = scope;
	t->flight->id = t->r.id;
	arena_defer(t->in->arena, end_flight, t); /* before there is something to end */
	if (inflight_begin(t->server->inflight, t->flight))
		return true;
	t->flight = NULL;
	return false;
}

void answer_call(struct answering *t)
{
	struct mcp_target target = { 0 };
	struct mcp_refusal why = { 0 };

	t->log_level = t->r.modern
			       ? t->r.log_level
			       : sessions_level(t->server->sessions, t->in->arena, answer_scope(t));
	if (!mcp_target(t->in->arena, t->in->generation->catalog, &t->r, &t->in->headers,
		    t->r.method == MCP_COMPLETE ? visible : everything, t, &target, &why)) {
		answer_refuse(t, &why, target_name(&t->r));
		return;
	}
	if (!target.entry) {
		struct buf out;

		buf_in(&out, t->in->arena, REPLY_MAX);
		mcp_write_no_completion(&out, &t->in->generation->info, &t->r);
		answer_reply(t, &out, STR_NONE);
		return;
	}
	if (!enter(t)) {
		answer_refuse_with(
			t, -32600, "duplicate_id", S("a request with this id is running"));
		return;
	}
	run_call(t, &target);
	if (!t->in->flight)
		end_flight(t);
}
