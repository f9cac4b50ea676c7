/* request_test - what is kept of a request that is served: its id as written, its client, its era.
 */
#include "mcp/message_fixture.h"

#include <stdio.h>

/* Reads one message that must be served. */
static struct mcp_request read_served(struct world *w, const char *body, enum which stdio_session)
{
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(false);
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message;
	bool batch;

	m.stdio_session = &w->sessions[stdio_session];
	assert_true(mcp_parse(&w->arena, str_c(body), false, &message, &batch, &why));
	if (!mcp_read(&w->arena, &m, &h, &message, &r, &why))
		fail_msg("refused: %.*s: %s", STR_ARG(why.message), body);
	return r;
}

static void ids_are_kept_as_they_were_written(void **state)
{
	static const char *const ids[] = { "0", "-0", "\"\"", "9007199254740993",
		"123456789012345678901234567890", "\"server-discover-probe-1\"", "\"\\u0061\\n\"",
		"\"\xc3\xa9\"" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		char body[512];

		snprintf(body, sizeof body,
			"{\"jsonrpc\":\"2.0\",\"id\":  %s "
			",\"method\":\"tools/list\",\"params\":{%s}}",
			ids[i], META);
		assert_text(read_served(*state, body, NONE).id, ids[i]);
	}
}

static bool is_served_with_id_of(struct world *w, size_t bytes)
{
	struct str text = arena_fmt(&w->arena,
		"{\"jsonrpc\":\"2.0\",\"id\":\"%0*d\",\"method\":\"ping\"}", (int)bytes - 2, 0);
	struct mcp_context m = context(w);
	struct mcp_headers h = no_headers(false);
	struct mcp_refusal why;
	struct mcp_request r;
	struct json message;
	bool batch;

	assert_true(mcp_parse(&w->arena, text, false, &message, &batch, &why));
	return mcp_read(&w->arena, &m, &h, &message, &r, &why);
}

static void an_id_of_256_bytes_is_served_and_one_more_is_not(void **state)
{
	assert_true(is_served_with_id_of(*state, 256));
	assert_false(is_served_with_id_of(*state, 257));
}

static void the_envelope_is_read_into_the_request(void **state)
{
	struct mcp_request r = read_served(*state,
		REQUEST("tools/call",
			META_OF("\"" M "\"",
				"{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},"
				"\"extensions\":{\"io.modelcontextprotocol/ui\":{}}}",
				",\"io.modelcontextprotocol/clientInfo\":{\"name\":\"c\","
				"\"version\":\"1\"},\"io.modelcontextprotocol/logLevel\":\"info\","
				"\"progressToken\":\"tok\",\"traceparent\":"
				"\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"")
				NAME("t") ",\"inputResponses\":{\"k\":{}},\"requestState\":\"s\""),
		NONE);

	assert_true(r.can.elicitation_form && r.can.elicitation_url && r.can.sampling);
	assert_true(r.can.extensions_ui && !r.can.roots);
	assert_text(r.client_name, "c");
	assert_text(r.client_version, "1");
	assert_text(r.log_level, "info");
	assert_text(r.progress_token, "\"tok\"");
	assert_text(r.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_non_null(json_get(r.input_responses, S("k")));
	assert_text(r.request_state, "s");
	assert_int_equal(r.revision, MCP_2026_07_28);
}

static void elicitation_without_a_mode_means_form_and_url_alone_means_url(void **state)
{
	struct mcp_request r;

	r = read_served(*state,
		REQUEST("tools/list", META_OF("\"" M "\"", "{\"elicitation\":{}}", "")), NONE);
	assert_true(r.can.elicitation_form && !r.can.elicitation_url);
	r = read_served(*state,
		REQUEST("tools/list", META_OF("\"" M "\"", "{\"elicitation\":{\"url\":{}}}", "")),
		NONE);
	assert_true(!r.can.elicitation_form && r.can.elicitation_url);
	r = read_served(*state,
		REQUEST("tools/list", META_OF("\"" M "\"", "{\"elicitation\":true}", "")), NONE);
	assert_true(!r.can.elicitation_form && !r.can.elicitation_url);
}

static void a_trace_that_is_not_w3c_is_left_out(void **state)
{
	static const char *const bad[] = { "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", "" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char body[1024];

		snprintf(body, sizeof body,
			REQUEST("tools/list",
				META_OF("\"" M "\"", "{}", ",\"traceparent\":\"%s\"")),
			bad[i]);
		assert_int_equal(read_served(*state, body, NONE).trace_id.n, 0);
	}
}

static void legacy_requests_speak_as_their_session_agreed(void **state)
{
	struct mcp_request r = read_served(*state,
		REQUEST("tools/call", "\"name\":\"t\",\"_meta\":{\"progressToken\":4}"), LIVE_06);

	assert_int_equal(r.revision, MCP_2025_06_18);
	assert_text(r.client_name, "probe");
	assert_text(r.progress_token, "4");
	assert_true(r.can.elicitation_form && r.can.roots && !r.can.sampling);
	assert_int_equal(r.session.nonce.n, 32);
}

static void initialize_gets_what_it_asked_or_the_newest_legacy_version(void **state)
{
	static const struct {
		const char *asked;
		enum mcp_revision got;
	} cases[] = { { "2024-11-05", MCP_2024_11_05 }, { "2025-03-26", MCP_2025_03_26 },
		{ "2025-06-18", MCP_2025_06_18 }, { "2025-11-25", MCP_2025_11_25 },
		{ "2026-07-28", MCP_2025_11_25 }, { "1999-01-01", MCP_2025_11_25 },
		{ "", MCP_2025_11_25 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char body[256];
		struct mcp_request r;

		snprintf(body, sizeof body, REQUEST("initialize", "\"protocolVersion\":\"%s\""),
			cases[i].asked);
		r = read_served(*state, body, NONE);
		assert_int_equal(r.revision, cases[i].got);
		assert_int_equal(r.session.revision, cases[i].got);
		assert_true(r.session.on);
		assert_text(r.wanted_version, cases[i].asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_kept_as_they_were_written),
		cmocka_unit_test(an_id_of_256_bytes_is_served_and_one_more_is_not),
		cmocka_unit_test(the_envelope_is_read_into_the_request),
		cmocka_unit_test(elicitation_without_a_mode_means_form_and_url_alone_means_url),
		cmocka_unit_test(a_trace_that_is_not_w3c_is_left_out),
		cmocka_unit_test(legacy_requests_speak_as_their_session_agreed),
		cmocka_unit_test(initialize_gets_what_it_asked_or_the_newest_legacy_version),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
