/* Generations: what a reload replaces, what it leaves to calls that run, and what it refuses. */
#include "serve/site_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define TOOL(name)                                                                                 \
	SITE_TOOL(name, "shop.read", "shop")                                                       \
	"    input: { i: { type: integer, description: Which, audit: clear } }\n"                  \
	"    read: SELECT s FROM every WHERE i = :i\n"                                             \
	"    returns: { shape: one, columns: { s: string } }\n"

#define ABSENT                                                                                     \
	SITE_TOOL("first", "shop.read", "shop")                                                    \
	"    read: SELECT s FROM absent LIMIT 1\n"                                                 \
	"    returns: { shape: one, columns: { s: string } }\n"

/* The site names a source whose file is not there: a reload asks every source. */
#define CONFIG_WITHOUT_GONE                                                                        \
	"environment: development\nname: site\nowner: tests\n"                                     \
	"sources:\n  shop: { sqlite: { file: shop.db, pool: 2 }, owner: tests, purpose: Rows }\n"  \
	"store: { sqlite: state/store.db }\n"                                                      \
	"audit: { directory: state/audit, keys: state/keys }\n"                                    \
	"identity: { api_keys: true }\nroles: { clerk: [shop.read] }\ncatalog: [catalog.yaml]\n"

static struct site site;

static int set_up(void **state)
{
	(void)state;
	site_make(&site, "tools:\n" TOOL("first"));
	site_write(&site, "postern.yaml", CONFIG_WITHOUT_GONE);
	return !site_open(&site);
}

static int tear_down(void **state)
{
	(void)state;
	site_remove(&site);
	return 0;
}

static bool reload(size_t *errors_out)
{
	struct findings f;
	struct generation *next;

	findings_init(&f, &site.arena);
	next = world_prepare(site.world, &f);
	*errors_out = f.errors;
	if (next)
		world_replace(site.world, next);
	return next != NULL;
}

static bool has_tool(const struct generation *g, const char *name)
{
	return map_get(&g->catalog->tools_by_name, str_c(name)) != NULL;
}

static bool call_works(const char *tool)
{
	struct str result;
	bool is_error;
	struct err err;

	return serve_call(site.world, &site.arena, site.token, str_c(tool), S("{\"i\":1}"), &result,
		       &is_error, &err) &&
	       !is_error;
}

static void a_reload_is_seen_by_new_calls_and_not_by_those_that_run(void **state)
{
	struct generation *before = world_hold(site.world), *after;
	size_t errors;

	(void)state;
	site_write(&site, "catalog.yaml", "tools:\n" TOOL("second"));
	assert_true(reload(&errors));
	after = world_hold(site.world);
	assert_ptr_not_equal(before, after);
	assert_true(has_tool(before, "first") && !has_tool(before, "second"));
	assert_true(has_tool(after, "second") && !has_tool(after, "first"));
	assert_false(str_eq(before->info.catalog_generation, after->info.catalog_generation));
	assert_true(call_works("second"));
	world_drop(site.world, after);
	assert_true(before->holders == 1); /* ours alone */
	world_drop(site.world, before);
	assert_false(call_works("first"));
}

static void what_is_broken_is_refused_and_the_old_stays(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "catalog.yaml", "tools: [\n" },
		{ "catalog.yaml", "tools:\n  x: { nonsense: true }\n" },
		{ "catalog.yaml", "" },
		{ "catalog.yaml", "tools:\n" ABSENT }, /* only the source knows */
		{ "postern.yaml", "environment: development\nnonsense: 1\n" },
		{ "postern.yaml", SITE_CONFIG }, /* a source that does not answer */
		{ "postern.yaml", "\xff" },
	};
	struct generation *before = world_hold(site.world);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct generation *now;
		size_t errors;

		site_write(&site, cases[i].file, cases[i].text);
		assert_false(reload(&errors));
		assert_true(errors > 0);
		now = world_hold(site.world);
		assert_ptr_equal(now, before);
		world_drop(site.world, now);
		assert_true(call_works("first"));
		site_write(&site, "postern.yaml", CONFIG_WITHOUT_GONE);
		site_write(&site, "catalog.yaml", "tools:\n" TOOL("first"));
	}
	world_drop(site.world, before);
}

