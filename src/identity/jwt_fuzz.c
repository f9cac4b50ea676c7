/* What strangers send and what issuers publish.  The input is one of
 *
 *	T text            a token as it stands
 *	J header LF text  a header and claims, which are put into the form of a token here
 *	anything else     a key set
 *
 * Properties: a token that reads well is, written again from its parts, the same text; a principal
 * made of its claims has a printable subject and holds no more than its roles grant; a key that was
 * taken from a set is found, and verifies no signature of zeros. */
#include "identity/jwks.h"
#include "identity/jwt_claims.h"

#include "base/digest.h"
#include "identity/inside.h"

#include <string.h>

#define NOW INT64_C(1790000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str grants[] = { STR_INIT("a.read"), STR_INIT("a.write") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("reader"), .grants = grants, .grant_count = 1 },
	{ .name = STR_INIT("writer"), .grants = grants, .grant_count = 2 },
};
static const struct str audiences[] = { STR_INIT("gate") };
static const struct str always[] = { STR_INIT("reader") };
static const struct jwt_config issuer = {
	.issuer = STR_INIT("https://id.example"),
	.audiences = audiences,
	.audience_count = 1,
	.claim_subject = STR_INIT("sub"),
	.claim_tenant = STR_INIT("org"),
	.claim_roles = STR_INIT("groups"),
	.claim_agent = STR_INIT("azp"),
	.roles = always,
	.role_count = 1,
	.kind = STR_INIT("human"),
	.typ = STR_INIT("at+jwt"),
	.clock_skew_ms = 30000,
	.narrow = true,
};
static const struct config config = {
	.jwt = &issuer, .jwt_count = 1, .roles = roles, .role_count = ARRAY_LEN(roles)
};

static void check_claims(struct arena *a, const struct jwt *t)
{
	struct principal who;
	int64_t expires_us;
	struct str bound;

	if (jwt_claims_judge(&issuer, t, NOW, &expires_us) == IDENTITY_OK)
		bug_on(expires_us + 30 * 1000000 <= NOW);
	if (jwt_claims_principal(&config, &issuer, a, t, &who, &bound) != IDENTITY_OK)
		return;
	bug_on(!who.subject.n || !principal_name_ok(who.subject) || !who.tenant.n);
	bug_on(!principal_name_ok(who.tenant) || !principal_name_ok(who.agent));
	bug_on(!principal_name_ok(who.credential) || (bound.n && bound.n != 64));
	bug_on(who.role_count < 1 || who.role_count > 2);
	principal_finish(&config, a, &who);
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		bug_on(principal_holds(&who, grants[i]) && !principal_granted(&who, grants[i]));
	bug_on(who.role_count == 1 && principal_holds(&who, S("a.write")));
}

static void check_token(struct arena *a, struct str text)
{
	struct buf again;
	struct jwt t;

	if (jwt_read(a, text, &t) != IDENTITY_OK)
		return;
	bug_on(!t.signature.n || t.claims.kind != JSON_OBJECT || !jwt_algorithm_name(t.algorithm));
	buf_in(&again, a, 2 * JWT_MAX_BYTES);
	buf_add(&again, t.signed_text);
	buf_char(&again, '.');
	base64url_write(&again, t.signature);
	bug_on(!str_eq(buf_str(&again), text));
	check_claims(a, &t);
}

static void check_pair(struct arena *a, struct str text)
{
	struct str header, claims;
	struct buf token;

	if (!str_cut(text, '\n', &header, &claims))
		return;
	buf_in(&token, a, (size_t)1 << 20);
	base64url_write(&token, header);
	buf_char(&token, '.');
	base64url_write(&token, claims);
	buf_lit(&token, ".AAAA");
	check_token(a, buf_str(&token));
}

static void check_set(struct str text)
{
	static const enum jwt_algorithm all[] = { JWT_RS256, JWT_ES256, JWT_EDDSA };
	static const char zeros[64];
	const struct str *ignored;
	struct jwks *set;
	struct err err;
	size_t count;

	if (!jwks_read(text, &set, &err))
		return;
	ignored = jwks_ignored(set, &count);
	for (size_t i = 0; i < count; i++)
		bug_on(!ignored[i].n);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const struct jwks_key *key = jwks_find(set, STR_NONE, all[i]);

		/* the neutral point of Ed25519 as a key verifies anything; OpenSSL takes it */
		if (key && all[i] != JWT_EDDSA)
			bug_on(jwks_verify(key, text, str_n(zeros, sizeof zeros)));
	}
	bug_on(jwks_find(jwks_hold(set), S("no such id in any corpus"), JWT_RS256));
	jwks_drop(set);
	jwks_drop(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);
	struct arena a;

	arena_init(&a, (size_t)64 << 20);
	if (size && data[0] == 'T')
		check_token(&a, str_from(text, 1));
	else if (size && data[0] == 'J')
		check_pair(&a, str_from(text, 1));
	else
		check_set(text);
	arena_done(&a);
	return 0;
}
