/* utf8 - see utf8.h. */
#include "base/utf8.h"

#include <string.h>

/* Bytes of the sequence at p (left >= 1), or 0 when it is not well-formed (RFC 3629 section 4). */
static size_t sequence_bytes(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (n > left || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool utf8_valid(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t at = 0;

	while (at < s.n) {
		uint64_t word;
		size_t n;

		if (s.n - at >= 8) {
			memcpy(&word, p + at, 8);
			if (!(word & 0x8080808080808080u)) {
				at += 8;
				continue;
			}
		}
		n = sequence_bytes(p + at, s.n - at);
		if (!n)
			return false;
		at += n;
	}
	return true;
}

size_t utf8_count(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((uint8_t)s.p[i] & 0xc0) != 0x80;
	return count;
}

uint32_t utf8_first(struct str s, size_t *bytes_out)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t n = s.n ? sequence_bytes(p, s.n) : 0;
	uint32_t c;

	bug_on(!n);
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*bytes_out = n;
	return c;
}

void utf8_write(struct buf *out, uint32_t c)
{
	bug_on(c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff));
	if (c < 0x80) {
		buf_char(out, (char)c);
	} else if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(out, (char)(0xe0 | c >> 12));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | c >> 18));
		buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

struct str utf8_prefix(struct str s, size_t n)
{
	if (n >= s.n)
		return s;
	while (n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}