/* The bound is far below what a large catalog needs, and above what the first one took. */
static void what_outgrows_its_memory_is_refused_and_the_old_stays(void **state)
{
	struct world_options options = { .memory = (size_t)1 << 20 };
	struct generation *next;
	struct findings f;
	struct site small;
	struct buf text;

	(void)state;
	site_make(&small, "tools:\n" TOOL("first"));
	site_write(&small, "postern.yaml", CONFIG_WITHOUT_GONE);
	options.config_file = str_c(small.config);
	findings_init(&f, &small.arena);
	small.world = world_open(&options, &f);
	assert_non_null(small.world);
	buf_in(&text, &small.arena, (size_t)8 << 20);
	buf_lit(&text, "tools:\n");
	for (unsigned i = 0; i < 400; i++) {
		struct str entry = S(TOOL("NAME"));
		size_t at = str_find_str(entry, 0, S("NAME"));

		buf_add(&text, str_sub(entry, 0, at));
		buf_fmt(&text, "tool%u", i);
		buf_add(&text, str_from(entry, at + 4));
	}
	buf_char(&text, '\0');
	site_write(&small, "catalog.yaml", text.p);
	next = world_prepare(small.world, &f);
	assert_null(next);
	assert_true(f.errors > 0);
	next = world_hold(small.world);
	assert_true(has_tool(next, "first"));
	world_drop(small.world, next);
	site_remove(&small);
}

/* Is there room for 80 MiB more? */
static bool memory_is_free(void)
{
	struct arena a;
	jmp_buf place;
	bool fits;

	arena_init(&a, (size_t)100 << 20);
	if (arena_catch(&a, &place)) {
		fits = false;
	} else {
		(void)arena_alloc(&a, (size_t)80 << 20);
		fits = true;
	}
	arena_done(&a);
	return fits;
}

static void the_memory_of_all_calls_is_that_of_what_is_in_force(void **state)
{
	struct generation *next;
	struct findings f;

	(void)state;
	findings_init(&f, &site.arena);
	site_write(&site, "postern.yaml", CONFIG_WITHOUT_GONE "limits: { memory: 64MiB }\n");
	next = world_prepare(site.world, &f);
	assert_non_null(next);
	assert_true(memory_is_free());
	world_discard(site.world, next);
	assert_true(memory_is_free());
	next = world_prepare(site.world, &f);
	assert_non_null(next);
	world_replace(site.world, next);
	assert_false(memory_is_free());
}

static void opening_a_world_makes_no_file(void **state)
{
	struct site fresh;
	struct world_options options;
	struct findings f;
	char path[192];

	(void)state;
	site_make(&fresh, "tools:\n" TOOL("first"));
	site_write(&fresh, "postern.yaml", CONFIG_WITHOUT_GONE);
	options = (struct world_options){ .config_file = str_c(fresh.config) };
	findings_init(&f, &fresh.arena);
	fresh.world = world_open(&options, &f);
	assert_non_null(fresh.world);
	snprintf(path, sizeof path, "%s/state", fresh.directory);
	assert_int_not_equal(access(path, F_OK), 0);
	site_remove(&fresh);
}

static void keys_are_the_same_for_the_next_process(void **state)
{
	struct world_options options = { .config_file = str_c(site.config) };
	struct world *other;
	struct findings f;
	struct buf text, plain;
	struct err err;

	(void)state;
	findings_init(&f, &site.arena);
	other = world_open(&options, &f);
	assert_non_null(other);
	assert_true(world_seal(other, &err));
	buf_in(&text, &site.arena, 256);
	buf_in(&plain, &site.arena, 256);
	seal_write(world_seal_of(site.world), S("page"), S("b"), S("[1]"), &text);
	assert_true(seal_read(world_seal_of(other), S("page"), S("b"), buf_str(&text), &plain));
	world_close(&other);
}

static _Atomic bool over;

static void *hold_often(void *arg)
{
	unsigned *held = arg;

	while (!atomic_load(&over)) {
		struct generation *g = world_hold(site.world);

		*held += has_tool(g, "first");
		world_drop(site.world, g);
	}
	return NULL;
}

static void calls_hold_generations_while_others_replace_them(void **state)
{
	unsigned held[3] = { 0 };
	pthread_t threads[3];

	(void)state;
	atomic_store(&over, false);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, hold_often, &held[i]);
	for (unsigned i = 0; i < 6; i++) {
		size_t errors;

		assert_true(reload(&errors));
	}
	atomic_store(&over, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(call_works("first"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reload_is_seen_by_new_calls_and_not_by_those_that_run),
		TEST(what_is_broken_is_refused_and_the_old_stays),
		TEST(what_outgrows_its_memory_is_refused_and_the_old_stays),
		TEST(the_memory_of_all_calls_is_that_of_what_is_in_force),
		TEST(opening_a_world_makes_no_file),
		TEST(keys_are_the_same_for_the_next_process),
		TEST(calls_hold_generations_while_others_replace_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
