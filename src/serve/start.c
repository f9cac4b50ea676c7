/* start - see serve.h: start, reload, stop.
 *
 * Order of start: configuration, sources, keys, instance lock, START record, listener.  Whatever
 * fails is one clear line and nothing half-started stays. */
#include "serve/serve.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hostport.h"
#include "config/environ.h"
#include "config/profile.h"
#include "json/write.h"
#include "serve/admin.h"
#include "serve/approvals_front.h"
#include "serve/drills.h"
#include "serve/http_front.h"
#include "serve/key_check.h"
#include "serve/log.h"
#include "serve/reload.h"
#include "serve/settle.h"
#include "serve/stdio_front.h"
#include "serve/survey_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define STOP_MS 35000 /* a call may take 30 s */

/* No secret may reach a core dump or another process of the same user. */
static void harden(void)
{
	struct rlimit none = { 0, 0 };

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check needs to look at the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static struct world *open_or_explain(const struct world_options *options)
{
	struct report report;
	struct world *w;
	size_t errors;

	report_begin(&report);
	w = world_open(options, &report.findings);
	if (w) {
		struct generation *g = world_hold(w);

		environ_wipe();
		apply_log_level(options, g->config);
		world_drop(w, g);
	}
	errors = report.findings.errors;
	report_end(&report, stderr);
	if (!w)
		fprintf(stderr, "postern: not started: %zu %s in the configuration\n", errors,
			errors == 1 ? "mistake" : "mistakes");
	return w;
}

/* Every source must answer, every statement prepare and, where tokens are taken, every issuer have
 * keys before anything is served. */
static bool sources_ready(struct world *w, bool issuers)
{
	struct generation *g = world_hold(w);
	struct report report;
	size_t errors;

	report_begin(&report);
	backends_check(g->backends, &report.findings);
	if (issuers)
		jwt_verifier_ready(g->jwt, &report.findings);
	errors = report.findings.errors;
	record_crossing(w, &report.findings);
	report_end(&report, stderr);
	if (errors)
		fprintf(stderr, "postern: not started: %zu %s with the sources or the issuers\n",
			errors, errors == 1 ? "problem" : "problems");
	world_drop(w, g);
	return !errors;
}

static void print_profile(enum environment e)
{
	struct buf text;

	buf_init(&text, (size_t)16 << 10);
	profile_write(&text, e);
	fwrite(text.p, 1, text.n, stdout);
	buf_done(&text);
}

/* Who can change something with no person behind it. */
static void print_machines(struct world *w, const struct generation *g, struct arena *a)
{
	struct buf text;

	buf_in(&text, a, (size_t)1 << 20);
	survey_machines_write(w, g, a, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stdout);
}

int serve_check(const struct world_options *options)
{
	struct report report;
	size_t errors, warnings;
	struct world *w;

	report_begin(&report);
	w = world_open(options, &report.findings);
	if (w) {
		struct generation *g = world_hold(w);

		backends_check(g->backends, &report.findings);
		key_check(w, g->config, clock_wall_us(), &report.findings);
		survey_keys(w, g, &report.findings);
		jwt_verifier_ready(g->jwt, &report.findings);
		if (g->config->environment == ENV_PRODUCTION)
			drills_review(
				world_store(w), clock_wall_us(), g->config->file, &report.findings);
		print_profile(g->config->environment);
		print_machines(w, g, report.findings.a);
		world_drop(w, g);
		world_close(&w);
	}
	errors = report.findings.errors;
	warnings = report.findings.count - MIN(report.findings.count, errors);
	report_end(&report, stdout);
	printf("%zu %s, %zu %s\n", errors, errors == 1 ? "error" : "errors", warnings,
		warnings == 1 ? "warning" : "warnings");
	return errors ? EX_CONFIG : 0;
}

/* --- the instance lock: one serving process of a name --- */

static int lock_instance(const struct config *c, struct err *err)
{
	struct arena a;
	struct str path;
	int fd = -1;

	arena_init(&a, (size_t)64 << 10);
	path = arena_fmt(
		&a, "%.*s/serve.%.*s.lock", STR_ARG(c->audit_directory), STR_ARG(c->instance));
	if (dir_private(&a, c->audit_directory, err)) {
		fd = open(arena_cstr(&a, path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			err_errno(err, E_IO, "%.*s", STR_ARG(path));
	}
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		err_set(err, E_EXISTS,
			"instance %.*s is being served already; stop it, or give this one another "
			"name with --instance",
			STR_ARG(c->instance));
		close(fd);
		fd = -1;
	}
	arena_done(&a);
	return fd;
}

/* --- signals --- */

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2); /* the watch's (watch.h): it has a descriptor of its own */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGUSR2);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The next signal.  True: it is one that ends the process. */
static bool take_signal(
	struct server *s, const struct world_options *options, int signals, bool *reloaded_out)
{
	struct signalfd_siginfo info;

