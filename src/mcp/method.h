/* method - the methods and their names, and which era has them. */
#pragma once
#include "mcp/message.h"

/* MCP_UNKNOWN when the era has no such request. */
enum mcp_method mcp_method_find(struct str name, bool modern);
/* MCP_NOTE_OTHER for those nothing is done about. */
enum mcp_method mcp_note_find(struct str name);
/* The member of params that Mcp-Name mirrors; empty for most methods. */
struct str mcp_method_mirrored(enum mcp_method method);
