/* permission - may this principal use this entry at all?
 *
 * One decision for calls, lists, completions, subscriptions and the commands that explain it; a
 * function of the principal and the entry, of nothing else.  The rules are asked in the order of
 * the enum; the first that says no is the answer.  Thread-safe. */
#pragma once
#include "catalog/catalog.h"
#include "identity/principal.h"

enum permission {
	PERMISSION_TOOLSET, /* in none of the principal's toolsets: for it there is no such entry */
	PERMISSION_TENANT, /* tenant-scoped, and the principal has no tenant; or a foreign one */
	PERMISSION_READ_ONLY, /* it mutates, and the principal may change nothing */
	PERMISSION_GRANT, /* no role of the principal grants what it requires */
	PERMISSION_SCOPE, /* a role does, and the token's scopes do not */
	PERMISSION_GIVEN, /* every rule said yes */
};

/* The first rule that says no, or PERMISSION_GIVEN. */
enum permission permission_judge(const struct principal *who, const struct entry *e);
/* One rule alone, to explain a decision. */
bool permission_rule_holds(
	enum permission rule, const struct principal *who, const struct entry *e);
/* The stable word of details.reason and of the record: "toolset", …, "given". */
const char *permission_name(enum permission p);

/* Does the entry exist for the principal?  What does not is unknown, to the byte. */
bool permission_exists(const struct principal *who, const struct entry *e);
/* False: it serves somebody else alone. */
bool permission_serves(const struct principal *who, const struct entry *e);
/* Is it in the principal's lists?  What it may use, and what it could with a wider token. */
bool permission_visible(const struct principal *who, const struct entry *e);
