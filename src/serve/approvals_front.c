/* approvals_front - see approvals_front.h.
 *
 * Invariants: 1. nothing is remembered from one request of a connection to the next.  2. no path
 * leads from here to a tool.  3. nothing here waits for a worker of the public listener. */
#include "serve/approvals_front.h"

#include "base/clock.h"
#include "base/hostport.h"
#include "identity/approver.h"
#include "json/write.h"
#include "serve/http_shown.h"
#include "serve/log.h"
#include "serve/origin.h"
#include "serve/plans.h"
#include "site/site.h"

#define WORKERS 2
#define CONNECTIONS 128
#define STOP_MS 2000

struct approvals_front {
	struct server *server;
	struct site *site;
	struct pool *pool;
	struct http_server *http;
	uint16_t port;
};

/* One request on its way: the ctx of the hands. */
struct asking {
	struct approvals_front *front;
	struct generation *g;
	struct arena *a;
	const struct http_request *http;
	const struct http_peer *peer;
	/* Who the request itself shows; looked at once, because a proxy's signature is good once.
	 */
	bool looked;
	enum identity_verdict shown_verdict;
	struct principal shown;
};

static struct world *world_of(const struct asking *q)
{
	return q->front->server->world;
}

/* --- hands: who --- */

static enum identity_verdict look_at_request(struct asking *q)
{
	struct credential_shown shown = { 0 };

	if (!http_shown_read(q->http, q->peer, q->a, &shown))
		return IDENTITY_LOCATION;
	/* a key is typed into a form, and nowhere else */
	if (shown.bearer.n)
		return IDENTITY_USE;
	return approver_verify(
		q->g->identity, q->a, &shown, clock_wall_us(), clock_mono_ms(), &q->shown);
}

static enum identity_verdict shown_by_request(struct asking *q, struct principal *out)
{
	if (!q->looked)
		q->shown_verdict = look_at_request(q);
	q->looked = true;
	if (q->shown_verdict == IDENTITY_OK)
		*out = q->shown;
	return q->shown_verdict;
}

static enum identity_verdict enter(void *ctx, struct str key, struct principal *out)
{
	struct credential_shown shown = { .bearer = key };
	struct asking *q = ctx;

	if (!key.n)
		return shown_by_request(q, out);
	return approver_verify(q->g->identity, q->a, &shown, clock_wall_us(), clock_mono_ms(), out);
}

static enum identity_verdict again(void *ctx, struct str credential, struct principal *out)
{
	struct asking *q = ctx;

	if (str_starts(credential, S("cert:")) || str_starts(credential, S("proxy:")))
		return shown_by_request(q, out);
	return approver_again(q->g->identity, q->a, credential, clock_wall_us(), out);
}

static bool paused(void *ctx, const struct principal *who)
{
	struct kill_target t = kill_target_of_principal(who);
	struct asking *q = ctx;
	struct watch *w = world_watch(world_of(q));

	t.instance = watch_instance(w);
	return watch_judge(w, &t, clock_boot_ms()).cause != KILL_BY_NOTHING;
}

static bool may_try(void *ctx, uint32_t *wait_ms_out)
{
	struct asking *q = ctx;
	const struct limit_rule *rule = q->g->config->limits.auth_failures;

	return !rule || limits_address_free(world_limits(world_of(q)), rule, q->peer->address,
				clock_boot_ms(), wait_ms_out);
}

static void tried(void *ctx)
{
	struct asking *q = ctx;
	const struct limit_rule *rule = q->g->config->limits.auth_failures;

	if (rule)
		limits_address_failed(
			world_limits(world_of(q)), rule, q->peer->address, clock_boot_ms());
}

/* --- hands: plans --- */

static bool list(void *ctx, const struct principal *who, enum plans_which which,
	struct plan_row **rows_out, size_t *count_out, struct err *err)
{
	struct asking *q = ctx;

	return plans_list(world_of(q), q->g, who, q->a, which, rows_out, count_out, err);
}

static bool open_plan(void *ctx, const struct principal *who, struct str id,
	struct plan_row *row_out, struct plan *plan_out, struct err *err)
{
	struct asking *q = ctx;
	struct kept k = { 0 };

	if (!plans_open(world_of(q), q->g, who, q->a, id, &k, err))
		return false;
	*row_out = k.row;
	*plan_out = k.plan;
	return true;
}

static struct decision decision_of(const struct asking *q, const struct site_decision *d)
{
	return (struct decision){ .yes = d->yes,
		.channel = S("page"),
		.note = d->note,
		.shown = d->shown,
		.peer = q->peer->address };
}

