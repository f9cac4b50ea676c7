/* url - which addresses may stand where a server is named.
 *
 * Invariants: 1. plain HTTP goes to loopback only.  2. no user information, no fragment, no blank:
 * what a reader of the file sees is where a request goes. */
#include "base/hostport.h"
#include "config/load.h"

static bool is_host_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT; *host_out without brackets and port. */
static bool split_authority(struct str text, struct str *host_out)
{
	struct hostport at;
	uint64_t port;

	if (hostport_read(text, &at)) {
		*host_out = at.host;
		return at.host.n && str_to_u64(at.port, &port) && port > 0;
	}
	*host_out = text;
	if (str_starts(text, S("[")) && str_ends(text, S("]")) && text.n > 2) {
		*host_out = str_sub(text, 1, text.n - 2);
		return !str_has(*host_out, '[') && !str_has(*host_out, ']');
	}
	return text.n && !str_has(text, ':') && !str_has(text, '[') && !str_has(text, ']');
}

bool config_url_fits(struct str url, bool *plain_out, struct str *rest_out)
{
	struct str name, rest;
	size_t host = 0;

	*plain_out = str_starts(url, S("http://"));
	if (!*plain_out && !str_starts(url, S("https://")))
		return false;
	rest = str_from(url, *plain_out ? 7 : 8);
	while (host < rest.n && is_host_char(rest.p[host]))
		host++;
	*rest_out = str_from(rest, host);
	for (size_t i = 0; i < rest_out->n; i++)
		if (rest_out->p[i] <= ' ' || rest_out->p[i] >= 0x7f || rest_out->p[i] == '#')
			return false;
	if (rest_out->n && rest_out->p[0] != '/' && rest_out->p[0] != '?')
		return false;
	return split_authority(str_sub(rest, 0, host), &name) &&
	       (!*plain_out || config_is_loopback(name));
}
