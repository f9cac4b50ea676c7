/* method - see method.h. */
#include "mcp/method.h"

#define LEGACY 1
#define MODERN 2
#define BOTH (LEGACY | MODERN)

static const struct row {
	struct str name;
	enum mcp_method method;
	unsigned eras;
	struct str mirrored;
} rows[] = {
	{ STR_INIT("initialize"), MCP_INITIALIZE, LEGACY, { 0 } },
	{ STR_INIT("ping"), MCP_PING, LEGACY, { 0 } },
	{ STR_INIT("server/discover"), MCP_DISCOVER, MODERN, { 0 } },
	{ STR_INIT("tools/list"), MCP_TOOLS_LIST, BOTH, { 0 } },
	{ STR_INIT("tools/call"), MCP_TOOLS_CALL, BOTH, STR_INIT("name") },
	{ STR_INIT("resources/list"), MCP_RESOURCES_LIST, BOTH, { 0 } },
	{ STR_INIT("resources/templates/list"), MCP_TEMPLATES_LIST, BOTH, { 0 } },
	{ STR_INIT("resources/read"), MCP_RESOURCES_READ, BOTH, STR_INIT("uri") },
	{ STR_INIT("resources/subscribe"), MCP_RESOURCES_SUBSCRIBE, LEGACY, { 0 } },
	{ STR_INIT("resources/unsubscribe"), MCP_RESOURCES_UNSUBSCRIBE, LEGACY, { 0 } },
	{ STR_INIT("prompts/list"), MCP_PROMPTS_LIST, BOTH, { 0 } },
	{ STR_INIT("prompts/get"), MCP_PROMPTS_GET, BOTH, STR_INIT("name") },
	{ STR_INIT("completion/complete"), MCP_COMPLETE, BOTH, { 0 } },
	{ STR_INIT("subscriptions/listen"), MCP_LISTEN, MODERN, { 0 } },
	{ STR_INIT("logging/setLevel"), MCP_SET_LEVEL, LEGACY, { 0 } },
};

enum mcp_method mcp_method_find(struct str name, bool modern)
{
	unsigned era = modern ? MODERN : LEGACY;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(rows[i].name, name))
			return rows[i].eras & era ? rows[i].method : MCP_UNKNOWN;
	return MCP_UNKNOWN;
}

enum mcp_method mcp_note_find(struct str name)
{
	if (str_eq(name, S("notifications/initialized")))
		return MCP_NOTE_INITIALIZED;
	if (str_eq(name, S("notifications/cancelled")))
		return MCP_NOTE_CANCELLED;
	return MCP_NOTE_OTHER;
}

struct str mcp_method_mirrored(enum mcp_method method)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].method == method)
			return rows[i].mirrored;
	return STR_NONE;
}
