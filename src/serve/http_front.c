/* http_front - see http_front.h.
 *
 * Invariants: 1. nothing is remembered from one request of a connection to the next.  2. no reply
 * depends on a credential before it was verified.  3. every refusal of an authenticated caller, and
 * of a credential, is recorded; a 405 only says which methods there are. */
#include "serve/http_front.h"

#include "base/clock.h"
#include "serve/admin.h"
#include "serve/approvals_front.h"
#include "serve/http_exchange.h"
#include "serve/http_shown.h"
#include "serve/metadata.h"
#include "serve/origin.h"

#define ENDPOINT "/mcp"
#define PARAM_PREFIX "Mcp-Param-"

static const struct route routes[] = {
	{ ENDPOINT, "POST, GET, DELETE, OPTIONS", "a valid credential" },
	{ METADATA_ENDPOINT_PATH, "GET, HEAD, OPTIONS", "anybody; with identity.jwt" },
	{ METADATA_PATH, "GET, HEAD, OPTIONS", "anybody; with identity.jwt" },
	{ "/healthz", "GET, HEAD", "anybody" },
	{ 0 },
};

const struct route *http_front_routes(void)
{
	return routes;
}

/* --- one request --- */

struct request {
	struct http_front *front;
	const struct http_request *http;
	struct http_exchange x;
	struct incoming in;
	struct principal who;
};

static void say(struct request *q, int status, struct str line, const struct http_header *extra,
	size_t extra_count)
{
	struct http_header headers[HTTP_EXCHANGE_HEADERS];
	struct http_reply reply = {
		.status = status, .content_type = S("application/json"), .headers = headers
	};

	reply.header_count = http_exchange_cors(&q->x, headers);
	for (size_t i = 0; i < extra_count; i++)
		headers[reply.header_count++] = extra[i];
	reply.body = arena_fmt(q->in.arena, "{\"error\":\"%.*s\"}", STR_ARG(line));
	http_reply(q->x.conn, &reply);
}

static void deny(
	struct request *q, int status, const char *event, const char *reason, struct str line)
{
	if (!answer_record_refusal(q->front->server, &q->in, event, str_c(reason), q->http->method,
		    q->http->path)) {
		say(q, 503, S("AUDIT_UNAVAILABLE: the refusal could not be recorded"), NULL, 0);
		return;
	}
	say(q, status, line, NULL, 0);
}

static void answer_health(struct request *q)
{
	bool well = audit_healthy(world_audit(q->front->server->world));

	if (!str_eq(q->http->method, S("GET")) && !str_eq(q->http->method, S("HEAD"))) {
		say(q, 405, S("only GET"), &(struct http_header){ S("Allow"), S("GET, HEAD") }, 1);
		return;
	}
	http_reply(q->x.conn, &(struct http_reply){ .status = well ? 200 : 503,
				      .content_type = S("application/json"),
				      .body = well ? S("{\"status\":\"ok\"}")
						   : S("{\"status\":\"audit log sealed\"}") });
}

static bool check_host(struct request *q)
{
	const struct listen_config *l = &q->in.generation->config->listen;
	struct str origin;
	size_t origins;

	if (!origin_host_allowed(l, q->front->port, q->http->host)) {
		deny(q, 403, "DENY", "host",
			S("this Host is not one the server answers to; add it to "
			  "listen.http.allowed_hosts"));
		return false;
	}
	origin = http_header_get(q->http, S("Origin"), &origins);
	if (origins > 1 || (origins && !origin_allowed(l, q->front->port, origin))) {
		deny(q, 403, "DENY", "origin",
			S("this Origin is not allowed; add it to listen.http.allowed_origins"));
		return false;
	}
	if (origin_listed(l, origin))
		q->x.cors_origin = origin;
	return true;
}

#define ALLOWED_HEADERS                                                                            \
	"content-type, accept, authorization, mcp-protocol-version, mcp-method, mcp-name, "        \
	"mcp-session-id, last-event-id"
#define PARAMS_ALLOWED_MAX 64

static bool is_header_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= 128;
}

/* Ours, and whatever Mcp-Param-* was asked for: their names depend on the tools. */
static struct str allowed_headers(struct request *q)
{
	struct str rest = http_header_get(q->http, S("Access-Control-Request-Headers"), NULL), name;
	struct str prefix = S(PARAM_PREFIX);
	unsigned count = 0;
	struct buf out;

	buf_in(&out, q->in.arena, (size_t)16 << 10);
	buf_lit(&out, ALLOWED_HEADERS);
	while (rest.n && count < PARAMS_ALLOWED_MAX) {
		if (!str_cut(rest, ',', &name, &rest)) {
			name = rest;
			rest = STR_NONE;
		}
		name = str_trim(name);
		if (name.n <= prefix.n || !str_eq_ci(str_sub(name, 0, prefix.n), prefix) ||
			!is_header_name(name))
			continue;
		buf_lit(&out, ", ");
		buf_add(&out, name);
		count++;
	}
	return buf_str(&out);
}

