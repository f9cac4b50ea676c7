/* list_test - pages, cursors and who sees what in the four lists. */
#include "mcp/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TOOLS 250

struct world {
	struct arena arena;
	struct seal seal;
	struct mcp_server_info info;
	struct catalog catalog;
	struct entry entries[TOOLS];
	const struct entry *list[TOOLS];
	bool hidden[TOOLS];
};

/* One page as a client reads it. */
struct answer {
	bool ok;
	struct mcp_refusal why;
	struct str text;
	struct json result;
	size_t count;
	struct str next;
};

static int setup(void **state)
{
	struct world *w = heap_new(struct world);

	arena_init(&w->arena, (size_t)256 << 20);
	assert_true(seal_init(&w->seal, S("an entirely fixed key of 32 byte")));
	w->info = (struct mcp_server_info){ .name = S("postern"),
		.version = S("1"),
		.catalog_generation = S("g1"),
		.tools = true,
		.resources = true };
	for (size_t i = 0; i < TOOLS; i++) {
		w->entries[i].list_json =
			arena_fmt(&w->arena, "{\"name\":\"t%zu\",\"title\":\"T\"}", i);
		w->entries[i].list_json_old = arena_fmt(&w->arena, "{\"name\":\"t%zu\"}", i);
		w->list[i] = &w->entries[i];
	}
	w->catalog.tools = w->list;
	w->catalog.tool_count = TOOLS;
	w->catalog.resources = w->list;
	w->catalog.resource_count = 3;
	w->catalog.templates = w->list;
	w->catalog.template_count = 2;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_done(&w->seal);
	arena_done(&w->arena);
	heap_free(w);
	return 0;
}

static bool visible(void *ctx, const struct entry *e)
{
	struct world *w = ctx;

	return !w->hidden[e - w->entries];
}

static const char *member_of(enum mcp_method method)
{
	return method == MCP_TOOLS_LIST       ? "tools"
	       : method == MCP_RESOURCES_LIST ? "resources"
	       : method == MCP_TEMPLATES_LIST ? "resourceTemplates"
					      : "prompts";
}

static struct answer list_as(struct world *w, enum mcp_revision revision, enum mcp_method method,
	struct str method_name, struct str binding, struct str params)
{
	struct mcp_request r = { .revision = revision,
		.modern = revision == MCP_2026_07_28,
		.method = method,
		.method_name = method_name,
		.id = S("1") };
	struct answer page = { 0 };
	struct json_error error;
	struct json message;
	struct buf out;

	if (params.n)
		assert_true(json_parse(&w->arena, params, &r.params, &error));
	buf_in(&out, &w->arena, (size_t)16 << 20);
	page.ok = mcp_write_list(&out, &w->arena, &w->info, &w->seal, binding, &r, &w->catalog,
		visible, w, &page.why);
	page.text = buf_str(&out);
	if (!page.ok) {
		assert_int_equal(out.n, 0);
		return page;
	}
	assert_true(json_parse(&w->arena, page.text, &message, &error));
	page.result = *json_get(&message, S("result"));
	page.count = json_get(&page.result, str_c(member_of(method)))->count;
	page.next = json_get_str(&page.result, S("nextCursor"));
	return page;
}

static struct answer list_tools(struct world *w, struct str params)
{
	return list_as(w, MCP_2026_07_28, MCP_TOOLS_LIST, S("tools/list"), S("alice"), params);
}

static struct str with_cursor(struct world *w, struct str cursor)
{
	return arena_fmt(&w->arena, "{\"cursor\":\"%.*s\"}", STR_ARG(cursor));
}

static void pages_of_a_hundred_lead_to_every_tool_in_order(void **state)
{
	struct world *w = *state;
	struct answer page = list_tools(w, STR_NONE);
	size_t seen = 0, wanted[] = { 100, 100, 50 };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const struct json *tools = json_get(&page.result, S("tools"));

		assert_int_equal(page.count, wanted[i]);
		for (uint32_t k = 0; k < tools->count; k++)
			assert_true(str_eq(json_get_str(&tools->items[k], S("name")),
				arena_fmt(&w->arena, "t%zu", seen++)));
		assert_int_equal(page.next.n > 0, i < 2);
		if (page.next.n)
			page = list_tools(w, with_cursor(w, page.next));
	}
	assert_int_equal(seen, TOOLS);
}

static void what_is_hidden_takes_no_place_and_gives_no_cursor(void **state)
{
	struct world *w = *state;
	struct answer page;

	for (size_t i = 0; i < TOOLS; i++)
		w->hidden[i] = i % 5 != 0 || i >= 245; /* 49 are left */
	page = list_tools(w, STR_NONE);
	assert_int_equal(page.count, 49);
	assert_int_equal(page.next.n, 0);
	for (size_t i = 0; i < TOOLS; i++)
		w->hidden[i] = true;
	assert_int_equal(list_tools(w, STR_NONE).count, 0);
}

