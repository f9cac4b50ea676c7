/* key_check - see key_check.h. */
#include "serve/key_check.h"

#define DAY_US (INT64_C(86400) * 1000000)

static void check_row(
	const struct config *config, const struct key_row *r, int64_t wall_us, struct findings *f)
{
	struct place at = { .file = config->store_file };
	int64_t left_us = r->expires_us - wall_us;

	if (r->revoked_us || (r->expires_us && left_us <= 0))
		return;
	if (r->expires_us && left_us <= KEY_SOON_US)
		finding_warn(f, at, "config.key_expires",
			arena_fmt(f->a, "key %.*s of %.*s expires in %lld days", STR_ARG(r->id),
				STR_ARG(r->subject), (long long)(left_us / DAY_US)),
			arena_fmt(f->a, "postern key rotate CONFIG %.*s", STR_ARG(r->id)));
	if (!r->expires_us && config->environment == ENV_PRODUCTION)
		finding_warn(f, at, "config.key_forever",
			arena_fmt(f->a, "key %.*s of %.*s never expires", STR_ARG(r->id),
				STR_ARG(r->subject)),
			arena_fmt(f->a, "postern key rotate CONFIG %.*s, then revoke it",
				STR_ARG(r->id)));
}

void key_check(struct world *w, const struct config *config, int64_t wall_us, struct findings *f)
{
	struct key_row *rows;
	struct arena a;
	struct err err;
	size_t count;

	arena_init(&a, (size_t)64 << 20);
	if (store_key_list(world_store(w), &a, &rows, &count, &err))
		for (size_t i = 0; i < count; i++)
			check_row(config, &rows[i], wall_us, f);
	else
		finding_error(f, (struct place){ .file = config->store_file }, "config.store",
			arena_fmt(f->a, "the keys cannot be read: %s", err.text),
			S("correct the file, or name another under 'store'"));
	arena_done(&a);
}
