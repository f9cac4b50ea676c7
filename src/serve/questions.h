/* questions - calls of legacy clients that ended by asking: kept until the client has answered,
 * then run again with the answers.
 *
 * Each question is one server request on the call's own stream, under an id nobody can guess.  Only
 * the principal and session that made the call can answer it.  Bounded in number and in time; what
 * expires ends with an error on its stream.  Thread-safe. */
#pragma once
#include "mcp/write.h"
#include "plan/call.h"
#include "serve/exchange.h"

#define QUESTION_MS 600000 /* an answer may take ten minutes */
#define QUESTIONS_MAX 256
#define QUESTIONS_OF_ONE_MAX 16 /* of one principal */
#define QUESTION_ROUNDS_MAX 8

struct questions;
struct question;

struct questions *questions_new(void);
void questions_free(struct questions **q);

/* What is needed to run the call again: copied. */
struct question_call {
	struct sha256 binding; /* of the principal */
	struct sha256 proof; /* of who may answer: principal_proof of who called */
	struct str scope; /* session nonce, or the pipe */
	struct str text; /* the message as it came */
	struct str session; /* Mcp-Session-Id as it came */
	struct str version; /* MCP-Protocol-Version as it came */
	struct str peer;
	struct str rpc_id;
	struct str state_plain;
	unsigned round;
	bool http;
	enum mcp_revision revision;
};

/* Sends the asks on x and parks it.  False: too many are open, they are over 1 MiB, or x cannot be
 * parked; x is not answered then. */
bool questions_open(struct questions *q, const struct question_call *call, const struct ask *asks,
	size_t count, struct exchange *x, uint64_t mono_ms,
	const struct receipt *receipt) must_check;

/* A client's response.  *ready_out: the question whose last answer this was, taken out of the list:
 * the caller runs it again and frees it; else NULL.  False: no such question for them. */
bool questions_answer(struct questions *q, struct arena *a, const struct sha256 *proof,
	struct str scope, const struct mcp_request *response,
	struct question **ready_out) must_check;

const struct question_call *question_call(const struct question *q);
struct exchange *question_exchange(const struct question *q);
struct str question_answers(const struct question *q, struct arena *a); /* JSON object by key */
void question_free(struct question *q);

/* Does a call with this id wait for an answer in this scope? */
bool questions_wait(struct questions *q, struct str scope, struct str rpc_id);
unsigned questions_count(struct questions *q); /* open now */
void questions_tick(struct questions *q, uint64_t mono_ms);
/* notifications/cancelled for a call that waits. */
void questions_cancel(struct questions *q, struct str scope, struct str rpc_id);
