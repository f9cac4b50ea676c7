/* admin - the parts of postern.yaml for whoever runs it: the listener for metrics and health, and
 * how much is logged.
 *
 * Invariants: 1. the admin listener is absent unless it is named, and loopback unless it is stated
 * to be exposed.  2. argument values are logged in development only. */
#include "base/hostport.h"
#include "config/load.h"

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	return names[level];
}

bool log_level_find(struct str name, enum log_level *out)
{
	for (unsigned i = LOG_ERROR; i <= LOG_DEBUG; i++)
		if (str_eq(str_c(log_level_name((enum log_level)i)), name)) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

static void check_exposure(struct config_load *l, const struct yaml *at)
{
	const struct listen_config *o = &l->c->admin.listen;

	if (o->loopback)
		return;
	if (!l->c->admin.exposed)
		config_refuse(l, at, "address", "config.admin_exposed",
			arena_fmt(l->a,
				"%.*s is not a loopback address: anybody there could read "
				"the metrics",
				STR_ARG(o->address)),
			S("listen on 127.0.0.1, or add 'exposed: true'"));
	if (!o->allowed_host_count)
		config_refuse(l, at, "allowed_hosts", "config.listen_hosts",
			arena_fmt(l->a, "%.*s is not a loopback address and no host is allowed",
				STR_ARG(o->address)),
			S("list the names that the monitoring uses in 'allowed_hosts'"));
}

void config_admin_load(struct config_load *l, const struct yaml *node)
{
	struct admin_config *o = &l->c->admin;
	struct hostport at;
	struct reader r;

	o->listen.loopback = true;
	if (!node)
		return;
	o->on = true;
	reader_init(&r, l->a, l->f, node, "listen.admin");
	o->listen.address = read_str(&r, "address", S("127.0.0.1:9090"));
	o->exposed = read_bool(&r, "exposed", false);
	o->listen.allowed_hosts = read_strs(&r, "allowed_hosts", &o->listen.allowed_host_count);
	reader_done(&r);
	if (!r.map)
		return;
	if (!hostport_read(o->listen.address, &at)) {
		config_refuse_address(l, r.map, o->listen.address);
		return;
	}
	o->listen.loopback = config_is_loopback(at.host);
	config_check_hosts(l, r.map, &o->listen);
	check_exposure(l, r.map);
}

void config_log_load(struct config_load *l, const struct yaml *root)
{
	static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
	struct config *c = l->c;
	const struct yaml *at;
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("log")), "log");
	c->log.level = (enum log_level)read_choice(&r, "level", levels, LOG_INFO);
	c->log.arguments = read_bool(&r, "arguments", false);
	reader_done(&r);
	at = r.map ? r.map : root;
	if (c->log.arguments && c->environment != ENV_DEVELOPMENT)
		config_refuse(l, at, "arguments", "config.log_arguments",
			arena_fmt(l->a, "argument values would be logged in %s",
				environment_name(c->environment)),
			S("remove 'arguments'; it exists in development only"));
}
