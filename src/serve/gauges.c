/* gauges - see gauges.h.  One function a family; each asks whoever knows, and adds up nothing. */
#include "serve/gauges.h"

#include "base/clock.h"
#include "serve/metrics.h"

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_head(out, name, "gauge", help);
	metrics_sample(out, name, STR_NONE, value);
}

void gauge_kind(struct buf *out, const char *name, enum kill_kind kind, uint64_t value)
{
	struct buf labels;

	buf_init(&labels, 64);
	metrics_label(&labels, "kind", str_c(kill_kind_name(kind)));
	metrics_sample(out, name, buf_str(&labels), value);
	buf_done(&labels);
}

static void label_digest(struct buf *out, const char *name, const struct sha256 *digest)
{
	struct buf hex;

	buf_init(&hex, 64);
	hex_write(&hex, str_n(digest->b, 8));
	metrics_label(out, name, buf_str(&hex));
	buf_done(&hex);
}

static void write_build(const struct generation *g, struct buf *out)
{
	struct buf labels;

	buf_init(&labels, 1024);
	metrics_label(&labels, "version", S(POSTERN_VERSION));
	metrics_label(&labels, "environment", str_c(environment_name(g->config->environment)));
	metrics_label(&labels, "instance", g->config->instance);
	metrics_head(out, "postern_build_info", "gauge", "Which postern this is.");
	metrics_sample(out, "postern_build_info", buf_str(&labels), 1);
	buf_clear(&labels);
	label_digest(&labels, "catalog", &g->catalog->digest);
	label_digest(&labels, "config", &g->config->digest);
	metrics_head(out, "postern_generation_info", "gauge",
		"The configuration and catalog in force, by the first half of their digests.");
	metrics_sample(out, "postern_generation_info", buf_str(&labels), 1);
	buf_done(&labels);
	gauge(out, "postern_tools", "Tools of the catalog in force.", g->catalog->tool_count);
	gauge(out, "postern_workers", "Calls that can run at a time.",
		g->config->limits.concurrency);
}

static void write_sources(struct generation *g, struct buf *out)
{
	static const struct {
		const char *name, *help;
	} families[] = {
		{ "postern_source_calls", "Calls that are in a source now." },
		{ "postern_source_calls_max", "Calls that may be in a source at a time." },
	};
	struct backend_usage u;

	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		metrics_head(out, families[f].name, "gauge", families[f].help);
		for (size_t i = 0; backends_usage(g->backends, i, &u); i++) {
			struct buf labels;

			buf_init(&labels, 1024);
			metrics_label(&labels, "source", u.source);
			metrics_sample(
				out, families[f].name, buf_str(&labels), f ? u.most : u.inside);
			buf_done(&labels);
		}
	}
}

static void write_audit(struct audit *audit, struct buf *out)
{
	uint64_t now_ms = clock_mono_ms();
	struct audit_state a;

	audit_look(audit, &a);
	gauge(out, "postern_audit_sealed", "1: the log is sealed, every call is refused.",
		!audit_healthy(audit));
	gauge(out, "postern_audit_waiting_records", "Records that wait for the writer.", a.waiting);
	gauge(out, "postern_audit_busy_milliseconds", "How long the disk has not answered.",
		a.busy_ms);
	metrics_head(out, "postern_audit_last_sync_age_seconds", "gauge",
		"Since the last durable record; nothing before the first.");
	if (a.synced_ms)
		metrics_sample(out, "postern_audit_last_sync_age_seconds", STR_NONE,
			(now_ms - MIN(now_ms, a.synced_ms)) / 1000);
	metrics_head(out, "postern_audit_unrecorded_total", "counter",
		"Calls and refusals turned away because they could not be recorded.");
	metrics_sample(out, "postern_audit_unrecorded_total", STR_NONE, a.unrecorded);
}

static void write_ready(const struct ready_state *ready, struct buf *out)
{
	gauge(out, "postern_ready", "1: a call can be served.", ready->ok);
	metrics_head(out, "postern_ready_check", "gauge", "1: this part of it is well.");
	for (size_t i = 0; i < ready->count; i++) {
		struct buf labels;

		buf_init(&labels, 256);
		metrics_label(&labels, "check", str_c(ready->checks[i].name));
		metrics_sample(out, "postern_ready_check", buf_str(&labels), ready->checks[i].ok);
		buf_done(&labels);
	}
}

static void write_kills(struct watch *watch, struct buf *out)
{
	struct watch_sum sum;

	watch_sum(watch, clock_boot_ms(), &sum);
	gauge(out, "postern_kill_state_known",
		"0: kill orders are not known, every call is PAUSED.", sum.known);
	metrics_head(out, "postern_kill_state_age_milliseconds", "gauge",
		"Since the kill orders were read; nothing before the first time.");
	if (sum.read)
		metrics_sample(out, "postern_kill_state_age_milliseconds", STR_NONE, sum.age_ms);
	gauge(out, "postern_kill_switch_local", "1: the local emergency switch is on.", sum.local);
	metrics_head(out, "postern_kill_orders", "gauge", "Kill orders in force, by kind.");
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++)
		gauge_kind(out, "postern_kill_orders", (enum kill_kind)kind, sum.orders[kind]);
}

void gauges_write(const struct admin_view *v, const struct ready_state *ready, struct buf *out)
{
	struct world *w = v->server->world;
	struct generation *g = world_hold(w);

	write_build(g, out);
	gauge(out, "postern_start_time_seconds", "When the process started, in seconds since 1970.",
		(uint64_t)world_started_us(w) / 1000000);
	gauge(out, "postern_connections", "Open HTTP connections.",
		http_server_connections(v->http));
	gauge(out, "postern_streams", "Open streams.", hub_count(v->server->hub));
	gauge(out, "postern_questions", "Questions to a person that are open.",
		questions_count(v->server->questions));
	write_sources(g, out);
	write_audit(world_audit(w), out);
	write_ready(ready, out);
	write_kills(world_watch(w), out);
	world_drop(w, g);
}
