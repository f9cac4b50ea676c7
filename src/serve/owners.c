/* owners - see owners.h.
 *
 * Invariants: 1. who is in the list has holders; the last of them takes it out.  2. no two are the
 * same.  3. whoever comes is put in front, so that a walk from the front ends. */
#include "serve/owners.h"

#include "base/map.h"

#include <string.h>

_Static_assert((OWNERS_CHAINS & (OWNERS_CHAINS - 1)) == 0, "a mask picks the chain");

static bool is_same(const struct hub_owner *a, const struct hub_owner *b)
{
	return sha256_eq(&a->binding, &b->binding) && str_eq(a->credential, b->credential) &&
	       a->kind == b->kind && a->expires_us == b->expires_us;
}

static struct owner **chain_of(struct owners *o, const struct hub_owner *who)
{
	return &o->chains[siphash_of(who->credential) & (OWNERS_CHAINS - 1)];
}

static struct str copy(char **at, struct str from)
{
	struct str to = str_n(*at, from.n);

	if (from.n)
		memcpy(*at, from.p, from.n);
	*at += from.n;
	return to;
}

static struct owner *owner_new(const struct hub_owner *who)
{
	size_t bytes =
		who->subject.n + who->tenant.n + who->agent.n + who->issuer.n + who->credential.n;
	struct owner *w = heap_alloc(sizeof *w + bytes);
	char *at = w->texts;

	w->is = *who;
	w->is.subject = copy(&at, who->subject);
	w->is.tenant = copy(&at, who->tenant);
	w->is.agent = copy(&at, who->agent);
	w->is.issuer = copy(&at, who->issuer);
	w->is.credential = copy(&at, who->credential);
	return w;
}

struct owner *owners_hold(struct owners *o, const struct hub_owner *who)
{
	struct owner **chain = chain_of(o, who), *w = *chain;

	while (w && !is_same(&w->is, who))
		w = w->same_hash;
	if (!w) {
		w = owner_new(who);
		w->same_hash = *chain;
		*chain = w;
		w->older = o->newest;
		*(o->newest ? &o->newest->newer : &o->oldest) = w;
		o->newest = w;
	}
	w->holders++;
	return w;
}

void owners_drop(struct owners *o, struct owner *w)
{
	struct owner **at = chain_of(o, &w->is);

	if (--w->holders)
		return;
	while (*at != w)
		at = &(*at)->same_hash;
	*at = w->same_hash;
	*(w->newer ? &w->newer->older : &o->newest) = w->older;
	*(w->older ? &w->older->newer : &o->oldest) = w->newer;
	heap_free(w);
}

struct owner *owners_next(struct owners *o, struct owner *at)
{
	struct owner *next = at ? at->older : o->newest;

	if (next)
		next->holders++;
	if (at)
		owners_drop(o, at);
	return next;
}
