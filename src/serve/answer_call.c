/* answer_call - tools/call, resources/read, prompts/get and completion/complete: into the pipeline,
 * and its outcome out again in the form of the caller's revision (answer_inside.h). */
#include "serve/answer_inside.h"

#include "base/clock.h"
#include "json/write.h"
#include "render/render.h"
#include "serve/log.h"
#include "serve/pipeline.h"

#define STATE_MS 600000

/* Calls of what a toolset keeps from the caller end as those of what does not exist, to the byte;
 * the record has its name.  All other entries go on to the pipeline, which decides and records. */
static bool exists(void *ctx, const struct entry *e)
{
	struct answering *t = ctx;

	if (permission_exists(t->in->who, e))
		return true;
	t->hidden = e;
	return false;
}

/* Completions tell that there is something to complete: of what is not listed there is nothing. */
static bool visible(void *ctx, const struct entry *e)
{
	return exists(ctx, e) && permission_visible(((const struct answering *)ctx)->in->who, e);
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
	struct call *c = call_new(a, target->entry, t->in->who,
		t->in->generation->config->limits.request_ms, clock_wall_us(), clock_mono_ns());
	struct call_port *port = arena_new(a, struct call_port);
	struct json *arguments = arena_new(a, struct json);

	*port = methods;
	port->ctx = t;
	*arguments = target->arguments;
	c->port = port;
	c->uri = target->uri;
	c->arguments_sent = arguments;
	describe_origin(t, c);
	return c;
}

static void send_call_error(
	struct answering *t, const struct mcp_refusal *why, const struct receipt *receipt)
{
	struct buf out;

	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_call_error(&out, why, receipt);
	t->x->ops->reply(t->x, why->http_status, buf_str(&out), STR_NONE);
}

/* Faults that the specification wants as errors of the protocol, whatever was called. */
static bool send_protocol_fault(
	struct answering *t, const struct call *c, const struct receipt *receipt)
{
	struct mcp_refusal why = { .id = t->r.id };

	if (!t->r.modern || c->end != CALL_FAULT)
		return false;
	if (str_eq(c->fault.reason, S("capability"))) {
		why.http_status = 400;
		why.code = -32021;
		why.message = S("this needs a capability that the client did not declare");
		why.data_json = c->fault.details_json;
	} else if (str_eq(c->fault.reason, S("request_state"))) {
		why.http_status = 200;
		why.code = -32602;
		why.message = S("requestState is not one that this server gave for this call");
	} else {
		return false;
	}
	send_call_error(t, &why, receipt);
	return true;
}

/* A fault of something that is not a tool is a JSON-RPC error; the same object as a tool's is its
 * data.  -32602 and -32002 are the specification's, 1000 is ours (outside its ranges). */
static void describe_fault(const struct answering *t, struct call *c, struct mcp_refusal *out)
{
	struct buf data;
	struct jw w;

	*out = (struct mcp_refusal){ .http_status = 200, .code = 1000, .id = t->r.id };
	if (c->fault.code == VALIDATION_ERROR)
		out->code = -32602;
	else if (c->fault.code == INTERNAL)
		out->code = -32603;
	else if (c->fault.code == NOT_FOUND)
		out->code = t->r.modern ? -32602 : -32002;
	out->message = str_c(fault_info(c->fault.code)->message);
	buf_in(&data, c->arena, REPLY_MAX);
	jw_init(&w, &data);
	jw_object(&w);
	if (c->uri.n)
		jw_put_str(&w, S("uri"), c->uri);
	jw_put_raw(&w, S("error"), render_error_object(c));
	jw_object_end(&w);
	out->data_json = buf_str(&data);
}

static void send_fault_error(struct answering *t, struct call *c, const struct receipt *receipt)
{
	struct mcp_refusal why;

	describe_fault(t, c, &why);
	send_call_error(t, &why, receipt);
}

static void send_audit_unavailable(struct answering *t, struct call *c)
{
	struct mcp_refusal why = { .http_status = 503,
		.code = -32603,
		.id = t->r.id,
		.message = str_c(fault_info(c->fault.code)->message) };
	struct buf out;

	bug_on(c->fault.code != AUDIT_UNAVAILABLE && c->fault.code != OUTCOME_UNKNOWN);
	buf_in(&out, c->arena, REPLY_MAX);
	if (c->entry->kind == ENTRY_TOOL)
		mcp_write_audit_unavailable(&out, &t->in->generation->info, &t->r, c->result_json);
	if (c->entry->kind == ENTRY_TOOL && buf_ok(&out)) {
		answer_reply(t, &out, STR_NONE);
		return;
	}
	if (c->entry->kind != ENTRY_TOOL)
		describe_fault(t, c, &why);
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

static void ask_legacy(struct answering *t, struct call *c, const struct receipt *receipt)
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

	principal_proof(c->who, c->arena, &q.proof);
	/* before the client can answer: the answer runs the call again, under the same id */
	if (t->in->flight)
		inflight_end(t->server->inflight, t->in->flight);
	if (!questions_open(t->server->questions, &q, c->asks, c->ask_count, t->x, clock_mono_ms(),
		    receipt))
		answer_refuse_with(t, -32603, "questions",
			S("the question cannot be asked now; try again later"));
}