static void answer_preflight(struct request *q)
{
	struct http_header headers[] = {
		{ S("Access-Control-Allow-Origin"), q->x.cors_origin },
		{ S("Access-Control-Allow-Methods"), S("POST, GET, DELETE") },
		{ S("Access-Control-Allow-Headers"), allowed_headers(q) },
		{ S("Vary"), S("Origin") },
	};

	if (q->x.cors_origin.n)
		http_reply(q->x.conn, &(struct http_reply){ .status = 204,
					      .headers = headers,
					      .header_count = ARRAY_LEN(headers) });
	else
		say(q, 405, S("CORS is off: no listen.http.allowed_origins"),
			&(struct http_header){ S("Allow"), S("POST") }, 1);
}

static void send_metadata(struct request *q)
{
	struct http_header headers[HTTP_EXCHANGE_HEADERS];
	struct http_reply reply = {
		.status = 200, .content_type = S("application/json"), .headers = headers
	};

	reply.header_count = http_exchange_cors(&q->x, headers);
	reply.body = metadata_document(&q->x.metadata, q->in.arena);
	http_reply(q->x.conn, &reply);
}

static void answer_metadata(struct request *q)
{
	if (str_eq(q->http->method, S("OPTIONS")))
		answer_preflight(q);
	else if (!str_eq(q->http->method, S("GET")) && !str_eq(q->http->method, S("HEAD")))
		say(q, 405, S("only GET"),
			&(struct http_header){ S("Allow"), S("GET, HEAD, OPTIONS") }, 1);
	else
		send_metadata(q);
}

static enum identity_verdict verify(struct request *q)
{
	struct credential_shown shown = { 0 };

	if (!http_shown_read(q->http, http_conn_peer(q->x.conn), q->in.arena, &shown))
		return IDENTITY_LOCATION;
	return identity_verify(q->in.generation->identity, q->in.arena, &shown, clock_wall_us(),
		clock_boot_ms(), &q->who);
}

/* Whatever was wrong with it, the words are the same: the record has the reason. */
static void refuse_credential(struct request *q, enum identity_verdict verdict)
{
	bool missing = verdict == IDENTITY_MISSING;
	struct http_header challenge = { S("WWW-Authenticate"),
		metadata_challenge(&q->x.metadata, q->in.arena,
			missing ? CHALLENGE_NO_TOKEN : CHALLENGE_BAD_TOKEN, STR_NONE) };

	if (identity_verdict_forbids(verdict))
		say(q, 403, S("the credential names nobody this server can serve"), NULL, 0);
	else
		say(q, 401,
			missing ? S("a credential is needed: Authorization: Bearer KEY")
				: S("the credential is not valid"),
			&challenge, 1);
}

/* An address from which too many bad credentials came: nothing more of it is verified. */
static bool check_address(struct request *q, const struct limit_rule *rule)
{
	uint32_t wait_ms;

	if (!rule || limits_address_free(world_limits(q->front->server->world), rule, q->in.peer,
			     clock_boot_ms(), &wait_ms))
		return true;
	q->x.x.limits.retry_after = arena_fmt(q->in.arena, "%u", (wait_ms + 999) / 1000);
	if (!answer_record_refusal(q->front->server, &q->in, "AUTH_FAIL", S("too_many"),
		    q->http->method, q->http->path))
		say(q, 503, S("AUDIT_UNAVAILABLE: the refusal could not be recorded"), NULL, 0);
	else
		say(q, 429, S("too many credentials that are not valid came from this address"),
			&(struct http_header){ S("Retry-After"), q->x.x.limits.retry_after }, 1);
	return false;
}

static void count_failure(
	struct request *q, const struct limit_rule *rule, enum identity_verdict verdict)
{
	if (rule && identity_verdict_is_guess(verdict))
		limits_address_failed(
			world_limits(q->front->server->world), rule, q->in.peer, clock_boot_ms());
}

static bool authenticate(struct request *q)
{
	const struct limit_rule *rule = q->in.generation->config->limits.auth_failures;
	enum identity_verdict verdict;

	if (!check_address(q, rule))
		return false;
	verdict = verify(q);
	if (verdict == IDENTITY_OK) {
		watch_break_glass(world_watch(q->front->server->world), q->in.arena, &q->who,
			clock_boot_ms());
		q->in.who = &q->who;
		return true;
	}
	count_failure(q, rule, verdict);
	if (!answer_record_refusal(q->front->server, &q->in,
		    identity_verdict_forbids(verdict) ? "DENY" : "AUTH_FAIL",
		    str_c(identity_verdict_name(verdict)), q->http->method, q->http->path) ||
		verdict == IDENTITY_UNAVAILABLE) {
		say(q, 503, S("credentials cannot be checked now; try again later"), NULL, 0);
		return false;
	}
	refuse_credential(q, verdict);
	return false;
}

