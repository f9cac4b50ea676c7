/* config - one deployment as its operator wrote it (postern.yaml): an immutable snapshot.
 *
 * Everything lives in the arena given to config_load; relative paths were resolved against the
 * directory of the file.  Shared between threads, never changed: a reload makes a new one.
 * The keys of the file are documented in postern.yaml(5). */
#pragma once
#include "base/digest.h"
#include "base/err.h"
#include "config/findings.h"
#include "config/rate.h"

enum environment { ENV_DEVELOPMENT, ENV_STAGING, ENV_PRODUCTION };
const char *environment_name(enum environment e);

struct names {
	const struct str *list;
	size_t count;
};
bool names_hold(struct names names, struct str name); /* byte for byte */

enum source_kind { SOURCE_SQLITE, SOURCE_FILES, SOURCE_SCRIPTED };

enum protection_kind {
	PROTECTION_APPEND_ONLY, /* a table: inserts alone */
	PROTECTION_SET_ONCE, /* a column: given when its row is made, and never changed */
	PROTECTION_BY, /* a column: changed by these tools alone */
};

/* What no write may do to a source, whatever its tool declares. */
struct protection_config {
	enum protection_kind kind;
	struct str table, column; /* column: empty for PROTECTION_APPEND_ONLY */
	struct names by; /* names of tools */
	struct place at;
};

struct source_config {
	struct str name, owner, purpose, runbook;
	enum source_kind kind;
	struct str path; /* SQLITE: database file; FILES: root directory */
	unsigned pool; /* SQLITE: read connections */
	unsigned concurrency; /* calls at a time; at most half of limits.concurrency */
	bool concurrency_shared; /* it was written: it holds for all instances together */
	const struct limit_rule *calls; /* all tools and instances together */
	size_t call_count;
	struct names events; /* a write leaves a row in one of these tables; none: no rule */
	const struct protection_config *protections;
	size_t protection_count;
	struct place at;
};

struct role_config {
	struct str name;
	const struct str *grants; /* flattened: roles in roles are expanded; sorted, unique */
	size_t grant_count;
	struct place at;
};

/* "approve.…": to say yes to somebody's plan.  For people: nobody of kind agent or service holds
 * one, whatever its roles say. */
bool grant_approves(struct str grant);

/* A named part of the catalog, and for whom it is. */
#define TOOLSETS_MAX 64 /* several of them are the bits of a uint64_t */
struct toolset_config {
	struct str name;
	struct names tools, resources, prompts;
	struct names roles, subjects, agents;
	struct place at;
};

/* Who may change nothing. */
struct read_only_config {
	bool all;
	struct names subjects, agents;
};

struct fixed_principal {
	struct str subject, tenant, agent;
	const struct str *roles;
	size_t role_count;
};

/* A secret, and the file it came from: read again where it is used, since others may change it. */
struct secret_config {
	struct str file; /* of ${file:…}; empty: none */
	struct secret value; /* n = 0: none */
};

/* A proxy in front that says who calls and signs it. */
struct proxy_config {
	struct str name, kind;
	struct secret_config key, next; /* next: accepted as well; empty: none */
	uint32_t max_age_ms;
	const struct str *roles; /* those it may give */
	size_t role_count;
	bool approver; /* whom it names decides on plans, and calls nothing */
	struct place at;
};

enum match_kind { MATCH_SAN_URI, MATCH_SAN_DNS, MATCH_SAN_EMAIL, MATCH_SUBJECT, MATCH_KINDS };

/* Whose client certificate it is: exactly one of them fits, or nobody is let in. */
struct certificate_config {
	enum match_kind match;
	struct str value; /* compared byte by byte */
	struct str subject, kind, tenant, agent;
	const struct str *roles;
	size_t role_count;
	bool approver; /* as of a proxy */
	struct place at;
};

enum jwt_algorithm { JWT_RS256 = 1 << 0, JWT_ES256 = 1 << 1, JWT_EDDSA = 1 << 2 };

/* One issuer of access tokens that is believed: identity.jwt[]. */
struct jwt_config {
	struct str issuer;
	const struct str *audiences; /* a token names one of them, exactly */
	size_t audience_count;
	struct str jwks; /* URL of the key set, or the path of its file */
	bool jwks_is_file;
	struct str jwks_ca; /* PEM file of the authorities of that URL; empty: the system's */
	unsigned algorithms; /* of enum jwt_algorithm */
	struct str claim_subject, claim_tenant, claim_roles, claim_agent; /* empty: not read */
	const struct str *roles; /* held by every token, beside those it names */
	size_t role_count;
	struct str tenant; /* of every token; empty: the claim says */
	struct str kind; /* "human", "agent", "service" */
	struct str typ; /* empty: any */
	uint32_t clock_skew_ms, max_age_ms, max_stale_ms;
	bool narrow; /* a grant counts only when it is among the token's scopes, too */
	const struct str *initial_scopes; /* what a client without a token is told to ask for */
	size_t initial_scope_count;
	struct place at;
};

