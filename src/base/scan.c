/* scan - see scan.h. */
#include "base/scan.h"

#include <string.h>

bool scan_lit(struct scan *s, struct str lit)
{
	if (scan_left(s) < lit.n || !str_eq(str_n(s->at, lit.n), lit))
		return false;
	s->at += lit.n;
	return true;
}

struct str scan_while(struct scan *s, bool (*in)(char c))
{
	const char *from = s->at;

	while (s->at < s->end && in(*s->at))
		s->at++;
	return str_n(from, (size_t)(s->at - from));
}

bool scan_until(struct scan *s, char stop, struct str *out)
{
	const char *hit = scan_end(s) ? NULL : memchr(s->at, stop, scan_left(s));

	if (!hit)
		return false;
	*out = str_n(s->at, (size_t)(hit - s->at));
	s->at = hit + 1;
	return true;
}

struct str scan_rest(struct scan *s)
{
	struct str rest = str_n(s->at, scan_left(s));

	s->at = s->end;
	return rest;
}
