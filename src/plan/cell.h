/* cell - a typed value as JSON, without loss, and back.
 *
 * null, ["integer","1"], ["real","0.1"], ["text","…"], ["blob","base64"]; a text that is not UTF-8
 * is ["bytes","base64"].  A text that stands alone (a name, a reason) is a string, or ["bytes",…].
 * Strings have the escapes of RFC 8785. */
#pragma once
#include "base/buf.h"
#include "json/json.h"
#include "plan/rows.h"

void cell_write(struct buf *out, const struct cell *cell);
void text_write(struct buf *out, struct str s);

/* False: it is not what they write; *out is as it was. */
bool cell_read(struct arena *a, const struct json *v, struct cell *out) must_check;
bool text_read(struct arena *a, const struct json *v, struct str *out) must_check;
