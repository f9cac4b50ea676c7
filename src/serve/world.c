/* world - see world.h.
 *
 * Invariants: 1. a generation is freed by whoever drops it last, never while a call holds it.
 * 2. world->now is replaced only under the lock.  3. nothing here makes a file: the store, the log
 * and the keys appear with the first call that needs them. */
#include "serve/world.h"

#include <pthread.h>

#define GENERATION_BYTES ((size_t)256 << 20)

struct world {
	pthread_mutex_t lock;
	struct generation *now;
	struct store *store;
	struct audit *audit;
	struct watch *watch;
	struct seal seal;
	bool sealed;
	struct str config_file, listen, instance; /* as asked for at start */
	struct str keys; /* directory of key files */
	struct arena own;
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
	catalog_done(g->catalog);
	arena_done(&g->arena);
	heap_free(g);
}

/* Findings live in the caller's arena, the generation in its own. */
static struct generation *generation_new(struct world *w, struct findings *f)
{
	struct generation *g = heap_new(struct generation);
	struct err err;

	arena_init(&g->arena, GENERATION_BYTES);
	g->config = config_load(&g->arena, w->config_file, w->listen, w->instance, f);
	if (g->config)
		g->catalog = catalog_load(&g->arena, g->config, f);
	if (g->catalog)
		g->backends = backends_new(g->config, g->catalog, &err);
	if (g->catalog && !g->backends)
		finding_error(f, (struct place){ .file = w->config_file }, "config.source",
			arena_fmt(f->a, "a source cannot be set up: %s", err.text),
			S("correct the source"));
	if (!g->catalog || !g->backends || f->errors) {
		backends_free(&g->backends);
		if (g->catalog)
			catalog_done(g->catalog);
		arena_done(&g->arena);
		heap_free(g);
		return NULL;
	}
	g->holders = 1;
	describe(g);
	return g;
}

static bool audit_key(void *ctx, struct secret *out, struct err *err)
{
	const struct world *w = ctx;

	return keyfile_get(w->keys, S("audit-hmac"), out, err);
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
		};

		w->keys = arena_str(&w->own, g->config->audit_keys);
		w->store = store_new(arena_str(&w->own, g->config->store_file));
		w->audit = audit_new(&audit);
		w->watch = watch_new(g->config->store_file, g->config->instance, w->audit);
	}
	g->identity = identity_new(g->config, w->store);
	g->guard = guard_new(&w->seal);
}

struct world *world_open(const struct world_options *options, struct findings *f)
{
	struct world *w = heap_new(struct world);

	arena_init(&w->own, (size_t)1 << 20);
	pthread_mutex_init(&w->lock, NULL);
	w->config_file = arena_str(&w->own, options->config_file);
	w->listen = arena_str(&w->own, options->listen);
	w->instance = arena_str(&w->own, options->instance);
	w->now = generation_new(w, f);
	if (!w->now) {
		arena_done(&w->own);
		heap_free(w);
		return NULL;
	}
	attach(w, w->now);
	/* the socket stays: what a reload may open is judged by the address it is bound to */
	if (w->now->config->listen.http)
		w->listen = arena_str(&w->own, w->now->config->listen.address);
	return w;
}

bool world_reload(struct world *w, struct findings *f)
{
	struct generation *next = generation_new(w, f), *old;

	if (next)
		backends_check(next->backends, f);
	if (!next || f->errors) {
		if (next)
			generation_free(next);
		return false;
	}
	attach(w, next);
	pthread_mutex_lock(&w->lock);
	old = w->now;
	w->now = next;
	pthread_mutex_unlock(&w->lock);
	world_drop(w, old);
	return true;
}

void world_close(struct world **w)
{
	world_drop(*w, (*w)->now);
	watch_free(&(*w)->watch);
	audit_close((*w)->audit);
	store_free(&(*w)->store);
	seal_done(&(*w)->seal);
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

struct store *world_store(struct world *w)
{
	return w->store;
}

struct audit *world_audit(struct world *w)
{
	return w->audit;
}

struct watch *world_watch(struct world *w)
{
	return w->watch;
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

const struct seal *world_seal_of(struct world *w)
{
	return &w->seal;
}
