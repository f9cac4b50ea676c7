/* names_test - which entry a request means, what its params must look like, and mirrored headers.
 */
#include "mcp/names_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	struct world *w = heap_new(struct world);

	world_init(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	world_done(w);
	heap_free(w);
	return 0;
}

static bool find(struct world *w, enum mcp_method method, bool modern, const struct mcp_headers *h,
	const char *params, struct mcp_target *out, struct mcp_refusal *why)
{
	struct mcp_request *r = arena_new(&w->arena, struct mcp_request);
	struct json_error error;

	*r = (struct mcp_request){
		.method = method, .modern = modern, .id = S("3"), .method_name = S("some/method")
	};
	assert_true(json_parse(&w->arena, str_c(params), &r->params, &error));
	return mcp_target(&w->arena, &w->catalog, r, h, visible, w, out, why);
}

static void params_of_each_method_are_checked(void **state)
{
	static const struct {
		enum mcp_method method;
		const char *params;
		int code; /* 0: found */
		const char *reason;
	} rows[] = {
		{ MCP_TOOLS_CALL, "{\"name\":\"t\"}", 0, NULL },
		{ MCP_TOOLS_CALL, "{\"name\":\"t\",\"task\":{\"ttl\":1}}", 0, NULL },
		{ MCP_TOOLS_CALL, "{}", -32602, "params" },
		{ MCP_TOOLS_CALL, "{\"name\":7}", -32602, "params" },
		{ MCP_TOOLS_CALL, "{\"name\":\"T\"}", -32602, "unknown_tool" },
		{ MCP_TOOLS_CALL, "{\"name\":\"\"}", -32602, "unknown_tool" },
		{ MCP_TOOLS_CALL, "{\"name\":\"t\",\"arguments\":[]}", -32602, "params" },
		{ MCP_TOOLS_CALL, "{\"name\":\"t\",\"arguments\":null}", -32602, "params" },
		{ MCP_PROMPTS_GET, "{\"name\":\"p\",\"arguments\":{\"city\":\"x\"}}", 0, NULL },
		{ MCP_PROMPTS_GET, "{\"name\":\"p\",\"arguments\":{\"city\":1}}", -32602,
			"params" },
		{ MCP_PROMPTS_GET, "{\"name\":\"q\"}", -32602, "unknown_prompt" },
		{ MCP_PROMPTS_GET, "{}", -32602, "params" },
		{ MCP_RESOURCES_READ, "{\"uri\":\"doc://a\"}", 0, NULL },
		{ MCP_RESOURCES_READ, "{\"uri\":\"doc:\"}", -32002, "unknown_resource" },
		{ MCP_RESOURCES_READ, "{\"uri\":{}}", -32602, "params" },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
			0, NULL },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"q\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
			-32602, "unknown_prompt" },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
			"\"argument\":{\"name\":\"planet\",\"value\":\"\"}}",
			-32602, "params" },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
			"\"argument\":{\"name\":\"street\"}}",
			-32602, "params" },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/tool\",\"name\":\"t\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
			-32602, "params" },
		{ MCP_COMPLETE,
			"{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"doc://nothing\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
			-32602, "unknown_resource" },
	};
	struct mcp_headers h = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mcp_refusal why = { 0 };
		struct mcp_target target;
		bool ok = find(*state, rows[i].method, false, &h, rows[i].params, &target, &why);

		if (ok != !rows[i].code ||
			(!ok && (why.code != rows[i].code ||
					strcmp(why.reason, rows[i].reason) != 0 ||
					why.http_status != 200 || !str_eq(why.id, S("3")))))
			fail_msg("%s: %d %d %s", rows[i].params, ok, why.code, why.reason);
	}
}

