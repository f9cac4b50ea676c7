/* kill - see kill.h.
 *
 * Invariants: 1. without a state that was read and is within its lease, the answer is no.  2. names
 * are compared byte for byte; an empty one matches nothing.  3. what an agent is told is the kind
 * of the order and whom to ask, never the name, the reason or who gave it. */
#include "guard/kill.h"

#include "json/write.h"

#define DETAILS_MAX ((size_t)4 << 10)

static const char *const names[KILL_KIND_COUNT] = {
	[KILL_EVERYTHING] = "everything",
	[KILL_SERVER] = "server",
	[KILL_TENANT] = "tenant",
	[KILL_PRINCIPAL] = "principal",
	[KILL_AGENT] = "agent",
	[KILL_CREDENTIAL] = "credential",
	[KILL_TOOL] = "tool",
	[KILL_SOURCE] = "source",
};

const char *kill_kind_name(enum kill_kind k)
{
	return names[k];
}

bool kill_kind_read(struct str name, enum kill_kind *out)
{
	for (unsigned i = 0; i < KILL_KIND_COUNT; i++) {
		if (!str_eq(name, str_c(names[i])))
			continue;
		*out = (enum kill_kind)i;
		return true;
	}
	return false;
}

static struct str name_for(const struct kill_target *t, enum kill_kind kind)
{
	switch (kind) {
	case KILL_SERVER:
		return t->instance;
	case KILL_TENANT:
		return t->tenant;
	case KILL_PRINCIPAL:
		return t->subject;
	case KILL_AGENT:
		return t->agent;
	case KILL_CREDENTIAL:
		return t->credential;
	case KILL_TOOL:
		return t->entry;
	case KILL_SOURCE:
		return t->source;
	case KILL_EVERYTHING:
	case KILL_KIND_COUNT:
		break;
	}
	return STR_NONE;
}

static bool is_meant(const struct kill_order *o, const struct kill_target *t)
{
	struct str name;

	if (o->kind == KILL_EVERYTHING)
		return true;
	name = name_for(t, o->kind);
	return name.n && str_eq(name, o->name);
}

static bool in_force(const struct kill_order *o, uint64_t boot_ms)
{
	return !o->over && (!o->until_boot_ms || boot_ms < o->until_boot_ms);
}

struct kill_finding kill_judge(
	const struct kill_state *s, const struct kill_target *t, uint64_t boot_ms)
{
	struct kill_finding found = { .cause = KILL_BY_NOTHING };

	if (s->local)
		return (struct kill_finding){ .cause = KILL_BY_SWITCH };
	if (!s->read || s->beyond || boot_ms >= s->lease_boot_ms)
		return (struct kill_finding){ .cause = KILL_BY_DOUBT };
	for (size_t i = 0; i < s->count; i++) {
		const struct kill_order *o = &s->orders[i];

		if (!in_force(o, boot_ms) || !is_meant(o, t) ||
			(found.cause && found.kind <= o->kind))
			continue;
		found = (struct kill_finding){ KILL_BY_ORDER, o->kind, o->id };
	}
	return found;
}

void kill_count(const struct kill_state *s, uint64_t boot_ms, unsigned out[KILL_KIND_COUNT])
{
	for (unsigned kind = 0; kind < KILL_KIND_COUNT; kind++)
		out[kind] = 0;
	for (size_t i = 0; i < s->count; i++)
		out[s->orders[i].kind] += in_force(&s->orders[i], boot_ms);
}

bool kill_pauses_part(const struct kill_state *s, uint64_t boot_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct kill_order *o = &s->orders[i];

		if (in_force(o, boot_ms) && (o->kind == KILL_TOOL || o->kind == KILL_SOURCE))
			return true;
	}
	return false;
}

static bool ends_sessions(enum kill_kind kind)
{
	return kind == KILL_TENANT || kind == KILL_PRINCIPAL || kind == KILL_AGENT ||
	       kind == KILL_CREDENTIAL;
}

bool kill_ended_session(const struct kill_state *s, const struct kill_target *t, int64_t issued_us,
	uint64_t boot_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct kill_order *o = &s->orders[i];

		if (!in_force(o, boot_ms) && ends_sessions(o->kind) && o->since_us >= issued_us &&
			is_meant(o, t))
			return true;
	}
	return false;
}

bool kill_ends_streams(const struct kill_finding *found)
{
	return found->cause == KILL_BY_ORDER && ends_sessions(found->kind);
}

struct kill_target kill_target_of_principal(const struct principal *who)
{
	return (struct kill_target){
		.tenant = who->tenant,
		.subject = who->subject,
		.agent = who->agent,
		.credential = who->credential,
	};
}

struct kill_target kill_target_of(const struct call *c, struct str instance)
{
	struct kill_target t = kill_target_of_principal(c->who);

	t.instance = instance;
	t.entry = c->entry->name;
	t.source = c->entry->source ? c->entry->source->name : STR_NONE;
	return t;
}

enum verdict guard_kill(struct call *c, const struct kill_finding *found, bool running)
{
	struct buf details;
	struct jw w;

	if (found->cause == KILL_BY_NOTHING) {
		c->passed |= GUARD_KILL;
		return VERDICT_PASS;
	}
	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	if (found->cause == KILL_BY_ORDER)
		jw_put_str(&w, S("kind"), str_c(kill_kind_name(found->kind)));
	else if (found->cause == KILL_BY_SWITCH)
		jw_put_str(&w, S("kind"), str_c(kill_kind_name(KILL_EVERYTHING)));
	if (c->entry->owner.n)
		jw_put_str(&w, S("owner"), c->entry->owner);
	jw_object_end(&w);
	c->fault.details_json = buf_ok(&details) ? buf_str(&details) : STR_NONE;
	call_fault(c, PAUSED,
		found->cause == KILL_BY_DOUBT ? "kill_state_unknown"
		: running                     ? "killed_running"
					      : "killed",
		STR_NONE);
	return VERDICT_REFUSE;
}
