/* limits - see limits.h.
 *
 * What is counted is named by a digest over scope, window and the values of the rule's dimensions,
 * each with its length before it.  Not in it: how many are allowed, so that a limit that is raised
 * or lowered keeps its count; the version of a tool; which of a subject's credentials was shown;
 * the case of ASCII letters.  Who varies those stays in the same window.
 *
 * Invariants: 1. the bit GUARD_LIMITS is set as the last act.  2. nothing is taken when the call is
 * refused.  3. counts that cannot be read never mean "go on". */
#include "guard/limits_inside.h"

#include "base/clock.h"
#include "json/write.h"
#include "plan/change.h"
#include "store/facts.h"
#include "store/quota.h"
#include "store/windows.h"

#include <string.h>

#define DETAILS_BYTES ((size_t)1 << 10)
#define RULES_MOST 24
#define SHARE 10 /* of a limit, when only this process counts: 1 in so many */
#define SHARE_MS 30000

struct held {
	struct windows *windows;
	struct place_ask places[2];
	size_t count; /* 0: given back */
	const struct held *before; /* of earlier steps of the same call */
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
	struct windows *from; /* what was taken, and when */
	uint64_t at_ms;
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

void limits_key_part(struct buf *text, struct str s)
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

struct window_key limits_key_end(struct buf *text)
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
	limits_key_part(text, e->name);
}

void limits_key_dims(struct buf *text, const struct limit_rule *rule, const struct call *c)
{
	const struct principal *who = c->who;

	buf_u64(text, rule->window_ms);
	buf_char(text, '/');
	buf_u64(text, rule->per);
	if (rule->per & (PER_PRINCIPAL | PER_TENANT))
		limits_key_part(text, who->tenant);
	if (rule->per & PER_PRINCIPAL)
		limits_key_part(text, who->subject);
	if (rule->per & PER_AGENT)
		limits_key_part(text, who->agent);
	if (rule->per & PER_CREDENTIAL)
		limits_key_part(text, who->credential);
	if (rule->per & PER_TOOL)
		key_entry(text, c->entry);
	if (rule->per & PER_SOURCE)
		limits_key_part(text, c->entry->source ? c->entry->source->name : STR_NONE);
}

static void add_rules(struct asking *a, struct buf *text, const struct limit_rule *rules,
	size_t count, const char *scope)
{
	const struct entry *e = a->call->entry;

	for (size_t i = 0; i < count; i++) {
		bug_on(a->count == RULES_MOST);
		limits_key_part(text, str_c(scope));
		if (str_eq(str_c(scope), S("tool")))
			key_entry(text, e);
		else if (str_eq(str_c(scope), S("source")))
			limits_key_part(text, e->source->name);
		limits_key_dims(text, &rules[i], a->call);
		a->rules[a->count] = &rules[i];
		a->reasons[a->count] = scope;
		a->windows[a->count++] = (struct window_ask){ .key = limits_key_end(text),
			.most = rules[i].most,
			.window_ms = rules[i].window_ms,
			.cost = MAX(e->cost, 1u) };
	}
}

static bool holds(const struct held *h, const struct window_key *key)
{
	for (; h; h = h->before)
		for (size_t i = 0; i < h->count; i++)
			if (!memcmp(&h->places[i].key, key, sizeof *key))
				return true;
	return false;
}

/* One call is inside once: its steps run one after the other. */
static void add_place(struct asking *a, struct window_key key, unsigned most, const char *reason)
{
	if (holds(a->call->held, &key))
		return;
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
	buf_in(&text, a->call->arena, LIMITS_KEY_BYTES);
	add_rules(a, &text, all->calls, all->call_count, "calls");
	add_rules(a, &text, e->limits, e->limit_count, "tool");
	if (e->source)
		add_rules(a, &text, e->source->calls, e->source->call_count, "source");
	if (e->concurrency) {
		buf_lit(&text, "in tool ");
		key_entry(&text, e);
		add_place(a, limits_key_end(&text), e->concurrency, "tool");
	}
	if (e->source && e->source->concurrency_shared) {
		buf_lit(&text, "in source ");
		limits_key_part(&text, e->source->name);
		add_place(a, limits_key_end(&text), e->source->concurrency, "source");
	}
}