static void arguments_left_out_are_an_empty_object(void **state)
{
	struct mcp_headers h = { 0 };
	struct mcp_refusal why;
	struct mcp_target target;

	assert_true(find(*state, MCP_TOOLS_CALL, false, &h, "{\"name\":\"t\"}", &target, &why));
	assert_ptr_equal(target.entry, &tool);
	assert_int_equal(target.arguments.kind, JSON_OBJECT);
	assert_int_equal(target.arguments.count, 0);
}

static void a_missing_resource_is_named_and_its_code_depends_on_the_era(void **state)
{
	struct mcp_headers h = { .http = true };
	struct mcp_refusal why;
	struct mcp_target target;

	assert_false(find(
		*state, MCP_RESOURCES_READ, true, &h, "{\"uri\":\"doc:\\\"\"}", &target, &why));
	assert_int_equal(why.code, -32602);
	assert_int_equal(why.http_status, 200);
	assert_true(str_eq(why.data_json, S("{\"uri\":\"doc:\\\"\"}")));
}

static void a_template_gives_its_variables_as_arguments(void **state)
{
	struct mcp_headers h = { 0 };
	struct mcp_refusal why;
	struct mcp_target target;

	assert_true(find(*state, MCP_RESOURCES_READ, true, &h,
		"{\"uri\":\"doc://Bern/Bahn%20hof\"}", &target, &why));
	assert_ptr_equal(target.entry, &template);
	assert_true(str_eq(json_get_str(&target.arguments, S("city")), S("Bern")));
	assert_true(str_eq(json_get_str(&target.arguments, S("street")), S("Bahn hof")));
	assert_true(str_eq(target.uri, S("doc://Bern/Bahn%20hof")));
	assert_true(
		find(*state, MCP_RESOURCES_READ, true, &h, "{\"uri\":\"doc://a\"}", &target, &why));
	assert_ptr_equal(target.entry, &fixed);
	assert_int_equal(target.arguments.count, 0);
}

static void the_hidden_and_the_absent_answer_alike(void **state)
{
	static const struct {
		enum mcp_method method;
		const struct entry *hidden;
		const char *params, *absent;
	} rows[] = {
		{ MCP_TOOLS_CALL, &other_tool, "{\"name\":\"secret\"}", "{\"name\":\"secreT\"}" },
		{ MCP_PROMPTS_GET, &prompt, "{\"name\":\"p\"}", "{\"name\":\"q\"}" },
		{ MCP_RESOURCES_READ, &fixed, "{\"uri\":\"doc://a\"}", NULL },
		{ MCP_RESOURCES_READ, &template, "{\"uri\":\"doc://a/b\"}", NULL },
		{ MCP_COMPLETE, &prompt,
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
			"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"q\"},"
			"\"argument\":{\"name\":\"street\",\"value\":\"\"}}" },
	};
	struct world *w = *state;
	struct mcp_headers h = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mcp_refusal one, two;
		struct mcp_target target;

		w->hidden = rows[i].hidden;
		assert_false(find(w, rows[i].method, false, &h, rows[i].params, &target, &one));
		assert_null(target.entry);
		if (!rows[i].absent) { /* a resource is named in the answer: the same without it */
			map_done(&w->catalog.resources_by_uri);
			map_init(&w->catalog.resources_by_uri);
			w->hidden = NULL;
			w->catalog.template_count = 0;
		}
		assert_false(find(w, rows[i].method, false, &h,
			rows[i].absent ? rows[i].absent : rows[i].params, &target, &two));
		if (!rows[i].absent) {
			assert_true(map_add(&w->catalog.resources_by_uri, fixed.uri, &fixed));
			w->catalog.template_count = 1;
		}
		assert_true(str_eq(one.message, two.message) && one.code == two.code &&
			    str_eq(one.data_json, two.data_json) &&
			    strcmp(one.reason, two.reason) == 0);
	}
}

static void a_kind_that_the_catalog_has_not_is_no_method(void **state)
{
	struct world *w = *state;
	struct mcp_headers h = { 0 };
	struct mcp_refusal why;
	struct mcp_target target;

	w->catalog.tool_count = 0;
	assert_false(find(w, MCP_TOOLS_CALL, true, &h, "{\"name\":\"t\"}", &target, &why));
	assert_int_equal(why.code, -32601);
	assert_int_equal(why.http_status, 404);
}

