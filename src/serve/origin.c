/* origin - see origin.h. */
#include "serve/origin.h"

#include <stdio.h>

#include "base/hostport.h"

static const struct str loopback_names[] = { STR_INIT("127.0.0.1"), STR_INIT("localhost"),
	STR_INIT("[::1]") };

static bool is_listed(const struct str *list, size_t count, struct str s)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_ci(list[i], s))
			return true;
	return false;
}

/* name:port, where the port may be left out only when it is the scheme's own. */
static bool is_own_name(struct str s, uint16_t port, uint16_t scheme_port)
{
	char text[32];
	int n = snprintf(text, sizeof text, ":%u", port);

	for (size_t i = 0; i < ARRAY_LEN(loopback_names); i++) {
		struct str name = loopback_names[i];

		if (s.n < name.n || !str_eq_ci(str_sub(s, 0, name.n), name))
			continue;
		if (str_eq(str_from(s, name.n), str_n(text, (size_t)n)) ||
			(s.n == name.n && port == scheme_port))
			return true;
	}
	return false;
}

bool origin_host_allowed(const struct listen_config *l, uint16_t port, struct str host)
{
	struct hostport parts;

	if (l->loopback && is_own_name(host, port, l->tls ? 443 : 80))
		return true;
	return is_listed(l->allowed_hosts, l->allowed_host_count, host) ||
	       (hostport_read(host, &parts) &&
		       is_listed(l->allowed_hosts, l->allowed_host_count, parts.name));
}

bool origin_listed(const struct listen_config *l, struct str origin)
{
	return origin.n && !str_eq_ci(origin, S("null")) &&
	       is_listed(l->allowed_origins, l->allowed_origin_count, origin);
}

bool origin_allowed(const struct listen_config *l, uint16_t port, struct str origin)
{
	struct str scheme = l->tls ? S("https://") : S("http://");

	if (origin_listed(l, origin))
		return true;
	return l->loopback && str_starts(origin, scheme) &&
	       is_own_name(str_from(origin, scheme.n), port, l->tls ? 443 : 80);
}
