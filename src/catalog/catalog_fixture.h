/* catalog_fixture - for tests: a file of test/config/catalog, loaded. */
#pragma once
#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct arena a;
	struct findings f;
	struct config config;
	struct catalog *c;
};

static inline void open_fixture(struct fixture *x)
{
	memset(x, 0, sizeof *x);
	arena_init(&x->a, (size_t)256 << 20);
	findings_init(&x->f, &x->a);
}

static inline void close_fixture(struct fixture *x)
{
	if (x->c)
		catalog_done(x->c);
	arena_done(&x->a);
}

static inline int enter(void **state)
{
	(void)state;
	return chdir(getenv("POSTERN_SOURCE")) != 0 || chdir("test/config") != 0;
}

static inline int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);

	open_fixture(x);
	*state = x;
	return 0;
}

static inline int teardown(void **state)
{
	close_fixture(*state);
	free(*state);
	return 0;
}

/* The deployment that the file is written for, by its name. */
static inline struct str base_of(const char *path)
{
	if (strstr(path, "production"))
		return S("base_production.yaml");
	return strstr(path, "writes") ? S("base_writes.yaml") : S("base.yaml");
}

static inline struct catalog *load(struct fixture *x, const char *path)
{
	struct str *file = arena_new(&x->a, struct str);
	const struct config *base = config_load(&x->a, base_of(path), STR_NONE, STR_NONE, &x->f);

	assert_non_null(base);
	*file = str_c(path);
	x->config = *base;
	x->config.catalog_files = file;
	x->config.catalog_file_count = 1;
	x->c = catalog_load(&x->a, &x->config, &x->f);
	return x->c;
}

static inline const struct catalog *must_load(struct fixture *x, const char *path)
{
	struct buf out;

	if (load(x, path))
		return x->c;
	buf_in(&out, &x->a, 1 << 20);
	findings_write(&x->f, &out);
	fail_msg("%.*s", (int)out.n, out.p);
	abort();
}

static inline const struct entry *tool(const struct catalog *c, const char *name)
{
	const struct entry *e = map_get(&c->tools_by_name, str_c(name));

	if (!e) {
		fail_msg("no tool %s", name);
		abort();
	}
	return e;
}

#define assert_str(is, should) assert_string_equal(arena_cstr(&x->a, is), should)

static inline bool output_fits(struct fixture *x, const struct entry *e, const char *text)
{
	struct schema_options options = { .assert_formats = true };
	struct json schema, value;
	struct json_error error;
	struct schema *s;
	struct err err;
	bool fits;

	assert_true(json_parse(&x->a, e->output_schema, &schema, &error));
	assert_true(json_parse(&x->a, str_c(text), &value, &error));
	s = schema_compile(&x->a, &schema, &options, &err);
	if (!s)
		fail_msg("%s", err.text);
	fits = schema_check(s, &x->a, &value, NULL);
	schema_done(s);
	return fits;
}
