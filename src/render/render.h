/* render - what may be shown of a call's outcome: text for the model, structured content for
 * programs.
 *
 * Writes call->result_json (an MCP result without resultType, _meta and caching fields),
 * result_rows and result_digest.  A mock is marked by a note for the model (and by mcp, in _meta).
 * Every value is checked against its declared column first; what
 * does not fit is INTERNAL with reason output_contract, and nothing of it is shown. */
#pragma once
#include "plan/call.h"

/* Masks come first: from then on the call holds no value that its caller may not see.  mask_key: of
 * the mask `hash`; empty: such values are redacted.
 * structured: the client's revision knows structuredContent (2025-06-18 and later).
 * next_cursor: the sealed cursor of the next page, or empty.  False: call->fault is set. */
bool render_call(
	struct call *c, struct str mask_key, bool structured, struct str next_cursor) must_check;
/* The result of a faulted tool call: isError, structuredContent {"error": …} and the same as text.
 */
void render_fault(struct call *c, bool structured);
/* {"code", "message", "retryable", "advice", "retry_after_ms"?, "suggestion"?, "details"?,
 * "call_id"}: for resources, prompts and completions, whose faults are JSON-RPC errors. */
struct str render_error_object(struct call *c);
