/* reload - SIGHUP: the next generation, or none; and what the log says of either. */
#pragma once
#include "serve/answer.h"

#include <stdio.h>

/* Findings with the arena they live in, until they were shown. */
struct report {
	struct arena arena;
	struct findings findings;
};
void report_begin(struct report *r);
/* Prints what was found and releases it. */
void report_end(struct report *r, FILE *to);

/* START, or CONFIG with the digests of before: what is in force stands in the log.  before: NULL at
 * the start. */
bool record_configuration(struct world *w, const char *event, const struct generation *before,
	const struct generation *now, struct err *err) must_check;

/* A source of another environment among the findings: an attempt that must be found afterwards. */
void record_crossing(struct world *w, const struct findings *f);

/* Reads configuration and catalog again.  All of it comes into force, recorded, and every open
 * stream is told; or nothing does, and the log says why.  options: as at the start. */
void reload_all(struct server *s, const struct world_options *options);

/* From the configuration, unless the command line says another. */
void apply_log_level(const struct world_options *options, const struct config *c);