static bool decide(void *ctx, const struct principal *who, const struct site_plan *p,
	const struct site_decision *d, struct site_outcome *out, struct err *err)
{
	struct asking *q = ctx;
	struct kept k = { .row = *p->row, .plan = *p->plan };
	struct decision decision = decision_of(q, d);

	return plans_decide(
		world_of(q), q->g, who, q->a, &k, &decision, &out->token, &out->verdict, err);
}

static bool escalate(void *ctx, const struct principal *who, const struct site_plan *p,
	const struct site_decision *d, struct site_outcome *out, struct err *err)
{
	struct asking *q = ctx;
	struct kept k = { .row = *p->row, .plan = *p->plan };
	struct decision decision = decision_of(q, d);

	return plans_escalate(world_of(q), q->g, who, q->a, &k, &decision, &out->verdict, err);
}

/* --- hands: the record --- */

static bool record_refusal(struct asking *q, const char *event, struct str reason,
	const struct principal *who, struct str target)
{
	struct incoming in = { .arena = q->a, .who = who, .peer = q->peer->address };

	return answer_record_refusal(q->front->server, &in, event, reason, q->http->method, target);
}

static bool record_visit(struct asking *q, const char *event, const struct principal *who)
{
	struct log_text text;
	struct buf fields;
	struct err err;
	struct jw w;

	buf_in(&fields, q->a, (size_t)16 << 10);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_str(&w, S("subj"), who->subject);
	jw_put_str(&w, S("ten"), who->tenant);
	jw_put_str(&w, S("cred"), who->credential);
	jw_put_str(&w, S("peer"), q->peer->address);
	jw_object_end(&w);
	if (audit_event(world_audit(world_of(q)), event, str_sub(buf_str(&fields), 1, fields.n - 2),
		    &err))
		return true;
	log_error(
		"audit_unavailable", "event=%s error=%s", event, log_value(&text, str_c(err.text)));
	return false;
}

static bool record(void *ctx, const struct site_record *r)
{
	struct asking *q = ctx;

	if (r->visit)
		return record_visit(q, r->event, r->who);
	return record_refusal(q, r->event, r->reason, r->who, r->target);
}

static void failed(void *ctx, const struct err *err)
{
	struct log_text text;

	(void)ctx;
	log_error("approvals", "error=%s", log_value(&text, str_c(err->text)));
}

static const struct site_hands hands = {
	.enter = enter,
	.again = again,
	.paused = paused,
	.may_try = may_try,
	.tried = tried,
	.list = list,
	.open = open_plan,
	.decide = decide,
	.escalate = escalate,
	.record = record,
	.failed = failed,
};

/* --- from HTTP and back --- */

static struct str only(const struct http_request *r, struct str name)
{
	size_t count;
	struct str value = http_header_get(r, name, &count);

	return count == 1 ? value : STR_NONE;
}

/* "https://HOST" of "https://HOST/approvals"; empty when no url is configured. */
static struct str url_origin(const struct config *c)
{
	struct str url = c->approvals.url;

	return url.n ? str_sub(url, 0, url.n - (sizeof SITE_ROOT - 1)) : STR_NONE;
}

/* The pages may be asked for by the name that people are told. */
static bool is_told_name(struct str origin, struct str host)
{
	size_t scheme = str_find_str(origin, 0, S("://"));

	return origin.n && str_eq_ci(str_from(origin, scheme + 3), host);
}

static bool is_secure(const struct config *c)
{
	return c->approvals.listen.tls || c->approvals.listen.proxy_terminates_tls ||
	       str_starts(c->approvals.url, S("https://"));
}

static bool shows_identity(const struct http_request *r, const struct http_peer *peer)
{
	return peer->certificate_sha256.n || only(r, S("Postern-Identity")).n;
}

static bool read_request(struct asking *q, struct site_request *out)
{
	const struct http_request *r = q->http;
	const struct config *c = q->g->config;
	bool told = is_told_name(url_origin(c), r->host);
	struct log_text text;
	struct err err;

	*out = (struct site_request){ .arena = q->a,
		.method = r->method,
		.path = r->path,
		.query = r->query,
		.body = r->body,
		.content_type = only(r, S("Content-Type")),
		.cookie = only(r, S("Cookie")),
		.origin = only(r, S("Origin")),
		.fetch_site = only(r, S("Sec-Fetch-Site")),
		.fetch_dest = only(r, S("Sec-Fetch-Dest")),
		.host_ok =
			told || origin_host_allowed(&c->approvals.listen, q->front->port, r->host),
		.secure = is_secure(c),
		.shows_identity = shows_identity(r, q->peer),
		.config = c,
		.mask_key = world_mask_key(world_of(q), q->g),
		.wall_us = clock_wall_us(),
		.boot_ms = clock_boot_ms(),
		.ctx = q };
	out->own_origin = told ? url_origin(c)
			       : arena_fmt(q->a, "%s://%.*s", out->secure ? "https" : "http",
					 STR_ARG(r->host));
	if (store_now_us(world_store(world_of(q)), &out->now_us, &err))
		return true;
	log_error("approvals", "error=%s", log_value(&text, str_c(err.text)));
	return false;
}

