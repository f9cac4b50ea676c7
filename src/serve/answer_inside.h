/* answer_inside - what the files of answer share.  Of serve only. */
#pragma once
#include "serve/answer.h"

#define REPLY_MAX ((size_t)80 << 20)

/* One request on its way. */
struct answering {
	struct server *server;
	struct incoming *in;
	struct exchange *x;
	struct mcp_request r;
	bool understood; /* r was read to its end */
	const struct entry *hidden; /* was asked for and does not exist for the caller */
	struct inflight_call *flight; /* NULL: nothing can cancel it by its id */
	bool cancelled; /* the flight was, when it ended */
	struct str log_level; /* least level the client wants to hear; empty: none */
};

/* What ids of this request belong to: the pipe, or the legacy session; empty on the modern wire. */
struct str answer_scope(const struct answering *t);

/* Records why, then says it (a notification on a pipe hears nothing). */
void answer_refuse(struct answering *t, struct mcp_refusal *why, struct str target);
void answer_refuse_with(struct answering *t, int code, const char *reason, struct str message);
void answer_error(struct answering *t, const struct mcp_refusal *why);
void answer_reply(struct answering *t, struct buf *out, struct str session);

/* answer_plain.c: requests that are not calls */
void answer_empty(struct answering *t);
void answer_discover(struct answering *t);
void answer_initialize(struct answering *t);
void answer_list(struct answering *t);
void answer_set_level(struct answering *t);
void answer_subscribe(struct answering *t);
void answer_listen(struct answering *t);

/* answer_call.c */
void answer_call(struct answering *t);

/* answer.c */
struct mcp_context answer_context(struct answering *t);
