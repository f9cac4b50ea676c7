/* approvals_page - the part of postern.yaml for the approval pages.
 *
 * Invariants: 1. there are no pages unless their address is there; their
 * url alone says that another process serves them.  2. a public address needs TLS,
 * or the statement that a proxy terminates it, and a list of host names.  3. the address that
 * people are told ends in /approvals: what is behind it is ours. */
#include "config/load.h"

static void check_url(struct config_load *l, const struct yaml *at, struct approvals_config *o)
{
	bool plain, fits;
	struct str rest;

	if (!o->url.n)
		return;
	if (str_ends(o->url, S("/")))
		o->url.n--;
	fits = config_url_fits(o->url, &plain, &rest) && str_eq(rest, S("/approvals"));
	for (size_t i = 0; i < o->url.n; i++)
		fits = fits && o->url.p[i] == ascii_lower(o->url.p[i]);
	if (!fits)
		config_refuse(l, at, "url", "config.url",
			arena_fmt(l->a, "'%.*s' is not the address of the approval pages",
				STR_ARG(o->url)),
			S("write https://HOST/approvals or https://HOST:PORT/approvals in lower "
			  "case; http:// for a loopback host only"));
}

/* Cookies know no port: whatever listens on the same host, and is opened in the same browser, gets
 * the one of the pages, unless that is for TLS alone. */
static void warn_of_plain(
	struct config_load *l, const struct yaml *at, const struct listen_config *o)
{
	if (o->tls || o->proxy_terminates_tls || l->c->environment == ENV_DEVELOPMENT)
		return;
	finding_warn(l->f, at->at, "config.approvals_plain",
		S("the approval pages are served without TLS: another program of this machine "
		  "that is opened in the same browser sees who is signed in"),
		S("add 'tls: {cert, key}', or 'proxy_terminates_tls: true' when a proxy in front "
		  "does it"));
}

void config_approvals_page_load(struct config_load *l, struct reader *r)
{
	struct approvals_config *o = &l->c->approvals;
	bool more;

	o->listen.loopback = true;
	o->listen.address = read_str(r, "address", STR_NONE);
	o->listen.written = o->listen.address;
	o->url = read_str(r, "url", STR_NONE);
	config_listener_load(l, r, &o->listen);
	o->on = o->listen.address.n > 0;
	more = o->listen.tls || o->listen.proxy_terminates_tls || o->listen.allowed_host_count;
	if (!o->on && more)
		config_refuse(l, r->map, NULL, "config.missing",
			S("approvals.address is missing: there would be no pages"),
			S("add 'address: 127.0.0.1:8081', or take off tls, "
			  "proxy_terminates_tls and allowed_hosts"));
	check_url(l, r->map, o);
	if (!o->on)
		return;
	if (config_listener_check(l, r->map, &o->listen))
		warn_of_plain(l, r->map, &o->listen);
}
