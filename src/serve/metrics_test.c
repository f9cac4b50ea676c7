/* Numbers of what happened: one meter for a name whatever the generation, bounded names and
 * reasons, and text that Prometheus reads. */
#include "base/test.h"
#include "serve/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct metrics *metrics;
static struct map known;
static struct arena arena;

static const struct entry look = { .kind = ENTRY_TOOL, .name = STR_INIT("look") };
static const struct entry odd = { .kind = ENTRY_PROMPT, .name = STR_INIT("a\"b\\c\nd") };
static const struct entry *const tools[] = { &look };
static const struct entry *const prompts[] = { &odd };
static const struct catalog catalog = {
	.tools = tools, .tool_count = 1, .prompts = prompts, .prompt_count = 1
};

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	metrics = metrics_new();
	map_init(&known);
	metrics_know(metrics, &catalog, &known);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_done(&known);
	metrics_free(&metrics);
	arena_done(&arena);
	return 0;
}

static void count(const struct entry *e, enum call_end end, enum fault_code code, uint64_t us)
{
	struct call c = {
		.entry = e, .end = end, .started_ns = 1000, .ended_ns = 1000 + us * 1000
	};

	c.fault.code = code;
	c.fault.reason = S("why");
	metrics_call_begin(metrics);
	metrics_call_end(metrics, &known, &c);
}

static struct str written(void)
{
	struct buf out;
	struct str text;

	buf_init(&out, (size_t)16 << 20);
	metrics_write(metrics, &out);
	assert_true(buf_ok(&out));
	text = arena_str(&arena, buf_str(&out));
	buf_done(&out);
	return text;
}

static void assert_says(const char *line)
{
	struct str text = written();

	if (str_find_str(text, 0, str_c(line)) == text.n)
		fail_msg("no \"%s\" in:\n%.*s", line, STR_ARG(text));
}

static void calls_are_counted_by_entry_and_code(void **state)
{
	(void)state;
	count(&look, CALL_DONE, FAULT_NONE, 10);
	count(&look, CALL_DONE, FAULT_NONE, 700);
	count(&look, CALL_FAULT, RATE_LIMITED, 90000000);
	count(&look, CALL_ASKS, FAULT_NONE, 1);
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"OK\"} 2\n");
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"RATE_LIMITED\"} 1\n");
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"INPUT_REQUIRED\"} 1\n");
	assert_says("postern_call_seconds_bucket{what=\"tool\",tool=\"look\",le=\"0.0005\"} 2\n");
	assert_says("postern_call_seconds_bucket{what=\"tool\",tool=\"look\",le=\"0.001\"} 3\n");
	assert_says("postern_call_seconds_bucket{what=\"tool\",tool=\"look\",le=\"30\"} 3\n");
	assert_says("postern_call_seconds_bucket{what=\"tool\",tool=\"look\",le=\"+Inf\"} 4\n");
	assert_says("postern_call_seconds_sum{what=\"tool\",tool=\"look\"} 90.000711\n");
	assert_says("postern_limit_refusals_total{code=\"RATE_LIMITED\",reason=\"why\"} 1\n");
	assert_says("postern_calls_running 0\n");
}

static void a_name_is_escaped_and_an_unknown_entry_is_other(void **state)
{
	static const struct entry stranger = { .kind = ENTRY_TOOL, .name = STR_INIT("stranger") };
	struct str text;

	(void)state;
	count(&odd, CALL_DONE, FAULT_NONE, 1);
	count(&stranger, CALL_DONE, FAULT_NONE, 1);
	assert_says(
		"postern_calls_total{what=\"prompt\",tool=\"a\\\"b\\\\c\\nd\",code=\"OK\"} 1\n");
	assert_says("postern_calls_total{what=\"other\",tool=\"other\",code=\"OK\"} 1\n");
	text = written();
	assert_int_equal(str_find_str(text, 0, S("stranger")), text.n);
}

static void the_next_generation_counts_on(void **state)
{
	static const struct entry again = { .kind = ENTRY_TOOL, .name = STR_INIT("look") };
	static const struct entry *const list[] = { &again };
	const struct catalog next = { .tools = list, .tool_count = 1 };

	(void)state;
	count(&look, CALL_DONE, FAULT_NONE, 1);
	metrics_know(metrics, &next, &known);
	count(&again, CALL_DONE, FAULT_NONE, 1);
	count(&look, CALL_DONE, FAULT_NONE, 1);
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"OK\"} 3\n");
}

static void refusals_are_told_apart_by_their_kind(void **state)
{
	(void)state;
	metrics_refused(metrics, "AUTH_FAIL", S("expired"));
	metrics_refused(metrics, "AUTH_FAIL", S("expired"));
	metrics_refused(metrics, "DENY", S("host"));
	count(&look, CALL_FAULT, PERMISSION_DENIED, 1);
	metrics_reloaded(metrics, false);
	assert_says("postern_auth_failures_total{verdict=\"expired\"} 2\n");
	assert_says("postern_refusals_total{event=\"DENY\",reason=\"host\"} 1\n");
	assert_says("postern_call_faults_total{code=\"PERMISSION_DENIED\",reason=\"why\"} 1\n");
	assert_says("postern_reloads_total{result=\"refused\"} 1\n");
}

static void names_and_reasons_have_an_end(void **state)
{
	static struct entry many[METRICS_NAMES_MAX + 10];
	static const struct entry *list[ARRAY_LEN(many)];
	const struct catalog next = { .tools = list, .tool_count = ARRAY_LEN(list) };
	char reason[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i].name = arena_fmt(&arena, "tool%zu", i);
		list[i] = &many[i];
	}
	metrics_know(metrics, &next, &known);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		count(&many[i], CALL_DONE, FAULT_NONE, 1);
	assert_says("postern_calls_total{what=\"tool\",tool=\"tool7\",code=\"OK\"} 1\n");
	assert_says("postern_calls_total{what=\"other\",tool=\"other\",code=\"OK\"} 12\n");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(reason, sizeof reason, "reason%u", i);
		metrics_refused(metrics, "DENY", str_c(reason));
	}
	assert_says("postern_refusals_total{event=\"other\",reason=\"other\"} 745\n");
}

static void a_page_that_does_not_fit_holds_up_nobody(void **state)
{
	struct buf out;

	(void)state;
	count(&look, CALL_DONE, FAULT_NONE, 1);
	buf_init(&out, 100);
	metrics_write(metrics, &out);
	assert_false(buf_ok(&out));
	buf_done(&out);
	metrics_refused(metrics, "DENY", S("host"));
	assert_says("postern_refusals_total{event=\"DENY\",reason=\"host\"} 1\n");
}

static void *hammer(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < 2000; i++)
		count(&look, i % 4 ? CALL_DONE : CALL_FAULT, i % 4 ? FAULT_NONE : BUSY, i);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"OK\"} 6000\n");
	assert_says("postern_calls_total{what=\"tool\",tool=\"look\",code=\"BUSY\"} 2000\n");
	assert_says("postern_call_seconds_count{what=\"tool\",tool=\"look\"} 8000\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_are_counted_by_entry_and_code),
		TEST(a_name_is_escaped_and_an_unknown_entry_is_other),
		TEST(the_next_generation_counts_on),
		TEST(refusals_are_told_apart_by_their_kind),
		TEST(names_and_reasons_have_an_end),
		TEST(a_page_that_does_not_fit_holds_up_nobody),
		TEST(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
