/* Calls from their first guard to their record: the order of the steps, what is recorded, what is
 * shown when memory or the audit log fails, and whether results fit the schemas they were promised
 * with. */
#include "serve/site_fixture.h"

#include "json/write.h"

static const char catalog[] = "tools:\n" SITE_TOOL("one", "shop.read",
	"shop") "    input: { i: { type: integer, minimum: 1, description: Which, audit: clear } "
		"}\n"
		"    read: SELECT " SITE_COLUMNS " FROM every WHERE i = :i\n"
		"    returns: { shape: one, columns: " SITE_TYPES
		" }\n" SITE_TOOL("maybe", "shop.read",
			"shop") "    input: { i: { type: integer, description: Which, audit: clear "
				"} }\n"
				"    read: SELECT " SITE_COLUMNS " FROM every WHERE i = :i\n"
				"    returns: { shape: maybe, columns: " SITE_TYPES
				" }\n" SITE_TOOL("many", "shop.read",
					"shop") "    input: { i: { type: integer, description: "
						"Most, audit: clear } }\n"
						"    read: SELECT " SITE_COLUMNS
						" FROM every WHERE i <= :i ORDER BY i LIMIT 5\n"
						"    returns: { shape: many, columns: " SITE_TYPES
						" }\n" SITE_TOOL("paged", "shop.read",
							"shop") "    input: { i: { type: integer, "
								"description: Most, audit: clear } "
								"}\n"
								"    read: SELECT s, i FROM every "
								"WHERE i <= :i\n"
								"    returns: { shape: many, "
								"columns: { s: string, i: integer "
								"} }\n"
								"    page: { by: [i], size: 1 "
								"}\n" SITE_TOOL("parts",
									"shop.read",
									"shop") "    input: { i: { "
										"type: integer, "
										"description: "
										"Which, audit: "
										"clear } }\n"
										"    read:\n"
										"      head: "
										"SELECT s FROM "
										"every WHERE i = "
										":i\n"
										"      rest: "
										"SELECT s, i FROM "
										"every WHERE i > "
										":i ORDER BY i "
										"LIMIT 5\n"
										"    returns:\n"
										"      parts:\n"
										"        head: { "
										"shape: maybe, "
										"columns: { s: "
										"string } }\n"
										"        rest: { "
										"shape: many, "
										"columns: { s: "
										"string, i: "
										"integer } }\n";
static const char more_catalog[] = "tools:\n" SITE_TOOL("large", "shop.read",
	"shop") "    input: { n: { type: integer, description: Size, audit: clear } }\n"
		"    read: SELECT hex(zeroblob(:n)) AS s\n"
		"    returns: { shape: one, columns: { s: string } }\n"
		"    limits: { bytes: 4MiB }\n" SITE_TOOL("broken", "shop.read",
			"shop") "    input: { i: { type: integer, description: Which, audit: clear "
				"} }\n"
				"    read: SELECT s AS i FROM every WHERE i = :i\n"
				"    returns: { shape: one, columns: { i: integer } }\n" SITE_TOOL(
					"lost", "shop.read",
					"gone") "    input: { i: { type: integer, description: "
						"Which, audit: clear } }\n"
						"    read: SELECT i FROM every WHERE i = :i\n"
						"    returns: { shape: one, columns: { i: integer "
						"} }\n" SITE_TOOL("lost_pages", "shop.read",
							"gone") "    input: { i: { type: integer, "
								"description: Which, audit: clear "
								"} }\n"
								"    read: SELECT i FROM every "
								"WHERE i = :i\n"
								"    returns: { shape: many, "
								"columns: { i: integer } }\n"
								"    page: { by: [i], size: 1 "
								"}\n" SITE_TOOL("hidden",
									"shop.all",
									"gone") "    input: { i: { "
										"type: integer, "
										"description: "
										"Which, audit: "
										"clear } }\n"
										"    read: SELECT "
										"i FROM every "
										"WHERE i = :i\n"
										"    returns: { "
										"shape: one, "
										"columns: { i: "
										"integer } }\n";

/* All that a reload finds well: the site's own names a source whose file is not there. */
static const char sound_config[] =
	"environment: development\nname: site\nowner: tests\n"
	"sources:\n  shop: { sqlite: { file: shop.db, pool: 2 }, owner: tests, purpose: Rows }\n"
	"store: { sqlite: state/store.db }\n"
	"audit: { directory: state/audit, keys: state/keys }\n"
	"identity: { api_keys: true }\nroles: { clerk: [shop.read] }\ncatalog: [catalog.yaml]\n";

