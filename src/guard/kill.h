/* kill - is anything that this call belongs to paused?
 *
 * Whoever knows the orders (serve/watch.h) hands in an immutable state; here it is only judged.
 * What cannot be known counts as paused: nothing was read yet, the lease of what was read is over,
 * an order cannot be understood.  Pure: any thread. */
#pragma once
#include "guard/guard.h"

/* In the order in which a refusal names them. */
enum kill_kind {
	KILL_EVERYTHING,
	KILL_SERVER, /* name: config instance */
	KILL_TENANT,
	KILL_PRINCIPAL, /* name: subject */
	KILL_AGENT,
	KILL_CREDENTIAL, /* name: id of the key */
	KILL_TOOL, /* name: of a tool, resource or prompt */
	KILL_SOURCE,
	KILL_KIND_COUNT,
};
const char *kill_kind_name(enum kill_kind k);
bool kill_kind_read(struct str name, enum kill_kind *out) must_check;

struct kill_order {
	enum kill_kind kind;
	struct str name; /* empty with KILL_EVERYTHING only */
	int64_t id, since_us;
	uint64_t until_boot_ms; /* 0: until it is lifted */
	bool over; /* lifted, or its time had come when it was read: kept for the sessions it ended
		    */
};

struct kill_state {
	bool read; /* false: nothing is known yet */
	bool local; /* the local emergency switch is on */
	bool beyond; /* an order is there that cannot be understood */
	uint64_t lease_boot_ms; /* what is known is good until then */
	const struct kill_order *orders;
	size_t count;
};

enum kill_cause {
	KILL_BY_NOTHING, /* the call may go on */
	KILL_BY_ORDER,
	KILL_BY_SWITCH, /* the local one */
	KILL_BY_DOUBT, /* the state is not known */
};

struct kill_finding {
	enum kill_cause cause;
	enum kill_kind kind; /* KILL_BY_ORDER */
	int64_t order;
};

/* What a call belongs to.  Empty names belong to nothing. */
struct kill_target {
	struct str instance, tenant, subject, agent, credential, entry, source;
};

struct kill_finding kill_judge(
	const struct kill_state *s, const struct kill_target *t, uint64_t boot_ms);
/* How many orders of each kind are in force, whoever they meet; for monitoring. */
void kill_count(const struct kill_state *s, uint64_t boot_ms, unsigned out[KILL_KIND_COUNT]);
/* Is any tool or source paused, whichever it is? */
bool kill_pauses_part(const struct kill_state *s, uint64_t boot_ms);
/* Was a session of these, begun at issued_us, ended by an order that is over?  Orders against a
 * tool, a source, a server or everything pause sessions and do not end them. */
bool kill_ended_session(const struct kill_state *s, const struct kill_target *t, int64_t issued_us,
	uint64_t boot_ms);

/* Is it one of those that also end the streams and sessions of whom they meet? */
bool kill_ends_streams(const struct kill_finding *found);

struct kill_target kill_target_of_principal(const struct principal *who);
struct kill_target kill_target_of(const struct call *c, struct str instance);
/* The first step: PAUSED unless the finding is KILL_BY_NOTHING.  running: the call had begun. */
enum verdict guard_kill(struct call *c, const struct kill_finding *found, bool running);
