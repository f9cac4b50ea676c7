/* refuse - see refuse.h. */
#include "mcp/refuse.h"

#include "base/utf8.h"
#include "json/write.h"

#define NAME_SHOWN 128

bool mcp_refuse(
	struct mcp_refusal *why, int status, int code, const char *reason, struct str message)
{
	why->http_status = status;
	why->code = code;
	why->reason = reason;
	why->message = message;
	return false;
}

struct str mcp_say_name(struct arena *a, struct str prefix, struct str name)
{
	struct buf shown, escaped;
	struct str rest = utf8_prefix(name, NAME_SHOWN);

	buf_in(&escaped, a, NAME_SHOWN);
	buf_in(&shown, a, prefix.n + NAME_SHOWN);
	buf_add(&shown, prefix);
	while (rest.n) {
		size_t n;

		utf8_first(rest, &n);
		json_escape(&escaped, str_sub(rest, 0, n));
		if (!buf_ok(&escaped))
			break;
		buf_add(&shown, str_sub(rest, 0, n));
		rest = str_from(rest, n);
	}
	return buf_str(&shown);
}
