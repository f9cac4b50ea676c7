#include "backend/fixture.h"

static struct source_config source = {
	.name = STR_INIT("steps"), .kind = SOURCE_SCRIPTED, .concurrency = 1
};
static struct config config = { .sources = &source, .source_count = 1 };
static struct catalog catalog;
static struct backends *backends;

static int set_up(void **state)
{
	struct err err;

	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	port_log = (struct port_log){ .may_ask = S("*") };
	backends = backends_new(&config, &catalog, &err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	backends_free(&backends);
	return 0;
}

static struct entry entry_of(const struct step *steps, size_t count)
{
	return (struct entry){ .kind = ENTRY_TOOL,
		.name = S("t"),
		.requires = S("g"),
		.source = &source,
		.bytes = 65536,
		.action = { .kind = ACTION_SCRIPT, .steps = steps, .step_count = count } };
}

#define CONTENT(text)                                                                              \
	{                                                                                          \
		.kind = STEP_CONTENT, .json = STR_INIT(text)                                       \
	}
#define ASK(k, m)                                                                                  \
	{                                                                                          \
		.kind = STEP_ASK, .key = STR_INIT(k), .method = STR_INIT(m),                       \
		.json = STR_INIT("{\"message\":\"{who}?\"}")                                       \
	}

static void steps_happen_in_order(void **state)
{
	static const struct step steps[] = {
		{ .kind = STEP_PROGRESS, .n = 0, .total = 100 },
		{ .kind = STEP_LOG, .level = STR_INIT("info"), .text = STR_INIT("hello {who}") },
		{ .kind = STEP_SLEEP, .ms = 1 },
		{ .kind = STEP_PROGRESS, .n = 100, .total = 100 },
		{ .kind = STEP_CHANGED, .text = STR_INIT("tools") },
		{ .kind = STEP_UPDATED, .text = STR_INIT("test://a") },
		{ .kind = STEP_DROP },
		CONTENT("{\"type\":\"text\",\"text\":\"for {who}\"}"),
		CONTENT("{\"type\":\"image\"}"),
	};
	struct entry entry = entry_of(steps, ARRAY_LEN(steps));
	struct call *c = call_of(&entry, "{\"who\":\"\\\"Ada\\\"\"}");

	(void)state;
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_DONE);
	assert_int_equal(c->content, CONTENT_BLOCKS);
	assert_false(c->content_is_error);
	assert_string_equal(port_log.text, "progress:0/100 log:hello \"Ada\" progress:100/100 "
					   "changed:tools changed:updated test://a drop:");
	assert_text(c->content_json,
		"[{\"type\":\"text\",\"text\":\"for \\\"Ada\\\"\"},{\"type\":\"image\"}]");
}

static void an_error_step_ends_the_script(void **state)
{
	static const struct step steps[] = {
		{ .kind = STEP_ERROR, .text = STR_INIT("no {who}") },
		{ .kind = STEP_CHANGED, .text = STR_INIT("tools") },
	};
	struct entry entry = entry_of(steps, ARRAY_LEN(steps));
	struct call *c = call_of(&entry, "{\"who\":\"Ada\"}");

	(void)state;
	assert_true(run(backends, c));
	assert_true(c->content_is_error);
	assert_text(c->content_json, "[{\"type\":\"text\",\"text\":\"no Ada\"}]");
	assert_string_equal(port_log.text, "");
}

static void a_prompt_gives_messages(void **state)
{
	static const struct step steps[] = { CONTENT("{\"role\":\"user\"}") };
	struct entry entry = entry_of(steps, 1);
	struct call *c = call_of(&entry, "{}");

	(void)state;
	entry.kind = ENTRY_PROMPT;
	assert_true(run(backends, c));
	assert_int_equal(c->content, CONTENT_MESSAGES);
}

static void a_sleep_ends_with_the_deadline_and_with_the_client(void **state)
{
	static const struct step steps[] = { { .kind = STEP_SLEEP, .ms = 60000 } };
	struct entry entry = entry_of(steps, 1);
	struct call *c = call_of(&entry, "{}");

	(void)state;
	c->deadline_ms = clock_mono_ms() + 15;
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "deadline");
	port_log.cancelled = true;
	c = call_of(&entry, "{}");
	assert_false(run(backends, c));
	assert_fault(c, UPSTREAM_TIMEOUT, "cancelled");
	/* the one place is free again */
	port_log.cancelled = false;
	entry.action.step_count = 0;
	assert_true(run(backends, call_of(&entry, "{}")));
}

static void a_missing_capability_is_named(void **state)
{
	static const struct step steps[] = { { .kind = STEP_REQUIRE, .text = STR_INIT("sampling") },
		CONTENT("1") };
	struct entry entry = entry_of(steps, ARRAY_LEN(steps));
	struct call *c = call_of(&entry, "{}");

	(void)state;
	assert_false(run(backends, c));
	assert_fault(c, PRECONDITION_FAILED, "capability");
	assert_text(c->fault.details_json, "{\"requiredCapabilities\":{\"sampling\":{}}}");
	port_log.capability = S("sampling");
	assert_true(run(backends, call_of(&entry, "{}")));
}

