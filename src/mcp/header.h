/* header - values of the mirrored HTTP headers, read the way the body is: exactly. */
#pragma once
#include "mcp/message.h"

/* The value behind an Mcp-Name or Mcp-Param-* header: outer white space off, "=?base64?…?=" decoded
 * (exactly so written; anything else is literal).  False: bytes that no header may hold, bad
 * base64, text that is not UTF-8, or more than MCP_HEADER_MAX bytes. */
#define MCP_HEADER_MAX ((size_t)8192)
bool mcp_header_text(struct arena *a, struct str value, struct str *out) must_check;

/* Does this header say the same as this argument?  Strings as bytes, booleans as words, numbers by
 * value; nothing else can be mirrored. */
bool mcp_header_mirrors(struct arena *a, struct str value, const struct json *argument);
