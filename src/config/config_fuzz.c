/* config_fuzz - the input is a postern.yaml: it is loaded or refused, and what is loaded keeps the
 * promises of config.h; what is waived is no error any more.
 *
 * Beside it stand catalog/a.yaml, catalog/b.yaml and the files secret, long, empty and open (which
 * everybody may read); POSTERN_FUZZ_KEY is set.
 *
 * covers: src/config/config.c src/config/findings.c src/config/identity.c src/config/listen.c
 * covers: src/config/read.c src/config/sources.c */
#include "config/config.h"

#include <stdint.h>

#include "base/scratch_fixture.h"

#define INPUT_MAX ((size_t)32 << 10)

static void check(const struct config *c)
{
	bug_on(!c->name.n || !c->instance.n || !c->catalog_file_count);
	bug_on(!c->api_keys && !c->fixed);
	bug_on(c->fixed && (c->environment != ENV_DEVELOPMENT || !c->listen.loopback));
	bug_on(!c->listen.loopback && !c->listen.tls && !c->listen.proxy_terminates_tls);
	bug_on(!c->listen.loopback && !c->listen.allowed_host_count);
	bug_on(c->limits.tool_ms > c->limits.request_ms || c->limits.request_ms >= 60000);
	bug_on(!c->limits.concurrency || !c->limits.request_bytes || c->limits.audit_ms > 2000);
	for (size_t i = 0; i < c->source_count; i++) {
		const struct source_config *s = &c->sources[i];

		bug_on(!s->concurrency || s->concurrency > MAX(1u, c->limits.concurrency / 2));
		bug_on(s->kind == SOURCE_SCRIPTED && c->environment != ENV_DEVELOPMENT);
		bug_on(s->kind != SOURCE_SCRIPTED && c->fixed);
		bug_on(s->kind != SOURCE_SCRIPTED && !s->path.n);
		bug_on(config_source(c, s->name) != s);
	}
	for (size_t i = 0; i < c->role_count; i++) {
		bug_on(config_role(c, c->roles[i].name) != &c->roles[i]);
		for (size_t k = 1; k < c->roles[i].grant_count; k++)
			bug_on(str_cmp(c->roles[i].grants[k - 1], c->roles[i].grants[k]) >= 0);
	}
	for (size_t i = 1; i < c->catalog_file_count; i++)
		bug_on(str_cmp(c->catalog_files[i - 1], c->catalog_files[i]) >= 0);
}

/* Waives the findings of the first one's code: as many errors fewer, none of that code left. */
static void check_waived(struct findings *f)
{
	const char *code = f->count ? f->list[0].code : "config.none";
	size_t before = f->errors, hits = 0, errors = 0;

	for (size_t i = 0; i < f->count; i++)
		if (str_eq(str_c(f->list[i].code), str_c(code))) {
			hits++;
			errors += !f->list[i].warning;
		}
	bug_on(findings_waive(f, 0, str_c(code), S("for a reason")) != hits);
	bug_on(f->errors != before - errors);
	for (size_t i = 0; i < f->count; i++)
		bug_on(!f->list[i].warning && str_eq(str_c(f->list[i].code), str_c(code)));
}

static void check_written(const struct findings *f)
{
	struct buf out;

	buf_in(&out, f->a, (size_t)64 << 20);
	findings_write(f, &out);
	bug_on(!buf_ok(&out) || (f->count && !out.n));
}

static void arrive(void)
{
	static char many[5000];

	if (scratch.count)
		return;
	for (size_t i = 0; i < sizeof many; i++)
		many[i] = 'k';
	scratch_directory("catalog");
	(void)scratch_file("catalog/a.yaml", S(""), 0600);
	(void)scratch_file("catalog/b.yaml", S(""), 0600);
	(void)scratch_file("secret", S("a key in a file\n"), 0600);
	(void)scratch_file("long", str_n(many, 4000), 0600);
	(void)scratch_file("empty", S(""), 0600);
	(void)scratch_file("open", S("everybody knows\n"), 0644);
	bug_on(setenv("POSTERN_FUZZ_KEY", "a key in the environment", 1) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config *c;
	struct findings f;
	struct arena a;
	struct str path;

	if (size > INPUT_MAX)
		return 0;
	arrive();
	path = str_c(scratch_file("postern.yaml", str_n(data, size), 0600));
	arena_init(&a, (size_t)512 << 20);
	findings_init(&f, &a);
	c = config_load(&a, path, STR_NONE, STR_NONE, &f);
	bug_on(!c != (f.errors > 0));
	if (c)
		check(c);
	/* what the command line says is held to the same rules */
	c = config_load(&a, path, S("0.0.0.0:1"), S("b"), &f);
	if (c)
		check(c);
	bug_on(config_load(&a, path, STR_NONE, S("b/c"), &f) != NULL);
	check_written(&f);
	check_waived(&f);
	check_written(&f);
	scratch_forget();
	bug_on(config_load(&a, path, STR_NONE, STR_NONE, &f) != NULL);
	arena_done(&a);
	return 0;
}
