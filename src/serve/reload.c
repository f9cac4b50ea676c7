/* reload - see reload.h.
 *
 * Order: load, lint, ask every source, record, replace, tell.  What is not recorded does not come
 * into force. */
#include "serve/reload.h"

#include <string.h>

#include "json/write.h"
#include "serve/log.h"

#define FINDINGS_BYTES ((size_t)256 << 20) /* far above what a catalog of 8 MiB can cause */

void report_begin(struct report *r)
{
	arena_init(&r->arena, FINDINGS_BYTES);
	findings_init(&r->findings, &r->arena);
}

void report_end(struct report *r, FILE *to)
{
	struct buf text;

	buf_init(&text, FINDINGS_BYTES);
	findings_write(&r->findings, &text);
	if (text.n)
		fwrite(text.p, 1, text.n, to);
	buf_done(&text);
	arena_done(&r->arena);
}

static void put_digests(
	struct buf *out, const char *config, const char *catalog, const struct generation *g)
{
	buf_fmt(out, "\"%s\":\"", config);
	sha256_write(out, &g->config->digest);
	buf_fmt(out, "\",\"%s\":\"", catalog);
	sha256_write(out, &g->catalog->digest);
	buf_lit(out, "\",");
}

bool record_configuration(struct world *w, const char *event, const struct generation *before,
	const struct generation *now, struct err *err)
{
	struct buf fields;
	bool ok;

	buf_init(&fields, (size_t)4 << 10);
	put_digests(&fields, "config", "catalog", now);
	if (before)
		put_digests(&fields, "config_before", "catalog_before", before);
	buf_fmt(&fields, "\"tools\":%zu,\"killed\":%s,\"version\":\"" POSTERN_VERSION "\"",
		now->catalog->tool_count, watch_is_paused(world_watch(w)) ? "true" : "false");
	ok = audit_event(world_audit(w), event, buf_str(&fields), err);
	buf_done(&fields);
	return ok;
}

void apply_log_level(const struct world_options *options, const struct config *c)
{
	enum log_level level = c->log.level;

	if (options->log_level.n && !log_level_find(options->log_level, &level))
		level = c->log.level; /* the command line was checked where it was read */
	log_set_level(level);
}

void record_crossing(struct world *w, const struct findings *f)
{
	struct log_text text;
	struct err err;

	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->list[i].code, "source.environment") != 0)
			continue;
		log_error("crossing", "what=%s", log_value(&text, f->list[i].what));
		if (!audit_event(world_audit(w), "SECURITY", S("\"reason\":\"source_environment\""),
			    &err))
			log_error("audit_unavailable", "event=SECURITY error=%s",
				log_value(&text, str_c(err.text)));
		return;
	}
}

static bool same_admin(const struct admin_config *a, const struct admin_config *b)
{
	return a->on == b->on && str_eq(a->listen.address, b->listen.address);
}

/* Over stdio it is read once; from a file it is read again by itself. */
static bool same_secret(const struct secret_config *a, const struct secret_config *b)
{
	return str_eq(a->file, b->file) &&
	       (a->file.n || str_eq(secret_bytes(&a->value), secret_bytes(&b->value)));
}

static bool same_approvals(const struct approvals_config *a, const struct approvals_config *b)
{
	const struct listen_config *x = &a->listen, *y = &b->listen;

	return a->on == b->on && str_eq(x->address, y->address) && x->tls == y->tls &&
	       str_eq(x->tls_cert, y->tls_cert) && str_eq(x->tls_key, y->tls_key) &&
	       str_eq(x->tls_client_ca, y->tls_client_ca);
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
		{ "instance", str_eq(was->instance, now->instance) },
		{ "identity.stdio.key", same_secret(&was->stdio_key, &now->stdio_key) },
		{ "store", str_eq(was->store_file, now->store_file) },
		{ "audit", str_eq(was->audit_directory, now->audit_directory) &&
				   str_eq(was->audit_keys, now->audit_keys) &&
				   before->audit_ms == after->audit_ms },
		{ "listen.http.address", was->listen.http == now->listen.http &&
						 str_eq(was->listen.written, now->listen.written) },
		{ "listen.admin", same_admin(&was->admin, &now->admin) },
		{ "approvals", same_approvals(&was->approvals, &now->approvals) },
		{ "tls", was->listen.tls == now->listen.tls &&
				 str_eq(was->listen.tls_cert, now->listen.tls_cert) &&
				 str_eq(was->listen.tls_key, now->listen.tls_key) &&
				 str_eq(was->listen.tls_client_ca, now->listen.tls_client_ca) },
		{ "limits",
			before->concurrency == after->concurrency &&
				before->connections == after->connections &&
				before->connections_per_address == after->connections_per_address &&
				before->request_bytes == after->request_bytes &&
				before->streams == after->streams &&
				before->streams_per_principal == after->streams_per_principal },
	};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!settings[i].same)
			log_warn("restart_needed",
				"setting=%s note=\"a reload does not change it\"", settings[i].key);
}

static void log_refused(const char *why, size_t errors)
{
	log_error("reload_refused",
		"reason=%s errors=%zu note=\"the configuration in force stays\"", why, errors);
}

/* NULL: the next one could not be made, or not be recorded. */
static struct generation *prepare(
	struct world *w, const struct generation *before, struct findings *f)
{
	struct generation *next = world_prepare(w, f);
	struct log_text text;
	struct err err;

	if (!next) {
		log_refused("configuration", f->errors);
		record_crossing(w, f);
		return NULL;
	}
	if (record_configuration(w, "CONFIG", before, next, &err))
		return next;
	log_error("audit_unavailable", "event=CONFIG error=%s", log_value(&text, str_c(err.text)));
	log_refused("not_recorded", 0);
	world_discard(w, next);
	return NULL;
}

void reload_all(struct server *s, const struct world_options *options)
{
	struct generation *before = world_hold(s->world), *next;
	struct report report;

	report_begin(&report);
	next = prepare(s->world, before, &report.findings);
	if (next) {
		apply_log_level(options, next->config);
		warn_of_restart(before->config, next->config);
		world_replace(s->world, next);
		log_info("reloaded", "warnings=%zu", report.findings.count);
		hub_changed(s->hub, S("tools"));
		hub_changed(s->hub, S("resources"));
		hub_changed(s->hub, S("prompts"));
	}
	metrics_reloaded(world_metrics(s->world), next != NULL);
	report_end(&report, stderr);
	world_drop(s->world, before);
}
