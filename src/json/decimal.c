/* decimal - see decimal.h.
 *
 * Divisibility without big numbers: with value = A * 10^a and divisor = B * 10^b, neither A nor B
 * ending in 0, the question is whether B divides A * 10^(a - b).
 * 1. When a < b it does not: B * 10^(b - a) ends in 0 and A does not.
 * 2. When a >= b the remainder is found digit by digit in 256 bits: B < 10^64 < 2^213, and a
 *    remainder times ten plus a digit stays below 2^217.
 * 3. A power of ten above 10^213 divides out no more of B than 10^213 does (B has at most 212
 *    factors 2 and fewer factors 5), so no more than MOST_TENS of them are multiplied. */
#include "json/decimal.h"

#include <string.h>

#define LIMBS 4
#define MOST_TENS 216

struct wide {
	uint64_t limb[LIMBS]; /* least significant first */
};

static int64_t exponent_of(struct str s)
{
	int64_t value = 0;
	bool negative = s.n > 0 && s.p[0] == '-';

	for (size_t i = 0; i < s.n; i++)
		if (ascii_is_digit(s.p[i]) && value < DECIMAL_MAX_EXPONENT)
			value = value * 10 + (s.p[i] - '0');
	value = MIN(value, DECIMAL_MAX_EXPONENT);
	return negative ? -value : value;
}

static void drop_trailing_zeros(struct decimal *d)
{
	while (d->count > 0 && d->digit[d->count - 1] == 0) {
		d->count--;
		d->exponent++;
	}
	if (d->count == 0) {
		d->exponent = 0;
		d->negative = false;
	}
}

void decimal_of(struct str lexeme, struct decimal *out)
{
	bool after_point = false;

	out->exponent = 0;
	out->count = 0;
	out->negative = lexeme.n > 0 && lexeme.p[0] == '-';
	for (size_t i = out->negative; i < lexeme.n; i++) {
		char c = lexeme.p[i];

		if (c == 'e' || c == 'E') {
			out->exponent += exponent_of(str_from(lexeme, i + 1));
			break;
		}
		if (c == '.') {
			after_point = true;
			continue;
		}
		out->exponent -= after_point;
		if (c == '0' && out->count == 0)
			continue;
		bug_on(out->count == DECIMAL_MAX_DIGITS);
		out->digit[out->count++] = (uint8_t)(c - '0');
	}
	drop_trailing_zeros(out);
}

bool decimal_is_integer(const struct decimal *d)
{
	return d->exponent >= 0;
}

bool decimal_to_u64(const struct decimal *d, uint64_t *out)
{
	uint64_t value = 0;

	if (d->negative || d->exponent < 0 || d->exponent > 19)
		return false;
	for (int64_t i = 0; i < d->count + d->exponent; i++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(
				value, (uint64_t)(i < d->count ? d->digit[i] : 0), &value))
			return false;
	*out = value;
	return true;
}

/* w = w * 10 + digit */
static void wide_shift_in(struct wide *w, uint8_t digit)
{
	uint64_t carry = digit;

	for (int i = 0; i < LIMBS; i++) {
		uint64_t low = (w->limb[i] & UINT32_MAX) * 10 + carry;
		uint64_t high = (w->limb[i] >> 32) * 10 + (low >> 32);

		w->limb[i] = (high << 32) | (low & UINT32_MAX);
		carry = high >> 32;
	}
}

static bool wide_less(const struct wide *a, const struct wide *b)
{
	for (int i = LIMBS - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i];
	return false;
}

static void wide_subtract(struct wide *a, const struct wide *b)
{
	uint64_t borrow = 0;

	for (int i = 0; i < LIMBS; i++) {
		uint64_t part;
		bool under = __builtin_sub_overflow(a->limb[i], b->limb[i], &part);

		under |= __builtin_sub_overflow(part, borrow, &a->limb[i]);
		borrow = under;
	}
}

static void remainder_shift_in(struct wide *r, uint8_t digit, const struct wide *divisor)
{
	wide_shift_in(r, digit);
	while (!wide_less(r, divisor))
		wide_subtract(r, divisor);
}

bool decimal_is_multiple(const struct decimal *value, const struct decimal *divisor)
{
	struct wide remainder = { 0 }, by = { 0 }, zero = { 0 };
	int64_t tens = value->exponent - divisor->exponent;

	bug_on(divisor->count == 0);
	if (value->count == 0)
		return true;
	if (tens < 0)
		return false;
	for (int i = 0; i < divisor->count; i++)
		wide_shift_in(&by, divisor->digit[i]);
	for (int i = 0; i < value->count; i++)
		remainder_shift_in(&remainder, value->digit[i], &by);
	for (int64_t i = 0; i < MIN(tens, (int64_t)MOST_TENS); i++)
		remainder_shift_in(&remainder, 0, &by);
	return memcmp(&remainder, &zero, sizeof zero) == 0;
}

bool lexeme_small(struct str lexeme, int64_t *out)
{
	size_t i = lexeme.n > 0 && lexeme.p[0] == '-';
	int64_t value = 0;

	if (lexeme.n == i || lexeme.n > 18 + i)
		return false;
	for (size_t k = i; k < lexeme.n; k++) {
		if (!ascii_is_digit(lexeme.p[k]))
			return false;
		value = value * 10 + (lexeme.p[k] - '0');
	}
	*out = i ? -value : value;
	return true;
}

bool lexeme_is_integer(struct str lexeme)
{
	struct decimal d;
	bool plain = true;

	for (size_t i = 0; i < lexeme.n && plain; i++)
		plain = ascii_is_digit(lexeme.p[i]) || lexeme.p[i] == '-';
	if (plain)
		return true;
	decimal_of(lexeme, &d);
	return decimal_is_integer(&d);
}
