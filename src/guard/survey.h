/* survey - what roles and principals amount to, before anybody calls: for check and matrix. */
#pragma once
#include "guard/permission.h"

/* Somebody with this one role, a tenant, and any agent. */
struct principal survey_role(
	const struct config *config, struct arena *a, const struct role_config *role);

/* Is there any entry that mutates? */
bool survey_is_worth_it(const struct catalog *c);

/* Warns of every role that alone may use every entry that mutates. */
void survey_roles(const struct config *config, const struct catalog *c, struct findings *f);
/* The same of a principal; `at`: where it stands, or the file as a whole. */
void survey_principal(
	const struct catalog *c, const struct principal *who, struct place at, struct findings *f);

/* What somebody with no person behind it can change, one line: alone, and with another's approval.
 * Nothing is written of people, nor of who can change nothing. */
void survey_machine(const struct catalog *c, const struct principal *who, struct buf *out);
/* The same of all that the configuration names: certificates, proxies, issuers of tokens. */
void survey_machines(
	const struct config *config, const struct catalog *c, struct arena *a, struct buf *out);
