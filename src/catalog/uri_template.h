/* uri_template - RFC 6570 templates of level 1, {+path} and {?query}, read backwards: which values
 * does a URI give?
 *
 * A template is literal text and variables: {name} is one path segment or a part of one, {+name} is
 * the rest of the path and stands last in it, {?a,b} is the query, in any order, each optional.
 * At most one {name} in a segment, so that matching is linear and has one answer.  A URI matches by
 * its bytes; values are percent-decoded and must be UTF-8 without NUL.  {name} takes no empty
 * value, no "." or "..", no encoded slash.  A fragment never matches, nor does a query that was not
 * declared.  Everything lives in the arena; thread-safe. */
#pragma once
#include "base/arena.h"
#include "base/err.h"

#define URI_TEMPLATE_MAX_BYTES 1024
#define URI_MAX_BYTES 4096
#define URI_TEMPLATE_MAX_VARS 16

enum uri_var_kind { URI_VAR_SEGMENT, URI_VAR_REST, URI_VAR_QUERY };

struct uri_var {
	struct str name;
	enum uri_var_kind kind;
};

struct uri_template {
	struct str text;
	struct uri_var vars[URI_TEMPLATE_MAX_VARS];
	size_t var_count;
};

/* Has the text a brace at all? */
bool uri_is_template(struct str text);
/* "scheme:…", printable ASCII without space, quotes, braces. */
bool uri_fits(struct str uri);

bool uri_template_read(
	struct arena *a, struct str text, struct uri_template *out, struct err *err) must_check;
/* values: by variable, p == NULL for an absent query variable. */
bool uri_template_match(const struct uri_template *t, struct arena *a, struct str uri,
	struct str *values) must_check;
/* Is there a path that both match?  (Queries are left out of account.) */
bool uri_template_overlap(
	const struct uri_template *x, const struct uri_template *y, struct arena *scratch);