/* Where the tenants are listed and the caller's is not among them, nothing is done for it. */
static bool check_tenant(struct request *q)
{
	if (!q->who.tenant_foreign)
		return true;
	deny(q, 403, "DENY", "tenant", S("the credential names no tenant of this deployment"));
	return false;
}

static bool take_once(
	const struct http_request *r, struct str name, struct str *value_out, bool *given_out)
{
	size_t count;

	*value_out = http_header_get(r, name, &count);
	*given_out = count > 0;
	return count <= 1;
}

static void read_headers(struct request *q)
{
	struct mcp_headers *h = &q->in.headers;
	struct mcp_param_header *params =
		arena_array(q->in.arena, struct mcp_param_header, q->http->header_count);

	h->http = true;
	h->doubled = !take_once(q->http, S("MCP-Protocol-Version"), &h->version, &h->version_given);
	h->doubled |= !take_once(q->http, S("Mcp-Method"), &h->method, &h->method_given);
	h->doubled |= !take_once(q->http, S("Mcp-Name"), &h->name, &h->name_given);
	h->doubled |= !take_once(q->http, S("Mcp-Session-Id"), &h->session, &h->session_given);
	for (size_t i = 0; i < q->http->header_count; i++) {
		const struct http_header *header = &q->http->headers[i];
		struct str prefix = S(PARAM_PREFIX);

		if (header->name.n <= prefix.n ||
			!str_eq_ci(str_sub(header->name, 0, prefix.n), prefix))
			continue;
		params[h->param_count].name = str_from(header->name, prefix.n);
		params[h->param_count++].value = header->value;
	}
	h->params = params;
}

static bool is_json(const struct http_request *r)
{
	size_t count;
	struct str value = http_header_get(r, S("Content-Type"), &count), type, rest;

	if (count != 1)
		return false;
	type = str_cut(value, ';', &type, &rest) ? str_trim(type) : value;
	return str_eq_ci(type, S("application/json"));
}

/* The order of Accept is read as a preference where nothing else says one. */
static bool prefers_stream(const struct http_request *r)
{
	struct str accept = http_header_get(r, S("Accept"), NULL);
	size_t stream = str_find_str(accept, 0, S("text/event-stream"));

	return stream < accept.n && stream < str_find_str(accept, 0, S("application/json"));
}

static void answer_post(struct request *q)
{
	if (!is_json(q->http)) {
		deny(q, 415, "PROTOCOL_REJECT", "content_type",
			S("Content-Type must be application/json"));
		return;
	}
	read_headers(q);
	q->in.text = q->http->body;
	q->x.prefers_stream = prefers_stream(q->http);
	q->x.replay = q->front->server->replay;
	q->x.who = &q->who;
	answer(q->front->server, &q->in, &q->x.x);
}

/* The session of a GET or DELETE, which carry no message. */
static bool open_session(struct request *q, struct mcp_session *out)
{
	struct mcp_context m = {
		.seal = world_seal_of(q->front->server->world),
		.binding = str_n(q->who.binding.b, SHA256_BYTES),
		.wall_us = clock_wall_us(),
	};

	read_headers(q);
	return !q->in.headers.doubled &&
	       mcp_session_open(q->in.arena, &m, q->in.headers.session, out) &&
	       !answer_session_ended(q->front->server, &q->who, out);
}

/* Last-Event-ID: the answer of a stream that was lost.  One that is not known opens a new stream.
 */
static bool resumes(struct request *q, const struct mcp_session *session)
{
	struct str id = http_header_get(q->http, S("Last-Event-ID"), NULL);
	struct replay_owner owner;

	if (!id.n)
		return false;
	owner = replay_owner_of(&q->who, session->nonce, q->in.arena);
	return replay_resume(q->front->server->replay, &owner, id, &q->x.x);
}

/* Of which tool or source a kept answer is, nobody knows any more: it waits until none is paused.
 */
static bool is_killed(struct request *q)
{
	bool comes_back = http_header_get(q->http, S("Last-Event-ID"), NULL).n > 0;
	struct watch *w = world_watch(q->front->server->world);
	struct kill_target t = kill_target_of_principal(&q->who);

	t.instance = watch_instance(w);
	return watch_judge(w, &t, clock_boot_ms()).cause != KILL_BY_NOTHING ||
	       (comes_back && watch_pauses_part(w, clock_boot_ms()));
}

