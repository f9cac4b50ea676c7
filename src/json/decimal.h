/* decimal - a JSON number lexeme as sign, digits and power of ten, exactly.
 *
 * No allocation, no rounding: the digits point into the record.  Pure and thread-safe. */
#pragma once
#include "base/str.h"

#define DECIMAL_MAX_DIGITS 128 /* as many as a lexeme has characters (JSON_MAX_NUMBER) */
#define DECIMAL_MAX_EXPONENT 1000000000000000LL /* exponents beyond are held at it */

/* value = digits * 10^exponent, the first and the last digit not zero; zero has no digits. */
struct decimal {
	int64_t exponent;
	uint8_t count;
	bool negative;
	uint8_t digit[DECIMAL_MAX_DIGITS]; /* 0..9, most significant first */
};

/* lexeme is a number as json_parse gives it. */
void decimal_of(struct str lexeme, struct decimal *out);

bool decimal_is_integer(const struct decimal *d);
/* False: not an integer, negative, or above UINT64_MAX. */
bool decimal_to_u64(const struct decimal *d, uint64_t *out) must_check;
/* True when value is divisor times an integer.  divisor is not zero and its exponent is within
 * DECIMAL_MAX_EXPONENT. */
bool decimal_is_multiple(const struct decimal *value, const struct decimal *divisor);

/* As decimal_is_integer, for a lexeme; the usual lexeme (digits alone) is decided at once. */
bool lexeme_is_integer(struct str lexeme);
/* True, with the value, for a lexeme of at most 18 digits and nothing else but a sign. */
bool lexeme_small(struct str lexeme, int64_t *out) must_check;
