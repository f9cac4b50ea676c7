/* envelope - a JSON value as a JSON-RPC 2.0 message: its kind, id, method and params, of any era.
 */
#pragma once
#include "mcp/message.h"

#define ENVELOPE_ID_MAX ((size_t)256)

/* Fills kind, id, method_name, result, and params when they are an object (else params.kind stays
 * JSON_NULL and *params_bad_out says whether something else stood there).  Refused: -32600. */
bool mcp_envelope_read(const struct json *message, struct mcp_request *out, bool *params_bad_out,
	struct mcp_refusal *why) must_check;
