/* survey_keys - see survey_keys.h. */
#include "serve/survey_keys.h"

#include "base/clock.h"
#include "guard/survey.h"

/* And may call. */
static bool is_valid(const struct key_row *row, int64_t now_us)
{
	return !row->revoked_us && !row->approver && (!row->expires_us || row->expires_us > now_us);
}

void survey_keys(struct world *w, const struct generation *g, struct findings *f)
{
	struct place at = { .file = g->config->file };
	int64_t now_us = clock_wall_us();
	struct key_row *rows;
	size_t count;
	struct err err;

	if (!survey_is_worth_it(g->catalog) || !g->config->api_keys)
		return;
	if (!store_key_list(world_store(w), f->a, &rows, &count, &err)) {
		finding_warn(f, at, "grant.not_surveyed",
			arena_fmt(f->a, "who may change everything is not known: %s", err.text),
			S("correct what the store says, and check again"));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct principal p;

		if (is_valid(&rows[i], now_us) && principal_of_key(g->config, f->a, &rows[i], &p))
			survey_principal(g->catalog, &p, at, f);
	}
}

void survey_machines_write(
	struct world *w, const struct generation *g, struct arena *a, struct buf *out)
{
	int64_t now_us = clock_wall_us();
	struct key_row *rows;
	size_t count = 0;
	struct err err;

	if (!survey_is_worth_it(g->catalog))
		return;
	survey_machines(g->config, g->catalog, a, out);
	if (!g->config->api_keys || !store_key_list(world_store(w), a, &rows, &count, &err))
		return;
	for (size_t i = 0; i < count; i++) {
		struct principal p;

		if (is_valid(&rows[i], now_us) && principal_of_key(g->config, a, &rows[i], &p))
			survey_machine(g->catalog, &p, out);
	}
}
