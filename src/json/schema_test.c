/* schema_test - what the official suite does not ask: the faults an agent reads, what is refused at
 * compile time, documents handed in. */
#include "json/schema_testing.h"

#include <stdio.h>
#include <string.h>

static void faults_tell_an_agent_what_to_mend(void **state)
{
	static const struct {
		struct str schema, value, faults;
	} cases[] = {
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD "}"), STR_INIT("") },
		{ STR_INIT(CUSTOMER),
			STR_INIT("{" GOOD ",\"age\":18.0,\"note\":null,\"born\":\"2026-02-28\"}"),
			STR_INIT("") },
		{ STR_INIT(CUSTOMER), STR_INIT("[]"), STR_INIT(" type: object") },
		{ STR_INIT(CUSTOMER), STR_INIT("{\"status\":\"active\"}"),
			STR_INIT(" required: the property id (string that matches "
				 "^cus_[0-9a-z]{10}$)") },
		{ STR_INIT(CUSTOMER), STR_INIT("{\"id\":\"cus_1\",\"status\":\"gone\"}"),
			STR_INIT("/id pattern: matches ^cus_[0-9a-z]{10}$|"
				 "/status enum: one of: active, inactive") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"age\":\"20\"}"),
			STR_INIT("/age type: integer") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"age\":17}"),
			STR_INIT("/age minimum: at least 18") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"age\":1e400}"),
			STR_INIT("/age maximum: at most 150") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"note\":\"too long\"}"),
			STR_INIT("/note maxLength: at most 5 characters") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"note\":1}"),
			STR_INIT("/note type: string or null") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"born\":\"2026-02-30\"}"),
			STR_INIT("/born format: date, like 2026-01-31") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"tags\":[\"a\",\"b\",\"a\"]}"),
			STR_INIT("/tags maxItems: at most 2 items|"
				 "/tags uniqueItems: items that all differ; number 2 equals number "
				 "0 (from 0)") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"tags\":[1]}"),
			STR_INIT("/tags/0 type: string") },
		{ STR_INIT(CUSTOMER), STR_INIT("{" GOOD ",\"home\":{\"city\":\"\",\"zip\":1}}"),
			STR_INIT("/home/city minLength: at least 1 character|"
				 "/home/zip additionalProperties: no such property; known: city") },
		{ STR_INIT(CUSTOMER),
			STR_INIT("{" GOOD ",\"__proto__\":1,\"constructor\":1,\"$ref\":1,\"\":1,"
				 "\"a/b~c\":1}"),
			STR_INIT(
				"/__proto__ additionalProperties: no such property; known: id, "
				"status, age, note, "
				"born, tags, home|/constructor additionalProperties: no such "
				"property; known: id, "
				"status, age, note, born, tags, home|/$ref additionalProperties: "
				"no such property; "
				"known: id, status, age, note, born, tags, home|/ "
				"additionalProperties: no such "
				"property; known: id, status, age, note, born, tags, home|/a~1b~0c "
				"additionalProperties: no such property; known: id, status, age, "
				"note, born, tags, "
				"home") },
		{ STR_INIT("{\"const\":{\"a\":1}}"), STR_INIT("1"),
			STR_INIT(" const: exactly {\"a\":1}") },
		{ STR_INIT("{\"multipleOf\":0.01}"), STR_INIT("1.005"),
			STR_INIT(" multipleOf: a multiple of 0.01") },
		{ STR_INIT("{\"exclusiveMinimum\":0}"), STR_INIT("0"),
			STR_INIT(" exclusiveMinimum: more than 0") },
		{ STR_INIT("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"),
			STR_INIT("1"), STR_INIT(" anyOf: string or null") },
		{ STR_INIT("{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"},\"x\":{"
			   "\"type\":\"integer\"}}},"
			   "{\"properties\":{\"kind\":{\"const\":\"b\"},\"y\":{\"type\":"
			   "\"integer\"}},"
			   "\"required\":[\"y\"]}]}"),
			STR_INIT("{\"kind\":\"b\"}"),
			STR_INIT(" oneOf: one of 2 forms; the nearest one wants:|"
				 " required: the property y (integer)") },
		{ STR_INIT("{\"oneOf\":[{\"minimum\":1},{\"maximum\":9}]}"), STR_INIT("5"),
			STR_INIT(" oneOf: exactly one of 2 forms; this fits two") },
		{ STR_INIT("{\"not\":{\"type\":\"null\"}}"), STR_INIT("null"),
			STR_INIT(" not: anything but null") },
		{ STR_INIT("{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}"), STR_INIT("{\"A\":1}"),
			STR_INIT("/A propertyNames: a property name of this kind: matches "
				 "^[a-z]+$") },
		{ STR_INIT("{\"dependentRequired\":{\"a\":[\"b\"]}}"), STR_INIT("{\"a\":1}"),
			STR_INIT(" dependentRequired: the property b, because a is there") },
		{ STR_INIT("{\"contains\":{\"type\":\"integer\"}}"), STR_INIT("[\"a\"]"),
			STR_INIT(" contains: at least 1 item that fits its schema: integer") },
		{ STR_INIT("{\"prefixItems\":[true],\"items\":false}"), STR_INIT("[1,2]"),
			STR_INIT("/1 items: no such item: at most 1 item") },
		{ STR_INIT("{\"properties\":{\"a\":true},\"unevaluatedProperties\":false}"),
			STR_INIT("{\"a\":1,\"b\":2}"),
			STR_INIT("/b unevaluatedProperties: no such property") },
		{ STR_INIT("{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]}}"),
			STR_INIT("{\"a\":1}"), STR_INIT(" required: the property b") },
		{ STR_INIT("{\"properties\":{\"a\":false}}"), STR_INIT("{\"a\":1}"),
			STR_INIT("/a false: nothing: no value is allowed here") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct schema *s = must_compile(*state, cases[i].schema);
		struct str got = faults_of(*state, s, cases[i].value);

		if (!str_eq(got, cases[i].faults))
			fail_msg("%s\n got    %.*s\n wanted %s", cases[i].value.p, STR_ARG(got),
				cases[i].faults.p);
	}
}

