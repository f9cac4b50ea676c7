/* protect - what a value given by a caller may become in the record, by its declared class.
 *
 *   hmac     "hmac:k1:" and 32 hex digits: the first half of HMAC-SHA-256 over the kind of the
 * value,
 *            ':' and its canonical JSON.  Any kind of value, so that nothing slips through as a
 * number clear    the value encrypt  the value, while there is no encryption: the directory is 0700
 *   drop     nothing; the argument's name stands in "dropped"
 *
 * Equal values give equal text under one key; without the key they cannot be guessed.  What no
 * input declares is only named, in "undeclared".  Thread-safe: the protector does not change once
 * its key is there. */
#pragma once
#include "base/digest.h"
#include "json/write.h"
#include "plan/call.h"

struct protector {
	struct secret key;
};

/* The members "args", "dropped" and "ad" (HMAC of all arguments together) of the record; with
 * bare: only "ad" and "args_bytes". */
void protect_arguments(const struct protector *p, const struct call *c, bool bare, struct jw *w);
/* The member "rd": HMAC over "result:" and the SHA-256 of what was answered. */
void protect_result(const struct protector *p, const struct call *c, struct jw *w);
