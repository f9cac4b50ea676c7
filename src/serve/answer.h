/* answer - from one message, whoever carried it, to its answer.
 *
 * The ladder of the protocol is mcp's, the decision guard's, the doing backend's: here stands only
 * which of them comes when.  Everything that is refused before it is a call is recorded here too.
 */
#pragma once
#include "serve/exchange.h"
#include "serve/hub.h"
#include "serve/inflight.h"
#include "serve/questions.h"
#include "serve/replay.h"
#include "serve/sessions.h"
#include "serve/world.h"

/* What a serving process keeps for its messages; lives as long as its fronts. */
struct server {
	struct world *world;
	struct hub *hub;
	struct inflight *inflight;
	struct sessions *sessions;
	struct questions *questions;
	struct replay *replay;
	uint64_t reviewed_ms, settled_ms; /* the tick's own */
};

void server_init(struct server *s, struct world *w);
void server_done(struct server *s);
void server_tick(struct server *s,
	uint64_t mono_ms); /* expires questions and kept answers, ends streams that may not stay */

/* One message as a front got it. */
struct incoming {
	struct arena *arena;
	struct generation *generation;
	const struct principal *who;
	struct mcp_headers headers;
	struct str peer;
	struct str text;
	/* stdio: the pipe's session, set by initialize; NULL on HTTP.  Only the thread that reads
	 * the pipe changes it. */
	struct mcp_session *pipe;
	/* stdio: the reading thread entered the call, so that ids and cancellations keep their
	 * order on the pipe; NULL: answer enters it.  id_in_use: another call with this id runs. */
	struct inflight_call *flight;
	bool id_in_use;
	/* A call run again with the answers to what it asked. */
	const struct json *answers;
	struct str state_plain;
	unsigned round;
};

/* Over before its time: by its client, or by a kill order that came after it began. */
bool answer_session_ended(
	struct server *s, const struct principal *who, const struct mcp_session *session);

void answer(struct server *s, struct incoming *in, struct exchange *x);

/* A refusal before there is a message: recorded (event AUTH_FAIL, DENY, PROTOCOL_REJECT).  False:
 * it could not be recorded in time. */
bool answer_record_refusal(struct server *s, const struct incoming *in, const char *event,
	struct str reason, struct str method, struct str target);
