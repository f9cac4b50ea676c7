/* hostport - see hostport.h. */
#include "base/hostport.h"

#define PORT_DIGITS 5

static bool has_strange(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
			return true;
	return false;
}

static bool port_fits(struct str s)
{
	uint64_t n;

	return s.n <= PORT_DIGITS && str_to_u64(s, &n) && n <= UINT16_MAX;
}

/* The address in brackets, or the name as it is. */
static bool host_in(struct str name, struct str *out)
{
	bool opens = str_starts(name, S("[")), closes = str_ends(name, S("]"));

	*out = opens ? str_sub(name, 1, name.n - 2) : name;
	return opens == closes && (opens ? name.n > 2 : name.n && !str_has(name, ':'));
}

bool hostport_read(struct str s, struct hostport *out)
{
	struct hostport h;
	size_t colon = s.n;

	while (colon && s.p[colon - 1] != ':')
		colon--;
	if (!colon)
		return false;
	h.name = str_sub(s, 0, colon - 1);
	h.port = str_from(s, colon);
	if (!port_fits(h.port) || has_strange(h.name) || !host_in(h.name, &h.host))
		return false;
	*out = h;
	return true;
}
