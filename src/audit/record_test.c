/* What of a call is in its record, and in what form; see record.h and protect.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/change_fixture.h"
#include "audit/clip.h"
#include "audit/record.h"

static struct protector protector_of(const char *key)
{
	struct protector p = { 0 };

	assert_true(secret_set(&p.key, str_c(key)));
	return p;
}

static struct json parsed(struct arena *a, const char *text)
{
	struct json_error error;
	struct json v;

	assert_true(json_parse(a, str_c(text), &v, &error));
	return v;
}

static const struct input inputs[] = {
	{ .name = STR_INIT("plain"), .protect = PROTECT_CLEAR },
	{ .name = STR_INIT("mail"), .protect = PROTECT_HMAC },
	{ .name = STR_INIT("why"), .protect = PROTECT_ENCRYPT },
	{ .name = STR_INIT("pin"), .protect = PROTECT_DROP },
};

static const struct entry lookup = { .kind = ENTRY_TOOL,
	.name = STR_INIT("lookup"),
	.version = 2,
	.inputs = inputs,
	.input_count = ARRAY_LEN(inputs) };
static const struct principal anna = { .subject = STR_INIT("anna"),
	.kind = PRINCIPAL_HUMAN,
	.agent = STR_INIT("desk"),
	.tenant = STR_INIT("t_42"),
	.credential = STR_INIT("key_1"),
	.environment = STR_INIT("production") };

static struct call call_in(struct arena *a)
{
	struct call c = { .arena = a, .entry = &lookup, .who = &anna, .end = CALL_DONE };

	memset(c.id.c, 'A', sizeof c.id.c);
	c.origin = (struct call_origin){ .era = S("2025-06-18"),
		.rpc_id = S("17"),
		.conversation = S("conv-1"),
		.trace_id = S("4bf92f3577b34da6a3ce929d0e0e4736"),
		.client_name = S("inspector"),
		.client_version = S("2.12"),
		.peer = S("127.0.0.1") };
	c.result_rows = 3;
	c.result_json = S("{\"content\":[]}");
	c.started_ns = 1000000;
	c.ended_ns = 3500000;
	return c;
}

/* NUL-terminated, in the arena; also a JSON object when braces are put around. */
static char *record_of(struct call *c)
{
	struct protector p = protector_of("key");
	struct json_error error;
	struct kept effects;
	struct json v;
	struct buf out;
	char *text;

	kept_init(&effects, c, &p);
	buf_init(&out, RECORD_MAX_BYTES);
	record_call(&out, c, &p, &effects);
	assert_true(buf_ok(&out));
	assert_false(str_has(buf_str(&out), '\n'));
	kept_done(&effects);
	text = arena_cstr(c->arena, buf_str(&out));
	assert_true(json_parse(c->arena, arena_fmt(c->arena, "{%s}", text), &v, &error));
	buf_done(&out);
	return text;
}

static void assert_has(const char *text, const char *what)
{
	if (!text || !strstr(text, what))
		fail_msg("no %s in %s", what, text ? text : "");
}

static void assert_has_not(const char *text, const char *what)
{
	if (!text || strstr(text, what))
		fail_msg("%s in %s", what, text ? text : "");
}

static void a_record_holds_what_must_be_remembered(void **state)
{
	static const char *const members[] = {
		"\"e\":\"CALL_OUTCOME\"",
		"\"call\":\"AAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		"\"rpc\":17",
		"\"conv\":\"conv-1\"",
		"\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"",
		"\"subj\":\"anna\"",
		"\"kind\":\"human\"",
		"\"act\":\"desk\"",
		"\"ten\":\"t_42\"",
		"\"cn\":\"inspector\"",
		"\"cv\":\"2.12\"",
		"\"cred\":\"key_1\"",
		"\"env\":\"production\"",
		"\"what\":\"tool\"",
		"\"tool\":\"lookup@2\"",
		"\"td\":\"sha256:",
		"\"mode\":\"read\"",
		"\"era\":\"2025-06-18\"",
		"\"peer\":\"127.0.0.1\"",
		"\"args\":{\"plain\":\"x\"}",
		"\"ad\":\"hmac:k1:",
		"\"code\":\"OK\"",
		"\"rows\":3",
		"\"bytes\":14",
		"\"rd\":\"hmac:k1:",
		"\"us\":2500",
	};
	struct arena a;
	struct json args;
	struct call c;
	char *text;

	(void)state;
	arena_init(&a, 1 << 20);
	c = call_in(&a);
	args = parsed(&a, "{\"plain\":\"x\"}");
	c.arguments_sent = &args;
	text = record_of(&c);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		assert_has(text, members[i]);
	arena_done(&a);
}

