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
bool config_is_loopback(struct str host); /* 127.0.0.0/8 in dotted form, ::1, localhost */
void config_check_hosts(
	struct config_load *l, const struct yaml *map, const struct listen_config *o);
void config_admin_load(struct config_load *l, const struct yaml *node); /* NULL: absent */
/* After the environment is known. */
void config_log_load(struct config_load *l, const struct yaml *root);
/* After listen, before sources. */
void config_limits_load(struct config_load *l, const struct yaml *root);
void config_sources_load(struct config_load *l, const struct yaml *root);
void config_roles_load(struct config_load *l, const struct yaml *root);
/* Toolsets, tenants, modes, builtins; after roles. */
void config_toolsets_load(struct config_load *l, const struct yaml *root);
/* After listen, sources and roles: what it refuses depends on them. */
void config_identity_load(struct config_load *l, const struct yaml *root);
