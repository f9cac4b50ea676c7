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
#include "plan/effect.h"

struct protector {
	struct secret key;
	/* Writes what is shown of a masked value that is not NULL; NULL: nothing is kept of that.
	 */
	void (*mask)(void *ctx, const struct effect_column *column, const struct cell *cell,
		struct buf *out);
	void *mask_ctx;
};

/* A member with the HMAC of a text, as an argument that is a string has it. */
void protect_text(const struct protector *p, struct str name, struct str text, struct jw *w);
/* A value of a column that a change touched: as it is where the column is declared, without a mask
 * and of no class, else its HMAC; with a mask, {"shown": what the mask leaves, "hmac": …}.  Bytes,
 * and text that is no UTF-8, are {"base64": …}. */
void protect_cell(const struct protector *p, const struct effect_column *column,
	const struct cell *cell, struct jw *w);
bool protect_hides(const struct effect_column *column); /* not clear */
/* The members "args", "dropped" and "ad" (HMAC of all arguments together) of the record; with
 * bare: only "ad" and "args_bytes". */
void protect_arguments(const struct protector *p, const struct call *c, bool bare, struct jw *w);
/* The member "rd": HMAC over "result:" and the SHA-256 of what was answered. */
void protect_result(const struct protector *p, const struct call *c, struct jw *w);
