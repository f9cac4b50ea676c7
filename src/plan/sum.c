/* sum - see sum.h.
 *
 * Invariants: 1. digits are 0..9, and zero is not negative.  2. nothing is rounded: a number that
 * does not fit is refused. */
#include "plan/sum.h"

static bool is_zero(const struct sum *s)
{
	for (size_t i = 0; i < SUM_PLACES; i++)
		if (s->digit[i])
			return false;
	return true;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

bool sum_read(struct str text, struct sum *out)
{
	struct str whole = text, fraction = STR_NONE;
	struct sum s = { .negative = text.n && text.p[0] == '-' };
	bool point;

	if (s.negative)
		text = whole = str_from(text, 1);
	point = str_cut(text, '.', &whole, &fraction);
	if (!all_digits(whole) || (point && !all_digits(fraction)))
		return false;
	while (whole.n > 1 && whole.p[0] == '0')
		whole = str_from(whole, 1);
	if (whole.n > SUM_DIGITS || fraction.n > SUM_DIGITS - whole.n)
		return false;
	s.scale = (unsigned)fraction.n;
	for (size_t i = 0; i < whole.n; i++)
		s.digit[SUM_FRACTION + whole.n - 1 - i] = (uint8_t)(whole.p[i] - '0');
	for (size_t i = 0; i < fraction.n; i++)
		s.digit[SUM_FRACTION - 1 - i] = (uint8_t)(fraction.p[i] - '0');
	s.negative = s.negative && !is_zero(&s);
	*out = s;
	return true;
}

static int size_order(const struct sum *a, const struct sum *b)
{
	for (size_t i = SUM_PLACES; i-- > 0;)
		if (a->digit[i] != b->digit[i])
			return a->digit[i] < b->digit[i] ? -1 : 1;
	return 0;
}

static bool add_sizes(struct sum *s, const struct sum *more)
{
	unsigned carry = 0;

	for (size_t i = 0; i < SUM_PLACES; i++) {
		unsigned d = s->digit[i] + more->digit[i] + carry;

		s->digit[i] = (uint8_t)(d % 10);
		carry = d / 10;
	}
	return carry == 0;
}

/* large - small, where it is not below zero. */
static void take_sizes(struct sum *out, const struct sum *large, const struct sum *small)
{
	int borrow = 0;

	for (size_t i = 0; i < SUM_PLACES; i++) {
		int d = large->digit[i] - small->digit[i] - borrow;

		borrow = d < 0;
		out->digit[i] = (uint8_t)(d + 10 * borrow);
	}
}

bool sum_add(struct sum *s, const struct sum *more)
{
	s->scale = MAX(s->scale, more->scale);
	if (s->negative == more->negative)
		return add_sizes(s, more);
	if (size_order(s, more) >= 0) {
		take_sizes(s, s, more);
	} else {
		take_sizes(s, more, s);
		s->negative = more->negative;
	}
	s->negative = s->negative && !is_zero(s);
	return true;
}

struct sum sum_minus(struct sum s)
{
	s.negative = !s.negative && !is_zero(&s);
	return s;
}

struct sum sum_size(struct sum s)
{
	s.negative = false;
	return s;
}

bool sum_text(const struct sum *s, struct arena *a, struct str *out)
{
	size_t top = SUM_PLACES - 1;
	struct buf text;

	while (top > SUM_FRACTION && !s->digit[top])
		top--;
	if (top - SUM_FRACTION + 1 + s->scale > SUM_DIGITS)
		return false;
	buf_in(&text, a, SUM_DIGITS + 2);
	if (s->negative)
		buf_char(&text, '-');
	for (size_t i = top + 1; i-- > SUM_FRACTION - s->scale;) {
		if (i == SUM_FRACTION - 1)
			buf_char(&text, '.');
		buf_char(&text, (char)('0' + s->digit[i]));
	}
	*out = buf_str(&text);
	return true;
}

struct str decimal_grouped(struct arena *a, struct str s)
{
	struct buf out;
	size_t whole = str_find(s, 0, '.'), from = s.n && s.p[0] == '-';

	buf_in(&out, a, s.n * 2 + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (i > from && i < whole && (whole - i) % 3 == 0)
			buf_char(&out, ',');
		buf_char(&out, s.p[i]);
	}
	return buf_str(&out);
}
