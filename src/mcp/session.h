/* session - which legacy session a message belongs to. */
#pragma once
#include "mcp/message.h"

/* A new session of this revision; its nonce is drawn here. */
void mcp_session_begin(struct arena *a, const struct mcp_context *m, enum mcp_revision revision,
	struct mcp_session *out);

/* The session of a legacy message on HTTP, by its headers: refused with 400 when none is named or
 * MCP-Protocol-Version names no revision served here, with 404 when it is not, or no longer, alive.
 */
bool mcp_session_of(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	struct mcp_session *out, struct mcp_refusal *why) must_check;