static void answer_get(struct request *q)
{
	struct hub_listener l = { .owner = hub_owner_of(&q->who) };
	struct mcp_session session;
	size_t given;

	http_header_get(q->http, S("Mcp-Session-Id"), &given);
	if (!given) {
		say(q, 405,
			S("this server speaks Streamable HTTP: POST messages to " ENDPOINT
			  "; the older HTTP+SSE pair of 2024-11-05 is not served"),
			&(struct http_header){ S("Allow"), S("POST") }, 1);
		return;
	}
	if (!open_session(q, &session)) {
		deny(q, 404, "DENY", "session", S("there is no such session; initialize again"));
		return;
	}
	/* an answer that is kept is one of a call */
	if (is_killed(q)) {
		deny(q, 503, "DENY", "killed", S("paused by an operator; do not retry"));
		return;
	}
	if (resumes(q, &session))
		return;
	l.nonce = session.nonce;
	switch (hub_add(q->front->server->hub, &l, &q->x.x, STR_NONE)) {
	case HUB_OK:
		return;
	case HUB_TAKEN:
		deny(q, 409, "DENY", "stream_taken", S("this session has a stream already"));
		return;
	case HUB_FULL:
		deny(q, 503, "DENY", "streams", S("too many open streams; close one first"));
		return;
	}
}

static void answer_delete(struct request *q)
{
	struct mcp_session session;
	size_t given;

	http_header_get(q->http, S("Mcp-Session-Id"), &given);
	if (!given) {
		say(q, 405, S("there is no session to end"),
			&(struct http_header){ S("Allow"), S("POST") }, 1);
		return;
	}
	if (!open_session(q, &session)) {
		deny(q, 404, "DENY", "session", S("there is no such session"));
		return;
	}
	sessions_end(q->front->server->sessions, &q->who.binding, session.nonce, session.issued_us);
	hub_end_session(q->front->server->hub, session.nonce);
	http_reply(q->x.conn, &(struct http_reply){ .status = 204 });
}

static void answer_method(struct request *q)
{
	if (str_eq(q->http->method, S("POST")))
		answer_post(q);
	else if (str_eq(q->http->method, S("GET")))
		answer_get(q);
	else if (str_eq(q->http->method, S("DELETE")))
		answer_delete(q);
	else
		say(q, 405, S("POST messages to " ENDPOINT),
			&(struct http_header){ S("Allow"), S("POST, GET, DELETE") }, 1);
}

static bool is_metadata(const struct request *q)
{
	return metadata_offered(q->in.generation->config) &&
	       (str_eq(q->http->path, S(METADATA_ENDPOINT_PATH)) ||
		       str_eq(q->http->path, S(METADATA_PATH)));
}

static void route(struct request *q)
{
	if (str_eq(q->http->path, S("/healthz"))) {
		answer_health(q);
		return;
	}
	if (admin_owns(q->http->path)) {
		deny(q, 404, "DENY", "admin", S("nothing is here"));
		return;
	}
	if (approvals_front_owns(q->http->path)) {
		deny(q, 404, "DENY", "approvals", S("nothing is here"));
		return;
	}
	if (is_metadata(q)) {
		if (check_host(q))
			answer_metadata(q);
		return;
	}
	if (!str_eq(q->http->path, S(ENDPOINT))) {
		say(q, 404, S("nothing is here; this server speaks Streamable HTTP at " ENDPOINT),
			NULL, 0);
		return;
	}
	if (!check_host(q))
		return;
	if (str_eq(q->http->method, S("OPTIONS")))
		answer_preflight(q);
	else if (authenticate(q) && check_tenant(q))
		answer_method(q);
}

void http_front_serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	struct http_front *front = ctx;
	struct generation *g = world_hold_in(front->server->world, a);
	struct request *q = arena_new(a, struct request);

	q->front = front;
	q->http = r;
	q->x.x.ops = &http_exchange_ops;
	q->x.x.http = true;
	q->x.conn = c;
	q->in.arena = a;
	q->in.peer = http_conn_peer(c)->address;
	q->in.generation = g;
	q->x.arena = a;
	q->x.metadata =
		(struct metadata){ .config = g->config, .catalog = g->catalog, .host = r->host };
	route(q); /* q is gone with the connection's arena once it was answered; g goes then, too */
}

void http_front_refused(void *ctx, const struct http_peer *peer, const struct http_refusal *why)
{
	struct http_front *front = ctx;
	struct incoming in = { .peer = peer->address };

	/* whether recorded or not: the reply is on its way and says only what was wrong with the
	 * bytes */
	answer_record_refusal(
		front->server, &in, "PROTOCOL_REJECT", str_c(why->reason), STR_NONE, STR_NONE);
}
