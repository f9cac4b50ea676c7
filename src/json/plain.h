/* plain - how many bytes of a JSON string stand for themselves.  Of this room only. */
#pragma once
#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__
/* Bit i: byte i of v is a '"', a '\\' or a control character. */
static inline unsigned plain_stops(__m128i v)
{
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, control), backslash));
}

static inline __m128i plain_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}
#endif

/* Bytes of p before the first '"', '\\' or control character (n when there is none).  *high becomes
 * true when one of these bytes is not ASCII, and is left alone otherwise.  Reads nothing past n. */
static inline size_t plain_run(const char *p, size_t n, bool *high)
{
	unsigned seen = 0;
	size_t at = 0;

#ifdef __SSE2__
	for (; n - at >= 16; at += 16) {
		__m128i v = plain_load(p + at);
		unsigned stops = plain_stops(v), highs = (unsigned)_mm_movemask_epi8(v);

		if (stops) {
			/* the bits below the lowest stop */
			*high |= (seen | (highs & (stops - 1) & ~stops)) != 0;
			return at + (unsigned)__builtin_ctz(stops);
		}
		seen |= highs;
	}
#endif
	for (; at < n; at++) {
		unsigned char c = (unsigned char)p[at];

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		seen |= c & 0x80u;
	}
	*high |= seen != 0;
	return at;
}