static struct site site;

static int set_up(void **state)
{
	(void)state;
	site_make(&site, catalog);
	site_write(&site, "catalog2.yaml", more_catalog);
	return !site_open(&site);
}

static int tear_down(void **state)
{
	(void)state;
	site_remove(&site);
	return 0;
}

static void no_progress(void *ctx, uint64_t n, uint64_t total, struct str message)
{
	(void)ctx;
	(void)n;
	(void)total;
	(void)message;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static const struct call_port port = { .progress = no_progress, .cancelled = never };

/* A call by hand, in an arena of its own size, so that what is left of it can be looked at. */
struct tried {
	struct arena arena;
	struct generation *generation;
	struct principal who;
	struct call call;
	struct run run;
};

static void make_call(struct tried *t, size_t memory, const char *tool, const char *arguments)
{
	struct json *sent;
	struct json_error error;

	memset(t, 0, sizeof *t);
	arena_init(&t->arena, memory);
	t->generation = world_hold_in(site.world, &t->arena);
	assert_int_equal(identity_verify(t->generation->identity, &t->arena,
				 &(struct credential_shown){ .bearer = site.token },
				 clock_wall_us(), clock_mono_ms(), &t->who),
		IDENTITY_OK);
	sent = arena_new(&t->arena, struct json);
	assert_true(json_parse(&t->arena, str_c(arguments), sent, &error));
	t->call = (struct call){ .arena = &t->arena,
		.entry = map_get(&t->generation->catalog->tools_by_name, str_c(tool)),
		.who = &t->who,
		.port = &port,
		.arguments_sent = sent,
		.wall_us = clock_wall_us(),
		.started_ns = clock_mono_ns(),
		.deadline_ms = clock_mono_ms() + 5000 };
	assert_non_null(t->call.entry);
	id_make(&t->call.id, t->call.wall_us);
	t->run = (struct run){ .world = site.world,
		.generation = t->generation,
		.call = &t->call,
		.structured = true };
}

static void try_call(struct tried *t, size_t memory, const char *tool, const char *arguments)
{
	make_call(t, memory, tool, arguments);
	pipeline_run(&t->run);
}

static void forget(struct tried *t)
{
	arena_done(&t->arena); /* drops the generation, too */
}

static void assert_fault(const struct tried *t, enum fault_code code, const char *reason)
{
	assert_int_equal(t->call.end, CALL_FAULT);
	assert_string_equal(fault_info(t->call.fault.code)->name, fault_info(code)->name);
	assert_str(t->call.fault.reason, reason);
}

/* The source of these tools cannot be opened: which refusal comes says how far a call came. */
static void the_guards_stand_in_their_order_before_the_source(void **state)
{
	static const struct {
		const char *tool, *arguments;
		enum fault_code code;
		const char *reason;
	} cases[] = {
		{ "hidden", "{\"i\":\"x\",\"z\":1}", PERMISSION_DENIED, "grant" },
		{ "hidden", "{\"i\":1}", PERMISSION_DENIED, "grant" },
		{ "lost_pages", "{\"i\":\"x\",\"cursor\":\"bent\"}", VALIDATION_ERROR, "type" },
		{ "lost_pages", "{\"i\":1,\"cursor\":\"bent\"}", VALIDATION_ERROR, "cursor" },
		{ "lost_pages", "{\"i\":1}", UPSTREAM_UNAVAILABLE, "" },
		{ "lost", "{\"i\":1,\"cursor\":\"bent\"}", VALIDATION_ERROR, "unknown_field" },
		{ "lost", "{\"i\":1}", UPSTREAM_UNAVAILABLE, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tried t;

		try_call(&t, (size_t)4 << 20, cases[i].tool, cases[i].arguments);
		assert_int_equal(t.call.end, CALL_FAULT);
		if (t.call.fault.code != cases[i].code)
			fail_msg("case %zu: %s", i, fault_info(t.call.fault.code)->name);
		if (cases[i].reason[0])
			assert_str(t.call.fault.reason, cases[i].reason);
		assert_non_null(t.run.receipt);
		assert_int_equal(t.run.warrant != NULL, cases[i].code == UPSTREAM_UNAVAILABLE);
		forget(&t);
	}
}

static void every_call_leaves_one_record_whatever_became_of_it(void **state)
{
	static const struct {
		const char *tool, *arguments, *code;
	} cases[] = {
		{ "one", "{\"i\":1}", "OK" },
		{ "one", "{\"i\":7}", "NOT_FOUND" },
		{ "one", "{\"i\":0}", "VALIDATION_ERROR" },
		{ "hidden", "{}", "PERMISSION_DENIED" },
		{ "lost", "{\"i\":1}", "UPSTREAM_UNAVAILABLE" },
		{ "broken", "{\"i\":1}", "INTERNAL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tried t;
		char id[64], code[64];

		try_call(&t, (size_t)4 << 20, cases[i].tool, cases[i].arguments);
		snprintf(id, sizeof id, "\"call\":\"%.*s\"", ID_BYTES, t.call.id.c);
		snprintf(code, sizeof code, "\"code\":\"%s\"", cases[i].code);
		assert_int_equal(site_audit_count(&site, id), 1);
		assert_int_equal(site_audit_count(&site, code), 1);
		assert_true(str_find_str(t.call.result_json, 0, id_str(&t.call.id)) <
				    t.call.result_json.n ||
			    t.call.end == CALL_DONE);
		forget(&t);
	}
}

static void a_broken_contract_shows_nothing_of_the_row(void **state)
{
	struct tried t;

	(void)state;
	try_call(&t, (size_t)4 << 20, "broken", "{\"i\":1}");
	assert_fault(&t, INTERNAL, "output_contract");
	assert_int_equal(str_find_str(t.call.result_json, 0, S("first")), t.call.result_json.n);
	forget(&t);
	assert_int_equal(site_audit_count(&site, "first"), 0);
}

/* For a memory of any size: a result or a fault, always one that is recorded; never the end of the
 * process, never a result without its record. */
static void a_call_without_memory_ends_as_an_answer_of_its_own(void **state)
{
	unsigned out_of_memory = 0, done = 0;

	(void)state;
	for (size_t memory = 16 << 10; memory < (size_t)2 << 20; memory += memory / 5) {
		struct tried t;

		try_call(&t, memory, "large", "{\"n\":60000}");
		if (t.call.end == CALL_DONE) {
			done++;
			assert_non_null(t.run.receipt);
		} else if (t.run.receipt) {
			out_of_memory++;
			assert_fault(&t, INTERNAL, "memory");
		} else {
			assert_fault(&t, AUDIT_UNAVAILABLE, "not_recorded");
		}
		assert_true(str_starts(t.call.result_json, S("{\"content\":")));
		forget(&t);
	}
	assert_true(out_of_memory > 3 && done > 3);
}

static void a_call_for_which_others_left_no_memory_is_busy(void **state)
{
	struct tried t;

	(void)state;
	arena_budget(arena_budget_used() + ((size_t)512 << 10));
	try_call(&t, (size_t)64 << 20, "large", "{\"n\":1000000}");
	arena_budget((size_t)1 << 30);
	assert_fault(&t, BUSY, "memory");
	assert_int_equal(t.call.fault.retry_after_ms, 1000);
	assert_non_null(t.run.receipt);
	assert_true(str_starts(t.call.result_json, S("{\"content\":")));
	forget(&t);
	try_call(&t, (size_t)64 << 20, "large", "{\"n\":1000000}");
	assert_int_equal(t.call.end, CALL_DONE);
	forget(&t);
}

static void the_next_call_has_its_memory_and_its_connection(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct tried poor, rich;

		try_call(&poor, (size_t)256 << 10, "large", "{\"n\":1000000}");
		assert_fault(&poor, INTERNAL, "memory");
		forget(&poor); /* its connection comes back with its arena */
		try_call(&rich, (size_t)4 << 20, "one", "{\"i\":2}");
		assert_int_equal(rich.call.end, CALL_DONE);
		forget(&rich);
	}
}

static void assert_fits(const struct entry *e, struct str result_json, bool *is_error_out)
{
	struct schema_options options = { .assert_formats = true };
	struct schema_faults faults = { 0 };
	struct json_error error;
	struct json schema, result;
	const struct json *content;
	struct schema *compiled;
	struct err err;

	assert_true(json_parse(&site.arena, e->output_schema, &schema, &error));
	compiled = schema_compile(&site.arena, &schema, &options, &err);
	if (!compiled)
		fail_msg("%s", err.text);
	assert_true(json_parse(&site.arena, result_json, &result, &error));
	content = json_get(&result, S("structuredContent"));
	assert_non_null(content);
	if (!schema_check(compiled, &site.arena, content, &faults))
		fail_msg("%.*s does not fit at %.*s: %.*s", STR_ARG(content->raw),
			STR_ARG(faults.list[0].pointer), STR_ARG(faults.list[0].keyword));
	*is_error_out = json_get(&result, S("isError"))->truth;
	schema_done(compiled);
}

static void reload_without_what_is_lost(void)
{
	struct generation *next;
	struct findings f;

	site_write(&site, "postern.yaml", sound_config);
	findings_init(&f, &site.arena);
	next = world_prepare(site.world, &f);
	assert_non_null(next);
	world_replace(site.world, next);
}

/* The jump left the visit to its source open: whoever drops the generation last frees the source.
 */
static void a_reload_during_a_call_without_memory_ends_well(void **state)
{
	struct tried poor, rich;

	(void)state;
	try_call(&poor, (size_t)256 << 10, "large", "{\"n\":1000000}");
	assert_fault(&poor, INTERNAL, "memory");
	reload_without_what_is_lost();
	assert_int_equal(poor.generation->holders, 1);
	forget(&poor);
	try_call(&rich, (size_t)4 << 20, "one", "{\"i\":1}");
	assert_int_equal(rich.call.end, CALL_DONE);
	assert_int_equal(rich.generation->holders, 2); /* the world's and this call's */
	forget(&rich);
}

/* The world is closed before the caller's arena is done. */
static void a_call_from_the_terminal_without_memory_ends_well(void **state)
{
	struct str result;
	bool is_error;
	struct err err;

	(void)state;
	arena_budget(arena_budget_used() + ((size_t)512 << 10));
	assert_true(serve_call(site.world, &site.arena, site.token, S("large"),
		S("{\"n\":1000000}"), &result, &is_error, &err));
	arena_budget((size_t)1 << 30);
	assert_true(is_error);
	assert_true(str_find_str(result, 0, S("BUSY")) < result.n);
	world_close(&site.world);
}

/* What the catalog suggests is more than a fault may take. */
static void a_fault_that_cannot_be_told_is_recorded_and_told_briefly(void **state)
{
	struct suggestion much = { .code = S("NOT_FOUND") };
	struct entry wordy;
	struct tried t;
	bool is_error;

	(void)state;
	make_call(&t, (size_t)32 << 20, "one", "{\"i\":7}");
	much.text = str_n(arena_alloc(&site.arena, (size_t)4 << 20), (size_t)4 << 20);
	wordy = *t.call.entry;
	wordy.suggestions = &much;
	wordy.suggestion_count = 1;
	t.call.entry = &wordy;
	pipeline_run(&t.run);
	assert_int_equal(t.call.fault.code, NOT_FOUND);
	assert_non_null(t.run.receipt);
	assert_int_equal(site_audit_count(&site, "\"code\":\"NOT_FOUND\""), 1);
	assert_int_equal(metrics_running(world_metrics(site.world)), 0);
	assert_fits(&wordy, t.call.result_json, &is_error);
	assert_true(is_error);
	forget(&t);
}

static void without_a_record_nothing_of_the_outcome_is_shown(void **state)
{
	char path[192];
	struct tried t;
	struct str result;
	bool is_error;
	struct err err;

	(void)state;
	snprintf(path, sizeof path, "%s/state", site.directory);
	(void)mkdir(path, 0700); /* the store may have made it */
	site_write(&site, "state/audit", "a file where a directory should be");
	try_call(&t, (size_t)4 << 20, "one", "{\"i\":1}");
	assert_null(t.run.receipt);
	assert_fault(&t, AUDIT_UNAVAILABLE, "not_recorded");
	assert_int_equal(str_find_str(t.call.result_json, 0, S("first")), t.call.result_json.n);
	assert_true(
		str_find_str(t.call.result_json, 0, S("AUDIT_UNAVAILABLE")) < t.call.result_json.n);
	forget(&t);
	assert_false(serve_call(site.world, &site.arena, site.token, S("one"), S("{\"i\":1}"),
		&result, &is_error, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
}

static void results_and_faults_fit_the_schema_that_was_published(void **state)
{
	static const struct {
		const char *tool, *arguments;
		bool is_error;
	} cases[] = {
		{ "one", "{\"i\":1}", false },
		{ "one", "{\"i\":2}", false },
		{ "one", "{\"i\":3}", true },
		{ "one", "{}", true },
		{ "maybe", "{\"i\":1}", false },
		{ "maybe", "{\"i\":3}", false },
		{ "many", "{\"i\":0}", false },
		{ "many", "{\"i\":2}", false },
		{ "many", "{\"i\":\"x\"}", true },
		{ "paged", "{\"i\":0}", false },
		{ "paged", "{\"i\":2}", false },
		{ "paged", "{\"i\":2,\"cursor\":\"x\"}", true },
		{ "parts", "{\"i\":1}", false },
		{ "parts", "{\"i\":9}", false },
		{ "large", "{\"n\":10}", false },
		{ "large", "{\"n\":2500000}", true },
		{ "broken", "{\"i\":1}", true },
		{ "lost", "{\"i\":1}", true },
		{ "hidden", "{\"i\":1}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tried t;
		bool is_error;

		try_call(&t, (size_t)64 << 20, cases[i].tool, cases[i].arguments);
		assert_fits(t.call.entry, t.call.result_json, &is_error);
		if (is_error != cases[i].is_error)
			fail_msg("case %zu: %.*s", i, STR_ARG(t.call.result_json));
		forget(&t);
	}
}

static void numbers_leave_as_the_database_holds_them(void **state)
{
	struct tried t;
	struct json_error error;
	struct json result;

	(void)state;
	try_call(&t, (size_t)4 << 20, "one", "{\"i\":1}");
	assert_true(json_parse(&site.arena, t.call.result_json, &result, &error));
	assert_str(json_get(&result, S("structuredContent"))->raw,
		"{\"s\":\"first\",\"i\":1,\"i64\":\"9007199254740993\",\"n\":0.5,"
		"\"d\":\"0.1000000000000000055\",\"b\":true,\"day\":\"2026-11-21\","
		"\"at\":\"2026-11-21T03:07:11Z\",\"j\":[1.10],\"raw\":\"AP8=\",\"none\":null}");
	forget(&t);
}

/* Page by page to the end, as a client would. */
static void cursors_lead_through_all_rows(void **state)
{
	struct str arguments = S("{\"i\":9}");
	unsigned pages = 0;

	(void)state;
	while (arguments.n) {
		struct json_error error;
		struct json result;
		struct str next;
		struct tried t;

		try_call(&t, (size_t)4 << 20, "paged", arena_cstr(&site.arena, arguments));
		assert_int_equal(t.call.end, CALL_DONE);
		assert_int_equal(t.call.result_rows, 1);
		assert_true(json_parse(&t.arena, t.call.result_json, &result, &error));
		next = json_get_str(json_get(&result, S("structuredContent")), S("next_cursor"));
		arguments = next.n ? arena_fmt(&site.arena, "{\"i\":9,\"cursor\":\"%.*s\"}",
					     STR_ARG(next))
				   : STR_NONE;
		forget(&t);
		assert_true(++pages <= 2);
	}
	assert_int_equal(pages, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_guards_stand_in_their_order_before_the_source),
		TEST(every_call_leaves_one_record_whatever_became_of_it),
		TEST(a_broken_contract_shows_nothing_of_the_row),
		TEST(a_call_without_memory_ends_as_an_answer_of_its_own),
		TEST(a_call_for_which_others_left_no_memory_is_busy),
		TEST(the_next_call_has_its_memory_and_its_connection),
		TEST(a_reload_during_a_call_without_memory_ends_well),
		TEST(a_call_from_the_terminal_without_memory_ends_well),
		TEST(a_fault_that_cannot_be_told_is_recorded_and_told_briefly),
		TEST(without_a_record_nothing_of_the_outcome_is_shown),
		TEST(results_and_faults_fit_the_schema_that_was_published),
		TEST(numbers_leave_as_the_database_holds_them),
		TEST(cursors_lead_through_all_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
