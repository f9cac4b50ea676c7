/* write_test - every message that goes out, as its text, in each era and revision. */
#include "mcp/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SERVER_META                                                                                \
	"\"_meta\":{\"io.modelcontextprotocol/"                                                    \
	"serverInfo\":{\"name\":\"postern\",\"version\":\"1.2\","                                  \
	"\"title\":\"Desk\"}}"
#define SUBSCRIBED "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"s1\"}"
#define DECLARED                                                                                   \
	"\"capabilities\":{\"tools\":{\"listChanged\":true},\"resources\":{\"listChanged\":true,"  \
	"\"subscribe\":true},\"prompts\":{\"listChanged\":true}"
#define FORM                                                                                       \
	"{\"mode\":\"form\",\"message\":\"sure?\",\"requestedSchema\":{\"type\":\"object\","       \
	"\"properties\":{\"ok\":{\"type\":\"boolean\"},\"mail\":{\"type\":\"string\","             \
	"\"format\":\"email\"}},\"required\":[\"ok\"]}}"
#define URL "{\"mode\":\"url\",\"message\":\"open\",\"url\":\"https://desk.test/1\"}"

struct world {
	struct arena arena;
	struct buf out;
	struct mcp_server_info info;
};

/* A stand-in: only its presence is looked at here. */
static const int some_record;
static const struct receipt *const receipt = (const struct receipt *)&some_record;

static int setup(void **state)
{
	struct world *w = heap_new(struct world);

	arena_init(&w->arena, (size_t)64 << 20);
	w->info = (struct mcp_server_info){ .name = S("postern"),
		.version = S("1.2"),
		.title = S("Desk"),
		.instructions = S("be kind"),
		.tools = true,
		.resources = true,
		.prompts = true,
		.completions = true,
		.logging = true };
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	arena_done(&w->arena);
	heap_free(w);
	return 0;
}

static struct buf *fresh(struct world *w)
{
	buf_in(&w->out, &w->arena, (size_t)1 << 20);
	return &w->out;
}

static struct mcp_request request(enum mcp_revision revision, enum mcp_method method)
{
	return (struct mcp_request){ .revision = revision,
		.modern = revision == MCP_2026_07_28,
		.method = method,
		.id = S("\"a\""),
		.progress_token = S("5") };
}

/* The text, and that it is one line of JSON. */
static void assert_wrote(struct world *w, const char *wanted)
{
	struct json_error error;
	struct json parsed;

	if (!str_eq(buf_str(&w->out), str_c(wanted)))
		fail_msg("wrote\n%.*s\nnot\n%s", STR_ARG(buf_str(&w->out)), wanted);
	assert_true(json_parse(&w->arena, buf_str(&w->out), &parsed, &error));
	assert_true(buf_ok(&w->out) && !str_has(buf_str(&w->out), '\n'));
}

static void an_error_without_an_id_leaves_it_out(void **state)
{
	struct mcp_refusal why = { .code = -32600, .message = S("no \"good\"") };

	mcp_write_error(fresh(*state), &why);
	assert_wrote(*state, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"no "
			     "\\\"good\\\"\"}}");
}

static void an_error_has_the_id_as_it_came_and_its_data(void **state)
{
	struct mcp_refusal why = { .code = -32602,
		.message = S("m"),
		.id = S("9007199254740993"),
		.data_json = S("{\"uri\":\"a\"}") };

	mcp_write_error(fresh(*state), &why);
	assert_wrote(*state,
		"{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"error\":{\"code\":-32602,"
		"\"message\":\"m\",\"data\":{\"uri\":\"a\"}}}");
}

static void the_reply_to_a_ping_has_no_keys(void **state)
{
	struct mcp_request r = request(MCP_2025_11_25, MCP_PING);

	mcp_write_empty(fresh(*state), &r);
	assert_wrote(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{}}");
}

static void discover_lists_modern_versions_and_is_public(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2026_07_28, MCP_DISCOVER);

	mcp_write_discover(fresh(w), &w->info, &r);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":\"complete\","
			"\"supportedVersions\":[\"2026-07-28\"]," DECLARED
			",\"completions\":{},\"logging\":{}},\"instructions\":\"be kind\","
			"\"ttlMs\":3600000,\"cacheScope\":\"public\"," SERVER_META "}}");
}

