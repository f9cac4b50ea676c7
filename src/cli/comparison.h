/* comparison - the differences between two deployments, one line each, in an order that does not
 * change. */
#pragma once
#include "catalog/catalog.h"

struct difference {
	struct str text;
	bool intended;
	struct difference *next;
};

struct comparison {
	struct arena *a;
	struct difference *first, **last;
	size_t count, intended;
};

/* what: "tool x", "role y".  x is of staging, y of production. */
void comparison_only(struct comparison *c, struct str what, bool in_staging);
void comparison_text(
	struct comparison *c, struct str what, const char *key, struct str x, struct str y);
void comparison_u64(struct comparison *c, struct str what, const char *key, uint64_t x, uint64_t y);
void comparison_bool(struct comparison *c, struct str what, const char *key, bool x, bool y);
void comparison_names(
	struct comparison *c, struct str what, const char *key, struct names x, struct names y);

/* Rules of calls, in whatever order they are written. */
void comparison_rules(struct comparison *c, struct str what, const char *key,
	const struct limit_rule *x, size_t x_count, const struct limit_rule *y, size_t y_count);

/* compare_entry.c: tools, resources and prompts. */
void compare_catalogs(
	struct comparison *c, const struct catalog *staging, const struct catalog *production);
/* compare_config.c: roles, toolsets, limits, tenants and modes. */
void compare_configs(
	struct comparison *c, const struct config *staging, const struct config *production);
