/* schema_limit_test - hostile schemas and values end in bounded time and memory; threads; arenas
 * that are too small. */
#include "json/schema_testing.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* prefix + count times part + suffix */
static struct str repeated(
	struct arena *a, const char *prefix, const char *part, unsigned count, const char *suffix)
{
	struct buf b;

	buf_in(&b, a, 64 << 20);
	buf_add(&b, str_c(prefix));
	for (unsigned i = 0; i < count; i++)
		buf_add(&b, str_c(part));
	buf_add(&b, str_c(suffix));
	assert_true(buf_ok(&b));
	return buf_str(&b);
}

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void a_schema_of_too_many_parts_is_refused(void **state)
{
	struct bench *b = *state;
	struct err err = { 0 };

	assert_null(compiled(b,
		repeated(&b->compiled, "{\"allOf\":[", "true,", SCHEMA_MAX_NODES, "true]}"), &err));
	assert_non_null(strstr(err.text, "more than"));
}

/* Each level asks the next twice: 2^30 steps without a budget. */
static void a_schema_that_multiplies_is_stopped_and_nothing_fits_it(void **state)
{
	struct bench *b = *state;
	struct timespec from;
	struct schema *s, *turned;
	struct buf text;

	for (int inverted = 0; inverted < 2; inverted++) {
		buf_in(&text, &b->compiled, 1 << 16);
		buf_fmt(&text, "{%s\"$ref\":\"#/$defs/n0\"%s,\"$defs\":{",
			inverted ? "\"not\":{" : "", inverted ? "}" : "");
		for (int i = 0; i < 30; i++)
			buf_fmt(&text,
				"\"n%d\":{\"allOf\":[{\"$ref\":\"#/$defs/n%d\"},"
				"{\"$ref\":\"#/$defs/n%d\"}]},",
				i, i + 1, i + 1);
		buf_lit(&text, "\"n30\":{\"type\":\"integer\"}}}");
		s = must_compile(b, buf_str(&text));
		turned = s;
		clock_gettime(CLOCK_MONOTONIC, &from);
		assert_true(str_starts(faults_of(b, turned, S("1")), S(" limit: ")));
		assert_true(seconds_since(&from) < 5);
	}
}

