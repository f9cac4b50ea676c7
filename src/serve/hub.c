/* hub - see hub.h.
 *
 * Invariants: 1. a listener in the list has one reference to its exchange; whoever sends outside
 * the lock has taken another.  2. a listener leaves the list once: by its client's going, by its
 * end, or with the hub.  3. the list is in order of tokens, the latest first.  4. nothing that
 * grows with the number of listeners is made under the lock: changes are told in batches, owners
 * are judged one after the other. */
#include "serve/hub.h"

#include <pthread.h>

#define LISTENER_BYTES ((size_t)128 << 10) /* of what is kept for one: ids and URIs */
#define LETTER_BYTES ((size_t)16 << 10)
#define LETTERS_AT_ONCE 256
#define LETTERS_BYTES ((size_t)16 << 20) /* of a batch; its arena has twice that */

struct listener {
	struct listener *next;
	uint64_t token; /* names it to its stream, which may outlive it */
	struct arena arena;
	struct hub_listener l; /* without its owner */
	struct owner *owner;
	struct exchange *exchange; /* NULL: hub_add is still parking it */
	bool gone, ending; /* while it is parked: the client went; it is to be ended */
};

struct hub {
	pthread_mutex_t lock;
	struct sessions *sessions;
	struct listener *first;
	struct owners owners;
	unsigned count, most, most_per_principal;
	uint64_t last_token;
};

struct hub *hub_new(struct sessions *sessions, unsigned most, unsigned most_per_principal)
{
	struct hub *h = heap_new(struct hub);

	pthread_mutex_init(&h->lock, NULL);
	h->sessions = sessions;
	h->most = most;
	h->most_per_principal = most_per_principal;
	return h;
}

static void free_listener(struct listener *l)
{
	if (l->exchange)
		exchange_drop(l->exchange);
	arena_done(&l->arena);
	heap_free(l);
}

/* Under the lock. */
static void take_out(struct hub *h, struct listener *l)
{
	struct listener **at = &h->first;

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at) {
		*at = l->next;
		h->count--;
		owners_drop(&h->owners, l->owner);
	}
}

static bool matches_session(const struct listener *l, struct str nonce)
{
	return !l->l.modern && str_eq(l->l.nonce, nonce);
}

/* Under the lock: those that a new stream of the same session takes the place of are not allowed.
 */
static enum hub_verdict may_add(const struct hub *h, const struct hub_listener *l)
{
	unsigned same = 0;

	if (h->count >= h->most)
		return HUB_FULL;
	for (const struct listener *at = h->first; at; at = at->next) {
		if (!l->modern && matches_session(at, l->nonce))
			return HUB_TAKEN;
		same += sha256_eq(&at->owner->is.binding, &l->owner.binding);
	}
	return same >= h->most_per_principal ? HUB_FULL : HUB_OK;
}

static bool is_large(const struct hub_listener *l)
{
	size_t bytes = l->subscription.n + l->scope.n + l->nonce.n + l->end_message.n +
		       l->owner.subject.n + l->owner.tenant.n + l->owner.agent.n +
		       l->owner.issuer.n + l->owner.credential.n;

	for (size_t i = 0; i < l->filter.uri_count; i++)
		bytes += l->filter.uris[i].n + sizeof(struct str);
	return bytes > LISTENER_BYTES;
}

struct hub_owner hub_owner_of(const struct principal *who)
{
	return (struct hub_owner){ .binding = who->binding,
		.subject = who->subject,
		.tenant = who->tenant,
		.agent = who->agent,
		.issuer = who->issuer,
		.credential = who->credential,
		.kind = who->credential_kind,
		.expires_us = who->expires_us };
}

static void copy(struct listener *to, const struct hub_listener *from)
{
	struct arena *a = &to->arena;
	struct str *uris = arena_array(a, struct str, from->filter.uri_count);

	to->l = *from;
	to->l.subscription = arena_str(a, from->subscription);
	to->l.scope = arena_str(a, from->scope);
	to->l.nonce = arena_str(a, from->nonce);
	to->l.owner = (struct hub_owner){ 0 };
	to->l.end_message = arena_str(a, from->end_message);
	for (size_t i = 0; i < from->filter.uri_count; i++)
		uris[i] = arena_str(a, from->filter.uris[i]);
	to->l.filter.uris = uris;
}

