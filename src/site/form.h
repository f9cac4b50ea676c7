/* form - what a browser sends: application/x-www-form-urlencoded bodies and queries, and cookies.
 *
 * Read strictly: a name twice, a broken escape, a NUL, text that is not UTF-8 or more fields than
 * any page of ours has, and nothing of it is taken.  One thread. */
#pragma once
#include "base/arena.h"

#define FORM_FIELDS 16

struct form_fields {
	struct form_field {
		struct str name, value; /* decoded, in the arena */
	} fields[FORM_FIELDS];
	size_t count;
};

/* False: not such a text. */
bool form_read(struct form_fields *f, struct arena *a, struct str text) must_check;
/* Empty: not there, or empty. */
struct str form_get(const struct form_fields *f, const char *name);

/* The value of a cookie in the header's value, as it stands.  Empty: not there, or there twice: one
 * of two is never chosen. */
struct str cookie_get(struct str header, struct str name);
