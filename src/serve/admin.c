/* admin - see admin.h.
 *
 * Invariants: 1. nothing here changes anything.  2. a request from a browser's page, or to a name
 * that is not ours, is refused: /metrics says how a company works.  3. nothing here waits for a
 * worker of the public listener. */
#include "serve/admin.h"

#include "base/clock.h"
#include "json/write.h"
#include "serve/gauges.h"
#include "serve/origin.h"
#include "serve/ready.h"
#include "serve/upkeep.h"

#define WORKERS 2
#define CONNECTIONS 32
#define PAGE_BYTES ((size_t)16 << 20)
#define STOP_MS 1000

struct admin {
	struct admin_view view;
	struct ready *ready;
	struct upkeep *upkeep;
	struct pool *pool;
	struct http_server *http;
	uint16_t port;
};

struct look {
	struct admin *admin;
	struct http_conn *conn;
	struct arena *arena;
};

static void say(struct look *l, int status, struct str type, struct str body)
{
	http_reply(l->conn,
		&(struct http_reply){ .status = status, .content_type = type, .body = body });
}

static void say_json(struct look *l, int status, struct str body)
{
	say(l, status, S("application/json"), body);
}

/* The process lives: that it answers is the answer.  What is wrong with it stands beside. */
static void answer_health(struct look *l)
{
	struct world *w = l->admin->view.server->world;
	struct buf out;
	struct err err;

	buf_in(&out, l->arena, PAGE_BYTES);
	if (audit_can_write(world_audit(w), &err)) {
		buf_lit(&out, "{\"status\":\"ok\"}");
	} else {
		buf_lit(&out, "{\"status\":\"lives\",\"audit\":\"");
		json_escape(&out, str_c(err.text));
		buf_lit(&out, "\"}");
	}
	say_json(l, 200, buf_str(&out));
}

static void answer_ready(struct look *l)
{
	struct ready_state state;
	struct buf out;

	ready_look(l->admin->ready, clock_mono_ms(), &state);
	buf_in(&out, l->arena, PAGE_BYTES);
	ready_write(&state, &out);
	say_json(l, state.ok ? 200 : 503, buf_str(&out));
}

static void close_page(void *page)
{
	buf_done(page);
}

/* From the heap: it is written under locks, and an arena's jump would leave them held. */
static struct buf *new_page(struct arena *a)
{
	struct buf *page = arena_new(a, struct buf);

	buf_init(page, PAGE_BYTES);
	arena_defer(a, close_page, page);
	return page;
}

static void answer_metrics(struct look *l)
{
	struct admin *a = l->admin;
	struct buf *out = new_page(l->arena);
	struct ready_state state;

	ready_look(a->ready, clock_mono_ms(), &state);
	metrics_write(world_metrics(a->view.server->world), out);
	gauges_write(&a->view, &state, out);
	upkeep_write(a->upkeep, clock_mono_ms(), out);
	if (buf_ok(out))
		say(l, 200, S("text/plain; version=0.0.4; charset=utf-8"), buf_str(out));
	else
		say_json(l, 500,
			S("{\"error\":\"the metrics are larger than 16 MiB or than the memory\"}"));
}

static const struct {
	struct route route;
	void (*answer)(struct look *l);
} pages[] = {
	{ { "/metrics", "GET, HEAD", "whoever reaches listen.admin" }, answer_metrics },
	{ { "/healthz", "GET, HEAD", "whoever reaches listen.admin" }, answer_health },
	{ { "/readyz", "GET, HEAD", "whoever reaches listen.admin" }, answer_ready },
};

const struct route *admin_routes(void)
{
	static struct route list[ARRAY_LEN(pages) + 1];

	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		list[i] = pages[i].route;
	return list;
}

bool admin_owns(struct str path)
{
	return str_eq(path, S("/metrics")) || str_eq(path, S("/readyz")) ||
	       str_eq(path, S("/admin")) || str_starts(path, S("/admin/"));
}

static bool is_ours(struct look *l, const struct http_request *r)
{
	struct world *w = l->admin->view.server->world;
	struct generation *g = world_hold(w);
	size_t origins;
	bool ours;

	http_header_get(r, S("Origin"), &origins);
	ours = !origins && origin_host_allowed(&g->config->admin.listen, l->admin->port, r->host);
	world_drop(w, g);
	return ours;
}

static void serve_page(
	void *ctx, struct http_conn *c, const struct http_request *r, struct arena *arena)
{
	struct look l = { .admin = ctx, .conn = c, .arena = arena };

	if (!is_ours(&l, r)) {
		say_json(&l, 403,
			S("{\"error\":\"this Host or Origin is not one that listen.admin answers "
			  "to\"}"));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (!str_eq(r->path, str_c(pages[i].route.path)))
			continue;
		if (str_eq(r->method, S("GET")) || str_eq(r->method, S("HEAD")))
			pages[i].answer(&l);
		else
			http_reply(c, &(struct http_reply){ .status = 405,
					      .headers = &(struct http_header){ S("Allow"),
						      S("GET, HEAD") },
					      .header_count = 1 });
		return;
	}
	say_json(&l, 404, S("{\"error\":\"here are /metrics, /healthz and /readyz\"}"));
}

static void ignore(void *ctx, const struct http_peer *peer, const struct http_refusal *why)
{
	(void)ctx;
	(void)peer;
	(void)why;
}

static void tick(void *ctx, uint64_t mono_ms)
{
	http_server_tick(((struct admin *)ctx)->http, mono_ms);
}

static struct http_config settings_of(const struct config *c, struct admin *a)
{
	return (struct http_config){
		.address = c->admin.listen.address,
		.limits = { .request_line = 2048,
			.header_bytes = 8192,
			.header_count = 50,
			.body = 1024 },
		.request_ms = 5000,
		.idle_ms = 30000,
		.max_conns = CONNECTIONS,
		.per_address = c->admin.listen.loopback ? 0 : CONNECTIONS / 4,
		.memory = (size_t)1 << 20,
		.serve = serve_page,
		.refused = ignore,
		.ctx = a,
	};
}

struct admin *admin_new(const struct admin_view *view, struct err *err)
{
	struct generation *g = world_hold(view->server->world);
	struct admin *a = heap_new(struct admin);
	struct http_config settings = settings_of(g->config, a);

	a->view = *view;
	a->ready = ready_new(view->server->world);
	a->upkeep = upkeep_new(view->server->world);
	a->pool = pool_new(WORKERS, tick, a, err);
	if (a->pool)
		a->http = http_server_new(&settings, a->pool, &a->port, err);
	if (!a->http) {
		err_while(err, "listen.admin");
		admin_free(&a);
	}
	world_drop(view->server->world, g);
	return a;
}

bool admin_start(struct admin *a, struct err *err)
{
	if (!pool_start(a->pool, err))
		return false;
	http_server_start(a->http);
	return true;
}

uint16_t admin_port(const struct admin *a)
{
	return a->port;
}

void admin_free(struct admin **a)
{
	if (!*a)
		return;
	if ((*a)->http)
		http_server_stop((*a)->http, clock_mono_ms() + STOP_MS);
	if ((*a)->pool)
		pool_stop((*a)->pool);
	http_server_free(&(*a)->http);
	pool_free(&(*a)->pool);
	ready_free(&(*a)->ready);
	upkeep_free(&(*a)->upkeep);
	heap_free(*a);
	*a = NULL;
}