static void initialize_says_what_each_revision_knows(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2025_11_25, MCP_INITIALIZE);

	mcp_write_initialize(fresh(w), &w->info, &r);
	assert_wrote(w,
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"protocolVersion\":"
		"\"2025-11-25\"," DECLARED ",\"completions\":{},\"logging\":{}},"
		"\"serverInfo\":{\"name\":\"postern\",\"version\":\"1.2\",\"title\":\"Desk\"},"
		"\"instructions\":\"be kind\"}}");
	r.revision = MCP_2024_11_05; /* no title, no completions */
	mcp_write_initialize(fresh(w), &w->info, &r);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"protocolVersion\":"
			"\"2024-11-05\"," DECLARED ",\"logging\":{}},"
			"\"serverInfo\":{\"name\":\"postern\",\"version\":\"1.2\"},"
			"\"instructions\":\"be kind\"}}");
}

static void what_is_not_served_is_not_declared(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2025_11_25, MCP_INITIALIZE);
	struct mcp_server_info bare = { .name = S("postern"), .version = S("1.2"), .tools = true };

	mcp_write_initialize(fresh(w), &bare, &r);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"protocolVersion\":"
			"\"2025-11-25\",\"capabilities\":{\"tools\":{\"listChanged\":true}},"
			"\"serverInfo\":{\"name\":\"postern\",\"version\":\"1.2\"}}}");
}

static void a_result_keeps_its_bytes_and_gets_what_its_era_adds(void **state)
{
	struct world *w = *state;
	struct str result = S("{\"content\":[],\"structuredContent\":{\"n\":9007199254740993}}");
	struct mcp_request r = request(MCP_2026_07_28, MCP_TOOLS_CALL);

	mcp_write_result(fresh(w), &w->info, &r, result, false, receipt);
	assert_wrote(w,
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":\"complete\","
		"\"content\":[],\"structuredContent\":{\"n\":9007199254740993}," SERVER_META "}}");
	mcp_write_result(fresh(w), &w->info, &r, S("{}"), false, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":"
			"\"complete\"," SERVER_META "}}");
	r = request(MCP_2025_06_18, MCP_TOOLS_CALL);
	mcp_write_result(fresh(w), &w->info, &r, result, false, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"content\":[],"
			"\"structuredContent\":{\"n\":9007199254740993}}}");
	mcp_write_result(fresh(w), &w->info, &r, S("{\"content\":[]}"), true, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"content\":[],"
			"\"_meta\":{\"postern/mock\":true}}}");
	mcp_write_result(fresh(w), &w->info, &r, S("{}"), true, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{"
			"\"_meta\":{\"postern/mock\":true}}}");
	mcp_write_audit_unavailable(fresh(w), &w->info, &r, S("{\"isError\":true}"));
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"isError\":true}}");
}

static void only_a_modern_resource_is_cacheable_and_only_by_its_reader(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2026_07_28, MCP_RESOURCES_READ);

	mcp_write_result(fresh(w), &w->info, &r, S("{\"contents\":[]}"), false, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":\"complete\","
			"\"contents\":[],\"ttlMs\":0,\"cacheScope\":\"private\"," SERVER_META "}}");
	r = request(MCP_2025_11_25, MCP_RESOURCES_READ);
	mcp_write_result(fresh(w), &w->info, &r, S("{\"contents\":[]}"), false, receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"contents\":[]}}");
}

static void early_revisions_get_no_block_they_do_not_know(void **state)
{
#define AUDIO "{\"type\":\"audio\",\"data\":\"\",\"mimeType\":\"audio/wav\"}"
#define LINK "{\"type\":\"resource_link\",\"uri\":\"a:b\",\"name\":\"n\"}"
#define LINK_TEXT "{\"type\":\"text\",\"text\":\"n: a:b\"}"
#define AUDIO_TEXT                                                                                 \
	"{\"type\":\"text\",\"text\":\"(audio is left out: this protocol version does not carry "  \
	"it)\"}"
	static const struct {
		enum mcp_revision revision;
		const char *blocks;
	} rows[] = {
		{ MCP_2024_11_05, AUDIO_TEXT "," LINK_TEXT },
		{ MCP_2025_03_26, AUDIO "," LINK_TEXT },
		{ MCP_2025_06_18, AUDIO "," LINK },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mcp_request r = request(rows[i].revision, MCP_TOOLS_CALL);

		mcp_write_result(fresh(w), &w->info, &r,
			S("{\"content\":[" AUDIO "," LINK "],\"isError\":false}"), false, receipt);
		assert_wrote(w,
			arena_cstr(&w->arena,
				arena_fmt(&w->arena,
					"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"content\":"
					"[%s],\"isError\":false}}",
					rows[i].blocks)));
		r.method = MCP_PROMPTS_GET;
		mcp_write_result(fresh(w), &w->info, &r,
			S("{\"messages\":[{\"role\":\"user\",\"content\":" LINK "}]}"), false,
			receipt);
		assert_wrote(
			w, arena_cstr(&w->arena,
				   arena_fmt(&w->arena,
					   "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{"
					   "\"messages\":"
					   "[{\"role\":\"user\",\"content\":%s}]}}",
					   rows[i].revision == MCP_2025_06_18 ? LINK : LINK_TEXT)));
	}
}