static void on_gone(void *ctx, uint64_t token)
{
	struct hub *h = ctx;
	struct listener *l;
	bool mine;

	pthread_mutex_lock(&h->lock);
	for (l = h->first; l && l->token != token; l = l->next)
		;
	mine = l && l->exchange;
	if (mine)
		take_out(h, l);
	else if (l)
		l->gone = true; /* hub_add is still parking it: it will see */
	pthread_mutex_unlock(&h->lock);
	if (mine)
		free_listener(l);
}

static enum hub_verdict take_place(
	struct hub *h, struct listener *l, const struct hub_listener *from)
{
	enum hub_verdict verdict;

	pthread_mutex_lock(&h->lock);
	verdict = may_add(h, from);
	if (verdict == HUB_OK) {
		l->owner = owners_hold(&h->owners, &from->owner);
		l->token = ++h->last_token;
		l->next = h->first;
		h->first = l;
		h->count++;
	}
	pthread_mutex_unlock(&h->lock);
	return verdict;
}

enum hub_verdict hub_add(
	struct hub *h, const struct hub_listener *from, struct exchange *x, struct str first)
{
	enum hub_verdict verdict;
	struct exchange *parked;
	struct listener *l;
	bool gone, ending;

	if (is_large(from))
		return HUB_FULL;
	l = heap_new(struct listener);
	arena_init(&l->arena, (size_t)1 << 20);
	copy(l, from);
	verdict = take_place(h, l, from);
	if (verdict != HUB_OK) {
		free_listener(l);
		return verdict;
	}
	if (first.n)
		x->ops->send(x, first);
	parked = x->ops->park(x, on_gone, h, l->token);
	pthread_mutex_lock(&h->lock);
	gone = l->gone || !parked;
	ending = l->ending;
	if (gone || ending)
		take_out(h, l);
	l->exchange = parked;
	pthread_mutex_unlock(&h->lock);
	if (ending && !gone)
		parked->ops->reply(parked, 200, l->l.end_message, STR_NONE);
	if (ending || gone)
		free_listener(l);
	return HUB_OK;
}

unsigned hub_count(struct hub *h)
{
	unsigned count;

	pthread_mutex_lock(&h->lock);
	count = h->count;
	pthread_mutex_unlock(&h->lock);
	return count;
}

static bool wants_change(const struct listener *l, struct str what)
{
	if (!l->l.modern)
		return true;
	return (l->l.filter.tools && str_eq(what, S("tools"))) ||
	       (l->l.filter.prompts && str_eq(what, S("prompts"))) ||
	       (l->l.filter.resources && str_eq(what, S("resources")));
}

/* Of a legacy session it is known only outside the lock whether it wants it. */
static bool may_want_update(const struct listener *l, struct str uri)
{
	if (!l->l.modern)
		return true;
	for (size_t i = 0; i < l->l.filter.uri_count; i++)
		if (str_eq(l->l.filter.uris[i], uri))
			return true;
	return false;
}

struct letter {
	struct exchange *to;
	struct str text;
	struct str nonce; /* goes out only if this session wants the URI; empty: in any case */
};

struct batch {
	struct arena arena;
	struct letter letters[LETTERS_AT_ONCE];
	size_t count;
	uint64_t before; /* tokens from this on have been looked at */
};

static void write_letter(struct batch *b, const struct listener *l, struct str what, struct str uri)
{
	struct buf text;

	buf_in(&text, &b->arena, LETTER_BYTES);
	if (uri.n)
		mcp_write_updated(&text, uri, l->l.subscription);
	else
		mcp_write_changed(&text, what, l->l.subscription);
	if (!buf_ok(&text))
		return;
	exchange_hold(l->exchange);
	b->letters[b->count++] = (struct letter){ .to = l->exchange,
		.text = buf_str(&text),
		.nonce = uri.n && !l->l.modern ? arena_str(&b->arena, l->l.nonce) : STR_NONE };
}

/* Under the lock: letters to the next listeners that may want one, each with a reference to its
 * exchange.  False: those were the last. */
