/* principal - who a call is made for, as its credential says. */
#pragma once
#include "base/digest.h"
#include "base/err.h"
#include "config/config.h"

enum principal_kind { PRINCIPAL_HUMAN, PRINCIPAL_AGENT, PRINCIPAL_SERVICE };
const char *principal_kind_name(enum principal_kind k);
bool principal_kind_read(struct str name, enum principal_kind *out) must_check;
/* What a subject, tenant or agent may be: at most 256 bytes of UTF-8 without control, invisible or
 * bidirectional characters, and of two spellings of an accented letter the one of one character. */
bool principal_name_ok(struct str name);

/* What proved who it is.  A signing key is a key, too. */
enum credential_kind {
	CREDENTIAL_FIXED,
	CREDENTIAL_KEY,
	CREDENTIAL_JWT,
	CREDENTIAL_CERTIFICATE,
	CREDENTIAL_PROXY,
};
const char *credential_kind_name(enum credential_kind k);

/* Which toolsets are a principal's, as bits of config->toolsets.  What is in none of the person's
 * or in none of the agent's does not exist for it. */
struct surface {
	bool cut; /* there are toolsets: without them the whole catalog is everybody's */
	uint64_t person, agent;
};

struct principal {
	struct str subject;
	enum principal_kind kind;
	struct str tenant; /* empty: none */
	struct str agent; /* the software, as the credential names it; empty: not named */
	enum credential_kind credential_kind;
	struct str credential; /* id of the key, "jwt:ID", "cert:…", "proxy:NAME" or "fixed"; in
				  records */
	struct str issuer; /* JWT: who issued the token */
	int64_t expires_us; /* of the credential; 0: never */
	struct str environment;
	const struct str *roles;
	size_t role_count;
	const struct str *grants; /* flattened over roles, sorted, unique; to approve: of people
				   * alone */
	size_t grant_count;
	bool scoped; /* the token's scopes narrow its grants */
	const struct str *scopes;
	size_t scope_count;
	struct surface surface;
	bool approver; /* by a credential that decides on plans, and calls nothing */
	bool read_only; /* the server, the subject or the agent may change nothing */
	bool tenant_foreign; /* the tenants are listed, and this one's is not among them */
	int64_t break_glass; /* request by which it holds more than its roles give; 0: none */
	struct sha256
		binding; /* over subject, tenant, agent: what cursors and sessions are bound to */
};

/* What follows from subject, tenant, agent and roles: grants (their text stays the
 * configuration's), surface, read_only, tenant_foreign, binding.  No principal is complete without
 * it. */
void principal_finish(const struct config *config, struct arena *a, struct principal *p);
/* Over the binding, the credential and what it said: roles and scopes.  Two that are equal came
 * with the same credential and the same words. */
void principal_proof(const struct principal *p, struct arena *a, struct sha256 *out);
/* Over the proof and what follows from it now: grants, surface, read_only. */
void principal_rights(const struct principal *p, struct arena *a, struct sha256 *out);
/* By its roles and, where scopes narrow them, by its token. */
bool principal_holds(const struct principal *p, struct str grant);
/* By its roles alone: what a token with more scopes could do. */
bool principal_granted(const struct principal *p, struct str grant);
/* By its token alone. */
bool principal_in_scope(const struct principal *p, struct str grant);