static void a_completion_that_is_not_there_has_no_values(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2025_11_25, MCP_COMPLETE);

	mcp_write_no_completion(fresh(w), &w->info, &r);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"completion\":"
			"{\"values\":[],\"total\":0,\"hasMore\":false}}}");
}

static void progress_has_a_message_from_2025_03_26_on(void **state)
{
	struct mcp_request r = request(MCP_2025_03_26, MCP_TOOLS_CALL);

	mcp_write_progress(fresh(*state), &r, 1, 4, S("one"));
	assert_wrote(*state,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
		"{\"progressToken\":5,\"progress\":1,\"total\":4,\"message\":\"one\"}}");
	r.revision = MCP_2024_11_05;
	r.progress_token = S("\"t\"");
	mcp_write_progress(fresh(*state), &r, 1, 0, S("one"));
	assert_wrote(*state,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
		"{\"progressToken\":\"t\",\"progress\":1}}");
}

static void notices_carry_their_subscription_when_they_have_one(void **state)
{
	mcp_write_changed(fresh(*state), S("tools"), S("\"s1\""));
	assert_wrote(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\","
			     "\"params\":{" SUBSCRIBED "}}");
	mcp_write_changed(fresh(*state), S("prompts"), STR_NONE);
	assert_wrote(*state,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\","
		"\"params\":{}}");
	mcp_write_updated(fresh(*state), S("a:b"), S("\"s1\""));
	assert_wrote(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
			     "\"params\":{\"uri\":\"a:b\"," SUBSCRIBED "}}");
	mcp_write_log(fresh(*state), S("info"), S("x\n"));
	assert_wrote(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":"
			     "{\"level\":\"info\",\"data\":\"x\\n\"}}");
}

static void log_levels_pass_at_or_above_the_least_wanted(void **state)
{
	(void)state;
	assert_true(mcp_log_level_passes(S("info"), S("info")));
	assert_true(mcp_log_level_passes(S("emergency"), S("debug")));
	assert_false(mcp_log_level_passes(S("debug"), S("info")));
	assert_false(mcp_log_level_passes(S("info"), STR_NONE));
	assert_false(mcp_log_level_passes(S("loud"), S("debug")));
	assert_false(mcp_log_level_passes(STR_NONE, S("debug")));
}

static bool read_filter(struct world *w, const char *params, struct mcp_filter *out)
{
	struct mcp_request r = request(MCP_2026_07_28, MCP_LISTEN);
	struct mcp_refusal why = { 0 };
	struct json_error error;

	assert_true(json_parse(&w->arena, str_c(params), &r.params, &error));
	if (mcp_read_filter(&w->arena, &r, out, &why))
		return true;
	assert_int_equal(why.code, -32602);
	assert_true(str_eq(why.id, r.id));
	return false;
}

static void listen_reads_what_is_wanted_and_ignores_the_unknown(void **state)
{
	struct mcp_filter f;

	assert_true(read_filter(*state,
		"{\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":false,"
		"\"later\":7,\"resourceSubscriptions\":[\"a:b\",\"c:d\"]}}",
		&f));
	assert_true(f.tools && !f.prompts && !f.resources);
	assert_int_equal(f.uri_count, 2);
	assert_true(str_eq(f.uris[1], S("c:d")));
	assert_false(read_filter(*state, "{}", &f));
	assert_false(read_filter(*state, "{\"notifications\":[]}", &f));
	assert_false(read_filter(*state, "{\"notifications\":{\"toolsListChanged\":1}}", &f));
	assert_false(
		read_filter(*state, "{\"notifications\":{\"resourceSubscriptions\":\"a\"}}", &f));
	assert_false(
		read_filter(*state, "{\"notifications\":{\"resourceSubscriptions\":[1]}}", &f));
}