static void what_a_call_came_to_stands_in_its_event_and_code(void **state)
{
	static const struct {
		enum call_end end;
		enum fault_code fault;
		bool is_error;
		const char *event, *code;
	} cases[] = {
		{ CALL_DONE, FAULT_NONE, false, "CALL_OUTCOME", "\"code\":\"OK\"" },
		{ CALL_DONE, FAULT_NONE, true, "CALL_OUTCOME", "\"code\":\"TOOL_ERROR\"" },
		{ CALL_ASKS, FAULT_NONE, false, "CALL_OUTCOME", "\"code\":\"INPUT_REQUIRED\"" },
		{ CALL_FAULT, NOT_FOUND, false, "CALL_OUTCOME", "\"code\":\"NOT_FOUND\"" },
		{ CALL_FAULT, INTERNAL, false, "CALL_OUTCOME", "\"code\":\"INTERNAL\"" },
		{ CALL_FAULT, PERMISSION_DENIED, false, "DENY", "\"code\":\"PERMISSION_DENIED\"" },
		{ CALL_FAULT, VALIDATION_ERROR, false, "DENY", "\"code\":\"VALIDATION_ERROR\"" },
		{ CALL_FAULT, PAUSED, false, "DENY", "\"code\":\"PAUSED\"" },
		{ CALL_OPEN, FAULT_NONE, false, "CALL_OUTCOME", "\"code\":\"UNFINISHED\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a;
		struct call c;
		char *text;

		arena_init(&a, 1 << 20);
		c = call_in(&a);
		c.end = cases[i].end;
		c.fault.code = cases[i].fault;
		c.content_is_error = cases[i].is_error;
		text = record_of(&c);
		assert_has(text, cases[i].code);
		assert_string_equal(record_call_event(&c), cases[i].event);
		assert_has(text, cases[i].event);
		arena_done(&a);
	}
}

static void arguments_leave_by_their_class(void **state)
{
	static const struct {
		const char *args, *has, *has_not;
	} cases[] = {
		{ "{\"plain\":12.50}", "\"args\":{\"plain\":12.50}", "hmac:k1:12" },
		{ "{\"plain\":{\"a\":[1,null]}}", "{\"plain\":{\"a\":[1,null]}}", "dropped" },
		{ "{\"mail\":\"canary\"}", "\"mail\":\"hmac:k1:", "canary" },
		{ "{\"mail\":4711}", "\"mail\":\"hmac:k1:", "4711" },
		{ "{\"mail\":true}", "\"mail\":\"hmac:k1:", "true" },
		{ "{\"mail\":null}", "\"mail\":\"hmac:k1:", "null" },
		{ "{\"mail\":[\"canary\"]}", "\"mail\":\"hmac:k1:", "canary" },
		{ "{\"mail\":{\"canary\":1}}", "\"mail\":\"hmac:k1:", "canary" },
		{ "{\"why\":\"they asked\"}", "\"why\":\"they asked\"", "hmac:k1:they" },
		{ "{\"pin\":\"canary\"}", "\"args\":{},\"dropped\":[\"pin\"]", "canary" },
		{ "{\"pin\":\"hmac:k1:00\"}", "\"dropped\":[\"pin\"]", "hmac:k1:00\"" },
		{ "{\"else\":\"canary\"}", "\"args\":{},\"undeclared\":[\"else\"]", "canary" },
		{ "[\"canary\"]", "\"args_bytes\":10,\"ad\":\"hmac:k1:", "canary" },
		{ "\"canary\"", "\"args_bytes\":8,\"ad\":\"hmac:k1:", "canary" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json args;
		struct arena a;
		struct call c;
		char *text;

		arena_init(&a, 1 << 20);
		c = call_in(&a);
		args = parsed(&a, cases[i].args);
		c.arguments_sent = &args;
		text = record_of(&c);
		assert_has(text, cases[i].has);
		assert_has_not(text, cases[i].has_not);
		arena_done(&a);
	}
}

static char *hmac_in(struct arena *a, const char *key, const char *json)
{
	static const struct input input = { .name = STR_INIT("v"), .protect = PROTECT_HMAC };
	static const struct entry entry = { .inputs = &input, .input_count = 1 };
	struct protector p = protector_of(key);
	struct json v = parsed(a, arena_cstr(a, arena_fmt(a, "{\"v\":%s}", json)));
	struct call c = { .arena = a, .entry = &entry, .arguments = v };
	struct buf out;
	struct jw w;

	buf_in(&out, a, 1000);
	jw_init(&w, &out);
	jw_object(&w);
	protect_arguments(&p, &c, false, &w);
	jw_object_end(&w);
	v = parsed(a, arena_cstr(a, buf_str(&out)));
	return arena_cstr(a, json_get_str(json_get(&v, S("args")), S("v")));
}

static void equal_values_match_under_one_key_only(void **state)
{
	static const char *const values[] = { "\"1\"", "1", "true", "\"true\"", "null", "\"\"",
		"[]", "{}", "\"number:1\"", "[1]", "{\"1\":1}" };
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_string_equal(
		hmac_in(&a, "k", "{\"a\":1,\"b\":2}"), hmac_in(&a, "k", "{\"b\":2, \"a\":1}"));
	assert_string_equal(hmac_in(&a, "k", "\"\\u0061\""), hmac_in(&a, "k", "\"a\""));
	assert_string_equal(hmac_in(&a, "k", "5"), hmac_in(&a, "k", "5.0"));
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_int_equal(strlen(hmac_in(&a, "k", values[i])), 8 + 32);
		assert_string_not_equal(hmac_in(&a, "k", values[i]), hmac_in(&a, "K", values[i]));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
				hmac_in(&a, "k", values[i]), hmac_in(&a, "k", values[j]));
	}
	arena_done(&a);
}