	*reloaded_out = false;
	if (read(signals, &info, sizeof info) != (ssize_t)sizeof info)
		return true;
	if (info.ssi_signo != SIGHUP) {
		log_info("stopping", "signal=%s", info.ssi_signo == SIGTERM ? "TERM" : "INT");
		return true;
	}
	reload_all(s, options);
	*reloaded_out = true;
	return false;
}

/* --- HTTP --- */

struct listener {
	struct server server;
	struct http_front front;
	struct pool *pool;
	struct http_server *http;
	struct admin *admin; /* NULL: no listen.admin */
	struct approvals_front *approvals; /* NULL: no approval pages */
};

static void reload_certificates(struct listener *l)
{
	struct log_text text;
	struct err err;

	if (!http_server_reload_tls(l->http, &err) ||
		(l->approvals && !approvals_front_reload_tls(l->approvals, &err)))
		log_error(
			"certificate_not_reloaded", "error=%s", log_value(&text, str_c(err.text)));
}

static void run_until_stopped(struct listener *l, const struct world_options *options, int signals)
{
	bool reloaded;

	while (!take_signal(&l->server, options, signals, &reloaded))
		if (reloaded)
			reload_certificates(l);
}

static void tick(void *ctx, uint64_t mono_ms)
{
	struct listener *l = ctx;

	http_server_tick(l->http, mono_ms);
	server_tick(&l->server, mono_ms);
}

static struct http_config http_settings(const struct config *c, struct http_front *front)
{
	return (struct http_config){
		.address = c->listen.address,
		.tls_on = c->listen.tls,
		.tls = { c->listen.tls_cert, c->listen.tls_key, c->listen.tls_client_ca },
		.limits = { .request_line = 8192,
			.header_bytes = 16384,
			.header_count = 100,
			.body = (size_t)c->limits.request_bytes },
		.request_ms = 15000,
		.idle_ms = 75000,
		.keepalive_ms = 15000,
		.max_conns = c->limits.connections,
		.per_address = c->limits.connections_per_address,
		.stream_pending = (size_t)1 << 20,
		.serve = http_front_serve,
		.refused = http_front_refused,
		.ctx = front,
	};
}

static bool listener_open(struct listener *l, struct world *w, struct err *err)
{
	struct generation *g = world_hold(w);
	struct http_config settings;
	bool ok;

	server_init(&l->server, w);
	l->front.server = &l->server;
	settings = http_settings(g->config, &l->front);
	l->pool = pool_new(g->config->limits.concurrency, tick, l, err);
	if (l->pool)
		l->http = http_server_new(&settings, l->pool, &l->front.port, err);
	ok = l->http != NULL;
	if (ok && g->config->admin.on) {
		struct admin_view view = { .server = &l->server, .http = l->http };

		l->admin = admin_new(&view, err);
		ok = l->admin != NULL;
	}
	if (ok && g->config->approvals.on) {
		l->approvals = approvals_front_new(&l->server, err);
		ok = l->approvals != NULL;
	}
	world_drop(w, g);
	return ok;
}

static void listener_close(struct listener *l)
{
	approvals_front_free(&l->approvals);
	admin_free(&l->admin);
	if (l->pool)
		pool_stop(l->pool);
	http_server_free(&l->http);
	pool_free(&l->pool);
	server_done(&l->server);
}

/* The address as configured, with the port that was bound. */
static struct str bound_to(struct arena *a, struct str address, uint16_t port)
{
	struct hostport at;

	bug_on(!hostport_read(address, &at)); /* it is open */
	return arena_fmt(a, "%.*s:%u", STR_ARG(at.name), port);
}

static void announce(const struct listener *l, struct world *w)
{
	struct generation *g = world_hold(w);
	const struct listen_config *c = &g->config->listen;
	struct log_text address, name;
	struct arena a;

	arena_init(&a, (size_t)4 << 10);
	if (l->admin)
		log_info("admin", "address=%s",
			log_value(&address, bound_to(&a, g->config->admin.listen.address,
						    admin_port(l->admin))));
	if (l->approvals)
		log_info("approvals", "address=%s tls=%s",
			log_value(&address, bound_to(&a, g->config->approvals.listen.address,
						    approvals_front_port(l->approvals))),
			g->config->approvals.listen.tls ? "on" : "off");
	log_info("listening", "address=%s tls=%s name=%s environment=%s instance=%.*s tools=%zu",
		log_value(&address, bound_to(&a, c->address, l->front.port)), c->tls ? "on" : "off",
		log_value(&name, g->config->name), environment_name(g->config->environment),
		STR_ARG(g->config->instance), g->catalog->tool_count);
	if (watch_is_paused(world_watch(w)))
		log_warn("killed", "note=\"calls are PAUSED; see: postern kills\"");
	if (g->config->fixed)
		log_warn("identity_fixed",
			"note=\"every request is %.*s: for tests of this machine only\"",
			STR_ARG(g->config->fixed->subject));
	arena_done(&a);
	world_drop(w, g);
}

