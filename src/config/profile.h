/* profile - what an environment permits.  One table: whoever refuses something for its environment
 * asks here, and `postern check` prints it. */
#pragma once
#include "config/config.h"

enum permit {
	PERMIT_PLAIN_SECRET, /* a secret written into postern.yaml */
	PERMIT_SCRIPT, /* scripted sources, fixed principals */
	PERMIT_MOCK,
	PERMIT_RAW_SQL,
	PERMIT_BARE_WAIVER, /* a waiver without approved_by */
	PERMIT_UNMARKED_SOURCE, /* a source without a marker: a warning */
	PERMIT_NO_OWNER, /* tools and sources without owner and purpose: a warning */
	PERMIT_COUNT,
};

bool profile_permits(enum environment e, enum permit p);
/* The table, the column of this environment marked. */
void profile_write(struct buf *out, enum environment e);
