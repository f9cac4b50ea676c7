/* number - see number.h, and json.h for json_integer and json_number_cmp.
 *
 * Invariants: 1. a lexeme has at most JSON_MAX_NUMBER characters, so an exponent has at most 126
 * digits and, moved by the 128 places of the digits, stays far below 10^144.  2. nothing is rounded
 * or held at a bound. */
#include "json/number.h"

#include <string.h>

#include "json/json.h"

#define LIMB_DIGITS ((size_t)18)
#define LIMB ((int64_t)1000000000000000000)
#define PLAIN_PLACES 64

/* Brings the lower limbs back into 0 .. LIMB - 1; each was in -LIMB .. 2 LIMB - 1. */
static void power_carry(struct power *p)
{
	for (int i = 0; i + 1 < POWER_LIMBS; i++) {
		int64_t carry = p->limb[i] < 0 ? -1 : p->limb[i] >= LIMB;

		p->limb[i] -= carry * LIMB;
		p->limb[i + 1] += carry;
	}
}

static void power_negate(struct power *p)
{
	for (int i = 0; i < POWER_LIMBS; i++)
		p->limb[i] = -p->limb[i];
	power_carry(p);
}

/* s: an optional sign and digits. */
static void power_of(struct str s, struct power *out)
{
	bool negative = s.n && s.p[0] == '-';

	*out = (struct power){ 0 };
	if (s.n && !ascii_is_digit(s.p[0]))
		s = str_from(s, 1);
	bug_on(s.n > JSON_MAX_NUMBER);
	for (int i = 0; s.n; i++) {
		size_t n = MIN(s.n, LIMB_DIGITS);

		for (size_t k = s.n - n; k < s.n; k++)
			out->limb[i] = out->limb[i] * 10 + (s.p[k] - '0');
		s.n -= n;
	}
	if (negative)
		power_negate(out);
}

/* True, with the value, when it is above -LIMB and below LIMB. */
static bool power_small(const struct power *p, int64_t *out)
{
	struct power size = *p;
	bool negative = p->limb[POWER_LIMBS - 1] < 0;

	if (negative)
		power_negate(&size);
	for (int i = 1; i < POWER_LIMBS; i++)
		if (size.limb[i])
			return false;
	*out = negative ? -size.limb[0] : size.limb[0];
	return true;
}

static int power_cmp(const struct power *a, const struct power *b)
{
	for (int i = POWER_LIMBS - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

static void power_write(struct buf *out, struct power p)
{
	char digits[POWER_LIMBS * LIMB_DIGITS];
	size_t at = sizeof digits, first = 0;

	if (p.limb[POWER_LIMBS - 1] < 0) {
		buf_char(out, '-');
		power_negate(&p);
	}
	for (int i = 0; i < POWER_LIMBS; i++)
		for (size_t k = 0; k < LIMB_DIGITS; k++) {
			digits[--at] = (char)('0' + p.limb[i] % 10);
			p.limb[i] /= 10;
		}
	while (first + 1 < sizeof digits && digits[first] == '0')
		first++;
	buf_add(out, str_n(digits + first, sizeof digits - first));
}

void number_of(struct str lexeme, struct number *out)
{
	size_t e = 0;
	struct decimal d;

	while (e < lexeme.n && lexeme.p[e] != 'e' && lexeme.p[e] != 'E')
		e++;
	decimal_of(str_sub(lexeme, 0, e), &d);
	*out = (struct number){ .count = d.count, .negative = d.negative };
	if (!d.count)
		return;
	memcpy(out->digit, d.digit, d.count);
	power_of(str_from(lexeme, e + 1), &out->power);
	out->power.limb[0] += d.exponent;
	power_carry(&out->power);
}

static void add_digits(struct buf *out, const struct number *n, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		buf_char(out, (char)(i < n->count ? '0' + n->digit[i] : '0'));
}

void number_write(struct buf *out, const struct number *n)
{
	int64_t power, point;

	if (n->negative)
		buf_char(out, '-');
	if (!n->count) {
		buf_char(out, '0');
		return;
	}
	if (!power_small(&n->power, &power) || power < -PLAIN_PLACES ||
		power + (int64_t)n->count > PLAIN_PLACES) {
		add_digits(out, n, 0, n->count);
		buf_char(out, 'e');
		power_write(out, n->power);
		return;
	}
	point = (int64_t)n->count + power;
	if (point > 0) {
		add_digits(out, n, 0, (size_t)point);
	} else {
		buf_char(out, '0');
	}
	if (power >= 0)
		return;
	buf_char(out, '.');
	for (int64_t i = point; i < 0; i++)
		buf_char(out, '0');
	add_digits(out, n, (size_t)MAX(point, (int64_t)0), n->count);
}

/* Only digits behind the sign: the lexeme is canonical already, but for "-0". */
static bool is_plain_integer(struct str lexeme)
{
	size_t from = lexeme.n > 0 && lexeme.p[0] == '-', at = from;

	while (at < lexeme.n && ascii_is_digit(lexeme.p[at]))
		at++;
	return at == lexeme.n && at > from && !(from && lexeme.p[1] == '0');
}

bool json_integer(struct arena *a, struct str lexeme, struct str *out)
{
	struct number n;
	int64_t power;
	struct buf text;

	if (lexeme.n > JSON_MAX_NUMBER)
		return false;
	if (lexeme.n <= PLAIN_PLACES && is_plain_integer(lexeme)) {
		*out = lexeme;
		return true;
	}
	number_of(lexeme, &n);
	if (!power_small(&n.power, &power) || power < 0 || power + (int64_t)n.count > PLAIN_PLACES)
		return false;
	text = (struct buf){ .p = arena_alloc(a, 1 + PLAIN_PLACES),
		.cap = 1 + PLAIN_PLACES,
		.limit = 1 + PLAIN_PLACES,
		.arena = a };
	number_write(&text, &n);
	*out = buf_str(&text);
	return true;
}

/* Of two values that are not zero, by size alone. */
static int size_cmp(const struct number *a, const struct number *b)
{
	struct power top_a = a->power, top_b = b->power;
	size_t common = MIN(a->count, b->count);
	int order;

	top_a.limb[0] += (int64_t)a->count;
	top_b.limb[0] += (int64_t)b->count;
	power_carry(&top_a);
	power_carry(&top_b);
	order = power_cmp(&top_a, &top_b);
	if (!order)
		order = memcmp(a->digit, b->digit, common);
	if (!order)
		order = (a->count > b->count) - (a->count < b->count);
	return (order > 0) - (order < 0);
}

static int sign_of(const struct number *n)
{
	return !n->count ? 0 : n->negative ? -1 : 1;
}

int json_number_cmp(struct str lexeme_a, struct str lexeme_b)
{
	int64_t small_a, small_b;
	struct number a, b;

	if (lexeme_small(lexeme_a, &small_a) && lexeme_small(lexeme_b, &small_b))
		return (small_a > small_b) - (small_a < small_b);
	number_of(lexeme_a, &a);
	number_of(lexeme_b, &b);
	if (sign_of(&a) != sign_of(&b))
		return sign_of(&a) < sign_of(&b) ? -1 : 1;
	if (!a.count)
		return 0;
	return a.negative ? -size_cmp(&a, &b) : size_cmp(&a, &b);
}
