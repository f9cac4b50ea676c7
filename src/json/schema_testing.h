/* schema_testing - what the tests of schema share: arenas for one test, faults as one text. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "json/schema.h"

struct bench {
	struct arena compiled, scratch;
};

static inline int set_up(void **state)
{
	struct bench *b = heap_new(struct bench);

	arena_init(&b->compiled, 256 << 20);
	arena_init(&b->scratch, 256 << 20);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;

	arena_done(&b->scratch);
	arena_done(&b->compiled); /* releases the schemas of the test, too */
	heap_free(b);
	return 0;
}

static inline struct json *parsed(struct arena *a, struct str text)
{
	struct json *v = arena_new(a, struct json);
	struct json_error error = { 0 };

	if (!json_parse(a, text, v, &error))
		fail_msg("not JSON (%s at %zu): %.*s", json_fault_name(error.fault), error.offset,
			STR_ARG(text));
	return v;
}

static inline struct schema *compiled(struct bench *b, struct str text, struct err *err)
{
	static const struct schema_options options = { .assert_formats = true,
		.linear_patterns = true };

	return schema_compile(&b->compiled, parsed(&b->compiled, text), &options, err);
}

static inline struct schema *must_compile(struct bench *b, struct str text)
{
	struct err err = { 0 };
	struct schema *s = compiled(b, text, &err);

	if (!s)
		fail_msg("%.*s: %s", STR_ARG(text), err.text);
	return s;
}

/* "pointer keyword: expected" of each fault, joined by '|'; empty when the value fits. */
static inline struct str faults_of(struct bench *b, const struct schema *s, struct str value)
{
	struct json *v = parsed(&b->scratch, value);
	struct schema_faults faults;
	struct buf out;
	bool fits = schema_check(s, &b->scratch, v, &faults);

	assert_int_equal(fits, schema_check(s, &b->scratch, v, NULL));
	assert_int_equal(fits, faults.count == 0);
	assert_true(faults.count <= SCHEMA_MAX_FAULTS);
	buf_in(&out, &b->scratch, 1 << 16);
	for (size_t i = 0; i < faults.count; i++)
		buf_fmt(&out, "%s%.*s %.*s: %.*s", i ? "|" : "", STR_ARG(faults.list[i].pointer),
			STR_ARG(faults.list[i].keyword), STR_ARG(faults.list[i].expected));
	return buf_str(&out);
}

#define CUSTOMER                                                                                   \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"id\",\"status\"],"    \
	"\"properties\":{\"id\":{\"type\":\"string\",\"pattern\":\"^cus_[0-9a-z]{10}$\"},"         \
	"\"status\":{\"enum\":[\"active\",\"inactive\"]},"                                         \
	"\"age\":{\"type\":\"integer\",\"minimum\":18,\"maximum\":150},"                           \
	"\"note\":{\"type\":[\"string\",\"null\"],\"maxLength\":5},"                               \
	"\"born\":{\"type\":\"string\",\"format\":\"date\"},"                                      \
	"\"tags\":{\"type\":\"array\",\"maxItems\":2,\"uniqueItems\":true,"                        \
	"\"items\":{\"type\":\"string\"}},"                                                        \
	"\"home\":{\"type\":\"object\",\"additionalProperties\":false,"                            \
	"\"properties\":{\"city\":{\"type\":\"string\",\"minLength\":1}}}}}"
#define GOOD "\"id\":\"cus_0123456789\",\"status\":\"active\""

#define SCHEMA_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
