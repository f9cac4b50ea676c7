/* What leaves: rows in their shapes, faults, resources, prompts, completions. */
#include "base/test.h"
#include "render/render.h"

#include "json/json.h"

#include <string.h>

static struct arena arena;

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

static const struct column two[] = {
	{ .name = STR_INIT("id"), .type = COLUMN_INTEGER },
	{ .name = STR_INIT("name"), .type = COLUMN_STRING, .nullable = true },
};

#define PART(n, s)                                                                                 \
	{                                                                                          \
		.name = STR_INIT(n), .shape = s, .columns = two, .column_count = 2, .rows = 100    \
	}

static const struct part one = PART("", SHAPE_ONE), maybe = PART("", SHAPE_MAYBE),
			 many = PART("", SHAPE_MANY);
static const struct part several[] = { PART("head", SHAPE_ONE), PART("lines", SHAPE_MANY),
	PART("owner", SHAPE_MAYBE), PART("notes", SHAPE_MANY) };

static struct call *call_of(enum entry_kind kind, const struct part *parts, size_t count)
{
	struct call *c = arena_new(&arena, struct call);
	struct entry *e = arena_new(&arena, struct entry);

	*e = (struct entry){ .kind = kind,
		.name = S("people"),
		.bytes = 4096,
		.action = { .kind = ACTION_READ, .parts = parts, .part_count = count } };
	c->arena = &arena;
	c->entry = e;
	memcpy(c->id.c, "01ABCDEFGHJKMNPQRSTVWXYZ01", ID_BYTES);
	c->content = CONTENT_ROWS;
	c->end = CALL_DONE;
	c->rows = arena_array(&arena, struct rows, count);
	for (size_t i = 0; i < count; i++)
		rows_init(&c->rows[i], &parts[i]);
	return c;
}

static void add_row(struct rows *rows, const char *id, const char *name)
{
	struct cell *cells = rows_add(rows, &arena);

	cells[0] = (struct cell){ CELL_INTEGER, str_c(id) };
	if (name)
		cells[1] = (struct cell){ CELL_TEXT, str_c(name) };
}

static void set_bytes(struct call *c, uint64_t bytes)
{
	struct entry *e = arena_new(&arena, struct entry);

	*e = *c->entry;
	e->bytes = bytes;
	c->entry = e;
}

static struct json parsed(struct str text)
{
	struct json_error error;
	struct json v;

	if (!json_parse(&arena, text, &v, &error))
		fail_msg("not JSON: %.*s", STR_ARG(text));
	return v;
}

/* The structured content and the one text block of the result. */
static struct str structured_of(const struct call *c)
{
	struct json result = parsed(c->result_json);
	const struct json *v = json_get(&result, S("structuredContent"));

	return v ? v->raw : STR_NONE;
}

static struct str text_of(const struct call *c)
{
	struct json result = parsed(c->result_json);
	const struct json *content = json_get(&result, S("content"));

	assert_int_equal(content->count, 1);
	assert_str(json_get_str(&content->items[0], S("type")), "text");
	return json_get_str(&content->items[0], S("text"));
}

