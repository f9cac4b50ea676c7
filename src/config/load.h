/* load - what the parts of config_load share.  Private to the room. */
#pragma once
#include "config/config.h"
#include "config/read.h"

struct config_load {
	struct arena *a;
	struct findings *f;
	struct config *c;
};

/* An error at a key of the map, at the map when the key is absent, at the file without a map. */
void config_refuse(struct config_load *l, const struct yaml *map, const char *key, const char *code,
	struct str what, struct str remedy);
struct str config_path(struct config_load *l, struct str path); /* resolved; empty stays empty */
/* [A-Za-z0-9_.-]{1,64}; slash: '/' too. */
bool config_name_fits(struct str name, bool slash);

void config_listen_load(struct config_load *l, const struct yaml *root, struct str override_listen);
void config_refuse_address(struct config_load *l, const struct yaml *map, struct str address);
/* tls, proxy_terminates_tls and allowed_hosts of a listener that people or agents reach. */
void config_listener_load(struct config_load *l, struct reader *r, struct listen_config *o);
/* With its address set: is it loopback, or safe where it is?  False: it is no address. */
bool config_listener_check(struct config_load *l, const struct yaml *at, struct listen_config *o);
bool config_is_loopback(struct str host); /* 127.0.0.0/8 in dotted form, ::1, localhost */
void config_check_hosts(
	struct config_load *l, const struct yaml *map, const struct listen_config *o);
void config_admin_load(struct config_load *l, const struct yaml *node); /* NULL: absent */
/* After the environment is known. */
void config_approvals_load(struct config_load *l, const struct yaml *root);
/* The keys of the same section that are about the pages. */
void config_approvals_page_load(struct config_load *l, struct reader *r);
/* After the environment is known. */
void config_log_load(struct config_load *l, const struct yaml *root);
/* After listen, before sources. */
void config_limits_load(struct config_load *l, const struct yaml *root);
void config_sources_load(struct config_load *l, const struct yaml *root);
void config_protect_load(struct config_load *l, struct reader *source, struct source_config *o);
/* After roles.  identity: the section's reader. */
void config_jwt_load(struct config_load *l, struct reader *identity);
/* "https://HOST[:PORT]…", or "http://" with a loopback host; *rest_out: from the path on. */
bool config_url_fits(struct str url, bool *plain_out, struct str *rest_out);
void config_roles_load(struct config_load *l, const struct yaml *root);
/* Toolsets, tenants, modes, builtins; after roles. */
void config_toolsets_load(struct config_load *l, const struct yaml *root);
/* Of somebody whom the section names: one of `tenants`, where those are listed. */
void config_check_tenant(struct config_load *l, const struct reader *r, struct str tenant);
/* After listen, sources and roles: what it refuses depends on them. */
void config_identity_load(struct config_load *l, const struct yaml *root);
/* proxy and certificates of the identity section, whose reader it is. */
void config_credentials_load(struct config_load *l, struct reader *identity);
/* A secret with the file it came from.  False: a finding says why, or it is not set. */
bool read_secret_config(struct reader *r, const char *name, struct config_load *l,
	struct secret_config *out) must_check;
/* Of a kind with no person behind it: no role that may approve. */
void config_check_kind(struct config_load *l, const struct reader *r, struct str kind,
	const struct str *roles, size_t count);
/* The names under `roles` of r, each of which must be a role. */
const struct str *config_role_names(struct config_load *l, struct reader *r, size_t *count_out);
