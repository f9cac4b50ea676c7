/* world - see world.h.
 *
 * Invariants: 1. a generation is freed by whoever drops it last, never while a call holds it.
 * 2. world->now is replaced only under the lock.  3. nothing here makes a file: the store, the log
 * and the keys appear with the first call that needs them. */
#include "serve/world.h"

#include "base/clock.h"
#include "base/hostport.h"
#include "guard/survey.h"
#include "render/mask.h"
#include "serve/issuers.h"
#include "serve/log.h"
#include "serve/reconcile.h"
#include "serve/settle.h"
#include "site/site.h"

#include <pthread.h>

#define GENERATION_BYTES ((size_t)256 << 20)
#define KEY_WAITERS_OF 4 /* of so many workers one may wait for keys of an issuer */

struct world {
	pthread_mutex_t lock;
	struct generation *now;
	struct store *store;
	struct audit *audit;
	struct reconcile *reconcile;
	_Atomic bool settled;
	struct watch *watch;
	struct metrics *metrics;
	int64_t started_us;
	_Atomic uint16_t approvals_port;
	struct limits *limits;
	struct jwks_cache *keys_of_issuers;
	struct seal seal;
	bool sealed;
	struct secret mask_key; /* n = 0: nobody needed it yet */
	struct str config_file, listen, instance; /* as asked for at start */
	bool read_only;
	struct str keys; /* directory of key files */
	struct arena own;
	size_t memory;
};

static struct str write_origin(struct arena *a, const struct config *c)
{
	return arena_fmt(a, "%.*s/%s/%.*s", STR_ARG(c->name), environment_name(c->environment),
		STR_ARG(c->instance));
}

static void describe(struct generation *g)
{
	const struct catalog *c = g->catalog;
	struct buf hex;

	buf_in(&hex, &g->arena, 32);
	hex_write(&hex, str_n(c->digest.b, 8));
	g->info = (struct mcp_server_info){
		.name = S("postern"),
		.version = S(POSTERN_VERSION),
		.title = g->config->name,
		.instructions = g->config->instructions,
		.catalog_generation = buf_str(&hex),
		.tools = c->tool_count > 0,
		.resources = c->resource_count + c->template_count > 0,
		.prompts = c->prompt_count > 0,
		.completions = c->prompt_count + c->template_count > 0,
		.logging = c->scripted,
	};
}

static void generation_free(struct generation *g)
{
	guard_free(&g->guard);
	backends_free(&g->backends);
	identity_free(&g->identity);
	jwt_verifier_free(&g->jwt);
	map_done(&g->meters);
	if (g->catalog)
		catalog_done(g->catalog);
	arena_done(&g->arena);
	heap_free(g);
}

/* Everything but what outlives generations.  False: findings tell why. */
static bool load(struct world *w, struct generation *g, struct findings *f)
{
	struct err err;

	g->config = config_load(&g->arena, w->config_file, w->listen, w->instance, f);
	if (g->config && w->read_only)
		g->config = config_made_read_only(&g->arena, g->config);
	if (g->config)
		g->catalog = catalog_load(&g->arena, g->config, f);
	if (!g->catalog)
		return false;
	g->jwt = jwt_verifier_new(g->config, w->keys_of_issuers);
	g->backends = backends_new(g->config, g->catalog, &err);
	if (!g->backends)
		finding_error(f, (struct place){ .file = w->config_file }, "config.source",
			arena_fmt(f->a, "a source cannot be set up: %s", err.text),
			S("correct the source"));
	if (g->backends)
		describe(g);
	survey_roles(g->config, g->catalog, f);
	/* only a reload replaces w->now, and one comes after the other */
	if (w->now)
		changes_find(&g->changes, &g->arena, w->now->catalog, &w->now->changes, g->catalog,
			clock_mono_ms());
	return g->backends && !f->errors;
}

/* What needs more memory than a generation may have is refused like any other mistake: it must not
 * end a process that serves. */
static bool load_within_memory(struct world *w, struct generation *g, struct findings *f)
{
	jmp_buf place, *outer = f->a->escape;
	volatile bool ok = false;

	f->a->escape = &place;
	if (!arena_catch(&g->arena, &place)) {
		ok = load(w, g, f);
	} else {
		f->errors++; /* there may be no memory for one more finding */
		log_error("configuration_too_large", "limit_mib=%zu", w->memory >> 20);
	}
	arena_uncatch(&g->arena);
	f->a->escape = outer;
	return ok;
}