static void a_page_stops_before_256_kib_but_holds_one_entry(void **state)
{
	struct world *w = *state;
	struct answer page;

	for (size_t i = 0; i < 4; i++)
		w->entries[i].list_json = arena_fmt(
			&w->arena, "{\"name\":\"%0*d\"}", i == 0 ? 300 << 10 : 100 << 10, 0);
	w->catalog.tool_count = 4;
	page = list_tools(w, STR_NONE);
	assert_int_equal(page.count, 1);
	page = list_tools(w, with_cursor(w, page.next));
	assert_int_equal(page.count, 2);
	page = list_tools(w, with_cursor(w, page.next));
	assert_int_equal(page.count, 1);
	assert_int_equal(page.next.n, 0);
}

static void a_bad_cursor_is_invalid_params(void **state)
{
	static const char *const bad[] = { "{\"cursor\":\"\"}", "{\"cursor\":null}",
		"{\"cursor\":100}", "{\"cursor\":\"100\"}", "{\"cursor\":[]}" };
	struct world *w = *state;
	struct str good = list_tools(w, STR_NONE).next;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct answer page = list_tools(w, str_c(bad[i]));

		assert_false(page.ok);
		assert_int_equal(page.why.code, -32602);
		assert_string_equal(page.why.reason, "cursor");
		assert_true(str_eq(page.why.id, S("1")));
	}
	for (size_t i = 0; i < good.n; i++) {
		char *changed = arena_cstr(&w->arena, good);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_false(list_tools(w, with_cursor(w, str_c(changed))).ok);
	}
}

static void a_cursor_is_for_one_principal_one_list_and_one_catalog(void **state)
{
	struct world *w = *state;
	struct str params = with_cursor(w, list_tools(w, STR_NONE).next);

	w->catalog.resource_count = TOOLS;
	assert_true(list_tools(w, params).ok);
	assert_true(
		list_as(w, MCP_2025_11_25, MCP_TOOLS_LIST, S("tools/list"), S("alice"), params).ok);
	assert_false(
		list_as(w, MCP_2026_07_28, MCP_TOOLS_LIST, S("tools/list"), S("malle"), params).ok);
	assert_false(list_as(
		w, MCP_2026_07_28, MCP_RESOURCES_LIST, S("resources/list"), S("alice"), params)
			     .ok);
	w->info.catalog_generation = S("g2");
	assert_false(list_tools(w, params).ok);
}

static void each_revision_sees_the_form_it_knows(void **state)
{
	struct world *w = *state;

	w->catalog.tool_count = 1;
	assert_true(str_eq(list_tools(w, STR_NONE).text,
		S("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"tools\":"
		  "[{\"name\":\"t0\",\"title\":\"T\"}],\"ttlMs\":60000,\"cacheScope\":\"private\","
		  "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"postern\","
		  "\"version\":\"1\"},\"postern/catalog\":\"g1\"}}}")));
	assert_true(str_eq(
		list_as(w, MCP_2025_06_18, MCP_TOOLS_LIST, S("tools/list"), S("alice"), STR_NONE)
			.text,
		S("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":"
		  "[{\"name\":\"t0\",\"title\":\"T\"}]}}")));
	assert_true(str_eq(
		list_as(w, MCP_2025_03_26, MCP_TOOLS_LIST, S("tools/list"), S("alice"), STR_NONE)
			.text,
		S("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"t0\"}]}}")));
}

static void the_other_lists_have_their_own_names(void **state)
{
	struct world *w = *state;

	assert_int_equal(list_as(w, MCP_2025_11_25, MCP_RESOURCES_LIST, S("resources/list"),
				 S("alice"), STR_NONE)
				 .count,
		3);
	assert_int_equal(list_as(w, MCP_2025_11_25, MCP_TEMPLATES_LIST,
				 S("resources/templates/list"), S("alice"), STR_NONE)
				 .count,
		2);
}

static void a_list_that_is_not_declared_is_no_method(void **state)
{
	struct world *w = *state;
	struct answer page = list_as(
		w, MCP_2026_07_28, MCP_PROMPTS_LIST, S("prompts/list"), S("alice"), STR_NONE);

	assert_false(page.ok);
	assert_int_equal(page.why.code, -32601);
	assert_int_equal(page.why.http_status, 404);
	page = list_as(
		w, MCP_2025_11_25, MCP_PROMPTS_LIST, S("prompts/list"), S("alice"), STR_NONE);
	assert_int_equal(page.why.http_status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		EACH(pages_of_a_hundred_lead_to_every_tool_in_order),
		EACH(what_is_hidden_takes_no_place_and_gives_no_cursor),
		EACH(a_page_stops_before_256_kib_but_holds_one_entry),
		EACH(a_bad_cursor_is_invalid_params),
		EACH(a_cursor_is_for_one_principal_one_list_and_one_catalog),
		EACH(each_revision_sees_the_form_it_knows),
		EACH(the_other_lists_have_their_own_names),
		EACH(a_list_that_is_not_declared_is_no_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
