/* replay - see replay.h.
 *
 * Invariants: 1. entries are in order of their beginning, the latest first; at most REPLAY_MAX.  2.
 * an entry has an answer or somebody who waits for one, or neither; never both.  3. whoever comes
 * last waits: the stream that waited before is ended.  A waiter has a token of its own, so that the
 * going of one takes nothing from the next. */
#include "serve/replay.h"

#include <pthread.h>
#include <string.h>

#define ID_CHARS 32

struct entry_kept {
	struct entry_kept *next;
	char id[ID_CHARS];
	struct sha256 rights;
	char session[64];
	size_t session_bytes;
	uint64_t expires_ms;
	struct buf message;
	struct exchange *waiting;
	uint64_t token; /* of who waits */
};

struct replay {
	pthread_mutex_t lock;
	struct entry_kept *first;
	size_t count, bytes; /* entries; what their messages hold together */
	uint64_t last_token;
};

struct replay *replay_new(void)
{
	struct replay *r = heap_new(struct replay);

	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void free_entry(struct entry_kept *e)
{
	if (e->waiting)
		exchange_drop(e->waiting);
	buf_done(&e->message);
	heap_free(e);
}

void replay_free(struct replay **r)
{
	while ((*r)->first) {
		struct entry_kept *e = (*r)->first;

		(*r)->first = e->next;
		free_entry(e);
	}
	pthread_mutex_destroy(&(*r)->lock);
	heap_free(*r);
	*r = NULL;
}

/* Under the lock: cuts off everything behind `keep` entries, or what has expired. */
static struct entry_kept *cut(struct replay *r, size_t keep, uint64_t mono_ms)
{
	struct entry_kept **at = &r->first, *tail;
	size_t kept = 0;

	while (*at && kept < keep && (*at)->expires_ms > mono_ms) {
		at = &(*at)->next;
		kept++;
	}
	tail = *at;
	*at = NULL;
	r->count = kept;
	for (const struct entry_kept *e = tail; e; e = e->next)
		r->bytes -= e->message.n;
	return tail;
}

static void free_all(struct entry_kept *e)
{
	while (e) {
		struct entry_kept *next = e->next;

		if (e->waiting)
			e->waiting->ops->reply(e->waiting, 200, STR_NONE, STR_NONE);
		free_entry(e);
		e = next;
	}
}

struct replay_owner replay_owner_of(
	const struct principal *who, struct str session, struct arena *a)
{
	struct replay_owner owner = { .session = session };

	principal_rights(who, a, &owner.rights);
	return owner;
}

struct str replay_open(
	struct replay *r, struct arena *a, const struct replay_owner *owner, uint64_t mono_ms)
{
	struct entry_kept *e = heap_new(struct entry_kept), *old;
	uint8_t noise[ID_CHARS / 2];
	struct buf id;

	random_bytes(noise, sizeof noise);
	buf_in(&id, a, ID_CHARS);
	hex_write(&id, str_n(noise, sizeof noise));
	bug_on(owner->session.n > sizeof e->session);
	memcpy(e->id, id.p, ID_CHARS);
	memcpy(e->session, owner->session.p, owner->session.n);
	e->session_bytes = owner->session.n;
	e->rights = owner->rights;
	e->expires_ms = mono_ms + REPLAY_MS;
	buf_init(&e->message, REPLAY_MESSAGE_MAX);
	pthread_mutex_lock(&r->lock);
	e->next = r->first;
	r->first = e;
	r->count++;
	old = r->count > REPLAY_MAX ? cut(r, REPLAY_MAX, 0) : NULL;
	pthread_mutex_unlock(&r->lock);
	free_all(old);
	return buf_str(&id);
}

/* Under the lock. */
static struct entry_kept **find(struct replay *r, struct str id)
{
	struct entry_kept **at = &r->first;

	while (*at && !str_eq(str_n((*at)->id, ID_CHARS), id))
		at = &(*at)->next;
	return at;
}

static struct entry_kept *take_out(struct replay *r, struct entry_kept **at)
{
	struct entry_kept *e = *at;

