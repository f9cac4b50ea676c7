/* limits - see limits.h.
 *
 * What is counted is named by a digest over scope, window and the values of the rule's dimensions,
 * each with its length before it.  Not in it: how many are allowed, so that a limit that is raised
 * or lowered keeps its count; the version of a tool; which of a subject's credentials was shown;
 * the case of ASCII letters.  Who varies those stays in the same window.
 *
 * Invariants: 1. the bit GUARD_LIMITS is set as the last act.  2. nothing is taken when the call is
 * refused.  3. counts that cannot be read never mean "go on". */
#include "guard/limits.h"

#include "base/clock.h"
#include "json/write.h"
#include "store/quota.h"
#include "store/windows.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define KEY_BYTES ((size_t)8 << 10)
#define DETAILS_BYTES ((size_t)1 << 10)
#define RULES_MOST 24
#define RETRY_MS 500 /* when nobody can say how long a place is taken */
#define SHARE 10 /* of a limit, when only this process counts: 1 in so many */
#define SHARE_MS 30000
#define ADDRESS_MOST 46

struct limits {
	struct windows *shared;
	struct windows *alone; /* while shared cannot be read */
	struct windows *addresses; /* of refused credentials: of this process */
	char salt[16]; /* so that nobody can choose addresses that share a place */
	struct store *store;
	char boot[64];
	_Atomic unsigned waiting;
	pthread_mutex_t lock; /* the rest */
	_Atomic bool troubled; /* written under it */
	bool told;
	uint64_t since_ms; /* troubled */
	struct err why;
};

struct held {
	struct windows *windows;
	struct place_ask places[2];
	size_t count; /* 0: given back */
};

/* All that speaks of one call. */
struct asking {
	struct limits *l;
	const struct config *config;
	struct call *call;
	struct held *held;
	struct window_ask windows[RULES_MOST];
	const struct limit_rule *rules[RULES_MOST];
	const char *reasons[RULES_MOST];
	size_t count;
	struct place_ask places[2];
	const char *place_reasons[2];
	size_t place_count;
};

struct limits *limits_new(struct str file, struct str boot_id, struct store *store)
{
	struct limits *l = heap_new(struct limits);

	l->shared = windows_new(file, boot_id);
	l->alone = windows_new(STR_NONE, boot_id);
	l->addresses = windows_new(STR_NONE, boot_id);
	random_bytes((uint8_t *)l->salt, sizeof l->salt);
	l->store = store;
	memcpy(l->boot, boot_id.p, MIN(boot_id.n, sizeof l->boot - 1));
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void limits_free(struct limits **l)
{
	if (!*l)
		return;
	windows_free(&(*l)->shared);
	windows_free(&(*l)->alone);
	windows_free(&(*l)->addresses);
	pthread_mutex_destroy(&(*l)->lock);
	heap_free(*l);
	*l = NULL;
}

/* --- what is counted --- */

static void key_part(struct buf *text, struct str s)
{
	char *to;

	buf_u64(text, s.n);
	buf_char(text, ':');
	to = buf_space(text, s.n);
	for (size_t i = 0; to && i < s.n; i++)
		to[i] = ascii_lower(s.p[i]);
	if (to)
		buf_used(text, s.n);
}

static struct window_key key_end(struct buf *text)
{
	struct window_key key;
	struct sha256 digest;

