/* Arguments with their defaults, their canonical form, and templates filled from them. */
#include "base/test.h"
#include "plan/call.h"

#include <string.h>

static struct arena arena;

static const struct input inputs[] = {
	{ .name = STR_INIT("name") },
	{ .name = STR_INIT("size"), .default_json = STR_INIT("5.0") },
	{ .name = STR_INIT("tags"), .default_json = STR_INIT("[\"a\", 2]") },
};
static const struct entry entry = {
	.name = STR_INIT("t"), .inputs = inputs, .input_count = ARRAY_LEN(inputs)
};

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct call *call_of(const char *arguments)
{
	struct call *c = arena_new(&arena, struct call);
	struct json *sent = arena_new(&arena, struct json);
	struct json_error error;

	c->arena = &arena;
	c->entry = &entry;
	if (arguments) {
		assert_true(json_parse(&arena, str_c(arguments), sent, &error));
		c->arguments_sent = sent;
	}
	return c;
}

static void defaults_stand_in_for_what_was_left_out(void **state)
{
	static const struct {
		const char *sent, *canonical;
	} cases[] = {
		{ NULL, "{\"size\":\"5\",\"tags\":[\"a\",\"2\"]}" },
		{ "{}", "{\"size\":\"5\",\"tags\":[\"a\",\"2\"]}" },
		{ "{\"name\":\"x\"}", "{\"name\":\"x\",\"size\":\"5\",\"tags\":[\"a\",\"2\"]}" },
		{ "{\"tags\":[],\"size\":7}", "{\"size\":\"7\",\"tags\":[]}" },
		{ "{\"tags\":null,\"size\":50e-1}", "{\"size\":\"5\",\"tags\":null}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_of(cases[i].sent);

		assert_true(args_prepare(c));
		assert_str(c->arguments_canonical, cases[i].canonical);
	}
}

static void equal_arguments_have_one_digest_whatever_their_form(void **state)
{
	struct call *a = call_of("{\"name\": \"x\", \"size\": 5}");
	struct call *b = call_of("{\"size\":5.0,\"name\":\"\\u0078\",\"tags\":[\"a\",20e-1]}");
	struct call *other = call_of("{\"name\":\"x\",\"size\":\"5\"}");

	(void)state;
	assert_true(args_prepare(a) && args_prepare(b) && args_prepare(other));
	assert_true(sha256_eq(&a->arguments_digest, &b->arguments_digest));
	assert_int_equal(json_get(&a->arguments, S("size"))->kind, JSON_NUMBER);
	assert_int_equal(json_get(&other->arguments, S("size"))->kind, JSON_STRING);
}

static void what_was_sent_is_not_changed(void **state)
{
	struct call *c = call_of("{\"name\":\"x\"}");

	(void)state;
	assert_true(args_prepare(c));
	assert_int_equal(c->arguments_sent->count, 1);
	assert_null(json_get(c->arguments_sent, S("size")));
	assert_non_null(args_get(c, S("size")));
	assert_null(args_get(c, S("nothing")));
}

/* Short numbers may have long canonical forms: a digest of a part would bind nothing. */
static void arguments_whose_canonical_text_is_too_large_are_not_prepared(void **state)
{
	size_t count = 90000, lists = 2;
	struct call *c;
	struct buf text;

	(void)state;
	buf_in(&text, &arena, (size_t)4 << 20);
	buf_lit(&text, "{\"name\":[");
	for (size_t l = 0; l < lists; l++) {
		if (l)
			buf_char(&text, ',');
		buf_lit(&text, "[0");
		for (size_t i = 0; i < count; i++)
			buf_lit(&text, ",1e60");
		buf_char(&text, ']');
	}
	buf_lit(&text, "]}");
	buf_char(&text, '\0');
	c = call_of(text.p);
	assert_false(args_prepare(c));
}

static void templates_take_values_and_nothing_twice(void **state)
{
	static const struct {
		bool json;
		const char *template_text, *filled;
	} cases[] = {
		{ false, "", "" },
		{ false, "plain", "plain" },
		{ false, "{name}", "a\"{size}\n" },
		{ false, "<{size}>", "<5.0>" },
		{ false, "{tags}", "[\"a\",2]" },
		{ false, "{{name}}", "{name}" },
		{ false, "{{{size}}}", "{5.0}" },
		{ false, "{missing}|", "|" },
		{ false, "{na me}", "{na me}" },
		{ false, "{}", "{}" },
		{ false, "{name", "{name" },
		{ false, "}", "}" },
		{ false, "{{", "{" },
		{ false, "{", "{" },
		{ true, "{\"a\":\"{name}\"}", "{\"a\":\"a\\\"{size}\\n\"}" },
		{ true, "{\"a\":{\"b\":\"{tags}\"}}", "{\"a\":{\"b\":\"[\\\"a\\\",2]\"}}" },
		{ true, "{\"a\":{}}", "{\"a\":{}}" },
		{ true, "[\"{missing}\"]", "[\"\"]" },
	};
	struct call *c = call_of("{\"name\":\"a\\\"{size}\\n\"}");

	(void)state;
	assert_true(args_prepare(c));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(args_fill(c, str_c(cases[i].template_text), cases[i].json),
			cases[i].filled);
}

/* Whoever checks the size of the whole sees that it is too large: nothing is cut in silence. */
static void a_template_that_repeats_a_large_value_is_whole_or_larger_than_any_limit(void **state)
{
	struct buf text;
	struct call *c;

	(void)state;
	buf_in(&text, &arena, (size_t)4 << 20);
	buf_lit(&text, "{\"name\":\"");
	for (size_t i = 0; i < (size_t)1 << 20; i++)
		buf_char(&text, 'x');
	buf_lit(&text, "\"}");
	buf_char(&text, '\0');
	c = call_of(text.p);
	assert_true(args_prepare(c));
	assert_int_equal(
		args_fill(c, S("{name}{name}{name}{name}{name}"), true).n, (size_t)5 << 20);
}

static void a_fault_ends_the_call(void **state)
{
	struct call *c = call_of(NULL);

	(void)state;
	assert_false(call_fault(c, CONFLICT, "lock", S("for the log")));
	assert_int_equal(c->end, CALL_FAULT);
	assert_int_equal(c->fault.code, CONFLICT);
	assert_str(c->fault.reason, "lock");
	assert_str(c->fault.operator_text, "for the log");
}

static void a_new_call_has_its_time_and_a_port_that_does_nothing(void **state)
{
	struct entry slow = { .name = S("slow"), .timeout_ms = 5000 };
	struct principal who = { .subject = S("ada") };
	struct call *c, *other;

	(void)state;
	c = call_new(&arena, &slow, &who, 3000, INT64_C(1790000000000000), 7000000000u);
	assert_int_equal(c->deadline_ms, 10000);
	assert_int_equal(c->started_ns, 7000000000u);
	assert_ptr_equal(c->who, &who);
	assert_int_equal(c->end, CALL_OPEN);
	other = call_new(&arena, &slow, &who, 9000, INT64_C(1790000000000000), 7000000000u);
	assert_int_equal(other->deadline_ms, 12000);
	assert_memory_not_equal(c->id.c, other->id.c, ID_BYTES);
	c->port->progress(c->port->ctx, 1, 2, STR_NONE);
	c->port->log(c->port->ctx, S("info"), S("text"));
	c->port->changed(c->port->ctx, S("tools"));
	c->port->drop(c->port->ctx);
	assert_false(c->port->cancelled(c->port->ctx));
	assert_false(c->port->may_ask(c->port->ctx, S("roots/list"), S("{}")));
	assert_false(c->port->has_capability(c->port->ctx, S("roots")));
	assert_false(c->port->answer_fits(c->port->ctx, S("roots/list"), S("{}"), NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			defaults_stand_in_for_what_was_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			equal_arguments_have_one_digest_whatever_their_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_sent_is_not_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			arguments_whose_canonical_text_is_too_large_are_not_prepared, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			templates_take_values_and_nothing_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_template_that_repeats_a_large_value_is_whole_or_larger_than_any_limit,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fault_ends_the_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_new_call_has_its_time_and_a_port_that_does_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
