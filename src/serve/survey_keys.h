/* survey_keys - which principals of the store may change everything (guard/survey.h). */
#pragma once
#include "serve/world.h"

/* Adds warnings.  Reads the store only when some entry mutates; a store that cannot be read is a
 * warning, too. */
void survey_keys(struct world *w, const struct generation *g, struct findings *f);
/* What keys, certificates, proxies and tokens of machines can change, a line each; nothing when the
 * store cannot be read. */
void survey_machines_write(
	struct world *w, const struct generation *g, struct arena *a, struct buf *out);