	bug_on(!buf_ok(text));
	sha256_of(buf_str(text), &digest);
	memcpy(key.b, digest.b, sizeof key.b);
	buf_clear(text);
	return key;
}

static void key_entry(struct buf *text, const struct entry *e)
{
	buf_char(text, (char)('0' + (int)e->kind));
	key_part(text, e->name);
}

static void key_dims(struct buf *text, const struct limit_rule *rule, const struct call *c)
{
	const struct principal *who = c->who;

	buf_u64(text, rule->window_ms);
	buf_char(text, '/');
	buf_u64(text, rule->per);
	if (rule->per & (PER_PRINCIPAL | PER_TENANT))
		key_part(text, who->tenant);
	if (rule->per & PER_PRINCIPAL)
		key_part(text, who->subject);
	if (rule->per & PER_AGENT)
		key_part(text, who->agent);
	if (rule->per & PER_CREDENTIAL)
		key_part(text, who->credential);
	if (rule->per & PER_TOOL)
		key_entry(text, c->entry);
	if (rule->per & PER_SOURCE)
		key_part(text, c->entry->source ? c->entry->source->name : STR_NONE);
}

static void add_rules(struct asking *a, struct buf *text, const struct limit_rule *rules,
	size_t count, const char *scope)
{
	const struct entry *e = a->call->entry;

	for (size_t i = 0; i < count; i++) {
		bug_on(a->count == RULES_MOST);
		key_part(text, str_c(scope));
		if (str_eq(str_c(scope), S("tool")))
			key_entry(text, e);
		else if (str_eq(str_c(scope), S("source")))
			key_part(text, e->source->name);
		key_dims(text, &rules[i], a->call);
		a->rules[a->count] = &rules[i];
		a->reasons[a->count] = scope;
		a->windows[a->count++] = (struct window_ask){ .key = key_end(text),
			.most = rules[i].most,
			.window_ms = rules[i].window_ms,
			.cost = MAX(e->cost, 1u) };
	}
}

static void add_place(struct asking *a, struct window_key key, unsigned most, const char *reason)
{
	a->place_reasons[a->place_count] = reason;
	a->places[a->place_count++] = (struct place_ask){ .key = key, .most = most };
}

static void collect(struct asking *a)
{
	const struct entry *e = a->call->entry;
	const struct limits_config *all = &a->config->limits;
	struct buf text;

	if (!all->call_count && !e->limit_count && !e->concurrency && !e->source)
		return;
	buf_in(&text, a->call->arena, KEY_BYTES);
	add_rules(a, &text, all->calls, all->call_count, "calls");
	add_rules(a, &text, e->limits, e->limit_count, "tool");
	if (e->source)
		add_rules(a, &text, e->source->calls, e->source->call_count, "source");
	if (e->concurrency) {
		buf_lit(&text, "in tool ");
		key_entry(&text, e);
		add_place(a, key_end(&text), e->concurrency, "tool");
	}
	if (e->source && e->source->concurrency_shared) {
		buf_lit(&text, "in source ");
		key_part(&text, e->source->name);
		add_place(a, key_end(&text), e->source->concurrency, "source");
	}
}

/* --- refusing --- */

static enum verdict refuse(struct call *c, enum fault_code code, const char *reason,
	uint32_t retry_ms, struct str operator_text)
{
	call_fault(c, code, reason, operator_text);
	c->fault.retry_after_ms = MAX(retry_ms, 1u);
	return VERDICT_REFUSE;
}

static void say_limit(struct call *c, const struct limit_rule *rule)
{
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, DETAILS_BYTES);
	jw_init(&w, &details);
	jw_object(&w);
	jw_put_str(&w, S("limit"), rule->text);
	jw_object_end(&w);
	if (buf_ok(&details))
		c->fault.details_json = buf_str(&details);
}

static enum verdict refuse_unread(struct call *c, const struct err *err)
{
	return refuse(
		c, BUSY, "limits_unavailable", 2 * RETRY_MS, arena_str(c->arena, str_c(err->text)));
}

/* --- taking --- */

static void give_back(void *ctx)
{
	struct held *h = ctx;

	if (h->count)
		windows_leave(h->windows, h->places, h->count);
	h->count = 0;
}

void limits_leave(struct call *c)
{
	if (c->held)
		give_back(c->held);
}

static enum windows_verdict take(struct asking *a, struct windows *from, uint64_t boot_ms,
	struct windows_answer *out, struct err *err)
{
	const struct windows_ask ask = { .windows = a->windows,
		.window_count = a->count,
		.places = a->places,
		.place_count = a->place_count };
	enum windows_verdict v = windows_take(from, &ask, boot_ms, out, err);

	if (v == WINDOWS_TAKEN && a->place_count) {
		a->held->windows = from;
		memcpy(a->held->places, a->places, sizeof a->places);
		a->held->count = a->place_count;
	}
	return v;
}

/* Remembers that shared counts cannot be read; for how long that has been so. */
static uint64_t note_trouble(struct limits *l, const struct err *err, uint64_t boot_ms)
{
	uint64_t since_ms;

	pthread_mutex_lock(&l->lock);
	if (!l->troubled) {
		l->troubled = true;
		l->told = false;
		l->since_ms = boot_ms;
		l->why = *err;
	}
	since_ms = boot_ms - MIN(boot_ms, l->since_ms);
	pthread_mutex_unlock(&l->lock);
	return since_ms;
}

