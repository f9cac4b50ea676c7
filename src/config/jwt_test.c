/* What identity.jwt takes and what it refuses. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                                       \
	"name: a/b\nenvironment: development\ncatalog: ['/dev/null']\n"                            \
	"roles: { reader: [a.read] }\n"
#define GOOD                                                                                       \
	"issuer: 'https://id.example/', audience: 'https://gate.example/mcp', jwks: "              \
	"'https://id.example/keys', algorithms: [ES256]"

struct fixture {
	struct arena a;
	struct findings f;
	const struct config *c;
};

static void load(struct fixture *x, const char *text)
{
	char path[] = P_tmpdir "/postern-jwt-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	arena_init(&x->a, (size_t)16 << 20);
	findings_init(&x->f, &x->a);
	x->c = config_load(&x->a, str_c(path), STR_NONE, STR_NONE, &x->f);
	unlink(path);
}

static struct str said(struct fixture *x)
{
	struct buf out;

	buf_in(&out, &x->a, 1 << 20);
	findings_write(&x->f, &out);
	buf_char(&out, '\0');
	return buf_str(&out);
}

static void an_issuer_has_its_stated_defaults(void **state)
{
	struct fixture x;
	const struct jwt_config *j;

	(void)state;
	load(&x, HEAD "identity: { jwt: [ { " GOOD ", roles: [reader] } ] }\n");
	if (!x.c)
		fail_msg("%s", said(&x).p);
	assert_int_equal(x.c->jwt_count, 1);
	j = x.c->jwt;
	assert_int_equal(j->algorithms, JWT_ES256);
	assert_int_equal(j->audience_count, 1);
	assert_true(str_eq(j->audiences[0], S("https://gate.example/mcp")));
	assert_true(str_eq(j->claim_subject, S("sub")) && str_eq(j->claim_agent, S("azp")));
	assert_int_equal(j->claim_roles.n + j->claim_tenant.n + j->typ.n + j->tenant.n, 0);
	assert_true(str_eq(j->kind, S("human")) && !j->narrow && !j->jwks_is_file);
	assert_int_equal(j->clock_skew_ms, 30000);
	assert_int_equal(j->max_age_ms, 600000);
	assert_int_equal(j->max_stale_ms, 3600000);
	arena_done(&x.a);
}

static void every_key_of_an_issuer_is_read(void **state)
{
	struct fixture x;
	const struct jwt_config *j;

	(void)state;
	load(&x, HEAD
		"identity:\n  jwt:\n  - issuer: https://id.example/a\n"
		"    audience: [one, two]\n    jwks: keys/jwks.json\n"
		"    algorithms: [RS256, EdDSA]\n    typ: at+jwt\n    kind: service\n"
		"    claims: { subject: uid, tenant: org, roles: groups, agent: client_id }\n"
		"    clock_skew: 5s\n    max_age: 1m\n    max_stale: 2m\n    scopes: narrow\n"
		"    initial_scopes: [a.read, openid]\n"
		"  - issuer: http://127.0.0.1:9/\n    audience: x\n"
		"    jwks: http://127.0.0.1:9/k\n    algorithms: [ES256]\n    roles: [reader]\n"
		"    tenant: acme\n"
		"listen: { http: { public_url: 'https://gate.example' } }\n");
	if (!x.c)
		fail_msg("%s", said(&x).p);
	assert_int_equal(x.c->jwt_count, 2);
	j = x.c->jwt;
	assert_true(
		j->jwks_is_file && j->jwks.p[0] == '/' && str_ends(j->jwks, S("/keys/jwks.json")));
	assert_int_equal(j->algorithms, JWT_RS256 | JWT_EDDSA);
	assert_int_equal(j->audience_count, 2);
	assert_true(str_eq(j->claim_roles, S("groups")) && str_eq(j->claim_tenant, S("org")));
	assert_true(j->narrow && str_eq(j->kind, S("service")) && str_eq(j->typ, S("at+jwt")));
	assert_int_equal(j->initial_scope_count, 2);
	assert_true(str_eq(j[1].tenant, S("acme")));
	assert_true(str_eq(x.c->listen.public_url, S("https://gate.example")));
	arena_done(&x.a);
}

static void mistakes_are_refused_with_their_code(void **state)
{
	static const struct {
		const char *identity, *code;
	} rows[] = {
		{ "jwt: []", "config.range" },
		{ "jwt: {}", "config.type" },
		{ "jwt: [ x ]", "config.type" },
		{ "jwt: [ { " GOOD " } ]", "config.nobody" },
		{ "jwt: [ { " GOOD ", roles: [ghost] } ]", "config.role_unknown" },
		{ "jwt: [ { " GOOD ", roles: [reader], extra: 1 } ]", "config.unknown_key" },
		{ "jwt: [ { " GOOD ", roles: [reader], kind: robot } ]", "config.choice" },
		{ "jwt: [ { " GOOD ", roles: [reader], scopes: wide } ]", "config.choice" },
		{ "jwt: [ { " GOOD ", roles: [reader], initial_scopes: [a.read] } ]",
			"config.choice" },
		{ "jwt: [ { " GOOD ", roles: [reader], scopes: narrow, "
		  "initial_scopes: ['a b'] } ]",
			"config.name" },
		{ "jwt: [ { " GOOD ", roles: [reader], scopes: narrow, "
		  "initial_scopes: ['a\"'] } ]",
			"config.name" },
		{ "jwt: [ { " GOOD ", roles: [reader], clock_skew: 3m } ]", "config.range" },
		{ "jwt: [ { " GOOD ", roles: [reader], clock_skew: 5 } ]", "config.unit" },
		{ "jwt: [ { " GOOD ", roles: [reader], max_age: 2h } ]", "config.limits" },
		{ "jwt: [ { " GOOD ", roles: [reader], claims: { subject: '' } } ]",
			"config.empty" },
		{ "jwt: [ { " GOOD ", roles: [reader], claims: { scope: x } } ]",
			"config.unknown_key" },
		{ "jwt: [ { " GOOD ", roles: [reader], tenant: a, claims: { tenant: b } } ]",
			"config.choice" },
		{ "jwt: [ { " GOOD ", roles: [reader] }, { " GOOD ", roles: [reader] } ]",
			"config.issuer_twice" },
		{ "jwt: [ { issuer: 'https://i', audience: [], jwks: k, algorithms: [ES256], "
		  "roles: [reader] } ]",
			"config.missing" },
		{ "jwt: [ { issuer: 'https://i', jwks: k, algorithms: [ES256], roles: [reader] } ]",
			"config.missing" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: k, roles: [reader] } ]",
			"config.missing" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: k, algorithms: [HS256], "
		  "roles: [reader] } ]",
			"config.choice" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: k, algorithms: [none], "
		  "roles: [reader] } ]",
			"config.choice" },
		{ "jwt: [ { issuer: 'id.example', audience: a, jwks: k, algorithms: [ES256], "
		  "roles: [reader] } ]",
			"config.url" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: 'http://id.example/k', "
		  "algorithms: [ES256], roles: [reader] } ]",
			"config.url" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: 'https://u@id.example/k', "
		  "algorithms: [ES256], roles: [reader] } ]",
			"config.url" },
		{ "jwt: [ { issuer: 'https://i', audience: a, jwks: 'file:///k', "
		  "algorithms: [ES256], roles: [reader] } ]",
			"config.url" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[2048];
		struct fixture x;
		bool found = false;

		snprintf(text, sizeof text, HEAD "identity: { %s }\n", rows[i].identity);
		load(&x, text);
		assert_null(x.c);
		for (size_t k = 0; k < x.f.count; k++)
			found |= strcmp(x.f.list[k].code, rows[i].code) == 0;
		if (!found)
			fail_msg("%s: no %s in\n%s", rows[i].identity, rows[i].code, said(&x).p);
		arena_done(&x.a);
	}
}

static void keys_over_plain_http_are_for_development(void **state)
{
	struct fixture x;

	(void)state;
	load(&x, "name: a\nenvironment: production\ncatalog: ['/dev/null']\n"
		 "roles: { reader: [a.read] }\n"
		 "identity: { jwt: [ { issuer: 'https://i', audience: a, "
		 "jwks: 'http://127.0.0.1/k', algorithms: [ES256], roles: [reader] } ] }\n");
	assert_null(x.c);
	assert_int_equal(x.f.errors, 1);
	assert_string_equal(x.f.list[0].code, "config.url");
	arena_done(&x.a);
}

static void a_public_url_is_an_origin_in_lower_case(void **state)
{
	static const struct {
		const char *url;
		bool fits;
	} rows[] = {
		{ "https://gate.example", true },
		{ "https://gate.example:8443", true },
		{ "http://127.0.0.1:8477", true },
		{ "http://[::1]:8477", true },
		{ "https://[2001:db8::1]", true },
		{ "https://gate.example/", false },
		{ "https://gate.example/mcp", false },
		{ "https://Gate.example", false },
		{ "http://gate.example", false },
		{ "https://u:p@gate.example", false },
		{ "https://gate.example#x", false },
		{ "https://gate.example?x", false },
		{ "https://gate.example:", false },
		{ "https://gate.example:0", false },
		{ "https://gate.example:70000", false },
		{ "https://[::1", false },
		{ "https://[::1]x", false },
		{ "https://", false },
		{ "gate.example", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];
		struct fixture x;

		snprintf(text, sizeof text,
			HEAD
			"identity: { api_keys: true }\nlisten: { http: { public_url: '%s' } }\n",
			rows[i].url);
		load(&x, text);
		if ((x.c != NULL) != rows[i].fits)
			fail_msg("%s: %s", rows[i].url, said(&x).p);
		arena_done(&x.a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_issuer_has_its_stated_defaults),
		cmocka_unit_test(every_key_of_an_issuer_is_read),
		cmocka_unit_test(mistakes_are_refused_with_their_code),
		cmocka_unit_test(keys_over_plain_http_are_for_development),
		cmocka_unit_test(a_public_url_is_an_origin_in_lower_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