static void arguments_too_large_leave_digest_and_size(void **state)
{
	char *json = malloc(100100), *text;
	struct json args;
	struct arena a;
	struct call c;

	(void)state;
	snprintf(json, 100100, "{\"plain\":\"%0100000d\"}", 0);
	arena_init(&a, 1 << 22);
	c = call_in(&a);
	args = parsed(&a, json);
	c.arguments_sent = &args;
	text = record_of(&c);
	assert_has(text, "\"args_bytes\":100012,\"ad\":\"hmac:k1:");
	assert_has_not(text, "\"args\":");
	assert_has(text, "\"code\":\"OK\"");
	arena_done(&a);
	free(json);
}

static void text_from_outside_stays_on_one_line_and_is_clipped(void **state)
{
	static const struct {
		const char *text, *has;
	} cases[] = {
		{ "a\nb\033[31m\"c\\", "\"cn\":\"a\\nb\\u001b[31m\\\"c\\\\\"" },
		{ "\"}\n{\"v\":1", "\"cn\":\"\\\"}\\n{\\\"v\\\":1\"" },
		{ "\xff\xfe", "\"cn\":\"" },
	};
	char longer[300];
	struct arena a;
	struct call c;

	(void)state;
	arena_init(&a, 1 << 20);
	c = call_in(&a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		c.origin.client_name = str_c(cases[i].text);
		assert_has(record_of(&c), cases[i].has);
	}
	memset(longer, 'x', sizeof longer);
	c.origin.client_name = str_n(longer, sizeof longer);
	assert_has(record_of(&c), "xxx\xe2\x80\xa6+172\"");
	c.origin.rpc_id = str_n(longer, sizeof longer);
	assert_has(record_of(&c), "\"rpc\":\"xxx");
	c.origin.rpc_id = S("\"seventeen\"");
	assert_has(record_of(&c), "\"rpc\":\"seventeen\"");
	arena_done(&a);
}

