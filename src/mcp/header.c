/* header - see header.h.
 *
 * Invariants: 1. what is compared was decoded completely: a value that does not decode equals
 * nothing.  2. no bytes outside VCHAR, SP and HTAB are taken over from a header. */
#include "mcp/header.h"

#include "base/digest.h"
#include "base/utf8.h"

static bool is_field_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c != '\t' && (c < 0x20 || c > 0x7e))
			return false;
	}
	return true;
}

bool mcp_header_text(struct arena *a, struct str value, struct str *out)
{
	struct str open = S("=?base64?"), close = S("?=");
	struct str text = str_trim(value);
	struct buf decoded;

	if (text.n > MCP_HEADER_MAX || !is_field_text(text))
		return false;
	if (text.n < open.n + close.n || !str_starts(text, open) || !str_ends(text, close)) {
		*out = text;
		return true;
	}
	buf_in(&decoded, a, MCP_HEADER_MAX);
	if (!base64_read(str_sub(text, open.n, text.n - open.n - close.n), &decoded) ||
		!buf_ok(&decoded) || !utf8_valid(buf_str(&decoded)))
		return false;
	*out = buf_str(&decoded);
	return true;
}

static bool same_number(struct arena *a, struct str text, struct str lexeme)
{
	struct json number;
	struct json_error error;

	return json_parse(a, text, &number, &error) && number.kind == JSON_NUMBER &&
	       json_number_cmp(number.text, lexeme) == 0;
}

bool mcp_header_mirrors(struct arena *a, struct str value, const struct json *argument)
{
	struct str text;

	if (!mcp_header_text(a, value, &text))
		return false;
	switch (argument->kind) {
	case JSON_STRING:
		return str_eq(text, argument->text);
	case JSON_BOOL:
		return str_eq(text, argument->truth ? S("true") : S("false"));
	case JSON_NUMBER:
		return same_number(a, text, argument->text);
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}
