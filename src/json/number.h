/* number - the exact value of a JSON number lexeme.  Of this room only.
 *
 * decimal.h does for arithmetic with a divisor; here exponents of any length count too, for what
 * must tell every two values apart: order, equality, hashes, canonical text. */
#pragma once
#include "base/buf.h"
#include "json/decimal.h"

#define POWER_LIMBS 8

/* A signed number below 10^144: the sum of limb[i] * 10^(18 i); all limbs but the last are 0 or
 * more and below 10^18, the last carries the sign. */
struct power {
	int64_t limb[POWER_LIMBS];
};

/* value = digits * 10^power, the first and the last digit not zero; zero has no digits and power 0.
 * Equal values give records that are equal byte for byte. */
struct number {
	struct power power;
	uint64_t count;
	uint64_t negative;
	uint8_t digit[DECIMAL_MAX_DIGITS];
};

/* lexeme is a number as json_parse gives it. */
void number_of(struct str lexeme, struct number *out);
/* Plain digits where at most 64 places suffice, else digits, 'e' and the power. */
void number_write(struct buf *out, const struct number *n);
