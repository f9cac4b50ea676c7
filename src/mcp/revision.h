/* revision - the protocol revisions served, and what differs between them as data.
 *
 * Modern: 2026-07-28, stateless, everything in params._meta.  Legacy: the four before it, opened by
 * initialize. */
#pragma once
#include "base/str.h"

enum mcp_revision {
	MCP_2024_11_05,
	MCP_2025_03_26,
	MCP_2025_06_18,
	MCP_2025_11_25,
	MCP_2026_07_28,
	MCP_REVISIONS
};

struct mcp_revision_info {
	struct str name;
	bool modern;
	bool batches; /* 2025-03-26 only */
	bool structured; /* structuredContent, outputSchema, title, resource_link, _meta: 2025-06-18
			    on */
	bool audio; /* 2025-03-26 on */
	bool progress_message; /* 2025-03-26 on */
	bool elicitation, elicitation_url,
		elicitation_mode; /* form; url; the field `mode` is sent */
	bool elicitation_id; /* url mode needs elicitationId: 2025-11-25 only */
};

const struct mcp_revision_info *mcp_revision_info(enum mcp_revision r);
bool mcp_revision_find(struct str name, enum mcp_revision *out);
/* "YYYY-MM-DD" later than the newest legacy revision: a client of the modern era, though perhaps of
 * a revision that is not served. */
bool mcp_version_is_modern(struct str version);