static void note_health(struct limits *l)
{
	pthread_mutex_lock(&l->lock);
	l->troubled = false;
	pthread_mutex_unlock(&l->lock);
}

bool limits_usage(struct limits *l, uint64_t boot_ms, struct windows_usage *out)
{
	return windows_usage(l->shared, boot_ms, out);
}

bool limits_trouble(struct limits *l, struct err *out)
{
	bool news;

	pthread_mutex_lock(&l->lock);
	news = l->troubled && !l->told;
	l->told |= news;
	if (news)
		*out = l->why;
	pthread_mutex_unlock(&l->lock);
	return news;
}

/* A share of each limit, counted in this process only: too little rather than too much. */
static enum windows_verdict take_share(
	struct asking *a, uint64_t boot_ms, struct windows_answer *out, struct err *err)
{
	struct asking share = *a;

	for (size_t i = 0; i < share.count; i++) {
		share.windows[i].most = MAX(share.windows[i].most / SHARE, 1u);
		share.windows[i].cost = MIN(share.windows[i].cost, share.windows[i].most);
	}
	for (size_t i = 0; i < share.place_count; i++)
		share.places[i].most = MAX(share.places[i].most / SHARE, 1u);
	return take(&share, a->l->alone, boot_ms, out, err);
}

static enum windows_verdict take_once(
	struct asking *a, uint64_t boot_ms, struct windows_answer *out, struct err *err)
{
	struct limits *l = a->l;
	enum windows_verdict v = take(a, l->shared, boot_ms, out, err);

	if (v != WINDOWS_UNAVAILABLE) {
		if (l->troubled)
			note_health(l);
		return v;
	}
	if (err->code == E_LIMIT) /* the file is well, and full */
		return v;
	if (note_trouble(l, err, boot_ms) > SHARE_MS || a->call->entry->mutates)
		return v;
	return take_share(a, boot_ms, out, err);
}

/* Waits for a place; not more at a time than half of the workers, so that one slow tool does not
 * take all of them. */
static enum windows_verdict take_waiting(
	struct asking *a, struct windows_answer *out, struct err *err)
{
	uint64_t now_ms = clock_mono_ms();
	uint64_t until_ms = MIN(now_ms + LIMITS_WAIT_MS, a->call->deadline_ms);
	unsigned most = MAX(a->config->limits.concurrency / 2, 1u);
	enum windows_verdict v = WINDOWS_CROWDED;

	if (atomic_fetch_add(&a->l->waiting, 1) < most)
		for (; v == WINDOWS_CROWDED && now_ms < until_ms; now_ms = clock_mono_ms()) {
			windows_wait(a->l->shared, (uint32_t)(until_ms - now_ms));
			v = take_once(a, clock_boot_ms(), out, err);
		}
	atomic_fetch_sub(&a->l->waiting, 1);
	return v;
}

static enum verdict judge(struct asking *a)
{
	struct call *c = a->call;
	struct windows_answer answer = { 0 };
	enum windows_verdict v;
	struct err err;

	v = take_once(a, clock_boot_ms(), &answer, &err);
	if (v == WINDOWS_CROWDED)
		v = take_waiting(a, &answer, &err);
	if (v == WINDOWS_UNAVAILABLE)
		return refuse_unread(c, &err);
	if (v == WINDOWS_CROWDED)
		return refuse(c, BUSY, a->place_reasons[answer.index], RETRY_MS,
			S("as many calls as may be are inside already"));
	if (a->count) {
		c->rate.rule = a->rules[answer.index];
		c->rate.left = answer.left;
		c->rate.wait_ms = answer.wait_ms;
	}
	if (v == WINDOWS_TAKEN)
		return VERDICT_PASS;
	say_limit(c, c->rate.rule);
	return refuse(c, RATE_LIMITED, a->reasons[answer.index], answer.wait_ms, STR_NONE);
}

/* What changes data is counted in the store, in its transaction. */
static enum verdict judge_quota(struct asking *a)
{
	const struct limits_config *all = &a->config->limits;
	struct quota_ask asks[QUOTA_ASKS_MOST];
	struct call *c = a->call;
	const struct store_moment now = { str_c(a->l->boot), clock_boot_ms(), clock_wall_us() };
	struct quota_answer answer;
	struct buf text;
	struct err err;

