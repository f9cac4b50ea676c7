/* Trees and their JSON text: order, lexemes and places are kept; what is not plain data is refused.
 */
#include "config/yaml.h"

#include <string.h>

#include "base/arena_fixture.h"

static const struct yaml *parse(struct arena *a, struct str text, struct findings *f)
{
	findings_init(f, a);
	return yaml_parse(a, S("t.yaml"), text, f);
}

static void plain_scalars_follow_the_core_schema(void **state)
{
	static const struct {
		const char *text, *json;
	} table[] = {
		{ "a: 1", "{\"a\":1}" },
		{ "a: '1'", "{\"a\":\"1\"}" },
		{ "a: -1.50", "{\"a\":-1.50}" },
		{ "a: 1E+5", "{\"a\":1E+5}" },
		{ "a: 9007199254740993", "{\"a\":9007199254740993}" },
		{ "a: 0.1000000000000000055", "{\"a\":0.1000000000000000055}" },
		{ "a: +5", "{\"a\":5}" },
		{ "a: 007", "{\"a\":7}" },
		{ "a: .5", "{\"a\":0.5}" },
		{ "a: 5.", "{\"a\":5.0}" },
		{ "a: -.5e3", "{\"a\":-0.5e3}" },
		{ "a: 0x1F", "{\"a\":31}" },
		{ "a: 0o17", "{\"a\":15}" },
		{ "a: 0xffffffffffffffff", "{\"a\":18446744073709551615}" },
		{ "a: 0x1ffffffffffffffff", "{\"a\":\"0x1ffffffffffffffff\"}" },
		{ "a: .inf", "{\"a\":\".inf\"}" },
		{ "a: .", "{\"a\":\".\"}" },
		{ "a: 1_000", "{\"a\":\"1_000\"}" },
		{ "a: 1e", "{\"a\":\"1e\"}" },
		{ "a: no", "{\"a\":\"no\"}" },
		{ "a: on", "{\"a\":\"on\"}" },
		{ "a: True", "{\"a\":true}" },
		{ "a: FALSE", "{\"a\":false}" },
		{ "a: ~", "{\"a\":null}" },
		{ "a:", "{\"a\":null}" },
		{ "a: ''", "{\"a\":\"\"}" },
		{ "a: 2026-11-21", "{\"a\":\"2026-11-21\"}" },
		{ "b: 1\na: [x, {c: d}]", "{\"b\":1,\"a\":[\"x\",{\"c\":\"d\"}]}" },
		{ "a: \"q\\\"\\\\\\n\\t\\e\"", "{\"a\":\"q\\\"\\\\\\n\\t\\u001b\"}" },
		{ "a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}" },
		{ "1: 2", "{\"1\":2}" },
		{ "[]", "[]" },
		{ "{}", "{}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct yaml *y;
		struct findings f;
		struct buf out;

		y = parse(*state, str_c(table[i].text), &f);
		if (!y)
			fail_msg("%s", table[i].text);
		buf_in(&out, *state, 65536);
		yaml_to_json(y, &out);
		assert_string_equal(arena_cstr(*state, buf_str(&out)), table[i].json);
	}
}

static void templates_hide_doubled_braces_and_names(void **state)
{
	struct findings f;
	struct buf out;

	buf_in(&out, *state, 65536);
	yaml_to_template(parse(*state, S("'{{k}}{n}': 'a {{b}} {c} }} {{{d}}}'"), &f), &out);
	assert_string_equal(arena_cstr(*state, buf_str(&out)),
		"{\"\\u007b\\u007bk\\u007d\\u007d\\u007bn\\u007d\":\"a \\u007bb\\u007d {c} \\u007d "
		"\\u007b{d\\u007d}\"}");
}

static void what_is_not_plain_data_is_refused(void **state)
{
	static const struct {
		const char *text, *code;
	} table[] = {
		{ "a: &x 1", "yaml.alias" },
		{ "a: *x", "yaml.alias" },
		{ "a: !x 1", "yaml.tag" },
		{ "a: !!str 1", "yaml.tag" },
		{ "!x a: 1", "yaml.tag" },
		{ "&x {a: 1}", "yaml.alias" },
		{ "a: !x [1]", "yaml.tag" },
		{ "[a]: 1", "yaml.key" },
		{ "{a: 1}: 1", "yaml.key" },
		{ "a: 1\na: 2", "yaml.duplicate_key" },
		{ "a: {b: 1, 'b': 2}", "yaml.duplicate_key" },
		{ "a: 1\n---\nb: 1", "yaml.documents" },
		{ "", "yaml.empty" },
		{ "# only a comment", "yaml.empty" },
		{ "%TAG ! tag:x,2000:\n---\na: 1", "yaml.empty" },
		{ "a: [", "yaml.syntax" },
		{ "a: 'x", "yaml.syntax" },
		{ "\ta: 1", "yaml.syntax" },
		{ "a: \xff", "yaml.encoding" },
		{ "a: \x01", "yaml.encoding" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct findings f;

		if (parse(*state, str_c(table[i].text), &f))
			fail_msg("%s", table[i].text);
		assert_int_equal(f.errors, 1);
		assert_string_equal(f.list[0].code, table[i].code);
	}
}

static void size_depth_and_count_are_bounded(void **state)
{
	struct findings f;
	struct buf b;

	buf_in(&b, *state, (size_t)4 << 20);
	for (int i = 0; i < 100000; i++)
		buf_char(&b, '[');
	assert_null(parse(*state, buf_str(&b), &f));
	assert_string_equal(f.list[0].code, "yaml.depth");
	buf_clear(&b);
	for (int i = 0; i < 64; i++)
		buf_char(&b, '[');
	for (int i = 0; i < 64; i++)
		buf_char(&b, ']');
	assert_non_null(parse(*state, buf_str(&b), &f));
	buf_clear(&b);
	buf_char(&b, '[');
	for (int i = 0; i < YAML_MAX_NODES; i++)
		buf_lit(&b, "a,");
	buf_char(&b, ']');
	assert_null(parse(*state, buf_str(&b), &f));
	assert_string_equal(f.list[0].code, "yaml.size");
	buf_clear(&b);
	buf_lit(&b, "a: '");
	while (b.n <= YAML_MAX_BYTES)
		buf_char(&b, 'x');
	buf_char(&b, '\'');
	assert_null(parse(*state, buf_str(&b), &f));
	assert_string_equal(f.list[0].code, "yaml.size");
}

static void every_node_knows_its_place(void **state)
{
	struct findings f;
	const struct yaml *y = parse(*state, S("a: 1\nb:\n  - x\n  - yy: z\n"), &f);
	const struct yaml *list = yaml_get(y, S("b"));

	assert_int_equal(y->entries[1].at.line, 2);
	assert_int_equal(list->items[1].entries[0].value.at.line, 4);
	assert_int_equal(list->items[1].entries[0].value.at.column, 9);
	assert_null(yaml_get(y, S("c")));
	assert_null(yaml_get(list, S("c")));
}

static void findings_are_sorted_and_waived_by_code(void **state)
{
	struct findings f;
	struct buf out;

	findings_init(&f, *state);
	finding_error(&f, (struct place){ S("b"), 1, 1 }, "x.y", S("second"), STR_NONE);
	finding_warn(&f, (struct place){ S("a"), 9, 2 }, "x.z", S("first"), S("do it"));
	finding_error(&f, (struct place){ S("b"), 0, 0 }, "x.w", S("of the file"), STR_NONE);
	assert_int_equal(f.errors, 2);
	assert_int_equal(findings_waive(&f, 0, S("x.y"), S("because")), 1);
	assert_int_equal(findings_waive(&f, 1, S("x.y"), S("because")), 0);
	assert_int_equal(f.errors, 1);
	buf_in(&out, *state, 65536);
	findings_write(&f, &out);
	assert_string_equal(arena_cstr(*state, buf_str(&out)),
		"a:9:2: warning [x.z] first; do it\n"
		"b: error [x.w] of the file\n"
		"b:1:1: warning [x.y] second (waived: because)\n");
	for (int i = 0; i < FINDINGS_MAX + 5; i++)
		finding_error(&f, (struct place){ S("b"), 1, 1 }, "x.y", S("more"), STR_NONE);
	assert_int_equal(f.count, FINDINGS_MAX);
	assert_int_equal(f.errors, FINDINGS_MAX + 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(plain_scalars_follow_the_core_schema),
		WITH_ARENA(templates_hide_doubled_braces_and_names),
		WITH_ARENA(what_is_not_plain_data_is_refused),
		WITH_ARENA(size_depth_and_count_are_bounded),
		WITH_ARENA(every_node_knows_its_place),
		WITH_ARENA(findings_are_sorted_and_waived_by_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