static bool address(struct hub *h, struct batch *b, struct str what, struct str uri)
{
	const struct listener *l = h->first;

	arena_reset(&b->arena);
	b->count = 0;
	while (l && l->token >= b->before)
		l = l->next;
	for (; l && b->count < LETTERS_AT_ONCE && b->arena.used < LETTERS_BYTES; l = l->next) {
		if (l->exchange && (uri.n ? may_want_update(l, uri) : wants_change(l, what)))
			write_letter(b, l, what, uri);
		b->before = l->token;
	}
	return l != NULL;
}

static void send(struct hub *h, const struct batch *b, struct str uri)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct letter *one = &b->letters[i];

		if (!one->nonce.n || sessions_wants(h->sessions, one->nonce, uri))
			one->to->ops->send(one->to, one->text);
		exchange_drop(one->to);
	}
}

static void tell(struct hub *h, struct str what, struct str uri)
{
	struct batch *b = heap_new(struct batch);
	bool more = true;

	arena_init(&b->arena, 2 * LETTERS_BYTES);
	b->before = UINT64_MAX;
	while (more) {
		pthread_mutex_lock(&h->lock);
		more = address(h, b, what, uri);
		pthread_mutex_unlock(&h->lock);
		send(h, b, uri);
	}
	arena_done(&b->arena);
	heap_free(b);
}

void hub_changed(struct hub *h, struct str what)
{
	tell(h, what, STR_NONE);
}

void hub_updated(struct hub *h, struct str uri)
{
	tell(h, STR_NONE, uri);
}

static bool is_named(const struct listener *l, struct str scope, struct str subscription)
{
	return l->l.modern && scope.n && str_eq(l->l.scope, scope) &&
	       str_eq(l->l.subscription, subscription);
}

/* Which listeners: all of them, or those that one of the names fits. */
struct which {
	bool all;
	struct str scope, subscription, nonce;
	const struct owner *owner; /* NULL: whoever */
};

static bool is_meant(const struct listener *l, const struct which *w)
{
	return w->all || is_named(l, w->scope, w->subscription) ||
	       (w->nonce.n && matches_session(l, w->nonce)) || (w->owner && l->owner == w->owner);
}

/* Takes them out, ends and frees them. */
static void end_some(struct hub *h, const struct which *w)
{
	struct listener *out = NULL, **at;

	pthread_mutex_lock(&h->lock);
	for (at = &h->first; *at;) {
		struct listener *l = *at;

		if (!l->exchange || !is_meant(l, w)) {
			l->ending = l->ending || is_meant(l, w);
			at = &l->next;
			continue;
		}
		*at = l->next;
		h->count--;
		owners_drop(&h->owners, l->owner);
		l->next = out;
		out = l;
	}
	pthread_mutex_unlock(&h->lock);
	while (out) {
		struct listener *l = out;

		out = l->next;
		l->exchange->ops->reply(l->exchange, 200,
			w->all || !l->l.scope.n ? l->l.end_message : STR_NONE, STR_NONE);
		free_listener(l);
	}
}

void hub_cancel(struct hub *h, struct str scope, struct str subscription)
{
	end_some(h, &(struct which){ .scope = scope, .subscription = subscription });
}

void hub_end_session(struct hub *h, struct str nonce)
{
	end_some(h, &(struct which){ .nonce = nonce });
}

void hub_end_all(struct hub *h)
{
	end_some(h, &(struct which){ .all = true });
}

static struct owner *next_owner(struct hub *h, struct owner *at)
{
	struct owner *next;

	pthread_mutex_lock(&h->lock);
	next = owners_next(&h->owners, at);
	pthread_mutex_unlock(&h->lock);
	return next;
}

void hub_review(
	struct hub *h, bool (*may_stay)(void *ctx, const struct hub_owner *owner), void *ctx)
{
	for (struct owner *o = next_owner(h, NULL); o; o = next_owner(h, o))
		if (!may_stay(ctx, &o->is))
			end_some(h, &(struct which){ .owner = o });
}

void hub_free(struct hub **h)
{
	hub_end_all(*h);
	bug_on((*h)->first || (*h)->owners.newest);
	pthread_mutex_destroy(&(*h)->lock);
	heap_free(*h);
	*h = NULL;
}
