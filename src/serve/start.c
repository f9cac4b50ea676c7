/* start - see serve.h: start, reload, stop.
 *
 * Order of start: configuration, sources, keys, instance lock, START record, listener.  Whatever
 * fails is one clear line and nothing half-started stays. */
#include "serve/serve.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hostport.h"
#include "json/write.h"
#include "serve/drills.h"
#include "serve/http_front.h"
#include "serve/log.h"
#include "serve/stdio_front.h"

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

#define FINDINGS_BYTES ((size_t)64 << 20)
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

/* A key that came by the environment is not to be read there any longer. */
static void scrub_environment(struct str secret)
{
	for (char **variable = environ; secret.n && *variable; variable++) {
		char *value = strchr(*variable, '=');

		if (value && str_eq(str_c(value + 1), secret))
			wipe(value + 1, secret.n);
	}
}

static void print_findings(const struct findings *f, FILE *to)
{
	struct buf text;

	buf_init(&text, FINDINGS_BYTES);
	findings_write(f, &text);
	if (text.n)
		fwrite(text.p, 1, text.n, to);
	buf_done(&text);
}

static struct world *open_or_explain(const struct world_options *options)
{
	struct findings f;
	struct arena a;
	struct world *w;

	arena_init(&a, FINDINGS_BYTES);
	findings_init(&f, &a);
	w = world_open(options, &f);
	if (w) {
		struct generation *g = world_hold(w);

		scrub_environment(secret_bytes(&g->config->stdio_key));
		world_drop(w, g);
	}
	if (f.count)
		print_findings(&f, stderr);
	if (!w)
		fprintf(stderr, "postern: not started: %zu %s in the configuration\n", f.errors,
			f.errors == 1 ? "mistake" : "mistakes");
	arena_done(&a);
	return w;
}

/* Every source must answer and every statement prepare before anything is served. */
static bool sources_ready(struct world *w)
{
	struct generation *g = world_hold(w);
	struct findings f;
	struct arena a;
	bool ok;

	arena_init(&a, FINDINGS_BYTES);
	findings_init(&f, &a);
	backends_check(g->backends, &f);
	ok = f.errors == 0;
	if (f.count)
		print_findings(&f, stderr);
	if (!ok)
		fprintf(stderr, "postern: not started: %zu %s with the sources\n", f.errors,
			f.errors == 1 ? "problem" : "problems");
	arena_done(&a);
	world_drop(w, g);
	return ok;
}

int serve_check(const struct world_options *options)
{
	struct generation *g;
	struct findings f;
	struct arena a;
	struct world *w;
	size_t errors;

	arena_init(&a, FINDINGS_BYTES);
	findings_init(&f, &a);
	w = world_open(options, &f);
	if (w) {
		g = world_hold(w);
		backends_check(g->backends, &f);
		if (g->config->environment == ENV_PRODUCTION)
			drills_review(world_store(w), clock_wall_us(), g->config->file, &f);
		world_drop(w, g);
		world_close(&w);
	}
	print_findings(&f, stdout);
	errors = f.errors;
	printf("%zu %s, %zu %s\n", errors, errors == 1 ? "error" : "errors", f.count - errors,
		f.count - errors == 1 ? "warning" : "warnings");
	arena_done(&a);
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

/* As a whole: by an order against everything or this server, the local switch, or doubt. */
static bool is_killed(struct world *w)
{
	struct kill_target t = { .instance = watch_instance(world_watch(w)) };

	return watch_judge(world_watch(w), &t, clock_boot_ms()).cause != KILL_BY_NOTHING;
}

/* What a START or CONFIG record says of the configuration in force. */
static bool record_configuration(struct world *w, const char *event, struct err *err)
{
	struct generation *g = world_hold(w);
	struct buf fields;
	bool ok;

	buf_init(&fields, (size_t)4 << 10);
	buf_lit(&fields, "\"config\":\"");
	sha256_write(&fields, &g->config->digest);
	buf_lit(&fields, "\",\"catalog\":\"");
	sha256_write(&fields, &g->catalog->digest);
	buf_fmt(&fields, "\",\"tools\":%zu,\"killed\":%s,\"version\":\"" POSTERN_VERSION "\"",
		g->catalog->tool_count, is_killed(w) ? "true" : "false");
	ok = audit_event(world_audit(w), event, buf_str(&fields), err);
	buf_done(&fields);
	world_drop(w, g);
	return ok;
}

/* What lives as long as the process: an operator who changed it must not think that a reload did.
 */
static void warn_of_restart(const struct config *was, const struct config *now)
{
	const struct limits_config *before = &was->limits, *after = &now->limits;
	const struct {
		const char *key;
		bool same;
	} settings[] = {
		{ "environment", was->environment == now->environment },
		{ "name", str_eq(was->name, now->name) },
		{ "store", str_eq(was->store_file, now->store_file) },
		{ "audit", str_eq(was->audit_directory, now->audit_directory) &&
				   str_eq(was->audit_keys, now->audit_keys) &&
				   before->audit_ms == after->audit_ms },
		{ "tls", was->listen.tls == now->listen.tls &&
				 str_eq(was->listen.tls_cert, now->listen.tls_cert) &&
				 str_eq(was->listen.tls_key, now->listen.tls_key) &&
				 str_eq(was->listen.tls_client_ca, now->listen.tls_client_ca) },
		{ "limits", before->concurrency == after->concurrency &&
				    before->connections == after->connections &&
				    before->request_bytes == after->request_bytes &&
				    before->streams == after->streams },
	};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!settings[i].same)
			log_warn("restart_needed",
				"setting=%s note=\"a reload does not change it\"", settings[i].key);
}