static void completion_gets_what_was_typed_and_what_it_declares(void **state)
{
	struct mcp_headers h = { 0 };
	struct mcp_refusal why;
	struct mcp_target target;

	assert_true(find(*state, MCP_COMPLETE, true, &h,
		"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
		"\"argument\":{\"name\":\"street\",\"value\":\"Ba\"},"
		"\"context\":{\"arguments\":{\"city\":\"Bern\",\"other\":\"x\",\"value\":\"y\"}}}",
		&target, &why));
	assert_ptr_equal(target.entry, &completion);
	assert_true(str_eq(target.argument, S("street")));
	assert_true(str_eq(target.arguments.raw, S("{\"value\":\"Ba\",\"city\":\"Bern\"}")));
}

static void an_argument_without_completion_has_no_entry_but_is_served(void **state)
{
	struct mcp_headers h = { 0 };
	struct mcp_refusal why;
	struct mcp_target target;

	assert_true(find(*state, MCP_COMPLETE, true, &h,
		"{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},"
		"\"argument\":{\"name\":\"city\",\"value\":\"\"}}",
		&target, &why));
	assert_null(target.entry);
	assert_true(find(*state, MCP_COMPLETE, true, &h,
		"{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"doc://{city}/{street}\"},"
		"\"argument\":{\"name\":\"street\",\"value\":\"\"}}",
		&target, &why));
	assert_ptr_equal(target.entry, &completion);
}

/* One Mcp-Param-* header in a row; NULL: none. */
static void mirrored_arguments_must_say_the_same_in_the_header(void **state)
{
	static const struct {
		const char *name, *value, *arguments;
		bool ok;
	} rows[] = {
		{ "Region", "us-west1", "{\"region\":\"us-west1\"}", true },
		{ "rEGION", " us-west1\t", "{\"region\":\"us-west1\"}", true },
		{ "Region", "US-west1", "{\"region\":\"us-west1\"}", false },
		{ "Region", "us-west1", "{}", false },
		{ "Region", "", "{\"region\":null}", false },
		{ NULL, NULL, "{\"region\":null}", true },
		{ NULL, NULL, "{}", true },
		{ NULL, NULL, "{\"region\":\"us\"}", false },
		{ "Region", "", "{\"region\":\"\"}", true },
		{ "Region", "=?base64?TcO8bmNoZW4=?=", "{\"region\":\"M\xc3\xbcnchen\"}", true },
		{ "Region", "=?base64?TcO8bmNoZW4?=", "{\"region\":\"M\xc3\xbcnchen\"}", false },
		{ "Region", "=?base64?TcO8b!NoZW4=?=", "{\"region\":\"M\xc3\xbcnchen\"}", false },
		{ "Region", "=?base64?/w==?=", "{\"region\":\"\xc3\xbf\"}", false },
		{ "Region", "=?BASE64?YQ==?=", "{\"region\":\"a\"}", false },
		{ "Region", "=?BASE64?YQ==?=", "{\"region\":\"=?BASE64?YQ==?=\"}", true },
		{ "Region", "=?base64?YQ==", "{\"region\":\"=?base64?YQ==\"}", true },
		{ "Region", "YQ==?=", "{\"region\":\"YQ==?=\"}", true },
		{ "Region", "=?base64?=", "{\"region\":\"=?base64?=\"}", true },
		{ "Region",
			"=?base64?"
			"?=",
			"{\"region\":\"\"}", true },
		{ "Region", "M\xc3\xbcnchen", "{\"region\":\"M\xc3\xbcnchen\"}", false },
		{ "Region", "a\x01", "{\"region\":\"a\\u0001\"}", false },
		{ "Count", "42.0", "{\"count\":42}", true },
		{ "Count", "42", "{\"count\":43}", false },
		{ "Count", "0x2a", "{\"count\":42}", false },
		{ "Count", "\"42\"", "{\"count\":42}", false },
		{ "Count", "9007199254740993", "{\"count\":9007199254740992}", false },
		{ "Dry", "true", "{\"dry\":true}", true },
		{ "Dry", "True", "{\"dry\":true}", false },
		{ "Dry", "false", "{\"dry\":true}", false },
		{ "Region", "{}", "{\"region\":{}}", false },
		{ "Planet", "mars", "{}", true },
		{ "Memo", "x", "{\"memo\":\"y\"}", true },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mcp_param_header param = { str_c(rows[i].name), str_c(rows[i].value) };
		struct mcp_headers h = {
			.http = true, .params = &param, .param_count = rows[i].name ? 1 : 0
		};
		struct str params = arena_fmt(
			&w->arena, "{\"name\":\"t\",\"arguments\":%s}", rows[i].arguments);
		struct mcp_refusal why = { 0 };
		struct mcp_target target;
		bool ok = find(
			w, MCP_TOOLS_CALL, true, &h, arena_cstr(&w->arena, params), &target, &why);

		if (ok != rows[i].ok || (!ok && (why.code != -32020 || why.http_status != 400)))
			fail_msg("%s: %s with %s: %d %d", rows[i].name, rows[i].value,
				rows[i].arguments, ok, why.code);
	}
}