static void listen_opens_with_what_is_honoured_and_ends_with_a_result(void **state)
{
	struct world *w = *state;
	struct str uri = S("a:b");
	struct mcp_request r = request(MCP_2026_07_28, MCP_LISTEN);
	struct mcp_filter f = { .tools = true, .uris = &uri, .uri_count = 1 };

	r.id = S("\"s1\"");
	mcp_write_acknowledged(fresh(w), &r, &f);
	assert_wrote(w,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
		"\"params\":{\"notifications\":{\"toolsListChanged\":true,"
		"\"resourceSubscriptions\":[\"a:b\"]}," SUBSCRIBED "}}");
	mcp_write_listen_end(fresh(w), &w->info, &r);
	assert_wrote(w,
		"{\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"result\":{\"resultType\":\"complete\","
		"\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"s1\","
		"\"io.modelcontextprotocol/serverInfo\":{\"name\":\"postern\","
		"\"version\":\"1.2\",\"title\":\"Desk\"}}}}");
}

static void questions_in_a_result_have_no_caching_hints(void **state)
{
	struct world *w = *state;
	struct mcp_request r = request(MCP_2026_07_28, MCP_TOOLS_CALL);
	struct str keys[] = { S("who"), S("where") };
	struct str methods[] = { S("elicitation/create"), S("roots/list") };
	struct str params[] = { S("{\"mode\":\"url\",\"elicitationId\":\"x\",\"message\":\"m\"}"),
		STR_NONE };

	mcp_write_input_required(
		fresh(w), &w->info, &r, keys, methods, params, 2, S("st"), receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":"
			"\"input_required\",\"inputRequests\":{\"who\":{\"method\":"
			"\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"m\"}},"
			"\"where\":{\"method\":\"roots/list\",\"params\":{}}},\"requestState\":"
			"\"st\"," SERVER_META "}}");
	mcp_write_input_required(fresh(w), &w->info, &r, NULL, NULL, NULL, 0, S("st"), receipt);
	assert_wrote(w, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"resultType\":"
			"\"input_required\",\"requestState\":\"st\"," SERVER_META "}}");
}

static void questions_to_legacy_clients_fit_their_revision(void **state)
{
#define ASKED(params)                                                                              \
	"{\"jsonrpc\":\"2.0\",\"id\":\"srv-1\",\"method\":\"elicitation/"                          \
	"create\",\"params\":" params "}"
	static const struct {
		enum mcp_revision revision;
		const char *params, *wanted;
	} rows[] = {
		{ MCP_2025_06_18, "{\"mode\":\"form\",\"message\":\"m\"}",
			ASKED("{\"message\":\"m\"}") },
		{ MCP_2025_11_25, "{\"mode\":\"form\",\"message\":\"m\"}",
			ASKED("{\"mode\":\"form\",\"message\":\"m\"}") },
		{ MCP_2025_11_25, "{\"mode\":\"url\",\"url\":\"https://a\"}",
			ASKED("{\"mode\":\"url\",\"url\":\"https://"
			      "a\",\"elicitationId\":\"srv-1\"}") },
		{ MCP_2025_11_25, "{\"mode\":\"url\",\"elicitationId\":\"e\"}",
			ASKED("{\"mode\":\"url\",\"elicitationId\":\"e\"}") },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		mcp_write_request(fresh(w), S("\"srv-1\""), rows[i].revision,
			S("elicitation/create"), str_c(rows[i].params), receipt);
		assert_wrote(w, rows[i].wanted);
	}
	mcp_write_request(fresh(w), S("\"srv-1\""), MCP_2024_11_05, S("sampling/createMessage"),
		S("{\"mode\":\"form\"}"), receipt);
	assert_wrote(w,
		"{\"jsonrpc\":\"2.0\",\"id\":\"srv-1\",\"method\":\"sampling/createMessage\","
		"\"params\":{\"mode\":\"form\"}}");
}

