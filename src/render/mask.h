/* mask - what is shown of a value to those who may not see it.
 *
 *	email     j***@acme.com   first character and domain
 *	phone     ***67           last two digits, of at least seven
 *	last4     ***1234         last four characters, of at least eight
 *	initials  J.D.            of at most three words
 *	hash      16 hex digits   HMAC-SHA-256 with the deployment's key
 *	redact    [redacted]
 *	bucket    12000..13000    the multiple at or below, and the next
 *	bucket    2026-11         a date as far as the year, month or day
 *
 * last4 leaves spaces and dashes out of account; equal values have equal hashes; the upper end of a
 * bucket is not in it.
 *
 * Whatever does not have the form that its mask expects is [redacted].  Pure and thread-safe. */
#pragma once
#include "base/digest.h"
#include "plan/call.h"

#define MASK_REDACTED "[redacted]"

/* The text shown for a cell that is not NULL; lives in the arena, at most 300 bytes.  key: of
 * MASK_HASH; empty: such values are redacted. */
struct str mask_text(
	const struct mask *mask, struct str key, struct arena *a, const struct cell *cell);
/* Masks every cell of the call's rows that its caller may not see; from then on nothing of the raw
 * values can be reached through the call. */
void mask_rows(struct call *c, struct str key);
