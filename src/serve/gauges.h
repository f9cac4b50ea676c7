/* gauges - what is so now, for /metrics: beside the counters of metrics.h. */
#pragma once
#include "serve/admin.h"
#include "serve/ready.h"

void gauges_write(const struct admin_view *v, const struct ready_state *ready, struct buf *out);
