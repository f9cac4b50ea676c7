/* reply - how every result begins and ends, for the writers of this room. */
#pragma once
#include "json/write.h"
#include "mcp/write.h"

/* How long a client may keep what it was told. */
#define REPLY_LIST_MS 60000
#define REPLY_DISCOVER_MS 3600000

/* {"jsonrpc":"2.0","id":…,"result":{ and, modern, "resultType":kind.  w is then inside the result.
 */
void reply_begin(struct jw *w, struct buf *out, const struct mcp_request *r, struct str kind);
/* "_meta" (modern) with who serves, and the subscription when not empty; closes both objects. */
void reply_end(struct jw *w, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str subscription);
/* Which catalog it was: a member of _meta. */
void reply_catalog(struct jw *w, const struct mcp_server_info *s);
/* The same for the result of a call; mock: _meta says so, on every revision. */
void reply_end_marked(struct jw *w, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str subscription, bool mock);
/* Caching hints, modern only.  Whatever depends on the caller is "private". */
void reply_cacheable(struct jw *w, const struct mcp_request *r, uint64_t ttl_ms, bool everybody);
/* An Implementation object: who serves. */
void reply_server(struct jw *w, const struct mcp_server_info *s, enum mcp_revision revision);

/* {"jsonrpc":"2.0","method":…,"params":{ and the end of it with _meta, if there is a subscription.
 */
void note_begin(struct jw *w, struct buf *out, struct str method);
void note_end(struct jw *w, struct str subscription);