static void an_answer_fits_only_what_was_asked(void **state)
{
	static const struct {
		const char *method, *params, *answer;
		bool fits;
	} rows[] = {
		{ "elicitation/create", FORM, "{\"action\":\"accept\",\"content\":{\"ok\":true}}",
			true },
		{ "elicitation/create", FORM,
			"{\"action\":\"accept\",\"content\":{\"ok\":true,\"mail\":\"a@b.test\"}}",
			true },
		{ "elicitation/create", FORM,
			"{\"action\":\"accept\",\"content\":{\"ok\":true,\"mail\":\"no\"}}",
			false },
		{ "elicitation/create", FORM,
			"{\"action\":\"accept\",\"content\":{\"ok\":true,\"other\":\"a\"}}", true },
		{ "elicitation/create", FORM,
			"{\"action\":\"accept\",\"content\":{\"ok\":true,\"other\":\"a\\u0000\"}}",
			false },
		{ "elicitation/create", FORM,
			"{\"action\":\"accept\",\"content\":{\"ok\":\"true\"}}", false },
		{ "elicitation/create", FORM, "{\"action\":\"accept\",\"content\":{}}", false },
		{ "elicitation/create", FORM, "{\"action\":\"accept\",\"content\":[]}", false },
		{ "elicitation/create", FORM, "{\"action\":\"accept\"}", false },
		{ "elicitation/create", FORM, "{\"action\":\"decline\"}", true },
		{ "elicitation/create", FORM, "{\"action\":\"cancel\",\"content\":null}", true },
		{ "elicitation/create", FORM, "{\"action\":\"Accept\",\"content\":{\"ok\":true}}",
			false },
		{ "elicitation/create", FORM, "{\"content\":{\"ok\":true}}", false },
		{ "elicitation/create", FORM, "{}", false },
		{ "elicitation/create", FORM, "12345", false },
		{ "elicitation/create", FORM, "null", false },
		{ "elicitation/create", URL, "{\"action\":\"accept\"}", true },
		{ "elicitation/create", "{\"message\":\"no schema\"}",
			"{\"action\":\"accept\",\"content\":{}}", false },
		{ "elicitation/create", "{\"requestedSchema\":{\"type\":\"nonsense\"}}",
			"{\"action\":\"accept\",\"content\":{}}", false },
		{ "elicitation/create",
			"{\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}",
			"{\"action\":\"accept\"}", true },
		{ "sampling/createMessage", "{}", "{\"role\":\"assistant\"}", true },
		{ "sampling/createMessage", "{}", "[]", false },
		{ "roots/list", "{}", "{\"roots\":[]}", true },
		{ "roots/list", "{}", "\"\"", false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_error error;
		struct json answer;

		assert_true(json_parse(&w->arena, str_c(rows[i].answer), &answer, &error));
		if (mcp_answer_fits(&w->arena, str_c(rows[i].method), str_c(rows[i].params),
			    &answer) != rows[i].fits)
			fail_msg("%s to %s", rows[i].answer, rows[i].params);
	}
	assert_false(mcp_answer_fits(&w->arena, S("roots/list"), S("{}"), NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_without_an_id_leaves_it_out),
		cmocka_unit_test(an_error_has_the_id_as_it_came_and_its_data),
		cmocka_unit_test(the_reply_to_a_ping_has_no_keys),
		cmocka_unit_test(discover_lists_modern_versions_and_is_public),
		cmocka_unit_test(initialize_says_what_each_revision_knows),
		cmocka_unit_test(what_is_not_served_is_not_declared),
		cmocka_unit_test(a_result_keeps_its_bytes_and_gets_what_its_era_adds),
		cmocka_unit_test(only_a_modern_resource_is_cacheable_and_only_by_its_reader),
		cmocka_unit_test(early_revisions_get_no_block_they_do_not_know),
		cmocka_unit_test(a_completion_that_is_not_there_has_no_values),
		cmocka_unit_test(progress_has_a_message_from_2025_03_26_on),
		cmocka_unit_test(notices_carry_their_subscription_when_they_have_one),
		cmocka_unit_test(log_levels_pass_at_or_above_the_least_wanted),
		cmocka_unit_test(listen_reads_what_is_wanted_and_ignores_the_unknown),
		cmocka_unit_test(listen_opens_with_what_is_honoured_and_ends_with_a_result),
		cmocka_unit_test(questions_in_a_result_have_no_caching_hints),
		cmocka_unit_test(questions_to_legacy_clients_fit_their_revision),
		cmocka_unit_test(an_answer_fits_only_what_was_asked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