static void everything_at_its_longest_fits(void **state)
{
	char *much = malloc(100000);
	struct principal who = anna;
	struct str s;
	struct arena a;
	struct call c;

	(void)state;
	memset(much, 1, 100000); /* each becomes six bytes */
	s = str_n(much, 100000);
	arena_init(&a, 1 << 22);
	c = call_in(&a);
	c.origin = (struct call_origin){ s, s, s, s, s, s, s };
	c.uri = s;
	who = (struct principal){
		.subject = s, .tenant = s, .agent = s, .credential = s, .environment = s
	};
	c.who = &who;
	c.end = CALL_FAULT;
	c.fault.code = INTERNAL;
	c.fault.reason = s;
	c.fault.operator_text = s;
	(void)record_of(&c);
	arena_done(&a);
	free(much);
}

/* A change of which everything that anybody chose is as long as can be, and effects that just do
 * without a blob. */
static void a_change_at_its_longest_fits(void **state)
{
	char *much = malloc(100000), row[KEPT_INLINE_BYTES / 2];
	struct plan_sum sums[40];
	struct plan plan = fixture_plan();
	struct change change = { .live = true, .plan = &plan, .approved = &plan };
	struct principal who = anna;
	struct cell cells[FIXTURE_COLUMNS];
	struct effect e = { .table = &fixture_table, .operation = EFFECT_INSERT, .after = cells };
	struct plan_step step = { .effects = { .list = &e, .count = 1 } };
	struct protector p = protector_of("key");
	struct str s;
	struct arena a;
	struct call c;
	struct buf out;
	char *text;

	(void)state;
	memset(much, 1, 100000);
	memset(row, 'x', sizeof row);
	s = str_n(much, 100000);
	arena_init(&a, 1 << 22);
	c = call_in(&a);
	c.origin = (struct call_origin){ s, s, s, s, s, s, s };
	c.uri = s;
	who = (struct principal){
		.subject = s, .tenant = s, .agent = s, .credential = s, .environment = s
	};
	c.who = &who;
	c.change = &change;
	c.end = CALL_FAULT;
	c.fault.code = CONFLICT;
	c.fault.reason = s;
	c.fault.operator_text = s;
	memcpy(cells, fixture_new, sizeof cells);
	cells[1] = (struct cell){ CELL_TEXT, str_n(row, sizeof row) };
	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		sums[i] = (struct plan_sum){ str_sub(s, 0, 20), S("-1"), S("1") };
	plan.id = s;
	plan.steps = &step;
	plan.sums = sums;
	plan.sum_count = ARRAY_LEN(sums);
	plan.rows = UINT64_MAX;
	change.request = change.reason = change.intent = change.ledger_id = s;
	change.idempotency_key = s;
	text = record_of(&c);
	assert_has(text, "xxxxxxxx");
	assert_has(text, "\"end\":\"not\"");
	buf_init(&out, RECORD_MAX_BYTES);
	record_intent(&out, &c, &p);
	assert_true(buf_ok(&out));
	buf_done(&out);
	arena_done(&a);
	free(much);
}

static void what_became_of_a_change_stands_in_its_event(void **state)
{
	static const struct {
		enum fault_code fault;
		bool found, queued, replayed;
		const char *event;
	} cases[] = {
		{ REQUIRES_CONFIRMATION, true, false, false, "CALL_OUTCOME" },
		{ REQUIRES_CONFIRMATION, false, false, false, "DENY" },
		{ VALIDATION_ERROR, false, false, false, "DENY" },
		{ PAUSED, true, true, false, "CALL_OUTCOME" },
		{ PAUSED, false, true, false, "CALL_OUTCOME" },
		{ PAUSED, false, false, false, "DENY" },
		{ FAULT_NONE, false, true, true, "REPLAY" },
		{ FAULT_NONE, true, true, false, "CALL_OUTCOME" },
	};
	struct plan plan = fixture_plan();
	char place; /* an intent: nothing looks into it */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct change change = { .plan = cases[i].found ? &plan : NULL,
			.queued = cases[i].queued ? (struct intent *)(void *)&place : NULL,
			.replayed = cases[i].replayed };
		struct call c = { .change = &change,
			.end = cases[i].fault ? CALL_FAULT : CALL_DONE,
			.fault = { .code = cases[i].fault } };

		assert_string_equal(record_call_event(&c), cases[i].event);
	}
}