static void a_mirrored_header_that_comes_twice_or_is_long_is_refused(void **state)
{
	struct world *w = *state;
	struct mcp_param_header twice[] = { { S("Region"), S("a") }, { S("region"), S("a") } };
	struct mcp_headers h = { .http = true, .params = twice, .param_count = 2 };
	struct str longest = arena_fmt(&w->arena, "%08193d", 0);
	struct mcp_refusal why;
	struct mcp_target target;

	assert_false(find(w, MCP_TOOLS_CALL, true, &h,
		"{\"name\":\"t\",\"arguments\":{\"region\":\"a\"}}", &target, &why));
	assert_int_equal(why.code, -32020);
	twice[0].value = longest;
	h.param_count = 1;
	assert_false(find(w, MCP_TOOLS_CALL, true, &h,
		arena_cstr(&w->arena,
			arena_fmt(&w->arena, "{\"name\":\"t\",\"arguments\":{\"region\":\"%s\"}}",
				longest.p)),
		&target, &why));
	assert_int_equal(why.code, -32020);
}

static void mirrored_headers_are_for_modern_http_alone(void **state)
{
	struct mcp_param_header param = { S("Region"), S("other") };
	struct mcp_headers h = { .params = &param, .param_count = 1 };
	struct mcp_refusal why;
	struct mcp_target target;
	const char *params = "{\"name\":\"t\",\"arguments\":{\"region\":\"a\"}}";

	assert_true(find(*state, MCP_TOOLS_CALL, true, &h, params, &target, &why));
	h.http = true;
	assert_true(find(*state, MCP_TOOLS_CALL, false, &h, params, &target, &why));
	assert_false(find(*state, MCP_TOOLS_CALL, true, &h, params, &target, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		EACH(params_of_each_method_are_checked),
		EACH(arguments_left_out_are_an_empty_object),
		EACH(a_missing_resource_is_named_and_its_code_depends_on_the_era),
		EACH(a_template_gives_its_variables_as_arguments),
		EACH(the_hidden_and_the_absent_answer_alike),
		EACH(a_kind_that_the_catalog_has_not_is_no_method),
		EACH(completion_gets_what_was_typed_and_what_it_declares),
		EACH(an_argument_without_completion_has_no_entry_but_is_served),
		EACH(mirrored_arguments_must_say_the_same_in_the_header),
		EACH(a_mirrored_header_that_comes_twice_or_is_long_is_refused),
		EACH(mirrored_headers_are_for_modern_http_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
