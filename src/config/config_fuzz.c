/* config_fuzz - the input is a postern.yaml: it is loaded or refused, and what is loaded keeps the
 * promises of config.h. */
#include "config/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
	for (size_t i = 0; i < c->role_count; i++)
		for (size_t k = 1; k < c->roles[i].grant_count; k++)
			bug_on(str_cmp(c->roles[i].grants[k - 1], c->roles[i].grants[k]) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = P_tmpdir "/postern-fuzz-XXXXXX";
	const struct config *c;
	struct findings f;
	struct arena a;
	struct buf out;
	int fd;

	if (size > INPUT_MAX)
		return 0;
	fd = mkstemp(path);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	arena_init(&a, (size_t)512 << 20);
	findings_init(&f, &a);
	c = config_load(&a, str_c(path), STR_NONE, STR_NONE, &f);
	bug_on(!c != (f.errors > 0));
	if (c)
		check(c);
	/* what the command line says is held to the same rules */
	c = config_load(&a, str_c(path), S("0.0.0.0:1"), S("b"), &f);
	if (c)
		check(c);
	bug_on(config_load(&a, str_c(path), STR_NONE, S("b/c"), &f) != NULL);
	buf_in(&out, &a, (size_t)64 << 20);
	findings_write(&f, &out);
	bug_on(!buf_ok(&out) || (f.count && !out.n));
	arena_done(&a);
	unlink(path);
	return 0;
}
