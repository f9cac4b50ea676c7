/* http_front - HTTP exchanges to messages: routes, Host and Origin, credentials, streams.
 *
 * Every request is judged alone, in this order: route, Host, Origin, credential, method, media
 * type; only then is its body read as a message. */
#pragma once
#include "serve/answer.h"
#include "transport/http.h"

struct http_front {
	struct server *server;
	uint16_t port; /* as bound */
};

/* For http_config: ctx is the front. */
void http_front_serve(
	void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a);
void http_front_refused(void *ctx, const struct http_peer *peer, const struct http_refusal *why);

struct route {
	const char *path, *methods, *who;
};
/* The routes of the public listener: NULL path ends the list. */
const struct route *http_front_routes(void);
