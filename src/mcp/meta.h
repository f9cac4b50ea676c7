/* meta - what a request says about itself and its client in params._meta, and initialize in params.
 */
#pragma once
#include "mcp/message.h"

/* The key that makes a request modern, whatever its value. */
#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT "io.modelcontextprotocol/clientInfo"
#define META_LOG_LEVEL "io.modelcontextprotocol/logLevel"
#define META_SERVER "io.modelcontextprotocol/serverInfo"
#define META_CATALOG "postern/catalog" /* digest of what is in force: pin it, compare it */
#define META_MOCK "postern/mock"
#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

/* NULL: the message does not claim to be modern. */
const struct json *mcp_meta_claim(const struct json *params);

/* Member names of params and _meta that mean something here, in another case: refused (-32600). */
bool mcp_meta_unambiguous(const struct json *params, struct mcp_refusal *why) must_check;

/* The envelope of a modern request; fills can, client_*, log_level, progress_token, trace_id and
 * wanted_version (the version claimed, known or not).  False: 400, -32602, the key is named. */
bool mcp_meta_read(
	const struct json *params, struct mcp_request *out, struct mcp_refusal *why) must_check;

/* What a legacy request may carry: progress_token and trace_id. */
void mcp_meta_read_legacy(const struct json *params, struct mcp_request *out);

/* clientInfo and capabilities of initialize.  False: 400, -32602. */
bool mcp_meta_read_initialize(
	const struct json *params, struct mcp_request *out, struct mcp_refusal *why) must_check;

/* A string, or an integer in plain digits: what an id or a progress token may be. */
bool mcp_meta_is_token(const struct json *v);