/* --- refusing --- */

enum verdict limits_refuse(struct call *c, enum fault_code code, const char *reason,
	uint32_t retry_ms, struct str operator_text)
{
	call_fault(c, code, reason, operator_text);
	c->fault.retry_after_ms = MAX(retry_ms, 1u);
	return VERDICT_REFUSE;
}

void limits_say(struct call *c, const struct limit_rule *rule)
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
	return limits_refuse(c, BUSY, "limits_unavailable", 2 * LIMITS_RETRY_MS,
		arena_str(c->arena, str_c(err->text)));
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

	if (v == WINDOWS_TAKEN) {
		a->from = from;
		a->at_ms = out->at_ms;
	}
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

/* Once a process: counts that somebody removed look like those of a first start. */
static void look_for_file(struct limits *l)
{
	enum windows_begun begun = windows_begun(l->shared);
	struct err err;
	bool known;

	if (begun == WINDOWS_NOT_YET || atomic_exchange(&l->looked, true))
		return;
	if (!store_fact_note(l->store, S("limits"), clock_wall_us(), &known, &err))
		l->looked = false;
	else if (known && begun == WINDOWS_MADE)
		l->anew = true;
}

bool limits_anew(struct limits *l)
{
	return l->anew && atomic_exchange(&l->anew, false);
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
		if (!l->looked)
			look_for_file(l);
		if (l->troubled)
			note_health(l);
		return v;
	}
	if (err->code == E_LIMIT) /* the file is well, and full */
		return v;
	/* one process too many gets no share: the next one would, and the one after it */
	if (note_trouble(l, err, boot_ms) > SHARE_MS || err->code == E_EXISTS ||
		a->call->entry->mutates)
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
		return limits_refuse(c, BUSY, a->place_reasons[answer.index], LIMITS_RETRY_MS,
			S("as many calls as may be are inside already"));
	if (a->count) {
		c->rate.rule = a->rules[answer.index];
		c->rate.left = answer.left;
		c->rate.wait_ms = answer.wait_ms;
	}
	if (v == WINDOWS_TAKEN)
		return VERDICT_PASS;
	limits_say(c, c->rate.rule);
	return limits_refuse(c, RATE_LIMITED, a->reasons[answer.index], answer.wait_ms, STR_NONE);
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
	buf_in(&text, c->arena, LIMITS_KEY_BYTES);
	for (size_t i = 0; i < all->destructive_count; i++) {
		const struct limit_rule *rule = &all->destructive[i];
		struct window_key key;

		buf_lit(&text, "destructive");
		limits_key_dims(&text, rule, c);
		key = limits_key_end(&text);
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
	limits_say(c, c->rate.rule);
	return limits_refuse(c, RATE_LIMITED, "destructive", answer.wait_ms, STR_NONE);
}

/* Changes get no share of memory's: what is counted was asked for in full. */
static void return_all(const struct asking *a)
{
	const struct windows_ask ask = { .windows = a->windows, .window_count = a->count };

	if (a->from)
		windows_return(a->from, &ask, a->at_ms);
}

/* A preview changes nothing; of several changes as one each counts by itself. */
static bool is_destructive(const struct call *c)
{
	if (c->change)
		return c->change->live && c->entry->write;
	return c->entry->mutates;
}

enum verdict guard_limits(struct limits *l, const struct config *config, struct call *c)
{
	struct asking *a = arena_new(c->arena, struct asking);

	*a = (struct asking){ .l = l, .config = config, .call = c };
	collect(a);
	if (a->place_count) {
		a->held = arena_new(c->arena, struct held);
		a->held->before = c->held;
		c->held = a->held;
		arena_defer(c->arena, give_back, c->held);
	}
	if ((a->count || a->place_count) && judge(a) != VERDICT_PASS)
		return VERDICT_REFUSE;
	if (is_destructive(c) && judge_quota(a) != VERDICT_PASS) {
		return_all(a);
		limits_leave(c);
		return VERDICT_REFUSE;
	}
	c->passed |= GUARD_LIMITS;
	return VERDICT_PASS;
}
