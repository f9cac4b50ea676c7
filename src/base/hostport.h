/* hostport - "HOST:PORT" and "[V6]:PORT" taken apart: where to listen, whom a Host header names. */
#pragma once
#include "base/str.h"

struct hostport {
	struct str name; /* as written: with the brackets of an IPv6 address */
	struct str host; /* without them */
	struct str port; /* 1 to 5 digits, at most 65535 */
};

/* False: no port, a colon in a host without brackets, half a pair of them, or a character that no
 * host has (space, control, NUL).  What name or address the host is, is not looked at. */
bool hostport_read(struct str s, struct hostport *out) must_check;
