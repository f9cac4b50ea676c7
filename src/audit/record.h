/* record - the members of a record that say what happened, from "e" on.
 *
 * A call's record: e, call, rpc, conv, trace, subj, kind, act, ten, cn and cv (client name and
 * version), cred, env, what, tool (name@version), td (digest of its definition), mode, uri, era,
 * peer, args, dropped, undeclared, ad, code, reason, detail, rows, bytes, rd (result digest), us
 * (duration).  What is empty is left out.  Text from outside is clipped and says so.
 *
 * A call that may change something has besides: mode preview or live instead of read, plan and pd
 * (its digest), cd (the catalog's), intent (where the CALL_INTENT stands), end (not, committed or
 * unknown), ledger, idem (the caller's key, as HMAC), claimed (request and reason as the assistant
 * told them), attempts (when there were several), changed (rows), sums,
 * effects (kept.h).
 *
 * A call that was turned away before anything ran for it is a DENY, one that was given the first
 * answer again a REPLAY, any other a CALL_OUTCOME; a read needs no intent.  Thread-safe. */
#pragma once
#include "audit/audit.h"
#include "audit/kept.h"
#include "audit/protect.h"

#define RECORD_MAX_BYTES ((size_t)63000) /* the line's frame fits into what is left to 65,535 */
#define RECORD_EVENT_BYTES 16

/* Appends to out, which is empty and has RECORD_MAX_BYTES as its limit.  No line feed inside. */
void record_call(struct buf *out, const struct call *c, const struct protector *p,
	const struct kept *effects);
/* CALL_INTENT of a call with a change: who, what, which plan. */
void record_intent(struct buf *out, const struct call *c, const struct protector *p);
/* PLAN: that the call's plan was kept, for whom to say yes, until when. */
void record_plan(struct buf *out, const struct call *c);
void record_decision(struct buf *out, const struct audit_decision *d);
void record_settled(struct buf *out, const struct audit_settled *s);
void record_refusal(struct buf *out, const struct audit_refusal *r);
/* Only what says that refusals like r were counted: event, reason, who; then "repeated". */
void record_repeated(struct buf *out, const struct audit_refusal *r);
bool record_event(
	struct buf *out, const char *event, struct str fields_json, struct err *err) must_check;

/* A record is begun, its members put, and ended: one object without its braces. */
void record_begin(struct buf *out, struct jw *w, const char *event);
void record_end(struct buf *out, struct jw *w);
void record_put_digest(struct jw *w, struct str name, const struct sha256 *d); /* "sha256:…" */

const char *record_call_event(const struct call *c);
bool record_event_known(const char *event);
