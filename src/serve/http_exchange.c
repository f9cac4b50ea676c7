/* http_exchange - see http_exchange.h. */
#include "serve/http_exchange.h"

#include "base/clock.h"

#include <string.h>

#define RETRY_MS 500 /* a client may come back after */

size_t http_exchange_cors(const struct http_exchange *x, struct http_header *out)
{
	if (!x->cors_origin.n)
		return 0;
	out[0] = (struct http_header){ S("Access-Control-Allow-Origin"), x->cors_origin };
	out[1] = (struct http_header){ S("Vary"), S("Origin") };
	out[2] = (struct http_header){ S("Access-Control-Expose-Headers"),
		S("Mcp-Session-Id, WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy") };
	return 3;
}

static size_t add_header(struct http_header *out, size_t count, struct str name, struct str value)
{
	if (value.n)
		out[count++] = (struct http_header){ name, value };
	return count;
}

/* out: HTTP_EXCHANGE_HEADERS of them. */
static size_t own_headers(const struct http_exchange *x, struct http_header *out)
{
	size_t count = http_exchange_cors(x, out);

	count = add_header(out, count, S("RateLimit-Policy"), x->x.limits.policy);
	count = add_header(out, count, S("RateLimit"), x->x.limits.state);
	return add_header(out, count, S("Retry-After"), x->x.limits.retry_after);
}

static void make_resumable(struct http_exchange *x)
{
	struct replay_owner owner = replay_owner_of(x->who, x->x.session, x->arena);
	struct str id = replay_open(x->replay, x->arena, &owner, clock_mono_ms());

	memcpy(x->event_id, id.p, MIN(id.n, sizeof x->event_id));
	http_stream_prime(x->stream, id, RETRY_MS);
	x->resumable = true;
}

static bool begin_stream(struct http_exchange *x)
{
	struct http_header headers[HTTP_EXCHANGE_HEADERS];

	if (x->stream || !x->conn)
		return x->stream != NULL;
	x->stream = http_stream_begin(x->conn, headers, own_headers(x, headers));
	if (x->stream && x->x.session.n)
		make_resumable(x);
	return x->stream != NULL;
}

static struct str event_id(const struct http_exchange *x)
{
	return str_n(x->event_id, sizeof x->event_id);
}

/* The last message of a stream; kept for later where the client is not there to take it. */
static void end_stream(struct http_exchange *x, struct str json)
{
	bool taken = !json.n || http_stream_send(x->stream, json);

	/* a socket that its client has closed takes bytes all the same */
	taken = taken && !http_stream_gone(x->stream);
	http_stream_end(x->stream);
	if (x->resumable && taken)
		replay_close(x->replay, event_id(x));
	else if (x->resumable)
		replay_keep(x->replay, event_id(x), json);
}

static void http_exchange_cut(struct exchange *base)
{
	struct http_exchange *x = (struct http_exchange *)base;

	if (begin_stream(x) && x->resumable)
		http_stream_end(x->stream);
}

static void http_exchange_reply(
	struct exchange *base, int status, struct str json, struct str session)
{
	struct http_exchange *x = (struct http_exchange *)base;
	struct http_header headers[HTTP_EXCHANGE_HEADERS];
	struct http_reply reply = { .status = status, .body = json, .headers = headers };

	if (x->prefers_stream && status == 200 && json.n && !session.n && !base->wants_scope.n)
		begin_stream(x);
	if (x->stream) {
		end_stream(x, json);
		if (!x->parked)
			http_stream_drop(&x->stream);
		return;
	}
	reply.header_count = own_headers(x, headers);
	if (json.n)
		reply.content_type = S("application/json");
	if (session.n)
		headers[reply.header_count++] =
			(struct http_header){ S("Mcp-Session-Id"), session };
	if (base->wants_scope.n) {
		reply.status = 403;
		headers[reply.header_count++] = (struct http_header){ S("WWW-Authenticate"),
			metadata_challenge(
				&x->metadata, x->arena, CHALLENGE_SCOPE, base->wants_scope) };
	}
	http_reply(x->conn, &reply);
}

static bool http_exchange_send(struct exchange *base, struct str json)
{
	struct http_exchange *x = (struct http_exchange *)base;

	return begin_stream(x) && http_stream_send(x->stream, json);
}

static bool http_exchange_gone(struct exchange *base)
{
	struct http_exchange *x = (struct http_exchange *)base;

	return x->stream ? http_stream_gone(x->stream) : http_gone(x->conn);
}

static void http_exchange_free(struct exchange *base)
{
	struct http_exchange *x = (struct http_exchange *)base;

	http_stream_drop(&x->stream);
	heap_free(x);
}

static struct exchange *http_exchange_park(struct exchange *base,
	void (*on_gone)(void *ctx, uint64_t token), void *ctx, uint64_t token)
{
	struct http_exchange *x = (struct http_exchange *)base, *parked;

	if (!begin_stream(x))
		return NULL;
	parked = heap_new(struct http_exchange);
	parked->x.ops = x->x.ops;
	parked->x.http = true;
	parked->x.session = STR_NONE; /* its stream is begun */
	parked->replay = x->replay;
	parked->resumable = x->resumable;
	memcpy(parked->event_id, x->event_id, sizeof parked->event_id);
	parked->x.holders = 1;
	parked->parked = true;
	parked->stream = x->parked ? http_stream_hold(x->stream) : x->stream;
	http_stream_on_gone(parked->stream, on_gone, ctx, token);
	return &parked->x;
}

const struct exchange_ops http_exchange_ops = {
	.reply = http_exchange_reply,
	.send = http_exchange_send,
	.gone = http_exchange_gone,
	.cut = http_exchange_cut,
	.park = http_exchange_park,
	.free = http_exchange_free,
};
