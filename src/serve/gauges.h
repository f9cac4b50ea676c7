/* gauges - what is so now, for /metrics: beside the counters of metrics.h. */
#pragma once
#include "serve/admin.h"
#include "serve/ready.h"

/* A sample with the label kind. */
void gauge_kind(struct buf *out, const char *name, enum kill_kind kind, uint64_t value);
void gauges_write(const struct admin_view *v, const struct ready_state *ready, struct buf *out);