static void nothing_is_coerced_from_one_type_to_another(void **state)
{
	static const struct {
		const char *type;
		struct str value;
		bool fits;
	} cases[] = {
		{ "integer", STR_INIT("\"5\""), false },
		{ "string", STR_INIT("5"), false },
		{ "boolean", STR_INIT("\"true\""), false },
		{ "boolean", STR_INIT("1"), false },
		{ "object", STR_INIT("[]"), false },
		{ "array", STR_INIT("{}"), false },
		{ "null", STR_INIT("\"\""), false },
		{ "null", STR_INIT("false"), false },
		{ "integer", STR_INIT("5.0"), true },
		{ "integer", STR_INIT("5e0"), true },
		{ "integer", STR_INIT("50e-1"), true },
		{ "integer", STR_INIT("-0"), true },
		{ "integer", STR_INIT("5.5"), false },
		{ "number", STR_INIT("5.5"), true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[64];
		struct schema *s;

		snprintf(text, sizeof text, "{\"type\":\"%s\"}", cases[i].type);
		s = must_compile(
			*state, arena_str(&((struct bench *)*state)->compiled, str_c(text)));
		if ((faults_of(*state, s, cases[i].value).n == 0) != cases[i].fits)
			fail_msg("%s: %s", cases[i].type, cases[i].value.p);
	}
}

static void bounds_of_safe_and_of_64_bit_integers_are_exact(void **state)
{
	struct schema *safe =
		must_compile(*state, S("{\"type\":\"integer\",\"minimum\":-9007199254740991,"
				       "\"maximum\":9007199254740991}"));
	struct schema *wide =
		must_compile(*state, S("{\"type\":\"integer\",\"minimum\":-9223372036854775808,"
				       "\"maximum\":9223372036854775807}"));

	assert_int_equal(faults_of(*state, safe, S("9007199254740991")).n, 0);
	assert_int_not_equal(faults_of(*state, safe, S("9007199254740992")).n, 0);
	assert_int_not_equal(faults_of(*state, safe, S("-9007199254740992")).n, 0);
	assert_int_not_equal(faults_of(*state, safe, S("1e400")).n, 0);
	assert_int_equal(faults_of(*state, wide, S("9223372036854775807")).n, 0);
	assert_int_equal(faults_of(*state, wide, S("-9223372036854775808")).n, 0);
	assert_int_not_equal(faults_of(*state, wide, S("9223372036854775808")).n, 0);
	assert_int_not_equal(faults_of(*state, wide, S("9223372036854775807.5")).n, 0);
}

static void lengths_are_counted_in_code_points(void **state)
{
	struct schema *s = must_compile(*state, S("{\"minLength\":2,\"maxLength\":3}"));

	assert_int_not_equal(faults_of(*state, s, S("\"\U0001F432\"")).n, 0);
	assert_int_equal(faults_of(*state, s, S("\"\U0001F432\U0001F432\U0001F432\"")).n, 0);
	assert_int_not_equal(faults_of(*state, s, S("\"e\u0301e\u0301\"")).n, 0); /* no NFC */
	assert_int_equal(faults_of(*state, s, S("\"  \"")).n, 0);
	assert_int_not_equal(faults_of(*state, s, S("\"aaaa\"")).n, 0);
}

static void a_schema_that_says_nonsense_is_refused_with_its_place(void **state)
{
	static const struct {
		struct str schema;
		const char *where; /* to be found in the message */
	} cases[] = {
		{ STR_INIT("5"), "an object or a boolean" },
		{ STR_INIT("{\"type\":\"integr\"}"), "type is not a type" },
		{ STR_INIT("{\"type\":[]}"), "type is not a type" },
		{ STR_INIT("{\"type\":[\"null\",\"null\"]}"), "different types" },
		{ STR_INIT("{\"properties\":{\"a/b\":{\"minLength\":-1}}}"),
			"#/properties/a~1b: minLength" },
		{ STR_INIT("{\"maxItems\":1.5}"), "whole number" },
		{ STR_INIT("{\"minimum\":\"1\"}"), "a number" },
		{ STR_INIT("{\"multipleOf\":0}"), "above 0" },
		{ STR_INIT("{\"multipleOf\":-2}"), "above 0" },
		{ STR_INIT("{\"required\":\"a\"}"), "names" },
		{ STR_INIT("{\"required\":[1]}"), "names" },
		{ STR_INIT("{\"enum\":1}"), "an array" },
		{ STR_INIT("{\"uniqueItems\":1}"), "a boolean" },
		{ STR_INIT("{\"allOf\":[]}"), "array of schemas" },
		{ STR_INIT("{\"allOf\":{}}"), "array of schemas" },
		{ STR_INIT("{\"items\":[{}]}"), "#/items" },
		{ STR_INIT("{\"properties\":[]}"), "object of schemas" },
		{ STR_INIT("{\"properties\":{\"a\":[]}}"), "made of schemas" },
		{ STR_INIT("{\"properties\":{\"a\":1}}"), "#/properties/a" },
		{ STR_INIT("{\"pattern\":\"(\"}"), "pattern" },
		{ STR_INIT("{\"pattern\":\"(a)\\\\1\"}"), "back-references" },
		{ STR_INIT("{\"pattern\":\"(?=a)\"}"), "look-around" },
		{ STR_INIT("{\"patternProperties\":{\"(?!a)\":true}}"), "look-around" },
		{ STR_INIT("{\"format\":5}"), "a string" },
		{ STR_INIT("{\"$ref\":\"#/$defs/none\"}"), "#/$defs/none" },
		{ STR_INIT("{\"$ref\":\"#none\"}"), "#none" },
		{ STR_INIT("{\"$ref\":\"https://example.com/never-fetched\"}"), "never-fetched" },
		{ STR_INIT("{\"$ref\":5}"), "a string" },
		{ STR_INIT("{\"$ref\":\"#\"}"), "without end" },
		{ STR_INIT("{\"allOf\":[{\"$ref\":\"#\"}]}"), "without end" },
		{ STR_INIT("{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/b\"}},"
			   "\"b\":{\"if\":{\"$ref\":\"#/$defs/a\"}}}}"),
			"without end" },
		{ STR_INIT("{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}"),
			"there already" },
		{ STR_INIT("{\"$defs\":{\"a\":{\"$id\":\"urn:x\"},\"b\":{\"$id\":\"urn:x\"}}}"),
			"two schemas" },
		{ STR_INIT("{\"$anchor\":\"1x\"}"), "not a name" },
		{ STR_INIT("{\"$id\":\"urn:x#y\"}"), "fragment" },
		{ STR_INIT("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}"),
			"another dialect" },
		{ STR_INIT("{\"$schema\":7}"), "$schema" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };

		if (compiled(*state, cases[i].schema, &err))
			fail_msg("accepted: %s", cases[i].schema.p);
		assert_int_equal(err.code, E_INVALID);
		if (!strstr(err.text, cases[i].where))
			fail_msg("%s: %s", cases[i].schema.p, err.text);
	}
}

static void an_error_is_untouched_when_the_schema_compiles(void **state)
{
	struct err err = { .code = E_IO, .text = "before" };

	assert_non_null(
		compiled(*state, S("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":true}}"), &err));
	assert_int_equal(err.code, E_IO);
	assert_string_equal(err.text, "before");
}

static void documents_handed_in_are_found_by_uri_and_by_the_ids_inside(void **state)
{
	struct bench *b = *state;
	struct schema_document documents[] = {
		{ S("https://example.com/types.json"),
			parsed(&b->compiled, S("{\"$defs\":{\"money\":{\"$anchor\":\"money\","
					       "\"type\":\"string\"}}}")) },
		{ S("https://example.com/bundle.json"),
			parsed(&b->compiled,
				S("{\"$defs\":{\"x\":{\"$id\":\"urn:x\",\"type\":\"null\"}}}")) },
	};
	struct schema_options options = { .documents = documents,
		.document_count = 2,
		.base_uri = S("https://example.com/tools/pay.json") };
	struct err err = { 0 };
	struct schema *s = schema_compile(&b->compiled,
		parsed(&b->compiled, S("{\"properties\":{\"a\":{\"$ref\":\"../types.json#money\"},"
				       "\"b\":{\"$ref\":\"/types.json#/$defs/money\"},"
				       "\"c\":{\"$ref\":\"urn:x\"}}}")),
		&options, &err);

	assert_non_null(s);
	assert_int_equal(faults_of(b, s, S("{\"a\":\"1\",\"b\":\"1\",\"c\":null}")).n, 0);
	assert_true(str_eq(faults_of(b, s, S("{\"a\":1,\"b\":1,\"c\":1}")),
		S("/a type: string|/b type: string|/c type: null")));
	schema_done(s);
	schema_done(s); /* the arena does it again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEMA_TEST(faults_tell_an_agent_what_to_mend),
		SCHEMA_TEST(nothing_is_coerced_from_one_type_to_another),
		SCHEMA_TEST(bounds_of_safe_and_of_64_bit_integers_are_exact),
		SCHEMA_TEST(lengths_are_counted_in_code_points),
		SCHEMA_TEST(a_schema_that_says_nonsense_is_refused_with_its_place),
		SCHEMA_TEST(an_error_is_untouched_when_the_schema_compiles),
		SCHEMA_TEST(documents_handed_in_are_found_by_uri_and_by_the_ids_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
