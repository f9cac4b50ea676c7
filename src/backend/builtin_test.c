/* The server's own tools: what they say of the caller, and what they do not say. */
#include "backend/fixture.h"

static struct entry whoami, list_scopes;
static const struct entry *tools[5];
static const struct entry reads = {
	.kind = ENTRY_TOOL, .name = STR_INIT("reads"), .requires = STR_INIT("g"), .toolsets = 1
};
static const struct entry other = {
	.kind = ENTRY_TOOL, .name = STR_INIT("other"), .requires = STR_INIT("h"), .toolsets = 1
};
static const struct entry hidden = {
	.kind = ENTRY_TOOL, .name = STR_INIT("hidden"), .requires = STR_INIT("g"), .toolsets = 2
};
static struct catalog catalog;
static struct config config;

static const struct column columns[11];
static const struct part whoami_part = {
	.shape = SHAPE_ONE, .columns = columns, .column_count = 11, .rows = 1
};
static const struct part scopes_parts[] = {
	{ .name = STR_INIT("grants"), .columns = columns, .column_count = 1, .rows = 10 },
	{ .name = STR_INIT("tools"), .columns = columns, .column_count = 5, .rows = 4 },
};

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	whoami = (struct entry){ .kind = ENTRY_TOOL,
		.name = S("whoami"),
		.action = { .kind = ACTION_BUILTIN,
			.builtin = BUILTIN_WHOAMI,
			.parts = &whoami_part,
			.part_count = 1 } };
	list_scopes = (struct entry){ .kind = ENTRY_TOOL,
		.name = S("list_scopes"),
		.action = { .kind = ACTION_BUILTIN,
			.builtin = BUILTIN_LIST_SCOPES,
			.parts = scopes_parts,
			.part_count = 2 } };
	tools[0] = &reads;
	tools[1] = &hidden;
	tools[2] = &other;
	tools[3] = &whoami;
	tools[4] = &list_scopes;
	catalog = (struct catalog){ .tools = tools, .tool_count = 5 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct call *run_as(const struct principal *who, const struct entry *entry)
{
	struct call *c = call_of(entry, "{}");
	struct backends *b;
	struct err err;

	c->who = who;
	b = backends_new(&config, &catalog, &err);
	assert_true(run(b, c));
	assert_int_equal(c->end, CALL_DONE);
	assert_int_equal(c->content, CONTENT_ROWS);
	backends_free(&b);
	return c;
}

static void whoami_says_what_the_server_knows(void **state)
{
	static const struct str roles[] = { STR_INIT("clerk"), STR_INIT("a \"b\"") };
	struct principal who = { .subject = S("ada"),
		.kind = PRINCIPAL_SERVICE,
		.tenant = S("acme"),
		.agent = S("desk"),
		.credential = S("abc"),
		.credential_kind = CREDENTIAL_KEY,
		.environment = S("staging"),
		.roles = roles,
		.role_count = 2,
		.expires_us = INT64_C(1790000000000000),
		.read_only = true };
	static const char *const expected[] = { "ada", "service", "acme", "desk",
		"[\"clerk\",\"a \\\"b\\\"\"]", "abc", "key", "", "staging",
		"2026-09-21T14:13:20.000000Z", "1" };
	struct call *c;

	(void)state;
	c = run_as(&who, &whoami);
	assert_int_equal(c->rows[0].count, 1);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		if (expected[i][0])
			assert_text(c->rows[0].cells[i].text, expected[i]);
	assert_int_equal(c->rows[0].cells[7].kind, CELL_NULL);
	who = (struct principal){ .subject = S("bob"), .environment = S("staging") };
	c = run_as(&who, &whoami);
	for (size_t i = 0; i < 11; i++)
		assert_int_equal(c->rows[0].cells[i].kind == CELL_NULL,
			i == 2 || i == 3 || i == 7 || i == 9);
}

static void list_scopes_is_silent_of_what_does_not_exist_for_the_caller(void **state)
{
	static const struct str grants[] = { STR_INIT("g"), STR_INIT("x") };
	const struct principal who = { .subject = S("ada"),
		.grants = grants,
		.grant_count = 2,
		.surface = { .cut = true, .person = 1, .agent = 1 } };
	struct call *c;
	struct cell *row;

	(void)state;
	c = run_as(&who, &list_scopes);
	assert_int_equal(c->rows[0].count, 2);
	assert_text(c->rows[0].cells[1].text, "x");
	assert_int_equal(c->rows[1].count, 4);
	assert_false(c->rows[1].more);
	row = c->rows[1].cells;
	assert_text(row[1].text, "reads");
	assert_text(row[2].text, "g");
	assert_text(row[3].text, "1");
	assert_int_equal(row[4].kind, CELL_NULL);
	row += 5;
	assert_text(row[1].text, "other");
	assert_text(row[3].text, "0");
	assert_text(row[4].text, "grant");
	row += 5;
	assert_text(row[1].text, "whoami");
	assert_int_equal(row[2].kind, CELL_NULL);
	assert_text(row[3].text, "1");
}

static void a_surface_past_the_limit_says_so(void **state)
{
	const struct principal who = { .subject = S("ada") };
	struct call *c;

	(void)state;
	c = run_as(&who, &list_scopes);
	assert_int_equal(c->rows[1].count, 4);
	assert_true(c->rows[1].more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoami_says_what_the_server_knows),
		cmocka_unit_test(list_scopes_is_silent_of_what_does_not_exist_for_the_caller),
		cmocka_unit_test(a_surface_past_the_limit_says_so),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
