/* remote - a small MCP client for `postern call URL`: 2026-07-28 over HTTP, by libcurl. */
#pragma once
#include "json/json.h"
#include "base/err.h"

struct remote {
	struct arena *a;
	struct str url, key;
};

/* The inputSchema of one tool, over all pages of tools/list. */
bool remote_input_schema(
	struct remote *r, struct str tool, struct json *out, struct err *err) must_check;
bool remote_call(struct remote *r, struct str tool, struct str arguments_json,
	struct str *result_out, bool *is_error_out, struct err *err) must_check;
