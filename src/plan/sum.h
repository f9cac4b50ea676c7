/* sum - exact decimal addition: money is never a double.  Pure. */
#pragma once
#include "base/buf.h"

#define SUM_DIGITS 64 /* of a sum, before and behind the point together */
#define SUM_FRACTION 64
#define SUM_PLACES (SUM_FRACTION + SUM_DIGITS + 12) /* 10^12 numbers fit without an overflow */

/* Zeroed, it is 0. */
struct sum {
	bool negative;
	unsigned scale; /* digits behind the point: as many as any number had */
	uint8_t digit[SUM_PLACES]; /* 0..9, the least first; the point is at SUM_FRACTION */
};

/* An optional minus, digits, and maybe a point with digits behind it; at most SUM_DIGITS of them.
 * False: it is anything else, and *out is as it was. */
bool sum_read(struct str text, struct sum *out) must_check;
/* False: past SUM_PLACES. */
bool sum_add(struct sum *s, const struct sum *more) must_check;
struct sum sum_minus(struct sum s);
struct sum sum_size(struct sum s); /* without its sign */
/* "-48000", "12400.00"; false: it has more than SUM_DIGITS digits. */
bool sum_text(const struct sum *s, struct arena *a, struct str *out) must_check;
/* A decimal text for people: "-48000" as "-48,000". */
struct str decimal_grouped(struct arena *a, struct str decimal);
