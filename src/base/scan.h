/* scan - reads bytes from left to right and never past the end.
 *
 * Every parser reads through it.  On "no" nothing is consumed. */
#pragma once
#include "base/str.h"

struct scan {
	const char *at, *end, *start;
};

static inline struct scan scan_of(struct str s)
{
	return (struct scan){ .at = s.p, .end = s.p + s.n, .start = s.p };
}
static inline size_t scan_left(const struct scan *s)
{
	return (size_t)(s->end - s->at);
}
static inline size_t scan_offset(const struct scan *s)
{
	return (size_t)(s->at - s->start);
}
static inline bool scan_end(const struct scan *s)
{
	return s->at == s->end;
}
/* The next byte as 0..255, or -1 at the end; not consumed. */
static inline int scan_peek(const struct scan *s)
{
	return s->at < s->end ? (unsigned char)*s->at : -1;
}
static inline void scan_skip(struct scan *s, size_t n)
{
	bug_on(n > scan_left(s));
	s->at += n;
}
static inline bool scan_char(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}
bool scan_lit(struct scan *s, struct str lit);
/* The longest run of bytes for which `in` says true; may be empty. */
struct str scan_while(struct scan *s, bool (*in)(char c));
/* Everything up to, not including, `stop`; consumes stop too.  False when stop does not come. */
bool scan_until(struct scan *s, char stop, struct str *out);
struct str scan_rest(struct scan *s); /* consumes it */