static void a_call_without_entry_or_principal_is_recorded(void **state)
{
	struct arena a;
	struct call c;
	char *text;

	(void)state;
	arena_init(&a, 1 << 20);
	c = call_in(&a);
	c.entry = NULL;
	c.who = NULL;
	text = record_of(&c);
	assert_has_not(text, "\"tool\"");
	assert_has_not(text, "\"subj\"");
	assert_has(text, "\"peer\":\"127.0.0.1\"");
	arena_done(&a);
}

static void a_refusal_says_who_in_which_era_asked_for_what(void **state)
{
	const struct audit_refusal r = { .event = "DENY",
		.reason = S("toolset"),
		.subject = S("anna"),
		.credential = S("key_1"),
		.agent = S("desk"),
		.tenant = S("t_42"),
		.peer = S("127.0.0.1"),
		.era = S("2025-06-18"),
		.rpc_id = S("\"a\""),
		.method = S("tools/call"),
		.target = S("refund_\norder") };
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, 1 << 20);
	buf_in(&out, &a, RECORD_MAX_BYTES);
	record_refusal(&out, &r);
	assert_string_equal(arena_cstr(&a, buf_str(&out)),
		"\"e\":\"DENY\",\"subj\":\"anna\",\"act\":\"desk\",\"ten\":\"t_42\","
		"\"cred\":\"key_1\",\"peer\":\"127.0.0.1\",\"reason\":\"toolset\","
		"\"era\":\"2025-06-18\",\"rpc\":\"a\",\"method\":\"tools/call\","
		"\"target\":\"refund_\\norder\"");
	arena_done(&a);
}

/* Names of columns, never values; and only of those that the caller saw by a grant. */
static void columns_seen_by_a_grant_are_named_and_mocks_marked(void **state)
{
	static const struct column columns[] = {
		{ .name = STR_INIT("id") },
		{ .name = STR_INIT("mail"),
			.mask = { .kind = MASK_EMAIL },
			.unmask = STR_INIT("see.mail") },
		{ .name = STR_INIT("pin"), .mask = { .kind = MASK_REDACT } },
	};
	static const struct part part = { .columns = columns, .column_count = 3 };
	const struct str held[] = { STR_INIT("see.mail") };
	struct principal may = anna;
	struct entry e = lookup;
	struct arena a;
	struct call c;
	char *text;

	(void)state;
	arena_init(&a, 1 << 20);
	e.action = (struct action){ .parts = &part, .part_count = 1 };
	may.grants = held;
	may.grant_count = 1;
	c = call_in(&a);
	c.entry = &e;
	c.content = CONTENT_ROWS;
	assert_has_not(record_of(&c), "unmasked");
	c.who = &may;
	text = record_of(&c);
	assert_has(text, "\"unmasked\":[\"mail\"]");
	assert_has_not(text, "mock");
	c.end = CALL_FAULT;
	c.fault.code = INTERNAL;
	assert_has_not(record_of(&c), "unmasked");
	e.mock = true;
	assert_has(record_of(&c), "\"mock\":true");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_holds_what_must_be_remembered),
		cmocka_unit_test(what_a_call_came_to_stands_in_its_event_and_code),
		cmocka_unit_test(arguments_leave_by_their_class),
		cmocka_unit_test(equal_values_match_under_one_key_only),
		cmocka_unit_test(arguments_too_large_leave_digest_and_size),
		cmocka_unit_test(text_from_outside_stays_on_one_line_and_is_clipped),
		cmocka_unit_test(everything_at_its_longest_fits),
		cmocka_unit_test(a_change_at_its_longest_fits),
		cmocka_unit_test(what_became_of_a_change_stands_in_its_event),
		cmocka_unit_test(a_call_without_entry_or_principal_is_recorded),
		cmocka_unit_test(a_refusal_says_who_in_which_era_asked_for_what),
		cmocka_unit_test(columns_seen_by_a_grant_are_named_and_mocks_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
