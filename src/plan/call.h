/* call - one call: who asks for what, what was decided, what came back.
 *
 * Filled step by step by the pipeline (serve/pipeline.c); every part of it lives in call->arena.
 * One thread, straight down. */
#pragma once
#include "base/id.h"
#include "catalog/catalog.h"
#include "catalog/fault.h"
#include "identity/principal.h"
#include "plan/rows.h"

struct call;
struct change;
struct held;
struct past;

/* What a running call may do to the world outside, given by serve: never NULL, may do nothing. */
struct call_port {
	void (*progress)(void *ctx, uint64_t n, uint64_t total, struct str message);
	void (*log)(void *ctx, struct str level, struct str text);
	void (*changed)(
		void *ctx, struct str what); /* list_changed of "tools", …; or "updated URI" */
	void (*drop)(void *ctx); /* cuts the reply's stream; the call goes on */
	bool (*cancelled)(void *ctx); /* the client went away or asked to stop */
	bool (*may_ask)(void *ctx, struct str method,
		struct str params_json); /* client can be asked this */
	bool (*has_capability)(void *ctx, struct str name); /* declared by the client */
	/* is this an answer of the form that was asked for? */
	bool (*answer_fits)(
		void *ctx, struct str method, struct str params_json, const struct json *answer);
	void *ctx;
};

extern const struct call_port call_port_none; /* tells nobody, asks nobody, is never cancelled */

/* What the wire said about the call, for the record. */
struct call_origin {
	struct str era; /* "2026-07-28" */
	struct str rpc_id; /* raw JSON of the id */
	struct str
		conversation; /* session id's digest or conversation id as claimed; may be empty */
	struct str trace_id; /* 32 hex digits of a valid traceparent, or empty */
	struct str client_name, client_version; /* clientInfo as claimed */
	struct str peer; /* "127.0.0.1" or "stdio" */
};

/* A question to the person behind the client: one server request. */
struct ask {
	struct str key, method, params_json;
};

enum call_end {
	CALL_OPEN,
	CALL_DONE, /* rows, content or messages are there */
	CALL_FAULT, /* fault says what */
	CALL_ASKS, /* asks are open; state_plain to be sealed and brought back */
};

enum content_kind {
	CONTENT_NONE,
	CONTENT_ROWS,
	CONTENT_BLOCKS,
	CONTENT_TEXT,
	CONTENT_MESSAGES,
	CONTENT_VALUES,
	CONTENT_OBJECT,
	CONTENT_CHANGE, /* change->plan, or change->answer of the first time */
};

struct call {
	struct arena *arena;
	struct id id;
	const struct entry *entry;
	const struct principal *who;
	const struct call_port *port;
	struct call_origin origin;
	struct str uri; /* resources: as asked */
	const struct json *arguments_sent; /* NULL: none */

	struct change *change; /* change.h; NULL: the entry only reads */
	struct past *past; /* past.h; NULL: the entry tells of no changes */

	/* Set by args_prepare: defaults in, canonical. */
	struct json arguments;
	struct str arguments_canonical;
	struct sha256 arguments_digest;

	int64_t wall_us; /* when it came */
	uint64_t started_ns, deadline_ms; /* monotonic */

	/* Answers to earlier asks (JSON object by key) and the state they came with, opened. */
	const struct json *answers;
	struct str state_plain_in;

	unsigned passed; /* bits of enum guard_step that said yes (guard.h) */

	/* Page cursor, opened: values in the order of page.by; NULL: first page. */
	const struct json *cursor;
	uint32_t page_rows;

	/* Of the limits of calls, the one with least left; rule NULL: none applies
	 * (guard/limits.h). */
	struct {
		const struct limit_rule *rule;
		uint32_t left, wait_ms; /* until it has room, or some of it comes back */
	} rate;
	struct held *held; /* places taken; NULL: none */

	_Atomic bool killed; /* set by the watch while the call runs: stop (serve/watch.h) */
	enum call_end end;
	struct {
		enum fault_code code;
		struct str reason; /* stable word: details.reason; may be empty */
		struct str details_json; /* more members of details: JSON object text, or empty */
		uint32_t retry_after_ms; /* 0: not said */
		struct str operator_text; /* for the log and the record, never for the agent */
	} fault;

	enum content_kind content;
	struct rows *rows; /* CONTENT_ROWS: by part; action.part_count of them */
	struct str content_json; /* CONTENT_BLOCKS: MCP content array; CONTENT_MESSAGES: messages
				    array; CONTENT_VALUES: array of strings; CONTENT_OBJECT: the
				    structured content */
	bool content_is_error; /* CONTENT_BLOCKS of a scripted error */
	struct str text; /* CONTENT_TEXT: resource text, or bytes */
	bool text_is_blob;
	bool values_more; /* CONTENT_VALUES: there are more */
	uint32_t values_total;

	struct ask *asks;
	size_t ask_count;
	struct str state_plain_out; /* empty: no state */

	/* Set by render: what leaves (result_rows of CONTENT_OBJECT: by the backend). */
	struct str result_json; /* members of the MCP result without envelope: {"content":…} */
	uint64_t result_rows;
	struct sha256 result_digest;
	uint64_t ended_ns;
};

/* A call that begins now, with an id of its own and call_port_none; it may take the entry's time,
 * at most most_ms. */
struct call *call_new(struct arena *a, const struct entry *entry, const struct principal *who,
	uint32_t most_ms, int64_t wall_us, uint64_t mono_ns);

/* Ends the call with a fault; returns false, so that steps can `return call_fault(...)`. */
bool call_fault(struct call *c, enum fault_code code, const char *reason, struct str operator_text);

/* Is it of no use to go on?  The client went away, or an operator said stop.  call: struct call *.
 */
bool call_cancelled(void *call);

/* Puts defaults in, makes the canonical text and digest.  The arguments already fit the schema.
 * False: the canonical text is over 8 MiB. */
bool args_prepare(struct call *c) must_check;
/* Does the column's mask stand between its values and this caller? */
bool call_masks(const struct call *c, const struct column *column);
const struct json *args_get(const struct call *c, struct str name); /* NULL: absent */
/* Fills "{name}" in a template with the arguments' text (strings as they are, others as JSON);
 * in plain text "{{" and "}}" are braces.  json: the template is JSON text; values are escaped for
 * the inside of a string. */
struct str args_fill(struct call *c, struct str template_text, bool json);
