/* adapt - content that a protocol revision does not know, said in words it knows. */
#pragma once
#include "mcp/message.h"

/* result_json: the members of a result of tools/call or prompts/get.  Blocks of a type that came
 * after r's revision (audio, resource_link) become text; anything else stays byte for byte. Without
 * an arena nothing is changed. */
struct str mcp_adapt_result(struct arena *a, const struct mcp_request *r, struct str result_json);