	bug_on(all->destructive_count > QUOTA_ASKS_MOST);
	buf_in(&text, c->arena, KEY_BYTES);
	for (size_t i = 0; i < all->destructive_count; i++) {
		const struct limit_rule *rule = &all->destructive[i];
		struct window_key key;

		buf_lit(&text, "destructive");
		key_dims(&text, rule, c);
		key = key_end(&text);
		memcpy(asks[i].key, key.b, sizeof asks[i].key);
		asks[i].most = rule->most;
		asks[i].window_ms = rule->window_ms;
	}
	if (!store_quota_take(a->l->store, asks, all->destructive_count, &now, &answer, &err))
		return refuse_unread(c, &err);
	if (answer.taken)
		return VERDICT_PASS;
	c->rate.rule = &all->destructive[answer.index];
	c->rate.left = 0;
	c->rate.wait_ms = answer.wait_ms;
	say_limit(c, c->rate.rule);
	return refuse(c, RATE_LIMITED, "destructive", answer.wait_ms, STR_NONE);
}

enum verdict guard_limits(struct limits *l, const struct config *config, struct call *c)
{
	struct asking *a = arena_new(c->arena, struct asking);

	*a = (struct asking){ .l = l, .config = config, .call = c };
	collect(a);
	if (a->place_count) {
		a->held = c->held = arena_new(c->arena, struct held);
		arena_defer(c->arena, give_back, c->held);
	}
	if ((a->count || a->place_count) && judge(a) != VERDICT_PASS)
		return VERDICT_REFUSE;
	if (c->entry->mutates && judge_quota(a) != VERDICT_PASS) {
		limits_leave(c);
		return VERDICT_REFUSE;
	}
	c->passed |= GUARD_LIMITS;
	return VERDICT_PASS;
}

/* --- refused credentials --- */

/* One person has as many addresses of a /64 as they like. */
static struct window_key address_key(
	const struct limits *l, const struct limit_rule *rule, struct str address)
{
	char bytes[160], terminated[ADDRESS_MOST + 1] = "";
	struct buf text = { .p = bytes, .cap = sizeof bytes, .limit = sizeof bytes };
	struct in6_addr six;

	memcpy(terminated, address.p, MIN(address.n, (size_t)ADDRESS_MOST));
	buf_fmt(&text, "address %u ", rule->window_ms);
	buf_add(&text, str_n(l->salt, sizeof l->salt));
	if (inet_pton(AF_INET6, terminated, &six) != 1)
		key_part(&text, str_c(terminated));
	else if (IN6_IS_ADDR_V4MAPPED(&six))
		buf_fmt(&text, "%u.%u.%u.%u", six.s6_addr[12], six.s6_addr[13], six.s6_addr[14],
			six.s6_addr[15]);
	else
		buf_add(&text, str_n(six.s6_addr, 8));
	return key_end(&text);
}

/* Where there is no room for an address, nothing counts against it: nobody is kept out for what
 * others did. */
static enum windows_verdict ask_address(struct limits *l, const struct limit_rule *rule,
	struct str address, uint64_t boot_ms, bool look, uint32_t *wait_ms_out)
{
	struct window_ask one = { .key = address_key(l, rule, address),
		.most = rule->most,
		.window_ms = rule->window_ms,
		.cost = 1 };
	const struct windows_ask ask = { .windows = &one, .window_count = 1, .look = look };
	struct windows_answer answer = { 0 };
	enum windows_verdict v;
	struct err err;

	v = windows_take(l->addresses, &ask, boot_ms, &answer, &err);
	*wait_ms_out = v == WINDOWS_FULL ? MAX(answer.wait_ms, 1u) : RETRY_MS;
	return v;
}

bool limits_address_free(struct limits *l, const struct limit_rule *rule, struct str address,
	uint64_t boot_ms, uint32_t *wait_ms_out)
{
	return ask_address(l, rule, address, boot_ms, true, wait_ms_out) != WINDOWS_FULL;
}

void limits_address_failed(
	struct limits *l, const struct limit_rule *rule, struct str address, uint64_t boot_ms)
{
	uint32_t wait_ms;

	(void)ask_address(l, rule, address, boot_ms, false, &wait_ms);
}
