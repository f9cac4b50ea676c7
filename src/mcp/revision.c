/* revision - see revision.h. */
#include "mcp/revision.h"

static const struct mcp_revision_info revisions[MCP_REVISIONS] = {
	[MCP_2024_11_05] = { .name = STR_INIT("2024-11-05") },
	[MCP_2025_03_26] = { .name = STR_INIT("2025-03-26"),
		.batches = true,
		.audio = true,
		.progress_message = true },
	[MCP_2025_06_18] = { .name = STR_INIT("2025-06-18"),
		.structured = true,
		.audio = true,
		.progress_message = true,
		.elicitation = true },
	[MCP_2025_11_25] = { .name = STR_INIT("2025-11-25"),
		.structured = true,
		.audio = true,
		.progress_message = true,
		.elicitation = true,
		.elicitation_url = true,
		.elicitation_mode = true,
		.elicitation_id = true },
	[MCP_2026_07_28] = { .name = STR_INIT("2026-07-28"),
		.modern = true,
		.structured = true,
		.audio = true,
		.progress_message = true,
		.elicitation = true,
		.elicitation_url = true,
		.elicitation_mode = true },
};

const struct mcp_revision_info *mcp_revision_info(enum mcp_revision r)
{
	bug_on(r >= MCP_REVISIONS);
	return &revisions[r];
}

bool mcp_revision_find(struct str name, enum mcp_revision *out)
{
	for (unsigned i = 0; i < MCP_REVISIONS; i++)
		if (str_eq(revisions[i].name, name)) {
			*out = (enum mcp_revision)i;
			return true;
		}
	return false;
}

bool mcp_version_is_modern(struct str version)
{
	for (size_t i = 0; i < version.n; i++)
		if (i == 4 || i == 7 ? version.p[i] != '-' : !ascii_is_digit(version.p[i]))
			return false;
	return version.n == 10 && str_cmp(version, revisions[MCP_2025_11_25].name) > 0;
}