static void reply(struct http_conn *c, const struct site_reply *r)
{
	struct http_header headers[ARRAY_LEN(r->headers)];

	for (size_t i = 0; i < r->header_count; i++)
		headers[i] = (struct http_header){ r->headers[i].name, r->headers[i].value };
	http_reply(c, &(struct http_reply){ .status = r->status,
			      .content_type = r->content_type,
			      .body = r->body,
			      .headers = headers,
			      .header_count = r->header_count });
}

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	struct approvals_front *f = ctx;
	struct generation *g = world_hold_in(f->server->world, a);
	struct asking q = { .front = f, .g = g, .a = a, .http = r, .peer = http_conn_peer(c) };
	struct site_request request;
	struct site_reply *out = arena_new(a, struct site_reply);

	if (!g->config->approvals.on || !read_request(&q, &request)) {
		http_reply(c, &(struct http_reply){ .status = 503,
				      .content_type = S("text/plain; charset=utf-8"),
				      .body = S("Not possible now.\n") });
		return;
	}
	site_answer(f->site, &request, out);
	reply(c, out);
}

static void refused(void *ctx, const struct http_peer *peer, const struct http_refusal *why)
{
	struct approvals_front *f = ctx;
	struct incoming in = { .peer = peer->address };

	answer_record_refusal(
		f->server, &in, "PROTOCOL_REJECT", str_c(why->reason), STR_NONE, STR_NONE);
}

static void tick(void *ctx, uint64_t mono_ms)
{
	http_server_tick(((struct approvals_front *)ctx)->http, mono_ms);
}

/* --- from start to stop --- */

static struct http_config settings_of(const struct config *c, struct approvals_front *f)
{
	const struct listen_config *l = &c->approvals.listen;

	return (struct http_config){
		.address = l->address,
		.tls_on = l->tls,
		.tls = { l->tls_cert, l->tls_key, l->tls_client_ca },
		.limits = { .request_line = 2048,
			.header_bytes = 16384,
			.header_count = 100,
			.body = SITE_FORM_BYTES },
		.request_ms = 10000,
		.idle_ms = 30000,
		.max_conns = CONNECTIONS,
		.memory = (size_t)4 << 20,
		.serve = serve,
		.refused = refused,
		.ctx = f,
	};
}

struct approvals_front *approvals_front_new(struct server *server, struct err *err)
{
	struct generation *g = world_hold(server->world);
	struct approvals_front *f = heap_new(struct approvals_front);
	struct http_config settings = settings_of(g->config, f);

	f->server = server;
	f->site = site_new(&hands);
	f->pool = pool_new(WORKERS, tick, f, err);
	if (f->pool)
		f->http = http_server_new(&settings, f->pool, &f->port, err);
	if (f->http) {
		world_set_approvals_port(server->world, f->port);
	} else {
		err_while(err, "approvals");
		approvals_front_free(&f);
	}
	world_drop(server->world, g);
	return f;
}

bool approvals_front_start(struct approvals_front *f, struct err *err)
{
	if (!pool_start(f->pool, err))
		return false;
	http_server_start(f->http);
	return true;
}

uint16_t approvals_front_port(const struct approvals_front *f)
{
	return f->port;
}

bool approvals_front_reload_tls(struct approvals_front *f, struct err *err)
{
	return http_server_reload_tls(f->http, err);
}

void approvals_front_free(struct approvals_front **f)
{
	if (!*f)
		return;
	if ((*f)->http)
		http_server_stop((*f)->http, clock_mono_ms() + STOP_MS);
	if ((*f)->pool)
		pool_stop((*f)->pool);
	http_server_free(&(*f)->http);
	pool_free(&(*f)->pool);
	site_free(&(*f)->site);
	heap_free(*f);
	*f = NULL;
}

/* --- what stands where --- */

const struct route *approvals_front_routes(void)
{
	static struct route list[32];
	const struct site_route *r = site_routes();

	for (size_t i = 0; r[i].path; i++) {
		bug_on(i + 1 >= ARRAY_LEN(list));
		list[i] = (struct route){ r[i].path, r[i].methods, r[i].who };
	}
	return list;
}

bool approvals_front_owns(struct str path)
{
	return str_eq(path, S(SITE_ROOT)) || str_starts(path, S(SITE_ROOT "/"));
}
