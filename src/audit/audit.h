/* audit - what must be remembered: one durable record a call, before its result or error is sent.
 *
 * One log is one process: its own segment files, opened with the first record.  One writer thread
 * groups what arrived while the last fdatasync ran into the next one.  A record not durable within
 * its deadline gives no receipt: the caller answers AUDIT_UNAVAILABLE, and the record, should it
 * become durable later, says "late":true or is followed by one that does and names it in "of".
 * While the disk hangs, calls fail at once; when it comes back, a GAP says how many had no record.
 * After a write or sync error the segment is closed for ever and a new one starts with GAP; two
 * such failures in a row and the log is sealed: every call fails at once.  A full disk refuses, and
 * does not seal: with room again the log goes on.
 *
 * The form of a line is in journal.h, the members of a call's record in record.h.  Thread-safe. */
#pragma once
#include "plan/call.h"

struct audit;
struct effect_column;
struct receipt; /* proof that the record of this call is durable; lives in the call's arena */

struct audit_config {
	struct str directory; /* 0700, made when missing */
	struct str origin; /* "acme/crm/production/a"; at most 256 bytes of it are kept */
	uint32_t timeout_ms; /* config limits.audit_ms */
	/* The HMAC key of protected values, asked for once, with the first record. */
	bool (*key)(void *ctx, struct secret *out, struct err *err);
	void *key_ctx;
	/* What a mask leaves of a value (not NULL), for the effects that are kept; any thread.
	 * NULL: then of masked values only their HMAC is. */
	void (*mask)(void *ctx, const struct effect_column *column, const struct cell *cell,
		struct buf *out);
	void *mask_ctx;
};

/* Touches nothing on disk before the first record.  Copies what it needs of config. */
struct audit *audit_new(const struct audit_config *config);
/* STOP and SEGMENT_CLOSE when anything was written; then frees.  No call may be under way.  Waits
 * at most timeout_ms for a disk that hangs. */
void audit_close(struct audit *a);

/* START etc.: free-form events of the process, small. fields_json: members of the record, without
 * braces, already JSON on one line; may be empty.  Waits until durable. */
bool audit_event(
	struct audit *a, const char *event, struct str fields_json, struct err *err) must_check;

/* One record for this call (served, refused or failed), durable when it returns; one that was
 * RATE_LIMITED as another of the same caller in the same second is only counted, as audit_refuse
 * does.  NULL: it could not be made durable in time (err says why).  If the call's change stands or
 * may stand, the log then takes no more calls (SEAL): audit_healthy says so. */
const struct receipt *audit_call(struct audit *a, const struct call *c, struct err *err);
uint64_t receipt_index(const struct receipt *r); /* the record's "i" */

/* The CALL_INTENT of a live change (call->change), queued: nothing is waited for, so that the work
 * may go on beside it.  In the call's arena, dropped with it; NULL: it cannot be queued now, and
 * err says why.  The call's outcome (audit_call) is then owed: it is taken whatever else is
 * refused, and closes the intent. */
struct intent;
struct intent *audit_intent(struct audit *a, struct call *c, struct err *err);
/* Waits, at most timeout_ms since it was queued.  place_out: where it stands, "ORIGIN/BOOT/INDEX".
 * False: it is not durable, and the change must not be. Asked again, it says the same. */
bool audit_intent_durable(struct intent *i, struct str *place_out, struct err *err) must_check;

/* PLAN: the plan of the call (change->plan, with its id) was kept and waits for a yes.  Durable
 * when true, as all below. */
bool audit_plan(struct audit *a, const struct call *c, struct err *err) must_check;

/* APPROVAL: what a person decided on a plan, seen as `shown` says. */
struct audit_decision {
	struct str plan, tool;
	const struct sha256 *digest; /* the plan's */
	const struct sha256 *shown; /* of what the decider saw; NULL: nothing was shown */
	enum { DECISION_DECLINED, DECISION_APPROVED, DECISION_ESCALATED } kind;
	struct str by, issuer, credential;
	struct str channel; /* "client", "page", "terminal" */
	struct str peer, note;
	struct str need, grant; /* of those who may say yes, from now on; escalated */
};
bool audit_decide(struct audit *a, const struct audit_decision *d, struct err *err) must_check;

/* RECONCILE: what became of a change whose outcome is not in the log, or not known by it. */
struct audit_settled {
	struct id call;
	struct str tool; /* "NAME@VERSION" */
	struct str of; /* where the intent stands: "ORIGIN/BOOT/INDEX" */
	enum { SETTLED_NOT, SETTLED_COMMITTED, SETTLED_UNKNOWN } end;
	struct str ledger; /* id, committed */
	struct str detail; /* why it is unknown */
};
bool audit_settle(struct audit *a, const struct audit_settled *s, struct err *err) must_check;

/* A refusal before there is a call (bad token, unknown tool, protocol reject): one record,
 * collapsed when the same (event, reason, who) repeats within a second: then counted and flushed
 * once a second. The first waits until durable; a repeated one does not.  False: not durable in
 * time. */
struct audit_refusal {
	const char *event; /* "AUTH_FAIL", "DENY", "PROTOCOL_REJECT" */
	struct str reason;
	struct str subject; /* empty: nobody was authenticated */
	struct str credential, agent, tenant, peer, era, rpc_id, method;
	struct str target; /* tool or URI, clipped to 128 bytes */
};
bool audit_refuse(struct audit *a, const struct audit_refusal *r, struct err *err) must_check;

bool audit_healthy(const struct audit *a); /* it takes calls: not sealed */

/* For those who watch. */
struct audit_state {
	size_t waiting; /* records that are not with the writer yet */
	uint64_t busy_ms; /* the disk has not answered for so long; 0: nothing is asked of it */
	uint64_t synced_ms; /* clock_mono_ms of the last durable record; 0: none yet */
	uint64_t unrecorded; /* turned away without a record, since the start */
};
void audit_look(struct audit *a, struct audit_state *out);
/* Could a record be made durable now?  False: sealed, the disk hangs or is full, or the directory
 * is gone; err says which.  Writes nothing. */
bool audit_can_write(struct audit *a, struct err *err) must_check;
