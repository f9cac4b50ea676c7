/* metrics - what happened since the process started, as numbers for Prometheus.
 *
 * A call finds its meter by one look in a table of its generation and adds with atomics; what was
 * refused is counted under a lock, beside a record that costs far more.  Bounded: names are those
 * of catalog entries, codes and reasons those of our own code, and both have a limit past which
 * they are "other".  Never a subject, never a value.  Thread-safe. */
#pragma once
#include "base/map.h"
#include "plan/call.h"

#define METRICS_NAMES_MAX 2048
#define METRICS_REASONS_MAX 256

struct metrics;
struct meter;

struct metrics *metrics_new(void);
void metrics_free(struct metrics **m);

/* The meters of a catalog's entries, made when they are new: to be kept with the generation. */
void metrics_know(struct metrics *m, const struct catalog *c, struct map *out);

/* Between these two a call is running. */
void metrics_call_begin(struct metrics *m);
void metrics_call_end(struct metrics *m, const struct map *known, const struct call *c);
/* A refusal before there was a call. */
void metrics_refused(struct metrics *m, const char *event, struct str reason);
void metrics_reloaded(struct metrics *m, bool ok);

uint64_t metrics_running(const struct metrics *m);
/* In the text format of Prometheus, 0.0.4; out is on the heap. */
void metrics_write(struct metrics *m, struct buf *out);

/* One "# HELP", "# TYPE" head, and one sample; label: NAME="…" parts already written, or empty. */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);
void metrics_sample(struct buf *out, const char *name, struct str labels, uint64_t value);
void metrics_label(struct buf *out, const char *name, struct str value); /* escapes; a comma first
									    when out is not empty */
