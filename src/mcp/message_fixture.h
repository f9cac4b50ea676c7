/* message_fixture - for the tests of this room: texts of requests, a key, and sessions of every
 * kind. */
#pragma once
#include "mcp/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define VERSION_KEY "\"io.modelcontextprotocol/protocolVersion\":"
#define CAPS_KEY "\"io.modelcontextprotocol/clientCapabilities\":"
#define META_OF(version, caps, more) "\"_meta\":{" VERSION_KEY version "," CAPS_KEY caps more "}"
#define META META_OF("\"2026-07-28\"", "{}", "")
#define REQUEST(method, params)                                                                    \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":{" params "}}"
#define MODERN(method, more) REQUEST(method, META more)
#define WITH_ID(id)                                                                                \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/list\",\"params\":{" META "}}"
#define M "2026-07-28"
#define NAME(n) ",\"name\":\"" n "\""
#define START_US ((int64_t)1790000000 * 1000000)

enum which { NONE, LIVE_11, LIVE_06, LIVE_03, LIVE_2024, ENDED, OLD, STRANGERS, FORGED, WHICH };

struct world {
	struct arena arena;
	struct seal seal;
	struct mcp_session sessions[WHICH];
	struct str ids[WHICH];
};

static inline void assert_text(struct str is, const char *wanted)
{
	if (!str_eq(is, str_c(wanted)))
		fail_msg("'%.*s' is not '%s'", STR_ARG(is), wanted);
}

static inline bool ended(void *ctx, const struct mcp_session *session)
{
	struct world *w = ctx;

	return str_eq(session->nonce, w->sessions[ENDED].nonce);
}

static inline struct mcp_context context(struct world *w)
{
	return (struct mcp_context){ .seal = &w->seal,
		.binding = S("alice's binding"),
		.ended = ended,
		.ctx = w,
		.wall_us = START_US };
}

static inline struct mcp_headers no_headers(bool http)
{
	return (struct mcp_headers){ .http = http };
}

static inline void make_session(struct world *w, enum which which, const char *version,
	int64_t issued_us, struct str binding)
{
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(true);
	struct mcp_request r;
	struct mcp_refusal why;
	struct json message;
	bool batch;
	struct str text = arena_fmt(&w->arena,
		"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
		"\"protocolVersion\":\"%s\",\"capabilities\":{\"elicitation\":{},\"roots\":{}},"
		"\"clientInfo\":{\"name\":\"probe\",\"version\":\"3.1\"}}}",
		version);

	m.wall_us = issued_us;
	m.binding = binding;
	assert_true(mcp_parse(&w->arena, text, true, &message, &batch, &why));
	assert_true(mcp_read(&w->arena, &m, &h, &message, &r, &why));
	w->sessions[which] = r.session;
	w->ids[which] = mcp_session_make(&w->arena, &m, &w->sessions[which]);
}

static inline int setup(void **state)
{
	struct world *w = heap_new(struct world);
	char *forged;

	arena_init(&w->arena, (size_t)64 << 20);
	assert_true(seal_init(&w->seal, S("an entirely fixed key of 32 byte")));
	make_session(w, LIVE_11, "2025-11-25", START_US, S("alice's binding"));
	make_session(w, LIVE_06, "2025-06-18", START_US, S("alice's binding"));
	make_session(w, LIVE_03, "2025-03-26", START_US, S("alice's binding"));
	make_session(w, LIVE_2024, "2024-11-05", START_US, S("alice's binding"));
	make_session(w, ENDED, "2025-11-25", START_US, S("alice's binding"));
	make_session(w, OLD, "2025-11-25", START_US - (int64_t)31 * 86400 * 1000000,
		S("alice's binding"));
	make_session(w, STRANGERS, "2025-11-25", START_US, S("mallory's binding"));
	forged = arena_cstr(&w->arena, w->ids[LIVE_11]);
	forged[40] = forged[40] == 'A' ? 'B' : 'A';
	w->ids[FORGED] = str_c(forged);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	seal_done(&w->seal);
	arena_done(&w->arena);
	heap_free(w);
	return 0;
}
