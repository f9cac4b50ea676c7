/* names - what tools/call, resources/read, prompts/get and completion/complete ask for. */
#pragma once
#include "catalog/catalog.h"
#include "mcp/message.h"

struct mcp_target {
	const struct entry *entry; /* NULL: completion of an argument that has none (no values) */
	struct json arguments; /* an object, {} when absent */
	struct str uri; /* resources */
	/* completion: arguments hold the declared ones of context.arguments, and "value" */
	struct str argument, value;
};

/* Finds the entry and its arguments, checks params' form, and (modern HTTP tools/call) the
 * Mcp-Param-* headers.  visible: entries for which it says no are unknown, to the byte.  A catalog
 * without entries of a kind does not have its methods (-32601).  *out points into r and a. */
bool mcp_target(struct arena *a, const struct catalog *catalog, const struct mcp_request *r,
	const struct mcp_headers *h, bool (*visible)(void *ctx, const struct entry *e), void *ctx,
	struct mcp_target *out, struct mcp_refusal *why) must_check;
