/* schema_uri - references against a base, as RFC 3986 section 5.2 resolves them.
 *
 * Results live in the arena or point into the arguments.  Pure but for that. */
#pragma once
#include "base/arena.h"

/* The target of `reference`, seen from `base` (absolute, or empty when nobody knows it), without
 * its fragment; the fragment (without '#', still encoded) goes to *fragment_out. */
struct str uri_resolve(
	struct arena *a, struct str base, struct str reference, struct str *fragment_out);

/* %XX decoded; false when an escape is not one, or the outcome is not UTF-8. */
bool uri_decode(struct arena *a, struct str s, struct str *out) must_check;