static void each_shape_has_its_form(void **state)
{
	static const struct {
		const struct part *part;
		size_t rows;
		bool more;
		const char *cursor, *structured, *text;
		uint64_t result_rows;
	} cases[] = {
		{ &one, 1, false, "", "{\"id\":0,\"name\":null}", NULL, 1 },
		{ &maybe, 0, false, "", "{\"row\":null}", NULL, 0 },
		{ &maybe, 1, false, "", "{\"row\":{\"id\":0,\"name\":null}}", NULL, 1 },
		{ &many, 0, false, "", "{\"rows\":[],\"truncated\":false}", NULL, 0 },
		{ &many, 1, false, "", "{\"rows\":[{\"id\":0,\"name\":null}],\"truncated\":false}",
			NULL, 1 },
		{ &many, 2, false, "",
			"{\"rows\":[{\"id\":0,\"name\":null},{\"id\":1,\"name\":\"n1\"}],"
			"\"truncated\":false}",
			"{\"columns\":[\"id\",\"name\"],\"rows\":[[0,null],[1,\"n1\"]],"
			"\"truncated\":false}",
			2 },
		{ &many, 2, true, "",
			"{\"rows\":[{\"id\":0,\"name\":null},{\"id\":1,\"name\":\"n1\"}],"
			"\"truncated\":true}",
			"{\"columns\":[\"id\",\"name\"],\"rows\":[[0,null],[1,\"n1\"]],"
			"\"truncated\":true}",
			2 },
		{ &many, 2, true, "CUR",
			"{\"rows\":[{\"id\":0,\"name\":null},{\"id\":1,\"name\":\"n1\"}],"
			"\"truncated\":false,\"next_cursor\":\"CUR\"}",
			"{\"columns\":[\"id\",\"name\"],\"rows\":[[0,null],[1,\"n1\"]],"
			"\"truncated\":false,\"next_cursor\":\"CUR\"}",
			2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_of(ENTRY_TOOL, cases[i].part, 1);
		struct sha256 digest;

		for (size_t k = 0; k < cases[i].rows; k++)
			add_row(&c->rows[0], arena_fmt(&arena, "%zu", k).p,
				k ? arena_fmt(&arena, "n%zu", k).p : NULL);
		c->rows[0].more = cases[i].more;
		assert_true(render_call(c, STR_NONE, true, str_c(cases[i].cursor)));
		assert_str(structured_of(c), cases[i].structured);
		assert_str(text_of(c), cases[i].text ? cases[i].text : cases[i].structured);
		assert_int_equal(c->result_rows, cases[i].result_rows);
		sha256_of(c->result_json, &digest);
		assert_true(sha256_eq(&digest, &c->result_digest));
	}
}

static void an_old_client_gets_the_text_alone(void **state)
{
	struct call *c = call_of(ENTRY_TOOL, &one, 1);

	(void)state;
	add_row(&c->rows[0], "1", "Ada");
	assert_true(render_call(c, STR_NONE, false, STR_NONE));
	assert_str(c->result_json,
		"{\"content\":[{\"type\":\"text\",\"text\":"
		"\"{\\\"id\\\":1,\\\"name\\\":\\\"Ada\\\"}\"}],\"isError\":false}");
}

static struct call *several_parts(size_t lines, size_t notes)
{
	struct call *c = call_of(ENTRY_TOOL, several, 4);

	add_row(&c->rows[0], "1", "head");
	for (size_t i = 0; i < lines; i++)
		add_row(&c->rows[1], "2", "line of some length");
	for (size_t i = 0; i < notes; i++)
		add_row(&c->rows[3], "3", "note");
	return c;
}

static void parts_keep_their_order_and_name_what_is_empty(void **state)
{
	struct call *c = several_parts(1, 0);

	(void)state;
	c->rows[1].more = true;
	assert_true(render_call(c, STR_NONE, true, STR_NONE));
	assert_str(structured_of(c),
		"{\"head\":{\"id\":1,\"name\":\"head\"},"
		"\"lines\":[{\"id\":2,\"name\":\"line of some length\"}],\"owner\":null,"
		"\"notes\":[],\"empty\":[\"owner\",\"notes\"],\"truncated\":[\"lines\"]}");
	assert_str(text_of(c), arena_cstr(&arena, structured_of(c)));
	assert_int_equal(c->result_rows, 2);
}

/* For every budget: the same cut each time, rows only from the end, and every cut is named. */
static void parts_are_cut_at_the_same_place_every_time(void **state)
{
	size_t kept_before = 0;

	(void)state;
	for (uint64_t bytes = 1; bytes < 1200; bytes += 7) {
		struct call *a = several_parts(12, 12), *b = several_parts(12, 12);
		struct json result;
		const struct json *lines, *notes, *cut;
		size_t kept;

		set_bytes(a, bytes);
		set_bytes(b, bytes);
		assert_true(render_call(a, STR_NONE, true, STR_NONE));
		assert_true(render_call(b, STR_NONE, true, STR_NONE));
		assert_str(a->result_json, arena_cstr(&arena, b->result_json));
		result = parsed(structured_of(a));
		lines = json_get(&result, S("lines"));
		notes = json_get(&result, S("notes"));
		cut = json_get(&result, S("truncated"));
		kept = lines->count + notes->count;
		assert_true(kept >= kept_before); /* more room never shows less */
		kept_before = kept;
		assert_int_equal(cut->count, (lines->count < 12) + (notes->count < 12));
		assert_int_equal(a->result_rows, 1 + kept);
	}
	assert_int_equal(kept_before, 24);
}

static void a_single_result_over_its_bytes_is_refused_whole(void **state)
{
	static const struct part *const parts[] = { &one, &maybe, &many };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (uint64_t bytes = 1; bytes < 200; bytes++) {
			struct call *c = call_of(ENTRY_TOOL, parts[i], 1);
			size_t whole;

			add_row(&c->rows[0], "1", "PRIVATE");
			assert_true(render_call(c, STR_NONE, true, STR_NONE));
			whole = structured_of(c).n;
			c->result_json = STR_NONE;
			set_bytes(c, bytes);
			if (whole <= bytes) {
				assert_true(render_call(c, STR_NONE, true, STR_NONE));
				continue;
			}
			assert_false(render_call(c, STR_NONE, true, STR_NONE));
			assert_int_equal(c->fault.code, RESULT_TOO_LARGE);
			assert_int_equal(c->result_json.n, 0);
			render_fault(c, true);
			assert_int_equal(
				str_find_str(c->result_json, 0, S("PRIVATE")), c->result_json.n);
			assert_int_equal(c->result_rows, 0);
		}
}

static void a_large_one_part_is_not_cut_but_refused(void **state)
{
	struct call *c = several_parts(0, 0);
	char *name = arena_alloc(&arena, 6001);

	(void)state;
	memset(name, 'x', 6000);
	c->rows[0].count = 0;
	add_row(&c->rows[0], "1", name);
	set_bytes(c, 1000);
	assert_false(render_call(c, STR_NONE, true, STR_NONE));
	assert_int_equal(c->fault.code, RESULT_TOO_LARGE);
}

/* The row that breaks the contract stands behind one that keeps it: neither is shown. */
static void a_broken_contract_shows_nothing_of_any_row(void **state)
{
	static const struct cell broken[] = {
		{ CELL_NULL, { 0 } },
		{ CELL_TEXT, STR_INIT("SECRETID") },
		{ CELL_INTEGER, STR_INIT("9007199254740993") },
		{ CELL_BLOB, STR_INIT("SECRETID") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct call *c = call_of(ENTRY_TOOL, &many, 1);
		struct str shown[2];

		add_row(&c->rows[0], "1", "SECRETNAME");
		add_row(&c->rows[0], "2", "SECRETNAME");
		c->rows[0].cells[2] = broken[i];
		assert_false(render_call(c, STR_NONE, true, STR_NONE));
		assert_int_equal(c->fault.code, INTERNAL);
		assert_str(c->fault.reason, "output_contract");
		render_fault(c, true);
		shown[0] = c->result_json;
		shown[1] = c->fault.operator_text;
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(str_find_str(shown[k], 0, S("SECRET")), shown[k].n);
			assert_int_equal(
				str_find_str(shown[k], 0, S("9007199254740993")), shown[k].n);
		}
		assert_int_equal(str_find_str(shown[0], 0, S("column")), shown[0].n);
		assert_true(str_find_str(shown[1], 0, S("column id")) < shown[1].n);
	}
}

static void a_fault_says_what_to_do_and_which_call(void **state)
{
	static const struct suggestion suggestions[] = { { STR_INIT("CONFLICT"),
		STR_INIT("Look at the order again.") } };
	struct call *c = call_of(ENTRY_TOOL, &one, 1);
	struct entry e = *c->entry;
	struct json error;

	(void)state;
	e.suggestions = suggestions;
	e.suggestion_count = 1;
	c->entry = &e;
	call_fault(c, CONFLICT, "lock", S("deadlock in table SECRET"));
	c->fault.retry_after_ms = 250;
	c->fault.details_json = S("{\"who\":\"x\",\"n\":1.50}");
	render_fault(c, true);
	error = parsed(structured_of(c));
	assert_str(text_of(c), arena_cstr(&arena, structured_of(c)));
	assert_str(error.members[0].value.raw,
		"{\"code\":\"CONFLICT\",\"message\":\"The data changed meanwhile. Look again "
		"before "
		"going on.\",\"retryable\":true,\"advice\":\"ask_the_person\","
		"\"retry_after_ms\":250,\"suggestion\":\"Look at the order again.\","
		"\"details\":{\"reason\":\"lock\",\"who\":\"x\",\"n\":1.50},"
		"\"call_id\":\"01ABCDEFGHJKMNPQRSTVWXYZ01\"}");
	assert_str(render_error_object(c), arena_cstr(&arena, error.members[0].value.raw));
	assert_int_equal(str_find_str(c->result_json, 0, S("SECRET")), c->result_json.n);
	render_fault(c, false);
	assert_int_equal(structured_of(c).n, 0);
}

static void every_fault_is_an_error_in_the_form_clients_know(void **state)
{
	(void)state;
	for (unsigned code = VALIDATION_ERROR; code < FAULT_COUNT; code++) {
		struct call *c = call_of(ENTRY_TOOL, &one, 1);
		struct json result, error;

		call_fault(c, (enum fault_code)code, "", STR_NONE);
		render_fault(c, true);
		result = parsed(c->result_json);
		assert_true(json_get(&result, S("isError"))->truth);
		error = parsed(structured_of(c));
		assert_int_equal(error.count, 1);
		assert_null(json_get(&error.members[0].value, S("details")));
	}
}

static void scripted_content_passes_as_it_is(void **state)
{
	struct call *c = call_of(ENTRY_TOOL, &one, 1);

	(void)state;
	c->content = CONTENT_BLOCKS;
	c->content_json = S("[{\"type\":\"text\",\"text\":\"x\"}]");
	assert_true(render_call(c, STR_NONE, true, STR_NONE));
	assert_str(c->result_json, "{\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}");
	c->content_is_error = true;
	assert_true(render_call(c, STR_NONE, true, STR_NONE));
	assert_str(c->result_json,
		"{\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"isError\":true}");
}

static struct call *resource(struct str text, bool blob)
{
	struct call *c = call_of(ENTRY_RESOURCE, &one, 1);
	struct entry *e = arena_new(&arena, struct entry);

	*e = *c->entry;
	e->mime_type = S("text/plain");
	c->entry = e;
	c->uri = S("note://1?q=\"x\"");
	c->content = CONTENT_TEXT;
	c->text = text;
	c->text_is_blob = blob;
	return c;
}

static void a_resource_is_text_or_a_blob_under_the_uri_asked_for(void **state)
{
	struct call *text = resource(S("a\nb"), false), *blob = resource(S("\xff\x01"), true);

	(void)state;
	assert_true(render_call(text, STR_NONE, true, STR_NONE));
	assert_str(text->result_json, "{\"contents\":[{\"uri\":\"note://1?q=\\\"x\\\"\","
				      "\"mimeType\":\"text/plain\",\"text\":\"a\\nb\"}]}");
	assert_true(render_call(blob, STR_NONE, true, STR_NONE));
	assert_str(blob->result_json, "{\"contents\":[{\"uri\":\"note://1?q=\\\"x\\\"\","
				      "\"mimeType\":\"text/plain\",\"blob\":\"/wE=\"}]}");
}

static void a_resource_from_a_column_keeps_to_its_type(void **state)
{
	static const struct column columns[] = { { .name = STR_INIT("id"), .type = COLUMN_INTEGER },
		{ .name = STR_INIT("body"), .type = COLUMN_STRING } };
	static const struct part part = {
		.shape = SHAPE_ONE, .columns = columns, .column_count = 2
	};
	static const struct {
		struct cell body;
		const char *text; /* NULL: output_contract */
	} cases[] = {
		{ { CELL_TEXT, STR_INIT("hello") }, "hello" },
		{ { CELL_TEXT, STR_INIT("a\xff") }, NULL },
		{ { CELL_TEXT, STR_INIT("a\0b") }, NULL },
		{ { CELL_BLOB, STR_INIT("hello") }, NULL },
		{ { CELL_NULL, { 0 } }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call *c = call_of(ENTRY_RESOURCE, &part, 1);
		struct entry e = *c->entry;
		struct json result;

		e.content_column = S("body");
		c->entry = &e;
		c->uri = S("x://1");
		add_row(&c->rows[0], "1", NULL);
		c->rows[0].cells[1] = cases[i].body;
		assert_int_equal(render_call(c, STR_NONE, true, STR_NONE), cases[i].text != NULL);
		if (!cases[i].text) {
			assert_str(c->fault.reason, "output_contract");
			continue;
		}
		result = parsed(c->result_json);
		assert_str(json_get_str(&json_get(&result, S("contents"))->items[0], S("text")),
			cases[i].text);
		assert_int_equal(c->result_rows, 1);
	}
}

static void a_resource_of_rows_is_their_json(void **state)
{
	struct call *c = call_of(ENTRY_RESOURCE, &many, 1);
	struct json result;

	(void)state;
	c->uri = S("x://1");
	add_row(&c->rows[0], "1", "a");
	add_row(&c->rows[0], "2", "b");
	assert_true(render_call(c, STR_NONE, true, STR_NONE));
	result = parsed(c->result_json);
	assert_str(json_get_str(&json_get(&result, S("contents"))->items[0], S("text")),
		"{\"rows\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\"}],"
		"\"truncated\":false}");
}

static void prompts_and_completions_have_their_forms(void **state)
{
	struct call *prompt = call_of(ENTRY_PROMPT, &one, 1);
	struct call *values = call_of(ENTRY_COMPLETION, &one, 1);
	struct entry e = *prompt->entry;

	(void)state;
	e.description = S("says \"hi\"");
	prompt->entry = &e;
	prompt->content = CONTENT_MESSAGES;
	prompt->content_json = S("[]");
	assert_true(render_call(prompt, STR_NONE, true, STR_NONE));
	assert_str(prompt->result_json, "{\"description\":\"says \\\"hi\\\"\",\"messages\":[]}");
	values->content = CONTENT_VALUES;
	assert_true(render_call(values, STR_NONE, true, STR_NONE));
	assert_str(values->result_json, "{\"completion\":{\"values\":[],\"hasMore\":false}}");
	values->content_json = S("[\"a\"]");
	values->values_total = 7;
	values->values_more = true;
	assert_true(render_call(values, STR_NONE, true, STR_NONE));
	assert_str(values->result_json,
		"{\"completion\":{\"values\":[\"a\"],\"total\":7,\"hasMore\":true}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_shape_has_its_form),
		cmocka_unit_test(an_old_client_gets_the_text_alone),
		cmocka_unit_test(parts_keep_their_order_and_name_what_is_empty),
		cmocka_unit_test(parts_are_cut_at_the_same_place_every_time),
		cmocka_unit_test(a_single_result_over_its_bytes_is_refused_whole),
		cmocka_unit_test(a_large_one_part_is_not_cut_but_refused),
		cmocka_unit_test(a_broken_contract_shows_nothing_of_any_row),
		cmocka_unit_test(a_fault_says_what_to_do_and_which_call),
		cmocka_unit_test(every_fault_is_an_error_in_the_form_clients_know),
		cmocka_unit_test(scripted_content_passes_as_it_is),
		cmocka_unit_test(a_resource_is_text_or_a_blob_under_the_uri_asked_for),
		cmocka_unit_test(a_resource_from_a_column_keeps_to_its_type),
		cmocka_unit_test(a_resource_of_rows_is_their_json),
		cmocka_unit_test(prompts_and_completions_have_their_forms),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
