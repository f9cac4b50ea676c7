/* listen - the part of postern.yaml that says where to listen, and what is too open to do.
 *
 * Invariants: 1. an address that is not known to be loopback counts as public.  2. public means
 * TLS, or the explicit statement that a proxy terminates it, and a list of host names. */
#include "base/file.h"
#include "base/hostport.h"
#include "config/load.h"

#define PEM_MAX_BYTES ((size_t)1 << 20)

bool config_is_loopback(struct str host)
{
	unsigned dots = 0;

	if (str_eq(host, S("::1")) || str_eq_ci(host, S("localhost")))
		return true;
	if (!str_starts(host, S("127.")))
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (!ascii_is_digit(host.p[i]) && host.p[i] != '.')
			return false;
		dots += host.p[i] == '.';
	}
	return dots == 3;
}

static void check_tls_files(
	struct config_load *l, const struct yaml *tls, const struct listen_config *o)
{
	struct str text;
	struct err err;

	if (o->tls_cert.n && !file_read(l->a, o->tls_cert, PEM_MAX_BYTES, &text, &err))
		config_refuse(l, tls, "cert", "config.tls", str_c(err.text), STR_NONE);
	if (o->tls_client_ca.n && !file_read(l->a, o->tls_client_ca, PEM_MAX_BYTES, &text, &err))
		config_refuse(l, tls, "client_ca", "config.tls", str_c(err.text), STR_NONE);
	if (!o->tls_key.n)
		return;
	if (!file_read_secret(l->a, o->tls_key, PEM_MAX_BYTES, &text, &err))
		config_refuse(l, tls, "key", "config.tls", str_c(err.text), STR_NONE);
	else
		wipe((void *)(uintptr_t)text.p, text.n);
}

static void load_tls(struct config_load *l, struct reader *listener, struct listen_config *o)
{
	const struct yaml *node = read_node(listener, "tls");
	struct reader r;

	if (!node)
		return;
	o->tls = true;
	reader_init(
		&r, l->a, l->f, node, arena_cstr(l->a, arena_fmt(l->a, "%s.tls", listener->what)));
	o->tls_cert = config_path(l, read_str_required(&r, "cert"));
	o->tls_key = config_path(l, read_str_required(&r, "key"));
	o->tls_client_ca = config_path(l, read_str(&r, "client_ca", STR_NONE));
	reader_done(&r);
	if (r.map)
		check_tls_files(l, r.map, o);
}

static void check_origins(struct config_load *l, const struct yaml *http)
{
	struct listen_config *o = &l->c->listen;

	for (size_t i = 0; i < o->allowed_origin_count; i++) {
		struct str origin = o->allowed_origins[i], scheme, rest;
		bool fits = str_cut(origin, ':', &scheme, &rest) && str_starts(rest, S("//")) &&
			    rest.n > 2 && !str_has(str_from(rest, 2), '/') && !str_has(origin, '*');

		if (!fits)
			config_refuse(l, http, "allowed_origins", "config.origin",
				arena_fmt(l->a, "'%.*s' is not an origin", STR_ARG(origin)),
				S("write SCHEME://HOST or SCHEME://HOST:PORT, one by one; there "
				  "is no wildcard"));
	}
}

void config_check_hosts(
	struct config_load *l, const struct yaml *map, const struct listen_config *o)
{
	for (size_t i = 0; i < o->allowed_host_count; i++)
		if (str_has(o->allowed_hosts[i], '*') || str_has(o->allowed_hosts[i], '/'))
			config_refuse(l, map, "allowed_hosts", "config.host",
				arena_fmt(l->a, "'%.*s' is not a host name",
					STR_ARG(o->allowed_hosts[i])),
				S("write the names that clients use, one by one; there is no "
				  "wildcard"));
}

void config_refuse_address(struct config_load *l, const struct yaml *map, struct str address)
{
	config_refuse(l, map, "address", "config.address",
		arena_fmt(l->a, "'%.*s' is not an address", STR_ARG(address)),
		S("write HOST:PORT, as in 127.0.0.1:8477 or [::1]:8477"));
}

static void check_public(
	struct config_load *l, const struct yaml *at, const struct listen_config *o)
{
	if (o->loopback)
		return;
	if (!o->tls && !o->proxy_terminates_tls)
		config_refuse(l, at, "address", "config.listen_plain",
			arena_fmt(l->a, "%.*s is not a loopback address and there is no TLS",
				STR_ARG(o->address)),
			S("add 'tls: {cert, key}', or 'proxy_terminates_tls: true' when a proxy "
			  "in front does it, or listen on 127.0.0.1"));
	if (!o->allowed_host_count)
		config_refuse(l, at, "allowed_hosts", "config.listen_hosts",
			arena_fmt(l->a, "%.*s is not a loopback address and no host is allowed",
				STR_ARG(o->address)),
			S("list the names that clients use in 'allowed_hosts'"));
}

void config_listener_load(struct config_load *l, struct reader *r, struct listen_config *o)
{
	load_tls(l, r, o);
	o->proxy_terminates_tls = read_bool(r, "proxy_terminates_tls", false);
	o->allowed_hosts = read_strs(r, "allowed_hosts", &o->allowed_host_count);
}

bool config_listener_check(struct config_load *l, const struct yaml *at, struct listen_config *o)
{
	struct hostport at_port;

	if (!hostport_read(o->address, &at_port)) {
		config_refuse_address(l, at, o->address);
		return false;
	}
	o->loopback = config_is_loopback(at_port.host);
	config_check_hosts(l, at, o);
	check_public(l, at, o);
	return true;
}

static void check_public_url(struct config_load *l, const struct yaml *http)
{
	struct str url = l->c->listen.public_url, rest;
	bool plain, fits = config_url_fits(url, &plain, &rest) && !rest.n;

	for (size_t i = 0; i < url.n; i++)
		fits = fits && url.p[i] == ascii_lower(url.p[i]);
	if (url.n && !fits)
		config_refuse(l, http, "public_url", "config.url",
			arena_fmt(l->a, "'%.*s' is not the address of a server", STR_ARG(url)),
			S("write https://HOST or https://HOST:PORT in lower case, with nothing "
			  "behind it; http:// for a loopback host only"));
}

static void load_http(struct config_load *l, const struct yaml *at, const struct yaml *node,
	struct str override_listen)
{
	struct listen_config *o = &l->c->listen;
	struct reader r;

	reader_init(&r, l->a, l->f, node, "listen.http");
	o->address = read_str(&r, "address", S("127.0.0.1:8477"));
	o->written = o->address;
	if (override_listen.n)
		o->address = override_listen;
	config_listener_load(l, &r, o);
	o->allowed_origins = read_strs(&r, "allowed_origins", &o->allowed_origin_count);
	o->public_url = read_str(&r, "public_url", STR_NONE);
	reader_done(&r);
	if (r.map)
		at = r.map;
	check_public_url(l, at);
	if (config_listener_check(l, at, o))
		check_origins(l, at);
}

void config_listen_load(struct config_load *l, const struct yaml *root, struct str override_listen)
{
	struct listen_config *o = &l->c->listen;
	const struct yaml *http, *admin;
	struct reader r;

	o->loopback = true;
	reader_init(&r, l->a, l->f, yaml_get(root, S("listen")), "listen");
	http = read_node(&r, "http");
	admin = read_node(&r, "admin");
	reader_done(&r);
	o->http = http || override_listen.n;
	if (o->http)
		load_http(l, r.map ? r.map : root, http, override_listen);
	config_admin_load(l, admin);
}