struct listen_config {
	bool http; /* a listen.http section is there */
	struct str address; /* default 127.0.0.1:8477 */
	struct str written; /* the address in the file, whatever the command line says */
	bool loopback; /* every address it binds is loopback */
	bool tls;
	struct str tls_cert, tls_key, tls_client_ca;
	bool proxy_terminates_tls; /* the explicit statement that allows a non-loopback bind without
				      TLS */
	const struct str *allowed_origins, *allowed_hosts;
	size_t allowed_origin_count, allowed_host_count;
	struct str public_url; /* where clients find this listener, without a path; may be empty */
};

/* The listener for metrics and health: a second one, with nothing else on it. */
struct admin_config {
	bool on;
	bool exposed; /* the explicit statement that allows a bind that is not loopback */
	struct listen_config listen; /* address, loopback and allowed_hosts of it */
};

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
const char *log_level_name(enum log_level level);
bool log_level_find(struct str name, enum log_level *out) must_check;

struct log_config {
	enum log_level level; /* LOG_INFO */
	bool arguments; /* development only: argument values, at LOG_DEBUG */
};

struct limits_config {
	uint64_t request_bytes; /* 256 KiB: body or line */
	unsigned concurrency; /* 64 workers */
	uint32_t tool_ms; /* 10 s: one statement, unless the tool says less */
	uint32_t request_ms; /* 30 s: one call from whole request to reply */
	uint32_t connections; /* 1024 */
	/* A quarter of them; 0: as many as there are, on loopback and behind a proxy. */
	uint32_t connections_per_address;
	uint32_t streams; /* 256 open streams */
	uint32_t streams_per_principal; /* 16 */
	uint32_t audit_ms; /* 2 s: then AUDIT_UNAVAILABLE */
	uint64_t memory; /* 1 GiB: of all requests and calls together */
	const struct limit_rule *calls; /* every call; none when absent */
	size_t call_count;
	const struct limit_rule
		*errors; /* calls that were the caller's mistake; none when absent */
	size_t error_count;
	const struct limit_rule *destructive; /* calls that change; 20/d per principal */
	size_t destructive_count;
	unsigned pending_plans; /* 5: open at a time, of one principal */
	const struct limit_rule *auth_failures; /* 600/m per address; NULL: behind a proxy */
};

/* One person of several names: a subject, and what else credentials say: "SUBJECT", or
 * "ISSUER SUBJECT" of access tokens. */
struct person_config {
	struct str name;
	struct names known_as;
};

struct approvals_config {
	/* The approval pages: a listener of their own. */
	bool on;
	struct listen_config listen; /* address, loopback, tls and allowed_hosts of it */
	struct str
		url; /* what people are told, as "https://HOST/approvals"; empty: by the address */

	bool token; /* approving shows a token, to be pasted with the call that applies */
	const struct person_config *persons;
	size_t person_count;
};

struct config {
	struct str file, directory;
	enum environment environment;
	struct str name, instance;
	struct str owner;
	struct str instructions; /* for the model, in discover and initialize; may be empty */
	struct listen_config listen;
	struct admin_config admin;
	struct log_config log;
	const struct source_config *sources;
	size_t source_count;
	struct str store_file; /* store.sqlite */
	struct str audit_directory, audit_keys;
	bool api_keys;
	const struct fixed_principal *fixed; /* NULL: none */
	const struct jwt_config *jwt; /* issuers of access tokens */
	size_t jwt_count;
	struct secret_config stdio_key; /* identity.stdio.key */
	const struct proxy_config *proxies;
	size_t proxy_count;
	const struct certificate_config *certificates;
	size_t certificate_count;
	const struct role_config *roles;
	size_t role_count;
	const struct toolset_config *toolsets; /* none: the whole catalog is everybody's */
	size_t toolset_count;
	bool tenants_closed; /* `tenants` is there: a principal's tenant is one of them */
	struct names tenants;
	struct read_only_config read_only;
	bool builtins; /* whoami and list_scopes are offered */
	struct limits_config limits;
	struct approvals_config approvals;
	const struct str *catalog_files; /* globs expanded, sorted */
	size_t catalog_file_count;
	struct sha256 digest; /* of the bytes of postern.yaml */
};

/* NULL: findings tell why (f->errors > 0).  Warnings may be there on success.
 * override_listen: empty, or the address of --listen; override_instance likewise. */
const struct config *config_load(struct arena *a, struct str path, struct str override_listen,
	struct str override_instance, struct findings *f);
/* The same, and nothing may be changed whatever the file says (--read-only). */
const struct config *config_made_read_only(struct arena *a, const struct config *c);

const struct source_config *config_source(const struct config *c, struct str name); /* NULL: none */
const struct role_config *config_role(const struct config *c, struct str name);
