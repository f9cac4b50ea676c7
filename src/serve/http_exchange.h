/* http_exchange - the exchange over HTTP: one reply, or an event stream that ends with it.
 *
 * Lives in the request's arena; a parked one on the heap, with nothing but its stream.  One thread
 * at a time. */
#pragma once
#include "serve/exchange.h"
#include "serve/metadata.h"
#include "serve/replay.h"
#include "transport/http.h"

#define HTTP_EXCHANGE_HEADERS 9 /* CORS, limits, session, challenge */

struct http_exchange {
	struct exchange x;
	struct http_conn *conn;
	struct http_stream *stream; /* once a message went out before the answer */
	struct str cors_origin; /* a listed origin, or empty */
	struct metadata metadata;
	bool prefers_stream; /* text/event-stream stands first in Accept */
	struct replay *replay;
	const struct principal *who; /* with replay: whose answers they are */
	struct arena *arena;
	char event_id[32]; /* of a stream that may be resumed */
	bool resumable;
	bool parked;
};

extern const struct exchange_ops http_exchange_ops;

/* Headers that a browser needs with every reply; out has room for HTTP_EXCHANGE_HEADERS.  Returns
 * how many: none unless the origin is a listed one. */
size_t http_exchange_cors(const struct http_exchange *x, struct http_header *out);
