/* value_test - questions about values that were read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "json/json.h"

#define ARENA_BYTES ((size_t)1 << 20)

static void names_that_differ_only_in_case_are_found(void **state)
{
	static const struct str known[] = { STR_INIT("method"), STR_INIT("id"), STR_INIT("ID") };
	static const struct {
		struct str text;
		const char *name; /* NULL: none */
	} cases[] = {
		{ STR_INIT("{\"method\":1,\"id\":2}"), NULL },
		{ STR_INIT("{\"Method\":1}"), "Method" },
		{ STR_INIT("{\"method\":1,\"METHOD\":2}"), "METHOD" },
		{ STR_INIT("{\"ID\":1}"), NULL },
		{ STR_INIT("{\"iD\":1}"), "iD" },
		{ STR_INIT("{\"methods\":1}"), NULL },
		{ STR_INIT("[\"Method\"]"), NULL },
		{ STR_INIT("{\"a\":{\"Method\":1}}"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a;
		struct json v;
		struct json_error error;
		struct str name = STR_NONE;

		arena_init(&a, ARENA_BYTES);
		assert_true(json_parse(&a, cases[i].text, &v, &error));
		if (json_folds(&v, known, ARRAY_LEN(known), &name) != (cases[i].name != NULL) ||
			!str_eq(name, str_c(cases[i].name)))
			fail_msg("%s", cases[i].text.p);
		arena_done(&a);
	}
}

static void an_escaped_nul_is_found_wherever_it_is(void **state)
{
	static const struct {
		struct str text;
		bool nul;
	} cases[] = {
		{ STR_INIT("{\"memo\":\"ab\\u0000cd\"}"), true },
		{ STR_INIT("[1,[{\"a\":[\"\\u0000\"]}]]"), true },
		{ STR_INIT("\"\\u0000\""), true },
		{ STR_INIT("{\"memo\":\"ab\\\\u0000cd\"}"), false },
		{ STR_INIT("[0,null,\"0\",{}]"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a;
		struct json v;
		struct json_error error;

		arena_init(&a, ARENA_BYTES);
		assert_true(json_parse(&a, cases[i].text, &v, &error));
		if (json_has_nul(&v) != cases[i].nul)
			fail_msg("%s", cases[i].text.p);
		arena_done(&a);
	}
}

static void kinds_and_faults_have_names(void **state)
{
	(void)state;
	for (int kind = JSON_NULL; kind <= JSON_OBJECT; kind++)
		assert_true(strlen(json_kind_name((enum json_kind)kind)) > 3);
	for (int fault = JSON_OK; fault <= JSON_BAD_ITEMS; fault++)
		assert_true(strlen(json_fault_name((enum json_fault)fault)) > 1);
	assert_string_equal(json_kind_name(JSON_BOOL), "boolean");
	assert_string_equal(json_fault_name(JSON_BAD_TRAILING), "json");
	assert_string_equal(json_fault_name(JSON_BAD_SURROGATE), "surrogate");
	assert_string_equal(json_fault_name(JSON_BAD_DEPTH), "depth");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_differ_only_in_case_are_found),
		cmocka_unit_test(an_escaped_nul_is_found_wherever_it_is),
		cmocka_unit_test(kinds_and_faults_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