static void a_pattern_over_its_steps_makes_the_value_invalid_even_under_not(void **state)
{
	struct str text =
		S("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"");

	assert_true(
		faults_of(*state, must_compile(*state, S("{\"pattern\":\"^(a+)+$\"}")), text).n);
	assert_true(faults_of(
		*state, must_compile(*state, S("{\"not\":{\"pattern\":\"^(a+)+$\"}}")), text)
			    .n);
}

static void recursion_by_dynamic_reference_is_bounded(void **state)
{
	/* static targets end; the dynamic scope turns the second into the first, for ever */
	struct schema *s = must_compile(*state,
		S("{\"$id\":\"urn:a\",\"$dynamicAnchor\":\"x\",\"$ref\":\"urn:b\",\"$defs\":{"
		  "\"b\":{\"$id\":\"urn:b\",\"$dynamicRef\":\"#x\","
		  "\"$defs\":{\"x\":{\"$dynamicAnchor\":\"x\"}}}}}"));

	assert_true(str_starts(faults_of(*state, s, S("1")), S(" limit: ")));
}

static void unique_items_take_linear_time_and_see_equal_objects(void **state)
{
	struct bench *b = *state;
	struct schema *s = must_compile(b, S("{\"uniqueItems\":true}"));
	struct timespec from;
	struct buf text;

	buf_in(&text, &b->scratch, 8 << 20);
	buf_lit(&text, "[");
	for (int i = 0; i < 20000; i++)
		buf_fmt(&text, "{\"a\":1,\"b\":%d},", i);
	buf_lit(&text, "0]");
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(faults_of(b, s, buf_str(&text)).n, 0);
	assert_true(seconds_since(&from) < 5);
	text.n -= 2;
	buf_lit(&text, "{\"b\":7.0,\"a\":1e0}]");
	assert_true(str_eq(faults_of(b, s, buf_str(&text)),
		S(" uniqueItems: items that all differ; number 20000 equals number 7 (from 0)")));
}

static void large_values_are_refused_or_checked_in_bounded_time(void **state)
{
	struct bench *b = *state;
	struct schema *few =
		must_compile(b, S("{\"maxItems\":1000,\"items\":{\"type\":\"integer\"}}"));
	struct schema *closed =
		must_compile(b, S("{\"additionalProperties\":false,\"properties\":{\"a\":true}}"));
	struct schema_faults faults;
	struct buf text;

	assert_true(str_starts(faults_of(b, few, repeated(&b->scratch, "[", "1,", 90000, "1]")),
		S(" maxItems: at most 1000 items")));
	buf_in(&text, &b->scratch, 1 << 20);
	buf_lit(&text, "{");
	for (int i = 0; i < 10000; i++)
		buf_fmt(&text, "\"k%d\":0,", i);
	buf_lit(&text, "\"z\":0}");
	assert_false(
		schema_check(closed, &b->scratch, parsed(&b->scratch, buf_str(&text)), &faults));
	assert_int_equal(faults.count, SCHEMA_MAX_FAULTS);
	assert_true(str_eq(faults.list[15].pointer, S("/k15")));
	assert_false(schema_check(closed, &b->scratch,
		parsed(&b->scratch, repeated(&b->scratch, "{\"", "k", 65536, "\":0}")), &faults));
	assert_true(faults.list[0].pointer.n < 300);
}

static void large_enums_and_many_required_names_are_found_at_once(void **state)
{
	struct bench *b = *state;
	struct buf enums, required, value;
	struct schema *s;

	buf_in(&enums, &b->compiled, 1 << 20);
	buf_in(&required, &b->compiled, 1 << 20);
	buf_in(&value, &b->compiled, 1 << 20);
	buf_lit(&enums, "{\"items\":{\"enum\":[");
	buf_lit(&required, "{\"required\":[");
	buf_lit(&value, "{");
	for (int i = 0; i < 8000; i++) {
		buf_fmt(&enums, "%s%d", i ? "," : "", i);
		buf_fmt(&required, "\"k%d\",", i);
		buf_fmt(&value, "%s\"k%d\":0", i ? "," : "", i);
	}
	buf_lit(&enums, "]}}");
	buf_lit(&required, "\"last\"]}");
	buf_lit(&value, "}");
	s = must_compile(b, buf_str(&required));
	assert_true(str_eq(faults_of(b, s, buf_str(&value)), S(" required: the property last")));
	s = must_compile(b, buf_str(&enums));
	assert_int_equal(faults_of(b, s, repeated(&b->scratch, "[", "7999.0,", 8000, "0]")).n, 0);
	assert_true(str_starts(faults_of(b, s, S("[0,8000]")), S("/1 enum: one of: 0, 1, 2")));
}

static void a_compilation_cut_short_by_its_arena_loses_nothing(void **state)
{
	struct bench *b = *state;
	struct json *root = parsed(&b->compiled, S(CUSTOMER));
	struct schema_options options = { 0 };
	bool done = false;

	for (size_t limit = 512; !done && limit < 1 << 20; limit += 512) {
		struct arena a;
		struct err err = { 0 };
		jmp_buf place;

		arena_init(&a, limit);
		if (!arena_catch(&a, &place))
			done = schema_compile(&a, root, &options, &err) != NULL;
		arena_done(&a); /* the leak checker looks on */
	}
	assert_true(done);
}

struct worker {
	const struct schema *schema;
	const struct json *good, *bad;
	bool failed;
};

static void *check_often(void *what)
{
	struct worker *w = what;
	struct arena scratch;
	struct schema_faults faults;

	arena_init(&scratch, 1 << 20);
	for (int i = 0; i < 300; i++) {
		w->failed |= !schema_check(w->schema, &scratch, w->good, NULL);
		w->failed |= schema_check(w->schema, &scratch, w->bad, &faults);
		w->failed |= faults.count != 2;
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return NULL;
}

static void one_schema_serves_many_threads(void **state)
{
	struct bench *b = *state;
	struct worker w[4];
	pthread_t thread[4];

	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		w[i] = (struct worker){ .schema = i ? w[0].schema : must_compile(b, S(CUSTOMER)),
			.good = parsed(&b->compiled, S("{" GOOD ",\"born\":\"2026-02-28\"}")),
			.bad = parsed(&b->compiled, S("{\"id\":\"x\",\"status\":1}")) };
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, check_often, &w[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_false(w[i].failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEMA_TEST(a_schema_of_too_many_parts_is_refused),
		SCHEMA_TEST(a_schema_that_multiplies_is_stopped_and_nothing_fits_it),
		SCHEMA_TEST(a_pattern_over_its_steps_makes_the_value_invalid_even_under_not),
		SCHEMA_TEST(recursion_by_dynamic_reference_is_bounded),
		SCHEMA_TEST(unique_items_take_linear_time_and_see_equal_objects),
		SCHEMA_TEST(large_values_are_refused_or_checked_in_bounded_time),
		SCHEMA_TEST(large_enums_and_many_required_names_are_found_at_once),
		SCHEMA_TEST(a_compilation_cut_short_by_its_arena_loses_nothing),
		SCHEMA_TEST(one_schema_serves_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