/* Findings live in the caller's arena, the generation in its own. */
static struct generation *generation_new(struct world *w, struct findings *f)
{
	struct generation *g = heap_new(struct generation);

	arena_init(&g->arena, w->memory);
	map_init(&g->meters);
	g->holders = 1;
	if (load_within_memory(w, g, f))
		return g;
	generation_free(g);
	return NULL;
}

static bool audit_key(void *ctx, struct secret *out, struct err *err)
{
	const struct world *w = ctx;

	return keyfile_get(w->keys, S("audit-hmac"), out, err);
}

/* What a mask leaves of a value, for the effects in the log. */
static void audit_mask(
	void *ctx, const struct effect_column *column, const struct cell *cell, struct buf *out)
{
	struct world *w = ctx;
	struct generation *g = world_hold(w);
	struct arena a;

	arena_init(&a, (size_t)64 << 10);
	buf_add(out, mask_text(&column->mask, world_mask_key(w, g), &a, cell));
	arena_done(&a);
	world_drop(w, g);
}

static void attach(struct world *w, struct generation *g)
{
	if (!w->store) {
		struct audit_config audit = {
			.directory = arena_str(&w->own, g->config->audit_directory),
			.origin = arena_str(&w->own, write_origin(&w->own, g->config)),
			.timeout_ms = g->config->limits.audit_ms,
			.key = audit_key,
			.key_ctx = w,
			.mask = audit_mask,
			.mask_ctx = w,
		};

		w->keys = arena_str(&w->own, g->config->audit_keys);
		w->store = store_new(arena_str(&w->own, g->config->store_file));
		w->audit = audit_new(&audit);
		w->reconcile = reconcile_new(w->audit, audit.directory, settle_look, w);
		w->watch = watch_new(g->config->store_file, g->config->instance, w->audit);
		w->limits = limits_new(
			arena_fmt(&w->own, "%.*s.limits", STR_ARG(g->config->store_file)),
			clock_boot_id(&w->own), w->store);
	}
	g->identity = identity_new(g->config, w->store, &w->seal, g->jwt);
	g->guard = guard_new(&w->seal);
	metrics_know(w->metrics, g->catalog, &g->meters);
}

struct world *world_open(const struct world_options *options, struct findings *f)
{
	struct world *w = heap_new(struct world);

	arena_init(&w->own, (size_t)1 << 20);
	pthread_mutex_init(&w->lock, NULL);
	w->metrics = metrics_new();
	w->started_us = clock_wall_us();
	w->memory = options->memory ? options->memory : GENERATION_BYTES;
	w->keys_of_issuers = jwks_cache_new(
		&(struct jwks_cache_config){ .fetch = jwks_fetch, .boot_ms = clock_boot_ms });
	w->config_file = arena_str(&w->own, options->config_file);
	w->listen = arena_str(&w->own, options->listen);
	w->instance = arena_str(&w->own, options->instance);
	w->read_only = options->read_only;
	w->now = generation_new(w, f);
	if (!w->now) {
		metrics_free(&w->metrics);
		jwks_cache_free(&w->keys_of_issuers);
		pthread_mutex_destroy(&w->lock);
		arena_done(&w->own);
		heap_free(w);
		return NULL;
	}
	attach(w, w->now);
	arena_budget((size_t)w->now->config->limits.memory);
	jwks_cache_let_wait(
		w->keys_of_issuers, MAX(w->now->config->limits.concurrency / KEY_WAITERS_OF, 1u));
	/* the socket stays: what a reload may open is judged by the address it is bound to */
	if (w->now->config->listen.http)
		w->listen = arena_str(&w->own, w->now->config->listen.address);
	return w;
}

struct generation *world_prepare(struct world *w, struct findings *f)
{
	struct generation *next = generation_new(w, f);

	if (next) {
		backends_check(next->backends, f);
		jwt_verifier_ready(next->jwt, f);
	}
	if (next && f->errors) {
		generation_free(next);
		next = NULL;
	}
	if (next)
		attach(w, next);
	return next;
}

void world_replace(struct world *w, struct generation *next)
{
	struct generation *old;

	arena_budget((size_t)next->config->limits.memory); /* of what is in force, never of a try */
	pthread_mutex_lock(&w->lock);
	old = w->now;
	w->now = next;
	pthread_mutex_unlock(&w->lock);
	world_drop(w, old);
}

void world_discard(struct world *w, struct generation *next)
{
	world_drop(w, next);
}

