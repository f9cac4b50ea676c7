/* desk - see desk.h. */
#include "cli/desk.h"

#include "base/clock.h"
#include "cli/cli.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DESK_BYTES ((size_t)256 << 20)
#define LONGEST_US (INT64_C(365) * 86400 * 1000000)

/* The account that was logged in, also behind sudo; what anybody could claim is only claimed. */
static struct str who_is_this(struct arena *a)
{
	const struct passwd *p = getpwuid(getuid());

	if (p)
		return arena_fmt(a, "os:%s", p->pw_name);
	return arena_fmt(a, "os:%u", (unsigned)getuid());
}

static bool audit_key(void *ctx, struct secret *out, struct err *err)
{
	const struct desk *d = ctx;

	return keyfile_get(d->keys, S("audit-hmac"), out, err);
}

static void open_log(struct desk *d)
{
	const struct config *c = d->config;
	struct audit_config audit = {
		.directory = c->audit_directory,
		.origin = arena_fmt(&d->arena, "%.*s/%s/%.*s", STR_ARG(c->name),
			environment_name(c->environment), STR_ARG(c->instance)),
		.timeout_ms = c->limits.audit_ms,
		.key = audit_key,
		.key_ctx = d,
	};

	d->keys = c->audit_keys;
	d->audit = audit_new(&audit);
}

static void print_findings(struct desk *d, const struct findings *f)
{
	struct buf text;

	buf_in(&text, &d->arena, (size_t)16 << 20);
	findings_write(f, &text);
	fwrite(text.p, 1, text.n, stderr);
}

bool desk_open(struct desk *d, const char *config_file)
{
	struct findings f, of_catalog;

	memset(d, 0, sizeof *d);
	arena_init(&d->arena, DESK_BYTES);
	findings_init(&f, &d->arena);
	d->config = config_load(&d->arena, str_c(config_file), STR_NONE, STR_NONE, &f);
	if (!d->config || f.errors) {
		print_findings(d, &f);
		arena_done(&d->arena);
		return false;
	}
	findings_init(&of_catalog, &d->arena);
	d->catalog = catalog_load(&d->arena, d->config, &of_catalog);
	d->store = store_new(d->config->store_file);
	d->who = who_is_this(&d->arena);
	open_log(d);
	return true;
}

void desk_close(struct desk *d)
{
	audit_close(d->audit);
	store_free(&d->store);
	if (d->catalog)
		catalog_done(d->catalog);
	arena_done(&d->arena);
}

bool duration_read(struct str text, int64_t *us_out)
{
	static const struct {
		char unit;
		int64_t us;
	} units[] = { { 's', 1000000 }, { 'm', 60000000 }, { 'h', INT64_C(3600000000) },
		{ 'd', INT64_C(86400000000) } };
	uint64_t n;

	for (size_t i = 0; text.n > 1 && i < ARRAY_LEN(units); i++) {
		if (text.p[text.n - 1] != units[i].unit)
			continue;
		if (!str_to_u64(str_sub(text, 0, text.n - 1), &n) || !n ||
			n > (uint64_t)(LONGEST_US / units[i].us))
			return false;
		*us_out = (int64_t)n * units[i].us;
		return true;
	}
	return false;
}

struct str desk_time(struct arena *a, int64_t us, const char *never)
{
	struct buf text;

	if (!us)
		return str_c(never);
	buf_in(&text, a, 64);
	clock_write_rfc3339(&text, us);
	return arena_fmt(a, "%.*sZ", 19, text.p);
}