static bool record_start(struct world *w, struct err *err)
{
	struct generation *g = world_hold(w);
	bool ok = record_configuration(w, "START", NULL, g, err);

	world_drop(w, g);
	return ok;
}

/* 0, or an exit status with err. */
static int listener_start(struct listener *l, struct world *w, struct err *err)
{
	if (!listener_open(l, w, err))
		return EX_UNAVAILABLE;
	if (!watch_start(world_watch(w), err))
		return EX_OSERR;
	if (!record_start(w, err)) {
		err_while(err, "the audit log cannot be written");
		return EX_CANTCREAT;
	}
	settle_once(w);
	return pool_start(l->pool, err) && (!l->admin || admin_start(l->admin, err)) &&
			       (!l->approvals || approvals_front_start(l->approvals, err))
		       ? 0
		       : EX_OSERR;
}

static int serve_listener(struct world *w, const struct world_options *options, int signals)
{
	struct listener l = { 0 };
	struct err err;
	int status = listener_start(&l, w, &err);

	if (status) {
		fprintf(stderr, "postern: not started: %s\n", err.text);
	} else {
		world_tell_keys(w);
		http_server_start(l.http);
		announce(&l, w);
		run_until_stopped(&l, options, signals);
		hub_end_all(l.server.hub);
		http_server_stop(l.http, clock_mono_ms() + STOP_MS);
	}
	listener_close(&l);
	return status;
}

int serve_http(const struct world_options *options)
{
	struct world *w;
	struct err err;
	int signals, lock, status = EX_CONFIG;

	harden();
	signals = block_signals();
	w = open_or_explain(options);
	if (!w)
		return EX_CONFIG;
	{
		struct generation *g = world_hold(w);

		lock = -1;
		if (!g->config->listen.http) {
			fprintf(stderr,
				"postern: not started: %.*s has no listen.http section; add one, "
				"or "
				"give --listen HOST:PORT\n",
				STR_ARG(g->config->file));
		} else if (!sources_ready(w, true)) {
			status = EX_DATAERR;
		} else if ((lock = lock_instance(g->config, &err)) < 0) {
			fprintf(stderr, "postern: not started: %s\n", err.text);
			status = err.code == E_EXISTS ? EX_UNAVAILABLE : EX_CANTCREAT;
		} else if (!world_seal(w, &err)) {
			fprintf(stderr, "postern: not started: %s\n", err.text);
			status = EX_NOPERM;
		} else {
			status = serve_listener(w, options, signals);
		}
		world_drop(w, g);
	}
	world_close(&w);
	if (lock >= 0)
		close(lock);
	close(signals);
	return status;
}

/* --- stdio --- */

struct waker {
	struct server *server;
	const struct world_options *options;
	int signals;
};

/* On the reading thread: no line is taken meanwhile. */
static bool pipe_woken(void *ctx)
{
	struct waker *k = ctx;
	bool reloaded;

	return take_signal(k->server, k->options, k->signals, &reloaded);
}

int serve_stdio(const struct world_options *options)
{
	struct generation *g;
	struct server server;
	struct world *w;
	int signals, status;

	harden();
	signals = block_signals();
	w = open_or_explain(options);
	if (!w)
		return EX_CONFIG;
	g = world_hold(w);
	status = 0;
	if (!g->config->stdio_key.value.n && !g->config->fixed) {
		fprintf(stderr,
			"postern: not started: identity.stdio.key is empty: issue a key with "
			"'postern key issue' and put it where that setting says\n");
		status = EX_NOPERM;
	} else if (!sources_ready(w, false)) {
		status = EX_DATAERR;
	}
	world_drop(w, g);
	if (!status) {
		server_init(&server, w);
		status = stdio_front_run(&server, STDIN_FILENO, STDOUT_FILENO,
			&(struct stdio_wake){ signals, pipe_woken,
				&(struct waker){ &server, options, signals } });
		server_done(&server);
	}
	world_close(&w);
	close(signals);
	return status;
}
