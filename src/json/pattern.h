/* pattern - regular expressions as JSON Schema means them (ECMA-262 with the u flag), over PCRE2.
 *
 * The source is read here, by ECMA-262's grammar, and written anew for PCRE2: syntax that only PCRE
 * knows (\Q..\E, (?i), \A, \Z, \h, possessive quantifiers, atomic groups, [:alpha:], …) is refused,
 * and so is what the u flag refuses (\@, \_, a lone brace).  \d and \w are ASCII; \s is ECMA-262's
 * white space; `.` is all but the four line terminators; `$` matches only at the very end; a match
 * is searched anywhere unless anchored.  \p{…}: general categories, Script=, Script_Extensions= and
 * the binary properties that PCRE2 knows.
 *
 * At most PATTERN_STEPS steps a match.  Immutable after pattern_new, shared between threads. */
#pragma once
#include "base/err.h"

#define PATTERN_STEPS 100000
#define PATTERN_MAX_BYTES 4096

struct pattern;

enum pattern_verdict {
	PATTERN_NO,
	PATTERN_YES,
	PATTERN_LIMIT, /* not decided within PATTERN_STEPS; never to be read as a match */
};

/* linear: refuse back-references and look-around.  The error text names the offset. */
struct pattern *pattern_new(struct str source, bool linear, struct err *err);
void pattern_free(struct pattern **p);

enum pattern_verdict pattern_try(const struct pattern *p, struct str valid_utf8);