static const struct step questions[] = {
	{ .kind = STEP_LOG, .text = STR_INIT("before") },
	ASK("name", "elicitation/create"),
	ASK("text", "sampling/createMessage"),
	{ .kind = STEP_LOG, .text = STR_INIT("between") },
	ASK("roots", "roots/list"),
	{ .kind = STEP_LOG, .text = STR_INIT("after") },
	CONTENT("\"{answer.name.first} {answer.text.text} {answer.roots} {answer.name} "
		"{answer.no}\""),
};

static struct call *call_with(struct entry *entry, const char *answers, struct str plain)
{
	struct call *c = call_of(entry, "{\"who\":\"Ada\"}");
	struct json *v = arena_new(&arena, struct json);

	if (answers) {
		*v = parse(answers);
		c->answers = v;
	}
	c->state_plain_in = plain;
	return c;
}

#define NAME "\"name\":{\"action\":\"accept\",\"content\":{\"first\":\"A\\\"{who}\"}}"
#define TEXT                                                                                       \
	"\"text\":{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"{answer.name}\"}}"
#define ROOTS "\"roots\":{\"roots\":[]}"

static void rounds_are_asked_one_after_the_other(void **state)
{
	struct entry entry = entry_of(questions, ARRAY_LEN(questions));
	struct call *c = call_with(&entry, NULL, STR_NONE), *second;

	(void)state;
	entry.action.state = STATE_SEALED;
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_ASKS);
	assert_int_equal(c->ask_count, 2);
	assert_text(c->asks[0].key, "name");
	assert_text(c->asks[0].method, "elicitation/create");
	assert_text(c->asks[0].params_json, "{\"message\":\"Ada?\"}");
	assert_text(c->asks[1].key, "text");
	assert_text(c->state_plain_out, "{\"round\":1,\"answers\":{}}");
	second = call_with(&entry, "{" NAME "," TEXT ",\"stranger\":{}}", c->state_plain_out);
	assert_true(run(backends, second));
	assert_int_equal(second->end, CALL_ASKS);
	assert_int_equal(second->ask_count, 1);
	assert_text(second->asks[0].key, "roots");
	assert_text(second->state_plain_out, "{\"round\":2,\"answers\":{" NAME "," TEXT "}}");
	/* earlier answers are in the state and need not come again; nor can they be changed */
	c = call_with(&entry, "{" ROOTS ",\"name\":{\"content\":{\"first\":\"other\"}}}",
		second->state_plain_out);
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_DONE);
	assert_text(c->content_json, "[\"A\\\"{who} {answer.name} {\\\"roots\\\":[]} "
				     "{\\\"first\\\":\\\"A\\\\\\\"{who}\\\"} \"]");
	assert_string_equal(port_log.text, "log:before log:between log:after");
}

static void answers_may_come_without_state(void **state)
{
	struct entry entry = entry_of(questions, ARRAY_LEN(questions));
	struct call *c = call_with(&entry, "{" NAME "," TEXT "," ROOTS "}", STR_NONE);

	(void)state;
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_DONE);
	c = call_with(&entry, NULL, STR_NONE);
	assert_true(run(backends, c));
	assert_int_equal(c->state_plain_out.n, 0);
}

static void an_answer_of_another_form_is_none(void **state)
{
	struct entry entry = entry_of(questions, 2);
	struct call *c = call_with(&entry, "{" NAME "}", STR_NONE);

	(void)state;
	port_log.unfit = true;
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_ASKS);
	assert_text(c->asks[0].key, "name");
}

static void only_what_the_client_can_be_asked_is_asked(void **state)
{
	struct entry entry = entry_of(questions, 4);
	struct call *c = call_with(&entry, NULL, STR_NONE);

	(void)state;
	port_log.may_ask = S("sampling/createMessage");
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_ASKS);
	assert_int_equal(c->ask_count, 1);
	assert_text(c->asks[0].key, "text");
	c = call_with(&entry, "{" TEXT "}", STR_NONE);
	assert_true(run(backends, c));
	assert_int_equal(c->end, CALL_DONE);
	port_log.may_ask = S("");
	c = call_with(&entry, NULL, STR_NONE);
	assert_false(run(backends, c));
	assert_fault(c, PRECONDITION_FAILED, "capability");
	assert_text(c->fault.details_json, "{\"requiredCapabilities\":{\"elicitation\":{}}}");
}

static void a_state_that_is_not_ours_is_a_defect(void **state)
{
	static const char *const states[] = { "x", "[]", "{}", "{\"round\":1}",
		"{\"round\":-1,\"answers\":{}}", "{\"round\":1,\"answers\":[]}" };
	struct entry entry = entry_of(questions, ARRAY_LEN(questions));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct call *c = call_with(&entry, NULL, str_c(states[i]));

		assert_false(run(backends, c));
		assert_fault(c, INTERNAL, "state");
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(steps_happen_in_order),
		T(an_error_step_ends_the_script),
		T(a_prompt_gives_messages),
		T(a_sleep_ends_with_the_deadline_and_with_the_client),
		T(a_missing_capability_is_named),
		T(rounds_are_asked_one_after_the_other),
		T(answers_may_come_without_state),
		T(an_answer_of_another_form_is_none),
		T(only_what_the_client_can_be_asked_is_asked),
		T(a_state_that_is_not_ours_is_a_defect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
