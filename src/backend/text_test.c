/* Actions without a database: fixed text, messages, values, files. */
#include "backend/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static char directory[64], root[80];
static struct source_config source = {
	.name = STR_INIT("docs"), .kind = SOURCE_FILES, .concurrency = 1
};
static struct config config = { .sources = &source, .source_count = 1 };
static struct catalog catalog;
static struct backends *backends;

static void write_file(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void path_of(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s/%s", directory, name);
}

static int set_up(void **state)
{
	char path[160];
	struct err err;

	(void)state;
	snprintf(directory, sizeof directory, "%s/files-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(root, sizeof root, "%s/root", directory);
	assert_int_equal(mkdir(root, 0700), 0);
	path_of(path, sizeof path, "root/sub");
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("outside.txt", "secret");
	write_file("root/a.txt", "caf\xc3\xa9");
	write_file("root/sub/b.txt", "bee");
	write_file("root/latin.txt", "caf\xe9");
	path_of(path, sizeof path, "root/link.txt");
	assert_int_equal(symlink("../outside.txt", path), 0);
	path_of(path, sizeof path, "root/inner.txt");
	assert_int_equal(symlink("a.txt", path), 0);
	path_of(path, sizeof path, "root/up");
	assert_int_equal(symlink("..", path), 0);
	path_of(path, sizeof path, "root/pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	arena_init(&arena, (size_t)16 << 20);
	port_log = (struct port_log){ 0 };
	source.path = str_c(root);
	backends = backends_new(&config, &catalog, &err);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "outside.txt", "root/a.txt", "root/sub/b.txt",
		"root/latin.txt", "root/link.txt", "root/inner.txt", "root/up", "root/pipe" };
	char path[160];

	(void)state;
	arena_done(&arena);
	backends_free(&backends);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path_of(path, sizeof path, names[i]);
		unlink(path);
	}
	path_of(path, sizeof path, "root/sub");
	rmdir(path);
	rmdir(root);
	rmdir(directory);
	return 0;
}

static void files_are_read_beneath_the_root_only(void **state)
{
	static const struct {
		const char *path, *text;
		enum fault_code fault;
		bool blob;
	} table[] = {
		{ "a.txt", "caf\xc3\xa9", FAULT_NONE, false },
		{ "a.txt", "caf\xc3\xa9", FAULT_NONE, true },
		{ "sub/b.txt", "bee", FAULT_NONE, false },
		{ "sub/../a.txt", "caf\xc3\xa9", FAULT_NONE, false }, /* stays beneath */
		{ "latin.txt", NULL, INTERNAL, false },
		{ "latin.txt", "caf\xe9", FAULT_NONE, true },
		{ "none.txt", NULL, NOT_FOUND, false },
		{ "", NULL, NOT_FOUND, false },
		{ ".", NULL, NOT_FOUND, false },
		{ "sub", NULL, NOT_FOUND, false },
		{ "../outside.txt", NULL, NOT_FOUND, false },
		{ "sub/../../outside.txt", NULL, NOT_FOUND, false },
		{ "/etc/passwd", NULL, NOT_FOUND, false },
		{ "link.txt", NULL, NOT_FOUND, false },
		{ "inner.txt", NULL, NOT_FOUND, false },
		{ "up/outside.txt", NULL, NOT_FOUND, false },
		{ "up/root/a.txt", NULL, NOT_FOUND, false },
		{ "pipe", NULL, NOT_FOUND, false },
		{ "a.txt/x", NULL, NOT_FOUND, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct entry entry = { .kind = ENTRY_RESOURCE,
			.requires = S("g"),
			.source = &source,
			.bytes = 100,
			.action = {
				.kind = ACTION_FILE, .text = S("{path}"), .blob = table[i].blob } };
		struct json_member member = { S("path"),
			{ .kind = JSON_STRING, .text = str_c(table[i].path) } };
		struct call *c = call_of(&entry, "{}");
		struct json sent = { .kind = JSON_OBJECT, .members = &member, .count = 1 };
		bool ok;

		c->arguments_sent = &sent;
		ok = run(backends, c);
		if (ok != (table[i].text != NULL) || c->fault.code != table[i].fault)
			fail_msg("%s: %.*s", table[i].path, STR_ARG(c->fault.operator_text));
		if (ok)
			assert_text(c->text, table[i].text);
		assert_int_equal(c->text_is_blob && ok, table[i].blob);
	}
}

static void a_file_over_the_bytes_is_too_large(void **state)
{
	struct entry entry = { .kind = ENTRY_RESOURCE,
		.requires = S("g"),
		.source = &source,
		.bytes = 2,
		.action = { .kind = ACTION_FILE, .text = S("sub/b.txt") } };
	struct call *c = call_of(&entry, "{}");

	(void)state;
	assert_false(run(backends, c));
	assert_fault(c, RESULT_TOO_LARGE, "bytes");
	entry.bytes = 3;
	assert_true(run(backends, call_of(&entry, "{}")));
}

static void text_is_filled_and_blobs_are_bytes(void **state)
{
	struct entry entry = { .kind = ENTRY_RESOURCE,
		.requires = S("g"),
		.bytes = 100,
		.action = { .kind = ACTION_TEXT, .text = S("{{id}} is {id}") } };
	struct call *c = call_of(&entry, "{\"id\":\"123\"}");

	(void)state;
	assert_true(run(backends, c));
	assert_int_equal(c->content, CONTENT_TEXT);
	assert_text(c->text, "{id} is 123");
	assert_false(c->text_is_blob);
	entry.action.text = S("AP8=");
	entry.action.blob = true;
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
	assert_true(c->text_is_blob);
	assert_int_equal(c->text.n, 2);
	assert_memory_equal(c->text.p, "\0\xff", 2);
	entry.bytes = 1;
	c = call_of(&entry, "{}");
	assert_false(run(backends, c));
	assert_fault(c, RESULT_TOO_LARGE, "bytes");
}

static void messages_are_filled_as_json(void **state)
{
	struct entry entry = { .kind = ENTRY_PROMPT,
		.requires = S("g"),
		.bytes = 1000,
		.action = { .kind = ACTION_MESSAGES, .text = S("[{\"text\":\"{a} and {b}\"}]") } };
	struct call *c = call_of(&entry, "{\"a\":\"x\\n\\\"\"}");

	(void)state;
	assert_true(run(backends, c));
	assert_int_equal(c->content, CONTENT_MESSAGES);
	assert_text(c->content_json, "[{\"text\":\"x\\n\\\" and \"}]");
}

static void values_are_filtered_by_what_was_typed(void **state)
{
	static const struct str values[] = { STR_INIT("Alpha"), STR_INIT("alps"),
		STR_INIT("beta") };
	static const struct {
		const char *arguments, *json;
		uint32_t total;
	} table[] = {
		{ "{}", "[\"Alpha\",\"alps\",\"beta\"]", 3 },
		{ "{\"value\":\"\"}", "[\"Alpha\",\"alps\",\"beta\"]", 3 },
		{ "{\"value\":\"AL\"}", "[\"Alpha\",\"alps\"]", 2 },
		{ "{\"value\":\"alpha\"}", "[\"Alpha\"]", 1 },
		{ "{\"value\":\"alphabet\"}", "[]", 0 },
		{ "{\"value\":\"x\"}", "[]", 0 },
	};
	static struct str many[150];
	struct entry entry = { .kind = ENTRY_COMPLETION,
		.requires = S("g"),
		.bytes = 1000,
		.action = { .kind = ACTION_VALUES, .values = values, .value_count = 3 } };
	struct call *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		c = call_of(&entry, table[i].arguments);
		assert_true(run(backends, c));
		assert_int_equal(c->content, CONTENT_VALUES);
		assert_text(c->content_json, table[i].json);
		assert_int_equal(c->values_total, table[i].total);
		assert_false(c->values_more);
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = S("v");
	entry.action.values = many;
	entry.action.value_count = ARRAY_LEN(many);
	c = call_of(&entry, "{}");
	assert_true(run(backends, c));
	assert_int_equal(parse(arena_cstr(&arena, c->content_json)).count, 100);
	assert_true(c->values_more);
	assert_int_equal(c->values_total, 150);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(files_are_read_beneath_the_root_only),
		T(a_file_over_the_bytes_is_too_large),
		T(text_is_filled_and_blobs_are_bytes),
		T(messages_are_filled_as_json),
		T(values_are_filtered_by_what_was_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
