/* desk - what the commands of an operator need: the configuration, the store and the audit log,
 * without serving anything.  A catalog with mistakes is no reason to refuse a kill order. */
#pragma once
#include "audit/audit.h"
#include "catalog/catalog.h"
#include "store/store.h"

struct desk {
	struct arena arena;
	const struct config *config;
	struct catalog *catalog; /* NULL: it has mistakes */
	struct store *store;
	struct audit *audit; /* writes nothing before the first event */
	struct str who; /* "os:NAME": as the operating system says; nobody has proved it */
	struct str keys;
};

/* False: it said why. */
bool desk_open(struct desk *d, const char *config_file) must_check;
void desk_close(struct desk *d);

/* "90s", "30m", "2h", "7d" in microseconds: more than 0, at most 365 days. */
bool duration_read(struct str text, int64_t *us_out) must_check;
/* "2026-11-21T03:07:11Z", or `never` for 0. */
struct str desk_time(struct arena *a, int64_t us, const char *never);