/* What the client's next token needs: what this one has, and what was missing. */
static void want_scope(struct answering *t, const struct call *c)
{
	struct buf scopes;

	if (!t->x->http || c->end != CALL_FAULT ||
		!str_eq(c->fault.reason, S("insufficient_scope")))
		return;
	buf_in(&scopes, c->arena, (size_t)16 << 10);
	for (size_t i = 0; i < c->who->scope_count; i++) {
		buf_add(&scopes, c->who->scopes[i]);
		buf_char(&scopes, ' ');
	}
	buf_add(&scopes, c->entry->requires);
	t->x->wants_scope = buf_ok(&scopes) ? buf_str(&scopes) : c->entry->requires;
}

static void send_outcome(struct answering *t, struct call *c, const struct receipt *receipt)
{
	struct buf out;

	if (receipt)
		want_scope(t, c);
	if (t->cancelled) {
		t->x->ops->reply(t->x, 202, STR_NONE, STR_NONE);
	} else if (!receipt) {
		send_audit_unavailable(t, c);
	} else if (c->end == CALL_ASKS && t->r.modern) {
		ask_modern(t, c, receipt);
	} else if (c->end == CALL_ASKS) {
		ask_legacy(t, c, receipt);
	} else if (send_protocol_fault(t, c, receipt)) {
		return;
	} else if (c->end == CALL_FAULT && c->entry->kind != ENTRY_TOOL) {
		send_fault_error(t, c, receipt);
	} else {
		buf_in(&out, c->arena, REPLY_MAX);
		mcp_write_result(&out, &t->in->generation->info, &t->r, c->result_json,
			c->entry->mock && c->end == CALL_DONE, receipt);
		answer_reply(t, &out, STR_NONE);
	}
}

/* What came back with a call: answers, and the state they belong to, if it is open already. */
static void bring_answers(const struct answering *t, struct call *c)
{
	c->answers = t->in->answers ? t->in->answers : t->r.input_responses;
	c->state_plain_in = t->in->state_plain;
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

static uint32_t seconds_of(uint32_t ms)
{
	return ms / 1000 + (ms % 1000 > 0);
}

/* RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10) name the limit that is nearest; the
 * text of a rule needs no escape in a structured field's string. */
static void describe_limits(struct answering *t, const struct call *c)
{
	struct exchange_limits *o = &t->x->limits;
	const struct limit_rule *rule = c->rate.rule;
	struct arena *a = t->in->arena;

	if (!t->x->http)
		return;
	if (c->end == CALL_FAULT && c->fault.retry_after_ms)
		o->retry_after = arena_fmt(a, "%u", seconds_of(c->fault.retry_after_ms));
	if (!rule)
		return;
	o->policy = arena_fmt(
		a, "\"%.*s\";q=%u;w=%u", STR_ARG(rule->text), rule->most, rule->window_ms / 1000);
	o->state = arena_fmt(a, "\"%.*s\";r=%u;t=%u", STR_ARG(rule->text), c->rate.left,
		seconds_of(c->rate.wait_ms));
}

static void run_call(struct answering *t, const struct mcp_target *target)
{
	struct run run = { .world = t->server->world,
		.generation = t->in->generation,
		.request = t->in->answers ? NULL : &t->r,
		.structured = mcp_revision_info(t->r.revision)->structured };

	run.call = make_call(t, target);
	bring_answers(t, run.call);
	pipeline_run(&run);
	describe_limits(t, run.call);
	t->cancelled = t->flight && t->flight->cancelled;
	if (!t->in->flight)
		end_flight(t); /* before the reply: whoever has it may use the id again */
	send_outcome(t, run.call, run.receipt);
}

static void refuse_target(struct answering *t, struct mcp_refusal *why)
{
	/* a URI may hold what an argument's class would protect: it is not written down */
	struct str target = json_get_str(&t->r.params, S("name"));

	if (t->hidden) {
		why->reason = permission_name(PERMISSION_TOOLSET);
		target = t->hidden->name;
	}
	answer_refuse(t, why, target);
}

/* Among the calls that can be cancelled.  False: one with this id runs in the same scope, or waits
 * for an answer there (a call that has its answers comes again with its own id). */
static bool enter(struct answering *t)
{
	struct str scope = answer_scope(t);

	if (scope.n && !t->in->answers && questions_wait(t->server->questions, scope, t->r.id))
		return false;
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
		    t->r.method == MCP_COMPLETE ? visible : exists, t, &target, &why)) {
		refuse_target(t, &why);
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
		answer_refuse_with(t, -32600, "duplicate_id",
			S("a request with this id is running, or waits for an answer"));
		return;
	}
	run_call(t, &target);
	if (!t->in->flight)
		end_flight(t);
}
