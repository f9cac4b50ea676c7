/* catalog_fuzz - the input is a catalog file: it is loaded or refused, and what is loaded keeps the
 * promises of catalog.h. */
#include "catalog/catalog.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)32 << 10)

static void check_json(struct arena *a, struct str text)
{
	struct json_error error;
	struct json v;

	bug_on(!json_parse(a, text, &v, &error));
}

static void check_entry(struct arena *a, const struct catalog *c, const struct entry *e)
{
	bug_on(!e->name.n || !e->requires.n || !e->bytes || !e->schema);
	check_json(a, e->input_schema);
	if (e->output_schema.n)
		check_json(a, e->output_schema);
	if (e->kind != ENTRY_COMPLETION) {
		check_json(a, e->list_json);
		check_json(a, e->list_json_old);
	}
	for (size_t i = 0; i < e->action.part_count; i++) {
		const struct part *p = &e->action.parts[i];

		bug_on(e->action.kind != ACTION_READ || !p->statement.sql.n || !p->rows);
		bug_on(p->statement.serial >= c->statement_count);
		bug_on(!p->column_count || (p->page.on && !p->page.by_count));
	}
	for (size_t i = 0; i < e->action.step_count; i++)
		if (e->action.steps[i].json.n)
			check_json(a, e->action.steps[i].json);
	for (size_t i = 0; e->completions && i < e->input_count; i++)
		if (e->completions[i])
			check_entry(a, c, e->completions[i]);
}

static void check(struct arena *a, const struct catalog *c)
{
	for (size_t i = 0; i < c->tool_count; i++)
		check_entry(a, c, c->tools[i]);
	for (size_t i = 0; i < c->resource_count; i++)
		check_entry(a, c, c->resources[i]);
	for (size_t i = 0; i < c->template_count; i++)
		check_entry(a, c, c->templates[i]);
	for (size_t i = 0; i < c->prompt_count; i++)
		check_entry(a, c, c->prompts[i]);
}

static const struct source_config sources[] = {
	{ .name = STR_INIT("crm"), .kind = SOURCE_SQLITE, .concurrency = 1 },
	{ .name = STR_INIT("docs"), .kind = SOURCE_FILES, .concurrency = 1 },
	{ .name = STR_INIT("script"), .kind = SOURCE_SCRIPTED, .concurrency = 1 },
};
static const struct str grants[] = { STR_INIT("customers.read"), STR_INIT("documents.read"),
	STR_INIT("test.use") };
static const struct role_config role = {
	.name = STR_INIT("all"), .grants = grants, .grant_count = ARRAY_LEN(grants)
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = P_tmpdir "/postern-fuzz-XXXXXX";
	struct str file = str_c(path);
	struct config config = { .sources = sources,
		.source_count = ARRAY_LEN(sources),
		.roles = &role,
		.role_count = 1,
		.limits = { .tool_ms = 10000 },
		.catalog_files = &file,
		.catalog_file_count = 1 };
	struct catalog *c;
	struct findings f;
	struct arena a;
	int fd;

	if (size > INPUT_MAX)
		return 0;
	fd = mkstemp(path);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	arena_init(&a, (size_t)1 << 30);
	findings_init(&f, &a);
	c = catalog_load(&a, &config, &f);
	bug_on(!c != (f.errors > 0));
	if (c) {
		check(&a, c);
		catalog_done(c);
	}
	arena_done(&a);
	unlink(path);
	return 0;
}
