/* refuse - fills a refusal; always returns false, so that a reader can `return mcp_refuse(...)`.
 *
 * The id is the message's when it could be read; status is HTTP's (stdio does not look at it). */
#pragma once
#include "mcp/message.h"

#define RPC_PARSE (-32700)
#define RPC_INVALID (-32600)
#define RPC_NO_METHOD (-32601)
#define RPC_PARAMS (-32602)
#define RPC_INTERNAL (-32603)
#define RPC_OLD_NO_RESOURCE (-32002) /* legacy only */
#define RPC_HEADER (-32020)
#define RPC_CAPABILITY (-32021)
#define RPC_VERSION (-32022)

bool mcp_refuse(
	struct mcp_refusal *why, int status, int code, const char *reason, struct str message);

/* "PREFIXname" with the name cut to 128 bytes as JSON writes it: names come from strangers. */
struct str mcp_say_name(struct arena *a, struct str prefix, struct str name);
