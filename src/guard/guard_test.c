/* Each guard alone, then the warrant that wants them all. */
#include "base/test.h"
#include "base/seal.h"
#include "guard/guard.h"
#include "guard/kill.h"
#include "json/write.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct seal seal;
static struct guard *guard;

static const struct str grants[] = { STR_INIT("orders.read"), STR_INIT("z") };
static struct principal ada = { .subject = STR_INIT("ada"),
	.tenant = STR_INIT("acme"),
	.grants = grants,
	.grant_count = ARRAY_LEN(grants),
	.binding = { { 1 } } };
static struct principal bob = { .subject = STR_INIT("bob"),
	.tenant = STR_INIT("other"),
	.grants = grants,
	.grant_count = ARRAY_LEN(grants),
	.binding = { { 2 } } };

static const struct input inputs[] = {
	{ .name = STR_INIT("name") },
	{ .name = STR_INIT("count"), .integer = true, .default_json = STR_INIT("3") },
	{ .name = STR_INIT("wide"), .integer = true, .int64 = true },
	{ .name = STR_INIT("many"), .integer = true },
	{ .name = STR_INIT("share") },
	{ .name = STR_INIT("cursor"), .added = true },
	{ .name = STR_INIT("limit"), .added = true, .default_json = STR_INIT("20") },
};
static const char schema_text[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,\"pattern\":\"^[a-z\\u0000]*"
	"$\"},"
	"\"count\":{\"type\":\"integer\",\"minimum\":0},"
	"\"wide\":{\"type\":\"integer\"},"
	"\"many\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1},"
	"\"share\":{\"type\":\"number\"},"
	"\"mode\":{\"enum\":[\"a\",\"b\"]},"
	"\"cursor\":{\"type\":\"string\"},"
	"\"limit\":{\"type\":\"integer\",\"minimum\":1}},"
	"\"required\":[\"name\"],\"additionalProperties\":false}";

static const struct str by[] = { STR_INIT("title"), STR_INIT("id") };
static const struct column columns[] = {
	{ .name = STR_INIT("id"), .type = COLUMN_INT64 },
	{ .name = STR_INIT("note"), .type = COLUMN_STRING },
	{ .name = STR_INIT("title"), .type = COLUMN_STRING },
};
static const struct part paged = { .shape = SHAPE_MANY,
	.columns = columns,
	.column_count = ARRAY_LEN(columns),
	.rows = 100,
	.page = { .on = true, .by = by, .by_count = 2, .size = 20, .max = 50 } };

static struct entry entry = { .kind = ENTRY_TOOL,
	.name = STR_INIT("orders"),
	.requires = STR_INIT("orders.read"),
	.inputs = inputs,
	.input_count = ARRAY_LEN(inputs),
	.action = { .kind = ACTION_READ, .parts = &paged, .part_count = 1 },
	.digest = { { 7 } } };
static struct entry other_tool;

static int set_up(void **state)
{
	struct schema_options options = { 0 };
	struct json_error error;
	struct json *root;
	struct err err;

	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	assert_true(seal_init(&seal, S("an entirely fixed key of 32 byte")));
	guard = guard_new(&seal);
	root = arena_new(&arena, struct json);
	assert_true(json_parse(&arena, str_c(schema_text), root, &error));
	entry.schema = schema_compile(&arena, root, &options, &err);
	assert_non_null(entry.schema);
	other_tool = entry;
	other_tool.digest.b[0] = 8;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guard_free(&guard);
	assert_null(guard);
	seal_done(&seal);
	arena_done(&arena);
	return 0;
}

static struct call *call_for(
	const struct principal *who, const struct entry *of, const char *arguments)
{
	struct call *c = arena_new(&arena, struct call);
	struct json *sent = arena_new(&arena, struct json);
	struct json_error error;

	c->arena = &arena;
	c->entry = of;
	c->who = who;
	if (arguments) {
		assert_true(json_parse(&arena, str_c(arguments), sent, &error));
		c->arguments_sent = sent;
	}
	return c;
}

static void assert_refused(struct call *c, enum fault_code code, const char *reason)
{
	assert_int_equal(c->end, CALL_FAULT);
	assert_int_equal(c->fault.code, code);
	assert_str(c->fault.reason, reason);
	assert_int_equal(c->passed & GUARD_SCHEMA, 0);
}

static void a_refusal_names_the_rule_and_only_what_a_person_can_give(void **state)
{
	static const struct str scopes[] = { STR_INIT("openid") };
	static const struct {
		bool cut, tenant_scoped, mutates, granted, scoped;
		const char *reason, *details;
	} cases[] = {
		{ .cut = true, .granted = true, .reason = "toolset", .details = "" },
		{ .tenant_scoped = true, .granted = true, .reason = "tenant", .details = "" },
		{ .mutates = true, .granted = true, .reason = "read_only", .details = "" },
		{ .reason = "grant", .details = "{\"grant\":\"orders.read\"}" },
		{ .granted = true,
			.scoped = true,
			.reason = "insufficient_scope",
			.details = "{\"grant\":\"orders.read\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct principal who = { .subject = S("eve"),
			.read_only = true,
			.surface.cut = cases[i].cut,
			.scoped = cases[i].scoped,
			.scopes = scopes,
			.scope_count = 1,
			.grants = grants,
			.grant_count = cases[i].granted ? ARRAY_LEN(grants) : 0 };
		struct entry e = entry;
		struct call *c = call_for(&who, &e, "{}");

		e.tenant_scoped = cases[i].tenant_scoped;
		e.mutates = cases[i].mutates;
		assert_int_equal(guard_permission(c), VERDICT_REFUSE);
		assert_refused(c, PERMISSION_DENIED, cases[i].reason);
		assert_str(c->fault.details_json, cases[i].details);
		assert_int_equal(c->passed, 0);
	}
}

static void only_who_holds_the_grant_may_call_and_see(void **state)
{
	static const struct {
		struct str requires;
		bool passes;
	} cases[] = {
		{ STR_INIT("orders.read"), true },
		{ STR_INIT("z"), true },
		{ STR_INIT("orders"), false },
		{ STR_INIT("orders.read.more"), false },
		{ STR_INIT("Orders.read"), false },
		{ STR_INIT(""), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct entry e = entry;
		struct call *c = call_for(&ada, &e, "{}");

		e.requires = cases[i].requires;
		assert_int_equal(
			guard_permission(c), cases[i].passes ? VERDICT_PASS : VERDICT_REFUSE);
		assert_int_equal(permission_visible(&ada, &e), cases[i].passes);
		assert_int_equal(c->passed, cases[i].passes ? GUARD_PERMISSION : 0);
	}
}

static void a_missing_grant_is_named(void **state)
{
	struct principal nobody = { .subject = STR_INIT("eve") };
	struct call *c = call_for(&nobody, &entry, "{}");

	(void)state;
	assert_int_equal(guard_permission(c), VERDICT_REFUSE);
	assert_refused(c, PERMISSION_DENIED, "grant");
	assert_str(c->fault.details_json, "{\"grant\":\"orders.read\"}");
}

static void arguments_that_do_not_fit_are_refused_with_a_stable_reason(void **state)
{
	static const struct {
		const char *sent, *reason;
	} cases[] = {
		{ NULL, "required" },
		{ "{}", "required" },
		{ "[]", "type" },
		{ "null", "type" },
		{ "\"name\"", "type" },
		{ "{\"name\":1}", "type" },
		{ "{\"name\":null}", "type" },
		{ "{\"name\":\"\"}", "length" },
		{ "{\"name\":\"abcdefghi\"}", "length" },
		{ "{\"name\":\"A\"}", "pattern" },
		{ "{\"name\":\"a\",\"tenant\":\"x\"}", "unknown_field" },
		{ "{\"name\":\"a\",\"Name\":\"b\"}", "unknown_field" },
		{ "{\"name\":\"a\",\"__proto__\":{}}", "unknown_field" },
		{ "{\"name\":\"a\",\"count\":\"5\"}", "type" },
		{ "{\"name\":\"a\",\"count\":1.5}", "type" },
		{ "{\"name\":\"a\",\"count\":-1}", "range" },
		{ "{\"name\":\"a\",\"mode\":\"c\"}", "enum" },
		{ "{\"name\":\"a\",\"many\":[]}", "items" },
		{ "{\"name\":\"a\\u0000\"}", "nul" },
		{ "{\"name\":\"a\",\"many\":[\"\\u0000\"]}", "nul" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_for(&ada, &entry, cases[i].sent);

		assert_int_equal(guard_schema(c), VERDICT_REFUSE);
		assert_refused(c, VALIDATION_ERROR, cases[i].reason);
		assert_true(str_starts(c->fault.details_json, S("{\"faults\":[{\"pointer\":\"")));
	}
}

/* What is refused says where and what was expected, never what was sent. */
static void a_refusal_does_not_repeat_the_value(void **state)
{
	struct call *c = call_for(&ada, &entry, "{\"name\":\"SECRET7\"}");
	struct json details;
	struct json_error error;

	(void)state;
	assert_int_equal(guard_schema(c), VERDICT_REFUSE);
	assert_true(json_parse(&arena, c->fault.details_json, &details, &error));
	assert_int_equal(
		str_find_str(c->fault.details_json, 0, S("SECRET7")), c->fault.details_json.n);
	assert_str(json_get_str(&json_get(&details, S("faults"))->items[0], S("pointer")), "/name");
}

static void integers_stay_within_what_every_client_can_hold(void **state)
{
	static const struct {
		const char *sent;
		bool passes;
	} cases[] = {
		{ "{\"name\":\"a\",\"count\":9007199254740991}", true },
		{ "{\"name\":\"a\",\"count\":9007199254740992}", false },
		{ "{\"name\":\"a\",\"count\":9007199254740993}", false },
		{ "{\"name\":\"a\",\"count\":9007199254740993.0}", false },
		{ "{\"name\":\"a\",\"count\":1e16}", false },
		{ "{\"name\":\"a\",\"count\":1e400}", false },
		{ "{\"name\":\"a\",\"count\":50e-1}", true },
		{ "{\"name\":\"a\",\"wide\":9007199254740993}", true },
		{ "{\"name\":\"a\",\"wide\":9223372036854775807}", true },
		{ "{\"name\":\"a\",\"wide\":-9223372036854775808}", true },
		{ "{\"name\":\"a\",\"wide\":9223372036854775808}", false },
		{ "{\"name\":\"a\",\"wide\":-9223372036854775809}", false },
		{ "{\"name\":\"a\",\"many\":[1,-9007199254740991]}", true },
		{ "{\"name\":\"a\",\"many\":[1,-9007199254740992]}", false },
		{ "{\"name\":\"a\",\"share\":0.1000000000000000055}", true },
		{ "{\"name\":\"a\",\"share\":9007199254740993}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_for(&ada, &entry, cases[i].sent);

		assert_int_equal(guard_schema(c), cases[i].passes ? VERDICT_PASS : VERDICT_REFUSE);
		if (!cases[i].passes)
			assert_refused(c, VALIDATION_ERROR, "range");
	}
}

static void arguments_that_fit_get_their_defaults_and_digest(void **state)
{
	struct call *c = call_for(&ada, &entry, "{\"name\":\"a\"}");

	(void)state;
	assert_int_equal(guard_schema(c), VERDICT_PASS);
	assert_int_equal(c->passed, GUARD_SCHEMA);
	assert_str(c->arguments_canonical, "{\"count\":\"3\",\"limit\":\"20\",\"name\":\"a\"}");
}

/* A paged result of three rows, and the call of the page behind it. */
static struct rows *page_rows(const char *title, size_t count)
{
	struct rows *rows = arena_new(&arena, struct rows);

	rows_init(rows, &paged);
	for (size_t i = 0; i < count; i++) {
		struct cell *row = rows_add(rows, &arena);

		row[0] = (struct cell){ CELL_INTEGER, arena_fmt(&arena, "900719925474099%zu", i) };
		row[1] = (struct cell){ CELL_TEXT, S("not in the cursor") };
		row[2] = (struct cell){ CELL_TEXT, str_c(title) };
	}
	rows->more = true;
	return rows;
}

static struct call *checked_call(
	const struct principal *who, const struct entry *of, const char *arguments)
{
	struct call *c = call_for(who, of, arguments);

	assert_int_equal(guard_schema(c), VERDICT_PASS);
	return c;
}

static struct str make_cursor(const char *arguments)
{
	struct call *c = checked_call(&ada, &entry, arguments);

	assert_int_equal(guard_cursor(guard, c), VERDICT_PASS);
	return guard_cursor_make(guard, c, page_rows("t\"x", 3));
}

static struct call *call_with_cursor(
	const struct principal *who, const struct entry *of, struct str cursor, const char *more)
{
	struct str text = arena_fmt(&arena, "{\"cursor\":\"%.*s\",%s}", STR_ARG(cursor), more);

	return checked_call(who, of, arena_cstr(&arena, text));
}

static void a_cursor_brings_back_the_last_row_in_the_order_of_the_page(void **state)
{
	struct str cursor = make_cursor("{\"name\":\"a\"}");
	struct call *c = call_with_cursor(&ada, &entry, cursor, "\"name\":\"a\"");

	(void)state;
	assert_true(cursor.n > 0);
	assert_int_equal(guard_cursor(guard, c), VERDICT_PASS);
	assert_int_equal(c->cursor->count, 2);
	assert_str(c->cursor->items[0].text, "t\"x");
	assert_str(c->cursor->items[1].text, "9007199254740992");
}

static void a_cursor_opens_only_for_the_same_caller_tool_and_arguments(void **state)
{
	struct str cursor = make_cursor("{\"name\":\"a\",\"share\":1}");
	struct principal same_name = ada;
	const struct {
		const struct principal *who;
		const struct entry *of;
		const char *arguments;
		bool passes;
	} cases[] = {
		{ &ada, &entry, "\"name\":\"a\",\"share\":1", true },
		{ &ada, &entry, "\"share\":1.0,\"count\":3,\"name\":\"\\u0061\"", true },
		{ &ada, &entry, "\"name\":\"a\",\"share\":1,\"limit\":50", true },
		{ &ada, &entry, "\"name\":\"b\",\"share\":1", false },
		{ &ada, &entry, "\"name\":\"a\"", false },
		{ &ada, &entry, "\"name\":\"a\",\"share\":1,\"count\":4", false },
		{ &bob, &entry, "\"name\":\"a\",\"share\":1", false },
		{ &same_name, &entry, "\"name\":\"a\",\"share\":1", false },
		{ &ada, &other_tool, "\"name\":\"a\",\"share\":1", false },
	};

	(void)state;
	same_name.binding.b[31] = 1; /* the same subject of another tenant */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c =
			call_with_cursor(cases[i].who, cases[i].of, cursor, cases[i].arguments);

		assert_int_equal(
			guard_cursor(guard, c), cases[i].passes ? VERDICT_PASS : VERDICT_REFUSE);
		assert_int_equal(c->cursor != NULL, cases[i].passes);
		assert_int_equal((c->passed & GUARD_CURSOR) != 0, cases[i].passes);
	}
}

static void a_cursor_with_any_byte_changed_is_refused(void **state)
{
	struct str cursor = make_cursor("{\"name\":\"a\"}");

	(void)state;
	for (size_t i = 0; i < cursor.n; i++) {
		char *bent = arena_cstr(&arena, cursor);
		struct call *c;

		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		c = call_with_cursor(&ada, &entry, str_c(bent), "\"name\":\"a\"");
		assert_int_equal(guard_cursor(guard, c), VERDICT_REFUSE);
		assert_str(c->fault.reason, "cursor");
	}
	for (size_t n = 0; n < cursor.n; n++)
		assert_int_equal(
			guard_cursor(guard, call_with_cursor(&ada, &entry, str_sub(cursor, 0, n),
						    "\"name\":\"a\"")),
			VERDICT_REFUSE);
}

/* Sealed by us for the same caller, but as something else. */
static void a_sealed_text_for_another_purpose_is_no_cursor(void **state)
{
	static const struct {
		struct str purpose, plain;
	} cases[] = {
		{ STR_INIT("state"), STR_INIT("[\"t\",1]") },
		{ STR_INIT("page"), STR_INIT("[\"t\",1]") }, /* bound to nobody */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_in(&out, &arena, 4096);
		seal_write(&seal, cases[i].purpose, STR_NONE, cases[i].plain, &out);
		assert_int_equal(guard_cursor(guard, call_with_cursor(&ada, &entry, buf_str(&out),
							     "\"name\":\"a\"")),
			VERDICT_REFUSE);
	}
}

static void there_is_no_cursor_where_there_is_no_next_page(void **state)
{
	struct call *c = checked_call(&ada, &entry, "{\"name\":\"a\"}");
	struct rows *last = page_rows("t", 3), *none = page_rows("t", 0);
	struct part plain = paged;
	struct rows *unpaged = page_rows("t", 3);

	(void)state;
	last->more = false;
	plain.page.on = false;
	unpaged->part = &plain;
	assert_int_equal(guard_cursor_make(guard, c, last).n, 0);
	assert_int_equal(guard_cursor_make(guard, c, none).n, 0);
	assert_int_equal(guard_cursor_make(guard, c, unpaged).n, 0);
}

/* The argument takes 4096 characters: a cursor that nobody could send back is not given. */
static void a_cursor_too_long_to_come_back_is_not_made(void **state)
{
	struct call *c = checked_call(&ada, &entry, "{\"name\":\"a\"}");
	char title[5000];
	bool made = true;

	(void)state;
	for (size_t n = 100; n < sizeof title; n += 100) {
		struct str cursor;

		memset(title, 'x', n);
		title[n] = '\0';
		cursor = guard_cursor_make(guard, c, page_rows(title, 1));
		assert_true(cursor.n <= 4096);
		assert_true(made || !cursor.n);
		made = cursor.n > 0;
	}
	assert_false(made);
}

static void a_page_has_as_many_rows_as_asked_within_its_bounds(void **state)
{
	static const struct {
		const char *sent;
		uint32_t rows;
	} cases[] = {
		{ "{\"name\":\"a\"}", 20 },
		{ "{\"name\":\"a\",\"limit\":1}", 1 },
		{ "{\"name\":\"a\",\"limit\":5e0}", 5 },
		{ "{\"name\":\"a\",\"limit\":50}", 50 },
		{ "{\"name\":\"a\",\"limit\":51}", 50 },
		{ "{\"name\":\"a\",\"limit\":4294967297}", 50 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = checked_call(&ada, &entry, cases[i].sent);

		assert_int_equal(guard_cursor(guard, c), VERDICT_PASS);
		assert_int_equal(c->page_rows, cases[i].rows);
	}
}

static void answers_come_with_the_state_of_their_question(void **state)
{
	static const struct entry sealed = { .action = { .kind = ACTION_SCRIPT,
						     .state = STATE_SEALED } };
	static const struct entry open = { .action = { .kind = ACTION_SCRIPT } };
	static const struct json_member one = { .name = STR_INIT("key") };
	static const struct json answers = { .kind = JSON_OBJECT, .count = 1, .members = &one };
	static const struct json none = { .kind = JSON_OBJECT };
	static const struct {
		const struct entry *entry;
		const struct json *answers;
		const char *plain;
		bool opened, passes;
	} cases[] = {
		{ &sealed, NULL, "", true, true },
		{ &sealed, &none, "", true, true },
		{ &sealed, &answers, "s", true, true },
		{ &sealed, &answers, "", true, false },
		{ &sealed, &answers, "", false, false },
		{ &sealed, NULL, "", false, false },
		{ &open, &answers, "", true, true },
		{ &open, &answers, "", false, false },
		{ &entry, NULL, "", true, true },
		{ &entry, NULL, "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_for(&ada, cases[i].entry, NULL);

		c->answers = cases[i].answers;
		c->state_plain_in = str_c(cases[i].plain);
		assert_int_equal(guard_state(c, cases[i].opened) == VERDICT_PASS, cases[i].passes);
		assert_int_equal(c->passed, cases[i].passes ? GUARD_STATE : 0);
		if (!cases[i].passes)
			assert_refused(c, VALIDATION_ERROR, "request_state");
	}
}

static bool aborts_without(unsigned passed)
{
	struct call *c = call_for(&ada, &entry, "{\"name\":\"a\"}");
	pid_t child = fork();
	int status = 0;

	if (!child) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		c->passed = passed;
		_exit(guard_warrant(c) ? 0 : 1);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_warrant_wants_every_step(void **state)
{
	const unsigned all = GUARD_KILL | GUARD_PERMISSION | GUARD_SCHEMA | GUARD_STATE |
			     GUARD_CURSOR | GUARD_APPROVAL | GUARD_LIMITS;
	const struct kill_finding nothing = { .cause = KILL_BY_NOTHING };
	struct call *c = call_for(&ada, &entry, "{\"name\":\"a\"}");

	(void)state;
	assert_int_equal(guard_kill(c, &nothing, false), VERDICT_PASS);
	assert_int_equal(guard_permission(c), VERDICT_PASS);
	assert_int_equal(guard_schema(c), VERDICT_PASS);
	assert_int_equal(guard_state(c, true), VERDICT_PASS);
	assert_int_equal(guard_cursor(guard, c), VERDICT_PASS);
	assert_int_equal(guard_approval(c, true), VERDICT_PASS);
	c->passed |= GUARD_LIMITS; /* limits_test.c */
	assert_ptr_equal(warrant_call(guard_warrant(c)), c);
	for (unsigned passed = 0; passed <= all; passed++)
		assert_int_equal(aborts_without(passed), passed != all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_names_the_rule_and_only_what_a_person_can_give),
		cmocka_unit_test(only_who_holds_the_grant_may_call_and_see),
		cmocka_unit_test(a_missing_grant_is_named),
		cmocka_unit_test(arguments_that_do_not_fit_are_refused_with_a_stable_reason),
		cmocka_unit_test(a_refusal_does_not_repeat_the_value),
		cmocka_unit_test(integers_stay_within_what_every_client_can_hold),
		cmocka_unit_test(arguments_that_fit_get_their_defaults_and_digest),
		cmocka_unit_test(a_cursor_brings_back_the_last_row_in_the_order_of_the_page),
		cmocka_unit_test(a_cursor_opens_only_for_the_same_caller_tool_and_arguments),
		cmocka_unit_test(a_cursor_with_any_byte_changed_is_refused),
		cmocka_unit_test(a_sealed_text_for_another_purpose_is_no_cursor),
		cmocka_unit_test(there_is_no_cursor_where_there_is_no_next_page),
		cmocka_unit_test(a_cursor_too_long_to_come_back_is_not_made),
		cmocka_unit_test(a_page_has_as_many_rows_as_asked_within_its_bounds),
		cmocka_unit_test(answers_come_with_the_state_of_their_question),
		cmocka_unit_test(a_warrant_wants_every_step),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
