/* http - HTTP/1.1 connections: accept, TLS, requests in, replies and event streams out.
 *
 * A worker owns a connection from the moment its request is whole until http_reply, or until
 * http_stream_begin parks it as a stream.  What does not fit the socket is kept (bounded) and sent
 * when it can be: a slow client never holds a worker.  A client that is too slow, idle or over a
 * limit is closed by the tick; the one that has waited longest goes when there is no room for
 * another.
 *
 * What is 0 in the configuration takes the value named beside it.  A process with an HTTP server
 * ignores SIGPIPE.
 *
 * Threads: http_reply and http_stream_begin by the worker that got the request, once;
 * http_stream_send, http_stream_end, http_gone by any thread that holds a reference. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "loop/pool.h"
#include "transport/http_parse.h"

struct http_server;
struct http_conn;

enum http_name_kind { HTTP_NAME_URI, HTTP_NAME_DNS, HTTP_NAME_EMAIL };

struct http_name {
	enum http_name_kind kind;
	struct str text;
};

struct http_peer {
	struct str address; /* "127.0.0.1", "::1" */
	uint16_t port;
	bool loopback, tls;
	/* of a verified client certificate, else empty */
	struct str certificate_subject; /* RFC 4514 */
	const struct http_name *certificate_names; /* of subjectAltName, in its order */
	size_t certificate_name_count;
	struct str certificate_sha256; /* of the DER, hex */
	int64_t certificate_ends_us; /* its notAfter */
};

struct http_tls {
	struct str cert, key, client_ca; /* paths; client_ca empty: none asked for */
};

struct http_config {
	struct str address; /* "127.0.0.1:8080", "[::1]:0" */
	bool tls_on;
	struct http_tls tls;
	struct http_limits limits;
	uint32_t request_ms; /* from first byte to whole request, and for the first byte of the
				first request: 15 s */
	uint32_t idle_ms; /* keep-alive without another request: 75 s */
	uint32_t keepalive_ms; /* comment line on quiet streams: 15 s */
	uint32_t max_conns; /* 1024; over: one that waits goes, or 503 */
	uint32_t per_address; /* of those, from one address (IPv6: one /64); 0: as many */
	size_t stream_pending; /* bytes kept for a slow stream before it is cut: 1 MiB */
	size_t memory; /* bytes of large requests being read, of all: half of the budget of arenas,
			  or 64 MiB when there is none; over: 503 */

	/* Called by a worker with a whole request; must answer, before it returns, by http_reply or
	 * http_stream_begin (else 500 is sent).  The arena is lent with the request, limit 64 MiB,
	 * and reset when this returns; the request is gone then, too.  An arena that jumps with
	 * nothing nearer to catch it ends in 500. */
	void (*serve)(
		void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a);
	/* A request that could not be read (for the log's counters); the reply is already on its
	 * way. */
	void (*refused)(void *ctx, const struct http_peer *peer, const struct http_refusal *why);
	void *ctx;
};

/* Binds and listens; *port_out is the port bound (for ":0").  Nothing is accepted before
 * http_server_start. */
struct http_server *http_server_new(
	const struct http_config *config, struct pool *pool, uint16_t *port_out, struct err *err);
void http_server_start(struct http_server *s);
void http_server_tick(struct http_server *s, uint64_t mono_ms); /* from the pool's tick */
bool http_server_reload_tls(struct http_server *s, struct err *err) must_check;
/* Stops accepting, ends idle connections, half-sent requests and streams; returns when all are
 * closed or the deadline is past. */
void http_server_stop(struct http_server *s, uint64_t deadline_mono_ms);
unsigned http_server_connections(struct http_server *s); /* open now */
void http_server_free(struct http_server **s);

const struct http_peer *http_conn_peer(const struct http_conn *c);

/* Extra headers of a reply: name and value are written as they are (the caller's constants). */
struct http_reply {
	int status;
	struct str content_type; /* empty: no body, Content-Length 0 */
	struct str body;
	const struct http_header *headers;
	size_t header_count;
	bool close;
};
void http_reply(struct http_conn *c, const struct http_reply *reply);

/* Turns the exchange into text/event-stream (chunked on 1.1, X-Accel-Buffering: no, Cache-Control:
 * no-cache).  Returns a new reference to the stream, or NULL when there is no memory (nothing was
 * answered then).  The caller keeps working and sends as it goes; the head goes out with the first
 * event, or within POOL_TICK_MS.  A stream that was not ended when serve returns is parked: it
 * holds no worker, and its client's going is noticed.  headers: extra ones. */
struct http_stream;
struct http_stream *http_stream_begin(
	struct http_conn *c, const struct http_header *headers, size_t header_count);
/* "event: message\ndata: DATA\n\n"; data is one JSON value, a line end in it goes out as a space.
 * False: the client is gone, or more than stream_pending was waiting for it already. */
bool http_stream_send(struct http_stream *s, struct str data);
/* "id: ID\nretry: MS\ndata: \n\n": how to come back, before anything else. */
void http_stream_prime(struct http_stream *s, struct str id, uint32_t retry_ms);
/* The last chunk.  Ended before serve returns, the connection takes the next request; ended when
 * parked, it is closed behind what is still to be sent. */
void http_stream_end(struct http_stream *s);
struct http_stream *http_stream_hold(struct http_stream *s); /* one more reference */
void http_stream_drop(struct http_stream **s); /* not an end: other holders may send */
bool http_stream_gone(struct http_stream *s);
/* Called once, by any thread, without a lock, when the client is gone or the stream was cut (not on
 * our own end); at once, by this call, when that has happened already. */
void http_stream_on_gone(
	struct http_stream *s, void (*gone)(void *ctx, uint64_t token), void *ctx, uint64_t token);

/* True when the client has closed or reset; looks at the socket, cheap (one poll).  For the worker
 * that owns the exchange, while its call runs. */
bool http_gone(struct http_conn *c);
