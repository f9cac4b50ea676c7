/* pattern_ecma - reads an ECMA-262 pattern (u flag) and writes it for PCRE2.
 *
 * Private to pattern.c.  Thread-safe (no shared state). */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* False with the reason and the offset when source is outside the grammar, or, for linear, holds a
 * back-reference or look-around. */
bool pattern_translate(struct str source, bool linear, struct buf *out, struct err *err) must_check;

/* pattern_property.c: \p{kind=name}, or \p{name} when kind is empty: the name for PCRE2, to be
 * written behind *prefix_out; empty when ECMA-262 does not have it. */
struct str pattern_property(struct str kind, struct str name, const char **prefix_out);
