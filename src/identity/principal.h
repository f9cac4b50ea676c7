/* principal - who a call is made for, as its credential says. */
#pragma once
#include "base/digest.h"
#include "base/err.h"
#include "config/config.h"

enum principal_kind { PRINCIPAL_HUMAN, PRINCIPAL_AGENT, PRINCIPAL_SERVICE };
const char *principal_kind_name(enum principal_kind k);
bool principal_kind_read(struct str name, enum principal_kind *out) must_check;
/* What a subject, tenant or agent may be: at most 256 bytes of UTF-8 without control, zero-width or
 * bidirectional characters. */
bool principal_name_ok(struct str name);

struct principal {
	struct str subject;
	enum principal_kind kind;
	struct str tenant; /* empty: none */
	struct str agent; /* the software, as the credential names it; empty: not named */
	struct str credential; /* id of the key, or "fixed" */
	struct str environment;
	const struct str *roles;
	size_t role_count;
	const struct str *grants; /* flattened over roles, sorted, unique */
	size_t grant_count;
	int64_t break_glass; /* request by which it holds more than its roles give; 0: none */
	struct sha256
		binding; /* over subject, tenant, agent: what cursors and sessions are bound to */
};

bool principal_holds(const struct principal *p, struct str grant);