static void reload(struct server *s, struct http_server *http)
{
	struct generation *before = world_hold(s->world), *after;
	struct findings f;
	struct arena a;
	struct err err;

	arena_init(&a, FINDINGS_BYTES);
	findings_init(&f, &a);
	if (world_reload(s->world, &f)) {
		if (!record_configuration(s->world, "CONFIG", &err)) {
			struct log_text text;

			log_error("audit_unavailable", "event=CONFIG error=%s",
				log_value(&text, str_c(err.text)));
		}
		log_info("reloaded", "warnings=%zu", f.count);
		after = world_hold(s->world);
		warn_of_restart(before->config, after->config);
		world_drop(s->world, after);
		hub_changed(s->hub, S("tools"));
		hub_changed(s->hub, S("resources"));
		hub_changed(s->hub, S("prompts"));
	} else {
		log_error("reload_refused", "errors=%zu note=\"the configuration in force stays\"",
			f.errors);
	}
	print_findings(&f, stderr);
	if (!http_server_reload_tls(http, &err)) {
		struct log_text text;

		log_error(
			"certificate_not_reloaded", "error=%s", log_value(&text, str_c(err.text)));
	}
	arena_done(&a);
	world_drop(s->world, before);
}

static void run_until_stopped(struct server *s, struct http_server *http, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP) {
			log_info("stopping", "signal=%s",
				info.ssi_signo == SIGTERM ? "TERM" : "INT");
			return;
		}
		reload(s, http);
	}
}

/* --- HTTP --- */

struct listener {
	struct server server;
	struct http_front front;
	struct pool *pool;
	struct http_server *http;
};

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
	world_drop(w, g);
	return ok;
}

static void listener_close(struct listener *l)
{
	if (l->pool)
		pool_stop(l->pool);
	http_server_free(&l->http);
	pool_free(&l->pool);
	server_done(&l->server);
}

static void announce(const struct listener *l, struct world *w)
{
	struct generation *g = world_hold(w);
	const struct listen_config *c = &g->config->listen;
	struct log_text address, name;
	struct hostport at;
	struct arena a;

	arena_init(&a, (size_t)4 << 10);
	bug_on(!hostport_read(c->address, &at)); /* it is open */
	log_info("listening", "address=%s tls=%s name=%s environment=%s instance=%.*s tools=%zu",
		log_value(&address, arena_fmt(&a, "%.*s:%u", STR_ARG(at.name), l->front.port)),
		c->tls ? "on" : "off", log_value(&name, g->config->name),
		environment_name(g->config->environment), STR_ARG(g->config->instance),
		g->catalog->tool_count);
	if (is_killed(w))
		log_warn("killed", "note=\"calls are PAUSED; see: postern kills\"");
	if (g->config->fixed)
		log_warn("identity_fixed",
			"note=\"every request is %.*s: for tests of this machine only\"",
			STR_ARG(g->config->fixed->subject));
	arena_done(&a);
	world_drop(w, g);
}

static int serve_listener(struct world *w, int signals)
{
	struct listener l = { 0 };
	struct err err;
	int status = 0;

	if (!listener_open(&l, w, &err)) {
		fprintf(stderr, "postern: not started: %s\n", err.text);
		status = EX_UNAVAILABLE;
	} else if (!watch_start(world_watch(w), &err)) {
		fprintf(stderr, "postern: not started: %s\n", err.text);
		status = EX_OSERR;
	} else if (!record_configuration(w, "START", &err)) {
		fprintf(stderr, "postern: not started: the audit log cannot be written: %s\n",
			err.text);
		status = EX_CANTCREAT;
	} else if (!pool_start(l.pool, &err)) {
		fprintf(stderr, "postern: not started: %s\n", err.text);
		status = EX_OSERR;
	} else {
		http_server_start(l.http);
		announce(&l, w);
		run_until_stopped(&l.server, l.http, signals);
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
		} else if (!sources_ready(w)) {
			status = EX_DATAERR;
		} else if ((lock = lock_instance(g->config, &err)) < 0) {
			fprintf(stderr, "postern: not started: %s\n", err.text);
			status = err.code == E_EXISTS ? EX_UNAVAILABLE : EX_CANTCREAT;
		} else if (!world_seal(w, &err)) {
			fprintf(stderr, "postern: not started: %s\n", err.text);
			status = EX_NOPERM;
		} else {
			status = serve_listener(w, signals);
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

int serve_stdio(const struct world_options *options)
{
	struct generation *g;
	struct server server;
	struct secret key;
	struct world *w;
	int signals, status;

	harden();
	signals = block_signals();
	w = open_or_explain(options);
	if (!w)
		return EX_CONFIG;
	g = world_hold(w);
	key = g->config->stdio_key;
	status = 0;
	if (!key.n && !g->config->fixed) {
		fprintf(stderr,
			"postern: not started: identity.stdio.key is empty: issue a key with "
			"'postern key issue' and put it where that setting says\n");
		status = EX_NOPERM;
	}
	world_drop(w, g);
	if (!status) {
		server_init(&server, w);
		status = stdio_front_run(
			&server, STDIN_FILENO, STDOUT_FILENO, signals, secret_bytes(&key));
		server_done(&server);
	}
	secret_wipe(&key);
	world_close(&w);
	close(signals);
	return status;
}