void world_close(struct world **w)
{
	world_drop(*w, (*w)->now);
	watch_free(&(*w)->watch);
	jwks_cache_free(&(*w)->keys_of_issuers); /* its thread writes to the log */
	reconcile_free(&(*w)->reconcile);
	audit_close((*w)->audit);
	limits_free(&(*w)->limits);
	store_free(&(*w)->store);
	seal_done(&(*w)->seal);
	metrics_free(&(*w)->metrics);
	secret_wipe(&(*w)->mask_key);
	pthread_mutex_destroy(&(*w)->lock);
	arena_done(&(*w)->own);
	heap_free(*w);
	*w = NULL;
}

struct generation *world_hold(struct world *w)
{
	struct generation *g;

	pthread_mutex_lock(&w->lock);
	g = w->now;
	g->holders++;
	pthread_mutex_unlock(&w->lock);
	return g;
}

void world_drop(struct world *w, struct generation *g)
{
	bool last;

	pthread_mutex_lock(&w->lock);
	last = --g->holders == 0;
	pthread_mutex_unlock(&w->lock);
	if (last)
		generation_free(g);
}

struct hold {
	struct world *world;
	struct generation *generation; /* NULL: not yet */
};

static void end_hold(void *at)
{
	struct hold *h = at;

	if (h->generation)
		world_drop(h->world, h->generation);
}

struct generation *world_hold_in(struct world *w, struct arena *a)
{
	struct hold *h = arena_new(a, struct hold);

	h->world = w;
	arena_defer(a, end_hold, h); /* before there is anything that a jump could leave held */
	h->generation = world_hold(w);
	return h->generation;
}

void world_tell_keys(struct world *w)
{
	jwks_cache_listen(w->keys_of_issuers, issuers_tell, w->audit);
}

struct store *world_store(struct world *w)
{
	return w->store;
}

struct audit *world_audit(struct world *w)
{
	return w->audit;
}

_Atomic bool *world_settled(struct world *w)
{
	return &w->settled;
}

struct reconcile *world_reconcile(struct world *w)
{
	return w->reconcile;
}

struct watch *world_watch(struct world *w)
{
	return w->watch;
}

struct metrics *world_metrics(struct world *w)
{
	return w->metrics;
}

void world_set_approvals_port(struct world *w, uint16_t port)
{
	w->approvals_port = port;
}

/* Another process of the deployment may serve them: then the address is as it is written. */
struct str world_plan_url(
	struct world *w, const struct config *config, struct arena *a, struct str plan)
{
	const struct listen_config *l = &config->approvals.listen;
	uint16_t port = w->approvals_port;
	struct hostport at;

	if (config->approvals.url.n)
		return site_plan_url(a, config->approvals.url, plan);
	if (!config->approvals.on || !hostport_read(l->address, &at))
		return STR_NONE;
	if (!port && str_eq(at.port, S("0")))
		return STR_NONE;
	return site_plan_url(a,
		arena_fmt(a, "%s://%.*s:%.*s" SITE_ROOT, l->tls ? "https" : "http",
			STR_ARG(at.name), STR_ARG(port ? arena_fmt(a, "%u", port) : at.port)),
		plan);
}

int64_t world_started_us(const struct world *w)
{
	return w->started_us;
}

struct limits *world_limits(struct world *w)
{
	return w->limits;
}

bool world_seal(struct world *w, struct err *err)
{
	struct secret key;
	bool ok;

	pthread_mutex_lock(&w->lock);
	ok = w->sealed;
	if (!ok && keyfile_get(w->keys, S("seal"), &key, err)) {
		ok = seal_init(&w->seal, secret_bytes(&key)) ||
		     err_set(err, E_INVALID, "the seal key is not 32 bytes");
		w->sealed = ok;
		secret_wipe(&key);
	}
	pthread_mutex_unlock(&w->lock);
	return ok;
}

bool world_key(struct world *w, struct str name, struct secret *out, struct err *err)
{
	return keyfile_get(w->keys, name, out, err); /* w->keys never changes */
}

struct str world_mask_key(struct world *w, const struct generation *g)
{
	struct log_text why;
	struct err err;

	if (!g->catalog->hashes)
		return STR_NONE;
	pthread_mutex_lock(&w->lock);
	if (!w->mask_key.n && !keyfile_get(w->keys, S("mask"), &w->mask_key, &err))
		log_error("mask_key", "error=%s note=\"hashes are shown as redacted\"",
			log_value(&why, str_c(err.text)));
	pthread_mutex_unlock(&w->lock);
	return secret_bytes(&w->mask_key);
}

const struct seal *world_seal_of(struct world *w)
{
	return &w->seal;
}
