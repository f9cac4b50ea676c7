/* principal - see principal.h. */
#include "identity/principal.h"

#include "identity/inside.h"

#include <stdlib.h>

#define PROOF_MAX_BYTES ((size_t)128 << 20) /* above any arena: that one says no first */

static const char *const kind_names[] = {
	[PRINCIPAL_HUMAN] = "human",
	[PRINCIPAL_AGENT] = "agent",
	[PRINCIPAL_SERVICE] = "service",
};

const char *principal_kind_name(enum principal_kind k)
{
	return kind_names[k];
}

bool principal_kind_read(struct str name, enum principal_kind *out)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++)
		if (str_eq(name, str_c(kind_names[i]))) {
			*out = (enum principal_kind)i;
			return true;
		}
	return false;
}

const char *credential_kind_name(enum credential_kind k)
{
	static const char *const names[] = {
		[CREDENTIAL_FIXED] = "fixed",
		[CREDENTIAL_KEY] = "key",
		[CREDENTIAL_JWT] = "jwt",
		[CREDENTIAL_CERTIFICATE] = "certificate",
		[CREDENTIAL_PROXY] = "proxy",
	};

	return names[k];
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* A machine approves nothing, whoever named its roles. */
static bool may_hold(const struct principal *p, struct str grant)
{
	return p->kind == PRINCIPAL_HUMAN || !grant_approves(grant);
}

/* Roles that nobody defined grant nothing; so do names that differ in case only. */
static void add_grants(const struct config *config, struct arena *a, struct principal *p)
{
	struct str *grants;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < p->role_count; i++) {
		const struct role_config *role = config_role(config, p->roles[i]);

		count += role ? role->grant_count : 0;
	}
	grants = arena_array(a, struct str, count);
	count = 0;
	for (size_t i = 0; i < p->role_count; i++) {
		const struct role_config *role = config_role(config, p->roles[i]);

		for (size_t k = 0; role && k < role->grant_count; k++)
			if (may_hold(p, role->grants[k]))
				grants[count++] = role->grants[k];
	}
	qsort(grants, count, sizeof *grants, by_bytes);
	for (size_t i = 0; i < count; i++)
		if (!kept || !str_eq(grants[kept - 1], grants[i]))
			grants[kept++] = grants[i];
	p->grants = grants;
	p->grant_count = kept;
}

/* Lengths go in, so that no two lists have the same bytes. */
static void add_part(struct buf *text, struct str part)
{
	buf_u64(text, part.n);
	buf_char(text, ':');
	buf_add(text, part);
}

static void add_parts(struct buf *text, const struct str *parts, size_t count)
{
	buf_u64(text, count);
	buf_char(text, '*');
	for (size_t i = 0; i < count; i++)
		add_part(text, parts[i]);
}

static void add_binding(struct arena *a, struct principal *p)
{
	const struct str parts[] = { p->subject, p->tenant, p->agent, p->issuer };
	/* a subject of one issuer is nobody at another; keys have none */
	size_t count = p->issuer.n ? ARRAY_LEN(parts) : ARRAY_LEN(parts) - 1;
	struct buf text;

	buf_in(&text, a, (size_t)64 << 10);
	for (size_t i = 0; i < count; i++)
		add_part(&text, parts[i]);
	bug_on(!buf_ok(&text));
	sha256_of(buf_str(&text), &p->binding);
}

void principal_proof(const struct principal *p, struct arena *a, struct sha256 *out)
{
	struct buf text;

	buf_in(&text, a, PROOF_MAX_BYTES);
	add_part(&text, str_n(p->binding.b, SHA256_BYTES));
	add_part(&text, str_c(credential_kind_name(p->credential_kind)));
	add_part(&text, p->credential);
	add_parts(&text, p->roles, p->role_count);
	buf_u64(&text, p->scoped);
	add_parts(&text, p->scopes, p->scope_count);
	bug_on(!buf_ok(&text));
	sha256_of(buf_str(&text), out);
}

void principal_rights(const struct principal *p, struct arena *a, struct sha256 *out)
{
	struct sha256 proof;
	struct buf text;

	principal_proof(p, a, &proof);
	buf_in(&text, a, PROOF_MAX_BYTES);
	add_part(&text, str_n(proof.b, SHA256_BYTES));
	add_parts(&text, p->grants, p->grant_count);
	buf_fmt(&text, "%d,%d,%d,", p->surface.cut, p->read_only, p->tenant_foreign);
	buf_u64(&text, p->surface.person);
	buf_char(&text, ',');
	buf_u64(&text, p->surface.agent);
	bug_on(!buf_ok(&text));
	sha256_of(buf_str(&text), out);
}

void principal_finish(const struct config *config, struct arena *a, struct principal *p)
{
	add_grants(config, a, p);
	principal_place(config, p);
	add_binding(a, p);
}

bool principal_granted(const struct principal *p, struct str grant)
{
	size_t low = 0, high = p->grant_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(p->grants[middle], grant);

		if (order == 0)
			return may_hold(p, grant); /* also of what broken glass added */
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool is_listed(const struct str *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(list[i], name))
			return true;
	return false;
}

bool principal_in_scope(const struct principal *p, struct str grant)
{
	return !p->scoped || is_listed(p->scopes, p->scope_count, grant);
}

bool principal_holds(const struct principal *p, struct str grant)
{
	return principal_in_scope(p, grant) && principal_granted(p, grant);
}
