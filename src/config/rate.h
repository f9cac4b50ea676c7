/* rate - "120/m per principal": how many in any window of which length, counted for whom.
 *
 * One notation for every limit of calls:  N/UNIT [per DIM [and DIM]]
 * UNIT: s, m, h, d, or a length such as 15m.  DIM: principal, tenant, agent, tool, source,
 * credential, and address where only that is known.  Without "per": everybody together.  Pure. */
#pragma once
#include "base/buf.h"

enum rate_per {
	PER_PRINCIPAL = 1 << 0,
	PER_TENANT = 1 << 1,
	PER_AGENT = 1 << 2,
	PER_TOOL = 1 << 3,
	PER_SOURCE = 1 << 4,
	PER_CREDENTIAL = 1 << 5,
	PER_ADDRESS = 1 << 6, /* of the peer, before it is known who asks */
};

#define RATE_MOST 1000000000u
#define RATE_WINDOW_MOST_MS 2678400000u /* 31 days */

struct limit_rule {
	struct str text; /* as written: ASCII letters, digits, '/' and single spaces */
	uint32_t most, window_ms;
	unsigned per; /* bits of enum rate_per */
};

/* NULL: *out is the rule, its text points into `text`.  Else: what is wrong, a clause. */
const char *rate_read(struct str text, struct limit_rule *out);
void rate_write(const struct limit_rule *r, struct buf *out); /* in the one normal form */