	*at = e->next;
	r->count--;
	r->bytes -= e->message.n;
	return e;
}

void replay_close(struct replay *r, struct str id)
{
	struct entry_kept *e = NULL, **at;

	pthread_mutex_lock(&r->lock);
	at = find(r, id);
	if (*at)
		e = take_out(r, at);
	pthread_mutex_unlock(&r->lock);
	if (e)
		free_entry(e);
}

void replay_keep(struct replay *r, struct str id, struct str message)
{
	struct entry_kept *e = NULL, **at;

	pthread_mutex_lock(&r->lock);
	at = find(r, id);
	if (*at && !(*at)->waiting && !(*at)->message.n && message.n <= REPLAY_BYTES - r->bytes) {
		buf_add(&(*at)->message, message);
		r->bytes += (*at)->message.n;
	}
	if (*at && ((*at)->waiting || !(*at)->message.n))
		e = take_out(r, at); /* it is given now, or is too large to keep */
	pthread_mutex_unlock(&r->lock);
	if (!e)
		return;
	if (e->waiting)
		e->waiting->ops->reply(e->waiting, 200, message, STR_NONE);
	free_entry(e);
}

static void on_gone(void *ctx, uint64_t token)
{
	struct replay *r = ctx;
	struct exchange *x = NULL;

	pthread_mutex_lock(&r->lock);
	for (struct entry_kept *e = r->first; e; e = e->next)
		if (e->token == token && e->waiting) {
			x = e->waiting; /* it may come again */
			e->waiting = NULL;
		}
	pthread_mutex_unlock(&r->lock);
	if (x)
		exchange_drop(x);
}

static bool is_theirs(const struct entry_kept *e, const struct replay_owner *owner)
{
	return sha256_eq(&e->rights, &owner->rights) &&
	       str_eq(str_n(e->session, e->session_bytes), owner->session);
}

/* Gives the entry one more reference to `parked`, which waits from now on.  False: the answer came
 * meanwhile, or the entry was forgotten. */
static bool wait_for(struct replay *r, struct str id, uint64_t token, struct exchange *parked)
{
	struct exchange *before = NULL;
	struct entry_kept *e;
	bool waits;

	pthread_mutex_lock(&r->lock);
	e = *find(r, id);
	waits = e && !e->message.n;
	if (waits) {
		before = e->waiting;
		exchange_hold(parked);
		e->waiting = parked;
		e->token = token;
	}
	pthread_mutex_unlock(&r->lock);
	if (before) {
		before->ops->reply(before, 200, STR_NONE, STR_NONE);
		exchange_drop(before);
	}
	return waits;
}

/* The answer, taken out, or NULL and a token to wait with.  False: no such stream of theirs. */
static bool take_answer(struct replay *r, const struct replay_owner *owner, struct str id,
	struct entry_kept **answered_out, uint64_t *token_out)
{
	struct entry_kept **at;
	bool theirs;

	pthread_mutex_lock(&r->lock);
	at = find(r, id);
	theirs = *at && is_theirs(*at, owner);
	*answered_out = NULL;
	if (theirs) {
		*token_out = ++r->last_token;
		if ((*at)->message.n)
			*answered_out = take_out(r, at);
	}
	pthread_mutex_unlock(&r->lock);
	return theirs;
}

static void give(struct entry_kept *e, struct exchange *x)
{
	if (x->ops->send(x, buf_str(&e->message)))
		x->ops->reply(x, 200, STR_NONE, STR_NONE);
	free_entry(e);
}

bool replay_resume(
	struct replay *r, const struct replay_owner *owner, struct str id, struct exchange *x)
{
	struct entry_kept *answered;
	struct exchange *parked;
	uint64_t token;

	if (!take_answer(r, owner, id, &answered, &token))
		return false;
	if (answered) {
		give(answered, x);
		return true;
	}
	parked = x->ops->park(x, on_gone, r, token);
	if (!parked)
		return true;
	if (wait_for(r, id, token, parked)) {
		if (parked->ops->gone(parked))
			on_gone(r, token); /* it may have gone before it waited */
	} else if (take_answer(r, owner, id, &answered, &token) && answered) {
		give(answered, parked);
	} else {
		parked->ops->reply(parked, 200, STR_NONE, STR_NONE);
	}
	exchange_drop(parked);
	return true;
}

void replay_tick(struct replay *r, uint64_t mono_ms)
{
	struct entry_kept *old;

	pthread_mutex_lock(&r->lock);
	old = cut(r, REPLAY_MAX, mono_ms);
	pthread_mutex_unlock(&r->lock);
	free_all(old);
}
